"""Problems of a rules file for a page: the line quoted, the fault marked, grouped by rule."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bot.i18n import Language
from bot.rules.engine import RuleSet
from bot.rules.fixes import Fix
from bot.rules.problem import Problem, Severity, split_lines, text_of
from bot.rules.reload import Validation

_MAX_BEFORE, _MAX_AFTER = 60, 80


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem with its line in three pieces, the second marked; line and column count from 1."""

    line: int
    column: int
    severity: Severity
    code: str
    message: str
    before: str
    meant: str
    after: str
    fix: Fix = ()
    """The edits that are sure to mend it; empty if none are known."""


@dataclass(frozen=True, slots=True)
class GroupedFindings:
    """The findings by index of the rule in force, and those of the rest of the file."""

    lines: tuple[int, ...]
    """The first line of each rule; empty if the file's rules are not the ones in force."""
    by_rule: dict[int, list[Finding]]
    rest: list[Finding]


def by_rule(validation: Validation | None, rules: RuleSet, lang: Language) -> GroupedFindings:
    """Return the findings of the file by rule; *validation* is None for an unreadable file."""
    if validation is None:
        return GroupedFindings((), {}, [])
    source = text_of(validation.content)
    found = findings(validation.result.problems, source, lang)
    lines = validation.result.rule_lines
    if validation.result.rules is not rules or not lines:
        return GroupedFindings((), {}, found)
    end = _end_of_rules(source, lines[-1])
    shares = GroupedFindings(lines, {}, [])
    for one in found:
        index = bisect_right(lines, one.line) - 1
        if index < 0 or one.line >= end:
            shares.rest.append(one)
        else:
            shares.by_rule.setdefault(index, []).append(one)
    return shares


def _end_of_rules(source: str, last: int) -> int:
    """Return the line after the last rule, which begins on line *last*."""
    lines = split_lines(source)
    others = (n for n in range(last, len(lines)) if lines[n][:1] not in {"", " ", "\t", "-", "#"})
    return next(others, len(lines)) + 1


def findings(
    problems: Iterable[Problem], source: str, lang: Language, fixes: Mapping[Problem, Fix] | None = None
) -> list[Finding]:
    """Return the problems with their lines in *source*, for ``finding`` of console/parts.html."""
    lines = split_lines(source)
    known = fixes or {}
    return [_finding(problem, lines, lang, known.get(problem, ())) for problem in problems]


def _finding(problem: Problem, lines: tuple[str, ...], lang: Language, fix: Fix) -> Finding:
    line = lines[problem.line - 1] if problem.line <= len(lines) else ""
    start, end = problem.column - 1, problem.column - 1 + problem.length
    before, meant, after = line[:start].lstrip(" "), line[start:end], line[end:]
    if len(before) > _MAX_BEFORE:
        before = f"…{before[-_MAX_BEFORE:]}"
    if len(meant) + len(after) > _MAX_AFTER:
        meant, after = meant[:_MAX_AFTER], f"{after[: max(0, _MAX_AFTER - len(meant))]}…"
    message = problem.message(lang)
    return Finding(problem.line, problem.column, problem.severity, problem.code, message, before, meant, after, fix)
