"""A problem in a rules file: position, message, severity, and its rendering with the line."""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Literal, NamedTuple

from bot.errors import BotError
from bot.files import FileSize, format_size
from bot.i18n import Language, format_date, translator
from bot.rules.catalog.messages import MESSAGES, WARNINGS

Severity = Literal["error", "warning"]

_LONGEST_WORD = 60
_LONGEST_SUGGESTION = 2_100  # a text to copy
_LONGEST_LINE = 160
_LINE_END = re.compile(r"\r\n|\r|\n")


class Place(NamedTuple):
    """A span within a line; line and column count from 1, as editors show them."""

    line: int
    column: int
    length: int = 1


@dataclass(frozen=True, slots=True)
class Phrase:
    """A part of a message that is translated as well."""

    key: str
    args: tuple[tuple[str, Arg], ...] = ()

    def text(self, lang: Language) -> str:
        """Return the phrase in *lang*."""
        template = translator(lang).pgettext(self.key, MESSAGES[self.key])
        return template.format(**{name: _arg_text(name, arg, lang) for name, arg in self.args})


Arg = str | int | date | tuple[str, ...] | Phrase | FileSize


def phrase(key: str, /, **args: Arg) -> Phrase:
    """Return the message *key* of bot.rules.catalog.messages, filled with *args*."""
    return Phrase(key, tuple(sorted(args.items())))


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem; positions count from 1, and the message is rendered in the reader's language."""

    line: int
    column: int
    length: int
    phrase: Phrase
    severity: Severity

    @classmethod
    def at(cls, place: Place, key: str, /, **args: Arg) -> Problem:
        """Return the problem *key*, a code or ``code/variant``, at *place*."""
        return cls.of(place, phrase(key, **args))

    @classmethod
    def of(cls, place: Place, what: Phrase) -> Problem:
        """Return the problem with the message *what* at *place*."""
        severity: Severity = "warning" if what.key in WARNINGS else "error"
        return cls(place.line, place.column, place.length, what, severity)

    @property
    def code(self) -> str:
        """The searchable code of the problem, such as ``unknown-key``."""
        return self.phrase.key.partition("/")[0]

    def message(self, lang: Language) -> str:
        """Return the message: what is wrong, and what to write instead."""
        return self.phrase.text(lang)


class RulesError(BotError):
    """The rules file cannot be used."""

    def __init__(self, problems: Iterable[Problem], *, path: str = "rules.yaml", source: bytes = b"") -> None:
        super().__init__()
        self.problems = tuple(problems)
        self.path = path
        self.source = source

    def render(self, lang: Language) -> str:
        """Return every problem with its line, one below the other."""
        source = text_of(self.source)
        return "\n".join(render(problem, path=self.path, source=source, lang=lang) for problem in self.problems)


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Return the problems in the order of the file, without duplicates."""
    return tuple(sorted(dict.fromkeys(problems), key=lambda p: (p.line, p.column, p.code)))


def text_of(data: bytes) -> str:
    """Return the content of a rules file in any encoding as `render` shows it."""
    is_utf16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return data.decode("utf-16" if is_utf16 else "utf-8", errors="replace")


@lru_cache(maxsize=4)
def split_lines(text: str) -> tuple[str, ...]:
    """
    Return the lines of *text* without their ends, as editors number them.

    ``str.splitlines`` also splits at form feeds and the like, where editors do not.
    """
    return tuple(_LINE_END.split(text.removeprefix("\ufeff")))


def render(problem: Problem, *, path: str, source: str, lang: Language) -> str:
    """Return the problem with its line, and a marker below the letters concerned."""
    label = translator(lang).gettext("warning:") + " " if problem.severity == "warning" else ""
    head = f"{path}:{problem.line}:{problem.column}: {label}{problem.message(lang)} [{problem.code}]"
    lines = split_lines(source)
    if problem.line > len(lines):
        return head
    line, column = _window(lines[problem.line - 1], problem.column - 1)
    lead = "".join("\t" if char == "\t" else " " * _width(char) for char in line[:column])
    marked = sum(map(_width, line[column : column + problem.length]))
    mark = "^" + "~" * (marked - 1)
    margin = " " * len(str(problem.line))
    quoted = f"{problem.line} | {line}".rstrip()
    return f"{head}\n{margin} |\n{quoted}\n{margin} | {lead}{mark}"


def _window(line: str, column: int) -> tuple[str, int]:
    """Return a readable piece of *line* around *column*, and the column in the piece."""
    first = max(0, column - _LONGEST_LINE // 2) if len(line) > _LONGEST_LINE else 0
    piece = line[first : first + _LONGEST_LINE]
    return "".join(map(_visible, piece)), column - first


def _visible(char: str) -> str:
    """Return *char*, or a placeholder of one column if it would steer a terminal."""
    if char == "\t":
        return char
    controls = unicodedata.category(char) in {"Cc", "Zl", "Zp"} or "\u202a" <= char <= "\u202e"
    return "\N{REPLACEMENT CHARACTER}" if controls or "\u2066" <= char <= "\u2069" else char


def _width(char: str) -> int:
    """Return how many columns of a terminal *char* takes."""
    if unicodedata.category(char) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _arg_text(name: str, arg: Arg, lang: Language) -> str:
    if isinstance(arg, Phrase):
        return arg.text(lang)
    if isinstance(arg, FileSize):
        return format_size(arg.bytes, lang)
    if isinstance(arg, date):
        return format_date(arg, lang)
    if isinstance(arg, tuple):
        return ", ".join(f'"{_short(word)}"' for word in arg)
    return _short(str(arg), _LONGEST_SUGGESTION if name == "near" else _LONGEST_WORD)


def _short(word: str, most: int = _LONGEST_WORD) -> str:
    """Return *word* on one line, shortened to *most* characters."""
    word = "".join(map(_visible, " ".join(word[: most * 4].split())))
    return word if len(word) <= most else word[: most - 1] + "…"
