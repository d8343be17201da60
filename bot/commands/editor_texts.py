"""What the editors' commands print, in Vietnamese and in English."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

import click

from bot.rules import explain_messages as sentences
from bot.rules.explain import Explanation, shares
from bot.rules.problem import Lang, Problem
from bot.rules.schema import Image, Reply, RuleFile
from bot.rules.validate import Verdict

_LABEL_WIDTH = 11

_TEXTS: Final[dict[str, tuple[str, str]]] = {
    "how-to-end": (
        "Gõ một tin nhắn như khách rồi bấm Enter; bấm Ctrl+D để thoát.",
        "Type a message as a customer would and press Enter; Ctrl+D ends.",
    ),
    "event": (
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
    "fine": ("{path}: không có lỗi. Đã kiểm tra {checked}.", "{path}: fine. Checked {checked}."),
    "usable": (
        "{path}: dùng được, có {warnings}. Đã kiểm tra {checked}.",
        "{path}: usable, with {warnings}. Checked {checked}.",
    ),
    "unusable": (
        "{path}: có {problems}. Bot chưa dùng bản này; hãy sửa rồi kiểm tra lại.",
        "{path}: {problems}. The bot does not use this version; mend it and check again.",
    ),
    "more": ("hơn {said}", "more than {said}"),
    "and": (" và ", " and "),
    "off": (" ({count} luật đang tắt)", " ({count} switched off)"),
    "errors": ("{count} lỗi", "{count} errors"),
    "warnings": ("{count} lưu ý", "{count} warnings"),
    "rules": ("{count} luật", "{count} rules"),
    "keywords": ("{count} từ khóa", "{count} keywords"),
    "examples": ("{count} ví dụ", "{count} examples"),
    "empty": ("(trống)", "(empty)"),
}


def say(key: str, lang: Lang, /, **args: object) -> str:
    """Return the text *key* in *lang*, filled with *args*."""
    vi, en = _TEXTS[key]
    return (vi if lang == "vi" else en).format(**args)


def unreadable(path: Path, error: OSError, lang: Lang) -> str:
    """Return why a file cannot be read."""
    reasons = {FileNotFoundError: "not-there", IsADirectoryError: "directory", PermissionError: "forbidden"}
    key = reasons.get(type(error))
    return say("unreadable", lang, path=path, reason=say(key, lang) if key else error.strerror)


def verdict_text(verdict: Verdict, path: Path, lang: Lang) -> str:
    """Return whether the file can be used, and how much was looked at: an empty file must not look like a pass."""
    counts = {
        "errors": sum(problem.severity == "error" for problem in verdict.problems),
        "warnings": sum(problem.severity == "warning" for problem in verdict.problems),
    }
    found = say("and", lang).join(_count(key, count, lang) for key, count in counts.items() if count)
    if verdict.rules is None:
        cut = any(problem.code == "more-problems" for problem in verdict.problems)
        return say("unusable", lang, path=path, problems=say("more", lang, said=found) if cut else found)
    key = "usable" if counts["warnings"] else "fine"
    return say(key, lang, path=path, warnings=found, checked=_checked(verdict.rules.file, lang))


def _checked(file: RuleFile, lang: Lang) -> str:
    on = [rule for rule in file.rules if rule.enabled]
    keywords = sum(len(rule.keywords) + sum(map(len, rule.all_of)) for rule in file.rules)
    examples = sum(len(rule.examples) + len(rule.not_examples) for rule in on)
    off = len(file.rules) - len(on)
    rules = _count("rules", len(file.rules), lang) + (say("off", lang, count=off) if off else "")
    return ", ".join([rules, _count("keywords", keywords, lang), _count("examples", examples, lang)])


def _count(key: str, count: int, lang: Lang) -> str:
    said = say(key, lang, count=count)
    return said.removesuffix("s") if lang == "en" and count == 1 else said


def as_object(problem: Problem, lang: Lang) -> dict[str, str | int]:
    """Return a problem for programs; line and column count from 1."""
    return {
        "line": problem.line,
        "column": problem.column,
        "length": problem.length,
        "severity": problem.severity,
        "code": problem.code,
        "message": problem.message(lang),
    }


def as_annotation(problem: Problem, path: Path, lang: Lang) -> str:
    """Return a problem as a workflow command of GitHub Actions, which shows it beside the line."""
    place = f"file={path},line={problem.line},col={problem.column},title={problem.code}"
    return f"::{problem.severity} {place}::{problem.message(lang).replace('%', '%25')}"


def explanation_lines(explanation: Explanation, lang: Lang, *, at: datetime | None = None) -> Iterator[str]:
    """Yield an explanation as a terminal shows it; *at* is the moment that was asked for, if it was not now."""
    yield _labelled("message", _typed(explanation, lang), lang) if explanation.kind == "text" else _labelled("event", explanation.kind, lang)
    if explanation.was_reread:
        yield _labelled("understood", explanation.understood, lang)
    if at:
        yield _labelled("time", f"{sentences.weekday(at.weekday(), lang)} {at:%Y-%m-%d %H:%M}", lang)
    yield _labelled("rule", sentences.winner_text(explanation, lang), lang)
    yield from _sends(explanation.reply, lang)
    for note in sentences.notes(explanation, lang):
        yield _labelled("note", note, lang)
    yield from _section("others", list(_others(explanation, lang)), lang)
    yield from _section("near", list(_nearly(explanation, lang)), lang)
    if explanation.advice:
        yield from ("", sentences.advice_text(explanation, lang), "", explanation.advice.yaml)
