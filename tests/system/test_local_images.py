"""Local image files, from the customer's message to the image on the phone."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest

from bot.inbox.tables import events, uploads
from bot.sandbox.script import OK, answer, hang, vendor_code
from bot.sandbox.vendor import SandboxVendor
from tests.support.events import rows, statuses, table_rows
from tests.support.local_images import jpeg, png
from tests.support.running import MAKER, OA_ID, Bot, wait_until

ELSE = "https://shop.example/du-phong.jpg"
RULES = f"""\
version: 1
rules:
  - id: menu
    keywords: [thực đơn]
    reply: {{file: images/menu.jpg}}
  - id: phong
    keywords: [phòng]
    reply: {{file: images/phong.png, else: {{image_url: "{ELSE}"}}}}
  - id: ma
    keywords: [mã ảnh]
    reply: {{attachment_id: aBc, uploaded: 2027-01-01, else: {{image_url: "{ELSE}"}}}}
  - id: link
    keywords: [bảng giá]
    reply: {{image_url: "https://shop.example/bang-gia.jpg"}}
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A folder with two pictures, where the rules will be."""
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "menu.jpg").write_bytes(jpeg(300_000, seed="menu"))
    (tmp_path / "images" / "phong.png").write_bytes(png())
    return tmp_path


def test_a_picture_file_is_uploaded_once_and_sent_by_its_token(
    shop: Path, vendor: SandboxVendor, database_url: str
) -> None:
    """The bytes are those of the file; the second message costs no second upload."""
    with Bot(shop, vendor.url, rules=RULES, DATABASE_URL=database_url) as bot:
        bot.deliver(MAKER.text("101", "thực đơn"))
        vendor.wait_for_taken(1)
        bot.deliver(MAKER.text("102", "cho xem thuc don"))
        first, second = vendor.wait_for_taken(2)
        [uploaded] = vendor.uploaded
        assert uploaded.upload.content == (shop / "images" / "menu.jpg").read_bytes()
        assert (uploaded.upload.oa_id, uploaded.upload.type, uploaded.upload.name) == (OA_ID, "UpLoadFile", "menu.jpg")
        assert {(t.message.field, t.message.image) for t in (first, second)} == {("attachment_id", uploaded.token)}
        wait_until(lambda: Counter(statuses(bot)) == {"sent": 2}, "both events to be settled")
        assert {row["attempts"] for row in rows(bot)} == {0}
        assert bot.get("/readyz").text == "ready\n"


def test_many_events_in_several_processes_upload_once(shop: Path, vendor: SandboxVendor, postgres_url: str) -> None:
    """Whoever comes first uploads, while links go out meanwhile; the others wait without a failure to their name."""
    vendor.next_upload(hang())
    settings = {"DATABASE_URL": postgres_url, "WEB_CONCURRENCY": "2", "SEND_TIMEOUT": "30"}
    other = shop / "other"
    shutil.copytree(shop / "images", other / "images")
    with Bot(shop, vendor.url, rules=RULES, **settings) as one, Bot(other, vendor.url, rules=RULES, **settings) as two:
        for number in range(30):
            (one, two)[number % 2].deliver(MAKER.text(f"1{number:02}", "thực đơn"))
        one.deliver(MAKER.text("200", "bảng giá"))
        assert vendor.wait_for_taken(1)[0].message.user_id == "200"
        vendor.release()
        vendor.wait_for_taken(31)
        wait_until(lambda: Counter(statuses(one)) == {"sent": 31}, "all to be settled")
    assert len(vendor.uploaded) == 1
    assert Counter(t.message.user_id for t in vendor.taken).most_common(1)[0][1] == 1
    assert {row["attempts"] for row in table_rows(postgres_url, events)} == {0}


def test_an_upload_that_zalo_has_forgotten_is_renewed(shop: Path, vendor: SandboxVendor) -> None:
    """The answer -100 costs one more upload, not the customer's picture."""
    with Bot(shop, vendor.url, rules=RULES) as bot:
        bot.deliver(MAKER.text("101", "thực đơn"))
        vendor.wait_for_taken(1)
        vendor.expire_uploads()
        bot.deliver(MAKER.text("102", "thực đơn"))
        taken = vendor.wait_for_taken(2)
        wait_until(lambda: Counter(statuses(bot)) == {"sent": 2}, "both events to be settled")
        bot.deliver(MAKER.text("103", "thực đơn"))
        vendor.wait_for_taken(3)
    old, new = vendor.uploaded
    assert [t.message.image for t in taken] == [old.token, new.token]
    assert Counter(t.message.user_id for t in vendor.taken) == {"101": 1, "102": 1, "103": 1}


