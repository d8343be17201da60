"""Validate a rules file and its images, for the start, `bot check`, the reload and the console alike."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from bot.files import FileSize
from bot.i18n import Language, translator
from bot.images import local_files
from bot.images.local_files import ImageFile, UnusableImage
from bot.rules.engine import RuleSet, compile_rules
from bot.rules.linting.examples import failing_examples
from bot.rules.linting.expiry import images_of
from bot.rules.linting.lint import check
from bot.rules.linting.misreadings import misreadings
from bot.rules.linting.patterns import PATTERN_CODES
from bot.rules.model.schema import RuleFile
from bot.rules.problem import Phrase, Place, Problem, in_order, phrase
from bot.rules.reading.loader import Loaded, load

MAX_PROBLEMS = 100
_CUT = "more-problems"  # not a problem, but the number of those left out


@dataclass(frozen=True, slots=True)
class ValidationResult:
    """The compiled rules, or the errors."""

    rules: RuleSet | None
    """None if one of the problems is an error."""
    problems: tuple[Problem, ...]
    rule_lines: tuple[int, ...] = ()
    """The first line of each rule; empty without rules."""
    image_files: Mapping[str, ImageFile] = field(default_factory=dict)
    """The results for the image files that the rules name."""


@contextmanager
def gc_paused() -> Iterator[None]:
    """
    Pause the garbage collector for work that creates many long-lived objects.

    Otherwise it scans them repeatedly, for up to a third of the time, with all other threads stopped.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@gc_paused()
def validate(data: bytes, *, today: date, folder: Path | None = None) -> ValidationResult:
    """
    Return the rules in *data* and all problems; accepts any bytes.

    Image files are read from *folder*, that of the rules file; without it they are not checked.
    """
    loaded = load(data)
    image_files = local_files.inspect(folder, _names(loaded.part)) if folder and loaded.part else {}
    problems = [*loaded.problems, *check(loaded, today=today), *_file_problems(loaded, image_files)]
    if loaded.file is None or any(p.severity == "error" and p.code in PATTERN_CODES for p in problems):
        return ValidationResult(None, _limited(problems), image_files=image_files)
    rules = replace(compile_rules(loaded.file, loaded.digest), digests=_digests(image_files))
    problems += [*failing_examples(rules, loaded.places), *misreadings(rules, loaded.places)]
    if _has_error(problems):
        return ValidationResult(None, _limited(problems), image_files=image_files)
    lines = tuple(loaded.places.at("rules", index).line for index in range(len(loaded.file.rules)))
    return ValidationResult(rules, _limited(problems), lines, image_files)


def with_images(rules: RuleSet, folder: Path) -> RuleSet:
    """Return valid rules with the digests of their image files in *folder*."""
    return replace(rules, digests=_digests(local_files.inspect(folder, _names(rules.file))))


def _names(file: RuleFile) -> Iterator[str]:
    return (image.file for image, _ in images_of(file) if image.file is not None)


def _digests(image_files: Mapping[str, ImageFile]) -> Mapping[str, str]:
    return {name: image_file.digest for name, image_file in image_files.items() if image_file.digest}


def _file_problems(loaded: Loaded, image_files: Mapping[str, ImageFile]) -> Iterator[Problem]:
    for image, path in images_of(loaded.part) if loaded.part and image_files else ():
        fault = image_files[image.file].fault if image.file is not None else None
        if fault is not None:
            yield Problem.of(loaded.places.at(*path, "file"), unusable_image(fault))


def unusable_image(fault: UnusableImage) -> Phrase:
    """Return the message for editors why an image file cannot be sent."""
    args = {name: FileSize(arg) if isinstance(arg, int) else arg for name, arg in fault.message_args.items()}
    return phrase(fault.code, **args)


def _has_error(problems: list[Problem]) -> bool:
    return any(problem.severity == "error" for problem in problems)


def _limited(problems: list[Problem]) -> tuple[Problem, ...]:
    """Return the problems in order; of too many, errors first, with the number of those left out."""
    ordered = in_order(problems)
    if len(ordered) <= MAX_PROBLEMS:
        return ordered
    first = sorted(ordered, key=lambda problem: problem.severity)
    kept, rest = first[:MAX_PROBLEMS], first[MAX_PROBLEMS:]
    key = _CUT if rest[0].severity == "error" else "more-problems/warnings"
    place = Place(kept[-1].line, kept[-1].column, kept[-1].length)
    return (*in_order(kept), Problem.at(place, key, count=len(rest)))


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts of problems and of what was checked; without usable rules the latter are 0."""

    is_usable: bool
    errors: int
    warnings: int
    is_cut: bool
    """Whether some problems are left out."""
    rules: int = 0
    off: int = 0
    """Number of disabled rules."""
    keywords: int = 0
    examples: int = 0


def summarized(result: ValidationResult) -> Summary:
    """Return the counts of a result."""
    severities = [problem.severity for problem in result.problems if problem.code != _CUT]
    found = (severities.count("error"), severities.count("warning"), len(severities) < len(result.problems))
    if result.rules is None:
        return Summary(False, *found)
    rules = result.rules.file.rules
    on = [rule for rule in rules if rule.enabled]
    return Summary(
        True,
        *found,
        rules=len(rules),
        off=len(rules) - len(on),
        keywords=sum(len(rule.keywords) + sum(map(len, rule.all_of)) for rule in rules),
        examples=sum(len(rule.examples) + len(rule.not_examples) for rule in on),
    )


def summary_text(summary: Summary, name: object, lang: Language) -> str:
    """Return whether the file *name* can be used, and how much was checked: an empty file must not look fine."""
    _ = translator(lang).gettext
    problems = _(" and ").join(_found(summary, lang))
    if not summary.is_usable:
        if summary.is_cut:
            problems = _("more than {problems}").format(problems=problems)
        text = _("{name}: {problems}. The bot does not use this version; mend it and check again.")
        return text.format(name=name, problems=problems)
    if summary.warnings:
        text = _("{name}: usable, with {warnings}. Checked {checked}.")
        return text.format(name=name, warnings=problems, checked=_checked(summary, lang))
    return _("{name}: fine. Checked {checked}.").format(name=name, checked=_checked(summary, lang))


def _found(summary: Summary, lang: Language) -> Iterator[str]:
    ngettext = translator(lang).ngettext
    if summary.errors:
        yield ngettext("{count} error", "{count} errors", summary.errors).format(count=summary.errors)
    if summary.warnings:
        yield ngettext("{count} warning", "{count} warnings", summary.warnings).format(count=summary.warnings)


def _checked(summary: Summary, lang: Language) -> str:
    rules, keywords, examples = summary.rules, summary.keywords, summary.examples
    translations = translator(lang)
    ngettext = translations.ngettext
    off = translations.gettext(" ({count} switched off)").format(count=summary.off) if summary.off else ""
    return ", ".join(
        (
            ngettext("{count} rule", "{count} rules", rules).format(count=rules) + off,
            ngettext("{count} keyword", "{count} keywords", keywords).format(count=keywords),
            ngettext("{count} example", "{count} examples", examples).format(count=examples),
        )
    )
