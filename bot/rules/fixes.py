"""Automatic fixes for problems of a rules file: small edits that were checked to fix one problem and cause no other."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bot.rules.problem import Phrase, Problem, text_of
from bot.rules.reading import source

#: The most problems, from the first on, for which fixes are tried.
MAX_FIXED: Final = 100
#: The time limit for trying fixes, in seconds; a check of 10,000 keywords takes about one.
MAX_FIX_SECONDS: Final = 2.0

# The suggestion in the message replaces exactly the marked text and has the same meaning; guesses are not included.
_HINTED: Final = frozenset({
    "unknown-key/near", "bad-id/near", "bad-boolean/near", "unknown-event/near", "unknown-match/near",
    "unknown-day/near", "unknown-timezone/near", "bad-date/near", "bad-hours/near", "bad-duration/near",
    "bare-link", "file-path/backslash", "missing-brackets", "special-start", "colon-in-text", "url-no-scheme",
    "bad-url/scheme", "pattern-marks",
})  # fmt: skip
# `source.read` and the modules it calls repair these in the line.
_REPAIRED: Final = frozenset({
    "equals-sign", "dash", "space-after-dash", "space-after-colon", "full-width-colon", "odd-space",
    "control-character", "no-colon/key", "duplicate-key/rule", "colon-in-text/nested", "stray-line/fence",
})  # fmt: skip
_TAB_WIDTHS: Final = (2, 4, 8)
_TAB_LEAD: Final = re.compile(r" *\t[ \t]*")
_LINE_END: Final = re.compile(r"(\r\n|\r|\n)")


@dataclass(frozen=True, slots=True)
class Edit:
    """A replacement in one line; line and column count from 1, the column in code points."""

    line: int
    column: int
    old: str
    new: str


#: The edits of one fix, in different lines.
Fix = tuple[Edit, ...]


class StaleFix(Exception):
    """The text has changed: it does not have the characters that the fix replaces."""


def apply_fix(text: str, fix: Fix) -> str:
    """
    Return *text* with the edits applied; everything else stays, including line ends.

    Raises:
        StaleFix: The text has other characters in one of the places.
    """
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    pieces = _LINE_END.split(text.removeprefix(mark))
    for edit in fix:
        at, start = 2 * (edit.line - 1), edit.column - 1
        if not 0 <= at < len(pieces):
            raise StaleFix
        line = pieces[at]
        if not 0 <= start <= len(line) or not line.startswith(edit.old, start):
            raise StaleFix
        pieces[at] = line[:start] + edit.new + line[start + len(edit.old) :]
    return mark + "".join(pieces)


def find_fixes(
    content: bytes, problems: Sequence[Problem], check: Callable[[bytes], Iterable[Problem]]
) -> Mapping[Problem, Fix]:
    """
    Return the certain fixes by problem; *problems* are those that *check* finds in *content*.

    A fix is certain if *check* then finds neither the problem nor a new one, and no other fix does the same. Fixes of
    different lines are checked together, because a check of a large file is slow, and one by one only if one fails.
    Tries the first `MAX_FIXED` problems with a possible fix, for about `MAX_FIX_SECONDS`.
    """
    repaired = source.read(content)
    if not repaired.readable:
        return {}
    candidates = [(problem, found) for problem in problems if (found := list(_candidates(problem, repaired)))]
    trial = _Trial(text_of(content), problems, check)
    fixes: dict[Problem, Fix] = {}
    for batch in _batches([(problem, found[0]) for problem, found in candidates[:MAX_FIXED] if len(found) == 1]):
        fixes |= trial.certain(batch)
    for problem, possible in candidates[:MAX_FIXED]:
        if len(possible) > 1:
            good = [fix for fix in possible if trial.certain({problem: fix})]
            fixes |= {problem: good[0]} if len(good) == 1 and not trial.is_over else {}
    return fixes


def _batches(fixes: Iterable[tuple[Problem, Fix]]) -> Iterator[dict[Problem, Fix]]:
    """Yield the fixes in batches that change each line at most once."""
    rest = list(fixes)
    while rest:
        batch: dict[Problem, Fix] = {}
        lines: set[int] = set()
        later = []
        for problem, fix in rest:
            touched = {edit.line for edit in fix}
            if problem in batch or touched & lines:
                later.append((problem, fix))
            else:
                batch[problem] = fix
                lines |= touched
        yield batch
        rest = later


class _Trial:
    """Checks the text with fixes applied, for about `MAX_FIX_SECONDS`."""

    def __init__(self, text: str, problems: Iterable[Problem], check: Callable[[bytes], Iterable[Problem]]) -> None:
        self._text, self._check = text, check
        self._before = _count(problems)
        self._after: dict[Fix, Counter[tuple[int, Phrase]]] = {}
        self._deadline = time.monotonic() + MAX_FIX_SECONDS

    @property
    def is_over(self) -> bool:
        """Whether the time is used up."""
        return time.monotonic() > self._deadline

    def certain(self, fixes: dict[Problem, Fix]) -> dict[Problem, Fix]:
        """Return those of the fixes, all in different lines, that fix their problem and cause no new one."""
        edits = tuple(edit for fix in fixes.values() for edit in fix)
        if not fixes or (self.is_over and edits not in self._after):
            return {}
        if edits not in self._after:
            self._after[edits] = _count(self._check(apply_fix(self._text, edits).encode()))
        # The fixes may have moved columns, but not lines.
        if self._after[edits] <= self._before - _count(fixes):
            return fixes
        if len(fixes) == 1:
            return {}
        half = len(fixes) // 2
        pairs = list(fixes.items())
        return self.certain(dict(pairs[:half])) | self.certain(dict(pairs[half:]))


def _count(problems: Iterable[Problem]) -> Counter[tuple[int, Phrase]]:
    return Counter((one.line, one.phrase) for one in problems)


def _candidates(problem: Problem, repaired: source.Source) -> Iterator[Fix]:
    """Yield the possible fixes of the problem."""
    key, number = problem.phrase.key, problem.line - 1
    if number >= len(repaired.lines):
        return
    line = repaired.lines[number]
    if key in _HINTED:
        if hint := _hint(problem.phrase):
            start = problem.column - 1
            stretch = line[start : start + problem.length]
            yield (Edit(problem.line, problem.column, stretch, _in_its_quotes(stretch, hint)),)
    elif key in _REPAIRED:
        if line != repaired.repaired[number]:
            yield (_difference(problem.line, line, repaired.repaired[number]),)
    elif problem.code == "tab":
        yield from dict.fromkeys(_without_tabs(repaired, width) for width in _TAB_WIDTHS)


def _hint(what: Phrase) -> str | None:
    near = dict(what.args).get("near")
    if not isinstance(near, str):
        return None
    return f"{{{near}}}" if what.key == "bare-link" else near


def _in_its_quotes(stretch: str, hint: str) -> str:
    """Return the hint in the quotes of the replaced text."""
    is_quoted = len(stretch) > 1 and stretch[0] == stretch[-1] and stretch[0] in "\"'"
    return f"{stretch[0]}{hint}{stretch[0]}" if is_quoted and hint[:1] not in "[{\"'" else hint


def _difference(number: int, old: str, new: str) -> Edit:
    """Return the shortest single edit that turns the line *old* into *new*."""
    start = _common(old, new)
    same = _common(old[start:][::-1], new[start:][::-1])
    return Edit(number, start + 1, old[start : len(old) - same], new[start : len(new) - same])


def _common(one: str, other: str) -> int:
    """Return the length of the common prefix."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _without_tabs(repaired: source.Source, width: int) -> Fix:
    """Return the fix that replaces every tab in an indentation by *width* spaces."""
    return tuple(
        Edit(number + 1, 1, lead[0], lead[0].replace("\t", " " * width))
        for number in repaired.tab_indented
        if (lead := _TAB_LEAD.match(repaired.lines[number]))
    )
