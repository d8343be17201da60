"""Delivery of image files and uploaded images, in virtual time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from bot.delivery.sender import Sender
from bot.delivery.transitions import Transitions
from bot.errors import NotReady, PictureExpired, PictureRefused, Refused
from bot.inbox.database import Database
from bot.inbox.queue import Inbox
from bot.inbox.states import Claim, State
from bot.rules.engine import RuleSet
from bot.rules.validate import validate
from bot.sandbox.script import OK, answer
from bot.sandbox.send_image import Account
from bot.sandbox.vendor import SandboxVendor
from tests.support.local_images import KEY, TOKEN, TYPE, client, images_of, jpeg
from tests.support.queue import NOW, claim, event, put
from tests.support.running import wait_until
from tests.support.virtual_time import SETTINGS

OA = "388613280878808645"
ELSE = "https://shop.example/b.jpg"
RULES = f"""\
rules:
  - {{id: menu, keywords: [thực đơn], reply: {{file: menu.jpg, else: {{image_url: "{ELSE}"}}}}}}
  - {{id: gia, keywords: [bảng giá], reply: {{file: menu.jpg}}}}
  - {{id: ma, keywords: [mã], reply: {{attachment_id: aBc, uploaded: 2027-01-01, else: {{image_url: "{ELSE}"}}}}}}
""".encode()


class Shop:
    """A folder with an image and the rules that send it, a vendor, and a clock that only the test moves."""

    def __init__(self, folder: Path, vendor: SandboxVendor) -> None:
        self.folder = folder
        self.vendor = vendor
        self.now = NOW
        self.rules = self.save(jpeg(seed="first"))

    def save(self, content: bytes) -> RuleSet:
        """Save the image; return the rules as read then."""
        (self.folder / "menu.jpg").write_bytes(content)
        rules = validate(RULES, today=date(2027, 1, 1), folder=self.folder).rules
        assert rules is not None
        self.rules = rules
        return rules


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A shop whose vendor accepts every valid request."""
    with SandboxVendor(Account(KEY, TOKEN)) as vendor:
        yield Shop(tmp_path, vendor)


@pytest.fixture
def sender(inbox: Inbox, database: Database, shop: Shop) -> Iterator[Sender]:
    """Sends what the shop's rules decide."""
    settings = replace(SETTINGS, max_attempts=3)
    with images_of(database, shop.vendor.url, shop.folder, now=lambda: shop.now) as images:
        transitions = Transitions(inbox, lambda: shop.rules, settings)
        yield Sender(inbox, transitions, images, client(shop.vendor.url, TYPE), settings)


def claimed(inbox: Inbox, text: str) -> Claim:
    """Return a claimed event."""
    put(inbox, replace(event("a", user="101", oa=OA), text=text))
    [held] = claim(inbox)
    return held


def attempt(sender: Sender, held: Claim, shop: Shop) -> State:
    """Return the event's state after an attempt, or after the attempt that follows its upload."""
    found = [held.state]

    def over() -> bool:
        state = sender.next_state(replace(held, state=found[-1]), now=shop.now)
        found.append(sender.attempt(replace(held, state=state), lambda: shop.now))
        return "being uploaded" not in (found[-1].error or "")

    wait_until(over, "the upload to end")
    return found[-1]


def test_an_event_waits_for_its_upload_and_keeps_its_decision(inbox: Inbox, sender: Sender, shop: Shop) -> None:
    """It is delayed, not failed: no attempt is counted, and nothing was sent."""
    held = claimed(inbox, "bảng giá")
    decided = replace(held, state=sender.next_state(held, now=NOW))
    state = sender.attempt(sender.begin(decided, now=NOW).claim, lambda: NOW)
    assert (state.status, state.attempts, state.attempted_at) == ("open", 0, None)
    assert 0 < state.due_at - NOW <= 1.0
    assert state.images == [{"file": "menu.jpg", "digest": shop.rules.digests["menu.jpg"]}]
    assert attempt(sender, replace(held, state=state), shop).status == "sent"
    assert shop.vendor.taken[0].message.image == shop.vendor.uploaded[0].token


