"""Page Check: problems, backtest and diff of a draft rules file; publish it, or restore a version."""

from __future__ import annotations

import codecs
import errno
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal

from flask import Blueprint, abort, flash, jsonify, redirect, render_template, request, send_file, url_for
from werkzeug.wrappers import Response as AnyResponse

import bot
from bot.analysis.preview_process import TIMEOUT_SECONDS, PreviewTimeout, PreviewTooLarge
from bot.rules.publishing.publisher import EditConflict, digest, normalise_newlines
from bot.runtime import Runtime
from bot.web.console.check_session import Busy, CheckResult, CheckSession
from bot.web.console.formatting import gettext as _

#: How often a page asks again whether what was published is in force; the bot takes two seconds.
_MAX_REFRESHES: Final = 10
_SCHEMA_FILE: Final = Path(bot.__file__).parent / "rules" / "rules.schema.json"

PageResponse = str | tuple[str, int] | AnyResponse


@dataclass(frozen=True, slots=True)
class Note:
    """A notice, and the status of the answer that it stands in."""

    text: str
    status: int
    kind: Literal["bad", "warn"] = "warn"


@dataclass(frozen=True, slots=True)
class Draft:
    """What an editor has before them."""

    content: bytes = b""
    """As it was given: a file byte by byte."""
    text: str = ""
    """The same for the field; empty if it is no text."""
    base_digest: str = ""
    """The digest of the rules file that they set out from."""

    @property
    def publishable(self) -> bytes:
        """What would be written."""
        return normalise_newlines(self.text)


def add_routes(routes: Blueprint, runtime: Runtime) -> None:
    """Add the page; ``?take=`` puts a file into the field: ``file``, ``good`` or the name of a version."""
    page = _Check(runtime)
    routes.get("/check", endpoint="check")(page.show)
    routes.post("/check", endpoint="check_ask")(page.ask)
    routes.post("/check/problems", endpoint="check_problems")(page.problems)
    routes.get("/check/schema.json", endpoint="check_schema")(page.schema)
    routes.post("/check/publish", endpoint="check_publish")(page.publish)
    routes.post("/check/back", endpoint="check_back")(page.go_back)


class _Check:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._session = CheckSession(runtime)

    def show(self) -> PageResponse:
        present = self._session.content()
        loaded = self._content_to_load(request.args.get("take", ""), present)
        return self._page(Draft(text=_readable(loaded or b""), base_digest=digest(present)))

    def ask(self) -> PageResponse:
        draft = _draft()
        return self._checked(draft) if draft.content.strip() else self._page(draft, _note_nothing())

    def problems(self) -> AnyResponse | tuple[str, int]:
        """Answer the text editor, as JSON: what is wrong with the text in the field; null: ask again."""
        try:
            found = self._session.problems(_draft().content)
        except Busy:
            return jsonify(None)
        except (PreviewTimeout, PreviewTooLarge):
            return "", 422
        return jsonify([asdict(finding) | {"length": len(finding.meant)} for finding in found])

    def schema(self) -> AnyResponse:
        """Answer the text editor with the JSON Schema of rules.yaml."""
        return send_file(_SCHEMA_FILE, mimetype="application/schema+json")

    def publish(self) -> PageResponse:
        self._must_be_on()
        draft = _draft()
        if digest(draft.content) != request.form.get("checked"):
            return self._checked(draft, _note_edited())
        return self._publish(draft, _note_published())

    def go_back(self) -> PageResponse:
        self._must_be_on()
        content, base_digest = (
            self._session.publisher.read(request.form.get("version", "")),
            request.form.get("base_digest", ""),
        )
        if content is None:
            return self._page(Draft(base_digest=base_digest), _note_gone())
        return self._publish(Draft(content, _readable(content), base_digest), _note_restored())

    def _must_be_on(self) -> None:
        if not self._runtime.settings.console_publish:
            abort(404)

    def _content_to_load(self, name: str, present: bytes | None) -> bytes | None:
        """Return the file that is asked for."""
        if name == "file":
            return present
        if name == "good":
            return self._session.good_rules(self._runtime.watch.rules.digest)
        return self._session.publisher.read(name) if name and self._runtime.settings.console_publish else None

    def _checked(self, draft: Draft, note: Note | None = None) -> PageResponse:
        result = self._result(draft)
        return self._page(draft, result) if isinstance(result, Note) else self._page(draft, note, result)

    def _result(self, draft: Draft) -> CheckResult | Note:
        try:
            return self._session.check(draft.content, draft.base_digest)
        except Busy:
            return _note_busy()
        except PreviewTimeout:
            return _note_too_long()
        except PreviewTooLarge:
            return _note_too_large()

    def _publish(self, draft: Draft, success: str) -> PageResponse:
        """Write the draft if it is good and the file still the one that its editor saw; else show why not."""
        result = self._result(draft)
        if isinstance(result, Note):
            return self._page(draft, result)
        if not result.preview.is_usable:
            return self._page(draft, _note_unusable(), result)
        try:
            self._session.publisher.publish(draft.content, seen=draft.base_digest, now=self._runtime.database.now())
        except EditConflict:
            return self._page(draft, _note_changed(), result)
        except OSError as error:
            return self._page(draft, _note_unwritable(error), result)
        flash(success, "good")
        return redirect(url_for("console.check", published=1), 303)

    def _page(self, draft: Draft, note: Note | None = None, result: CheckResult | None = None) -> PageResponse:
        runtime, session = self._runtime, self._session
        refreshes, file_state = request.args.get("published", 0, type=int), session.file_state()
        publishes = runtime.settings.console_publish
        page = render_template(
            "console/check.html",
            draft=draft,
            note=note,
            result=result,
            base_digest=result.seen if result else draft.base_digest,
            checked=digest(draft.publishable),
            file=runtime.settings.rules_file,
            file_state=file_state,
            trouble=runtime.watch.error,
            rules=len(runtime.watch.rules.file.rules),
            before=session.replies_in_force() if result else {},
            refresh=refreshes + 1 if file_state == "pending" and 0 < refreshes < _MAX_REFRESHES else 0,
            publishes=publishes,
            former=session.former() if publishes else None,
            history=list(session.history()) if publishes else [],
        )
        return page, note.status if note else 200


