"""Group commit by leader and follower: writes of many threads become durable in one transaction."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final

import sqlalchemy as sa

from bot.inbox.database import Database
from bot.inbox.sql.engine import storage_error

log = logging.getLogger(__name__)

#: Writes the values in one transaction and returns a result for each, in the same order.
Operation = Callable[[sa.Connection, Sequence[Any]], Sequence[Any]]

# The largest batch; with more, its first writes would wait too long.
_MAX_BATCH: Final = 256
_GATHER_SECONDS: Final = 0.002


class Future:
    """The outcome of a write. A thread may wait for it, and then perhaps commits for all; or register a callback."""

    __slots__ = (
        "_callbacks",
        "_wakes",
        "_writer",
        "answer",
        "error",
        "is_done",
        "is_one_statement",
        "is_waited_for",
        "leads",
        "operation",
        "value",
    )

    def __init__(
        self, writer: GroupCommitWriter, operation: Operation, value: object, *, is_one_statement: bool
    ) -> None:
        self._writer = writer
        self.operation = operation
        self.value = value
        self.is_one_statement = is_one_statement
        self.answer: Any = None
        self.error: Exception | None = None
        self.is_done = False
        self.is_waited_for = False
        self.leads = False
        """Whether the waiting thread has become the leader."""
        self._callbacks: list[Callable[[], object]] = []
        # A bare lock is the cheapest way for one thread to wait for another.
        self._wakes = threading.Lock()
        self._wakes.acquire()

    def result(self, *, timeout: float = 30.0) -> Any:
        """
        Return the operation's result once the write is durable; if no thread is committing, commit the queue here.

        Raises:
            TimeoutError: Another thread has been committing for more than *timeout* seconds; the write may still
                become durable.
            Exception: The error of the operation or the commit.
        """
        self._wait(timeout)
        if not self.is_done:
            raise TimeoutError("the database took too long")
        if self.error is not None:
            raise self.error
        return self.answer

    def add_done_callback(self, callback: Callable[[], object]) -> None:
        """Call *callback* when the write is done, in the thread that commits; at once if it is done already."""
        with self._writer.lock:
            if not self.is_done:
                self._callbacks.append(callback)
                return
        callback()

    def advance(self) -> None:
        """
        Commit what is queued, unless another thread is doing so.

        If that leader will leave before the queue is empty, this thread waits to take over; else it returns at once.
        """
        with self._writer.lock:
            if self.is_done:
                return
            self.leads = self._writer.take_lead()
            self.is_waited_for = not self.leads and self._writer.needs_heir()
        if self.is_waited_for:
            self._wakes.acquire()
        if self.leads:
            self._writer.lead()

    def wake(self) -> None:
        """Wake the waiting thread: the write is done, or the thread is the leader now."""
        self._wakes.release()

    def call_back(self) -> None:
        """Run the callbacks."""
        for callback in self._callbacks:
            try:
                callback()
            except Exception:
                # An error of one callback must not affect the others of the commit.
                log.exception("cannot tell that a write is done")

    def _wait(self, timeout: float) -> None:
        with self._writer.lock:
            if self.is_done:
                return
            self.leads = self._writer.take_lead()
            self.is_waited_for = not self.leads
        if not self.leads and not self._wakes.acquire(timeout=timeout):
            with self._writer.lock:
                self.is_waited_for = False  # from now on it is not offered the lead
        if self.leads:
            self._writer.lead(self)


class GroupCommitWriter:
    """
    Commits the writes of all threads of a process over one connection; do not use it across a fork.

    It has no thread of its own. One of the writing threads is the leader: it commits what is queued, batch by batch.
    Once its own write is done, it hands the lead to a waiting thread, as in LevelDB's write queue.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connections: dict[bool, sa.Connection] = {}
        """By whether they commit each statement."""
        self._queue: deque[Future] = deque()
        self._is_led = False
        self._leader_leaves = False
        """Whether the leader stops after its own write, and no thread waits to take over."""
        self._last_batch = 1
        #: Guards the queue, the lead and the flags of the futures.
        self.lock = threading.Lock()
        self._resigned = threading.Condition(self.lock)

    def submit(self, operation: Operation, value: object, *, one_statement: bool = False) -> Future:
        """
        Queue *value* for the next commit; call `Future.result` or `Future.advance` to make sure there is one.

        *one_statement*: on PostgreSQL the operation writes such values, any number of them, by a single statement.
        """
        future = Future(self, operation, value, is_one_statement=one_statement)
        with self.lock:
            self._queue.append(future)
        return future

    def stop(self) -> None:
        """Commit what is queued, then close the connection."""
        with self.lock:
            self._resigned.wait_for(self.take_lead)
        self.lead()
        self._disconnect()

    def take_lead(self) -> bool:
        """Take the lead if it is free, and return whether the caller, which holds the lock, must now call `lead`."""
        if self._is_led:
            return False
        self._is_led = True
        return True

    def needs_heir(self) -> bool:
        """Return whether the caller, which holds the lock, must wait to take over the lead."""
        needed, self._leader_leaves = self._leader_leaves, False
        return needed

    def lead(self, own: Future | None = None) -> None:
        """Commit batch by batch until the queue is empty or, if *own* is given, until it is done and another leads."""
        try:
            while batch := self._next_batch(leaves=own is not None):
                self._commit(batch)
                if own is not None and own.is_done and self._hand_over():
                    return
        except BaseException:
            with self.lock:
                self._resign()
            raise

    def _next_batch(self, *, leaves: bool) -> list[Future]:
        """Return the next batch; if it is empty, the lead has ended."""
        if self._last_batch > 1:
            # With many writers more writes are about to come: waiting for them makes one commit cheaper for each.
            time.sleep(_GATHER_SECONDS)
        with self.lock:
            batch = [self._queue.popleft() for _ in range(min(len(self._queue), _MAX_BATCH))]
            self._leader_leaves = leaves and not any(future.is_waited_for for future in self._queue)
            if not batch:
                self._resign()
        self._last_batch = len(batch)
        return batch

    def _hand_over(self) -> bool:
        """Hand the lead to a waiting thread; return False if no thread waits for a queued write."""
        with self.lock:
            heir = next((future for future in self._queue if future.is_waited_for), None)
            if heir is None:
                if is_empty := not self._queue:
                    self._resign()
                return is_empty
            heir.is_waited_for, heir.leads = False, True
        heir.wake()
        return True

    def _resign(self) -> None:
        self._is_led = False
        self._resigned.notify()

    def _commit(self, batch: list[Future]) -> None:
        try:
            self._write(batch)
        except Exception as error:  # noqa: BLE001  it belongs to those who wait
            self._fail(batch, error)
        else:
            self._settle(batch)

    def _settle(self, batch: list[Future]) -> None:
        with self.lock:
            for future in batch:
                future.is_done = True
        for future in batch:
            if future.is_waited_for:
                future.wake()
            future.call_back()

    def _write(self, batch: list[Future], tries: int = 3) -> None:
        try:
            connection = self._connect(batch)
            with self._database.transaction(connection):
                for operation in dict.fromkeys(future.operation for future in batch):
                    group = [future for future in batch if future.operation == operation]
                    answers = operation(connection, [future.value for future in group])
                    for future, answer in zip(group, answers, strict=True):
                        future.answer = answer
        except sa.exc.DBAPIError as error:
            if error.connection_invalidated:
                self._disconnect()
            # The writes were rolled back; if the connection broke at the commit, repeats are known by key or fence.
            if tries == 1 or not (error.connection_invalidated or _is_deadlock(error)):
                raise
            self._write(batch, tries - 1)

    def _connect(self, batch: Sequence[Future]) -> sa.Connection:
        """Return a connection; for a single statement one that commits it by itself, in one round trip, not three."""
        is_single = all(f.is_one_statement and f.operation == batch[0].operation for f in batch)
        autocommit = is_single and not self._database.is_sqlite
        connection = self._connections.get(autocommit)
        if connection is None:
            connection = self._connections[autocommit] = self._database.connect(autocommit=autocommit)
        return connection

    def _disconnect(self) -> None:
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()

    def _fail(self, batch: list[Future], error: Exception) -> None:
        """Fail the whole batch with an error of the database; for any other, write one at a time to find its cause."""
        if len(batch) > 1 and not isinstance(error, (sa.exc.OperationalError, sa.exc.InterfaceError)):
            for future in batch:
                self._commit([future])
            return
        failure = storage_error(error)
        if failure is not error:
            failure.__cause__ = error
        for future in batch:
            future.error = failure
        self._settle(batch)


def _is_deadlock(error: sa.exc.DBAPIError) -> bool:
    """Return whether PostgreSQL rolled back because two processes locked rows in opposite order."""
    return getattr(error.orig, "sqlstate", None) == "40P01"
