"""The inbox against a model, for random sequences of calls (stateful test), on both databases."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from bot.inbox import queue as inbox_module
from bot.inbox.database import Database
from bot.inbox.oa_limits import RateLimit
from bot.inbox.queue import Inbox
from bot.inbox.sql.group_commit import GroupCommitWriter
from bot.inbox.states import Claim, Lease, StateChange
from bot.inbox.tables import accounts, events
from bot.zalo import Event
from tests.support.sqlite import new_sqlite_database

START = 1_790_000_000.0
LEASE = 30.0
RATE = RateLimit.per_minute(10_000_000)
USERS = ["u1", "u2", "u3"]


@dataclass
class Known:
    """The model's knowledge of one event."""

    number: int
    user: str
    due_at: float
    open: bool = True
    held: bool = False
    holder: int = 0
    human_at: float = 0.0


class InboxMachine(RuleBasedStateMachine):
    """Puts, claims, saves and waits; the model computes each expected result."""

    make_inbox: Callable[[Database, GroupCommitWriter], Inbox] = Inbox
    database: Database

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.known: dict[str, Known] = {}
        self.humans: dict[str, float] = {}
        self.claims: list[Claim] = []
        with self.database.write() as connection:
            connection.execute(sa.delete(events))
            connection.execute(sa.delete(accounts))
        self.writer = GroupCommitWriter(self.database)
        self.inbox = self.make_inbox(self.database, self.writer)

    def teardown(self) -> None:
        self.writer.stop()

    def event(self, key: str, user: str, name: str = "user_send_text") -> Event:
        echo = name.startswith("oa_")
        return Event(key, name, "app", "oa", user, key, self.now, "giá", None if echo else "text", echo, echo)

    @rule(number=st.integers(0, 12), user=st.sampled_from(USERS))
    def put(self, number: int, user: str) -> None:
        key = f"{user}-{number}"
        fresh = self.inbox.put(self.event(key, user), b"{}", now=self.now)
        assert fresh is (key not in self.known)
        self.known.setdefault(key, Known(len(self.known), user, self.now))

    @rule(user=st.sampled_from(USERS))
    def human(self, user: str) -> None:
        self.inbox.put(self.event(f"human-{self.now}-{user}", user, "oa_send_text"), b"{}", now=self.now)
        self.humans[user] = self.now

    def due(self) -> list[str]:
        heads: dict[str, str] = {}
        for key, known in sorted(self.known.items(), key=lambda item: item[1].number):
            if known.open:
                heads.setdefault(known.user, key)
        ready = [key for key in heads.values() if not self.known[key].held and self.known[key].due_at <= self.now]
        return sorted(ready, key=lambda key: (self.known[key].due_at, self.known[key].number))

    @rule(most=st.integers(1, 4))
    def claim(self, most: int) -> None:
        expected = self.due()[:most]
        claims = self.inbox.claim(most, now=self.now, lease=LEASE, rate=RATE)
        assert sorted(c.key for c in claims) == sorted(expected)
        for claimed in claims:
            known = self.known[claimed.key]
            known.holder += 1
            known.held = True
            known.due_at = self.now + LEASE
            assert claimed.user_id == known.user
            self.claims.append(replace(claimed, fence=known.holder))
            assert claimed.fence == known.holder

    @precondition(lambda self: self.claims)
    @rule()
    def human_to_a_waiting_user(self) -> None:
        """What makes a difference: not just anybody."""
        self.human(self.claims[-1].user_id)

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), status=st.sampled_from(["sent", "dead", "parked", "open"]), delay=st.integers(0, 100))
    def save(self, data: st.DataObject, status: str, delay: int) -> None:
        chosen = data.draw(st.lists(st.sampled_from(self.claims), min_size=1, max_size=3, unique_by=lambda c: c.id))
        mute = data.draw(st.sampled_from([None, 0.0, 20.0]))
        changes, expected = [], []
        for claimed in chosen:
            known = self.known[claimed.key]
            state = replace(claimed.state, status=status, due_at=self.now + delay)
            since = None if mute is None else self.now - mute
            changes.append(StateChange(claimed, state, unless_human_since=since))
            holds = known.open and known.holder == claimed.fence
            muted = since is not None and self.humans.get(known.user, 0.0) > since
            expected.append("lost" if not holds else "human" if muted else "saved")
        assert self.inbox.save(changes) == expected
        for claimed, answer in zip(chosen, expected, strict=True):
            if answer == "saved":
                self.known[claimed.key].open = status == "open"
                self.known[claimed.key].held = False
                self.known[claimed.key].due_at = self.now + delay

    @precondition(lambda self: self.claims)
    @rule(late=st.sampled_from([0, 20]), last=st.booleans(), data=st.data())
    def renew(self, late: int, *, last: bool, data: st.DataObject) -> None:
        self.now += late
        claimed = self.claims[-1] if last else data.draw(st.sampled_from(self.claims))
        self.renew_one(claimed)

    def renew_one(self, claimed: Claim) -> None:
        self.inbox.renew([claimed], now=self.now, lease=LEASE)
        known = self.known[claimed.key]
        if known.held and known.holder == claimed.fence:
            known.due_at = self.now + LEASE

    @precondition(lambda self: self.claims)
    @rule(wait=st.sampled_from([0, 31]), renewed=st.booleans())
    def release(self, wait: int, *, renewed: bool) -> None:
        """What seems to have ended is made due for all, but for a lease that is renewed after the look at it."""
        self.now += wait
        leases = self.inbox.overdue(now=self.now)
        overdue = {key: known for key, known in self.known.items() if known.held and known.due_at <= self.now}
        ids = {claimed.key: claimed.id for claimed in self.claims}
        assert {(lease.id, lease.fence) for lease in leases} == {(ids[key], k.holder) for key, k in overdue.items()}
        if renewed:
            self.renew_one(self.claims[-1])
        self.inbox.release(leases, now=self.now)
        for known in overdue.values():
            if known.due_at <= self.now:
                known.held, known.holder, known.due_at = False, known.holder + 1, self.now

    @rule(seconds=st.sampled_from([1, 15, 29, 31, 100]))
    def wait(self, seconds: int) -> None:
        self.now += seconds


