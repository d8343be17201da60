"""Drafts on the console's page Check in a real browser: typed text is never lost."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Dialog, Page, expect

from tests.support.browser import fits, log_in, needs_browser, new_session, window
from tests.support.console import PASSWORD
from tests.support.running import PATIENCE, RULES, Bot

pytestmark = [*needs_browser, pytest.mark.xdist_group("console_drafts")]


@pytest.fixture(scope="module")
def bot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bot]:
    """A bot that lets editors publish; nobody here does, and each session has a draft of its own."""
    publishing = {"CONSOLE_PASSWORD": PASSWORD, "CONSOLE_PUBLISH": "true"}
    with Bot(tmp_path_factory.mktemp("drafts"), "http://127.0.0.1:9", **publishing) as running:
        yield running


@pytest.fixture
def page(browser: Browser, bot: Bot) -> Iterator[Page]:
    """A phone's window, logged in, with the present rules in the editor; the layout is looked at in both sizes."""
    with window(browser, bot, size="phone", may_be_offline=True, state=new_session(bot)) as found:
        found.goto("check?take=file")
        expect(found.locator(".editor .cm-content")).to_contain_text("bang-gia")
        yield found


def type_below(page: Page, text: str) -> None:
    """Type at the end of what the editor holds."""
    page.locator(".editor .cm-content").focus()
    page.keyboard.press("Control+End")
    page.keyboard.type(text)


def expect_saved(page: Page) -> None:
    expect(page.locator("#saved")).to_contain_text("Draft saved")


def test_what_is_typed_is_saved_and_there_after_a_restart(page: Page, bot: Bot) -> None:
    """Without a press of a button; over Back, the other language and a new start of the bot."""
    type_below(page, "# nháp của tôi")
    expect_saved(page)
    assert page.url == f"{bot.url}/console/check"
    page.goto("rules")
    page.go_back()
    expect(page.locator(".editor")).to_contain_text("# nháp của tôi")
    page.get_by_role("link", name="Tiếng Việt").click()
    expect(page.get_by_text("Đây là bản nháp của bạn.")).to_be_visible()
    expect(page.locator(".editor")).to_contain_text("# nháp của tôi")
    page.goto("rules/edit?id=hai-anh&lang=en")
    page.get_by_placeholder("Type one and press Enter").first.fill("ba ảnh, bốn ảnh")
    expect_saved(page)
    page.goto("rules?lang=en")
    page.go_back()
    chips = page.locator("[data-name=keyword] .chip span")
    expect(chips).to_have_text(["hai ảnh", "ba ảnh", "bốn ảnh"])
    assert fits(page)
    with page.expect_response("**/rules/draft?*"):
        page.get_by_label("Messages that must get this reply").fill("cho xem ba ảnh")
    page.get_by_role("link", name="Tiếng Việt").click()
    expect(page.get_by_text("Đây là bản nháp của bạn.")).to_be_visible()
    expect(page.locator("#examples")).to_have_value("cho xem ba ảnh")
    bot.terminate(PATIENCE)
    bot.start()
    page.goto("rules/edit?id=hai-anh&lang=en")
    expect(chips).to_have_count(3)
    page.once("dialog", Dialog.accept)
    page.get_by_role("button", name="Discard the draft").click()
    expect(chips).to_have_count(1)
    page.goto("check?lang=en")
    expect(page.get_by_text("This is your draft.")).to_be_visible()
    expect(page.locator("#text")).to_have_value(f"{RULES}# nháp của tôi")
    assert fits(page)
    assert bot.rules.read_text(encoding="utf-8") == RULES


def test_a_session_that_ends_in_mid_edit_loses_nothing(page: Page, browser: Browser, bot: Bot) -> None:
    """The page says so, with the way to the log-in; after that it saves what was typed meanwhile."""
    with window(browser, bot) as colleague:
        log_in(colleague)
        colleague.get_by_role("button", name="End every session").click()
        expect(colleague.get_by_label("Password")).to_be_visible()
    type_below(page, "# sau khi hết phiên")
    expect(page.locator("#saved")).to_contain_text("Not saved: you are logged out.")
    with page.expect_popup() as opened:
        page.locator("#saved").get_by_role("link", name="Log in").click()
    log_in(opened.value)
    expect(opened.value.get_by_role("heading", level=1)).to_have_text("Check a file")
    opened.value.close()
    expect_saved(page)
    page.goto("check")
    expect(page.locator("#text")).to_have_value(f"{RULES}# sau khi hết phiên")


def test_two_tabs_do_not_overwrite_each_other(page: Page) -> None:
    """The later one is told, and chooses."""
    other = page.context.new_page()
    other.goto("check?take=file")
    type_below(other, "# thẻ kia")
    expect_saved(other)
    type_below(page, "# thẻ này")
    told = page.locator("#draft-conflict")
    expect(told).to_contain_text("Not saved: this browser already has another draft")
    assert fits(page)
    other.reload()
    expect(other.locator("#text")).to_have_value(f"{RULES}# thẻ kia")
    told.get_by_role("button", name="Replace it by this text").click()
    expect_saved(page)
    expect(told).to_be_hidden()
    type_below(other, "!")
    expect(other.locator("#draft-conflict")).to_be_visible()
    other.locator("#draft-conflict").get_by_role("link", name="Open that draft").click()
    expect(other.locator("#text")).to_have_value(f"{RULES}# thẻ này")


