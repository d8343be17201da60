"""Logging in and out."""

from __future__ import annotations

import hmac
import logging
import math
from collections.abc import Callable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address

from flask import Blueprint, Response, make_response, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response as AnyResponse

from bot.web.console import session as sessions
from bot.web.console.attempts import Attempts

log = logging.getLogger(__name__)


Networks = Sequence[IPv4Network | IPv6Network]


def add_routes(routes: Blueprint, key: bytes, clock: Callable[[], float], *, believed: Networks) -> None:
    """
    Add the page that asks for the password from which *key* was derived, and the button that ends the session.

    *believed*: whose ``X-Forwarded-For`` tells who asks.
    """
    attempts = Attempts()

    @routes.get("/login")
    def login() -> AnyResponse | str:
        return _onward() if sessions.is_logged_in(clock()) else render_template("console/login.html")

    @routes.post("/login", endpoint="log_in")
    def log_in() -> AnyResponse:
        now, address = clock(), _address(believed)
        wait = attempts.begin(address, now=now)
        if wait:
            return _refused(429, wait)
        if not hmac.compare_digest(sessions.derive_key(request.form.get("password", "")), key):
            log.warning("a wrong password for the console", extra={"address": address})
            return _refused(403)
        attempts.forgive(address)
        sessions.log_in(now)
        return _onward()

    @routes.post("/logout", endpoint="log_out")
    def log_out() -> AnyResponse:
        sessions.log_out()
        return redirect(url_for("console.login"), 303)


def _onward() -> AnyResponse:
    """Go to the page that was asked for before the log-in."""
    return redirect(session.pop("next", None) or url_for("console.home"), 303)


def _refused(status: int, wait: float = 0.0) -> Response:
    response = make_response(render_template("console/login.html", wait=math.ceil(wait / 60), wrong=not wait), status)
    if wait:
        response.headers["Retry-After"] = str(math.ceil(wait))
    return response


def _address(believed: Networks) -> str:
    """Return who asks: web servers that are believed say for whom they do, others can say what they like."""
    way = [request.remote_addr or "", *reversed(request.access_route)]
    # The nearest that is none of them; what stands before it anybody may have written.
    return next((address for address in way if not _is_in(address, believed)), way[-1])[:64]


def _is_in(address: str, networks: Networks) -> bool:
    try:
        return any(ip_address(address) in network for network in networks)
    except ValueError:
        return False
