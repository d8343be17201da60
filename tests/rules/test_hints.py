"""Hints of problems: a file that follows one is not corrected again."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest

from bot.rules.problem import Phrase, Problem, split_lines, text_of
from bot.rules.validate import validate
from tests.support.golden import BAD, TODAY

WRONG = sorted(path for path in BAD.glob("*.yaml") if b"\x00" not in path.read_bytes()[:4])
# Their hint replaces a whole field, or more than one line.
WHOLE_FIELD = {
    "attachment-is-link", "bad-url/attachment", "bad-url/file", "bad-url/several", "flat-groups", "not-a-list/near",
    "unmarked-keyword/near", "colon-in-text", "damaged-text/near", "file-path",
    "example-fails", "not-a-mapping/keyword-list",
}  # fmt: skip


def hint_of(problem: Problem) -> str | None:
    """Return what is to be written instead of the stretch that is marked."""
    args = dict(problem.phrase.args)
    within = args.get("apart")
    near = (dict(within.args) if isinstance(within, Phrase) else args).get("near")
    if not isinstance(near, str) or {problem.code, problem.phrase.key} & WHOLE_FIELD:
        return None
    if problem.code == "bare-link":
        return f"{{{near}}}"
    if problem.phrase.key == "colon-in-text/nested":
        return near.partition(": ")[2]
    return near


@functools.cache
def problems_of(path: Path) -> tuple[Problem, ...]:
    return validate(path.read_bytes(), today=TODAY, folder=path.parent).problems


@pytest.mark.parametrize("path", WRONG, ids=lambda path: path.stem)
def test_hints_that_are_followed_are_accepted(path: Path) -> None:
    """The same place has no complaint of that kind any more, and nothing new is wrong with the line."""
    for problem in problems_of(path):
        if (hint := hint_of(problem)) is not None:
            follow(path, problem, hint)


def follow(path: Path, problem: Problem, hint: str) -> None:
    """Write the hint into the file, and check it."""
    content = path.read_bytes()
    lines = list(split_lines(text_of(content)))
    line, start = lines[problem.line - 1], problem.column - 1
    before, stretch, after = line[:start], line[start : start + problem.length], line[start + problem.length :]
    lines[problem.line - 1] = before + (hint if problem.code == "comma-keyword" else kept_quotes(stretch, hint)) + after
    changed = validate("\n".join(lines).encode(), today=TODAY, folder=path.parent).problems
    known = {(found.code, found.line) for found in problems_of(path)}
    again = [found for found in changed if found.line == problem.line]
    assert not [found.message("en") for found in again if found.code == problem.code and overlaps(found, start, hint)]
    assert [found.code for found in again if found.severity == "error" and (found.code, found.line) not in known] == []


def kept_quotes(stretch: str, hint: str) -> str:
    """Return the hint in the quotes that the text stood in."""
    is_quoted = len(stretch) > 1 and stretch[0] == stretch[-1] and stretch[0] in "\"'"
    return f"{stretch[0]}{hint}{stretch[0]}" if is_quoted and hint[:1] not in "[{\"'" else hint


def overlaps(found: Problem, start: int, hint: str) -> bool:
    """Return whether the finding is about what the hint put there."""
    return start < found.column + found.length and found.column - 1 < start + len(hint) + 2


def test_there_are_enough_hints() -> None:
    """A renamed argument must not look like a pass."""
    assert sum(hint_of(problem) is not None for path in WRONG for problem in problems_of(path)) > 80
