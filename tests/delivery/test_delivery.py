"""State transitions of one event in virtual time, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from bot.cpaas import Receipt
from bot.delivery.sender import Sender
from bot.delivery.transitions import ECHO_SECONDS, MAX_UNFINISHED_CALLS, after_success, back_off
from bot.errors import Misconfigured, NotNow, OutcomeUnknown, Refused
from bot.inbox.database import Database
from bot.inbox.queue import Inbox
from bot.inbox.states import Claim, State, StateChange
from bot.rules.validate import validate
from tests.support.local_images import images_of
from tests.support.queue import LEASE, NOW, claim, event, put
from tests.support.rows import found
from tests.support.virtual_time import SETTINGS, VirtualDeliverer

RULES = b"""\
version: 1
rules:
  - {id: gia, keywords: [gi\xc3\xa1], cooldown: 10m, reply: {image_url: "https://shop.example/gia.jpg"}}
"""


@pytest.fixture
def sender(inbox: Inbox, database: Database, tmp_path: Path) -> Iterator[Sender]:
    """Decisions by one rule, with three attempts."""
    rules = validate(RULES, today=date(2026, 1, 1)).rules
    assert rules is not None
    settings = replace(SETTINGS, max_attempts=3)
    with images_of(database, "http://127.0.0.1:9", tmp_path) as images:
        yield VirtualDeliverer(database, inbox, images, rules, never, NOW, settings).sender


def never(claim: Claim, now: float) -> Receipt:
    """A vendor that must not be called."""
    raise AssertionError(claim.key)


def begun(inbox: Inbox, sender: Sender, key: str = "a") -> Claim:
    """Return an event whose image is being sent."""
    put(inbox, event(key))
    [claimed] = claim(inbox)
    change = sender.begin(replace(claimed, state=sender.next_state(claimed, now=NOW)), now=NOW)
    assert sender.save([change]) == ["saved"]
    return change.claim


def again(inbox: Inbox, sender: Sender, claimed: Claim, state: State, now: float) -> tuple[Claim, State]:
    """Store *state*, and return the event as claimed again at *now*, with its next state."""
    inbox.save([StateChange(claimed, state)])
    [later] = claim(inbox, now=now)
    return later, sender.next_state(later, now=now)


def unknown(sender: Sender, claimed: Claim) -> State:
    return sender.transitions.after_failure(claimed, OutcomeUnknown("no answer"), is_own=True, now=NOW)


def test_without_echoes_an_unknown_outcome_is_parked(inbox: Inbox, sender: Sender) -> None:
    """It is unknown whether the image was sent, so the operator decides."""
    claimed = begun(inbox, sender)
    later, state = again(inbox, sender, claimed, unknown(sender, claimed), NOW)
    later, state = again(inbox, sender, later, state, NOW + ECHO_SECONDS - 1)
    assert (state.status, state.due_at) == ("open", NOW + ECHO_SECONDS)
    _, state = again(inbox, sender, later, state, NOW + ECHO_SECONDS)
    assert (state.status, state.reason) == ("parked", "unknown")


def test_with_echoes_an_unknown_outcome_without_echo_is_sent_again_once(inbox: Inbox, sender: Sender) -> None:
    """And parked if that call has no outcome either."""
    put(inbox, event("e", user="somebody", name="oa_send_image"))
    claimed = begun(inbox, sender)
    later, state = again(inbox, sender, claimed, unknown(sender, claimed), NOW)
    assert (state.status, state.due_at) == ("open", NOW + 0.5)
    later, state = again(inbox, sender, later, state, NOW + ECHO_SECONDS)
    assert (state.status, state.due_at, state.resent) == ("open", NOW + ECHO_SECONDS, True)
    assert state.attempted_at is None
    second = replace(later, state=replace(state, attempted_at=NOW + ECHO_SECONDS))
    state = sender.transitions.after_failure(second, OutcomeUnknown("no answer"), is_own=True, now=NOW + ECHO_SECONDS)
    _, state = again(inbox, sender, second, state, NOW + 2 * ECHO_SECONDS)
    assert state.status == "parked"


def test_an_echo_settles_an_unknown_outcome(inbox: Inbox, sender: Sender) -> None:
    """Even if it came before the call failed."""
    claimed = begun(inbox, sender)
    put(inbox, event("e", name="oa_send_image"), now=NOW + 1)
    _, state = again(inbox, sender, claimed, unknown(sender, claimed), NOW + 2)
    assert (state.status, state.progress, state.reason) == ("sent", 1, "rule")


def test_echoes_are_polled_at_growing_intervals(inbox: Inbox, sender: Sender) -> None:
    """The last time when it is given up."""
    claimed = begun(inbox, sender)
    state, now, looks = unknown(sender, claimed), NOW, []
    while state.status == "open":
        looks.append(now - NOW)
        claimed, state = again(inbox, sender, claimed, state, now)
        now = state.due_at
    assert looks == [0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, ECHO_SECONDS]


def test_an_echo_during_the_claim_is_found_at_the_next_poll(inbox: Inbox, sender: Sender) -> None:
    """It does not wake the event then."""
    claimed = begun(inbox, sender)
    later, state = again(inbox, sender, claimed, unknown(sender, claimed), NOW)
    put(inbox, event("e", name="oa_send_image"))
    _, state = again(inbox, sender, later, state, NOW + 1)
    assert (state.status, state.reason) == ("sent", "rule")


def test_after_a_crash_it_is_sent_again_at_once_without_echoes(inbox: Inbox, sender: Sender) -> None:
    """At least once; if echoes arrive, they are waited for."""
    begun(inbox, sender)
    inbox.release(inbox.overdue(now=NOW + LEASE), now=NOW + LEASE)
    [later] = claim(inbox, now=NOW + LEASE)
    assert sender.next_state(later, now=NOW + LEASE).attempted_at is None
    put(inbox, event("e", user="somebody", name="oa_send_image"))
    assert sender.next_state(later, now=NOW + LEASE).due_at == NOW + 2 * LEASE


def test_an_event_that_kills_the_process_is_parked_after_a_few_calls(inbox: Inbox, sender: Sender) -> None:
    """The call is stored before it is sent. The first repeat is at once, the others later."""
    put(inbox, event("a"))
    now, waits = NOW, []
    while True:
        [claimed] = claim(inbox, now=now)
        state = sender.next_state(claimed, now=now)
        if state.status != "open":
            break
        waits.append(state.due_at - now)
        if state.due_at > now:
            inbox.save([StateChange(claimed, state)])
            now = state.due_at
            continue
        assert sender.save([sender.begin(replace(claimed, state=state), now=now)]) == ["saved"]
        now += LEASE
        inbox.release(inbox.overdue(now=now), now=now)
    assert (state.status, state.reason) == ("parked", "unknown")
    assert waits[:2] == [0.0, 0.0]
    assert waits.count(0.0) == MAX_UNFINISHED_CALLS


def test_a_finished_call_resets_the_count(inbox: Inbox, sender: Sender) -> None:
    claimed = begun(inbox, sender)
    assert claimed.state.unfinished_calls == 1
    assert sender.attempt(claimed, lambda: NOW).unfinished_calls == 0


def test_attempts_count_only_for_failures_of_the_event_itself(inbox: Inbox, sender: Sender) -> None:
    """Not while the vendor fails for everybody."""
    claimed = begun(inbox, sender)
    outcomes = [
        sender.transitions.after_failure(claimed, NotNow("503"), is_own=True, now=NOW),
        sender.transitions.after_failure(claimed, Misconfigured("403"), is_own=True, now=NOW),
        sender.transitions.after_failure(claimed, NotNow("503"), is_own=False, now=NOW),
        sender.transitions.after_failure(claimed, Misconfigured("401"), is_own=False, now=NOW),
    ]
    assert [state.attempts for state in outcomes] == [1, 1, 0, 0]
    assert {state.status for state in outcomes} == {"open"}
    last = replace(claimed, state=replace(claimed.state, attempts=2))
    assert sender.transitions.after_failure(last, NotNow("503"), is_own=True, now=NOW).status == "dead"
    assert sender.transitions.after_failure(claimed, Refused("-213"), is_own=True, now=NOW).reason == "refused"


def test_the_matched_keyword_is_stored_with_the_decision(inbox: Inbox, sender: Sender, database: Database) -> None:
    """For the statistics of the rule."""
    claimed = begun(inbox, sender)
    assert found(database, claimed.id)["keyword"] == "giá"
    assert found(database, claimed.id)["runner_up"] is None


def test_a_rule_in_its_cooldown_does_not_answer(inbox: Inbox, sender: Sender) -> None:
    """The cooldown begins with its last reply to this user."""
    claimed = begun(inbox, sender)
    inbox.save([StateChange(claimed, after_success(claimed, Receipt("m", "r"), now=NOW))])
    put(inbox, event("b"), event("c", user="u2"))
    own, other = claim(inbox)
    assert sender.next_state(own, now=NOW + 599).reason == "cooldown"
    assert sender.next_state(own, now=NOW + 600).reason == "rule"
    assert sender.next_state(other, now=NOW).reason == "rule"


def test_a_clock_set_back_does_not_prolong_a_cooldown(inbox: Inbox, sender: Sender) -> None:
    """A reply in the future does not count; clocks may differ a little."""
    claimed = begun(inbox, sender)
    inbox.save([StateChange(claimed, after_success(claimed, Receipt("m", "r"), now=NOW))])
    put(inbox, event("b"))
    [later] = claim(inbox)
    assert sender.next_state(later, now=NOW - 30).reason == "cooldown"
    assert sender.next_state(later, now=NOW - 7200).reason == "rule"


def test_a_clock_set_back_does_not_prolong_the_wait_for_an_echo(inbox: Inbox, sender: Sender) -> None:
    """It ends at the latest a minute after the change."""
    put(inbox, event("e", user="somebody", name="oa_send_image"))
    claimed = begun(inbox, sender)
    set_back = NOW - 7200
    inbox.clamp_future_times(now=set_back, max_delay=60.0)
    state = replace(unknown(sender, claimed), due_at=set_back)
    later, state = again(inbox, sender, claimed, state, set_back)
    assert (state.status, state.due_at) == ("open", set_back + 0.5)
    _, state = again(inbox, sender, later, state, set_back + ECHO_SECONDS)
    assert (state.resent, state.due_at) == (True, set_back + ECHO_SECONDS)


def test_an_old_event_is_not_answered(inbox: Inbox, sender: Sender) -> None:
    """Also one that has waited too long for its next attempt."""
    claimed = begun(inbox, sender)
    state = sender.next_state(claimed, now=NOW + 48 * 3600 + 1)
    assert (state.status, state.reason) == ("ignored", "stale")


def test_waits_grow_and_are_capped() -> None:
    """Exponential, with full jitter, and never shorter than the vendor's Retry-After."""
    assert [back_off(n, draw=1.0) for n in (1, 2, 3, 20)] == [2.0, 4.0, 8.0, 300.0]
    assert [back_off(n, draw=0.0, at_least=7.0) for n in (1, 20)] == [7.0, 7.0]
    assert all(0 <= back_off(5) <= 32 for _ in range(100))
