"""Clocks that a test sets."""

from __future__ import annotations

import time

#: In seconds since 1970: September 2026.
NOW = 1_790_000_000.0


class Clock:
    """A clock that only the test moves; it begins at NOW."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


class ShiftedClock:
    """This machine's clock plus an offset that the test may change at any time."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead
