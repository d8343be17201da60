"""The console's rule form in a real browser, up to the image that a customer gets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from bot.sandbox.vendor import SandboxVendor
from tests.support.browser import (
    expect_in_force,
    fits,
    needs_browser,
    new_session,
    small_targets,
    texts_too_faint,
    window,
)
from tests.support.console import PASSWORD
from tests.support.running import MAKER, Bot, wait_until

SAMPLE = (Path(__file__).parents[2] / "bot" / "rules" / "starters" / "tiem-banh.yaml").read_text(encoding="utf-8")
LINK = "https://anh.tiemnhana.example/gio-vang.jpg"

pytestmark = [*needs_browser, pytest.mark.xdist_group("console_rule_editor")]


@pytest.fixture
def bot(tmp_path: Path, vendor: SandboxVendor) -> Iterator[Bot]:
    """A bot that answers, and lets editors publish."""
    with Bot(tmp_path, vendor.url, rules=SAMPLE, CONSOLE_PASSWORD=PASSWORD, CONSOLE_PUBLISH="true") as running:
        yield running


@pytest.fixture
def page(browser: Browser, bot: Bot) -> Iterator[Page]:
    """A phone's window on the page Rules; the layout is looked at in both sizes."""
    with window(browser, bot, size="phone", state=new_session(bot)) as found:
        found.goto("rules")
        expect(found.get_by_role("heading", level=1)).to_have_text("Rules")
        yield found


def test_from_the_button_to_the_picture_that_customers_get(page: Page, bot: Bot, vendor: SandboxVendor) -> None:
    """Keywords by Enter and by paste, a picture, an example; see, publish, be answered by it."""
    page.get_by_role("link", name="Add a rule").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Add a rule")
    entry = page.get_by_placeholder("Type one and press Enter").first
    entry.fill("bọc quà")
    entry.press("Enter")
    page.evaluate("""() => {
        const data = new DataTransfer();
        data.setData("text", "- thắt nơ, gói 1,5 kg; bọc quà\\n- thiệp\\tnơ");
        document.querySelector("[data-name=keyword] .adding input")
            .dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true}));
    }""")
    chips = page.locator("[data-name=keyword] .chip span")
    expect(chips).to_have_text(["bọc quà", "thắt nơ", "gói 1,5 kg", "thiệp", "nơ"])
    page.get_by_role("button", name="Remove: nơ").click()
    page.locator("[data-name=keyword] .adding select").select_option("exact")
    entry.press("Backspace")
    expect(entry).to_have_value("thiệp")
    expect(page.locator("[data-name=keyword] .adding select")).to_have_value("phrase")
    entry.fill("hộp, nhãn")
    entry.press("Enter")
    page.get_by_role("button", name="Remove: hộp").click()
    page.get_by_role("button", name="Change: nhãn").press("Enter")
    page.locator("[data-name=keyword] .adding select").select_option("exact")
    entry.press("Enter")
    expect(page.locator("[data-name=keyword] .chip").last).to_have_text("nhãnwhole message×")
    page.get_by_role("button", name="Remove: nhãn").click()
    page.get_by_role("button", name="Link or id…").click()
    page.get_by_role("textbox", name="Picture 1").fill(LINK)
    page.keyboard.press("Tab")
    undo_and_redo(page, chips)
    page.get_by_label("Messages that must get this reply").fill("shop có bọc quà không")
    page.get_by_text("When, how often, for whom").click()
    page.get_by_label("Sun", exact=True).check()
    page.get_by_label("Sun", exact=True).uncheck()
    assert fits(page)
    assert texts_too_faint(page) == []
    assert small_targets(page) == []
    page.get_by_role("button", name="See what it does").click()
    expect(page.locator("#result")).to_contain_text("rules.yaml: fine.")
    assert bot.rules.read_text(encoding="utf-8") == SAMPLE
    assert fits(page)
    page.get_by_role("button", name="Publish").click()
    expect_in_force(page)
    added = '    keywords: [bọc quà, thắt nơ, "gói 1,5 kg"]\n'
    assert added in bot.rules.read_text(encoding="utf-8")

    def answered() -> bool:
        bot.deliver(MAKER.text("1001", "bọc quà giúp em"))
        return any(taken.message.image == LINK for taken in vendor.taken)

    wait_until(answered, "a customer gets the new picture")


