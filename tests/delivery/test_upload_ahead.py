"""Uploads of newly published images before a customer needs them, on both databases, with a real sandbox vendor."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from bot.delivery.images import ImageResolver
from bot.delivery.upload_ahead import UploadAhead
from bot.errors import NotReady
from bot.inbox import oa_limits
from bot.inbox.database import Database
from bot.inbox.oa_limits import Failure
from bot.inbox.uploads import UploadKey, Uploads
from bot.rules.engine import RuleSet
from bot.rules.validate import validate
from bot.sandbox.script import OK, answer
from bot.sandbox.send_image import Account
from bot.sandbox.vendor import SandboxVendor
from tests.support.clock import Clock
from tests.support.local_images import KEY, RATE, TOKEN, TYPE, images_of, jpeg
from tests.support.running import OA_ID, wait_until

OTHER_OA = "9988776655"
RULE = "  - {{id: {0}, keywords: [{0}], reply: {{file: {0}.jpg}}{1}}}\n"


class Shop:
    """One process with its rules; only the test moves the clock."""

    def __init__(self, database: Database, images: ImageResolver, folder: Path, clock: Clock) -> None:
        self.database, self.images, self.folder, self.clock = database, images, folder, clock
        self.rules = self.with_files("menu")
        self.ahead = UploadAhead(images, lambda: self.rules, lambda: {OA_ID, OTHER_OA}, clock)

    def with_files(self, *names: str, oa: str = "") -> RuleSet:
        """Return rules that send these images; the last one only for one OA, if given."""
        for name in names:
            (self.folder / f"{name}.jpg").write_bytes(jpeg(seed=name))
        only = f", oa: ['{oa}']" if oa else ""
        rules = "".join(RULE.format(name, only if name == names[-1] else "") for name in names)
        found = validate(f"version: 1\nrules:\n{rules}".encode(), today=date(2026, 9, 21), folder=self.folder).rules
        assert found
        return found

    def publish(self, *names: str, oa: str = "") -> None:
        """Put new rules in force and run some steps."""
        self.rules = self.with_files(*names, oa=oa)
        self.step()

    def step(self) -> None:
        """Run as many steps as there can be images."""
        for _ in range(8):
            self.ahead.step()

    def key(self, name: str) -> UploadKey:
        return UploadKey(OA_ID, self.rules.digests[f"{name}.jpg"], TYPE)


@pytest.fixture
def vendor() -> Iterator[SandboxVendor]:
    """A vendor that accepts every valid upload."""
    with SandboxVendor(Account(KEY, TOKEN)) as sandbox:
        yield sandbox


@pytest.fixture
def shop(database: Database, vendor: SandboxVendor, tmp_path: Path) -> Iterator[Shop]:
    """A process that started with one image."""
    clock = Clock()
    with images_of(database, vendor.url, tmp_path, now=clock) as images:
        yield Shop(database, images, tmp_path, clock)


def uploaded(vendor: SandboxVendor) -> list[tuple[str, str]]:
    """Return the OA and the name of each upload that the vendor received."""
    return sorted((one.upload.oa_id, one.upload.name) for one in vendor.uploaded)


def test_new_images_are_uploaded_once_for_every_oa(shop: Shop, vendor: SandboxVendor, tmp_path: Path) -> None:
    """Not those of the former rules; over all processes, and a customer gets the token at once."""
    shop.step()
    assert uploaded(vendor) == []
    shop.publish("menu", "gia")
    assert uploaded(vendor) == [(OA_ID, "gia.jpg"), (OTHER_OA, "gia.jpg")]
    with images_of(shop.database, vendor.url, tmp_path, now=shop.clock) as images:
        other = Shop(shop.database, images, tmp_path, shop.clock)
        other.publish("menu", "gia")
    image = {"file": "gia.jpg", "digest": shop.key("gia").digest}
    assert shop.images.resolve(OA_ID, image, now=shop.clock.now)["attachment_id"]
    assert len(vendor.uploaded) == 2


def test_an_image_is_uploaded_only_for_the_oas_of_its_rules(shop: Shop, vendor: SandboxVendor) -> None:
    """The others never send it."""
    shop.publish("menu", "gia", oa=OTHER_OA)
    assert uploaded(vendor) == [(OTHER_OA, "gia.jpg")]


def test_an_image_that_is_replaced_is_uploaded_again(shop: Shop, vendor: SandboxVendor) -> None:
    """Its name and the rules stay the same."""
    (shop.folder / "menu.jpg").write_bytes(jpeg(seed="mới"))
    shop.rules = validate(
        b"version: 1\nrules:\n" + RULE.format("menu", "").encode(), today=date(2026, 9, 21), folder=shop.folder
    ).rules or pytest.fail("the rules have errors")
    shop.step()
    assert uploaded(vendor) == [(OA_ID, "menu.jpg"), (OTHER_OA, "menu.jpg")]


def test_customers_have_precedence(shop: Shop, vendor: SandboxVendor) -> None:
    """While they need more than half of a burst nothing is uploaded; later it is."""
    with shop.database.write() as connection:
        oa_limits.available_calls(connection, [OA_ID], now=shop.clock.now, rate=RATE)
        oa_limits.consume(connection, {OA_ID: 250}, now=shop.clock.now, rate=RATE)
    shop.publish("menu", "gia")
    assert uploaded(vendor) == [(OTHER_OA, "gia.jpg")]
    shop.clock.now += 61.0
    shop.step()
    assert uploaded(vendor) == [(OA_ID, "gia.jpg"), (OTHER_OA, "gia.jpg")]


def test_nothing_is_uploaded_while_calls_of_the_oa_fail(shop: Shop, vendor: SandboxVendor) -> None:
    """Only the waiting messages are tried then."""
    with shop.database.write() as connection:
        oa_limits.available_calls(connection, [OA_ID], now=shop.clock.now, rate=RATE)
        oa_limits.record_failure(connection, Failure(OA_ID, 1, "down", shop.clock.now, at_once=True))
    shop.publish("menu", "gia")
    assert uploaded(vendor) == [(OTHER_OA, "gia.jpg")]


def test_a_failure_is_stored_and_delays_no_customer(shop: Shop, vendor: SandboxVendor) -> None:
    """When a customer needs the image, it is uploaded at once."""
    vendor.always_upload(answer(400, {"code": 400, "message": "bad picture"}))
    shop.publish("menu", "gia")
    found = Uploads(shop.database, RATE).find(shop.key("gia"))
    assert found
    assert (found.failures, found.refused, found.pause(shop.clock.now)) == (1, True, 0.0)
    assert "gia.jpg" in found.trouble
    vendor.always_upload(OK)
    image = {"file": "gia.jpg", "digest": shop.key("gia").digest}
    with pytest.raises(NotReady, match="being uploaded"):
        shop.images.resolve(OA_ID, image, now=shop.clock.now)
    wait_until(lambda: (OA_ID, "gia.jpg") in uploaded(vendor), "the customer's upload")


def test_a_failing_upload_is_tried_three_times_a_minute_apart(shop: Shop, vendor: SandboxVendor) -> None:
    """After that, the page Pictures reports it."""
    vendor.always_upload(answer(400, {"code": 400, "message": "bad picture"}))
    shop.publish("menu", "gia")
    for failures in (1, 2, 3, 3):
        shop.step()
        found = Uploads(shop.database, RATE).find(shop.key("gia"))
        assert found
        assert found.failures == failures
        shop.clock.now += 61.0
