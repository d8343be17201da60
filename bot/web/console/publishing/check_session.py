"""Preview of a draft rules file, one at a time, and the state of the file in force."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal, get_args

from flask import current_app

from bot.analysis.backtest import Effect, RuleShifts, Shift, by_rule
from bot.analysis.chat import ChatAnswer, chat
from bot.analysis.preview import Preview, PreviewRequest
from bot.analysis.preview_process import PreviewRunner
from bot.inbox.messages import Message
from bot.inbox.queries import EventQueries
from bot.rules.engine import replies_of
from bot.rules.model.schema import Reply
from bot.rules.problem import text_of
from bot.rules.publishing.history import Version, VersionInfo
from bot.rules.publishing.merge import Side
from bot.rules.publishing.publisher import Publisher, digest
from bot.rules.validate import summary_text
from bot.runtime import Runtime
from bot.web.console import first_steps, formatting
from bot.web.console.problem_view import Finding, findings
from bot.web.console.publishing import progress
from bot.web.console.publishing.change_words import summary_of
from bot.web.console.publishing.recent_previews import RecentPreviews

#: How many of the latest messages a file is tried on.
MAX_MESSAGES: Final = 2_000
#: How many shifts of one kind, and how many versions, are listed.
MAX_SHIFTS: Final = 50
MAX_VERSIONS: Final = 10
#: How often a page reloads to see whether a publication is in force. The bot loads it within two seconds, on a busy
#: machine later.
MAX_REFRESHES: Final = 120

_STOPPING_SECONDS: Final = 10.0

#: `good`: the file is in force; `pending`: the bot has not loaded it yet; `trouble`: it cannot be used.
FileState = Literal["good", "pending", "trouble"]


#: Returns the sides that the editor chose, by the names of conflicts, for the digest of the present file.
Decide = Callable[[str], Mapping[str, Side]]


class Busy(Exception):
    """Another preview is in progress."""


@dataclass(frozen=True, slots=True)
class ShiftGroup:
    """The messages whose answers change in one way."""

    effect: Effect
    count: int
    shifts: tuple[Shift, ...]
    left_out: int


@dataclass(frozen=True, slots=True)
class CheckResult:
    """A preview in the reader's language."""

    preview: Preview
    sentence: str
    findings: list[Finding]
    groups: list[ShiftGroup]
    by_rule: list[RuleShifts]
    """Messages gained and lost by each rule, at most `MAX_SHIFTS` rules."""
    headline: str
    """The changes in one sentence; empty if the file has errors."""
    seen: str
    """The digest of the rules file that it was compared with."""
    changed_since: bool
    """Whether the rules file has changed since the draft began."""
    is_current: bool
    """Whether it is equal to the present rules file."""


@dataclass(frozen=True, slots=True)
class ChatLine:
    """The answers of a draft and of the rules in force to the same sentence."""

    draft: ChatAnswer
    in_force: ChatAnswer

    @property
    def differs(self) -> bool:
        """Whether the images or the answering rules differ."""
        return (self.draft.rule_id, self.draft.reply) != (self.in_force.rule_id, self.in_force.reply)


