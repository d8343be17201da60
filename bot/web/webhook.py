"""Where Zalo's events come in: acknowledged once they are durable, and never later than that."""

from __future__ import annotations

import hmac
import logging

from flask import Blueprint, Request, Response, abort, request
from markupsafe import escape

from bot.config import is_loopback
from bot.errors import BadSignature, WebhookError
from bot.service import Service
from bot.zalo import SIGNATURE_HEADER

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
            service.receive(body, request.headers.get(SIGNATURE_HEADER))
        except WebhookError as refusal:
            return _answer(refusal.status, str(refusal))
        except Exception:
            # Zalo delivers again what was not acknowledged; a half-stored event is known by its key.
            log.exception("an event could not be stored")
            return _answer(503, "The event could not be stored; please deliver it again.")
        return _answer(200, "ok")

    @routes.get("/webhook")
    @routes.get("/webhook/<token>")
    def greet(token: str | None = None) -> Response:
        _authorise(service, token)
        return _answer(200, "This is the webhook; events come in by POST.")

    if settings.zalo_verifier:
        page = _verifier_page(settings.zalo_verifier)

        @routes.get(f"/zalo_verifier{settings.zalo_verifier}.html")
        def verifier() -> str:
            return page

    return routes


def _authorise(service: Service, token: str | None) -> None:
    settings = service.settings
    if settings.webhook_auth == "token":
        expected = settings.webhook_token.get_secret_value() if settings.webhook_token else ""
        if not expected or not hmac.compare_digest((token or "").encode(), expected.encode()):
            abort(_answer(401, str(BadSignature("The address lacks the token, or it is another one."))))
    elif token is not None:
        abort(404)
    if settings.webhook_auth == "off" and not is_loopback(request.remote_addr or ""):
        abort(_answer(401, "Without authentication, only this machine itself may deliver."))


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
    return _answer(413, f"An event is at most {LARGEST_BODY // 1024} KiB.")


def _answer(status: int, text: str) -> Response:
    return Response(f"{text}\n", status, mimetype="text/plain")


def _verifier_page(code: str) -> str:
    meta = f'<meta name="zalo-platform-site-verification" content="{escape(code)}">'
    return f"<!doctype html>\n<html><head>{meta}</head><body>Zalo domain verification</body></html>\n"
