"""Where Zalo's events come in: acknowledged once they are durable, and never later than that."""

from __future__ import annotations

import hmac
import logging
import time

from flask import Blueprint, Request, Response, abort, g, request
from markupsafe import escape

from bot import logs, metrics
from bot.config import is_loopback
from bot.errors import BadSignature, WebhookError
from bot.intake import Done, admit
from bot.runtime import Service
from bot.web.held import Give, Held, plain
from bot.zalo import SIGNATURE_HEADER, Event

log = logging.getLogger(__name__)

#: Zalo's largest event is a few kilobytes.
LARGEST_BODY = 256 * 1024


def blueprint(service: Service) -> Blueprint:
    """Return the routes that Zalo, or who forwards for it, calls."""
    routes = Blueprint("webhook", __name__)
    settings = service.settings

    @routes.post("/webhook")
    @routes.post("/webhook/<token>")
    def receive(token: str | None = None) -> Response:
        _authorise(service, token)
        body = _body(request)
        try:
            event = admit(settings, body, request.headers.get(SIGNATURE_HEADER))
        except WebhookError as refusal:
            return plain(refusal.status, str(refusal))
        if event is None:
            return plain(200, "ok")
        return _held(service, event, body)

    @routes.get("/webhook")
    @routes.get("/webhook/<token>")
    def greet(token: str | None = None) -> Response:
        _authorise(service, token)
        return plain(200, "This is the webhook; events come in by POST.")

    if settings.zalo_verifier:
        page = _verifier_page(settings.zalo_verifier)

        @routes.get(f"/zalo_verifier{settings.zalo_verifier}.html")
        def verifier() -> str:
            return page

    @routes.before_request
    def begin() -> None:
        g.began = time.perf_counter()

    @routes.after_request
    def end(response: Response) -> Response:
        if request.method == "POST" and not isinstance(response, Held):
            metrics.acknowledged(response.status_code, time.perf_counter() - g.began)
        return response

    return routes


def _held(service: Service, event: Event, body: bytes) -> Held:
    """Return the answer to come once the event is durable."""
    began = g.began
    return Held(lambda give: service.store(event, body, _acknowledge(event, give, began)))


def _acknowledge(event: Event, give: Give, began: float) -> Done:
    """Return what is to be told whether the event is durable."""

    def done(error: Exception | None) -> None:
        status = 200 if error is None else 503
        if error is None:
            give(status, "ok")
        else:
            # Zalo delivers again what was not acknowledged; a half-stored event is known by its key.
            log.error("an event could not be stored", exc_info=error, extra=logs.about(event.key))
            give(status, "The event could not be stored; please deliver it again.")
        metrics.acknowledged(status, time.perf_counter() - began)

    return done


def _authorise(service: Service, token: str | None) -> None:
    settings = service.settings
    if settings.webhook_auth == "token":
        expected = settings.webhook_token.get_secret_value() if settings.webhook_token else ""
        if not expected or not hmac.compare_digest((token or "").encode(), expected.encode()):
            abort(plain(401, str(BadSignature("The address lacks the token, or it is another one."))))
    elif token is not None:
        abort(404)
    if settings.webhook_auth == "off" and not is_loopback(request.remote_addr or ""):
        abort(plain(401, "Without authentication, only this machine itself may deliver."))


def _body(delivery: Request) -> bytes:
    """Return the raw body; whatever its Content-Type says, it is bytes to us."""
    length = delivery.content_length
    if length is not None and length > LARGEST_BODY:
        abort(_too_large())
    # One byte more than allowed tells a chunked body that is too large, without reading the rest of it.
    body = delivery.stream.read(LARGEST_BODY + 1)
    if len(body) > LARGEST_BODY:
        abort(_too_large())
    return body


def _too_large() -> Response:
    return plain(413, f"An event is at most {LARGEST_BODY // 1024} KiB.")


def _verifier_page(code: str) -> str:
    meta = f'<meta name="zalo-platform-site-verification" content="{escape(code)}">'
    return f"<!doctype html>\n<html><head>{meta}</head><body>Zalo domain verification</body></html>\n"
