"""What the editors' commands print, in Vietnamese and in English."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

import click

from bot.config import Language
from bot.rules import explain_text as sentences
from bot.rules.explain import Explanation, shares
from bot.rules.model.schema import Image, Reply
from bot.rules.problem import Problem

_LABEL_WIDTH = 10
# Controls, formats (direction, zero width) and line ends.
_UNSEEN = frozenset({"Cc", "Cf", "Zl", "Zp", "Cs"})

_TEXTS: Final[dict[str, tuple[str, str]]] = {
    "how-to-end": (
        "Gõ một tin nhắn như khách rồi bấm Enter; bấm Ctrl+D để thoát.",
        "Type a message as a customer would and press Enter; Ctrl+D ends.",
    ),
    "event-unknown": (
        'không có sự kiện "{word}"; chỉ có {known}',
        'unknown event "{word}"; the events are {known}',
    ),
    "event-near": (
        'không có sự kiện "{word}"; ý bạn là "{near}"?',
        'unknown event "{word}"; did you mean "{near}"?',
    ),
    "at": (
        'không đọc được thời điểm "{word}"; hãy viết kiểu "2027-01-24 22:00" hoặc "22:00"',
        'the time "{word}" cannot be read; write it as "2027-01-24 22:00" or "22:00"',
    ),
    "unreadable": ("không đọc được tệp {path}: {reason}", "cannot read {path}: {reason}"),
    "not-there": ("không có tệp này", "there is no such file"),
    "directory": ("đây là một thư mục", "this is a directory"),
    "forbidden": ("bạn không có quyền đọc", "you may not read it"),
    "empty": ("(trống)", "(empty)"),
    "message": ("Tin nhắn", "Message"),
    "event": ("Sự kiện", "Event"),
    "understood": ("Hiểu là", "Read as"),
    "time": ("Lúc", "At"),
    "rule": ("Luật", "Rule"),
    "sends": ("Gửi", "Sends"),
    "note": ("Lưu ý", "Note"),
    "others": ("Luật khác:", "Other rules:"),
    "near": ("Suýt khớp:", "Near misses:"),
    "nothing": ("không gửi gì", "nothing"),
    "in-order": ("{count} ảnh, theo thứ tự này:", "{count} pictures, in this order:"),
    "one-of": ("một trong {count} ảnh, mỗi lần một ảnh:", "one of {count} pictures each time:"),
}


def say(key: str, lang: Language, /, **args: object) -> str:
    """Return the text *key* in *lang*, filled with *args*."""
    vi, en = _TEXTS[key]
    return (vi if lang == "vi" else en).format(**args)


def unreadable(path: Path, error: OSError, lang: Language) -> str:
    """Return why a file cannot be read."""
    reasons = {FileNotFoundError: "not-there", IsADirectoryError: "directory", PermissionError: "forbidden"}
    key = reasons.get(type(error))
    return say("unreadable", lang, path=path, reason=say(key, lang) if key else error.strerror)


def as_object(problem: Problem, lang: Language) -> dict[str, str | int]:
    """Return a problem for programs; line and column count from 1."""
    return {
        "line": problem.line,
        "column": problem.column,
        "length": problem.length,
        "severity": problem.severity,
        "code": problem.code,
        "message": problem.message(lang),
    }


def as_annotation(problem: Problem, path: Path, lang: Language) -> str:
    """Return a problem as a workflow command of GitHub Actions, which shows it beside the line."""
    file = str(path).replace("%", "%25").replace(":", "%3A").replace(",", "%2C")
    place = f"file={file},line={problem.line},col={problem.column},title={problem.code}"
    return f"::{problem.severity} {place}::{problem.message(lang).replace('%', '%25')}"


def explanation_lines(explanation: Explanation, lang: Language, *, at: datetime | None = None) -> Iterator[str]:
    """Yield an explanation as a terminal shows it; *at* is the moment that was asked for, if it was not now."""
    if explanation.kind == "text":
        yield _labelled("message", _typed(explanation) or say("empty", lang), lang)
    else:
        yield _labelled("event", explanation.kind, lang)
    if explanation.was_reread:
        yield _labelled("understood", _visible(explanation.understood), lang)
    if at:
        yield _labelled("time", f"{sentences.weekday(at.weekday(), lang)} {at:%Y-%m-%d %H:%M}", lang)
    yield _labelled("rule", sentences.winner_text(explanation, lang), lang)
    yield from _sends(explanation.reply, lang)
    for note in sentences.notes(explanation, lang):
        yield _labelled("note", note, lang)
    yield from _section("others", sentences.other_rules(explanation, lang), lang)
    yield from _section("near", sentences.near_misses(explanation, lang), lang)
    if explanation.suggestion:
        yield from ("", sentences.suggestion_text(explanation.suggestion, lang), "", explanation.suggestion.yaml)


def _labelled(label: str, text: str, lang: Language) -> str:
    return f"{say(label, lang) + ':':<{_LABEL_WIDTH}}{text}"


def _typed(explanation: Explanation) -> str:
    """Return the message with the words marked that the winner matched."""
    return "".join(
        click.style(f"«{_visible(piece)}»", fg="green", bold=True) if matched else _visible(piece)
        for piece, matched in explanation.pieces()
    )


def _visible(text: str) -> str:
    """Return *text* on one line, without what would upset a terminal."""
    return "".join(char if unicodedata.category(char) not in _UNSEEN else " " * (char in "\n\t") for char in text)


def _sends(reply: Reply | None, lang: Language) -> Iterator[str]:
    """Yield the pictures that go out; of several each on a line of its own."""
    pictures = shares(reply) if reply else ()
    if not reply or len(pictures) == 1:
        yield _labelled("sends", _picture(pictures[0][0]) if pictures else say("nothing", lang), lang)
        return
    yield _labelled("sends", say("one-of" if reply.one_of else "in-order", lang, count=len(pictures)), lang)
    for number, (image, share) in enumerate(pictures, start=1):
        lead = f"{share:.0%}".rjust(4) if reply.one_of else f"{number}."
        yield f"{'':<{_LABEL_WIDTH}}{lead} {_picture(image)}"


def _picture(image: Image) -> str:
    sent = image.image_url or (f"attachment_id {image.attachment_id}" if image.attachment_id else f"file {image.file}")
    return f"{sent} (else {image.otherwise.image_url})" if image.otherwise else sent


def _section(title: str, items: Iterable[tuple[str, str]], lang: Language) -> Iterator[str]:
    lines = [f"  {click.style(rule, bold=True)}: {what}" for rule, what in items]
    if lines:
        yield from ("", say(title, lang), *lines)
