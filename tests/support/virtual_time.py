"""Simulate hours of delivery in virtual time: the real inbox, decisions and sender, with scripted vendor answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import sqlalchemy as sa

from bot.config import Settings
from bot.cpaas import CpaasClient, Receipt
from bot.delivery.images import ImageResolver
from bot.delivery.sender import Sender
from bot.delivery.settings import DeliverySettings
from bot.delivery.transitions import Transitions
from bot.errors import DeliveryError
from bot.inbox.database import Database
from bot.inbox.oa_limits import RateLimit
from bot.inbox.queue import Inbox
from bot.inbox.states import Claim, State, StateChange
from bot.inbox.tables import accounts, events
from bot.rules.engine import RuleSet

LEASE = 10.0
SETTINGS = DeliverySettings(
    concurrency=1,
    oa_share=1,
    rate=RateLimit.per_minute(4000),
    reply_window=48 * 3600.0,
    takeover_mute=1800.0,
    max_attempts=8,
)

#: The vendor's answer to an image at a time: a receipt, or an error of `bot.cpaas.CpaasClient`.
Answer = Callable[[Claim, float], Receipt]


@dataclass(frozen=True)
class Call:
    """One vendor call."""

    at: float
    key: str
    """The event key."""
    image: str
    error: DeliveryError | None


class _Vendor(CpaasClient):
    """Answers as scripted, and records the calls."""

    def __init__(self, virtual: VirtualDeliverer) -> None:
        super().__init__(Settings.model_validate({"cpaas_api_key": "k", "cpaas_access_token": "t"}))
        self._virtual = virtual

    def send_image(self, *, oa_id: str, user_id: str, image: Mapping[str, str]) -> Receipt:
        virtual = self._virtual
        assert virtual.sending is not None
        error = None
        try:
            return virtual.answer(virtual.sending, virtual.now)
        except DeliveryError as failure:
            error = failure
            raise
        finally:
            virtual.calls.append(Call(virtual.now, virtual.sending.key, next(iter(image.values())), error))


class _Sender(Sender):
    """A sender that reports which event it sends."""

    virtual: VirtualDeliverer

    def attempt(self, claim: Claim, clock: Callable[[], float]) -> State:
        self.virtual.sending = claim
        return super().attempt(claim, clock)


@dataclass
class VirtualDeliverer:
    """Delivers one event after the other, advancing the clock to the next time at which something is due."""

    database: Database
    inbox: Inbox
    images: ImageResolver
    rules: RuleSet
    answer: Answer
    now: float
    settings: DeliverySettings = SETTINGS
    calls: list[Call] = field(default_factory=list)
    sending: Claim | None = None

    def __post_init__(self) -> None:
        transitions = Transitions(self.inbox, lambda: self.rules, self.settings)
        self.sender = _Sender(self.inbox, transitions, self.images, _Vendor(self), self.settings)
        self.sender.virtual = self

    def run(self, until: float) -> None:
        """Deliver until *until*, or until nothing will become due."""
        while self.now <= until:
            while claims := self.inbox.claim(5, now=self.now, lease=LEASE, rate=self.settings.rate):
                for claim in claims:
                    self.deliver(claim)
            later = self._next_time()
            if later is None:
                return
            self.now = later

    def deliver(self, claim: Claim) -> None:
        """Decide, send, and store the outcome of an event."""
        state = self.sender.next_state(claim, now=self.now)
        if state.status == "open" and state.due_at <= self.now:
            begun = self.sender.begin(replace(claim, state=state), now=self.now)
            [saved] = self.sender.save([begun])
            ended = self.sender.deliver(begun, saved, lambda: self.now)
        else:
            ended = StateChange(claim, state)
        assert ended is not None
        assert self.sender.save([ended]) == ["saved"]

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
