"""The threads of delivery: a dispatcher that claims events and chooses rules, and several senders."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from bot import logs
from bot.delivery.ready_queue import ReadyQueue
from bot.delivery.sender import LEASE_SECONDS, Sender
from bot.delivery.settings import DeliverySettings
from bot.errors import StorageError
from bot.inbox.queue import Inbox
from bot.inbox.states import Claim, Lease, StateChange

T = TypeVar("T")

log = logging.getLogger(__name__)
_log_not_claimed = logs.Bounded(log, logging.ERROR, "cannot claim events")
_log_not_stored = logs.Bounded(log, logging.ERROR, "cannot store what became of events")

_RENEW_SECONDS = 2.0
# A live holder renews its lease within this many polls.
_STALE_AFTER_POLLS = 3
_POLL_SECONDS = 0.5
# How long a restarting database is unreachable, in seconds.
_TOLERATED_SECONDS = 5.0
_CLAMP_SECONDS = 60.0
# Smaller corrections of a clock are normal.
_CLOCK_STEP_SECONDS = 1.0
# After a clock was set back, no event waits longer than this.
_MAX_DELAY_AFTER_STEP_SECONDS = 60.0


class Dispatcher:
    """Delivers due events until it is stopped; several processes may do so on one database."""

    def __init__(self, inbox: Inbox, sender: Sender, settings: DeliverySettings, now: Callable[[], float]) -> None:
        self._inbox = inbox
        self._sender = sender
        self._sender.persist = self._retry_until_stored
        self._settings = settings
        self._now = now
        self._ready = ReadyQueue(settings.oa_share)
        # OAs that were paused because their calls hang.
        self._hanging: set[str] = set()
        self._claimed: dict[int, Claim] = {}
        self._claimed_by_oa = Counter[str]()
        """How many of them are of each OA."""
        self._overdue: dict[Lease, int] = {}
        self._is_claiming = False
        self._guard = threading.Lock()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        # Three times what can be sent at once: a claim costs the same for one event as for many, so it waits until
        # there is room for a third, and meanwhile the senders have as much as they can send.
        self._capacity = 3 * settings.concurrency
        self._oa_capacity = 3 * settings.oa_share
        # What one OA leaves to the others is always enough for a claim.
        self._least_claim = min(settings.concurrency, self._capacity - self._oa_capacity or self._capacity)
        self._threads: list[threading.Thread] = []
        self._stop_by = float("inf")
        self._not_stored_since: float | None = None

    def start(self) -> None:
        """Start the threads; call it after the last fork."""
        self._threads = [threading.Thread(target=self._dispatch, name="dispatcher", daemon=True)]
        self._threads += [self._new_sender(n) for n in range(self._settings.concurrency)]
        for thread in reversed(self._threads):  # the dispatcher, which replaces senders that have died, starts last
            thread.start()

    def _new_sender(self, number: int) -> threading.Thread:
        return threading.Thread(target=self._send, name=f"sender-{number}", daemon=True)

    def wake(self) -> None:
        """Claim due events now, because one has just come in."""
        self._wake.set()

    def stop(self, *, timeout: float) -> None:
        """
        Claim nothing more, release claims that have not begun, and wait for the others, up to *timeout* seconds.

        If the database is unreachable, outcomes are kept in memory for that long.
        """
        self._stop_by = time.monotonic() + timeout
        self._stopping.set()
        self._wake.set()
        for thread in self._threads:
            thread.join(max(0.0, self._stop_by - time.monotonic()))

    def failures(self) -> list[str]:
        """Return why nothing can be delivered at present; empty if delivery works."""
        found = []
        if not self._stopping.is_set() and not all(thread.is_alive() for thread in self._threads):
            found.append("a thread of the delivery has ended")
        since = self._not_stored_since
        if since is not None and time.monotonic() - since > _TOLERATED_SECONDS:
            found.append("what became of events cannot be stored")
        return found

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
                    self._inbox.renew(self._claimed_here(), now=now, lease=LEASE_SECONDS)
                    self._release_abandoned(now)
                    renewed = now
                if now - clamped >= _CLAMP_SECONDS:
                    self._inbox.clamp_future_times(now=now)
                    clamped = now
                self._replace_ended_senders()
                self._pause_hanging(now)
                more = self._claim(now)
            except Exception as error:  # noqa: BLE001  it is logged
                # The database is unreachable: events stay as they are until it is back.
                _log_not_claimed({"trouble": logs.kind(error)}, error=None if _is_outage(error) else error)
                self._overdue.clear()
                self._stopping.wait(_POLL_SECONDS)
                continue
            if not more:
                self._wake.wait(_POLL_SECONDS)
        self._return_unsent()

    def _replace_ended_senders(self) -> None:
        for number, thread in enumerate(self._threads[1:]):
            if not thread.is_alive():
                log.error("a sender has ended", extra={"of": thread.name})
                self._threads[1 + number] = self._new_sender(number)
                self._threads[1 + number].start()

    def _pause_hanging(self, now: float) -> None:
        hanging = self._ready.hanging()
        for oa_id in hanging.keys() - self._hanging:
            self._sender.report_hanging(hanging[oa_id], now=now)
        self._hanging = set(hanging)

    def _release_abandoned(self, now: float) -> None:
        """
        Make events due whose holders, other processes, no longer renew their leases.

        The end of a lease alone proves nothing: a clock may have been set, or the database may have been unreachable.
        A lease that is unchanged over several polls proves that its holder is dead.
        """
        self._overdue = {lease: self._overdue.get(lease, 0) + 1 for lease in self._inbox.overdue(now=now)}
        self._inbox.release([lease for lease, polls in self._overdue.items() if polls >= _STALE_AFTER_POLLS], now=now)

    def _claim(self, now: float) -> bool:
        """Claim as many due events as there are free slots; return whether more are probably due."""
        with self._guard:
            room = self._capacity - len(self._claimed)
            # Of an OA that has nearly its share, none.
            claimed_by_oa = {
                oa_id: count if self._has_room(oa_id) else self._oa_capacity
                for oa_id, count in self._claimed_by_oa.items()
            }
            self._is_claiming = room >= self._least_claim
            if not self._is_claiming:
                return False
        claims = self._inbox.claim(
            room,
            now=now,
            lease=LEASE_SECONDS,
            rate=self._settings.rate,
            claimed_by_oa=claimed_by_oa,
            share=self._oa_capacity,
        )
        self._take_on(claims, now)
        got = Counter(claimed_by_oa) + Counter(claim.oa_id for claim in claims)
        with self._guard:
            self._is_claiming = False
            # Of an OA that got its share more may be due, and meanwhile others of it may have ended.
            return len(claims) == room or any(
                count >= self._oa_capacity and self._has_room(oa_id) for oa_id, count in got.items()
            )

    def _take_on(self, claims: list[Claim], now: float) -> None:
        """Choose what each claimed event gets; queue those that get images, store the end of the others."""
        calls: dict[str, int] = {}
        changes = []
        for claim in claims:
            state = self._sender.next_state(claim, now=now)
            to_send = state.status == "open" and state.due_at <= now
            wanted = len(state.images or ()) - state.progress if to_send else 0
            calls[claim.oa_id] = calls.get(claim.oa_id, 0) + wanted - 1
            if to_send:
                self._enqueue(replace(claim, state=state))
            else:
                changes.append(StateChange(claim, state))
        self._sender.save_now(changes)
        self._inbox.consume(calls, now=now, rate=self._settings.rate)

    def _enqueue(self, claim: Claim) -> None:
        with self._guard:
            self._claimed[claim.id] = claim
            self._claimed_by_oa[claim.oa_id] += 1
        self._ready.put(claim)

    def _return_unsent(self) -> None:
        """Release claims that have not begun; if the database is unreachable, their leases end by themselves."""
        waiting = self._ready.close()
        try:
            now = self._now()
            self._inbox.save([StateChange(claim, replace(claim.state, due_at=now)) for claim in waiting])
        except Exception:
            log.exception("cannot give back events")

    def _claimed_here(self) -> list[Claim]:
        with self._guard:
            return list(self._claimed.values())

    def _has_room(self, oa_id: str) -> bool:
        return self._oa_capacity - self._claimed_by_oa[oa_id] >= self._oa_capacity // 3

    # The senders' threads

    def _send(self) -> None:
        finished: StateChange | None = None
        while True:
            claim = self._ready.get(wait=finished is None)
            if claim is None and finished is None:
                return
            try:
                finished = self._finish_and_begin(finished, claim)
            except Exception:
                # A bug must not end the thread. Claims that are not renewed become due again.
                log.exception("cannot deliver")
                for given_up in filter(None, (finished.claim if finished else None, claim)):
                    self._ready.done(given_up)
                    self._release(given_up)
                finished = None

    def _finish_and_begin(self, finished: StateChange | None, claim: Claim | None) -> StateChange | None:
        """Store the end of one event and the beginning of the next in one commit; deliver that and return its end."""
        begun = self._sender.begin(claim, now=self._now()) if claim else None
        outcomes = self._sender.save([change for change in (finished, begun) if change])
        if finished:
            self._release(finished.claim)
        if begun is None:
            return None
        try:
            ended = self._sender.deliver(begun, outcomes[-1], self._now)
        finally:
            self._ready.done(begun.claim)
        if ended is None:
            self._release(begun.claim)
        return ended

    def _retry_until_stored(self, write: Callable[[], T]) -> T | None:
        """Call *write* until the database is reachable and return its result; None if this stops before that."""
        while True:
            try:
                answer = write()
            except (StorageError, TimeoutError) as error:
                # Only this process knows the vendor's answer.
                _log_not_stored({"trouble": logs.kind(error)})
                self._not_stored_since = self._not_stored_since or time.monotonic()
                if time.monotonic() > self._stop_by:
                    return None
                time.sleep(_POLL_SECONDS)
            else:
                self._not_stored_since = None
                return answer

    def _release(self, claim: Claim) -> None:
        with self._guard:
            if self._claimed.pop(claim.id, None) is None:
                return
            self._claimed_by_oa[claim.oa_id] -= 1
            has_room = self._has_room(claim.oa_id)
            if not self._claimed_by_oa[claim.oa_id]:
                del self._claimed_by_oa[claim.oa_id]
            # A claim in progress checks for free slots at its end.
            wakes = has_room and not self._is_claiming and self._capacity - len(self._claimed) >= self._least_claim
        if wakes:
            self._wake.set()


def _is_outage(error: Exception) -> bool:
    return isinstance(error, (StorageError, TimeoutError))
