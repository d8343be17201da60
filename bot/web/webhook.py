"""Webhook for Zalo: authorize the delivery, parse the event, store it, acknowledge once it is durable."""

from __future__ import annotations

import hmac
import logging
import time
from http import HTTPStatus
from typing import Final

from flask import Blueprint, Request, Response, abort, g, request
from markupsafe import escape

from bot import logs, zalo
from bot.config import Settings, is_loopback
from bot.errors import BadPayload, BadSignature, StorageError, WebhookError
from bot.metrics import counts
from bot.runtime import Runtime
from bot.web.deferred import Deferred, DeferredResponse, TextResponse
from bot.zalo import SIGNATURE_HEADER, Event

log = logging.getLogger(__name__)

_log_refusal = logs.Bounded(log, logging.WARNING, "a delivery was refused")
_log_failure = logs.Bounded(log, logging.ERROR, "an event could not be stored")

# Zalo redelivers what was not acknowledged; if the event was stored after all, its key is known.
_DELIVER_AGAIN: Final = "The event could not be stored; please deliver it again."
_ACKNOWLEDGED: Final = TextResponse(HTTPStatus.OK, "ok")
_NOT_STORED: Final = TextResponse(HTTPStatus.SERVICE_UNAVAILABLE, _DELIVER_AGAIN)

#: Zalo's largest event is a few kilobytes.
LARGEST_BODY = 256 * 1024
#: How long a delivery waits for its commit: after two seconds without an answer Zalo delivers again.
STORE_SECONDS: Final = 1.8


def blueprint(runtime: Runtime) -> Blueprint:
    """Return the routes that Zalo or a forwarding service calls."""
    routes = Blueprint("webhook", __name__)
    settings = runtime.settings

    @routes.post("/webhook")
    @routes.post("/webhook/<token>")
    def receive(token: str | None = None) -> Response:
        _authorise(runtime, token)
        body = _body(request)
        try:
            event = _event(settings, body, request.headers.get(SIGNATURE_HEADER))
        except WebhookError as refusal:
            return _plain(refusal.status, str(refusal))
        if event is None:
            return _plain(200, "ok")
        return _store(runtime, event, body)

    @routes.get("/webhook")
    @routes.get("/webhook/<token>")
    def greet(token: str | None = None) -> Response:
        _authorise(runtime, token)
        return _plain(200, "This is the webhook; events come in by POST.")

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
        if request.method == "POST" and not isinstance(response, DeferredResponse):
            _count(response)
        return response

    return routes


def _count(response: Response) -> None:
    counts.acknowledged(response.status_code, time.perf_counter() - g.began)
    if 400 <= response.status_code < 500:
        _log_refusal({"status": response.status_code, "sender": request.remote_addr})


def _store(runtime: Runtime, event: Event, body: bytes) -> Response:
    """Queue the event; return a response that is sent once it is known whether the event is durable."""
    began: float = g.began
    try:
        future = runtime.store(event, body)
    except Exception as error:  # noqa: BLE001  whatever it is, Zalo has to deliver again
        _log_not_stored(event, error)
        return _plain(503, _DELIVER_AGAIN)

    def acknowledge() -> TextResponse:
        error = future.error if future.is_done else TimeoutError("the database took too long")
        if error is not None:
            _log_not_stored(event, error)
        response = _ACKNOWLEDGED if error is None else _NOT_STORED
        counts.acknowledged(response.status.value, time.perf_counter() - began)
        return response

    return DeferredResponse(Deferred(future, acknowledge, time.monotonic() + STORE_SECONDS))


def _log_not_stored(event: Event, error: Exception) -> None:
    is_outage = isinstance(error, (TimeoutError, StorageError))
    _log_failure(
        logs.about(event.key) | {"trouble": logs.kind(error.__cause__ or error)}, error=None if is_outage else error
    )


def _event(settings: Settings, body: bytes, signature: str | None) -> Event | None:
    """
    Return the event in *body*; None for an empty body or object, which Zalo's developer console sends as a probe.

    *signature* is the value of the header; it is checked with WEBHOOK_AUTH=signature only.

    Raises:
        WebhookError: The delivery is refused.
    """
    payload = zalo.decode(body) if body.strip() else {}
    if not payload:
        return None
    if settings.webhook_auth == "signature":
        if settings.zalo_app_id is None or settings.zalo_oa_secret_key is None:
            raise BadPayload("signatures cannot be verified: settings are missing")
        secret = settings.zalo_oa_secret_key.get_secret_value()
        zalo.verify(body, payload, signature, app_id=settings.zalo_app_id, secret=secret)
    return zalo.parse(payload, body)


def _authorise(runtime: Runtime, token: str | None) -> None:
    settings = runtime.settings
    if settings.webhook_auth == "token":
        expected = settings.webhook_token.get_secret_value() if settings.webhook_token else ""
        if not expected or not hmac.compare_digest((token or "").encode(), expected.encode()):
            abort(_plain(401, str(BadSignature("The address lacks the token, or it is another one."))))
    elif token is not None:
        abort(404)
    if settings.webhook_auth == "off" and not _is_from_here():
        abort(_plain(401, "Without authentication, only this machine itself may deliver."))


def _is_from_here() -> bool:
    """Return whether the client is on this machine, and not behind a proxy on it."""
    forwarded = any(name in request.headers for name in ("Forwarded", "X-Real-IP"))
    return not forwarded and all(map(is_loopback, [request.remote_addr or "", *request.access_route]))


def _body(delivery: Request) -> bytes:
    """Return the raw body, whatever its Content-Type."""
    length = delivery.content_length
    if length is not None and length > LARGEST_BODY:
        abort(_too_large())
    # One byte more than allowed shows that a chunked body is too large, without reading the rest.
    try:
        body = delivery.stream.read(LARGEST_BODY + 1)
    except OSError:  # an invalid chunk, or a client that has left; the bot's own worker calls this with the whole body
        abort(400)
    if len(body) > LARGEST_BODY:
        abort(_too_large())
    return body


def _too_large() -> Response:
    return _plain(413, f"An event is at most {LARGEST_BODY // 1024} KiB.")


def _verifier_page(code: str) -> str:
    meta = f'<meta name="zalo-platform-site-verification" content="{escape(code)}">'
    return f"<!doctype html>\n<html><head>{meta}</head><body>Zalo domain verification</body></html>\n"


def _plain(status: int, text: str) -> Response:
    """Return a plain-text response of one line."""
    return Response(f"{text}\n", status, mimetype="text/plain")
