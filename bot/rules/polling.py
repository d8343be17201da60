"""A background thread that calls a function at regular intervals until it is stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable


class PollingThread:
    """
    Calls *poll*, which must not raise, every *seconds* seconds.

    If *poll* returns a number, the next call is so many seconds later.
    """

    def __init__(self, poll: Callable[[], float | None], *, name: str, seconds: float) -> None:
        self._poll = poll
        self._name = name
        self._seconds = seconds
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread; call it after the last fork."""
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()

    def stop(self, timeout: float | None = None) -> None:
        """End the thread after a poll in progress; wait for that at most *timeout* seconds, None: without a limit."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout)

    @property
    def is_stopping(self) -> bool:
        """Whether `stop` has been called; a poll in progress should end soon."""
        return self._stopping.is_set()

    def _run(self) -> None:
        pause: float | None = None
        while not self._stopping.wait(self._seconds if pause is None else pause):
            pause = self._poll()
