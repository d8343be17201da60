"""Image files and the tokens of their uploads, on both databases, with a real sandbox vendor."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from bot.delivery.images import ImageResolver
from bot.errors import NotReady, PictureRefused
from bot.images import local_files
from bot.inbox.database import Database
from bot.inbox.uploads import UploadKey, Uploads
from bot.sandbox.script import OK, answer, cut, hang
from bot.sandbox.send_image import Account
from bot.sandbox.vendor import SandboxVendor
from tests.support.clock import NOW, Clock
from tests.support.local_images import KEY, RATE, TOKEN, TYPE, images_of, jpeg
from tests.support.running import OA_ID, wait_until

DAY = 86_400.0


@pytest.fixture
def vendor() -> Iterator[SandboxVendor]:
    """A vendor that accepts every valid upload."""
    with SandboxVendor(Account(KEY, TOKEN)) as sandbox:
        yield sandbox


@pytest.fixture
def clock() -> Clock:
    """The database's clock."""
    return Clock()


@pytest.fixture
def menu(tmp_path: Path) -> Mapping[str, str]:
    """An image as in a decision."""
    return saved(tmp_path, jpeg(seed="menu"))


@pytest.fixture
def images(database: Database, vendor: SandboxVendor, tmp_path: Path, clock: Clock) -> Iterator[ImageResolver]:
    """The resolver of one process."""
    with images_of(database, vendor.url, tmp_path, now=clock) as made:
        yield made


def saved(folder: Path, content: bytes) -> Mapping[str, str]:
    """Save the file and return it as in a decision."""
    (folder / "menu.jpg").write_bytes(content)
    return {"file": "menu.jpg", "digest": local_files.read_image(folder, "menu.jpg").digest}


def token_of(images: ImageResolver, image: Mapping[str, str], clock: Clock) -> str:
    """Return the image's token once there is one; the clock does not move meanwhile."""
    found: list[str] = []

    def ready() -> bool:
        with contextlib.suppress(NotReady):
            found.append(images.resolve(OA_ID, image, now=clock.now)["attachment_id"])
        return bool(found)

    wait_until(ready, "the upload")
    return found[0]


def refusal(images: ImageResolver, image: Mapping[str, str], clock: Clock) -> NotReady | PictureRefused:
    """Return why the image cannot be sent, once an upload of it has failed."""
    found: list[NotReady | PictureRefused] = []

    def failed() -> bool:
        with pytest.raises((NotReady, PictureRefused)) as caught:
            images.resolve(OA_ID, image, now=clock.now)
        found.append(caught.value)
        return "uploaded" not in str(caught.value)

    wait_until(failed, "an upload to fail")
    return found[-1]


def test_links_and_ids_are_passed_on(images: ImageResolver) -> None:
    """Without their substitute, which the vendor must not see."""
    link = {"image_url": "https://shop.example/a.jpg"}
    assert images.resolve(OA_ID, link, now=NOW) == link
    assert images.resolve(OA_ID, {"attachment_id": "a", "else": "https://shop.example/a.jpg"}, now=NOW) == {
        "attachment_id": "a"
    }


def test_an_image_is_uploaded_once_for_each_oa_and_type(
    database: Database,
    images: ImageResolver,
    vendor: SandboxVendor,
    menu: Mapping[str, str],
    tmp_path: Path,
    clock: Clock,
) -> None:
    """Over all processes, also later ones."""
    first = token_of(images, menu, clock)
    assert token_of(images, menu, clock) == first
    with images_of(database, vendor.url, tmp_path, now=clock) as later:
        assert later.resolve(OA_ID, menu, now=NOW) == {"attachment_id": first}
    with images_of(database, vendor.url, tmp_path, now=clock, upload_type="image") as others:
        assert token_of(others, menu, clock) != first
    with pytest.raises(NotReady):
        images.resolve("999", menu, now=NOW)
    wait_until(lambda: len(vendor.uploaded) == 3, "the other OA's upload")
    assert [u.upload.type for u in vendor.uploaded] == [TYPE, "image", TYPE]
    assert [u.upload.oa_id for u in vendor.uploaded] == [OA_ID, OA_ID, "999"]


