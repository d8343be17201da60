"""Deliver one claimed event: store the attempt, call the vendor, compute the next state from its answer."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol, TypeVar

from bot import logs
from bot.cpaas import CpaasClient, Receipt
from bot.delivery.images import ImageResolver
from bot.delivery.settings import DeliverySettings
from bot.delivery.transitions import Transitions, after_success, as_ignored, back_off, image_to_send, oa_failure
from bot.errors import DeliveryError, NotNow, NotReady, OutcomeUnknown, UnstorableValue
from bot.inbox.oa_limits import Failure, FailureVerdict
from bot.inbox.queue import Inbox
from bot.inbox.states import Claim, SaveResult, State, StateChange
from bot.metrics import counts
from bot.rules.engine import FALLBACK

T = TypeVar("T")
Clock = Callable[[], float]

log = logging.getLogger(__name__)

#: The lease of a claim, in seconds; it must be renewed before it ends.
LEASE_SECONDS = 6.0
_NOT_STORABLE = "words of the vendor that cannot be stored"
# After this many seconds without a renewal, another worker may have claimed the event.
_MAX_BEGIN_TO_CALL_SECONDS = 5.0


class Persist(Protocol):
    """Makes a write durable, because only this process knows the vendor's answer."""

    def __call__(self, write: Callable[[], T], /) -> T | None:
        """
        Return the result of *write*; None if the database stays unreachable.

        Raises:
            UnstorableValue: The database refuses this value.
        """


def persist_once(write: Callable[[], T], /) -> T | None:
    """Call *write* once and return its result, or raise its error."""
    return write()