class CheckSession:
    """The rules file of this machine for the page Check; safe for threads."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        # One preview of each kind at a time: a requested check does not wait for one made during typing.
        self._checking, self._diagnosing = threading.Lock(), threading.Lock()
        self._recent = RecentPreviews()

    @property
    def publisher(self) -> Publisher:
        """The publisher of the rules file: for this machine, or for all that share the database."""
        return self._runtime.publisher

    def content(self) -> bytes | None:
        """Return the content of the rules file; None if it is missing or unreadable (the reloader has the error)."""
        try:
            return self.publisher.content()
        except OSError:
            return None

    def publish(self, content: bytes, *, seen: str, info: VersionInfo) -> None:
        """
        Replace the file whose digest is *seen* by *content*; *info* has the author and the note.

        Raises:
            bot.rules.publishing.publisher.EditConflict: The file has changed since.
            OSError: The file cannot be written.
            bot.errors.StorageError: Other machines share the database, and it cannot be reached.
        """
        self.publisher.publish(content, seen=seen, now=self._runtime.database.now(), info=info)
        first_steps.take(self._runtime, "published")

    def begin(self) -> None:
        """Store the present content in the history before an edit; a failure is reported at publication instead."""
        with contextlib.suppress(OSError):
            self.publisher.keep_present(now=self._runtime.database.now())

    def version(self, name: str) -> Version | None:
        """Return the version with that name; None if it is not kept."""
        return next((version for version in self.publisher.versions() if version.name == name), None)

    def former(self) -> Version | None:
        """Return the version before the present one; None if there is none or it cannot be read."""
        try:
            return self.publisher.previous()
        except OSError:
            return None

    def file_state(self) -> FileState:
        """Return whether this process has loaded the present rules file."""
        reloader, content = self._runtime.rules_reloader, self.content()
        if content is not None and digest(content) == reloader.rules.digest:
            return "good"
        validated = reloader.last_validation.content if reloader.last_validation else None
        return "trouble" if reloader.error and validated == content else "pending"

    def good_rules(self, sought: str) -> bytes | None:
        """Return the rules file with that digest if it was in force recently, else None."""
        return EventQueries(self._runtime.database).good_rules(sought)

    def check(
        self, content: bytes, base_digest: str, decide: Decide = lambda _seen: {}, *, may_reuse: bool = False
    ) -> CheckResult:
        """
        Return the problems, the backtest and the changes of a draft; *base_digest* is the digest it began from.

        If the rules file has changed since then, the draft is merged with it; *decide* returns the chosen sides of
        conflicts for the digest of the present file. With *may_reuse*, a check of the last
        minute will do.

        Raises:
            Busy: Another check is in progress.
            bot.analysis.preview_process.PreviewTimeout: It took too long.
            bot.analysis.preview_process.PreviewTooLarge: It needed too much memory.
            bot.analysis.preview_process.PreviewStopped: The editor stopped it or left the page.
        """
        request = self._request(content, base_digest)
        request = replace(request, decided=decide(digest(request.present)), with_fixes=True)
        found = self._recent_preview(request) if may_reuse else self._new_preview(request)
        if found.is_usable:
            first_steps.take_if_image_is_new(self._runtime, found.image_files)
        return self._result(found, request, changed_since=base_digest != digest(request.present))

    def compare(self, old: bytes, new: bytes) -> CheckResult:
        """
        Return the changes from *old* to *new* and the messages they answer differently; both are versions of the file.

        Raises:
            Busy: Another check is in progress.
            bot.analysis.preview_process.PreviewTimeout: It took too long.
            bot.analysis.preview_process.PreviewTooLarge: It needed too much memory.
        """
        request = replace(self._plain_request(new), messages=self._messages(), present=old, in_force=old)
        return self._result(self._recent_preview(request), request, changed_since=False)

    def _result(self, found: Preview, request: PreviewRequest, *, changed_since: bool) -> CheckResult:
        lang = formatting.language()
        return CheckResult(
            found,
            summary_text(found.summary, self._runtime.settings.rules_file.name, lang),
            findings(found.problems, text_of(found.content), lang, found.fixes),
            list(_shift_groups(found)),
            by_rule(found.comparison)[:MAX_SHIFTS] if found.comparison else [],
            summary_of(found) if found.is_usable else "",
            digest(request.present),
            changed_since=changed_since,
            is_current=found.changes is not None and not found.changes.hunks,
        )

    def problems(self, content: bytes) -> list[Finding]:
        """
        Return the problems of a draft, for the text editor while somebody types.

        Raises:
            Busy: Another one is being looked at.
            bot.analysis.preview_process.PreviewTimeout: It was given up; PreviewTooLarge: for want of memory.
        """
        found = self._preview(replace(self._plain_request(content), with_fixes=True), self._diagnosing)
        return findings(found.problems, text_of(content), formatting.language(), found.fixes)

    def chat(
        self, content: bytes, sentences: Sequence[str], *, patience: float = 0.0
    ) -> tuple[list[Finding], list[ChatLine]]:
        """
        Return the problems of a draft and its answers to some sentences; no answers if it has errors.

        Raises:
            Busy: Another one is being looked at, also after *patience* seconds.
            bot.analysis.preview_process.PreviewTimeout: It was given up; PreviewTooLarge: for want of memory.
        """
        now = self._runtime.database.now()
        request = replace(self._plain_request(content), sentences=tuple(sentences), now=now, with_fixes=True)
        found = self._preview(request, self._diagnosing, patience)
        in_force = chat(self._runtime.rules_reloader.rules, sentences if found.answers else (), now=now)
        lines = [ChatLine(*pair) for pair in zip(found.answers, in_force, strict=True)]
        if lines:
            first_steps.take(self._runtime, "tried")
        return findings(found.problems, text_of(content), formatting.language(), found.fixes), lines

    def explain(self, content: bytes, messages: tuple[str, ...]) -> Preview:
        """
        Return the preview of a draft while somebody types in the form, with explanations of *messages*.

        Raises:
            Busy: Another one is being looked at.
            bot.analysis.preview_process.PreviewTimeout: It was given up; PreviewTooLarge: for want of memory.
        """
        request = self._request(content, digest(self.content()))
        return self._preview(replace(request, to_explain=messages), self._diagnosing)

    def replies_in_force(self) -> Mapping[str, Reply]:
        """Return the replies of the rules in force by rule id, including FALLBACK."""
        return replies_of(self._runtime.rules_reloader.rules.file)

    def _recent_preview(self, request: PreviewRequest) -> Preview:
        return self._recent.find(request) or self._new_preview(request)

    def _new_preview(self, request: PreviewRequest) -> Preview:
        found = self._preview(request, self._checking)
        self._recent.add(request, found)
        return found

    def _preview(self, request: PreviewRequest, one_at_a_time: threading.Lock, patience: float = 0.0) -> Preview:
        watcher = progress.watcher()
        # After a stop, the next check may arrive before the server has noticed that the first was stopped.
        if not one_at_a_time.acquire(timeout=_STOPPING_SECONDS if watcher else patience):
            raise Busy
        preview: PreviewRunner = current_app.config["CONSOLE_PREVIEW"]
        try:
            return preview(request, log_format=self._runtime.settings.log_format, watcher=watcher)
        finally:
            one_at_a_time.release()

    def _plain_request(self, content: bytes) -> PreviewRequest:
        """Return a request for the problems only."""
        runtime = self._runtime
        return PreviewRequest(
            content,
            folder=runtime.settings.rules_file.absolute().parent,
            today=datetime.fromtimestamp(runtime.database.now(), runtime.rules_reloader.rules.zone).date(),
        )

    def _request(self, content: bytes, base_digest: str) -> PreviewRequest:
        present = self.content()
        return replace(
            self._plain_request(content),
            messages=self._messages(),
            present=present,
            in_force=self._in_force(present),
            is_outdated=base_digest != digest(present),
            former=self._former(base_digest) if base_digest != digest(present) else None,
        )

    def _messages(self) -> tuple[Message, ...]:
        return tuple(EventQueries(self._runtime.database).messages(MAX_MESSAGES))

    def _former(self, base_digest: str) -> bytes | None:
        """Return the content that a draft began from; None if it is not kept."""
        kept = self.publisher.find(base_digest)
        return kept if kept is not None else self.good_rules(base_digest)

    def _in_force(self, present: bytes | None) -> bytes | None:
        """Return the content of the rules in force; None if it is not kept."""
        sought = self._runtime.rules_reloader.rules.digest
        return present if present is not None and digest(present) == sought else self.good_rules(sought)


def _shift_groups(preview: Preview) -> Iterator[ShiftGroup]:
    if preview.comparison is None:
        return
    for effect in get_args(Effect):
        shifts = [shift for shift in preview.comparison.shifts if shift.effect == effect]
        count = preview.comparison.count(effect)
        yield ShiftGroup(effect, count, tuple(shifts[:MAX_SHIFTS]), max(0, len(shifts) - MAX_SHIFTS))
