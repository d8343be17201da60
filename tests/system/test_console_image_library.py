"""The console's picture library in a real browser: choose, drop, paste, replace, delete and undo."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.support.browser import fits, needs_browser, new_session, texts_too_faint, wait_for_images, window
from tests.support.running import Bot, wait_until
from tests.support.uploads import bot_with_library, chosen, hand_over, photo

pytestmark = [*needs_browser, pytest.mark.xdist_group("console_image_library")]


@pytest.fixture
def bot(tmp_path: Path) -> Iterator[Bot]:
    """A bot that lets editors publish, with one picture."""
    with bot_with_library(tmp_path, "http://127.0.0.1:9") as running:
        yield running


def open_library(page: Page) -> None:
    page.goto("pictures")
    page.get_by_role("link", name="Picture library").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Picture library")


def test_choose_drop_paste_replace_delete_and_undo(browser: Browser, bot: Bot) -> None:
    with window(browser, bot, size="phone", state=new_session(bot)) as page:
        open_library(page)
        large = photo(4000, 3000, turned=True)
        assert len(large) > 1024 * 1024
        page.get_by_label("Choose pictures").set_input_files(
            [chosen("Bánh kem.jpg", large), chosen("menu.jpg", b"<html>no picture")]
        )
        outcomes = page.locator("#outcomes .notice")
        expect(outcomes).to_have_count(2)
        expect(outcomes.nth(0)).to_contain_text("Bánh kem.jpg: added as images/banh-kem.jpg. Made ready for Zalo: from")
        expect(outcomes.nth(0)).to_contain_text("(3000 × 4000)")
        expect(outcomes.nth(1)).to_contain_text("menu.jpg: The file is HTML")
        expect(page.locator(".tile h3")).to_have_text(["banh-kem.jpg", "menu.jpg"])
        wait_for_images(page, ".tile img", wider_than=100)
        assert fits(page)
        assert texts_too_faint(page) == []
        hand_over(page, "drop", "#uploader", "abc")
        expect(outcomes).to_have_count(1)
        expect(outcomes).to_contain_text("image.png: This is not a picture.")
        hand_over(page, "paste", "#uploader")
        expect(outcomes).to_contain_text("added as images/image.png")
        page.get_by_label("Replace: menu.jpg").click()
        page.get_by_label("New picture for menu.jpg").set_input_files([chosen("moi.jpg", photo(200, 200))])
        page.get_by_role("button", name="Replace", exact=True).click()
        expect(outcomes).to_contain_text("images/menu.jpg: replaced")
        page.get_by_role("button", name="Delete: image.png").click()
        expect(outcomes).to_contain_text("images/image.png: deleted.")
        assert not (bot.rules.parent / "images" / "image.png").exists()
        page.get_by_role("button", name="Undo").click()
        expect(outcomes).to_contain_text("images/image.png: restored.")
        assert (bot.rules.parent / "images" / "image.png").exists()


def test_an_upload_that_is_stopped_keeps_what_is_stored(browser: Browser, bot: Bot) -> None:
    """The second of three is on its way."""
    with window(browser, bot, state=new_session(bot)) as page:
        open_library(page)
        held: list[Route] = []

        def hold_the_second(route: Route) -> None:
            if "hai.jpg" in (route.request.post_data_buffer or b"").decode(errors="replace"):
                held.append(route)
            else:
                route.continue_()

        page.route("**/pictures/library", hold_the_second)
        page.get_by_label("Choose pictures").set_input_files(
            [chosen(f"{name}.jpg", photo(120 + len(name), 90)) for name in ("một", "hai", "ba bốn")]
        )
        outcomes = page.locator("#outcomes .notice")
        expect(outcomes).to_have_count(1)
        expect(page.get_by_role("progressbar", name="Uploading pictures")).to_be_visible()
        expect(page.locator(".uploads")).to_contain_text("2 of 3: hai.jpg")
        page.get_by_role("button", name="Stop the upload").click()
        if page.locator(".uploads").is_visible():  # all its bytes were on their way: it is waited for
            wait_until(lambda: bool(held), "the second is sent")
            held[0].abort()
        expect(outcomes.last).to_have_text("Stopped. Pictures stored: 1 of 3.")
        expect(page.get_by_role("progressbar")).to_have_count(0)
        assert sorted(file.name for file in (bot.rules.parent / "images").iterdir()) == ["menu.jpg", "mot.jpg"]


def test_without_javascript_the_form_does_it(browser: Browser, bot: Bot) -> None:
    with window(browser, bot, script=False, state=new_session(bot)) as page:
        open_library(page)
        page.get_by_label("Choose pictures").set_input_files(
            [chosen("một.jpg", photo(120, 90)), chosen("hai.jpg", photo(90, 120))]
        )
        page.get_by_role("button", name="Upload").click()
        expect(page.locator("#outcomes .notice")).to_have_text(
            ["một.jpg: added as images/mot.jpg.", "hai.jpg: added as images/hai.jpg."]
        )
