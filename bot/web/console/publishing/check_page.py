"""Page Check: problems, backtest and diff of a draft rules file; merge and publish it."""

from __future__ import annotations

import codecs
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Final

from flask import (
    Blueprint,
    abort,
    flash,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    send_file,
    url_for,
)
from pydantic import TypeAdapter, ValidationError
from werkzeug.wrappers import Response as AnyResponse

import bot
from bot.inbox.editing.drafts import KEPT_SECONDS
from bot.rules.engine import first_examples
from bot.rules.fixes import Fix, StaleFix, apply_fix
from bot.rules.publishing.publisher import digest, normalise_newlines
from bot.rules.starters import STARTERS, starter
from bot.runtime import Runtime
from bot.web.console.publishing import check_notes as notes
from bot.web.console.publishing import draft_chat as chats
from bot.web.console.publishing import progress, version_history
from bot.web.console.publishing.check_notes import Note
from bot.web.console.publishing.check_session import (
    MAX_REFRESHES,
    MAX_VERSIONS,
    Busy,
    CheckResult,
    CheckSession,
)
from bot.web.console.publishing.draft_chat import Chat
from bot.web.console.publishing.draft_store import DraftStatus, DraftStore
from bot.web.console.publishing.progress import PageResponse
from bot.zalo import MAX_TEXT_CHARACTERS

_FIX: Final = TypeAdapter(Fix)
_MAX_SAMPLES: Final = 6
_SCHEMA_FILE: Final = Path(bot.__file__).parent / "rules" / "rules.schema.json"


@dataclass(frozen=True, slots=True)
class Draft:
    """The draft that an editor sees."""

    content: bytes = b""
    """The content as sent; an uploaded file byte by byte."""
    text: str = ""
    """The content for the text field; empty if it cannot be decoded."""
    base_digest: str = ""
    """The digest of the rules file that the draft began from."""
    status: DraftStatus = field(default_factory=DraftStatus)
    """The status of its saved copy."""

    @property
    def publishable(self) -> bytes:
        """The content as it would be published."""
        return normalise_newlines(self.text)


def add_routes(routes: Blueprint, runtime: Runtime) -> None:
    """
    Add the page.

    ``?take=`` selects the content of the text field: ``file``, ``good``, ``published``, a starter or a version.
    """
    page = _Check(runtime)
    routes.get("/check", endpoint="check")(page.show)
    routes.post("/check", endpoint="check_ask")(page.ask)
    routes.post("/check/fix", endpoint="check_fix")(page.fix)
    routes.post("/check/problems", endpoint="check_problems")(page.problems)
    routes.get("/check/schema.json", endpoint="check_schema")(page.schema)
    routes.post("/check/draft", endpoint="check_draft")(page.save_draft)
    routes.post("/check/chat", endpoint="check_chat")(page.chat)
    routes.post("/check/example", endpoint="check_example")(page.add_example)
    routes.post("/check/publish", endpoint="check_publish")(page.publish)