def run(
    url: str,
    made: Callable[[Database, GroupCommitWriter], Inbox],
    *,
    examples: int,
    phases: Sequence[Phase] = tuple(Phase),
    derandomize: bool = False,
) -> None:
    chosen = settings(max_examples=examples, stateful_step_count=25, phases=phases, derandomize=derandomize)

    class Machine(InboxMachine):
        make_inbox = made
        database = Database(url)

    try:
        run_state_machine_as_test(Machine, settings=chosen)
    finally:
        Machine.database.dispose()


def test_the_inbox_agrees_with_the_model(database_url: str) -> None:
    """Every claim, save and put."""
    run(database_url, Inbox, examples=60, phases=[phase for phase in Phase if phase != Phase.reuse])


class _Forgetful(Inbox):
    """Accepts every save, even without the lease."""

    def save(self, changes: Sequence[StateChange]) -> list[inbox_module.SaveResult]:
        with self._database.read() as connection:
            ids = [change.claim.id for change in changes]
            rows = connection.execute(sa.select(events.c.id, events.c.fence).where(events.c.id.in_(ids)))
            fences = {row.id: row.fence for row in rows}
        return super().save([replace(c, claim=replace(c.claim, fence=fences[c.claim.id])) for c in changes])


class _Greedy(Inbox):
    """Claims one more than requested."""

    def claim(self, most: int, *, now: float, lease: float, rate: RateLimit) -> list[Claim]:
        return super().claim(most + 1, now=now, lease=lease, rate=rate)


class _Impatient(Inbox):
    """Its time is half a minute ahead, so that leases end early."""

    def overdue(self, *, now: float) -> list[Lease]:
        return super().overdue(now=now + 30)


class _Deaf(Inbox):
    """Does not check whether a person took over."""

    def save(self, changes: Sequence[StateChange]) -> list[inbox_module.SaveResult]:
        return super().save([replace(change, unless_human_since=None) for change in changes])


class _Disorderly(Inbox):
    """Ignores that a user's earlier event is open, by giving each event its own user."""

    def put(self, event: Event, body: bytes, *, now: float) -> bool:
        return super().put(replace(event, user_id=f"{event.user_id}/{event.key}"), body, now=now)


class _Credulous(Inbox):
    """Takes a redelivery for a new event."""

    def put(self, event: Event, body: bytes, *, now: float) -> bool:
        return super().put(replace(event, key=f"{event.key}-{now}"), body, now=now)


class _Unrenewing(Inbox):
    """Lets renewed leases end."""

    def renew(self, claims: object, *, now: float, lease: float) -> None:
        """Do nothing."""


SABOTAGE = [_Forgetful, _Greedy, _Impatient, _Deaf, _Disorderly, _Credulous, _Unrenewing]


@pytest.mark.long
@pytest.mark.parametrize("broken", SABOTAGE)
def test_the_model_finds_a_sabotaged_inbox(broken: type[Inbox], tmp_path: Path) -> None:
    """A machine that accepts anything would prove nothing. The examples are fixed, so that luck plays no part."""
    url = new_sqlite_database(tmp_path / "bot.db")
    with pytest.raises(AssertionError):
        run(url, broken, examples=3000, phases=[Phase.generate], derandomize=True)
