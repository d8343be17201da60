"""Find the lines of each rule and section without parsing YAML."""

from __future__ import annotations

import re
from collections.abc import Iterator

_RULES = re.compile(r"rules\s*:")
_DASH = re.compile(r"(\s*)-(\s|$)")
_TOP_KEY = re.compile(r"[^\s#-]")


def rule_around(lines: list[str], line: int) -> range | None:
    """Return the lines, counted from 0, of the rule, or of the section after the rules, that contains *line*."""
    bounds = list(_bounds(lines))
    first = max((bound for bound in bounds if bound <= line), default=None)
    if first is None:
        return None
    return range(first, min((bound for bound in bounds if bound > line), default=len(lines)))


def rules_before(lines: list[str], line: int) -> range:
    """Return the lines of the rules before the rule or section that contains *line*."""
    bounds = [bound for bound in _bounds(lines) if bound <= line]
    first = len(bounds) - 1
    while first > 0 and _DASH.match(lines[bounds[first - 1]]):
        first -= 1
    return range(bounds[first + 1], bounds[-1]) if first + 1 < len(bounds) else range(0)


def _bounds(lines: list[str]) -> Iterator[int]:
    """Yield the first line of each part that can be parsed alone: each rule, each key after the rules."""
    start = next((number for number, words in enumerate(lines) if _RULES.match(words)), len(lines))
    indent = None
    for number in range(start + 1, len(lines)):
        if dash := _DASH.match(lines[number]):
            indent = len(dash[1]) if indent is None else indent
            if len(dash[1]) <= indent:
                yield number
        elif _TOP_KEY.match(lines[number]):
            yield number


def blank(lines: list[str], block: range) -> None:
    """Make these lines empty."""
    for number in block:
        lines[number] = ""
