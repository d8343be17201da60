"""The console's overview with a real bot that answers customers and a vendor that refuses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from bot.sandbox.script import OK, answer
from bot.sandbox.vendor import SandboxVendor
from tests.support.browser import fits, log_in, needs_browser, window
from tests.support.console import PASSWORD
from tests.support.running import MAKER, Bot, wait_until

REFUSED = answer(401, {"code": "unauthenticated", "msg": "invalid <b>key</b>"})

pytestmark = [*needs_browser, pytest.mark.xdist_group("console_overview")]


@pytest.fixture
def shop(tmp_path: Path, vendor: SandboxVendor) -> Iterator[Bot]:
    """A bot with a console that has answered one customer, and could not answer another."""
    with Bot(tmp_path, vendor.url, CONSOLE_PASSWORD=PASSWORD, WEB_CONCURRENCY="1") as running:
        running.deliver(MAKER.text("101", "bảng giá"))
        vendor.wait_for_taken(1)
        running.deliver(MAKER.text("102", "có bánh chay không"))
        yield running


@pytest.mark.parametrize(("size", "script"), [("phone", True), ("desktop", False)], ids=["script", "no-script"])
def test_the_figures_and_their_table(browser: Browser, shop: Bot, size: str, script: bool) -> None:
    """The charts need no script; the table opens by keyboard; nothing sticks out of a phone."""
    with window(browser, shop, size=size, script=script) as page:
        log_in(page)
        expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
        figure = page.locator(".tile", has_text="No answer yet").locator("b")
        wait_until(lambda: page.reload() and figure.inner_text() == "1", "the unanswered message")
        expect(page.locator(".tile", has_text="Messages from customers").locator("b")).to_have_text("2")
        expect(page.locator(".tile", has_text="Answered").locator("b").first).to_have_text("50 %")
        expect(page.get_by_role("img", name="Messages per day: 2 messages")).to_be_visible()
        bar = page.locator(".plot").first.locator(".s-answered").last
        box = bar.bounding_box()
        assert box
        assert min(box["width"], box["height"]) > 10
        page.get_by_text("Show as a table").first.press("Enter")
        cells = page.locator(".plot").first.get_by_role("row").last.get_by_role("cell")
        expect(cells).to_have_text(["2", "1", "0", "1", "0", "0"])
        if script:  # else the browser cannot be asked
            assert fits(page)
        page.get_by_role("link", name="Today").click()
        expect(page.get_by_role("img", name="Messages per hour: 2 messages")).to_be_visible()


def test_the_notice_of_a_refused_account_appears_and_disappears(
    browser: Browser, shop: Bot, vendor: SandboxVendor
) -> None:
    """On whatever page one is, until the vendor takes images again; nothing in it is markup."""
    vendor.always(REFUSED)
    shop.deliver(MAKER.text("103", "bảng giá"))
    with window(browser, shop, size="phone") as page:
        log_in(page)
        page.goto("rules")
        notice = page.get_by_role("region", name="The vendor refuses the account")
        wait_until(lambda: page.reload() and notice.count(), "the notice")
        expect(notice).to_contain_text("The connection key is refused: tell the operator.")
        expect(notice).to_contain_text("invalid <b>key</b>")
        assert fits(page)
        notice.get_by_role("link", name="See what waits").click()
        expect(page.locator(".events")).to_contain_text("bảng giá")
        vendor.always(OK)
        vendor.wait_for_taken(2)
        wait_until(lambda: page.reload() and not notice.count(), "the notice to go")
