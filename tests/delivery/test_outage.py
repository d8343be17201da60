"""Long outages and unknown outcomes, in virtual time, on both databases."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import product, starmap
from pathlib import Path

import pytest

from bot.cpaas import Receipt
from bot.delivery.transitions import ECHO_SECONDS
from bot.errors import DeliveryError, Misconfigured, NotNow, OutcomeUnknown, Refused
from bot.inbox.database import Database
from bot.inbox.queue import Inbox
from bot.inbox.states import Claim
from bot.rules.validate import validate
from tests.support.local_images import images_of
from tests.support.queue import NOW, event, put
from tests.support.virtual_time import Answer, VirtualDeliverer

HOUR = 3600.0
USERS = [f"u{n}" for n in range(12)]
# The longest pause between two probes of an account to which nothing is sent.
PAUSE = 60.0
RULES = b"""\
version: 1
rules:
  - id: gia
    keywords: [gi\xc3\xa1]
    reply: [{image_url: "https://shop.example/1.jpg"}, {image_url: "https://shop.example/2.jpg"}]
"""
ONE, TWO = "https://shop.example/1.jpg", "https://shop.example/2.jpg"

Make = Callable[[Answer], VirtualDeliverer]


@pytest.fixture
def deliverer(database: Database, inbox: Inbox, tmp_path: Path) -> Iterator[Make]:
    """Create a deliverer for a vendor with the given answers; every event gets two images."""
    rules = validate(RULES, today=date(2026, 1, 1)).rules
    assert rules is not None
    with images_of(database, "http://127.0.0.1:9", tmp_path) as images:
        yield lambda answer: VirtualDeliverer(database, inbox, images, rules, answer, NOW)


def receipt(claim: Claim, now: float) -> Receipt:
    return Receipt(f"{claim.key}-{claim.state.progress}-{now}", "")


def failing_until(end: float, *errors: DeliveryError) -> Answer:
    """A vendor that fails until *end*, in one way after the other for equal times."""
    each = (end - NOW) / len(errors)

    def answer(claim: Claim, now: float) -> Receipt:
        if now < end:
            raise errors[int((now - NOW) // each)]
        return receipt(claim, now)

    return answer


def test_an_outage_of_an_hour_uses_up_no_attempts(deliverer: Make) -> None:
    """The vendor is tried about once a minute; afterwards every event is answered once, in order, within one pause."""
    end = NOW + HOUR
    refusals = NotNow("HTTP 503"), NotNow("no connection", reached=False), Misconfigured("HTTP 401"), NotNow("HTTP 500")
    virtual = deliverer(failing_until(end, *refusals))
    keys = [f"{user}-{n}" for n in range(2) for user in USERS]
    put(virtual.inbox, *(event(key, user=key.partition("-")[0]) for key in keys))
    virtual.run(end + PAUSE)
    assert virtual.states().keys() == set(keys)
    assert Counter(state[:2] for state in virtual.states().values()) == {("sent", "rule"): len(keys)}
    # Before the outage was known as one, a few calls were made; after that, only one probe at a time.
    probes = [call for call in virtual.calls if NOW + 2 * PAUSE <= call.at < end]
    assert HOUR / PAUSE - 4 <= len(probes) <= HOUR / PAUSE
    assert max(attempts for *_, attempts in virtual.states().values()) <= 4
    sent = defaultdict(list)
    for call in virtual.calls:
        if call.error is None:
            sent[call.key.partition("-")[0]].append((call.key, call.image))
    assert sent == {user: [(f"{user}-{n}", image) for n in range(2) for image in (ONE, TWO)] for user in USERS}


def test_an_hour_without_answers_repeats_no_image_more_than_once(deliverer: Make) -> None:
    """The vendor reads requests and never answers; no echo comes, though echoes are known to arrive."""
    end = NOW + HOUR
    virtual = deliverer(failing_until(end, OutcomeUnknown("no answer")))
    put(virtual.inbox, event("e", user="somebody", name="oa_send_image"))
    put(virtual.inbox, *(event(user, user=user) for user in USERS))
    virtual.run(end + 2 * PAUSE)
    calls = Counter((call.key, call.image) for call in virtual.calls)
    assert max(calls.values()) == 2
    for key, (status, reason, _) in virtual.states().items():
        assert (status, reason) in {("parked", "unknown"), ("sent", "rule")}
        assert calls[key, ONE] == 2 if status == "parked" else calls[key, TWO] == 1


@dataclass(frozen=True)
class Doubt:
    """An answer with one image of unknown outcome; each has its own OA."""

    place: int
    """Of the picture."""
    echoes: bool
    """Whether Zalo repeats what this OA sends."""
    ids: bool
    """Whether the echo's msg_id is the one that the vendor answers with."""
    again: str
    """What becomes of the second sending, where there is one: taken, silence, or echo: silence, and the echo later."""

    @property
    def answered(self) -> bool:
        """Whether it is known in the end that the image was sent."""
        return self.echoes and self.again != "silence"


DOUBTS = {
    f"oa{number}": doubt
    for number, doubt in enumerate(
        starmap(Doubt, product((0, 1), (True, False), (True, False), ("taken", "silence", "echo")))
    )
}


