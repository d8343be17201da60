"""State transitions of one event: decide, after success, after failure, unknown outcome; back-off with jitter."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from dataclasses import replace

from bot.cpaas import Receipt
from bot.delivery.settings import DeliverySettings
from bot.errors import (
    DeliveryError,
    Misconfigured,
    NotNow,
    NotReady,
    OutcomeUnknown,
    PictureExpired,
    PictureRefused,
)
from bot.inbox.oa_limits import Failure
from bot.inbox.queue import Inbox
from bot.inbox.states import Claim, State, Status, join_keywords
from bot.rules.engine import FALLBACK, Incoming, RuleSet, decide

log = logging.getLogger(__name__)

#: How long to wait for the echo of an image after a call with an unknown outcome, in seconds.
ECHO_SECONDS = 60.0
#: An event is parked after this many consecutive calls during which the process died.
MAX_UNFINISHED_CALLS = 4
_FIRST_ECHO_POLL_SECONDS = 0.5
_FIRST_BACK_OFF_SECONDS = 1.0
_MAX_BACK_OFF_SECONDS = 300.0


class Transitions:
    """Computes the next state of a claimed event; it stores nothing."""

    def __init__(self, inbox: Inbox, rules: Callable[[], RuleSet], settings: DeliverySettings) -> None:
        self._inbox = inbox
        self._rules = rules
        self._settings = settings

    def next_state(self, claim: Claim, *, now: float) -> State:
        """
        Return the state before the next call: open and due now if an image is to be sent.

        If the latest call has no known outcome, its echo is looked for first.
        """
        if now - claim.happened_at > self._settings.reply_window:
            return as_ignored(claim, "stale", now=now)
        if claim.state.attempted_at is not None:
            return self._resolve_unknown(claim, now=now)
        if claim.state.images is None:
            return self._decide(claim, now=now)
        return replace(claim.state, due_at=now)

    def _decide(self, claim: Claim, *, now: float) -> State:
        incoming = Incoming(kind=claim.kind, text=claim.text, oa_id=claim.oa_id, key=claim.key)
        rules = self._rules()
        decision = decide(
            rules,
            incoming,
            now=now,
            last_reply=lambda rule_id: self._inbox.last_reply(claim.oa_id, claim.user_id, rule_id, now=now),
        )
        images = [dict(image) for image in decision.images]
        return replace(
            claim.state,
            status="open" if images else "ignored",
            rule_id=decision.rule_id,
            rules_hash=rules.digest,
            reason=decision.reason,
            keyword=join_keywords(decision.keywords),
            runner_up=decision.runner_up,
            images=images or None,
            due_at=now,
            settled_at=None if images else now,
        )

    def _resolve_unknown(self, claim: Claim, *, now: float) -> State:
        """Return the next state of an event whose latest call has no known outcome."""
        state = claim.state
        # The clock may have been set back since the call.
        attempted_at = min(state.attempted_at or now, now)
        echo = self._inbox.find_echo(claim)
        if echo == "came":
            return after_success(claim, Receipt("", ""), now=now)
        awaits_echo = state.reason == "unknown"
        echoes_arrive = self._inbox.echoes_arrive(claim.oa_id)
        if not awaits_echo and not echoes_arrive:
            return _after_crash(state, now=now)
        if now < attempted_at + ECHO_SECONDS:
            # An echo makes the event due, but not while it is claimed: one that comes now is found at the next try.
            pause = max(_FIRST_ECHO_POLL_SECONDS, now - attempted_at)
            due_at = min(now + pause, attempted_at + ECHO_SECONDS)
            return replace(state, reason="unknown", attempted_at=attempted_at, due_at=due_at)
        if echoes_arrive and not state.resent and echo == "none":
            return replace(state, attempted_at=None, resent=True, due_at=now)
        return replace(state, status="parked", settled_at=now)

    def after_failure(self, claim: Claim, error: DeliveryError, *, is_own: bool, now: float) -> State:
        """
        Return the event's state after the vendor did not take its image.

        *is_own*: the event itself is at fault, not its OA or the vendor; only then the failure counts as an attempt.
        """
        state = replace(claim.state, error=str(error), unfinished_calls=0)
        if isinstance(error, OutcomeUnknown):
            # Due at once: the echo may have come before the vendor's time-out.
            return replace(state, reason="unknown", due_at=now)
        state = replace(state, attempted_at=None)
        if isinstance(error, PictureRefused) or (isinstance(error, NotReady) and error.lasting):
            other = self._substitute(claim.state, error)
            if other is not None:
                images = [*(state.images or ())]
                images[state.progress] = other
                return replace(state, images=images, due_at=now)
        if isinstance(error, NotReady):
            return replace(state, due_at=now + error.wait)
        if isinstance(error, (NotNow, Misconfigured)):
            return self._retry(replace(state, attempts=state.attempts + is_own), error, is_own=is_own, now=now)
        return replace(state, status="dead", reason="refused", settled_at=now)

    def _retry(self, state: State, error: NotNow | Misconfigured, *, is_own: bool, now: float) -> State:
        if is_own and state.attempts >= self._settings.max_attempts:
            return replace(state, status="dead", reason="attempts", settled_at=now)
        if isinstance(error, Misconfigured) and not is_own:
            return replace(state, due_at=now)  # it waits for the end of its OA's pause
        at_least = error.retry_after if isinstance(error, NotNow) else 0.0
        return replace(state, due_at=now + back_off(max(state.attempts, 1), at_least=at_least))

    def _substitute(self, state: State, error: DeliveryError) -> dict[str, str] | None:
        """Return what to send instead of an image that cannot be sent: the file's new content, or its `else` link."""
        image = image_to_send(state)
        if "file" in image:
            digest = self._rules().digests.get(image["file"], "")
            if digest not in ("", image["digest"]):
                return {**image, "digest": digest}
            if isinstance(error, PictureExpired) and "newer_than" not in image:
                return {**image, "newer_than": str(state.attempted_at or 0.0)}
        return {"image_url": image["else"]} if "else" in image else None


