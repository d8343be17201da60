"""The threads that deliver: one that claims and decides, several that send."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from bot import logs, metrics
from bot.cpaas import CpaasClient
from bot.delivery.transitions import Transitions, after_success, as_ignored, back_off, oa_failure
from bot.errors import DeliveryError, NotNow, OutcomeUnknown
from bot.inbox.oa_limits import RateLimit
from bot.inbox.queue import Claim, Inbox, Lease, SaveResult, State, StateChange
from bot.rules.engine import FALLBACK

T = TypeVar("T")

log = logging.getLogger(__name__)

_LEASE_SECONDS = 6.0
_RENEW_SECONDS = 2.0
# A holder that lives has renewed its lease between the first of so many looks and the last.
_STALE_AFTER_POLLS = 3
_POLL_SECONDS = 0.5
_CLAMP_SECONDS = 60.0
# Clocks are moved by less than this all the time.
_CLOCK_STEP_SECONDS = 1.0
# What is put off further than this by a clock that was set back need not wait for it.
_MAX_DELAY_AFTER_STEP_SECONDS = 60.0
# Beyond this, an event that was begun may be another's by now.
_MAX_BEGIN_TO_CALL_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is sent at a time."""

    concurrency: int
    rate: RateLimit
    takeover_mute: float
    max_attempts: int