def test_an_uncertain_image_is_sent_once_more_if_echoes_arrive(deliverer: Make) -> None:
    """And never a third time; else the operator decides. The other image of the answer is sent once, in its order."""

    def answer(claim: Claim, now: float) -> Receipt:
        doubt, place = DOUBTS[claim.oa_id], claim.state.progress
        known, second = place != doubt.place, claim.state.resent
        given = receipt(claim, now)
        if doubt.echoes and (known or (second and doubt.answered)):
            later = 0 if known or doubt.again == "taken" else 5
            msg_id = given.msg_id if doubt.ids else f"other than {given.msg_id}"
            echo = event(f"echo of {given.msg_id}", oa=claim.oa_id, name="oa_send_image", msg_id=msg_id)
            put(virtual.inbox, echo, now=now + later)
        if known or (second and doubt.again == "taken"):
            return given
        raise OutcomeUnknown("HTTP 502")

    virtual = deliverer(answer)
    for oa, doubt in DOUBTS.items():
        if doubt.echoes:
            put(virtual.inbox, event(f"{oa} before", user="somebody", oa=oa, name="oa_send_image"), now=NOW - HOUR)
        put(virtual.inbox, event(oa, oa=oa))
    virtual.run(NOW + 10 * ECHO_SECONDS)
    for oa, doubt in DOUBTS.items():
        calls = [call for call in virtual.calls if call.key == oa]
        first, *others = [call.at for call in calls if call.image == (ONE, TWO)[doubt.place]]
        assert others == ([first + ECHO_SECONDS] if doubt.echoes else []), doubt
        assert virtual.states()[oa][:2] == (("sent", "rule") if doubt.answered else ("parked", "unknown")), doubt
        images = [call.image for call in calls]
        assert list(dict.fromkeys(images)) == [ONE, TWO][: 2 if doubt.answered else doubt.place + 1], doubt
        assert images.count((TWO, ONE)[doubt.place]) == (doubt.answered or doubt.place), doubt


def test_the_echo_of_an_unknown_outcome_settles_it_whenever_it_comes(deliverer: Make) -> None:
    """Before the call has failed, or long after; nothing is sent again."""

    def answer(claim: Claim, now: float) -> Receipt:
        if claim.state.progress:
            return receipt(claim, now)
        echo = event(f"echo of {claim.key}", user=claim.user_id, name="oa_send_image")
        put(virtual.inbox, echo, now=now + delays[claim.key])
        raise OutcomeUnknown("no answer")

    delays = {"a": 0.0, "b": 0.5, "c": ECHO_SECONDS - 1}
    virtual = deliverer(answer)
    put(virtual.inbox, *(event(key, user=key) for key in delays))
    virtual.run(NOW + 10 * ECHO_SECONDS)
    assert {state[:2] for state in virtual.states().values()} == {("sent", "rule")}
    assert Counter((call.key, call.image) for call in virtual.calls) == dict.fromkeys(
        [(key, image) for key in delays for image in (ONE, TWO)], 1
    )


@pytest.mark.parametrize("words", ["half an emoji \ud83d", "a NUL \0"])
def test_unstorable_text_of_the_vendor_ends_no_delivery(deliverer: Make, words: str) -> None:
    """It is cleaned when read; if it still cannot be stored, the outcome is stored without it."""

    def answer(claim: Claim, now: float) -> Receipt:
        if claim.key == "refused":
            raise Refused(words)
        if claim.key == "busy" and len(virtual.calls) < 3:
            raise NotNow(words)
        return Receipt(words, words)

    virtual = deliverer(answer)
    put(virtual.inbox, *(event(key, user=key) for key in ("refused", "busy", "taken")))
    virtual.run(NOW + HOUR)
    assert {key: state[:2] for key, state in virtual.states().items()} == {
        "refused": ("dead", "refused"),
        "busy": ("sent", "rule"),
        "taken": ("sent", "rule"),
    }
    assert Counter(call.key for call in virtual.calls)["taken"] == 2


def test_the_only_event_survives_any_outage(deliverer: Make) -> None:
    """No other event could show that the vendor fails for everybody; it is tried less and less often."""
    end = NOW + HOUR
    failures = NotNow("HTTP 503"), NotNow("HTTP 500"), NotNow("no connection", reached=False)
    virtual = deliverer(failing_until(end, *failures))
    put(virtual.inbox, event("a"))
    virtual.run(end + 2 * PAUSE)
    assert virtual.states() == {"a": ("sent", "rule", 0)}
    assert len(virtual.calls) < 100


@pytest.mark.parametrize("error", [Misconfigured("HTTP 403"), NotNow("HTTP 500")])
def test_a_failure_for_one_customer_alone_uses_up_the_attempts(deliverer: Make, error: DeliveryError) -> None:
    """The others are answered at once, and this event becomes a dead letter."""

    def answer(claim: Claim, now: float) -> Receipt:
        if claim.user_id == "u0":
            raise error
        return receipt(claim, now)

    virtual = deliverer(answer)
    put(virtual.inbox, *(event(user, user=user) for user in USERS))
    virtual.run(NOW)
    assert {call.at for call in virtual.calls} == {NOW}
    assert {key for key, state in virtual.states().items() if state[0] == "sent"} == set(USERS[1:])
    for minute in range(1, 40):
        put(virtual.inbox, event(f"later {minute}", user="u1"), now=NOW + 60 * minute)
        virtual.now = NOW + 60 * minute
        virtual.run(virtual.now)
    assert virtual.states()["u0"] == ("dead", "attempts", 8)
    assert {state[0] for key, state in virtual.states().items() if key != "u0"} == {"sent"}
