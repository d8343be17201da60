"""Preview of a draft rules file: merge with other editors' publications, problems, backtest, diff."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final, Literal

from bot.analysis.backtest import Comparison, compare
from bot.analysis.chat import ChatAnswer, chat
from bot.analysis.diff import Diff, diff_lines
from bot.inbox.messages import Message
from bot.rules.engine import RuleSet, compile_rules, image_files, replies_of
from bot.rules.explain import Explanation, explain
from bot.rules.fixes import MAX_FIX_SECONDS, Fix, find_fixes
from bot.rules.model.schema import Reply
from bot.rules.problem import Problem, text_of
from bot.rules.publishing.merge import Conflict, Merge, Side, merge
from bot.rules.publishing.publisher import normalise_newlines
from bot.rules.publishing.rule_changes import RuleChanges, compare_rules
from bot.rules.reading.loader import load
from bot.rules.validate import Summary, summarized, validate

# The shortest time between two reports.
_REPORT_SECONDS: Final = 0.2


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a preview."""

    step: Literal["table", "rules", "messages"]
    """`rules`: the file is checked; `messages`: the rules are tried on messages."""
    done: int = 0
    """The number of messages that were tried."""
    total: int = 0


Report = Callable[[Progress], object]


@dataclass(frozen=True, slots=True)
class PreviewRequest:
    """The input of a preview."""

    content: bytes
    """The content of the draft, valid or not."""
    folder: Path
    """The folder of its image files."""
    today: date
    messages: tuple[Message, ...] = ()
    """Messages for the backtest, newest first."""
    present: bytes | None = None
    """The content of the file that it would replace; None if there is none."""
    in_force: bytes | None = None
    """The rules in force; None: compare with the decision at the time of each message."""
    is_outdated: bool = False
    """Whether the draft began from another content than the present one."""
    former: bytes | None = None
    """The content that the draft began from, if it is another one and still known."""
    decided: Mapping[str, Side] = field(default_factory=dict)
    """The chosen sides of merge conflicts, by the names of the conflicts."""
    sentences: tuple[str, ...] = ()
    """Sentences of the editor's chat with the draft."""
    now: float = 0.0
    """The time of the chat, in seconds since 1970."""
    to_explain: tuple[str, ...] = ()
    """Messages to explain."""
    with_fixes: bool = False
    """Whether to look for fixes of the problems."""


@dataclass(frozen=True, slots=True)
class Preview:
    """The result of a preview."""

    content: bytes
    """The checked content: the draft, or its merge with the present file."""
    problems: tuple[Problem, ...]
    summary: Summary
    comparison: Comparison | None
    """The backtest; None if the file is unusable."""
    replies: Mapping[str, Reply] = field(default_factory=dict)
    """The replies of rules and FALLBACK that gain or lose messages, by rule id."""
    image_files: frozenset[str] = frozenset()
    """The names of the image files of its replies; empty if the file is unusable."""
    changes: Diff | None = None
    """The diff from the present file; None if one of them is not text."""
    concurrent_changes: Diff | None = None
    """The diff from the content that the draft began from to the present file."""
    answers: tuple[ChatAnswer, ...] = ()
    """The answers to the sentences; empty if the file is unusable."""
    explanations: tuple[Explanation, ...] = ()
    """The explanations of the request's `to_explain`; empty if the file is unusable."""
    rule_changes: RuleChanges | None = None
    """The changed rules since the present file; None if a file cannot be read rule by rule."""
    conflicts: tuple[Conflict, ...] = ()
    """Parts that both the editor and others have changed, in different ways."""
    is_merged: bool = False
    """Whether *content* has changes of others besides the draft."""
    fixes: Mapping[Problem, Fix] = field(default_factory=dict)
    """The certain fixes of problems, as edits of *content*."""

    @property
    def is_undecided(self) -> bool:
        """Whether conflicts must be decided before a publication."""
        return bool(self.conflicts) and not self.is_merged

    @property
    def loses(self) -> bool:
        """
        Whether customers lose answers: tried messages do, or a rule was removed on which no message was tried.
        """
        if self.comparison is None or self.comparison.count("lost"):
            return self.comparison is not None
        changes = self.rule_changes or RuleChanges()
        return bool(changes.events_lost) or (changes.loses_rules and not self.comparison.messages)

    @property
    def is_usable(self) -> bool:
        """Whether the file has no errors, so that it can be published."""
        return self.comparison is not None


