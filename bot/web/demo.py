"""The demo's page: a customer's chat and the progress of each message, updated by server-sent events."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Annotated, get_args
from urllib.parse import urlencode

import requests
from flask import Blueprint, Flask, Response, redirect, render_template, request, stream_with_context, url_for
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError
from werkzeug.wrappers import Response as AnyResponse

from bot.i18n import Language, translator
from bot.rules.engine import FALLBACK
from bot.sandbox.conversation import LATE_SECONDS, Change, Kind
from bot.sandbox.demo import Demo, VendorMode
from bot.sandbox.send_image import ImageMessage
from bot.web import image_urls
from bot.web.console import auth
from bot.web.console.app import CSP

_HEARTBEAT_SECONDS = 15.0

Customer = Annotated[str, StringConstraints(pattern=r"^[0-9]{6,20}$")]


class _ChatMessage(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    customer: Customer
    kind: Kind
    text: Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000)] = ""
    vendor: VendorMode = "fine"


class _Subscription(BaseModel):
    customer: Customer
    after: int = 0


def create_page(demo: Demo) -> Flask:
    """Return the application that serves the page at ``/demo``."""
    app = Flask("bot.web")
    app.config["MAX_CONTENT_LENGTH"] = 64 * 1024
    app.register_blueprint(blueprint(demo))
    return app


def blueprint(demo: Demo) -> Blueprint:
    """Return the routes of the page, of the stream of its changes, and of what the customer sends."""
    routes = Blueprint("demo", "bot.web")

    @routes.get("/")
    def home() -> AnyResponse:
        return redirect(url_for("demo.page"))

    @routes.get("/demo")
    def page() -> str:
        return render_template("demo.html", samples=demo.samples(), rules_file=demo.rules_file, bot_url=demo.bot_url)

    routes.add_url_rule("/demo/changes", "changes", partial(_changes, demo))
    routes.add_url_rule("/demo/messages", "messages", partial(_take_message, demo), methods=["POST"])
    routes.add_url_rule("/demo/console", "console", partial(_to_console, demo))
    routes.add_url_rule("/demo/uploads/<token>", "uploaded", partial(_uploaded, demo))

    @routes.context_processor
    def words() -> dict[str, object]:
        lang = _language(demo.lang)
        return {
            "lang": lang,
            "other_lang": "vi" if lang == "en" else "en",
            "_": translator(lang).gettext,
            "shop": demo.shop(lang),
            "is_sample": demo.is_sample,
            "fallback": FALLBACK,
            "late_seconds": round(LATE_SECONDS),
            "address": partial(_address, demo),
        }

    @routes.after_request
    def protect(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = CSP
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    return routes


def _changes(demo: Demo) -> Response:
    """Answer with the stream of a customer's changes."""
    given = {"customer": request.args.get("customer"), "after": request.headers.get("Last-Event-ID", 0)}
    try:
        subscription = _Subscription.model_validate(given)
    except ValidationError:
        return Response("customer: 6 to 20 digits\n", 400, mimetype="text/plain")
    stream = stream_with_context(_stream(demo, subscription.customer, subscription.after))
    return Response(stream, mimetype="text/event-stream", headers={"Cache-Control": "no-store"})


def _take_message(demo: Demo) -> Response:
    """Send what the customer does to the bot, signed as Zalo would."""
    try:
        message = _ChatMessage.model_validate_json(request.get_data())
    except ValidationError:
        return Response("not a message of this page\n", 400, mimetype="text/plain")
    if request.mimetype != "application/json" or (message.kind == "text" and not message.text):
        return Response("a text has words, and comes as JSON\n", 400, mimetype="text/plain")
    demo.say(message.customer, message.kind, message.text, mode=message.vendor)
    return Response(status=204)


def _to_console(demo: Demo) -> AnyResponse:
    """Log in and redirect to the console: to the rule in the query, or to the overview."""
    lang, rule = _language(demo.lang), request.args.get("rule")
    target = f"rules?{urlencode({'q': rule, 'lang': lang})}" if rule else f"?{urlencode({'lang': lang})}"
    response = redirect(f"{demo.bot_url}{auth.PREFIX}/{target}")
    response.set_cookie(auth.COOKIE_NAME, _log_in(demo), path=auth.PREFIX, httponly=True, samesite="Lax")
    return response


def _log_in(demo: Demo) -> str:
    """Log in to the bot's console; return the value of its cookie."""
    with requests.Session() as session:
        session.trust_env = False  # a proxy must not be used for this machine
        form, headers = {"password": demo.console_password}, {"Origin": demo.bot_url}
        address = f"{demo.bot_url}{auth.PREFIX}/login"
        session.post(address, data=form, headers=headers, timeout=10.0, allow_redirects=False).raise_for_status()
        return str(session.cookies[auth.COOKIE_NAME])


def _stream(demo: Demo, customer: str, after: int) -> Iterator[str]:
    """Yield the customer's changes as server-sent events: each holds the HTML elements to replace, by their ids."""
    yield "retry: 500\n\n"
    while not demo.conversation.stopped:
        changes = demo.conversation.changes(customer, after, timeout=_HEARTBEAT_SECONDS)
        for change in changes:
            after += 1
            yield _event(after, change)
        if not changes:
            yield ": still here\n\n"  # a write fails if the page was closed


def _event(number: int, change: Change) -> str:
    html = render_template("demo_change.html", change=change)
    return f"id: {number}\n" + "".join(f"data: {line}\n" for line in html.splitlines()) + "\n"


def _language(default: Language) -> Language:
    chosen = request.args.get("lang")
    return next((lang for lang in get_args(Language) if lang == chosen), default)


def _uploaded(demo: Demo, token: str) -> Response:
    """Return an image that the bot has uploaded."""
    upload = demo.vendor.upload_of(token)
    if upload is None:
        return Response("nothing was uploaded under this token\n", 404, mimetype="text/plain")
    return Response(upload.content, mimetype="image/png" if upload.name.endswith(".png") else "image/jpeg")


def _address(demo: Demo, message: ImageMessage) -> str | None:
    """Return the URL of an image for the page; None if it has no web address and was not uploaded here."""
    if message.field == "image_url":
        return image_urls.address(message.image, "static")
    return url_for("demo.uploaded", token=message.image) if demo.vendor.upload_of(message.image) else None
