"""The one validator of rules files: the start, `bot check`, the reload and the console all ask it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from bot.rules.checks import check
from bot.rules.engine import RuleSet, compile_rules
from bot.rules.examples import failing_examples
from bot.rules.loader import load
from bot.rules.patterns import PATTERN_CODES
from bot.rules.problem import Place, Problem, in_order

MAX_PROBLEMS = 100


@dataclass(frozen=True, slots=True)
class Verdict:
    """The rules ready to decide, or why there are none."""

    rules: RuleSet | None
    """None if one of the problems is an error."""
    problems: tuple[Problem, ...]


def validate(data: bytes, *, today: date) -> Verdict:
    """Return the rules that *data* holds and all that is wrong with them; any bytes will do."""
    loaded = load(data)
    problems = [*loaded.problems, *check(loaded, today=today)]
    if loaded.file is None or any(p.severity == "error" and p.code in PATTERN_CODES for p in problems):
        return Verdict(None, _shown(problems))
    rules = compile_rules(loaded.file, loaded.digest)
    problems += failing_examples(rules, loaded.places)
    return Verdict(None if _has_error(problems) else rules, _shown(problems))


def _has_error(problems: list[Problem]) -> bool:
    return any(problem.severity == "error" for problem in problems)


def _shown(problems: list[Problem]) -> tuple[Problem, ...]:
    """Return the problems in order; of very many the errors first, and how many are left out."""
    ordered = in_order(problems)
    if len(ordered) <= MAX_PROBLEMS:
        return ordered
    first = sorted(ordered, key=lambda problem: problem.severity)
    kept, rest = first[:MAX_PROBLEMS], first[MAX_PROBLEMS:]
    key = "more-problems" if rest[0].severity == "error" else "more-problems/warnings"
    place = Place(kept[-1].line, kept[-1].column, kept[-1].length)
    return (*in_order(kept), Problem.at(place, key, count=len(rest)))