def preview(request: PreviewRequest, report: Report = lambda _progress: None) -> Preview:
    """
    Return the preview; it takes seconds for 10,000 keywords, and up to a minute for a maliciously slow file.

    *report* is called with the progress a few times a second while messages are tried.
    """
    report(Progress("rules"))
    merged = _merge(request)
    content = merged.text.encode() if merged and merged.text is not None else request.content
    began_at = time.monotonic()
    verdict = validate(content, today=request.today, folder=request.folder)
    # If one check is slow, checking the fixes would use up the time of the preview.
    has_time_for_fixes = request.with_fixes and time.monotonic() - began_at < MAX_FIX_SECONDS
    in_force = _in_force(request)
    # Unusable rules answer nothing, so that no answer can be lost.
    tried = request.messages if request.in_force is None or in_force else ()
    messages = _reported(tried, report)
    comparison = compare(verdict.rules, messages, in_force=in_force) if verdict.rules else None
    named = {shift.after for shift in comparison.shifts} if comparison else set()
    replies = replies_of(verdict.rules.file) if verdict.rules else {}
    return Preview(
        content=content,
        problems=verdict.problems,
        summary=summarized(verdict),
        comparison=comparison,
        replies={name: reply for name, reply in replies.items() if name in named},
        image_files=image_files(verdict.rules.file) if verdict.rules else frozenset(),
        changes=_diff(request.present, content),
        concurrent_changes=_diff(request.former, request.present),
        answers=chat(verdict.rules, request.sentences, now=request.now) if verdict.rules else (),
        explanations=tuple(explain(verdict.rules, text) for text in request.to_explain) if verdict.rules else (),
        rule_changes=compare_rules(request.present, content),
        conflicts=merged.conflicts if merged else (),
        is_merged=merged is not None and merged.text is not None,
        fixes=_fixes(request, content, verdict.problems) if has_time_for_fixes else {},
    )


def _fixes(request: PreviewRequest, content: bytes, problems: tuple[Problem, ...]) -> Mapping[Problem, Fix]:
    """Return the certain fixes of the problems; each is checked like the file itself."""
    return find_fixes(
        content, problems, lambda mended: validate(mended, today=request.today, folder=request.folder).problems
    )


def _merge(request: PreviewRequest) -> Merge | None:
    """Return the merge of the draft with others' changes since it began; None if there are none."""
    if not request.is_outdated or request.present is None:
        return None
    base = _text(request.former) if request.former is not None else None
    return merge(base, _text(request.content), _text(request.present), request.decided)


def _text(content: bytes) -> str:
    return normalise_newlines(text_of(content)).decode()


def _reported(messages: tuple[Message, ...], report: Report) -> Iterator[Message]:
    """Yield the messages, and report how many are done."""
    reported_at = -_REPORT_SECONDS
    for done, message in enumerate(messages):
        if time.monotonic() - reported_at >= _REPORT_SECONDS:
            report(Progress("messages", done, len(messages)))
            reported_at = time.monotonic()
        yield message


def _in_force(request: PreviewRequest) -> RuleSet | None:
    """Return the rules in force, without checking them again."""
    loaded = load(request.in_force) if request.in_force is not None and request.messages else None
    return compile_rules(loaded.file, loaded.digest) if loaded and loaded.file else None


def _diff(before: bytes | None, after: bytes | None) -> Diff | None:
    return diff_lines(text_of(before), text_of(after)) if before is not None and after is not None else None
