"""Preview of a draft rules file: problems, backtest, diff."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from bot.analysis.backtest import Comparison, compare
from bot.analysis.chat import ChatAnswer, chat
from bot.analysis.diff import Diff, diff_lines
from bot.inbox.messages import Message
from bot.rules.engine import RuleSet, compile_rules, replies_of
from bot.rules.explain import Explanation, explain
from bot.rules.model.schema import Reply
from bot.rules.problem import Problem, text_of
from bot.rules.reading.loader import load
from bot.rules.validate import Summary, summarized, validate


@dataclass(frozen=True, slots=True)
class PreviewRequest:
    """What is to be looked at."""

    content: bytes
    """Of the file, whatever it is."""
    folder: Path
    """Where its picture files would be."""
    today: date
    messages: tuple[Message, ...] = ()
    """What to try it on, newest first."""
    present: bytes | None = None
    """The content of the file that it would replace; None if there is none."""
    in_force: bytes | None = None
    """The rules that answer customers now; None: compare with what was decided at the time of each message."""
    former: bytes | None = None
    """What the editor set out from, if the present one is another."""
    sentences: tuple[str, ...] = ()
    """What the editor tries on it, as a customer."""
    now: float = 0.0
    """When that is, in seconds since 1970."""
    asked: tuple[str, ...] = ()
    """Messages that its editor wants explained."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What was found."""

    problems: tuple[Problem, ...]
    summary: Summary
    comparison: Comparison | None
    """None: the file cannot be used."""
    replies: Mapping[str, Reply] = field(default_factory=dict)
    """What the rules send that answer other messages than before, by id; FALLBACK among them."""
    changes: Diff | None = None
    """From the present file to this one; None if one of them is no text."""
    concurrent_changes: Diff | None = None
    """From what the editor set out from to the present file."""
    answers: tuple[ChatAnswer, ...] = ()
    """What it answers to the sentences; none if it cannot be used."""
    explanations: tuple[Explanation, ...] = ()
    """Of the messages that were asked about; empty if the file cannot be used."""

    @property
    def is_usable(self) -> bool:
        """Whether the file has no errors."""
        return self.comparison is not None


def preview(request: PreviewRequest) -> Preview:
    """Return what there is to say of a file; 10,000 keywords take seconds, a file made to be slow takes a minute."""
    verdict = validate(request.content, today=request.today, folder=request.folder)
    in_force = _in_force(request)
    comparison = compare(verdict.rules, request.messages, in_force=in_force) if verdict.rules else None
    named = {shift.after for shift in comparison.shifts} if comparison else set()
    replies = replies_of(verdict.rules.file) if verdict.rules else {}
    return Preview(
        problems=verdict.problems,
        summary=summarized(verdict),
        comparison=comparison,
        replies={name: reply for name, reply in replies.items() if name in named},
        changes=_diff(request.present, request.content),
        concurrent_changes=_diff(request.former, request.present),
        answers=chat(verdict.rules, request.sentences, now=request.now) if verdict.rules else (),
        explanations=tuple(explain(verdict.rules, text) for text in request.asked) if verdict.rules else (),
    )


def _in_force(request: PreviewRequest) -> RuleSet | None:
    """Return the rules that answer customers now: they were checked when they came into force."""
    loaded = load(request.in_force) if request.in_force is not None and request.messages else None
    return compile_rules(loaded.file, loaded.digest) if loaded and loaded.file else None


def _diff(before: bytes | None, after: bytes | None) -> Diff | None:
    return diff_lines(text_of(before), text_of(after)) if before is not None and after is not None else None