def test_a_picture_that_is_always_expired_ends(shop: Path, vendor: SandboxVendor) -> None:
    """One renewal for an event and no loop: then its stand-in, or a dead letter."""
    vendor.next(*[vendor_code(-100, "attachment_id was expired")] * 2, user_id="101")
    vendor.next(*[vendor_code(-100, "attachment_id was expired")] * 2, user_id="102")
    with Bot(shop, vendor.url, rules=RULES) as bot:
        bot.deliver(MAKER.text("101", "thực đơn"))
        bot.deliver(MAKER.text("102", "phòng"))
        [taken] = vendor.wait_for_taken(1)
        assert (taken.message.user_id, taken.message.image) == ("102", ELSE)
        wait_until(lambda: Counter(statuses(bot)) == {"sent": 1, "dead": 1}, "both events to be settled")
    assert Counter(u.upload.name for u in vendor.uploaded) == {"menu.jpg": 2, "phong.png": 2}


@pytest.mark.parametrize("code", [-100, -210])
def test_an_attachment_that_is_refused_gives_way_to_its_link(shop: Path, vendor: SandboxVendor, code: int) -> None:
    """The customer gets the stand-in at once; a refused customer gets nothing."""
    vendor.next(vendor_code(code, "attachment_id"), user_id="101")
    vendor.next(vendor_code(-213, "User has not followed OA"), user_id="102")
    with Bot(shop, vendor.url, rules=RULES) as bot:
        bot.deliver(MAKER.text("101", "mã ảnh"))
        bot.deliver(MAKER.text("102", "mã ảnh"))
        [taken] = vendor.wait_for_taken(1)
        assert (taken.message.user_id, taken.message.image) == ("101", ELSE)
        wait_until(lambda: Counter(statuses(bot)) == {"sent": 1, "dead": 1}, "both events to be settled")


def test_an_upload_that_fails_for_the_moment_is_tried_again(shop: Path, vendor: SandboxVendor) -> None:
    """The event waits and loses no attempt, links go out meanwhile, and `/readyz` says what is the matter."""
    vendor.next_upload(answer(503), answer(502))
    with Bot(shop, vendor.url, rules=RULES) as bot:
        bot.deliver(MAKER.text("101", "thực đơn"))
        wait_until(lambda: "HTTP 503" in bot.get("/readyz").text, "/readyz to say why")
        bot.deliver(MAKER.text("102", "bảng giá"))
        assert vendor.wait_for_taken(1)[0].message.user_id == "102"
        assert vendor.wait_for_taken(2)[1].message.user_id == "101"
        wait_until(lambda: Counter(statuses(bot)) == {"sent": 2}, "both events to be settled")
        assert {row["attempts"] for row in rows(bot)} == {0}
        assert bot.get("/readyz").text == "ready\n"
    assert len(vendor.uploaded) == 1


def test_a_file_that_has_vanished_gives_way_to_its_link(shop: Path, vendor: SandboxVendor) -> None:
    """The rules in force stay; without a stand-in it is a dead letter that says why."""
    with Bot(shop, vendor.url, rules=RULES) as bot:
        (shop / "images" / "phong.png").unlink()
        (shop / "images" / "menu.jpg").unlink()
        wait_until(lambda: "file-missing" in bot.get("/readyz").text, "/readyz to say why")
        bot.deliver(MAKER.text("101", "phòng"))
        bot.deliver(MAKER.text("102", "thực đơn"))
        [taken] = vendor.wait_for_taken(1)
        assert (taken.message.user_id, taken.message.image) == ("101", ELSE)
        wait_until(lambda: Counter(statuses(bot)) == {"sent": 1, "dead": 1}, "both events to be settled")
        [dead] = [row for row in rows(bot) if row["status"] == "dead"]
        assert (dead["reason"], "images/menu.jpg" in dead["error"]) == ("refused", True)
    assert vendor.uploaded == []