def test_leaving_with_unsaved_text_warns(page: Page, bot: Bot) -> None:
    """Where the bot does not answer, so that nothing can be saved; once it does, nobody is asked."""
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    page.route("**/check/autosave", lambda route: route.abort("internetdisconnected"))
    type_below(page, "# chưa lưu")
    expect(page.locator("#saved")).to_have_text("Not saved yet; trying again.")
    page.get_by_role("link", name="Tiếng Việt").click()
    assert asked == ["beforeunload"]
    expect(page.locator(".editor")).to_contain_text("# chưa lưu")
    page.unroute("**/check/autosave")
    expect_saved(page)
    page.get_by_role("link", name="Tiếng Việt").click()
    expect(page.get_by_text("Đây là bản nháp của bạn.")).to_be_visible()
    assert asked == ["beforeunload"]


def test_a_draft_is_discarded_only_by_who_is_sure(page: Page) -> None:
    """It is asked once."""
    type_below(page, "# bỏ đi")
    expect_saved(page)
    page.reload()
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.get_by_role("button", name="Discard the draft").click()
    expect(page.get_by_text("This is your draft.")).to_be_visible()
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Discard the draft").click()
    expect(page.get_by_text("The draft is discarded.")).to_be_visible()
    expect(page.locator("#text")).to_have_value("")


def test_steps_are_undone_and_redone_over_a_page_load(page: Page) -> None:
    """By buttons, which a telephone needs; after the check, too."""
    undo, redo = page.get_by_role("button", name="Undo"), page.get_by_role("button", name="Redo")
    expect(undo).to_have_attribute("aria-disabled", "true")
    type_below(page, "# mot")
    expect_saved(page)
    page.reload()
    page.locator(".editor .cm-content").focus()
    page.keyboard.press("Control+End")
    page.keyboard.insert_text(" hai")  # at once: letters that come half a second apart are two steps
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.locator("#result .notice")).to_contain_text("rules.yaml: ")
    undo.click()
    expect(page.locator("#text")).to_have_value(f"{RULES}# mot")
    undo.click()
    expect(page.locator("#text")).to_have_value(RULES)
    expect(undo).to_have_attribute("aria-disabled", "true")
    redo.click()
    expect(page.locator("#text")).to_have_value(f"{RULES}# mot")
    expect(page.locator(".editor")).to_be_focused()


def test_another_text_has_no_steps_of_the_former_one(page: Page) -> None:
    """To undo what was done to another text would make a mess of this one."""
    type_below(page, "# mot")
    expect_saved(page)
    page.goto("check?take=spa")
    expect(page.get_by_role("button", name="Undo")).to_have_attribute("aria-disabled", "true")


def test_lines_are_moved_and_words_found_by_touch(page: Page) -> None:
    """A telephone has no Tab and no Ctrl+F."""
    type_below(page, "a: 1")
    page.get_by_role("button", name="Move to the right").click()
    expect(page.locator("#text")).to_have_value(f"{RULES}  a: 1")
    page.get_by_role("button", name="Move to the left").click()
    expect(page.locator("#text")).to_have_value(f"{RULES}a: 1")
    page.get_by_role("button", name="Find and replace").click()
    expect(page.get_by_role("textbox", name="Find")).to_be_focused()


def test_the_chat_follows_what_is_typed(page: Page) -> None:
    """Its answers change while one types, what differs is marked, and a sentence becomes an example by one press."""
    chat = page.get_by_role("region", name="Chat with the draft")
    chat.get_by_label("The customer’s message").fill("có hai ảnh không")
    page.keyboard.press("Enter")
    expect(chat.locator("mark")).to_have_text("hai ảnh")
    expect(chat.locator(".theirs")).to_have_count(2)
    expect(chat.locator(".badge")).to_have_count(0)
    page.locator(".editor .cm-content").focus()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(RULES.replace("[hai ảnh]", "[ba ảnh]"))
    expect(chat.locator(".silence")).to_have_text("The bot is silent: nothing is sent")
    expect(chat.locator(".about-answer")).to_have_text("other than now Now: hai-anh.")
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(RULES.replace("/1.jpg", "/khac.jpg"))
    expect(chat.locator(".about-answer")).to_contain_text("Now: the same rule with another picture.")
    assert fits(page)
    chat.get_by_role("button", name="Save as an example").click()
    expect(chat.locator(".about-answer")).to_contain_text("It is an example of this rule.")
    expect(page.locator("#text")).to_have_value(
        f"{RULES.replace('/1.jpg', '/khac.jpg')}    examples: [có hai ảnh không]\n"
    )
    page.get_by_role("button", name="Undo").click()
    expect(chat.get_by_role("button", name="Save as an example")).to_be_visible()
    expect(page.locator("#text")).to_have_value(RULES.replace("/1.jpg", "/khac.jpg"))


def test_the_chat_without_script(browser: Browser, bot: Bot) -> None:
    """Enter asks; the text stays in the field."""
    with window(browser, bot, script=False, state=new_session(bot)) as page:
        page.goto("check?take=file")
        page.get_by_label("The customer’s message").fill("bảng giá")
        page.keyboard.press("Enter")
        expect(page.locator(".draft-chat mark")).to_have_text("bảng giá")
        page.get_by_role("button", name="Save as an example").click()
        expect(page.locator("#text")).to_have_value(
            RULES.replace('/bang-gia.jpg"}', '/bang-gia.jpg"}\n    examples: [bảng giá]')
        )
