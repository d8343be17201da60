"""The preview of a rules file: everything that an editor wants to know before it is published."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import NamedTuple

from bot.analysis.backtest import Comparison, compare
from bot.analysis.diff import Differences, differences
from bot.rules.engine import FALLBACK
from bot.rules.model.schema import Reply, RuleFile
from bot.rules.problem import Problem, text_of
from bot.rules.validate import Summary, summarized, validate


class Sample(NamedTuple):
    """A message as `compare` takes it, without the database behind it: that would take its time to import."""

    text: str
    oa_id: str
    happened_at: float
    """Seconds since 1970."""
    rule_id: str | None


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be looked at."""

    content: bytes
    """Of the file, whatever it is."""
    folder: Path
    """Where its picture files would be."""
    today: date
    messages: tuple[Sample, ...] = ()
    """What to try it on, newest first."""
    present: bytes | None = None
    """The content of the file that it would replace; None if there is none."""
    former: bytes | None = None
    """What the editor set out from, if the present one is another."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What was found."""

    problems: tuple[Problem, ...]
    summary: Summary
    comparison: Comparison | None
    """None: the file cannot be used."""
    replies: Mapping[str, Reply] = field(default_factory=dict)
    """What the rules send that answer other messages than before, by id; FALLBACK among them."""
    changes: Differences | None = None
    """From the present file to this one; None if one of them is no text."""
    meanwhile: Differences | None = None
    """From what the editor set out from to the present file."""

    @property
    def is_usable(self) -> bool:
        """Whether the file has no errors."""
        return self.comparison is not None


def preview(order: Order) -> Preview:
    """Return what there is to say of a file; 10,000 keywords take seconds, a file made to be slow takes a minute."""
    verdict = validate(order.content, today=order.today, folder=order.folder)
    comparison = compare(verdict.rules, order.messages) if verdict.rules else None
    named = {shift.after for shift in comparison.shifts} if comparison else set()
    replies = _replies(verdict.rules.file) if verdict.rules else ()
    return Preview(
        problems=verdict.problems,
        summary=summarized(verdict),
        comparison=comparison,
        replies={name: reply for name, reply in replies if name in named},
        changes=_differences(order.present, order.content),
        meanwhile=_differences(order.former, order.present),
    )


def _replies(file: RuleFile) -> Iterator[tuple[str, Reply]]:
    for rule in file.rules:
        yield rule.id, rule.reply
    if file.fallback:
        yield FALLBACK, file.fallback.reply


def _differences(before: bytes | None, after: bytes | None) -> Differences | None:
    return differences(text_of(before), text_of(after)) if before is not None and after is not None else None
