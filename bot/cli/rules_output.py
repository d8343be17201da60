"""Output of the editors' commands: problems as text, JSON or annotations, and explanations."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

import click

from bot.i18n import N_, Language, format_date, translator
from bot.rules import explain_text as sentences
from bot.rules.explain import Explanation, shares
from bot.rules.model.schema import Image, Reply
from bot.rules.problem import Problem

_LABEL_WIDTH = 10
# Control and format characters (direction, zero width), and line ends.
_UNSEEN = frozenset({"Cc", "Cf", "Zl", "Zp", "Cs"})

_UNREADABLE: Final[dict[type[OSError], str]] = {
    FileNotFoundError: N_("there is no such file"),
    IsADirectoryError: N_("this is a directory"),
    PermissionError: N_("you may not read it"),
}


def unreadable(path: Path, error: OSError, lang: Language) -> str:
    """Return why a file cannot be read."""
    _ = translator(lang).gettext
    _ = translator(lang).gettext
    known = _UNREADABLE.get(type(error))
    return _("cannot read {path}: {reason}").format(path=path, reason=_(known) if known else error.strerror)


def as_object(problem: Problem, lang: Language) -> dict[str, str | int]:
    """Return a problem as a JSON object; line and column count from 1."""
    return {
        "line": problem.line,
        "column": problem.column,
        "length": problem.length,
        "severity": problem.severity,
        "code": problem.code,
        "message": problem.message(lang),
    }


def as_annotation(problem: Problem, path: Path, lang: Language) -> str:
    """Return a problem as a GitHub Actions workflow command, which annotates the line."""
    file = str(path).replace("%", "%25").replace(":", "%3A").replace(",", "%2C")
    place = f"file={file},line={problem.line},col={problem.column},title={problem.code}"
    return f"::{problem.severity} {place}::{problem.message(lang).replace('%', '%25')}"


def explanation_lines(explanation: Explanation, lang: Language, *, at: datetime | None = None) -> Iterator[str]:
    """Yield the lines of an explanation for a terminal; *at* is the moment of --at, if given."""
    _ = translator(lang).gettext
    if explanation.kind == "text":
        yield _labelled(_("Message"), _typed(explanation) or _("(empty)"))
    else:
        yield _labelled(_("Event"), explanation.kind)
    if explanation.was_reread:
        yield _labelled(_("Read as"), _visible(explanation.understood))
    if at:
        yield _labelled(_("At"), f"{sentences.weekday(at.weekday(), lang)} {format_date(at, lang)} {at:%H:%M}")
    yield _labelled(_("Rule"), sentences.winner_text(explanation, lang))
    yield from _sends(explanation.reply, lang)
    for note in sentences.notes(explanation, lang):
        yield _labelled(_("Note"), note)
    yield from _section(_("Other rules:"), sentences.other_rules(explanation, lang))
    yield from _section(_("Near misses:"), sentences.near_misses(explanation, lang))
    if explanation.suggestion:
        yield from ("", sentences.suggestion_text(explanation.suggestion, lang), "", explanation.suggestion.yaml)


def _labelled(label: str, text: str) -> str:
    return f"{label + ':':<{_LABEL_WIDTH}}{text}"


def _typed(explanation: Explanation) -> str:
    """Return the message with the words that the winner matched marked."""
    return "".join(
        click.style(f"«{_visible(piece)}»", fg="green", bold=True) if matched else _visible(piece)
        for piece, matched in explanation.pieces()
    )


def _visible(text: str) -> str:
    """Return *text* on one line, without characters that steer a terminal."""
    return "".join(char if unicodedata.category(char) not in _UNSEEN else " " * (char in "\n\t") for char in text)


def _sends(reply: Reply | None, lang: Language) -> Iterator[str]:
    """Yield the images that are sent, one per line."""
    _ = translator(lang).gettext
    images = shares(reply) if reply else ()
    if not reply or len(images) == 1:
        yield _labelled(_("Sends"), _image_text(images[0][0]) if images else _("nothing"))
        return
    text = _("one of {count} pictures each time:") if reply.one_of else _("{count} pictures, in this order:")
    yield _labelled(_("Sends"), text.format(count=len(images)))
    for number, (image, share) in enumerate(images, start=1):
        lead = f"{share:.0%}".rjust(4) if reply.one_of else f"{number}."
        yield f"{'':<{_LABEL_WIDTH}}{lead} {_image_text(image)}"


def _image_text(image: Image) -> str:
    sent = image.image_url or (f"attachment_id {image.attachment_id}" if image.attachment_id else f"file {image.file}")
    return f"{sent} (else {image.otherwise.image_url})" if image.otherwise else sent


def _section(title: str, items: Iterable[tuple[str, str]]) -> Iterator[str]:
    lines = [f"  {click.style(rule, bold=True)}: {what}" for rule, what in items]
    if lines:
        yield from ("", title, *lines)