def undo_and_redo(page: Page, chips: Locator) -> None:
    """Take an image and a keyword away, bring them back one by one, and go forward again; by buttons and by keys."""
    page.get_by_role("button", name="Remove: gio-vang.jpg").click()
    expect(page.locator(".images > li")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".images .title")).to_have_text("gio-vang.jpg")
    page.get_by_role("button", name="Remove: thắt nơ").click()
    page.keyboard.press("Control+z")  # in the empty field, where the focus is
    expect(chips).to_have_text(["bọc quà", "thắt nơ", "gói 1,5 kg"])
    page.keyboard.press("Control+Shift+z")
    expect(chips).to_have_text(["bọc quà", "gói 1,5 kg"])
    page.get_by_role("button", name="Undo").click()
    expect(chips).to_have_text(["bọc quà", "thắt nơ", "gói 1,5 kg"])
    expect(page.locator(".images .title")).to_have_text("gio-vang.jpg")


def test_from_an_unanswered_question_to_the_picture(page: Page, bot: Bot, vendor: SandboxVendor) -> None:
    """The form is filled in from the question; published, the question is gone from the list."""
    question = "shop có bọc quà không"
    bot.deliver(MAKER.text("2001", question))
    page.goto("unanswered")
    asked = page.get_by_role("heading", name=question)
    wait_until(lambda: page.reload() and asked.count(), "the question")
    assert fits(page)
    assert texts_too_faint(page) == []
    assert small_targets(page) == []
    page.get_by_role("button", name="Create a rule").click()
    expect(page.locator("[data-name=keyword] .chip span")).to_have_text(["bọc quà"])
    expect(page.get_by_label("Name of the rule")).to_have_value("boc-qua")
    expect(page.get_by_label("Messages that must get this reply")).to_have_value(question)
    page.get_by_role("button", name="Link or id…").click()
    page.get_by_role("textbox", name="Picture 1").fill(LINK)
    page.get_by_role("button", name="See what it does").click()
    expect(page.locator("#result")).to_contain_text("rules.yaml: fine.")
    page.get_by_role("button", name="Publish").click()
    expect_in_force(page)

    def answered() -> bool:
        bot.deliver(MAKER.text("2002", question))
        return any(taken.message.image == LINK for taken in vendor.taken)

    wait_until(answered, "a customer gets the new picture")
    page.goto("unanswered")
    expect(asked).to_have_count(0)


def test_a_question_goes_to_a_known_rule(page: Page, bot: Bot) -> None:
    """Its name is typed or chosen."""
    bot.deliver(MAKER.text("2001", "shop có bọc quà không"))
    page.goto("unanswered")
    more = page.get_by_text("Add to a rule…")
    wait_until(lambda: page.reload() and more.count(), "the question")
    more.click()
    page.get_by_label("Name of the rule").fill("menu")
    assert fits(page)
    page.get_by_role("button", name="Open the rule").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Change a rule menu")
    expect(page.locator("[data-name=keyword] .chip span").last).to_have_text("bọc quà")


def test_what_is_done_with_a_card(page: Page, bot: Bot) -> None:
    """Off, edited by keyboard, deleted; only after a second press that says what customers lose."""
    page.get_by_role("button", name="Switch off: menu").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Switch this rule off? menu")
    assert fits(page)
    assert texts_too_faint(page) == []
    assert small_targets(page) == []
    page.get_by_role("button", name="Yes, switch off").click()
    expect_in_force(page)
    assert bot.rules.read_text(encoding="utf-8").count("enabled: false") == SAMPLE.count("enabled: false") + 1
    page.goto("rules/edit?id=menu")
    expect(page.locator("[data-name=keyword] .chip")).to_have_count(6)
    page.get_by_placeholder("Type one and press Enter").first.press("Backspace")
    expect(page.locator("[data-name=keyword] .chip")).to_have_count(5)
    page.get_by_placeholder("Type one and press Enter").first.fill("")
    page.get_by_label("The rule is switched on").check()
    page.get_by_role("button", name="See what it does").click()
    expect(page.locator("#result")).to_be_visible()
    page.goto("rules?q=menu")
    page.get_by_role("button", name="Delete…: menu").click()
    assert fits(page)
    page.get_by_role("button", name="Yes, delete").click()
    expect(page.locator("#result, .notice").first).to_be_visible()


def test_without_script(browser: Browser, bot: Bot) -> None:
    """A field and a kind of match for each keyword; the way is the same."""
    with window(browser, bot, script=False, state=new_session(bot)) as page:
        page.goto("rules/edit")
        page.get_by_label("Keywords 1", exact=True).fill("bọc quà")
        page.get_by_label("Where in the message 1").first.select_option("exact")
        page.get_by_role("textbox", name="Picture 1").fill(LINK)
        page.get_by_role("button", name="See what it does").click()
        page.get_by_role("button", name="Publish").click()
        expect_in_force(page)
    assert "  - id: boc-qua\n    keywords: [{text: bọc quà, match: exact}]\n" in bot.rules.read_text(encoding="utf-8")
