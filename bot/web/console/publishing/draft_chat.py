"""The chat with a draft: sentences of the form, their answers, and a sentence saved as an example of its rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from flask import request

from bot.analysis.preview_process import PreviewTimeout, PreviewTooLarge
from bot.rules.publishing import edit
from bot.rules.publishing.yaml_text import Value
from bot.web.console.formatting import gettext as _
from bot.web.console.problem_view import Finding
from bot.web.console.publishing import check_notes as notes
from bot.web.console.publishing.check_notes import Note
from bot.web.console.publishing.check_session import Busy, ChatLine, CheckSession
from bot.zalo import message_text

#: The most sentences in a chat; when there are more, the oldest is dropped.
MAX_SENTENCES: Final = 8
# A draft with 10,000 keywords takes seconds to check; who waits for a page would rather wait than press again.
_PAGE_PATIENCE_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Chat:
    """A conversation with a draft."""

    sentences: tuple[str, ...] = ()
    lines: tuple[ChatLine, ...] = ()
    """The answers; empty if the draft could not answer."""
    findings: tuple[Finding, ...] = ()
    note: Note | None = None
    """Why the draft could not answer."""


def sentences_sent() -> tuple[str, ...]:
    """Return the sentences of the form, earlier ones first, each once, at most MAX_SENTENCES."""
    given = (*request.form.getlist("sentence"), *request.form.getlist("say"))
    newest_last = dict.fromkeys(reversed([text for typed in given if (text := message_text(typed))]))
    return tuple(reversed(list(newest_last)[:MAX_SENTENCES]))


def answer(session: CheckSession, content: bytes, sentences: tuple[str, ...], *, patience: float = 0.0) -> Chat:
    """
    Return the answers of the draft.

    Raises:
        Busy: Another draft is being checked, also after *patience* seconds.
    """
    try:
        found, lines = session.chat(content, sentences, patience=patience)
    except PreviewTimeout:
        return Chat(sentences, note=notes.too_long())
    except PreviewTooLarge:
        return Chat(sentences, note=notes.too_large())
    has_errors = any(finding.severity == "error" for finding in found)
    return Chat(sentences, tuple(lines), tuple(found), notes.draft_has_errors() if has_errors else None)


def answer_or_note(session: CheckSession, content: bytes, sentences: tuple[str, ...]) -> Chat:
    """As `answer`, but with patience, for a page that does not ask again by itself; return a note if that is over."""
    try:
        return answer(session, content, sentences, patience=_PAGE_PATIENCE_SECONDS)
    except Busy:
        return Chat(sentences, note=notes.busy())


def with_example(text: str, rule_id: str, sentence: str) -> str | Note:
    """Return the file's text with an example added to a rule and all else unchanged; or a note why not."""
    content = text.replace("\r\n", "\n").encode(errors="replace")
    try:
        rules = edit.rules_in(content)
        index = next((index for index, rule in enumerate(rules) if rule.fields.get("id") == rule_id), None)
        if index is None:
            return Note(_("No rule has the name {name}.").format(name=rule_id[:64]), 409)
        examples = _as_list(rules[index].fields.get("examples"))
        changed = {} if sentence in examples else {"examples": [*examples, sentence]}
        return edit.change_rule(content, index, changed).decode()
    except edit.NotEditable as obstacle:
        return Note(
            _("The example could not be added: line {line} is written in a way that only you can change.").format(
                line=obstacle.line
            ),
            409,
        )


def _as_list(value: Value | None) -> list[Value]:
    return value if isinstance(value, list) else [value] if value else []