def _draft() -> Draft:
    """Return what was sent: the file that was chosen, else the text in the field."""
    given, base_digest = request.files.get("file"), request.form.get("base_digest", "")
    if given is not None and given.filename:
        content = given.read()
        return Draft(content, _readable(content), base_digest)
    text = request.form.get("text", "")
    return Draft(normalise_newlines(text), text, base_digest)


def _readable(content: bytes) -> str:
    """Return a file as text; nothing if it is none: with stand-ins for its letters it could be published by mistake."""
    is_utf16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return content.decode("utf-16" if is_utf16 else "utf-8-sig")
    except UnicodeDecodeError:
        return ""


def _note_nothing() -> Note:
    """There is nothing to check."""
    return Note(_("Paste something or choose a file first."), 400)


def _note_busy() -> Note:
    """Another check is going on."""
    return Note(
        _("Another file is being checked. Try again in a few seconds; what you wrote is still here."),
        503,
    )


def _note_too_long() -> Note:
    """The check was given up."""
    return Note(
        _(
            "This file is too much: the check was given up after {timeout_seconds:.0f} seconds. Try again "
            "with fewer keywords, or when the machine is less busy."
        ).format(timeout_seconds=TIMEOUT_SECONDS),
        422,
        "bad",
    )


def _note_too_large() -> Note:
    """The check took too much memory."""
    return Note(
        _("This file takes too much memory, so the check was given up. Try again with fewer or shorter keywords."),
        422,
        "bad",
    )


def _note_edited() -> Note:
    """What is to be published is not what was checked."""
    return Note(
        _(
            "You changed it after the last check, so it was checked again and nothing was published. Look "
            "at the result, then publish."
        ),
        409,
    )


def _note_changed() -> Note:
    """Somebody else was quicker."""
    return Note(
        _("Nothing was published: somebody else has changed the rules file. Look below at what changed, then decide."),
        409,
        "bad",
    )


def _note_unusable() -> Note:
    """What is to be published has errors."""
    return Note(
        _("Nothing was published: this version has errors."),
        409,
        "bad",
    )


def _note_gone() -> Note:
    """The version is not kept any more."""
    return Note(_("That version is not there; it may have been removed."), 409)


def _note_unwritable(error: OSError) -> Note:
    """Return why the file could not be written."""
    reasons = {
        errno.EROFS: _("its folder is mounted read-only"),
        errno.EACCES: _("the bot may not write in its folder"),
        errno.EPERM: _("the bot may not write in its folder"),
        errno.EBUSY: _("the file is mounted by itself; mount its folder instead"),
        errno.ENOSPC: _("the disk is full"),
        errno.EDQUOT: _("the disk is full"),
    }
    reason = reasons.get(error.errno or 0, error.strerror or type(error).__name__)
    return Note(
        _(
            "Nothing was published: the rules file cannot be written ({reason}). Please tell whoever runs the bot."
        ).format(reason=reason),
        500,
        "bad",
    )


def _note_published() -> str:
    """Return what is said once something is published."""
    return _("Published: the new version is in the rules file.")


def _note_restored() -> str:
    """Return what is said once the former version is published."""
    return _("The version before is in the rules file again.")
