"""Events in the console: a real bot, a vendor that refuses, and an editor with a browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from bot.sandbox.script import answer
from bot.sandbox.vendor import SandboxVendor
from tests.support.browser import fits, needs_browser, new_session, window
from tests.support.console import PASSWORD
from tests.support.running import MAKER, RULES, Bot, wait_until

REFUSED = answer(400, {"code": 400, "message": "image_url is <b>no picture</b>"})
SCRIPT = "<script>document.title='hit'</script> bảng giá"

pytestmark = [*needs_browser, pytest.mark.xdist_group("console_events")]


@pytest.fixture
def shop(tmp_path: Path, vendor: SandboxVendor) -> Iterator[Bot]:
    """A bot with a console."""
    with Bot(tmp_path, vendor.url, CONSOLE_PASSWORD=PASSWORD, WEB_CONCURRENCY="1") as running:
        yield running


@pytest.fixture
def page(browser: Browser, shop: Bot) -> Iterator[Page]:
    """The list of events in a phone's window; the layout is looked at in both sizes."""
    with window(browser, shop, size="phone", state=new_session(shop)) as page:
        page.context.grant_permissions(["clipboard-write"])  # which browsers give to a page that is in front
        page.goto("events")
        expect(page.get_by_role("heading", name="Events")).to_be_visible()
        yield page


def test_a_dead_letter_from_the_list_to_the_customer(page: Page, shop: Bot, vendor: SandboxVendor) -> None:
    """The editor sees the vendor's words, mends the rule, presses replay, and sees the picture go out."""
    vendor.next(REFUSED, user_id="101")
    shop.deliver(MAKER.text("101", SCRIPT))
    tab = page.get_by_role("link", name="Dead letter 1")
    wait_until(lambda: page.reload() and tab.count(), "the dead letter")
    tab.click()
    row = page.get_by_role("row").filter(has_text="refused by the vendor for good")
    expect(row).to_contain_text("image_url is <b>no picture</b>")
    expect(row).to_contain_text(SCRIPT)
    assert fits(page)

    row.locator(".when a").click()
    expect(page.get_by_role("heading", name="Replay?")).to_be_visible()
    expect(page.get_by_text(SCRIPT)).to_be_visible()
    expect(page.get_by_text("image_url is <b>no picture</b>")).to_be_visible()
    assert fits(page)

    loads = shop.log_text().count("rules in force")
    shop.rules.write_text(RULES.replace("bang-gia.jpg", "gia-moi.jpg"), encoding="utf-8")
    wait_until(lambda: shop.log_text().count("rules in force") > loads, "the new rules")
    page.get_by_text("Replay…").press("Enter")
    page.get_by_role("button", name="Yes, send it again").press("Enter")
    expect(page.get_by_role("status").filter(has_text="open again; it was dead, refused")).to_be_visible()
    [taken] = vendor.wait_for_taken(1)
    assert taken.message.image == "https://shop.example/gia-moi.jpg"
    expect(page.locator(".standing")).to_have_text("sent")  # without a reload
    expect(page.get_by_text("Picture 1 of 1: sent")).to_be_visible()
    assert page.title() == "Event 1 · bot console"
    assert len(vendor.taken) == 1


def test_what_no_rule_answered_is_copied_and_tried(page: Page, shop: Bot) -> None:
    """The snippet's button says that it has copied, or selects; the question leads to Try."""
    shop.deliver(MAKER.text("101", "có thẻ thành viên không 0912345678"))
    shop.deliver(MAKER.text("102", "cái gì mà dài " + "quá" * 200))
    page.get_by_role("link", name="Unanswered").click()
    card = page.locator(".gap", has_text="thẻ thành viên")
    wait_until(lambda: page.reload() and card.count(), "the question")
    expect(page.locator(".gap")).to_have_count(2)
    assert fits(page)
    card.get_by_role("button", name="Copy").click()
    expect(card.locator(".copy")).to_have_text("Copied")
    card.get_by_role("button", name="Try this message").click()
    expect(page.get_by_role("heading", name="Which rule answers")).to_be_visible()
    expect(page.get_by_label("The customer’s message")).to_have_value("có thẻ thành viên không •••")
    assert page.url == f"{shop.url}/console/try"


def test_a_conversation(page: Page, shop: Bot, vendor: SandboxVendor) -> None:
    """From the list to the customer's bubbles and the image that went out, on a phone as well."""
    shop.deliver(MAKER.text("101", "shop ơi bảng giá"))
    vendor.wait_for_taken(1)
    link = page.get_by_role("link", name="Conversation")
    wait_until(lambda: page.reload() and link.count() and page.get_by_text("1/1").count(), "the answer")
    link.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Conversation")
    expect(page.locator(".turn.customer .bubble")).to_have_text("shop ơi bảng giá")
    expect(page.locator(".turn.shop")).to_contain_text("bang-gia")
    assert fits(page)
    page.locator(".turn.customer").get_by_role("link", name="just now").click()
    expect(page.get_by_role("link", name="See the whole conversation")).to_be_visible()
