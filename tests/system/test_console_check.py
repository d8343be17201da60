"""The console's page Check in a real browser, up to the images that customers get after a publication."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from bot.sandbox.vendor import SandboxVendor
from tests.support.browser import (
    expect_in_force,
    fits,
    needs_browser,
    new_session,
    small_targets,
    texts_too_faint,
    wait_for_images,
    window,
)
from tests.support.console import PASSWORD
from tests.support.running import MAKER, Bot, wait_until

SAMPLE = (Path(__file__).parents[2] / "bot" / "rules" / "starters" / "tiem-banh.yaml").read_text(encoding="utf-8")
PICTURES = "https://anh.tiemnhana.example"
GIFTS = f"""
  - id: qua-tang
    keywords: [tặng quà]
    reply: {{image_url: "{PICTURES}/gio-vang.jpg"}}
"""
NEW = SAMPLE.replace("\nfallback:", f"{GIFTS}\nfallback:")
BROKEN = NEW.replace("keywords: [tặng quà]", "keyword: [tặng quà]")
LINE = NEW.split("\n").index("    keywords: [tặng quà]") + 1

pytestmark = [*needs_browser, pytest.mark.xdist_group("console_check")]


@pytest.fixture
def bot(tmp_path: Path, vendor: SandboxVendor) -> Iterator[Bot]:
    """A bot that answers, and lets editors publish."""
    publishing = {"CONSOLE_PASSWORD": PASSWORD, "CONSOLE_PUBLISH": "true"}
    with Bot(tmp_path, vendor.url, rules=SAMPLE, **publishing) as running:
        yield running


@pytest.fixture
def page(browser: Browser, bot: Bot) -> Iterator[Page]:
    """A phone's window, logged in; the layout is looked at in both sizes."""
    with window(browser, bot, size="phone", state=new_session(bot)) as found:
        found.goto("check")
        expect(found.get_by_role("heading", level=1)).to_have_text("Check a file")
        yield found


def asked(bot: Bot, vendor: SandboxVendor, user: str, text: str) -> str:
    """Have a customer write; return the picture that they get."""
    before = len(vendor.taken)
    bot.deliver(MAKER.text(user, text))
    return str(vendor.wait_for_taken(before + 1)[before].message.image)


def replace_all(page: Page, text: str) -> None:
    """Write *text* into the editor in place of what it holds."""
    page.locator(".editor .cm-content").focus()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)


