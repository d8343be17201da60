"""Line diff of two versions of a rules file."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from bot.rules.problem import split_lines

#: Maximum of lines shown, and of characters of each.
MAX_LINES: Final = 400
MAX_LINE_CHARACTERS: Final = 240

_CONTEXT_LINES = 3

LineKind = Literal["same", "gone", "new"]


@dataclass(frozen=True, slots=True)
class DiffLine:
    """A line of one version, or of both."""

    kind: LineKind
    number: int
    """Counted from 1, in the old version for a removed line, else in the new one."""
    text: str


@dataclass(frozen=True, slots=True)
class Diff:
    """The difference between two versions."""

    new: int
    """Number of lines only in the new version."""
    gone: int
    hunks: tuple[tuple[DiffLine, ...], ...]
    """The changed lines with a few around them, in contiguous hunks."""
    left_out: int
    """Number of lines that are not shown."""


def diff_lines(before: str, after: str) -> Diff:
    """Return the difference; files with very many equal lines may take seconds."""
    old, new = _lines(before), _lines(after)
    head = _common_prefix_length(old, new)
    tail = _common_prefix_length(old[head:][::-1], new[head:][::-1])
    # The common beginning and end need no alignment, except for the context shown.
    first, last = max(0, head - _CONTEXT_LINES), max(0, tail - _CONTEXT_LINES)
    middle = difflib.SequenceMatcher(None, old[first : len(old) - last], new[first : len(new) - last])
    hunks = [tuple(_hunk(opcodes, old, new, first)) for opcodes in middle.get_grouped_opcodes(_CONTEXT_LINES)]
    kinds = Counter(line.kind for hunk in hunks for line in hunk)
    lines_kept = tuple(_within(hunks, MAX_LINES))
    left_out = sum(map(len, hunks)) - sum(map(len, lines_kept))
    return Diff(kinds["new"], kinds["gone"], lines_kept, left_out)


def count_changed_lines(before: str, after: str) -> tuple[int, int]:
    """Return the number of added and removed lines, in linear time; a moved line is neither."""
    old, new = Counter(_lines(before)), Counter(_lines(after))
    return (new - old).total(), (old - new).total()


def _lines(text: str) -> Sequence[str]:
    lines = split_lines(text)
    return lines if lines[-1] else lines[:-1]


def _common_prefix_length(old: Sequence[str], new: Sequence[str]) -> int:
    """Return the number of equal lines at the beginning."""
    pairs = enumerate(zip(old, new, strict=False))
    return next((number for number, (one, other) in pairs if one != other), min(len(old), len(new)))


def _hunk(
    opcodes: Sequence[tuple[str, int, int, int, int]], old: Sequence[str], new: Sequence[str], first: int
) -> Iterator[DiffLine]:
    for tag, *bounds in opcodes:
        old_from, old_to, new_from, new_to = (bound + first for bound in bounds)
        if tag != "equal":
            yield from _as_lines("gone", old, old_from, old_to)
        yield from _as_lines("same" if tag == "equal" else "new", new, new_from, new_to)


def _as_lines(kind: LineKind, lines: Sequence[str], start: int, end: int) -> Iterator[DiffLine]:
    for number in range(start, end):
        text = lines[number]
        yield DiffLine(kind, number + 1, text if len(text) <= MAX_LINE_CHARACTERS else f"{text[:MAX_LINE_CHARACTERS]}…")


def _within(hunks: Sequence[tuple[DiffLine, ...]], most: int) -> Iterator[tuple[DiffLine, ...]]:
    for hunk in hunks:
        if most > 0:
            yield hunk[:most]
        most -= len(hunk)