class Sender:
    """Delivers one claimed event; it has no thread and no clock of its own, and waits only for the vendor."""

    def __init__(
        self,
        inbox: Inbox,
        transitions: Transitions,
        images: ImageResolver,
        vendor: CpaasClient,
        settings: DeliverySettings,
    ) -> None:
        self._inbox = inbox
        self.transitions = transitions
        self._images = images
        self._vendor = vendor
        self._settings = settings
        self.persist: Persist = persist_once
        """How outcomes are stored: once, or with retries while the database is unreachable."""
        # OAs whose latest call from this process failed; claims made before that do not know of it.
        self._failing: set[str] = set()

    def next_state(self, claim: Claim, *, now: float) -> State:
        """Return the state before the next call: open and due now if an image is to be sent."""
        try:
            return self.transitions.next_state(claim, now=now)
        except Exception:
            # A bug must not repeat for ever, nor block the user's later events.
            log.exception("cannot decide", extra=logs.about(claim.key, claim.id))
            attempts = claim.state.attempts + 1
            if attempts >= self._settings.max_attempts:
                return replace(claim.state, status="dead", reason="fault", attempts=attempts, settled_at=now)
            return replace(claim.state, attempts=attempts, due_at=now + back_off(attempts))

    def begin(self, claim: Claim, *, now: float) -> StateChange:
        """Return the change that marks the event as being sent, until the outcome of the call is stored."""
        unfinished = claim.state.unfinished_calls + 1
        state = replace(claim.state, attempted_at=now, due_at=now + LEASE_SECONDS, unfinished_calls=unfinished)
        human_since = now - self._settings.takeover_mute
        return StateChange(replace(claim, state=state), state, leased=True, unless_human_since=human_since)

    def deliver(self, begun: StateChange, saved: SaveResult, clock: Clock) -> StateChange | None:
        """
        Send the images of an event whose beginning was stored, and store its progress before each further image.

        Return the last change, which the caller stores; None if another worker has claimed the event.
        """
        claim = begun.claim
        while saved == "saved":
            state = claim.state
            if clock() - (state.attempted_at or 0.0) < _MAX_BEGIN_TO_CALL_SECONDS:
                state = self.attempt(claim, clock)
                if state.status != "open" or state.progress == claim.state.progress:
                    return StateChange(claim, state)
            # Store it again: for the next image, or because this process stalled and another may hold the event.
            begun = self.begin(replace(claim, state=state), now=clock())
            claim = begun.claim
            [saved] = self.save([begun])
        if saved == "human":
            return StateChange(claim, as_ignored(claim, "human", now=clock()))
        log.warning("lease lost before sending", extra=logs.about(claim.key, claim.id))
        return None

    def attempt(self, claim: Claim, clock: Clock) -> State:
        """Send the event's next image and return the state that the vendor's answer makes of it."""
        image = None
        try:
            image = self._images.resolve(claim.oa_id, image_to_send(claim.state), now=clock())
            with counts.sending():
                receipt = self._vendor.send_image(oa_id=claim.oa_id, user_id=claim.user_id, image=image)
        except DeliveryError as error:
            return self._on_failure(claim, error, now=clock())
        except Exception as error:
            # A bug must not end the thread; if the call may have begun, its outcome is unknown.
            log.exception("cannot send", extra=logs.about(claim.key, claim.id))
            kind = NotNow if image is None else OutcomeUnknown
            return self._on_failure(claim, kind(f"fault: {type(error).__name__}"), now=clock())
        return self._on_success(claim, receipt, now=clock())

    def save(self, changes: list[StateChange]) -> list[SaveResult]:
        """Store the changes; count and log the events that they settle."""
        try:
            outcomes = self.persist(lambda: self._inbox.save(changes)) or ["lost"] * len(changes)
        except UnstorableValue:
            outcomes = [self._save_alone(change) for change in changes]
        return self._report(changes, outcomes)

    def _save_alone(self, change: StateChange) -> SaveResult:
        """Store the change; without the vendor's values if those are unstorable."""
        kept = change.claim.state
        plain = replace(change.state, error=_NOT_STORABLE if change.state.error else None, vendor_ids=kept.vendor_ids)
        for attempt in (change, replace(change, state=plain)):
            try:
                outcomes = self.persist(lambda attempt=attempt: self._inbox.save([attempt]))  # type: ignore[misc]
            except UnstorableValue:
                log.exception("cannot store a state", extra=logs.about(change.claim.key, change.claim.id))
            else:
                return outcomes[0] if outcomes else "lost"
        return "lost"

    def save_now(self, changes: list[StateChange]) -> None:
        """As `save`, but raise the error if the database is unreachable."""
        self._report(changes, self._inbox.save(changes))

    def _report(self, changes: list[StateChange], outcomes: list[SaveResult]) -> list[SaveResult]:
        for change, outcome in zip(changes, outcomes, strict=True):
            if outcome == "saved" and change.state.status != "open":
                _report_settled(change.claim, change.state)
        return outcomes

    def _on_success(self, claim: Claim, receipt: Receipt, *, now: float) -> State:
        if claim.oa_is_failing or claim.oa_id in self._failing:
            self._failing.discard(claim.oa_id)
            self.persist(lambda: self._inbox.record_success(claim.oa_id))
        took = round((now - claim.received_at) * 1000)
        fields = {"rule": claim.state.rule_id, "ms": took, "vendor_id": receipt.msg_id}
        log.info("sent", extra=logs.about(claim.key, claim.id) | fields)
        if receipt.quota is not None:
            counts.quota(claim.oa_id, receipt.quota.kind, left=receipt.quota.left, size=receipt.quota.size)
        return after_success(claim, receipt, now=now)

    def report_hanging(self, claim: Claim, *, now: float) -> None:
        """Pause the claim's OA, because its calls hang."""
        self._failing.add(claim.oa_id)
        failure = Failure(claim.oa_id, claim.id, "no answer to any call at present", now, at_once=True)
        self._inbox.record_failure(failure)
        log.warning("calls hang", extra={"oa_id": claim.oa_id})

    def _record_failure(self, failure: Failure) -> FailureVerdict | None:
        self._failing.add(failure.oa_id)
        try:
            return self.persist(lambda: self._inbox.record_failure(failure))
        except UnstorableValue:
            plain = replace(failure, trouble=_NOT_STORABLE)
            return self.persist(lambda: self._inbox.record_failure(plain))

    def _on_failure(self, claim: Claim, error: DeliveryError, *, now: float) -> State:
        if isinstance(error, NotReady):
            # The claim was counted as a call, but no call was made.
            self.persist(lambda: self._inbox.consume({claim.oa_id: -1}, now=now, rate=self._settings.rate))
        failure = oa_failure(claim, error, now=now)
        verdict = self._record_failure(failure) if failure is not None else None
        is_own, is_paused = (verdict.is_own, verdict.is_paused) if verdict else (False, False)
        state = self.transitions.after_failure(claim, error, is_own=is_own, now=now)
        fields = {"outcome": type(error).__name__, "error": str(error), "account": "closed" if is_paused else "open"}
        log.warning("not sent", extra=logs.about(claim.key, claim.id) | fields)
        return state


def _report_settled(claim: Claim, state: State) -> None:
    """Count and log the final state of an event; log a warning if a person must act."""
    counts.settled(claim.kind, state.status, state.reason, state.rule_id)
    if state.reason == "no-match" or state.rule_id == FALLBACK:
        counts.unmatched(claim.kind)
    level = logging.WARNING if state.status in {"dead", "parked"} else logging.DEBUG
    if log.isEnabledFor(level):
        fields = {"status": state.status, "reason": state.reason, "rule": state.rule_id, "attempts": state.attempts}
        log.log(level, "settled", extra=logs.about(claim.key, claim.id) | fields)
