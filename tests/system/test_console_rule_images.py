"""Images in the console's rule form in a real browser: upload, pick, order, up to the image that a customer gets."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, Route, expect

from bot.rules.model.schema import RuleFile
from bot.rules.reading.loader import load
from bot.sandbox.vendor import SandboxVendor
from tests.support.browser import (
    expect_in_force,
    fits,
    needs_browser,
    new_session,
    texts_too_faint,
    wait_for_images,
    window,
)
from tests.support.rule_in_browser import Editor
from tests.support.running import MAKER, Bot, wait_until
from tests.support.uploads import bot_with_library, chosen, hand_over, photo

pytestmark = [*needs_browser, pytest.mark.xdist_group("console_rule_images")]


@pytest.fixture
def bot(tmp_path: Path, vendor: SandboxVendor) -> Iterator[Bot]:
    """A bot that answers and lets editors publish, with two images in its library."""
    with bot_with_library(tmp_path, vendor.url) as running:
        (tmp_path / "images" / "gia-tet.jpg").write_bytes(photo(200, 300))
        yield running


@pytest.fixture
def page(browser: Browser, bot: Bot) -> Iterator[Page]:
    """A phone's window on the page Rules; the layout is looked at in both sizes."""
    with window(browser, bot, size="phone", state=new_session(bot)) as found:
        found.goto("rules")
        yield found


def images(page: Page) -> Locator:
    return page.locator(".images .title")


def file_of(bot: Bot) -> RuleFile:
    file = load(bot.rules.read_bytes()).file
    assert file is not None
    return file


def test_express_delivery_is_answered_with_a_picture_by_four_actions(
    page: Page, bot: Bot, vendor: SandboxVendor
) -> None:
    """From the page Rules to the customer's screen: a press, a keyword, a picture, a press."""
    editor = Editor(page)
    editor.add_rule("giao hàng nhanh", chosen("Giao nhanh.jpg", photo(400, 300)))
    assert editor.actions == 4
    reply = next(rule.reply for rule in file_of(bot).rules if rule.id == "giao-hang-nhanh")
    assert [image.file for image in reply.images] == ["images/giao-nhanh.jpg"]
    bot.deliver(MAKER.text("1001", "shop có giao hàng nhanh không"))
    wait_until(lambda: vendor.taken, "the customer's image")


def test_what_the_rule_would_do_is_told_while_typing(page: Page, bot: Bot) -> None:
    """An example that another rule answers; mended, the rule may be published."""
    page.goto("rules/edit")
    page.get_by_placeholder("Type one and press Enter").first.fill("giá tết")
    told = page.locator("#live li")
    expect(told).to_have_text(["Add the picture that they get.", "No other rule matches these keywords."])
    publish = page.get_by_role("button", name="Publish")
    page.get_by_text("Choose from the library").click()
    page.get_by_role("checkbox", name="gia-tet.jpg").check()
    expect(publish).to_be_visible()
    page.get_by_label("Messages that must get this reply").fill("cho xem thực đơn")
    expect(told.first).to_contain_text("cho xem thực đơn")
    expect(publish).to_be_hidden()
    assert texts_too_faint(page) == []
    assert fits(page)
    page.get_by_label("Messages that must get this reply").fill("giá tết sao shop")
    expect(told.last).to_have_text("Your sample message gets this reply.")
    publish.click()
    expect_in_force(page)
    assert "giá tết sao shop" in bot.rules.read_text(encoding="utf-8")


def test_a_large_photo_and_a_file_that_is_no_picture(page: Page, bot: Bot) -> None:
    """Twelve megapixels become less than 1 MB, upright and without the place; the other is refused in words."""
    page.goto("rules/edit")
    page.get_by_label("Add pictures").set_input_files(
        [chosen("IMG_0001.JPG", photo(4000, 3000, turned=True)), chosen("bao-gia.jpg", b"PK\3\4 no picture")]
    )
    outcomes = page.locator(".outcomes .notice")
    expect(outcomes).to_have_count(2)
    expect(outcomes.first).to_contain_text("Made ready for Zalo: from")
    expect(outcomes.first).to_contain_text("(3000 × 4000) to")
    expect(outcomes.last).to_contain_text("bao-gia.jpg: ")
    expect(images(page)).to_have_text(["img-0001.jpg"])
    stored = (bot.rules.parent / "images" / "img-0001.jpg").read_bytes()
    assert len(stored) <= 1024 * 1024
    with Image.open(io.BytesIO(stored)) as image:
        assert image.height > image.width
        assert not image.getexif()