def test_from_a_slip_to_the_picture_that_customers_get(page: Page, bot: Bot, vendor: SandboxVendor) -> None:
    """Take the file, make a mistake, see where, mend it, see what changes, publish, be answered by it, go back."""
    assert asked(bot, vendor, "1001", "shop có tặng quà không 0912345678") == f"{PICTURES}/huong-dan.jpg"
    content, editor = page.locator("#text"), page.locator(".editor .cm-content")
    page.get_by_role("link", name="Take the present file").click()
    expect(editor).to_contain_text("Tiệm Nhà Na")
    expect(content).to_have_value(SAMPLE)

    replace_all(page, BROKEN)
    page.keyboard.press("Control+End")
    expect(page.locator(".cm-lintRange-error")).to_have_text("keyword")
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.locator("#result .notice")).to_contain_text("rules.yaml: 1 error.")
    expect(page.locator(".finding mark")).to_have_text("keyword")
    expect(page.locator(".finding")).to_contain_text('did you mean "keywords"?')
    expect(page.get_by_role("button", name="Publish this version")).to_have_count(0)
    assert fits(page)
    page.get_by_role("button", name=f"line {LINE}", exact=True).click()
    expect(page.locator(".editor")).to_be_focused()
    expect(page.locator(".cm-activeLine")).to_have_text("    keyword: [tặng quà]")
    expect(page.locator(".cm-activeLine")).to_be_in_viewport()

    page.locator(".cm-lintRange-error").hover()
    page.locator(".cm-tooltip").get_by_role("button", name="Fix this", exact=True).click()
    expect(content).to_have_value(NEW)
    expect(page.locator(".cm-lintRange-error")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(content).to_have_value(BROKEN)
    page.get_by_role("button", name=f"Fix this: line {LINE}").click()
    expect(content).to_have_value(NEW)
    expect(page.locator("#result .notice")).to_contain_text("rules.yaml: fine.")
    expect(page.locator(".totals li").first).to_have_text("1 Newly answered")
    expect(page.locator("#headline")).to_have_text(
        "Adds 1 rule; 1 more message is answered, no message loses its answer."
    )
    expect(page.locator("#headline")).to_be_in_viewport()
    expect(page.locator(".by-rule tbody th")).to_have_text(["The fallback", "qua-tang"])
    page.get_by_text("Message by message, with the pictures").click()
    row = page.locator(".backtest details tbody tr")
    expect(row.locator(".messages")).to_have_text("shop có tặng quà không •••")
    expect(row).to_contain_text("fallback")
    expect(row).to_contain_text("qua-tang")
    for name in ("The fallback", "qua-tang"):
        row.get_by_role("img", name=f"Picture of the rule {name}").scroll_into_view_if_needed()
    wait_for_images(page, ".thumbs img", wider_than=100)
    expect(page.locator(".diff ins")).to_have_text([*(f"+ {line}" for line in GIFTS.strip().splitlines()), "+ "])
    assert fits(page)

    page.get_by_role("button", name="Publish this version").click()
    page.wait_for_url("**/check?published=1#summary")
    page.evaluate("window.isTheSamePage = true")
    expect_in_force(page)
    assert page.evaluate("window.isTheSamePage")
    assert bot.rules.read_text(encoding="utf-8") == NEW
    assert asked(bot, vendor, "1002", "shop có tặng quà không") == f"{PICTURES}/gio-vang.jpg"
    assert fits(page)

    page.get_by_role("button", name="Go back one step").click()
    expect(page.locator("#headline")).to_have_text("Removes 1 rule; 2 messages will lose their answer.")
    assert fits(page)
    page.get_by_label("Your name").fill("Hạnh")
    page.get_by_role("button", name="Restore this version").click()
    expect_in_force(page)
    assert bot.rules.read_text(encoding="utf-8") == SAMPLE
    assert asked(bot, vendor, "1003", "shop có tặng quà không") == f"{PICTURES}/huong-dan.jpg"
    expect(page.locator(".history tbody tr")).to_have_count(3)
    page.get_by_role("link", name="Open").nth(1).click()
    expect(content).to_have_value(NEW)


def begin(page: Page, text: str) -> None:
    """Take the present file, write *text* in its place, and check it."""
    page.goto("check?take=file")
    expect(page.locator(".editor .cm-content")).to_contain_text("Tiệm Nhà Na")
    replace_all(page, text)
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.locator("#headline")).to_be_in_viewport()


def test_two_editors_at_once(browser: Browser, bot: Bot) -> None:
    """Changes of different rules are put together, of one rule chosen; no press writes over what was not seen."""
    prices = "keywords: [bảng giá, "
    ours, theirs = new_session(bot), new_session(bot)
    with window(browser, bot, size="phone", state=ours) as page, window(browser, bot, state=theirs) as colleague:
        publish = page.get_by_role("button", name="Publish this version")
        begin(page, SAMPLE.replace(prices, f"{prices}mấy xèng, "))
        begin(colleague, NEW)
        colleague.get_by_label("Your name").fill("Hạnh")
        colleague.get_by_label("Why (if you like)").fill("quà cuối năm")
        colleague.get_by_role("button", name="Publish this version").click()
        expect_in_force(colleague)
        publish.click()
        expect(page.get_by_text("your changes and theirs are together")).to_be_visible()
        assert bot.rules.read_text(encoding="utf-8") == NEW
        publish.click()
        expect_in_force(page)
        both = NEW.replace(prices, f"{prices}mấy xèng, ")
        assert bot.rules.read_text(encoding="utf-8") == both

        mine, theirs = (both.replace("[tặng quà]", f"[tặng quà, {word}]") for word in ("gói quà", "hộp quà"))
        begin(page, mine)
        begin(colleague, theirs)
        expect(colleague.get_by_label("Your name")).to_have_value("Hạnh")
        colleague.get_by_role("button", name="Publish this version").click()
        expect_in_force(colleague)
        publish.click()
        expect(page.get_by_role("group", name="qua-tang")).to_contain_text("hộp quà")
        expect(page.get_by_role("group", name="qua-tang")).to_contain_text("gói quà")
        expect(publish).to_have_count(0)
        assert fits(page)
        assert small_targets(page) == []
        page.get_by_role("group", name="qua-tang").get_by_label("Yours", exact=True).first.check()
        page.get_by_role("button", name="Put together and check").click()
        expect(page.locator("#headline")).to_be_in_viewport()
        assert bot.rules.read_text(encoding="utf-8") == theirs
        publish.click()
        expect_in_force(page)
        assert bot.rules.read_text(encoding="utf-8") == mine

        page.get_by_role("link", name="All versions, compare two").click()
        rows = page.locator(".versions tbody tr")
        expect(rows).to_have_count(5)
        expect(rows.nth(3)).to_contain_text("Hạnh")
        expect(rows.nth(3)).to_contain_text("quà cuối năm")
        assert fits(page)
        assert small_targets(page) == []
        assert texts_too_faint(page) == []
        rows.nth(0).get_by_role("link", name="Changes 1 rule").click()
        expect(page.locator(".diff ins")).to_have_text("+     keywords: [tặng quà, gói quà]")
        rows.nth(1).get_by_role("button", name="Restore").click()
        page.get_by_role("button", name="Restore this version").click()
        expect_in_force(page)
        assert bot.rules.read_text(encoding="utf-8") == theirs


