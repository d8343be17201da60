"""Preview of a draft rules file: merge with what others published meanwhile, problems, backtest, diff."""

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
from bot.rules.publishing.merge import Conflict, Merge, Side, merge
from bot.rules.publishing.publisher import normalise_newlines
from bot.rules.publishing.rule_changes import RuleChanges, compare_rules
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
    is_outdated: bool = False
    """Whether its editor set out from another content than the present one."""
    former: bytes | None = None
    """What they set out from, if that is another one and still known."""
    decided: Mapping[str, Side] = field(default_factory=dict)
    """Which side counts in the conflicts of a merge, by their names."""
    sentences: tuple[str, ...] = ()
    """What the editor tries on it, as a customer."""
    now: float = 0.0
    """When that is, in seconds since 1970."""
    asked: tuple[str, ...] = ()
    """Messages that its editor wants explained."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What was found."""

    content: bytes
    """What was looked at: the draft, or the merge of it and the present file."""
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
    rule_changes: RuleChanges | None = None
    """From the present file to this one; None if one of them cannot be read rule by rule."""
    conflicts: tuple[Conflict, ...] = ()
    """What the editor and others changed each otherwise since the editor began."""
    is_merged: bool = False
    """Whether *content* holds what others changed meanwhile, beside the draft."""

    @property
    def is_undecided(self) -> bool:
        """Whether somebody has to decide the conflicts before anything can be published."""
        return bool(self.conflicts) and not self.is_merged

    @property
    def loses(self) -> bool:
        """
        Whether customers lose answers, or may: messages that were tried do, or a rule is gone that none tells about.
        """
        if self.comparison is None or self.comparison.count("lost"):
            return self.comparison is not None
        changes = self.rule_changes or RuleChanges()
        return bool(changes.events_lost) or (changes.loses_rules and not self.comparison.messages)

    @property
    def is_usable(self) -> bool:
        """Whether the file has no errors."""
        return self.comparison is not None


def preview(request: PreviewRequest) -> Preview:
    """Return what there is to say of a file; 10,000 keywords take seconds, a file made to be slow takes a minute."""
    merged = _merge(request)
    content = merged.text.encode() if merged and merged.text is not None else request.content
    verdict = validate(content, today=request.today, folder=request.folder)
    in_force = _in_force(request)
    # Rules that cannot be used answer nothing that another could lose.
    messages = request.messages if request.in_force is None or in_force else ()
    comparison = compare(verdict.rules, messages, in_force=in_force) if verdict.rules else None
    named = {shift.after for shift in comparison.shifts} if comparison else set()
    replies = replies_of(verdict.rules.file) if verdict.rules else {}
    return Preview(
        content=content,
        problems=verdict.problems,
        summary=summarized(verdict),
        comparison=comparison,
        replies={name: reply for name, reply in replies.items() if name in named},
        changes=_diff(request.present, content),
        concurrent_changes=_diff(request.former, request.present),
        answers=chat(verdict.rules, request.sentences, now=request.now) if verdict.rules else (),
        explanations=tuple(explain(verdict.rules, text) for text in request.asked) if verdict.rules else (),
        rule_changes=compare_rules(request.present, content),
        conflicts=merged.conflicts if merged else (),
        is_merged=merged is not None and merged.text is not None,
    )


def _merge(request: PreviewRequest) -> Merge | None:
    """Return the draft together with what others changed since its editor began; None if nobody did."""
    if not request.is_outdated or request.present is None:
        return None
    base = _text(request.former) if request.former is not None else None
    return merge(base, _text(request.content), _text(request.present), request.decided)


def _text(content: bytes) -> str:
    return normalise_newlines(text_of(content)).decode()


def _in_force(request: PreviewRequest) -> RuleSet | None:
    """Return the rules that answer customers now: they were checked when they came into force."""
    loaded = load(request.in_force) if request.in_force is not None and request.messages else None
    return compile_rules(loaded.file, loaded.digest) if loaded and loaded.file else None


def _diff(before: bytes | None, after: bytes | None) -> Diff | None:
    return diff_lines(text_of(before), text_of(after)) if before is not None and after is not None else None
