"""
Blueprint of the console: navigation, log-in guard, security headers, error pages.

A page is a module ``…_page`` with ``add_routes(routes, runtime)``, which adds ``GET /<name>`` and other routes to the
console's blueprint, and a template that extends ``console/layout.html``. One line in `PAGES` registers it and adds it
to the navigation; a module ``…_routes`` adds routes that are no pages. This module handles log-in, cross-origin check,
language, headers and error pages for every route.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, NamedTuple

from flask import Blueprint, Flask, Response, g, redirect, render_template, request, url_for
from werkzeug.exceptions import HTTPException, NotFound, ServiceUnavailable
from werkzeug.wrappers import Response as AnyResponse

from bot import logs
from bot.analysis.preview_process import PreviewRunner, run_in_subprocess
from bot.errors import BotError, ConfigError, StorageError
from bot.i18n import N_
from bot.inbox.failures import explain
from bot.rules.problem import RulesError
from bot.runtime import Runtime
from bot.web import image_urls
from bot.web.console import auth, first_steps, formatting, notices
from bot.web.console.images import file_routes, images_page, library_page, picker_routes
from bot.web.console.messages import events_page, overview_page, unanswered_page
from bot.web.console.publishing import check_page, draft_routes, publication, restore_page, versions_page
from bot.web.console.rule_form import advice_routes, form_draft, rule_editor_page
from bot.web.console.rules import rules_page, statistics_page, try_page
from bot.web.console.tables import csv_routes, keyword_table_page, table_process

log = logging.getLogger(__name__)

#: The largest form, in bytes: a whole rules file pasted into a field.
MAX_FORM_BYTES = 2 * 1024 * 1024

#: Content security policy: nothing inline, nothing from other hosts except images.
CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' https:; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS: Final = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    # No other host learns the console's URL; "no-referrer" would also hide the origin of forms from us.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_YEAR_SECONDS = 365 * 24 * 3600
_PUBLIC_ENDPOINTS = {"console.static", "console.login", "console.log_in"}
# Routes that are not pages are no target after the log-in.
_NOT_RESUMED = {"console.not_found", "console.picture_file"}


# Forms that are saved as the draft if the session has ended, so that nothing written is lost.
_SAVED_AT_LOGIN: Mapping[str, Callable[[Runtime], AnyResponse]] = {
    **dict.fromkeys(
        [f"console.check_{name}" for name in ("ask", "publish", "draft", "autosave")], draft_routes.keep_at_login
    ),
    **dict.fromkeys(["console.rule_save", "console.rule_draft"], form_draft.keep_at_login),
}


class Page(NamedTuple):
    """An entry of the navigation; its path is ``/console/<name>``."""

    name: str
    title: str
    add_routes: Callable[[Blueprint, Runtime], None]
    is_in_bar: bool = True
    """Whether phones show it in the bar at the bottom instead of under "More"."""


PAGES: tuple[Page, ...] = (
    Page("overview", N_("Overview"), overview_page.add_routes),
    Page("try", N_("Try"), try_page.add_routes, is_in_bar=False),
    Page("rules", N_("Rules"), rules_page.add_routes),
    Page("check", N_("Check"), check_page.add_routes, is_in_bar=False),
    Page("unanswered", N_("Unanswered"), unanswered_page.add_routes),
    Page("events", N_("Events"), events_page.add_routes),
    Page("pictures", N_("Pictures"), images_page.add_routes, is_in_bar=False),
)


def register(
    app: Flask,
    runtime: Runtime,
    *,
    clock: Callable[[], float] = time.time,
    preview: PreviewRunner = run_in_subprocess,
    derive_key: Callable[[str], bytes] = auth.derive_key,
) -> None:
    """
    Add the console to *app*; its password must be set.

    *clock* gives seconds since 1970, *preview* makes the previews of the page Check, *derive_key* a password's key.
    """
    app.config["CONSOLE_PREVIEW"] = preview
    app.config["CONSOLE_TABLE_READER"] = table_process.run_in_subprocess
    authenticator = auth.Authenticator(runtime, derive_key)
    auth.enable_sessions(app, authenticator)
    routes = _Console("console", "bot.web", static_folder="static", url_prefix=auth.PREFIX)
    require_login(routes, runtime, authenticator, clock)
    add_headers(routes)
    routes.after_request(publication.remember_author)
    auth.add_routes(routes, authenticator, clock, trusted_proxies=runtime.settings.forwarded_allow_ips)
    file_routes.add_routes(routes, runtime)
    library_page.add_routes(routes, runtime)
    picker_routes.add_routes(routes, runtime)
    rule_editor_page.add_routes(routes, runtime)
    advice_routes.add_routes(routes, runtime)
    form_draft.add_routes(routes, runtime)
    draft_routes.add_routes(routes, runtime)
    versions_page.add_routes(routes, runtime)
    restore_page.add_routes(routes, runtime)
    statistics_page.add_routes(routes, runtime)
    csv_routes.add_routes(routes, runtime)
    first_steps.add_routes(routes, runtime)
    keyword_table_page.add_routes(routes, runtime)
    for page in PAGES:
        page.add_routes(routes, runtime)

    @routes.get("/")
    def home() -> AnyResponse:
        return redirect(url_for(f"console.{PAGES[0].name}"))

    @routes.route("/<path:_path>", methods=["GET", "POST"])
    def not_found(_path: str) -> str:
        raise NotFound

    routes.context_processor(lambda: _template_context(runtime))
    app.register_blueprint(routes)


class _Console(Blueprint):
    """A blueprint whose static files may be cached for ever if their URL has their version."""

    def get_send_file_max_age(self, filename: str | None) -> int | None:
        return _YEAR_SECONDS if "v" in request.args else super().get_send_file_max_age(filename)


def require_login(
    routes: Blueprint, runtime: Runtime, authenticator: auth.Authenticator, clock: Callable[[], float]
) -> None:
    """Require a log-in for every page, and our own origin for every form."""

    @routes.before_request
    def check_access() -> AnyResponse | None:
        if request.endpoint == "console.static":
            return None
        g.logged_in = False
        request.max_content_length = request.max_form_memory_size = auth.MAX_LOGIN_BYTES
        formatting.choose_language(runtime.settings.bot_lang)
        if runtime.readiness()[0]:
            raise ServiceUnavailable
        g.logged_in = authenticator.is_logged_in(clock())
        if g.logged_in:
            request.max_content_length = request.max_form_memory_size = MAX_FORM_BYTES
            formatting.remember_language()
        elif (keep := _SAVED_AT_LOGIN.get(request.endpoint or "")) and authenticator.was_logged_in(clock()):
            request.max_content_length = request.max_form_memory_size = MAX_FORM_BYTES
            auth.refuse_cross_origin()
            return keep(runtime)
        elif request.endpoint not in _PUBLIC_ENDPOINTS:
            return auth.to_login(resume=request.endpoint not in _NOT_RESUMED)
        if request.method not in {"GET", "HEAD", "OPTIONS"}:
            auth.refuse_cross_origin()
        return None


def add_headers(routes: Blueprint) -> None:
    """Set the headers of every response, and add the error pages."""

    @routes.after_request
    def set_headers(response: Response) -> Response:
        response.headers.update(_HEADERS)
        if "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = "no-store"
        return response

    @routes.errorhandler(HTTPException)
    def error_page(error: HTTPException) -> AnyResponse | tuple[str, int]:
        if request.endpoint == "console.static" or error.code is None or error.response is not None:
            return error.get_response()
        return render_template("console/error.html", status=error.code), error.code

    @routes.errorhandler(RulesError)
    @routes.errorhandler(ConfigError)
    def no_rules(error: BotError) -> AnyResponse:
        """Answer where only the console needs rules, and has none: no page can be shown, not even that of an error."""
        log.error("there are no rules for the console", extra={"trouble": logs.kind(error)})
        return ServiceUnavailable().get_response()

    @routes.errorhandler(StorageError)
    def storage_error_page(_error: StorageError) -> tuple[str, int]:
        return render_template("console/error.html", status=503), 503


def _template_context(runtime: Runtime) -> dict[str, object]:
    """Return the variables and functions of all templates."""
    return {
        "lang": formatting.language(),
        "_": formatting.gettext,
        "ngettext": formatting.ngettext,
        "pgettext": formatting.pgettext,
        "other_lang": formatting.other_language(),
        "address_in": formatting.address_in,
        "csv_address": formatting.csv_address,
        "pages": PAGES,
        "here": request.path.removeprefix(auth.PREFIX).strip("/").partition("/")[0],
        "asset": formatting.asset,
        "notices": partial(notices.current, runtime),
        "explain_failure": lambda error: explain(error, formatting.language()),
        "author": publication.author,
        "publication_note": publication.note,
        "picture_address": partial(_picture_address, runtime),
        "rule_name": formatting.rule_name,
        "format_ago": lambda seconds: formatting.format_ago(
            seconds, runtime.rules_reloader.rules.zone, now=runtime.database.now()
        ),
        "format_number": formatting.format_number,
        "format_time": lambda seconds, **more: formatting.format_time(
            seconds, runtime.rules_reloader.rules.zone, **more
        ),
    }


def _picture_address(runtime: Runtime, image_url: str | None, file: str | None = None) -> str | None:
    """Return the URL of an image that a rule names by link or file; None if there is none."""
    if image_url:
        return image_urls.address(image_url, "console.static")
    return (
        url_for("console.picture_file", name=file, v=runtime.rules_reloader.rules.digests.get(file)) if file else None
    )
