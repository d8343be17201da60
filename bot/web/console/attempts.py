"""How often somebody may try a password."""

from __future__ import annotations

import threading
from collections import deque

#: Wrong passwords that one address, and that all addresses together, may give in `WINDOW` seconds.
MOST_BY_ADDRESS = 5
MOST = 50
WINDOW = 300.0


class Attempts:
    """
    The wrong passwords of the last minutes, in this process alone; safe for threads.

    Of N processes each counts for itself, so that a guesser gets at most N times `MOST`: a few hundred guesses an
    hour at a password of ten characters.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wrong: deque[tuple[float, str]] = deque()

    def begin(self, address: str, *, now: float) -> float:
        """Return for how many seconds *address* must wait; 0: it may try, which counts as wrong until `forgive`."""
        with self._lock:
            while self._wrong and self._wrong[0][0] <= now - WINDOW:
                self._wrong.popleft()
            everyone = [at for at, _ in self._wrong]
            theirs = [at for at, who in self._wrong if who == address]
            for attempts, most in ((theirs, MOST_BY_ADDRESS), (everyone, MOST)):
                if len(attempts) >= most:
                    return attempts[0] + WINDOW - now
            self._wrong.append((now, address))
            return 0.0

    def forgive(self, address: str) -> None:
        """Forget the attempts of an address that knew the password in the end."""
        with self._lock:
            self._wrong = deque((at, who) for at, who in self._wrong if who != address)
