"""Check within a time limit that the database takes writes, even if it hangs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from bot.errors import StorageError

T = TypeVar("T")

#: The caller waits this long at most, in seconds; a load balancer gives up soon.
ANSWER_SECONDS: Final = 0.7


@dataclass(frozen=True, slots=True)
class _Result(Generic[T]):
    value: T | None
    error: StorageError | None
    at: float


class BoundedCheck(Generic[T]):
    """
    Runs a check of the database in a thread, one at a time for all callers.

    A result younger than *fresh* seconds is used again.
    """

    def __init__(self, check: Callable[[], T], *, fresh: float = 0.5) -> None:
        self._check = check
        self._fresh = fresh
        self._changed = threading.Condition()
        self._result: _Result[T] | None = None
        self._is_running = False

    def result(self) -> T:
        """
        Return the result of the check.

        Raises:
            StorageError: The check raised it, or there was no result within ANSWER_SECONDS.
        """
        started = time.monotonic()
        with self._changed:
            if not self._is_running and not self._is_fresh(started):
                self._is_running = True
                threading.Thread(target=self._run, name="database-check", daemon=True).start()
            self._changed.wait_for(lambda: self._is_fresh(started), ANSWER_SECONDS)
            result = self._result
        if result is None or result.at <= started - self._fresh:
            raise StorageError("it does not answer in time")
        if result.error is not None:
            raise result.error
        return result.value  # type: ignore[return-value]  # set if there is no error

    def _is_fresh(self, now: float) -> bool:
        return self._result is not None and self._result.at > now - self._fresh

    def _run(self) -> None:
        value, error = None, None
        try:
            value = self._check()
        except StorageError as failure:
            error = failure
        except Exception as failure:  # noqa: BLE001  who waits must hear of it
            error = StorageError(type(failure).__name__)
        with self._changed:
            self._result = _Result(value, error, time.monotonic())
            self._is_running = False
            self._changed.notify_all()
