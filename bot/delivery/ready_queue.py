"""Claims that wait for a sender: oldest first, with a limit of concurrent senders per OA."""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Mapping
from typing import Final

from bot.inbox.states import Claim

# An OA hangs if this many of its calls have been unanswered for this long, without an answer to any other.
_HANGING_CALLS: Final = 5
_HANGING_SECONDS: Final = 2.5


class ReadyQueue:
    """Hands claims to threads; an OA whose calls hang does not take the senders of others."""

    def __init__(self, share: int) -> None:
        self._share = share
        self._waiting: deque[Claim] = deque()
        self._out: dict[int, tuple[Claim, float]] = {}
        self._busy = Counter[str]()
        self._answered_at: dict[str, float] = {}
        self._is_closed = False
        self._changed = threading.Condition()

    def put(self, claim: Claim) -> None:
        """Queue the claim for a thread."""
        with self._changed:
            self._waiting.append(claim)
            self._changed.notify()

    def get(self, *, wait: bool) -> Claim | None:
        """Return the next claim whose OA is below its limit; None if there is none or, with *wait*, after `close`."""
        with self._changed:
            while (claim := self._take()) is None:
                if self._is_closed or not wait:
                    return None
                self._changed.wait()
            return claim

    def done(self, claim: Claim) -> None:
        """Count the claim's calls as answered."""
        with self._changed:
            if claim.id not in self._out:
                return
            _, began = self._out.pop(claim.id)
            self._busy[claim.oa_id] -= 1
            if time.monotonic() - began < _HANGING_SECONDS:
                self._answered_at[claim.oa_id] = time.monotonic()
            if self._waiting:  # one of its OA may go now
                self._changed.notify()

    def close(self) -> list[Claim]:
        """Stop handing out claims, and return those that are left."""
        with self._changed:
            self._is_closed = True
            left = [*self._waiting]
            self._waiting.clear()
            self._changed.notify_all()
        return left

    def hanging(self) -> Mapping[str, Claim]:
        """Return one claim of each OA whose calls hang, by OA id."""
        now = time.monotonic()
        late: defaultdict[str, list[tuple[float, Claim]]] = defaultdict(list)
        with self._changed:
            for claim, began in self._out.values():
                if now - began > _HANGING_SECONDS:
                    late[claim.oa_id].append((began, claim))
            return {
                oa_id: calls[0][1]
                for oa_id, calls in late.items()
                if len(calls) >= min(_HANGING_CALLS, self._share)
                and self._answered_at.get(oa_id, 0.0) < min(began for began, _ in calls)
            }

    def _take(self) -> Claim | None:
        for position, claim in enumerate(self._waiting):
            if self._busy[claim.oa_id] < self._share:
                del self._waiting[position]
                self._out[claim.id] = claim, time.monotonic()
                self._busy[claim.oa_id] += 1
                return claim
        return None