def test_a_replaced_file_is_what_the_next_customer_gets(shop: Path, vendor: SandboxVendor) -> None:
    """Without a word in the rules file; and what was good stays, while the new file is not."""
    picture = shop / "images" / "menu.jpg"
    with Bot(shop, vendor.url, rules=RULES) as bot:
        bot.deliver(MAKER.text("101", "thực đơn"))
        vendor.wait_for_taken(1)
        picture.write_bytes(b"GIF89a...")
        wait_until(lambda: "file-type" in bot.get("/readyz").text, "the file to be refused")
        bot.deliver(MAKER.text("102", "thực đơn"))
        vendor.wait_for_taken(2)
        shutil.copy(shop / "images" / "phong.png", shop / "new")
        (shop / "new").replace(picture)
        wait_until(lambda: bot.get("/readyz").text == "ready\n", "the new picture to count")
        bot.deliver(MAKER.text("103", "thực đơn"))
        taken = vendor.wait_for_taken(3)
    old, new = vendor.uploaded
    assert [t.message.image for t in taken] == [old.token, old.token, new.token]
    assert (new.upload.name, new.upload.content) == ("menu.png", png())


def test_new_images_are_uploaded_before_a_customer_asks(shop: Path, vendor: SandboxVendor, database_url: str) -> None:
    """Once rules name them that the bot has taken meanwhile; whoever asks then costs no upload."""
    with Bot(shop, vendor.url, rules=RULES, DATABASE_URL=database_url, WEB_CONCURRENCY="1") as bot:
        bot.deliver(MAKER.text("101", "bảng giá"))
        vendor.wait_for_taken(1)
        (shop / "images" / "moi.jpg").write_bytes(jpeg(seed="mới"))
        new = "  - {id: moi, keywords: [món mới], reply: {file: images/moi.jpg}}\n"
        bot.rules.write_text(RULES + new, encoding="utf-8")
        wait_until(lambda: len(vendor.uploaded) == 1, "the upload")
        bot.deliver(MAKER.text("102", "món mới"))
        [_, sent] = vendor.wait_for_taken(2)
        [upload] = vendor.uploaded
        assert (upload.upload.name, sent.message.image) == ("moi.jpg", upload.token)


@pytest.mark.long
def test_killed_between_the_upload_and_the_sending(shop: Path, vendor: SandboxVendor, database_url: str) -> None:
    """Nothing is lost and the picture arrives once; the upload that nobody heard of is made again."""
    vendor.next_upload(hang())
    with Bot(shop, vendor.url, rules=RULES, DATABASE_URL=database_url) as bot:
        bot.deliver(MAKER.text("101", "thực đơn"))
        wait_until(lambda: vendor.uploaded, "the upload to arrive")
        bot.kill()
        bot.start()
        vendor.wait_for_taken(1)
        wait_until(lambda: Counter(statuses(bot)) == {"sent": 1}, "the event to be settled")
    assert len(vendor.taken) == 1


def test_rules_whose_pictures_are_gone_do_not_keep_the_bot_from_starting(shop: Path, vendor: SandboxVendor) -> None:
    """The last good rules are in force, with the pictures that are left."""
    with Bot(shop, vendor.url, rules=RULES) as bot:
        bot.terminate()
        (shop / "images" / "menu.jpg").unlink()
        bot.start()
        bot.deliver(MAKER.text("101", "phòng"))
        [taken] = vendor.wait_for_taken(1)
        assert taken.message.image == vendor.uploaded[0].token
        bot.deliver(MAKER.text("102", "thực đơn"))
        wait_until(lambda: Counter(statuses(bot)) == {"sent": 1, "dead": 1}, "both events to be settled")


def test_the_decision_keeps_which_picture_it_was(shop: Path, vendor: SandboxVendor) -> None:
    """By the digest of its content, so that a retry sends the same."""
    vendor.always(answer(503))
    with Bot(shop, vendor.url, rules=RULES) as bot:
        bot.deliver(MAKER.text("101", "phòng"))
        vendor.wait_for(lambda received: any(r.message for r in received))
        (shop / "images" / "phong.png").write_bytes(png(3_000))
        vendor.always(OK)
        [taken] = vendor.wait_for_taken(1)
        [row] = rows(bot)
        kept = {one["token"]: one for one in table_rows(bot.environment["DATABASE_URL"], uploads)}[taken.message.image]
    assert taken.message.image == vendor.uploaded[0].token
    assert row["images"] == [{"file": "images/phong.png", "digest": kept["digest"], "else": ELSE}]
    assert json.loads(json.dumps(row["images"])) == row["images"]
