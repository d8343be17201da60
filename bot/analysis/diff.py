"""Line diff of two versions of a rules file."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from bot.rules.problem import split_lines

#: Lines that are shown at most, and letters of each.
MAX_LINES: Final = 400
MAX_LINE_CHARACTERS: Final = 240

_CONTEXT_LINES = 3

LineKind = Literal["same", "gone", "new"]


@dataclass(frozen=True, slots=True)
class DiffLine:
    """A line of one of the versions, or of both."""

    kind: LineKind
    number: int
    """Counted from 1: in the former version for a line that is gone, else in the new one."""
    text: str


@dataclass(frozen=True, slots=True)
class Diff:
    """What has to be done to the one to get the other."""

    new: int
    """Lines that are in the second alone."""
    gone: int
    hunks: tuple[tuple[DiffLine, ...], ...]
    """The lines that are different, with a few around them; each hunk is without a gap."""
    left_out: int
    """Lines of hunks that are too many to be shown."""


def diff_lines(before: str, after: str) -> Diff:
    """Return what is different; two files with very many lines that are alike may take seconds."""
    old, new = _lines(before), _lines(after)
    head = _common_prefix_length(old, new)
    tail = _common_prefix_length(old[head:][::-1], new[head:][::-1])
    # What both begin and end with need not be aligned, but for what is shown of it.
    first, last = max(0, head - _CONTEXT_LINES), max(0, tail - _CONTEXT_LINES)
    middle = difflib.SequenceMatcher(None, old[first : len(old) - last], new[first : len(new) - last])
    hunks = [tuple(_hunk(opcodes, old, new, first)) for opcodes in middle.get_grouped_opcodes(_CONTEXT_LINES)]
    kinds = Counter(line.kind for hunk in hunks for line in hunk)
    shown = tuple(_within(hunks, MAX_LINES))
    left_out = sum(map(len, hunks)) - sum(map(len, shown))
    return Diff(kinds["new"], kinds["gone"], shown, left_out)


def count_changed_lines(before: str, after: str) -> tuple[int, int]:
    """Return how many lines are new and gone wherever they stand, at once: a line that only moved is neither."""
    old, new = Counter(_lines(before)), Counter(_lines(after))
    return (new - old).total(), (old - new).total()


def _lines(text: str) -> Sequence[str]:
    lines = split_lines(text)
    return lines if lines[-1] else lines[:-1]


def _common_prefix_length(old: Sequence[str], new: Sequence[str]) -> int:
    """Return how many lines are the same from the first on."""
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
