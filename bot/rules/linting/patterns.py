"""Lint regular expressions (`pattern`), with our own messages instead of RE2's."""

from __future__ import annotations

from collections.abc import Iterator

from bot.rules.engine import compile_pattern
from bot.rules.language.text import fold
from bot.rules.problem import Place, Problem

PATTERN_CODES = frozenset({"pattern-backspace", "pattern-invalid", "pattern-marks", "pattern-not-installed"})
"""Problems with which a pattern cannot be compiled or never matches."""

# RE2's error messages, and ours.
_REASONS = {
    "missing )": "bracket",
    "missing ]": "bracket",
    "unexpected )": "bracket",
    "invalid escape sequence": "escape",
    "invalid character class range": "escape",
    "trailing \\": "escape",
    "no argument for repetition operator": "repeat",
    "invalid repetition size": "repeat",
    "bad repetition operator": "repeat",
    "invalid perl operator": "look",
}


def pattern_problems(pattern: str, place: Place) -> Iterator[Problem]:
    """Yield the problems of a pattern at *place*."""
    if "\b" in pattern:
        yield Problem.at(place, "pattern-backspace")
    elif any(char.isalpha() and not char.isascii() for char in pattern):
        yield Problem.at(place, "pattern-marks", near=_without_marks(pattern))
    else:
        yield from _compiled(pattern, place)


def _without_marks(pattern: str) -> str:
    """Return the pattern with its letters folded; ASCII, hence every escape, stays as it is."""
    return "".join(char if char.isascii() else fold(char) for char in pattern)


def _compiled(pattern: str, place: Place) -> Iterator[Problem]:
    try:
        import re2  # noqa: PLC0415  an optional extra
    except ImportError:
        yield Problem.at(place, "pattern-not-installed")
        return
    try:
        compiled = compile_pattern(pattern)
    except re2.error as error:
        yield _invalid(error.args[0].decode(errors="replace"), place)
    else:
        if compiled.search(""):
            yield Problem.at(place, "pattern-everything")


def _invalid(reason: str, place: Place) -> Problem:
    message, _, part = reason.partition(": ")
    variant = _REASONS.get(message)
    if variant is None:
        return Problem.at(place, "pattern-invalid")
    return Problem.at(place, f"pattern-invalid/{variant}", part=part or "\\")
