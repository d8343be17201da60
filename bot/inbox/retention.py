"""Retention: erase old texts, count and delete old events in small batches, delete old drafts; store quotas."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import sqlalchemy as sa

from bot.errors import StorageError
from bot.inbox.database import Database
from bot.inbox.editing.drafts import Drafts
from bot.inbox.sql.engine import insert
from bot.inbox.statistics.quotas import QuotaRecorder
from bot.inbox.statistics.rollup import Statistics
from bot.inbox.tables import HAS_WORDS, IS_BARE, IS_OVER, events, tallies

log = logging.getLogger(__name__)

#: How long every event is kept, in seconds, as the duplicate filter: Zalo redelivers for hours.
KEPT_SECONDS: Final = 7 * 86_400.0
#: How many events one transaction erases or deletes; acknowledgements wait for it.
BATCH: Final = 100
# Seconds between two batches, so that acknowledgements are hardly delayed; and between two rounds.
_BATCH_PAUSE_SECONDS = 0.05
_ROUND_SECONDS = 60.0
# How often hours whose events may have changed are counted again, in seconds.
_RECOUNT_EVERY_SECONDS = 600.0
# Days begin at midnight in Vietnam, which is seven hours ahead of UTC all year.
_UTC_OFFSET = 7 * 3600.0
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class RetentionResult:
    """How many events were erased, and how many counted and deleted; false if there was nothing to do."""

    erased: int = 0
    deleted: int = 0

    def __bool__(self) -> bool:
        return self.erased + self.deleted > 0


def apply_retention(database: Database, *, now: float, retention: float, memory: float = 0.0) -> RetentionResult:
    """
    Erase or delete up to BATCH events older than *retention* seconds, in one transaction; repeat while it is true.

    The text and the body of a settled event are erased. The event itself is kept for at least KEPT_SECONDS as the
    duplicate filter, and for *memory* seconds, the longest cooldown of a rule. Then it is counted in `tallies` and
    deleted in the same transaction. Open events are left alone, and parked ones are not deleted. Several processes
    may do this at once.
    """
    forget_before = now - max(retention, KEPT_SECONDS, memory)
    with database.write() as connection:
        ids = _some(connection, _WITH_WORDS, forget_before) or _some(connection, _BARE, forget_before)
        if ids:
            _count(connection, connection.execute(_DELETE, {"b_ids": ids}).all())
            return RetentionResult(deleted=len(ids))
        ids = _some(connection, _ERASABLE, now - retention)
        if ids:
            connection.execute(_ERASE, {"b_ids": ids})
        return RetentionResult(erased=len(ids))


class RetentionWorker:
    """Applies retention, updates statistics and reads the clock, in a thread; one per delivering process."""

    def __init__(
        self, database: Database, *, retention: float, memory: Callable[[], float], delay: float = 0.0
    ) -> None:
        """For *retention* and *memory* see `apply_retention`; the first round begins after *delay* seconds."""
        self._database = database
        self._delay = delay
        self._retention = retention
        self._memory = memory
        self._statistics = Statistics(database)
        self._quotas = QuotaRecorder(database)
        self._recount_at = 0.0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="caretaker", daemon=True)

    def start(self) -> None:
        """Start the thread; call it after the last fork."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread after its current batch."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        pause = self._delay
        while not self._stopping.wait(pause):
            try:
                self._database.read_clock()
                self._quotas.store()
                self._update_statistics()
                # Events must be counted before they are deleted.
                if not self._stopping.is_set():
                    self._apply_until_done()
            except Exception:
                # The database is unreachable; the next round deletes what this one could not.
                log.exception("cannot tend the inbox")
            pause = _ROUND_SECONDS
        try:
            self._quotas.store()  # what was reported since the last round
        except StorageError:
            log.exception("cannot store the quotas")

    def _update_statistics(self) -> None:
        now = self._database.now()
        while self._statistics.roll_up(now=now) and not self._stopping.wait(_BATCH_PAUSE_SECONDS):
            pass
        if now < self._recount_at:
            return
        for start in self._statistics.unfinished_hours(now=now):
            if self._stopping.wait(_BATCH_PAUSE_SECONDS):
                return
            self._statistics.count_hour(start)
        self._recount_at = now + _RECOUNT_EVERY_SECONDS

    def _apply_until_done(self) -> None:
        erased = deleted = 0
        memory = self._memory()
        while done := apply_retention(
            self._database, now=self._database.now(), retention=self._retention, memory=memory
        ):
            erased += done.erased
            deleted += done.deleted
            if self._stopping.wait(_BATCH_PAUSE_SECONDS):
                break
        drafts = Drafts(self._database).delete_old(now=self._database.now())
        if erased or deleted or drafts:
            log.info("retention", extra={"erased": erased, "deleted": deleted, "drafts": drafts})


def _some(connection: sa.Connection, query: sa.Select[Any], before: float) -> Sequence[int]:
    return connection.scalars(query, {"b_before": before}).all()


def _count(connection: sa.Connection, rows: Sequence[Any]) -> None:
    """Add the events to the counts of their days; all processes lock the rows in the same order."""
    keys = (
        (_day(row.received_at), row.oa_id, row.kind or "", row.status, row.reason or "", row.rule_id or "")
        for row in rows
    )
    names = [column.name for column in tallies.primary_key]
    values = [dict(zip(names, key, strict=True)) | {"n": n} for key, n in sorted(Counter(keys).items())]
    added = insert(tallies, connection.dialect.name)
    added = added.on_conflict_do_update(index_elements=names, set_={"n": tallies.c.n + added.excluded.n})
    connection.execute(added, values)


def _day(at: float) -> date:
    return _EPOCH + timedelta(days=(at + _UTC_OFFSET) // 86_400)


def _oldest(*conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Return the query for the next batch; rows that another process has locked are skipped."""
    return (
        sa.select(events.c.id)
        .where(*conditions, events.c.received_at < sa.bindparam("b_before"))
        .order_by(events.c.received_at)
        .limit(BATCH)
        .with_for_update(skip_locked=True)  # SQLite, which has one writer, leaves it out
    )


_WITH_WORDS = _oldest(HAS_WORDS, IS_OVER)
_BARE = _oldest(IS_BARE)
_ERASABLE = _oldest(HAS_WORDS)
_CHOSEN = events.c.id.in_(sa.bindparam("b_ids", expanding=True))
_DELETE = (
    sa.delete(events)
    .where(_CHOSEN)
    .returning(events.c.received_at, events.c.oa_id, events.c.kind, events.c.status, events.c.reason, events.c.rule_id)
)
_ERASE = sa.update(events).where(_CHOSEN).values(text=None, body=None)