class Dispatcher:
    """Delivers what is due until it is stopped; any number of processes may do so on one database."""

    def __init__(
        self, inbox: Inbox, transitions: Transitions, vendor: CpaasClient, limits: Limits, now: Callable[[], float]
    ) -> None:
        self._inbox = inbox
        self._transitions = transitions
        self._vendor = vendor
        self._limits = limits
        self._now = now
        self._ready: queue.SimpleQueue[Claim | None] = queue.SimpleQueue()
        self._claimed: dict[int, Claim] = {}
        self._overdue: dict[Lease, int] = {}
        # OAs of which a call has failed here since one succeeded: claims made before do not know it.
        self._failing: set[str] = set()
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
        before = renewed = clamped = float("-inf")
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                now = self._now()
                if now < before - _CLOCK_STEP_SECONDS:
                    self._inbox.clamp_future_times(now=now, max_delay=_MAX_DELAY_AFTER_STEP_SECONDS)
                    renewed = clamped = now - _CLAMP_SECONDS
                before = now
                if now - renewed >= _RENEW_SECONDS:
                    self._inbox.renew(self._claimed_here(), now=now, lease=_LEASE_SECONDS)
                    self._release_abandoned(now)
                    renewed = now
                if now - clamped >= _CLAMP_SECONDS:
                    self._inbox.clamp_future_times(now=now)
                    clamped = now
                more = self._claim(now)
            except Exception:
                # The database is away: every event stays where it is until it is back.
                log.exception("cannot claim events")
                self._overdue.clear()
                self._stopping.wait(_POLL_SECONDS)
                continue
            if not more:
                self._wake.wait(_POLL_SECONDS)
        self._return_unsent()

    def _release_abandoned(self, now: float) -> None:
        """
        Make due what other processes hold and no longer renew.

        That a lease has ended is a matter of clocks, which may have been set, and of a database that may have been
        away; that it stands still from look to look is seen.
        """
        self._overdue = {lease: self._overdue.get(lease, 0) + 1 for lease in self._inbox.overdue(now=now)}
        self._inbox.release([lease for lease, looks in self._overdue.items() if looks >= _STALE_AFTER_POLLS], now=now)

    def _claim(self, now: float) -> bool:
        """Claim as many due events as there is room for; return whether more are likely to be due."""
        room = self._free_slots()
        if room < self._min_batch():
            return False
        claims = self._inbox.claim(room, now=now, lease=_LEASE_SECONDS, rate=self._limits.rate)
        calls: dict[str, int] = {}
        changes = []
        for claim in claims:
            state = self._next_state(claim, now)
            to_send = state.status == "open" and state.due_at <= now
            wanted = len(state.images or ()) - state.progress if to_send else 0
            calls[claim.oa_id] = calls.get(claim.oa_id, 0) + wanted - 1
            if to_send:
                self._enqueue(replace(claim, state=state))
            else:
                changes.append(StateChange(claim, state))
        _count(changes, self._inbox.save(changes))
        self._inbox.consume(calls, now=now, rate=self._limits.rate)
        return len(claims) == room

    def _next_state(self, claim: Claim, now: float) -> State:
        try:
            return self._transitions.next_state(claim, now=now)
        except Exception:
            # A fault of ours must not come back for ever, nor hold up the user's later events.
            log.exception("cannot decide", extra=logs.about(claim.key, claim.id))
            attempts = claim.state.attempts + 1
            if attempts >= self._limits.max_attempts:
                return replace(claim.state, status="dead", reason="fault", attempts=attempts, settled_at=now)
            return replace(claim.state, attempts=attempts, due_at=now + back_off(attempts))

    def _enqueue(self, claim: Claim) -> None:
        with self._guard:
            self._claimed[claim.id] = claim
        self._ready.put(claim)

    def _return_unsent(self) -> None:
        """Let others have what has not begun; if the database is away, they take it when its leases have ended."""
        waiting = []
        try:
            while True:
                claim = self._ready.get_nowait()
                if claim is not None:
                    waiting.append(claim)
        except queue.Empty:
            pass
        self._ready.put(None)  # each sender that sees it passes it on
        try:
            now = self._now()
            self._inbox.save([StateChange(claim, replace(claim.state, due_at=now)) for claim in waiting])
        except Exception:
            log.exception("cannot give back events")

    def _claimed_here(self) -> list[Claim]:
        with self._guard:
            return list(self._claimed.values())

    def _free_slots(self) -> int:
        with self._guard:
            return self._capacity - len(self._claimed)

    def _min_batch(self) -> int:
        return max(1, self._capacity // 4)

    # The senders' threads

    def _send(self) -> None:
        finished: StateChange | None = None
        while True:
            claim = self._next(wait=finished is None)
            if claim is None and finished is None:
                return
            finished = self._finish_and_begin(finished, claim)

    def _next(self, *, wait: bool) -> Claim | None:
        """Return the next event to send; None if there is none, or, where it waits, when it is time to stop."""
        try:
            claim = self._ready.get(wait)
        except queue.Empty:
            return None
        if claim is None:
            self._ready.put(None)  # for the next sender
        return claim

    def _finish_and_begin(self, finished: StateChange | None, claim: Claim | None) -> StateChange | None:
        """Store the end of one event and the beginning of the next in one commit; return the next one's end."""
        begun = self._begin(claim) if claim else None
        outcomes = self._save([change for change in (finished, begun) if change])
        if finished:
            self._release(finished.claim)
        if begun is None:
            return None
        return self._deliver(begun, outcomes[-1])

    def _begin(self, claim: Claim) -> StateChange:
        """Return the event's state for as long as a call is out whose outcome is not stored."""
        now = self._now()
        state = replace(claim.state, attempted_at=now, due_at=now + _LEASE_SECONDS)
        held = replace(state, leased=True)
        return StateChange(replace(claim, state=state), held, unless_human_since=now - self._limits.takeover_mute)

    def _deliver(self, begun: StateChange, outcome: SaveResult) -> StateChange | None:
        """Send the event's pictures, its progress stored before each; return what became of it, to be stored."""
        claim = begun.claim
        while outcome == "saved":
            state = claim.state
            if self._now() - (state.attempted_at or 0.0) < _MAX_BEGIN_TO_CALL_SECONDS:
                state = self._attempt(claim)
                if state.status != "open" or state.progress == claim.state.progress:
                    return StateChange(claim, state)
            # The next picture; or this one, if this process stood still so long that the event may be another's.
            begun = self._begin(replace(claim, state=state))
            claim = begun.claim
            outcome = self._save([begun])[0]
        if outcome == "human":
            return StateChange(claim, as_ignored(claim, "human", now=self._now()))
        log.warning("lease lost before sending", extra=logs.about(claim.key, claim.id))
        self._release(claim)
        return None

    def _attempt(self, claim: Claim) -> State:
        """Send the event's next picture and return the state that the vendor's answer makes of it."""
        image = None
        try:
            image = self._transitions.next_image(claim, now=self._now())
            with metrics.sending():
                receipt = self._vendor.send_image(oa_id=claim.oa_id, user_id=claim.user_id, image=image)
        except DeliveryError as error:
            return self._on_failure(claim, error)
        except Exception as error:
            # A fault of ours must not end the thread; once the call may have begun, nobody knows what came of it.
            log.exception("cannot send", extra=logs.about(claim.key, claim.id))
            kind = NotNow if image is None else OutcomeUnknown
            return self._on_failure(claim, kind(f"fault: {type(error).__name__}"))
        if claim.oa_is_failing or claim.oa_id in self._failing:
            self._failing.discard(claim.oa_id)
            self._retry_until_stored(lambda: self._inbox.record_success(claim.oa_id))
        now = self._now()
        took = round((now - claim.received_at) * 1000)
        fields = {"rule": claim.state.rule_id, "ms": took, "vendor_id": receipt.msg_id}
        log.info("sent", extra=logs.about(claim.key, claim.id) | fields)
        if receipt.quota is not None:
            metrics.quota(claim.oa_id, receipt.quota.kind, left=receipt.quota.left, size=receipt.quota.size)
        return after_success(claim, receipt, now=now)

    def _on_failure(self, claim: Claim, error: DeliveryError) -> State:
        now = self._now()
        failure = oa_failure(claim, error, now=now)
        if failure is not None:
            self._failing.add(claim.oa_id)
        paused = failure is not None and bool(self._retry_until_stored(lambda: self._inbox.record_failure(failure)))
        state = self._transitions.after_failure(claim, error, paused=paused, now=now)
        fields = {"outcome": type(error).__name__, "error": str(error), "account": "closed" if paused else "open"}
        log.warning("not sent", extra=logs.about(claim.key, claim.id) | fields)
        return state

    def _save(self, changes: list[StateChange]) -> list[SaveResult]:
        outcomes = self._retry_until_stored(lambda: self._inbox.save(changes)) or ["lost"] * len(changes)
        _count(changes, outcomes)
        return outcomes

    def _retry_until_stored(self, write: Callable[[], T]) -> T | None:
        """Return what *write* returns, trying again while the database is away; None if it stays away at the end."""
        while True:
            try:
                return write()
            except Exception:
                # What the vendor answered is known to nobody else.
                log.exception("cannot store what became of events")
                if self._stopping.wait(_POLL_SECONDS):
                    return None

    def _release(self, claim: Claim) -> None:
        with self._guard:
            self._claimed.pop(claim.id, None)
            room = self._capacity - len(self._claimed)
        if room >= self._min_batch():
            self._wake.set()


def _count(changes: list[StateChange], outcomes: list[SaveResult]) -> None:
    for change, outcome in zip(changes, outcomes, strict=True):
        if outcome == "saved" and change.state.status != "open":
            _log_settled(change.claim, change.state)


def _log_settled(claim: Claim, state: State) -> None:
    """Count and log how an event has ended; what people must see to is a warning."""
    metrics.settled(claim.kind, state.status, state.reason, state.rule_id)
    if state.reason == "no-match" or state.rule_id == FALLBACK:
        metrics.unmatched(claim.kind)
    level = logging.WARNING if state.status in {"dead", "parked"} else logging.DEBUG
    if log.isEnabledFor(level):
        fields = {"status": state.status, "reason": state.reason, "rule": state.rule_id, "attempts": state.attempts}
        log.log(level, "settled", extra=logs.about(claim.key, claim.id) | fields)
