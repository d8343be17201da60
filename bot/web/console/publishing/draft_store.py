"""The draft of the requesting browser: its cookie, saving and discarding, and its status on a page."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal

from flask import after_this_request, current_app, flash, g, jsonify, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from bot.inbox.editing.drafts import (
    KEPT_SECONDS,
    MAX_DRAFT_BYTES,
    Draft,
    DraftConflict,
    Drafts,
    DraftTooLarge,
    new_browser_id,
)
from bot.rules.publishing.publisher import digest
from bot.runtime import Runtime
from bot.web.console import formatting
from bot.web.console.formatting import gettext as _

#: The cookie outlives the session, so that an editor finds the draft after the next log-in.
COOKIE_NAME: Final = "console_draft"
_PATH: Final = "/console"

_BROWSER_ID: Final = re.compile(r"[A-Za-z0-9_-]{20,64}", re.ASCII)
_DIGEST: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_TAB: Final = re.compile(r"[0-9a-f]{8,32}", re.ASCII)
_TAB_BYTES: Final = 8
_MAX_REVISION: Final = 2**31 - 2


@dataclass(frozen=True, slots=True)
class DraftOrigin:
    """Which version of the rules a draft was begun from."""

    kind: Literal["present", "former", "none", "unknown"]
    """`present`: the present file; `none`: there was no file; `unknown`: a version that is no longer kept."""
    since: float = 0.0
    """When a `former` version became the rules file, in seconds since 1970."""


@dataclass(frozen=True, slots=True)
class DraftStatus:
    """The status of the browser's draft on a page, and the values that the page sends back to save it."""

    revision: int = 0
    """The revision that the page shows; 0 if it shows another text, so that the draft is not overwritten."""
    tab: str = ""
    text: str = ""
    """When it was saved, in words; empty if there is no draft."""
    is_open: bool = False
    """Whether the page shows the draft."""
    origin: DraftOrigin | None = None
    conflict: Draft | None = None
    """The draft that another tab has saved, if it kept this page's text from being saved."""
    refusal: str = ""
    """Why the text was not saved, in words."""


class DraftStore:
    """
    Opens and saves the draft of the browser of the present request.

    *form* names the form that it belongs to, if it is not that of the page Check: each has a draft of its own.
    """

    def __init__(self, runtime: Runtime, form: str = "") -> None:
        self._runtime = runtime
        self._form = form

    def open(self) -> Draft | None:
        """Return the draft; None if there is none."""
        browser_id = _browser_id()
        return Drafts(self._runtime.database).open(self._key(browser_id)) if browser_id else None

    def save(self, text: str) -> DraftStatus:
        """Save *text* with the base, revision and tab of the sent form; return the new status."""
        form = request.form
        base = form.get("base_digest", form.get("mark", ""))
        sent = Draft(
            content=text.replace("\r\n", "\n").encode(errors="replace") if text.strip() else b"",
            base_digest=base if _DIGEST.fullmatch(base) else "",
            revision=min(form.get("replaces", form.get("revision", 0, type=int), type=int), _MAX_REVISION),
            saved_at=self._runtime.database.now(),
        )
        tab = _tab()
        try:
            saved = Drafts(self._runtime.database).save(self._key(self._kept_browser_id()), sent, tab=tab)
        except DraftConflict as other:
            refusal = _("Not saved: this browser already has another draft, saved at {time}.").format(
                time=self._time(other.draft.saved_at)
            )
            return DraftStatus(sent.revision, tab, conflict=other.draft, refusal=refusal)
        except DraftTooLarge:
            refusal = _("Not saved: a draft may have {most} bytes at most.").format(
                most=formatting.format_number(MAX_DRAFT_BYTES)
            )
            return DraftStatus(sent.revision, tab, refusal=refusal)
        return replace(self.status(saved, is_open=True), tab=tab)

    def discard(self) -> None:
        """Discard the draft."""
        browser_id = _browser_id()
        if browser_id:
            Drafts(self._runtime.database).discard(self._key(browser_id), now=self._runtime.database.now())

    def status(self, draft: Draft | None, *, is_open: bool) -> DraftStatus:
        """Return the draft's status for a page that shows it or, if *is_open* is false, another text."""
        self._kept_browser_id()
        if draft is None:
            return DraftStatus(tab=_tab())
        saved = _("Draft saved {time}").format(time=self._time(draft.saved_at))
        origin = None if self._form else self._origin(draft)
        return DraftStatus(draft.revision if is_open else 0, _tab(), saved, is_open, origin)

    def keep_at_login(self, text: str, page: str, *, is_script: bool) -> AnyResponse:
        """
        Save what was sent after the session had ended; return the redirect to the log-in, which leads on to *page*.

        A script gets the address as JSON.
        """
        login = url_for("console.login", next=page)
        status = self.save(text)
        if is_script:
            return saved_answer(status, login=login)
        flash(status.refusal or _("Your text is kept as a draft. Log in to go on with it."), "warn")
        return redirect(login, 303)

    def _key(self, browser_id: str) -> str:
        return f"{browser_id} {self._form}" if self._form else browser_id

    def _kept_browser_id(self) -> str:
        """Return the browser's id, or a new one; set its cookie for as long as drafts are kept."""
        browser_id: str = g.setdefault("draft_browser_id", _browser_id() or new_browser_id())
        is_secure = current_app.session_interface.get_cookie_secure(current_app)

        @after_this_request
        def remember(response: AnyResponse) -> AnyResponse:
            response.set_cookie(
                COOKIE_NAME,
                browser_id,
                max_age=int(KEPT_SECONDS),
                path=_PATH,
                secure=is_secure,
                httponly=True,
                samesite="Lax",
            )
            return response

        return browser_id

    def _origin(self, draft: Draft) -> DraftOrigin:
        try:
            present = self._runtime.publisher.content()
        except OSError:
            present = None
        if draft.base_digest == digest(present):
            return DraftOrigin("present" if present is not None else "none")
        if not draft.base_digest:
            return DraftOrigin("none")
        former = (v for v in self._runtime.publisher.versions() if draft.base_digest.startswith(v.short_digest))
        found = next(former, None)
        return DraftOrigin("former", found.since) if found else DraftOrigin("unknown")

    def _time(self, seconds: float) -> str:
        """Return the time of day, with the date if it is not today."""
        zone = self._runtime.rules_reloader.rules.zone
        at, now = (datetime.fromtimestamp(moment, zone) for moment in (seconds, self._runtime.database.now()))
        return f"{at:%H:%M}" if at.date() == now.date() else formatting.format_time(seconds, zone)


def saved_answer(status: DraftStatus, *, login: str = "") -> AnyResponse:
    """Return the JSON for the page's script: `revision`, `text`, and the log-in URL if the session has ended."""
    fields = {"revision": status.revision, "text": status.refusal or status.text, "login": login}
    if status.conflict:
        fields["revision"] = status.conflict.revision
    answer = jsonify(fields)
    answer.status_code = 409 if status.conflict else 413 if status.refusal else 200
    return answer


def _browser_id() -> str:
    """Return the id in the cookie; empty if there is none or it is malformed."""
    given = request.cookies.get(COOKIE_NAME, "")
    return given if _BROWSER_ID.fullmatch(given) else ""


def _tab() -> str:
    """Return the id of the form's tab, or a new one for a newly opened page."""
    given = request.form.get("tab", "")
    return given if _TAB.fullmatch(given) else secrets.token_hex(_TAB_BYTES)