def test_concurrent_requests_make_one_upload(
    database: Database, vendor: SandboxVendor, menu: Mapping[str, str], tmp_path: Path, clock: Clock
) -> None:
    """From threads of several processes; none waits for the vendor."""
    vendor.next_upload(hang())
    with ExitStack() as stack:
        processes = [stack.enter_context(images_of(database, vendor.url, tmp_path, now=clock)) for _ in range(3)]

        def want(images: ImageResolver) -> None:
            for _ in range(20):
                with pytest.raises(NotReady, match="being uploaded"):
                    images.resolve(OA_ID, menu, now=NOW)

        threads = [threading.Thread(target=want, args=(images,)) for images in processes * 3]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        wait_until(lambda: vendor.uploaded, "the upload to arrive")
        vendor.release()
        assert {token_of(images, menu, clock) for images in processes} == {vendor.uploaded[0].token}
    assert len(vendor.uploaded) == 1


def test_a_token_is_renewed_before_it_expires(
    images: ImageResolver, vendor: SandboxVendor, menu: Mapping[str, str], clock: Clock
) -> None:
    """From the seventh day on, while the old token is still used."""
    first = token_of(images, menu, clock)
    clock.now += 5.9 * DAY
    assert token_of(images, menu, clock) == first
    clock.now += 0.2 * DAY
    assert images.resolve(OA_ID, menu, now=clock.now) == {"attachment_id": first}
    wait_until(lambda: len(vendor.uploaded) == 2, "the renewal")
    wait_until(lambda: token_of(images, menu, clock) == vendor.uploaded[1].token, "the new token to be known")


def test_a_token_of_seven_days_is_not_sent(
    images: ImageResolver, vendor: SandboxVendor, menu: Mapping[str, str], clock: Clock
) -> None:
    """The event waits for the new one."""
    token_of(images, menu, clock)
    clock.now += 7 * DAY
    assert token_of(images, menu, clock) == vendor.uploaded[1].token


def test_an_expired_token_is_replaced_once_for_all(
    database: Database,
    images: ImageResolver,
    vendor: SandboxVendor,
    menu: Mapping[str, str],
    tmp_path: Path,
    clock: Clock,
) -> None:
    """Other events with the same answer use the new token, also in other processes."""
    token_of(images, menu, clock)
    clock.now += 100
    expired = {**menu, "newer_than": str(clock.now)}
    clock.now += 1
    with images_of(database, vendor.url, tmp_path, now=clock) as others:
        first = token_of(images, expired, clock)
        assert token_of(others, expired, clock) == token_of(others, menu, clock) == first
    assert [u.token for u in vendor.uploaded][1:] == [first]


@pytest.mark.parametrize("script", [answer(503), answer(502), answer(401), cut()])
def test_a_failing_vendor_is_retried(
    images: ImageResolver, vendor: SandboxVendor, menu: Mapping[str, str], clock: Clock, script: object
) -> None:
    """With growing pauses; it counts as permanent after three failures, but never as a fault of the image."""
    vendor.always_upload(script)  # type: ignore[arg-type]
    waits = []
    for _ in range(4):
        error = refusal(images, menu, clock)
        assert isinstance(error, NotReady)
        waits.append((error.wait, error.lasting))
        clock.now += error.wait + 0.01
    assert waits == [(2.0, False), (4.0, False), (8.0, True), (16.0, True)]
    vendor.always_upload(OK)
    assert token_of(images, menu, clock) == vendor.uploaded[-1].token


def test_retry_after_is_respected(
    images: ImageResolver, vendor: SandboxVendor, menu: Mapping[str, str], clock: Clock
) -> None:
    """No upload is tried before."""
    vendor.next_upload(answer(429, headers={"Retry-After": "30"}))
    error = refusal(images, menu, clock)
    assert isinstance(error, NotReady)
    assert error.wait == 30.0


def test_an_image_that_is_refused_three_times_is_given_up(
    images: ImageResolver, vendor: SandboxVendor, menu: Mapping[str, str], clock: Clock
) -> None:
    """With the vendor's text and the name of the file; a success without a token is a refusal too."""
    vendor.next_upload(answer(400, {"code": 400, "message": "bad picture"}))
    vendor.next_upload(*[answer(200, {"code": 0, "data": {}})] * 2)
    first = refusal(images, menu, clock)
    assert isinstance(first, NotReady)
    assert "menu.jpg: HTTP 400: code 400, bad picture" in str(first)
    for wait in (2.0, 4.0):
        clock.now += wait + 0.01
        last = refusal(images, menu, clock)
    assert isinstance(last, PictureRefused)
    assert "CPAAS_UPLOAD_TYPE" in str(last)


