"""Where the page Check gets what it shows: one preview at a time, and how the rules file stands."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Final, Literal, get_args

from bot.analysis.backtest import Effect, Shift
from bot.analysis.diff import counted
from bot.analysis.preview import Order, Preview, Sample
from bot.analysis.preview_process import preview_apart
from bot.inbox.queries import Reports
from bot.rules.engine import FALLBACK
from bot.rules.model.schema import Reply
from bot.rules.problem import text_of
from bot.rules.publishing.history import Version
from bot.rules.publishing.publisher import Publisher, digest
from bot.rules.validate import summary_text
from bot.runtime import Service
from bot.web.console import formatting
from bot.web.console.problem_view import Finding, findings

#: The latest messages that a file is tried on.
MESSAGES: Final = 2_000
#: Shifts of one kind, and versions, that are shown.
MOST_SHIFTS: Final = 50
MOST_VERSIONS: Final = 10

#: `good`: what the file holds is in force; `pending`: the bot has not looked yet; `trouble`: it cannot be used.
Standing = Literal["good", "pending", "trouble"]


class Busy(Exception):
    """Another preview is being made."""


@dataclass(frozen=True, slots=True)
class Group:
    """What becomes of messages in one of the ways that a backtest knows."""

    effect: Effect
    count: int
    shifts: tuple[Shift, ...]
    left_out: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """A preview in the reader's language."""

    preview: Preview
    sentence: str
    findings: list[Finding]
    groups: list[Group]
    seen: str
    """The digest of the rules file that it was compared with."""
    was_changed: bool
    """Whether that is another one than its editor set out from."""
    is_present: bool
    """Whether it says the same as the file that stands there."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A version that the rules file has had."""

    version: Version
    is_present: bool
    new: int | None
    """Lines that are new in it; None for the oldest, as is `gone`."""
    gone: int | None


class Desk:
    """The rules file of this machine for the page Check; safe for threads."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._one_at_a_time = threading.Lock()
        self.publisher = Publisher(service.settings.rules_file)

    def content(self) -> bytes | None:
        """Return what the rules file holds; None if it is not there or cannot be read, of which `watch` tells more."""
        try:
            return self.publisher.content()
        except OSError:
            return None

    def former(self) -> Version | None:
        """Return the version that one step back leads to."""
        try:
            return self.publisher.former()
        except OSError:
            return None

    def standing(self) -> Standing:
        """Return how the rules file stands in this process."""
        watch, content = self._service.watch, self.content()
        if content is not None and digest(content) == watch.rules.digest:
            return "good"
        judged = watch.judgement.content if watch.judgement else None
        return "trouble" if watch.trouble and judged == content else "pending"

    def good_rules(self, sought: str) -> bytes | None:
        """Return the rules file with that digest, if it was in force not long ago."""
        return Reports(self._service.database).good_rules(sought)

    def examine(self, content: bytes, began: str) -> Outcome:
        """
        Return what there is to say of a file; *began* is the digest of what its editor set out from.

        Raises:
            Busy: Another one is being looked at.
            bot.analysis.preview_process.TookTooLong: It was given up.
        """
        if not self._one_at_a_time.acquire(blocking=False):
            raise Busy
        try:
            order = self._order(content, began)
            found = preview_apart(order, log_format=self._service.settings.log_format)
        finally:
            self._one_at_a_time.release()
        lang = formatting.language()
        return Outcome(
            found,
            summary_text(found.summary, self._service.settings.rules_file.name, lang),
            findings(found.problems, text_of(content), lang),
            list(_groups(found)),
            digest(order.present),
            was_changed=began != digest(order.present),
            is_present=found.changes is not None and not found.changes.hunks,
        )

    def replies_in_force(self) -> Mapping[str, Reply]:
        """Return what the rules in force send, by id; FALLBACK among them."""
        file = self._service.watch.rules.file
        fallback = {FALLBACK: file.fallback.reply} if file.fallback else {}
        return {rule.id: rule.reply for rule in file.rules} | fallback

    def entries(self) -> Iterator[Entry]:
        """Yield the latest versions of the file, newest first, with what each changed."""
        present = self.content()
        versions = self.publisher.versions()
        contents = [self.publisher.read(version.name) for version in islice(versions, MOST_VERSIONS + 1)]
        known = next((version for version in versions if version.holds(present)), None)
        for index, version in enumerate(versions[:MOST_VERSIONS]):
            before, after = contents[index + 1] if index + 1 < len(contents) else None, contents[index]
            counts = counted(text_of(before), text_of(after)) if before is not None and after is not None else None
            yield Entry(version, version is known, *(counts or (None, None)))

    def _order(self, content: bytes, began: str) -> Order:
        service, present = self._service, self.content()
        messages = Reports(service.database).messages(MESSAGES)
        return Order(
            content=content,
            folder=service.settings.rules_file.absolute().parent,
            today=datetime.fromtimestamp(service.database.now(), service.watch.rules.zone).date(),
            messages=tuple(Sample(m.text, m.oa_id, m.happened_at, m.rule_id) for m in messages),
            present=present,
            former=self.good_rules(began) if began != digest(present) else None,
        )


def _groups(preview: Preview) -> Iterator[Group]:
    if preview.comparison is None:
        return
    for effect in get_args(Effect):
        shifts = [shift for shift in preview.comparison.shifts if shift.effect == effect]
        count = preview.comparison.count(effect)
        yield Group(effect, count, tuple(shifts[:MOST_SHIFTS]), max(0, len(shifts) - MOST_SHIFTS))