def test_a_long_check_shows_how_far_it_is_and_can_be_stopped(page: Page, bot: Bot, tmp_path: Path) -> None:
    """What was written stays, and the next check finds its way free."""
    file = tmp_path / "large.yaml"
    lines = (
        f"  - {{id: r{n}, keywords: [k{n} k{n + 1}], reply: {{image_url: 'https://a.vn/1.jpg'}}}}\n"
        for n in range(4_000)
    )
    file.write_text("version: 1\nrules:\n" + "".join(lines))
    page.get_by_label("Or choose a file of yours").set_input_files(file)
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Stopped. Nothing has changed.")).to_be_visible()
    wait_until(lambda: "a check was stopped" in bot.log_text(), "the server has stopped it")
    expect(page.get_by_role("progressbar")).to_have_count(0)
    assert fits(page)
    page.get_by_label("Or choose a file of yours").set_input_files([])
    replace_all(page, NEW)
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.locator("#result .notice")).to_contain_text("rules.yaml: fine.")
    expect(page.get_by_role("progressbar")).to_have_count(0)


def test_a_file_from_the_disk_without_script(browser: Browser, bot: Bot, tmp_path: Path) -> None:
    """Whatever Windows made of its line ends; the form does it all."""
    file = tmp_path / "của tôi.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + NEW.replace("\n", "\r\n").encode())
    with window(browser, bot, script=False, state=new_session(bot)) as page:
        page.goto("check")
        page.get_by_label("Or choose a file of yours").set_input_files(file)
        page.get_by_role("button", name="Check", exact=True).click()
        expect(page.locator("#result .notice")).to_contain_text("rules.yaml: fine.")
        page.get_by_role("button", name="Publish this version").click()
        expect_in_force(page)
        assert bot.rules.read_text(encoding="utf-8") == NEW


def test_the_editor_knows_the_keys_of_the_file(page: Page) -> None:
    """Where a key begins it offers those of the place, with what they do; Ctrl+Z undoes, Ctrl+Enter checks."""
    replace_all(page, "version: 1\nrules:\n  - id: a\n    keywords: [menu]\n    prio")
    page.keyboard.type("r")
    page.keyboard.press("Control+Space")
    option = page.locator(".cm-tooltip-autocomplete li")
    expect(option).to_have_text(["priority"])
    expect(page.locator(".cm-completionInfo")).to_contain_text("The higher number wins")
    option.click()
    expect(page.locator(".cm-activeLine")).to_have_text("    priority: ")
    page.keyboard.press("Control+z")
    expect(page.locator(".cm-activeLine")).to_have_text("    prior")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#result .notice")).to_contain_text("rules.yaml: ")


def test_the_keyboard_leads_out_of_the_editor(page: Page) -> None:
    """Tab goes to the next field, as everywhere."""
    page.locator(".editor .cm-content").focus()
    page.keyboard.press("Tab")
    expect(page.get_by_label("Or choose a file of yours")).to_be_focused()
