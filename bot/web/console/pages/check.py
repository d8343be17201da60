"""Check: a rules file that is not in force yet, what is wrong with it and what it would change; and its publication."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import Final

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from bot.analysis.preview_process import TookTooLong
from bot.rules.publishing.publisher import Changed, digest, tidied
from bot.runtime import Service
from bot.web.console.check_session import Busy, Desk, Outcome
from bot.web.console.pages import check_notes as notes
from bot.web.console.pages.check_notes import Note

#: How often a page looks anew whether what was published is in force; the bot takes two seconds.
_MOST_LOOKS: Final = 10

Answer = str | tuple[str, int] | AnyResponse


@dataclass(frozen=True, slots=True)
class Draft:
    """What an editor has before them."""

    content: bytes = b""
    """As it was given: a file byte by byte."""
    text: str = ""
    """The same for the field; empty if it is no text."""
    began: str = ""
    """The digest of the rules file that they set out from."""

    @property
    def publishable(self) -> bytes:
        """What would be written."""
        return tidied(self.text)


def add_routes(routes: Blueprint, service: Service) -> None:
    """Add the page; ``?take=`` puts a file into the field: ``file``, ``good`` or the name of a version."""
    page = _Check(service)
    routes.get("/check", endpoint="check")(page.show)
    routes.post("/check", endpoint="check_ask")(page.ask)
    routes.post("/check/publish", endpoint="check_publish")(page.publish)
    routes.post("/check/back", endpoint="check_back")(page.go_back)


class _Check:
    def __init__(self, service: Service) -> None:
        self._service = service
        self._desk = Desk(service)

    def show(self) -> Answer:
        present = self._desk.content()
        taken = self._taken(request.args.get("take", ""), present)
        return self._page(Draft(text=_readable(taken or b""), began=digest(present)))

    def ask(self) -> Answer:
        draft = _draft()
        return self._examined(draft) if draft.content.strip() else self._page(draft, notes.nothing())

    def publish(self) -> Answer:
        self._must_be_on()
        draft = _draft()
        if digest(draft.content) != request.form.get("checked"):
            return self._examined(draft, notes.edited())
        return self._published(draft, notes.taken_up())

    def go_back(self) -> Answer:
        self._must_be_on()
        content, began = self._desk.publisher.read(request.form.get("version", "")), request.form.get("began", "")
        if content is None:
            return self._page(Draft(began=began), notes.gone())
        return self._published(Draft(content, _readable(content), began), notes.gone_back())

    def _must_be_on(self) -> None:
        if not self._service.settings.console_publish:
            abort(404)

    def _taken(self, name: str, present: bytes | None) -> bytes | None:
        """Return the file that is asked for."""
        if name == "file":
            return present
        if name == "good":
            return self._desk.good_rules(self._service.watch.rules.digest)
        return self._desk.publisher.read(name) if name and self._service.settings.console_publish else None

    def _examined(self, draft: Draft, note: Note | None = None) -> Answer:
        outcome = self._outcome(draft)
        return self._page(draft, outcome) if isinstance(outcome, Note) else self._page(draft, note, outcome)

    def _outcome(self, draft: Draft) -> Outcome | Note:
        try:
            return self._desk.examine(draft.content, draft.began)
        except Busy:
            return notes.busy()
        except TookTooLong:
            return notes.too_long()

    def _published(self, draft: Draft, said: str) -> Answer:
        """Write the draft if it is good and the file still the one that its editor saw; else show why not."""
        outcome = self._outcome(draft)
        if isinstance(outcome, Note):
            return self._page(draft, outcome)
        if not outcome.preview.is_usable:
            return self._page(draft, notes.unusable(), outcome)
        try:
            self._desk.publisher.publish(draft.content, seen=draft.began, now=self._service.database.now())
        except Changed:
            return self._page(draft, notes.changed(), outcome)
        except OSError as error:
            return self._page(draft, notes.unwritable(error), outcome)
        flash(said, "good")
        return redirect(url_for("console.check", published=1), 303)

    def _page(self, draft: Draft, note: Note | None = None, outcome: Outcome | None = None) -> Answer:
        service, desk = self._service, self._desk
        looks, standing = request.args.get("published", 0, type=int), desk.standing()
        publishes = service.settings.console_publish
        page = render_template(
            "console/check.html",
            draft=draft,
            note=note,
            outcome=outcome,
            began=outcome.seen if outcome else draft.began,
            checked=digest(draft.publishable),
            file=service.settings.rules_file,
            standing=standing,
            trouble=service.watch.trouble,
            rules=len(service.watch.rules.file.rules),
            before=desk.replies_in_force() if outcome else {},
            look_again=looks + 1 if standing == "pending" and 0 < looks < _MOST_LOOKS else 0,
            publishes=publishes,
            former=desk.former() if publishes else None,
            entries=list(desk.entries()) if publishes else [],
        )
        return page, note.status if note else 200


def _draft() -> Draft:
    """Return what was sent: the file that was chosen, else the text in the field."""
    given, began = request.files.get("file"), request.form.get("began", "")
    if given is not None and given.filename:
        content = given.read()
        return Draft(content, _readable(content), began)
    text = request.form.get("text", "")
    return Draft(tidied(text), text, began)


def _readable(content: bytes) -> str:
    """Return a file as text; nothing if it is none: with stand-ins for its letters it could be published by mistake."""
    is_utf16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return content.decode("utf-16" if is_utf16 else "utf-8-sig")
    except UnicodeDecodeError:
        return ""