def test_an_image_that_fails_repeatedly_is_replaced_by_its_substitute(inbox: Inbox, sender: Sender, shop: Shop) -> None:
    """After the third failure; without a substitute the event still waits."""
    shop.vendor.always_upload(answer(503))
    held = claimed(inbox, "thực đơn")
    for _ in range(2):
        state = attempt(sender, held, shop)
        assert state.images is not None
        assert "file" in state.images[0]
        held, shop.now = replace(held, state=state), state.due_at + 0.01
    state = attempt(sender, held, shop)
    assert (state.images, state.due_at) == ([{"image_url": ELSE}], shop.now)
    other = replace(held, state=State(images=[{"file": "menu.jpg", "digest": shop.rules.digests["menu.jpg"]}]))
    waiting = sender.attempt(other, lambda: shop.now)
    assert (waiting.status, waiting.attempts) == ("open", 0)
    assert waiting.due_at > shop.now


def test_a_missing_file_becomes_a_dead_letter_with_the_reason(inbox: Inbox, sender: Sender, shop: Shop) -> None:
    """After three tries, because a file may be in the middle of being saved."""
    held = claimed(inbox, "bảng giá")
    (shop.folder / "menu.jpg").unlink()
    for _ in range(2):
        state = attempt(sender, held, shop)
        assert state.status == "open"
        held, shop.now = replace(held, state=state), state.due_at + 0.01
    state = attempt(sender, held, shop)
    assert (state.status, state.reason) == ("dead", "refused")
    assert 'menu.jpg: there is no file "menu.jpg"' in (state.error or "")


def test_the_new_content_of_a_replaced_file_is_sent(inbox: Inbox, sender: Sender, shop: Shop) -> None:
    """The old content no longer exists."""
    shop.vendor.always_upload(answer(503))
    held = claimed(inbox, "bảng giá")
    state = attempt(sender, held, shop)
    shop.save(jpeg(seed="second"))
    shop.vendor.always_upload(OK)
    held, shop.now = replace(held, state=state), state.due_at + 0.01
    while state.status == "open":
        state = attempt(sender, held, shop)
        held, shop.now = replace(held, state=state), max(state.due_at, shop.now) + 0.01
    assert state.images == [{"file": "menu.jpg", "digest": shop.rules.digests["menu.jpg"]}]
    assert [u.upload.content for u in shop.vendor.uploaded] == [jpeg(seed="second")]


def test_an_expired_upload_is_renewed_once(inbox: Inbox, sender: Sender, shop: Shop) -> None:
    """A second such answer is final."""
    held = claimed(inbox, "bảng giá")
    decided = sender.next_state(held, now=shop.now)
    attempt(sender, held, shop)
    shop.now += 5
    sent = replace(held, state=replace(decided, attempted_at=shop.now))
    state = sender.transitions.after_failure(sent, PictureExpired("-100"), is_own=True, now=shop.now)
    assert state.images is not None
    assert state.images[0]["newer_than"] == str(shop.now)
    assert (state.status, state.due_at, state.attempted_at) == ("open", shop.now, None)
    shop.now += 1
    renewed = attempt(sender, replace(held, state=state), shop)
    assert renewed.status == "sent"
    assert len(shop.vendor.uploaded) == 2
    again = replace(held, state=replace(state, attempted_at=shop.now))
    assert sender.transitions.after_failure(again, PictureExpired("-100"), is_own=True, now=shop.now).status == "dead"


@pytest.mark.parametrize("error", [PictureExpired("-100"), PictureRefused("-210")])
def test_only_a_fault_of_the_image_leads_to_its_substitute(inbox: Inbox, sender: Sender, error: PictureRefused) -> None:
    """A customer who cannot be written to gets no second image, and a substitute has none of its own."""
    held = claimed(inbox, "mã")
    state = sender.next_state(held, now=NOW)
    assert state.images == [{"attachment_id": "aBc", "else": ELSE}]
    sent = replace(held, state=state)
    refused = sender.transitions.after_failure(sent, Refused("-213"), is_own=True, now=NOW)
    assert (refused.status, refused.images) == ("dead", state.images)
    swapped = sender.transitions.after_failure(sent, error, is_own=True, now=NOW)
    assert (swapped.status, swapped.images) == ("open", [{"image_url": ELSE}])
    assert sender.transitions.after_failure(replace(held, state=swapped), error, is_own=True, now=NOW).status == "dead"


def test_waiting_for_an_upload_is_no_failure(inbox: Inbox, sender: Sender) -> None:
    """The decision stays unchanged."""
    held = claimed(inbox, "mã")
    sent = replace(held, state=sender.next_state(held, now=NOW))
    state = sender.transitions.after_failure(sent, NotReady("later", wait=0.5), is_own=True, now=NOW)
    assert (state.images, state.due_at, state.attempts) == (sent.state.images, NOW + 0.5, 0)