def test_several_are_uploaded_picked_ordered_and_removed(page: Page, bot: Bot) -> None:
    """Chosen, dropped, pasted and from the library; put in order by buttons and by dragging."""
    page.get_by_role("link", name="Add a rule").click()
    page.get_by_placeholder("Type one and press Enter").first.fill("bọc quà")
    page.get_by_label("Add pictures").set_input_files(
        [chosen("Bánh kem.jpg", photo(90, 60)), chosen("no.jpg", b"<html>no picture")]
    )
    outcomes = page.locator(".outcomes .notice")
    expect(outcomes).to_have_count(2)
    expect(outcomes.nth(1)).to_contain_text("no.jpg: The file is HTML")
    expect(images(page)).to_have_text(["banh-kem.jpg"])
    hand_over(page, "drop", ".adding-images")
    expect(images(page)).to_have_text(["banh-kem.jpg", "image.png"])
    page.get_by_text("Choose from the library").click()
    wait_for_images(page, ".picks img", wider_than=0)
    expect(page.get_by_role("checkbox", name="banh-kem.jpg")).to_be_checked()
    page.get_by_role("searchbox", name="Search by name").fill("gia tết")
    expect(page.locator(".picks li")).to_have_count(1)
    page.get_by_role("checkbox", name="gia-tet.jpg").check()
    expect(images(page)).to_have_text(["banh-kem.jpg", "image.png", "gia-tet.jpg"])
    page.get_by_role("button", name="Move up: gia-tet.jpg").click()
    page.get_by_role("button", name="Move down: banh-kem.jpg").click()
    expect(images(page)).to_have_text(["gia-tet.jpg", "banh-kem.jpg", "image.png"])
    drag(page, "image.png", to="gia-tet.jpg")
    expect(images(page)).to_have_text(["image.png", "gia-tet.jpg", "banh-kem.jpg"])
    page.get_by_role("button", name="Remove: image.png").click()
    page.get_by_label("send one of them").check()
    page.get_by_label("Share, if one of several").first.fill("3")
    assert fits(page)
    assert texts_too_faint(page) == []
    page.get_by_role("button", name="See what it does").click()
    expect(page.locator("#result")).to_contain_text("rules.yaml: fine.")
    expect(images(page)).to_have_text(["gia-tet.jpg", "banh-kem.jpg"])
    page.get_by_role("button", name="Publish").click()
    expect_in_force(page)
    images_of_reply = "        - {file: images/gia-tet.jpg, weight: 3}\n        - {file: images/banh-kem.jpg}\n"
    assert f"    reply:\n      one_of:\n{images_of_reply}" in bot.rules.read_text(encoding="utf-8")


def test_an_image_that_is_chosen_before_the_script_runs_is_taken(page: Page) -> None:
    """The script comes late, over a slow line."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/console-uploads.js*", hold)
    page.goto("rules/edit", wait_until="commit")
    page.get_by_label("Add pictures").set_input_files([chosen("a.jpg", photo(90, 60))])
    wait_until(lambda: page.title() and held, "the script to be asked for")
    held[0].continue_()
    expect(images(page)).to_have_text(["a.jpg"])


def drag(page: Page, name: str, *, to: str) -> None:
    """Drag one image's handle up to another's place."""
    handle = page.locator(".images li", has_text=name).locator(".handle")
    handle.scroll_into_view_if_needed()
    start, end = handle.bounding_box(), page.locator(".images li", has_text=to).bounding_box()
    assert start
    assert end
    page.mouse.move(start["x"] + 5, start["y"] + 5)
    page.mouse.down()
    page.mouse.move(start["x"] + 5, end["y"] + 2, steps=8)
    page.mouse.up()


def test_a_picked_image_is_put_away_again(page: Page) -> None:
    """The library shows what the rule has, and takes it back."""
    page.goto("rules/edit?id=menu")
    expect(images(page)).to_have_text(["menu.jpg"])
    page.get_by_text("Choose from the library").click()
    page.get_by_role("checkbox", name="gia-tet.jpg").check()
    expect(images(page)).to_have_text(["menu.jpg", "gia-tet.jpg"])
    page.get_by_role("checkbox", name="menu.jpg").uncheck()
    expect(images(page)).to_have_text(["gia-tet.jpg"])


def test_without_script(browser: Browser, bot: Bot, vendor: SandboxVendor) -> None:
    """A file of the form is uploaded, one of the library ticked, and the second moved up."""
    with window(browser, bot, script=False, state=new_session(bot)) as page:
        page.goto("rules/edit")
        page.get_by_label("Keywords 1", exact=True).fill("bọc quà")
        page.get_by_label("Add pictures").set_input_files(
            [chosen("Quà.jpg", photo(90, 60)), chosen("no.jpg", b"%PDF-1.7")]
        )
        page.get_by_text("Choose from the library").click()
        page.get_by_role("checkbox", name="gia-tet.jpg").check()
        page.get_by_role("button", name="See what it does").click()
        expect(page.locator(".notice").first).to_have_text("Quà.jpg: added as images/qua.jpg.")
        expect(page.get_by_text("no.jpg: The file is PDF")).to_be_visible()
        page.get_by_role("button", name="Move up: Picture 2").click()
        expect(images(page).first).to_have_text("qua.jpg")
        page.get_by_role("button", name="See what it does").click()
        page.get_by_role("button", name="Publish").click()
        expect_in_force(page)
    reply = next(rule.reply for rule in file_of(bot).rules if rule.id == "boc-qua")
    assert [image.file for image in reply.images] == ["images/qua.jpg", "images/gia-tet.jpg"]
    bot.deliver(MAKER.text("1001", "bọc quà giúp em"))
    wait_until(lambda: len(vendor.taken) == 2, "the two images")