def test_a_file_with_another_content_than_decided_is_not_uploaded(
    images: ImageResolver, vendor: SandboxVendor, menu: Mapping[str, str], tmp_path: Path, clock: Clock
) -> None:
    """A decision is for a content, not a name; once uploaded, it is sent even if the file changes."""
    saved(tmp_path, jpeg(seed="other"))
    assert "another content" in str(refusal(images, menu, clock))
    saved(tmp_path, jpeg(seed="menu"))
    clock.now += 2.01
    token = token_of(images, menu, clock)
    (tmp_path / "menu.jpg").unlink()
    assert token_of(images, menu, clock) == token
    assert len(vendor.uploaded) == 1


def test_a_decision_without_a_digest_uses_the_present_file(
    images: ImageResolver, vendor: SandboxVendor, tmp_path: Path, clock: Clock
) -> None:
    """With the digest that it has then: two files are never confused."""
    saved(tmp_path, jpeg(seed="menu"))
    (tmp_path / "b.jpg").write_bytes(jpeg(seed="b"))
    tokens = {token_of(images, {"file": name, "digest": ""}, clock) for name in ("menu.jpg", "b.jpg")}
    assert tokens == {u.token for u in vendor.uploaded}
    assert len(tokens) == 2
    with pytest.raises(PictureRefused, match="no file"):
        images.resolve(OA_ID, {"file": "c.jpg", "digest": ""}, now=NOW)


def test_a_lease_of_a_dead_process_ends(
    database: Database, images: ImageResolver, menu: Mapping[str, str], clock: Clock
) -> None:
    """By itself, or at once if the process is known to be dead."""
    uploads = Uploads(database, RATE)
    key = UploadKey(OA_ID, menu["digest"], TYPE)
    assert uploads.claim(key, now=NOW, lease=15.0, newer_than=0.0)
    with pytest.raises(NotReady):
        images.resolve(OA_ID, menu, now=NOW)
    assert not uploads.claim(key, now=NOW + 14.9, lease=15.0, newer_than=0.0)
    uploads.end_leases(now=NOW)
    assert token_of(images, menu, clock)


def test_wrong_clocks_block_nothing(database: Database, menu: Mapping[str, str]) -> None:
    """A lease or pause until next year comes from a clock that was corrected since."""
    uploads = Uploads(database, RATE)
    key = UploadKey(OA_ID, menu["digest"], TYPE)
    assert uploads.claim(key, now=NOW + 365 * DAY, lease=15.0, newer_than=0.0)
    assert uploads.claim(key, now=NOW, lease=15.0, newer_than=0.0)
    uploads.record_failure(key, "503", now=NOW + 365 * DAY, refused=False)
    assert uploads.claim(key, now=NOW, lease=15.0, newer_than=0.0)


def test_unused_tokens_are_deleted(database: Database) -> None:
    """A month after the last upload, when another one is stored."""
    uploads = Uploads(database, RATE)
    old, new = UploadKey(OA_ID, "a" * 64, TYPE), UploadKey(OA_ID, "b" * 64, TYPE)
    for key, now in ((old, NOW), (new, NOW + 31 * DAY)):
        assert uploads.claim(key, now=now, lease=15.0, newer_than=0.0)
        uploads.store_token(key, "t", now=now)
    assert (uploads.find(old), uploads.find(new) is not None) == (None, True)


def test_recent_failures_are_reported(database: Database) -> None:
    """By OA; a success ends them."""
    uploads = Uploads(database, RATE)
    key = UploadKey(OA_ID, "a" * 64, TYPE)
    assert uploads.claim(key, now=NOW, lease=15.0, newer_than=0.0)
    uploads.record_failure(key, "menu.jpg: HTTP 503", now=NOW, refused=False)
    assert uploads.failure_reasons(now=NOW + 30) == {OA_ID: "menu.jpg: HTTP 503"}
    assert uploads.failure_reasons(now=NOW + 3600) == {}
    uploads.store_token(key, "t", now=NOW + 30)
    assert uploads.failure_reasons(now=NOW + 30) == {}