class _Check:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._session = CheckSession(runtime)
        self._drafts = DraftStore(runtime)

    def show(self) -> PageResponse:
        if self._runtime.settings.console_publish:
            self._session.begin()
        present, saved = self._session.content(), self._drafts.open()
        name = request.args.get("take", "")
        status = self._drafts.status(saved, is_open=saved is not None and not name)
        if saved and status.is_open:
            return self._page(Draft(saved.content, _readable(saved.content), saved.base_digest, status))
        loaded = self._content_to_load(name, present) or b""
        return self._page(Draft(loaded, _readable(loaded), digest(present), status))

    def ask(self) -> PageResponse:
        draft = self._sent()
        if not draft.content.strip():
            return self._page(draft, notes.nothing())
        return progress.answered(partial(self._checked, draft))

    def fix(self) -> PageResponse:
        """Apply a fix to the text and check the result; for browsers without JavaScript."""
        text = normalise_newlines(request.form.get("text", "")).decode(errors="replace")
        try:
            return self._checked(self._sent(apply_fix(text, _FIX.validate_json(request.form.get("fix", "")))))
        except (ValidationError, StaleFix):
            return self._checked(self._sent(text), notes.stale_fix())

    def save_draft(self) -> PageResponse:
        """Save the draft, for browsers without JavaScript; Enter in the chat also submits this button."""
        if request.form.get("say", "").strip():
            return self.chat()
        draft = self._sent()
        if draft.status.refusal:
            return self._page(draft, Note(draft.status.refusal, 409, "bad"))
        return redirect(url_for("console.check"), 303)

    def problems(self) -> AnyResponse | tuple[str, int]:
        """Return the problems of the text and the chat's answers as JSON for the text editor; null: try again later."""
        content, sentences = normalise_newlines(request.form.get("text", "")), chats.sentences_sent()
        try:
            found = chats.answer(self._session, content, sentences)
        except Busy:
            return jsonify(None)
        if found.note and not found.findings:
            return "", 422
        listed = [asdict(finding) | {"length": len(finding.meant)} for finding in found.findings]
        return jsonify(findings=listed, chat=render_template("console/draft_chat_answers.html", chat=found))

    def chat(self) -> PageResponse:
        """Answer a sentence of the chat, for browsers without JavaScript."""
        draft = self._sent()
        return self._page(draft, chat=chats.answer_or_note(self._session, draft.content, chats.sentences_sent()))

    def add_example(self) -> PageResponse:
        """Add a sentence to the examples of a rule in the text; return the text as JSON for the script, or the page."""
        name, _space, sentence = request.form.get("example", "").partition(" ")
        written = chats.with_example(request.form.get("text", ""), name, sentence)
        if request.accept_mimetypes.best == "application/json":
            if isinstance(written, Note):
                return make_response(jsonify(note=written.text), written.status)
            return jsonify(text=written)
        draft = self._sent(None if isinstance(written, Note) else written)
        chat = chats.answer_or_note(self._session, draft.content, chats.sentences_sent())
        return self._page(draft, written if isinstance(written, Note) else None, chat=chat)

    def schema(self) -> AnyResponse:
        """Return the JSON Schema of rules.yaml for the text editor."""
        return send_file(_SCHEMA_FILE, mimetype="application/schema+json")

    def publish(self) -> PageResponse:
        self._must_be_on()
        draft = self._sent()
        if digest(draft.content) != request.form.get("checked"):
            return progress.answered(partial(self._checked, draft, notes.edited()))
        return progress.answered_ahead(partial(self._check_ahead, draft), partial(self._publish, draft))

    def _sent(self, text: str | None = None) -> Draft:
        """
        Return the draft of *text* or, without it, of the uploaded file, else of the text field.

        It is saved as this browser's draft.
        """
        given, base_digest = request.files.get("file"), request.form.get("base_digest", "")
        text = request.form.get("text", "") if text is None else text
        content = given.read() if given is not None and given.filename else normalise_newlines(text)
        if given is not None and given.filename:
            text = _readable(content)
        is_open = bool(text.strip())
        status = self._drafts.save(text) if is_open else self._drafts.status(self._drafts.open(), is_open=False)
        return Draft(content, text, base_digest, status)

    def _must_be_on(self) -> None:
        if not self._runtime.settings.console_publish:
            abort(404)

    def _content_to_load(self, name: str, present: bytes | None) -> bytes | None:
        """Return the content that ``?take=`` names; None if there is none."""
        if name == "file":
            return present
        if name == "published":
            return self._runtime.replica.published_rules() if self._runtime.replica else None
        if name == "good":
            return self._session.good_rules(self._runtime.rules_reloader.rules.digest)
        if name in STARTERS:
            return starter(name)
        return self._session.publisher.read(name) if name and self._runtime.settings.console_publish else None

    def _checked(self, draft: Draft, note: Note | None = None) -> PageResponse:
        result = notes.check(self._session, draft.content, draft.base_digest)
        return self._page(draft, result) if isinstance(result, Note) else self._page(draft, note, result)

    def _check_ahead(self, draft: Draft) -> PageResponse:
        """Check the draft for the request that publishes it; the page says why if that fails."""
        result = notes.check(self._session, draft.content, draft.base_digest, may_reuse=True)
        return self._page(draft, result) if isinstance(result, Note) else ""

    def _publish(self, draft: Draft) -> PageResponse:
        """Publish the draft if it is usable and the file has not changed since the editor saw it; else show why not."""
        result = notes.check(self._session, draft.content, draft.base_digest, may_reuse=True)
        if isinstance(result, Note):
            return self._page(draft, result)
        if refusal := notes.publish(self._session, result, draft.content, draft.base_digest):
            return self._page(draft, refusal, result)
        if not draft.status.refusal:
            self._drafts.discard()
        flash(notes.published(), "good")
        return redirect(url_for("console.check", published=1), 303)

    def _page(
        self,
        draft: Draft,
        note: Note | None = None,
        result: CheckResult | None = None,
        *,
        chat: Chat | None = None,
    ) -> PageResponse:
        runtime, session = self._runtime, self._session
        draft = _merged(draft, result)
        refreshes, file_state = request.args.get("published", 0, type=int), session.file_state()
        publishes = runtime.settings.console_publish
        page = render_template(
            "console/check.html",
            draft=draft,
            draft_days=round(KEPT_SECONDS / 86_400),
            chat=chat or Chat(chats.sentences_sent()),
            longest_sentence=MAX_TEXT_CHARACTERS,
            samples=first_examples(runtime.rules_reloader.rules.file, _MAX_SAMPLES),
            starters=STARTERS,
            line=request.args.get("line", 0, type=int),
            note=note,
            result=result,
            base_digest=draft.base_digest,
            checked=digest(draft.publishable),
            file=runtime.settings.rules_file,
            file_state=file_state,
            trouble=runtime.rules_reloader.error,
            rules=len(runtime.rules_reloader.rules.file.rules),
            before=session.replies_in_force() if result else {},
            refresh=refreshes + 1 if file_state == "pending" and 0 < refreshes < MAX_REFRESHES else 0,
            publishes=publishes,
            former=session.former() if publishes else None,
            history=list(version_history.entries(session.publisher, session.content(), MAX_VERSIONS))
            if publishes
            else [],
        )
        return page, note.status if note else 200


def _merged(draft: Draft, result: CheckResult | None) -> Draft:
    """Return the draft merged with what others published; unchanged while there are undecided conflicts."""
    if result is None or result.preview.is_undecided:
        return draft
    if not result.preview.is_merged:
        return replace(draft, base_digest=result.seen)
    content = result.preview.content
    return replace(draft, content=content, text=_readable(content), base_digest=result.seen)


def _readable(content: bytes) -> str:
    """Return a file as text; empty if it cannot be decoded, because replaced letters could be published by mistake."""
    is_utf16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return content.decode("utf-16" if is_utf16 else "utf-8-sig")
    except UnicodeDecodeError:
        return ""
