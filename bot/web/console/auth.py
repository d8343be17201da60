"""Who may use the console: password, signed session cookie, login throttle, cross-origin check."""

from __future__ import annotations

import hashlib
import hmac
import logging
import math
import threading
import unicodedata
from collections import deque
from collections.abc import Callable, Sequence
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Final

from flask import (
    Blueprint,
    Flask,
    Request,
    Response,
    abort,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from werkzeug.wrappers import Response as AnyResponse

log = logging.getLogger(__name__)

PREFIX: Final = "/console"
SESSION_LIFETIME: Final = timedelta(hours=12)
#: Wrong passwords that one address, and that all addresses together, may give in `THROTTLE_SECONDS`.
MAX_PER_ADDRESS: Final = 5
MAX_IN_ALL: Final = 50
THROTTLE_SECONDS: Final = 300.0

_SALT = b"zalo-picture-bot console 1"

Networks = Sequence[IPv4Network | IPv6Network]


def derive_key(password: str) -> bytes:
    """
    Return the key that signs the sessions: with the password it changes, and everybody is logged out.

    It takes some 50 ms and 16 MiB, so that whoever gets hold of a cookie cannot try passwords on it quickly. The same
    password typed on another keyboard, its marks composed or not, gives the same key.
    """
    typed = unicodedata.normalize("NFC", password).encode(errors="replace")
    return hashlib.scrypt(typed, salt=_SALT, n=2**14, r=8, p=1, dklen=32)


def enable_sessions(app: Flask, key: bytes) -> None:
    """Give *app* sessions, on the console's pages alone."""
    app.secret_key = key
    app.session_interface = _ConsoleSessions()
    app.config.update(
        SESSION_COOKIE_NAME="console",
        SESSION_COOKIE_PATH=PREFIX,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=SESSION_LIFETIME,
    )


class _ConsoleSessions(SecureCookieSessionInterface):
    """Flask's own sessions, but none for the webhook, and Secure cookies where TLS ends in front of us."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        is_ours = request.path == PREFIX or request.path.startswith(f"{PREFIX}/")
        return super().open_session(app, request) if is_ours else None

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002  Flask's signature
        # Whoever forges the header only keeps the own browser from sending the cookie in the open.
        return request.is_secure or request.headers.get("X-Forwarded-Proto", "").strip().lower() == "https"


def is_logged_in(now: float) -> bool:
    """Return whether the browser logged in less than `SESSION_LIFETIME` before *now*, in seconds since 1970."""
    since = session.get("since")
    return isinstance(since, float) and now - since < SESSION_LIFETIME.total_seconds()


def refuse_cross_origin() -> None:
    """
    End the request with 400 unless the browser says that one of our own pages sent it.

    Browsers since 2023 send Sec-Fetch-Site; older ones send Origin with every POST. What sends neither is refused.
    """
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is not None:
        is_ours = site in {"same-origin", "none"}
    else:
        is_ours = origin is not None and origin.partition("://")[2] == request.host
    if not is_ours:
        abort(400)


class LoginThrottle:
    """
    The wrong passwords of the last minutes, in this process alone; safe for threads.

    Of N processes each counts for itself, so that a guesser gets at most N times `MAX_IN_ALL`: a few hundred guesses
    an hour at a password of ten characters.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wrong: deque[tuple[float, str]] = deque()

    def check(self, address: str, *, now: float) -> float:
        """Return for how many seconds *address* must wait; 0: it may try, which counts as wrong until `reset`."""
        with self._lock:
            while self._wrong and self._wrong[0][0] <= now - THROTTLE_SECONDS:
                self._wrong.popleft()
            everyone = [at for at, _ in self._wrong]
            theirs = [at for at, who in self._wrong if who == address]
            for attempts, most in ((theirs, MAX_PER_ADDRESS), (everyone, MAX_IN_ALL)):
                if len(attempts) >= most:
                    return attempts[0] + THROTTLE_SECONDS - now
            self._wrong.append((now, address))
            return 0.0

    def reset(self, address: str) -> None:
        """Forget the attempts of an address that knew the password in the end."""
        with self._lock:
            self._wrong = deque((at, who) for at, who in self._wrong if who != address)


def add_routes(routes: Blueprint, key: bytes, clock: Callable[[], float], *, trusted_proxies: Networks) -> None:
    """
    Add the page that asks for the password from which *key* was derived, and the button that ends the session.

    *trusted_proxies*: web servers whose ``X-Forwarded-For`` tells who asks.
    """
    throttle = LoginThrottle()

    @routes.get("/login")
    def login() -> AnyResponse | str:
        return _to_requested_page() if is_logged_in(clock()) else render_template("console/login.html")

    @routes.post("/login", endpoint="log_in")
    def log_in() -> AnyResponse:
        now, address = clock(), _client_address(trusted_proxies)
        wait = throttle.check(address, now=now)
        if wait:
            return _refused(429, wait)
        if not hmac.compare_digest(derive_key(request.form.get("password", "")), key):
            log.warning("a wrong password for the console", extra={"address": address})
            return _refused(403)
        throttle.reset(address)
        _begin_session(now)
        return _to_requested_page()

    @routes.post("/logout", endpoint="log_out")
    def log_out() -> AnyResponse:
        _clear_session("lang")
        return redirect(url_for("console.login"), 303)


def _begin_session(now: float) -> None:
    _clear_session("lang", "next")
    session.update(since=now)
    session.permanent = True


def _clear_session(*kept: str) -> None:
    values = {name: session[name] for name in kept if name in session}
    session.clear()
    session.update(values)


def _to_requested_page() -> AnyResponse:
    """Go to the page that was asked for before the log-in."""
    return redirect(session.pop("next", None) or url_for("console.home"), 303)


def _refused(status: int, wait: float = 0.0) -> Response:
    response = make_response(render_template("console/login.html", wait=math.ceil(wait / 60), wrong=not wait), status)
    if wait:
        response.headers["Retry-After"] = str(math.ceil(wait))
    return response


def _client_address(trusted_proxies: Networks) -> str:
    """Return who asks: trusted web servers say for whom they do, others can say what they like."""
    hops = [request.remote_addr or "", *reversed(request.access_route)]
    # The nearest that is no trusted one; what stands before it anybody may have written.
    return next((address for address in hops if not _is_in(address, trusted_proxies)), hops[-1])[:64]


def _is_in(address: str, networks: Networks) -> bool:
    try:
        return any(ip_address(address) in network for network in networks)
    except ValueError:
        return False
