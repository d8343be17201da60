"""The one validator of rules files: the start, `bot check`, the reload and the console all ask it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from bot.garbage import no_search
from bot.images import local_files
from bot.images.local_files import Look
from bot.rules.engine import RuleSet, compile_rules
from bot.rules.linting.examples import failing_examples
from bot.rules.linting.expiry import pictures
from bot.rules.linting.lint import check
from bot.rules.linting.patterns import PATTERN_CODES
from bot.rules.model.schema import RuleFile
from bot.rules.problem import Place, Problem, in_order
from bot.rules.reading.loader import Loaded, load

MAX_PROBLEMS = 100


@dataclass(frozen=True, slots=True)
class Verdict:
    """The rules ready to decide, or why there are none."""

    rules: RuleSet | None
    """None if one of the problems is an error."""
    problems: tuple[Problem, ...]
    rule_lines: tuple[int, ...] = ()
    """The line on which each of the rules begins; empty without rules."""
    looks: Mapping[str, Look] = field(default_factory=dict)
    """What was seen of the picture files that the rules name."""


@no_search()
def validate(data: bytes, *, today: date, folder: Path | None = None) -> Verdict:
    """
    Return the rules that *data* holds and all that is wrong with them; any bytes will do.

    Picture files are looked for in *folder*, that of the rules file; without it they are not looked at.
    """
    loaded = load(data)
    looks = local_files.look(folder, _names(loaded.part)) if folder and loaded.part else {}
    problems = [*loaded.problems, *check(loaded, today=today), *_file_problems(loaded, looks)]
    if loaded.file is None or any(p.severity == "error" and p.code in PATTERN_CODES for p in problems):
        return Verdict(None, _shown(problems), looks=looks)
    rules = replace(compile_rules(loaded.file, loaded.digest), digests=_digests(looks))
    problems += failing_examples(rules, loaded.places)
    if _has_error(problems):
        return Verdict(None, _shown(problems), looks=looks)
    lines = tuple(loaded.places.at("rules", index).line for index in range(len(loaded.file.rules)))
    return Verdict(rules, _shown(problems), lines, looks)


def with_pictures(rules: RuleSet, folder: Path) -> RuleSet:
    """Return rules that were good without a look at their picture files, with what stands of these in *folder*."""
    return replace(rules, digests=_digests(local_files.look(folder, _names(rules.file))))


def _names(file: RuleFile) -> Iterator[str]:
    return (image.file for image, _ in pictures(file) if image.file is not None)


def _digests(looks: Mapping[str, Look]) -> Mapping[str, str]:
    return {name: look.digest for name, look in looks.items() if look.digest}


def _file_problems(loaded: Loaded, looks: Mapping[str, Look]) -> Iterator[Problem]:
    for image, path in pictures(loaded.part) if loaded.part and looks else ():
        fault = looks[image.file].fault if image.file is not None else None
        if fault is not None:
            yield Problem.of(loaded.places.at(*path, "file"), fault)


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