def _after_crash(state: State, *, now: float) -> State:
    """
    Return the state of an event whose process died during a call, and for which no echo will come.

    It is sent again, unless the event itself may kill the process. Events that were in flight together are retried
    after different waits; one that still ends its process is parked for the operator.
    """
    if state.unfinished_calls >= MAX_UNFINISHED_CALLS:
        return replace(state, status="parked", reason="unknown", settled_at=now)
    wait = back_off(state.unfinished_calls - 1) if state.unfinished_calls > 1 else 0.0
    return replace(state, attempted_at=None, due_at=now + wait)


def image_to_send(state: State) -> dict[str, str]:
    """Return the next image of the decision."""
    return (state.images or [])[state.progress]


def after_success(claim: Claim, receipt: Receipt, *, now: float) -> State:
    """Return the event's state after one more of its images was sent."""
    state = claim.state
    images = state.images or []
    progress = state.progress + 1
    more = progress < len(images)
    return replace(
        state,
        status="open" if more else "sent",
        reason="fallback" if state.rule_id == FALLBACK else "rule",
        progress=progress,
        attempted_at=None,
        resent=False,
        attempts=0 if more else state.attempts,
        unfinished_calls=0,
        error=None,
        due_at=now,
        replied_at=state.replied_at or now,
        settled_at=None if more else now,
        vendor_ids=[*(state.vendor_ids or []), {"msg_id": receipt.msg_id, "referentId": receipt.referent_id}],
    )


def as_ignored(claim: Claim, reason: str, *, now: float) -> State:
    """Return the state of an event that is ignored from now on; images sent before stay recorded."""
    status: Status = "sent" if claim.state.progress else "ignored"
    return replace(claim.state, status=status, reason=reason, attempted_at=None, settled_at=now)


def back_off(attempt: int, *, at_least: float = 0.0, draw: float | None = None) -> float:
    """Return the seconds to wait after failure number *attempt*: exponential, capped, with full jitter."""
    ceiling: float = min(_MAX_BACK_OFF_SECONDS, _FIRST_BACK_OFF_SECONDS * 2.0 ** min(attempt, 30))
    share = random.random() if draw is None else draw  # noqa: S311  not a secret
    return at_least + ceiling * share


def longest_cooldown(rules: RuleSet) -> float:
    """Return the longest cooldown of a rule, in seconds: answers must be remembered for that long."""
    rests = [rule.cooldown for rule in rules.file.rules]
    if rules.file.fallback is not None:
        rests.append(rules.file.fallback.every)
    return max((rest.total_seconds() for rest in rests if rest is not None), default=0.0)


def oa_failure(claim: Claim, error: DeliveryError, *, now: float) -> Failure | None:
    """Return the failure to count against the OA; None if the error concerns only this image or user."""
    if isinstance(error, (NotNow, Misconfigured, OutcomeUnknown)):
        retry_after = error.retry_after if isinstance(error, NotNow) else 0.0
        at_once = isinstance(error, Misconfigured) or retry_after > 0
        return Failure(
            claim.oa_id,
            claim.id,
            str(error),
            now,
            at_once=at_once,
            retry_after=retry_after,
            is_repeated=claim.state.error is not None,
        )
    return None
