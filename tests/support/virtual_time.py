"""Hours of delivery in a moment: the real inbox and the real decisions, with time and the vendor's answers given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import sqlalchemy as sa

from bot.cpaas import Receipt
from bot.delivery.transitions import Transitions, after_success, oa_failure
from bot.errors import DeliveryError
from bot.inbox.database import Database
from bot.inbox.oa_limits import RateLimit
from bot.inbox.queue import Claim, Inbox, State, StateChange
from bot.inbox.tables import accounts, events

LEASE = 10.0
RATE = RateLimit.per_minute(4000)

#: What the vendor does with a picture at a time: it takes it, or fails as `bot.cpaas.CpaasClient` does.
Answer = Callable[[Claim, float], Receipt]


@dataclass(frozen=True)
class Call:
    """One call of the vendor."""

    at: float
    key: str
    """The event's."""
    image: str
    error: DeliveryError | None


@dataclass
class VirtualDeliverer:
    """Delivers one event after the other, and goes from one time at which something is due to the next."""

    database: Database
    inbox: Inbox
    delivery: Transitions
    answer: Answer
    now: float
    calls: list[Call] = field(default_factory=list)

    def run(self, until: float) -> None:
        """Deliver until then, or until nothing is left that time alone would make due."""
        while self.now <= until:
            while claims := self.inbox.claim(5, now=self.now, lease=LEASE, rate=RATE):
                for claim in claims:
                    self._deliver(claim)
            later = self._next_time()
            if later is None:
                return
            self.now = later

    def states(self) -> dict[str, tuple[str, str | None, int]]:
        """Return the status, reason and counted attempts of each event by its key, without echoes."""
        query = sa.select(events.c.key, events.c.status, events.c.reason, events.c.attempts).order_by(events.c.id)
        with self.database.read() as connection:
            rows = connection.execute(query.where(events.c.kind.is_not(None))).all()
        return {row.key: (row.status, row.reason, row.attempts) for row in rows}

    def _next_time(self) -> float | None:
        later = [
            sa.select(sa.func.min(column)).where(column > self.now, *conditions)
            for column, *conditions in ((events.c.due_at, events.c.status == "open"), (accounts.c.closed_until,))
        ]
        with self.database.read() as connection:
            times = [time for query in later if (time := connection.execute(query).scalar()) is not None]
        return min(times, default=None)

    def _deliver(self, claim: Claim) -> None:
        state = self.delivery.next_state(claim, now=self.now)
        while state.status == "open" and state.due_at <= self.now:
            begun = replace(state, attempted_at=self.now, due_at=self.now + LEASE)
            claim = replace(claim, state=begun)
            assert self.inbox.save([StateChange(claim, replace(begun, leased=True))]) == ["saved"]
            state = self._call(claim)
            if state.progress == begun.progress:
                break
        assert self.inbox.save([StateChange(claim, state)]) == ["saved"]

    def _call(self, claim: Claim) -> State:
        image = next(iter((claim.state.images or [])[claim.state.progress].values()))
        try:
            receipt = self.answer(claim, self.now)
        except DeliveryError as error:
            self.calls.append(Call(self.now, claim.key, image, error))
            failure = oa_failure(claim, error, now=self.now)
            paused = failure is not None and self.inbox.record_failure(failure)
            return self.delivery.after_failure(claim, error, paused=paused, now=self.now)
        self.calls.append(Call(self.now, claim.key, image, None))
        self.inbox.record_success(claim.oa_id)
        return after_success(claim, receipt, now=self.now)
