"""The time of tests that choose it."""

from __future__ import annotations

#: In seconds since 1970: September 2026.
NOW = 1_790_000_000.0


class Clock:
    """A clock that only the test moves; it begins at NOW."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now
