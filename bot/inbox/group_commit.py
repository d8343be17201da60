"""Group commit: what many threads want written becomes durable in one transaction."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa

from bot.inbox.database import Database

log = logging.getLogger(__name__)

#: Writes the values in one go and returns an answer for each, in their order.
Operation = Callable[[sa.Connection, Sequence[Any]], Sequence[Any]]
#: Told once by the writer's thread what became of a write; nothing is written while it runs.
Then = Callable[["Pending"], None]

# More would only make the first of them wait longer for the last.
_MOST_TOGETHER = 256
_GATHER_SECONDS = 0.002


class Pending:
    """A write on its way."""

    __slots__ = ("answer", "error", "finished", "operation", "then", "value")

    def __init__(self, operation: Operation, value: object, then: Then | None) -> None:
        self.operation = operation
        self.value = value
        self.then = then
        self.answer: Any = None
        self.error: Exception | None = None
        # A bare lock is the cheapest thing one thread can wait at for another.
        self.finished = threading.Lock()
        self.finished.acquire()

    def result(self, *, timeout: float = 30.0) -> Any:
        """
        Return the operation's answer, once it is durable.

        Raises:
            TimeoutError: It took longer than *timeout* seconds; it may still become durable.
            Exception: Whatever the operation or the commit raised.
        """
        if not self.finished.acquire(timeout=timeout):
            raise TimeoutError("the database took too long")
        if self.error is not None:
            raise self.error
        return self.answer

    def finish(self) -> None:
        """Let those know who wait for it."""
        self.finished.release()
        if self.then is not None:
            try:
                self.then(self)
            except Exception:
                # The others of its commit, and the writer's thread, have nothing to do with it.
                log.exception("cannot tell that a write is done")


class Writer:
    """One thread that commits for all others of its process; start it after the last fork."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: sa.Connection | None = None
        self._jobs: queue.SimpleQueue[Pending | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    def submit(self, operation: Operation, value: object, then: Then | None = None) -> Pending:
        """Have *operation* write *value* with the next commit, and *then* told of it."""
        job = Pending(operation, value, then)
        self._jobs.put(job)
        return job

    def stop(self) -> None:
        """Commit what is waiting, then end the thread."""
        self._jobs.put(None)
        self._thread.join()
        self._disconnect()

    def _run(self) -> None:
        together = 1
        while (first := self._jobs.get()) is not None:
            if together > 1:
                # Where many write, the next few are on their way: one commit for all of them costs each less.
                time.sleep(_GATHER_SECONDS)
            batch = [first, *self._waiting()]
            jobs = [job for job in batch if job is not None]
            together = len(jobs)
            self._commit(jobs)
            if None in batch:
                return

    def _waiting(self) -> list[Pending | None]:
        batch: list[Pending | None] = []
        try:
            while len(batch) < _MOST_TOGETHER:
                batch.append(self._jobs.get_nowait())
        except queue.Empty:
            return batch
        return batch

    def _commit(self, jobs: list[Pending]) -> None:
        try:
            self._write(jobs)
        except Exception as error:  # noqa: BLE001  it belongs to those who wait, and the thread must live
            self._failed(jobs, error)
            return
        for job in jobs:
            job.finish()

    def _write(self, jobs: list[Pending], tries: int = 3) -> None:
        try:
            if self._connection is None:
                self._connection = self._database.connect()
            with self._database.transaction(self._connection):
                for operation in dict.fromkeys(job.operation for job in jobs):
                    group = [job for job in jobs if job.operation == operation]
                    answers = operation(self._connection, [job.value for job in group])
                    for job, answer in zip(group, answers, strict=True):
                        job.answer = answer
        except sa.exc.DBAPIError as error:
            if error.connection_invalidated:
                self._disconnect()
            # Whatever was written is taken back or, if the connection broke at the commit, known by its key or fence.
            if tries == 1 or not (error.connection_invalidated or _is_deadlock(error)):
                raise
            self._write(jobs, tries - 1)

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _failed(self, jobs: list[Pending], error: Exception) -> None:
        """Hand *error* to all if it is the database's; else find out whose it is by writing one at a time."""
        if len(jobs) > 1 and not isinstance(error, (sa.exc.OperationalError, sa.exc.InterfaceError)):
            for job in jobs:
                self._commit([job])
            return
        for job in jobs:
            job.error = error
            job.finish()


def _is_deadlock(error: sa.exc.DBAPIError) -> bool:
    """Two processes locked rows in opposite order, and PostgreSQL took one transaction back."""
    return getattr(error.orig, "sqlstate", None) == "40P01"
