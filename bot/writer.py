"""Group commit: what many threads want written becomes durable in one transaction."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa

from bot.database import Database

#: Writes the values in one go and returns an answer for each, in their order.
Operation = Callable[[sa.Connection, Sequence[Any]], Sequence[Any]]

# More would only make the first of them wait longer for the last.
_MOST_TOGETHER = 256
_DEADLOCK = "40P01"


class Pending:
    """A write on its way."""

    __slots__ = ("answer", "error", "finished", "operation", "value")

    def __init__(self, operation: Operation, value: object) -> None:
        self.operation = operation
        self.value = value
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


class Writer:
    """One thread that commits for all others of its process; start it after the last fork."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._jobs: queue.SimpleQueue[Pending | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    def submit(self, operation: Operation, value: object) -> Pending:
        """Have *operation* write *value* with the next commit."""
        job = Pending(operation, value)
        self._jobs.put(job)
        return job

    def stop(self) -> None:
        """Commit what is waiting, then end the thread."""
        self._jobs.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (first := self._jobs.get()) is not None:
            batch = [first, *self._waiting()]
            ends = None in batch
            self._commit([job for job in batch if job is not None])
            if ends:
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
            job.finished.release()

    def _write(self, jobs: list[Pending], tries: int = 3) -> None:
        try:
            with self._database.write() as connection:
                for operation in dict.fromkeys(job.operation for job in jobs):
                    group = [job for job in jobs if job.operation == operation]
                    answers = operation(connection, [job.value for job in group])
                    for job, answer in zip(group, answers, strict=True):
                        job.answer = answer
        except sa.exc.OperationalError as error:
            # Two processes locked rows in opposite order; PostgreSQL took this one back, whole.
            if getattr(error.orig, "sqlstate", None) != _DEADLOCK or tries == 1:
                raise
            self._write(jobs, tries - 1)

    def _failed(self, jobs: list[Pending], error: Exception) -> None:
        """Hand *error* to all if it is the database's; else find out whose it is by writing one at a time."""
        if len(jobs) > 1 and not isinstance(error, (sa.exc.OperationalError, sa.exc.InterfaceError)):
            for job in jobs:
                self._commit([job])
            return
        for job in jobs:
            job.error = error
            job.finished.release()
