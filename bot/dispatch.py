"""The threads that deliver: one that claims and decides, several that send."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from bot import metrics
from bot.accounts import Rate
from bot.cpaas import Vendor
from bot.delivery import Delivery, account_failure, back_off, ignored, taken
from bot.errors import DeliveryError
from bot.inbox import Change, Claim, Inbox, Saved, State

T = TypeVar("T")

log = logging.getLogger(__name__)

_LEASE = 15.0
_RENEW_EVERY = 4.0
_POLL = 0.5
_TEND_EVERY = 60.0


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is sent at a time."""

    concurrency: int
    rate: Rate
    takeover_mute: float
    max_attempts: int


class Dispatcher:
    """Delivers what is due until it is stopped; any number of processes may do so on one database."""

    def __init__(
        self, inbox: Inbox, delivery: Delivery, vendor: Vendor, limits: Limits, now: Callable[[], float]
    ) -> None:
        self._inbox = inbox
        self._delivery = delivery
        self._vendor = vendor
        self._limits = limits
        self._now = now
        self._ready: queue.SimpleQueue[Claim | None] = queue.SimpleQueue()
        self._held: dict[int, Claim] = {}
        self._guard = threading.Lock()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        # A few more than can be sent at once, so that no sender waits for the next claim.
        self._capacity = limits.concurrency + (limits.concurrency + 1) // 2
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start the threads; call it after the last fork."""
        self._threads = [threading.Thread(target=self._dispatch, name="dispatcher", daemon=True)]
        self._threads += [
            threading.Thread(target=self._send, name=f"sender-{n}", daemon=True)
            for n in range(self._limits.concurrency)
        ]
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """Look for due events now: one has just come in."""
        self._wake.set()

    def stop(self, *, timeout: float) -> None:
        """Claim nothing more, give back what has not begun, and wait for what has, up to *timeout* seconds."""
        self._stopping.set()
        self._wake.set()
        for thread in self._threads:
            thread.join(timeout)

    # The dispatcher's thread

    def _dispatch(self) -> None:
        renewed = tended = float("-inf")
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                now = self._now()
                if now - renewed > _RENEW_EVERY:
                    self._inbox.renew(self._in_hand(), now=now, lease=_LEASE)
                    renewed = now
                if now - tended > _TEND_EVERY:
                    self._inbox.mend_times(now=now)
                    tended = now
                more = self._claim(now)
            except Exception:
                # The database is away: every event stays where it is until it is back.
                log.exception("cannot claim events")
                self._stopping.wait(_POLL)
                continue
            if not more:
                self._wake.wait(_POLL)
        self._give_back()

    def _claim(self, now: float) -> bool:
        """Claim as many due events as there is room for; return whether more are likely to be due."""
        room = self._room()
        if room < self._worthwhile():
            return False
        claims = self._inbox.claim(room, now=now, lease=_LEASE, rate=self._limits.rate)
        calls: dict[str, int] = {}
        changes = []
        for claim in claims:
            state = self._prepare(claim, now)
            to_send = state.status == "open" and state.due_at <= now
            wanted = len(state.images or ()) - state.progress if to_send else 0
            calls[claim.oa_id] = calls.get(claim.oa_id, 0) + wanted - 1
            if to_send:
                self._hand_over(replace(claim, state=state))
            else:
                changes.append(Change(claim, state))
        _count(changes, self._inbox.save(changes))
        self._inbox.charge(calls, now=now, rate=self._limits.rate)
        return len(claims) == room

    def _prepare(self, claim: Claim, now: float) -> State:
        try:
            return self._delivery.prepare(claim, now=now)
        except Exception:
            # A fault of ours must not come back for ever, nor hold up the user's later events.
            log.exception("cannot decide", extra={"event": claim.id})
            attempts = claim.state.attempts + 1
            if attempts >= self._limits.max_attempts:
                return replace(claim.state, status="dead", reason="fault", attempts=attempts, settled_at=now)
            return replace(claim.state, attempts=attempts, due_at=now + back_off(attempts))

    def _hand_over(self, claim: Claim) -> None:
        with self._guard:
            self._held[claim.id] = claim
        self._ready.put(claim)

    def _give_back(self) -> None:
        waiting = []
        try:
            while True:
                claim = self._ready.get_nowait()
                if claim is not None:
                    waiting.append(claim)
        except queue.Empty:
            pass
        self._ready.put(None)  # each sender that sees it passes it on
        now = self._now()
        self._inbox.save([Change(claim, replace(claim.state, due_at=now)) for claim in waiting])

    def _in_hand(self) -> list[Claim]:
        with self._guard:
            return list(self._held.values())

    def _room(self) -> int:
        with self._guard:
            return self._capacity - len(self._held)

    def _worthwhile(self) -> int:
        return max(1, self._capacity // 4)

    # The senders' threads

    def _send(self) -> None:
        finished: Change | None = None
        while True:
            claim = self._next(wait=finished is None)
            if claim is None and finished is None:
                return
            finished = self._exchange(finished, claim)

    def _next(self, *, wait: bool) -> Claim | None:
        """Return the next event to send; None if there is none, or, where it waits, when it is time to stop."""
        try:
            claim = self._ready.get(wait)
        except queue.Empty:
            return None
        if claim is None:
            self._ready.put(None)  # for the next sender
        return claim

    def _exchange(self, finished: Change | None, claim: Claim | None) -> Change | None:
        """Store the end of one event and the beginning of the next in one commit; return the next one's end."""
        begun = self._begin(claim) if claim else None
        outcomes = self._save([change for change in (finished, begun) if change])
        if finished:
            self._let_go(finished.claim)
        if begun is None:
            return None
        return self._deliver(begun, outcomes[-1])

    def _begin(self, claim: Claim) -> Change:
        """Return the event's state for as long as a call is out whose outcome is not stored."""
        now = self._now()
        state = replace(claim.state, attempted_at=now, due_at=now + _LEASE, leased=True)
        return Change(replace(claim, state=state), state, unless_human_since=now - self._limits.takeover_mute)

    def _deliver(self, begun: Change, outcome: Saved) -> Change | None:
        """Send the event's pictures, its progress stored before each; return what became of it, to be stored."""
        claim = begun.claim
        while outcome == "saved":
            state = self._call(claim)
            if state.status != "open" or state.progress == claim.state.progress:
                return Change(claim, state)
            begun = self._begin(replace(claim, state=state))
            claim = begun.claim
            outcome = self._save([begun])[0]
        if outcome == "human":
            return Change(claim, ignored(claim, "human", now=self._now()))
        log.warning("lease lost before sending", extra={"event": claim.id})
        self._let_go(claim)
        return None

    def _call(self, claim: Claim) -> State:
        """Send the event's next picture and return the state that the vendor's answer makes of it."""
        image = (claim.state.images or [])[claim.state.progress]
        try:
            with metrics.sending():
                receipt = self._vendor.send_image(oa_id=claim.oa_id, user_id=claim.user_id, image=image)
        except DeliveryError as error:
            return self._not_taken(claim, error)
        if claim.troubled:
            self._persist(lambda: self._inbox.note_success(claim.oa_id))
        now = self._now()
        took = round((now - claim.received_at) * 1000)
        log.info(
            "sent", extra={"event": claim.id, "rule": claim.state.rule_id, "ms": took, "vendor_id": receipt.msg_id}
        )
        return taken(claim, receipt, now=now)

    def _not_taken(self, claim: Claim, error: DeliveryError) -> State:
        now = self._now()
        failure = account_failure(claim, error, now=now)
        closed = failure is not None and bool(self._persist(lambda: self._inbox.note_failure(failure)))
        state = self._delivery.not_taken(claim, error, closed=closed, now=now)
        fields = {"event": claim.id, "outcome": type(error).__name__, "status": state.status, "error": str(error)}
        log.warning("not sent", extra=fields | {"account": "closed" if closed else "open"})
        return state

    def _save(self, changes: list[Change]) -> list[Saved]:
        outcomes = self._persist(lambda: self._inbox.save(changes)) or ["lost"] * len(changes)
        _count(changes, outcomes)
        return outcomes

    def _persist(self, write: Callable[[], T]) -> T | None:
        """Return what *write* returns, trying again while the database is away; None if it stays away at the end."""
        while True:
            try:
                return write()
            except Exception:
                # What the vendor answered is known to nobody else.
                log.exception("cannot store what became of events")
                if self._stopping.wait(_POLL):
                    return None

    def _let_go(self, claim: Claim) -> None:
        with self._guard:
            self._held.pop(claim.id, None)
            room = self._capacity - len(self._held)
        if room >= self._worthwhile():
            self._wake.set()


def _count(changes: list[Change], outcomes: list[Saved]) -> None:
    for change, outcome in zip(changes, outcomes, strict=True):
        if outcome == "saved" and change.state.status != "open":
            metrics.settled(change.state.status, change.state.reason, change.state.rule_id)
