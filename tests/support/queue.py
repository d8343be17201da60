"""Events for the inbox, and claims on them, at a given time."""

from __future__ import annotations

from dataclasses import replace

from bot.inbox.oa_limits import RateLimit
from bot.inbox.queue import Claim, Inbox, StateChange
from bot.zalo import Event
from tests.support.clock import NOW

RATE = RateLimit.per_minute(100_000)
LEASE = 30.0


def event(key: str, *, user: str = "u1", oa: str = "oa1", name: str = "user_send_text", msg_id: str = "") -> Event:
    """An event of *user* with the given key."""
    echo = name.startswith("oa_")
    return Event(
        key=key, name=name, app_id="1", oa_id=oa, user_id=user, msg_id=msg_id or key, sent_at=NOW, text="giá",
        on=None if echo else "text", is_echo=echo, by_human=False,
    )  # fmt: skip


def put(inbox: Inbox, *events: Event, now: float = NOW) -> None:
    for one in events:
        assert inbox.put(one, b"{}", now=now)


def claim(inbox: Inbox, most: int = 10, *, now: float = NOW, rate: RateLimit = RATE) -> list[Claim]:
    return inbox.claim(most, now=now, lease=LEASE, rate=rate)


def keys(claims: list[Claim]) -> list[str]:
    return [c.key for c in claims]


def settle(inbox: Inbox, claimed: Claim) -> str:
    return inbox.save([StateChange(claimed, replace(claimed.state, status="sent", settled_at=NOW))])[0]
