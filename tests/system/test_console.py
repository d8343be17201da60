"""The console in a real browser with a real bot: mouse, keyboard, phone, network requests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, Page, StorageState, expect

from bot.web.console import app
from tests.support.browser import fits, log_in, needs_browser, new_session, texts_too_faint, wait_for_images, window
from tests.support.console import PASSWORD
from tests.support.running import PATIENCE, Bot, wait_until

# What an editor may write and a page must find room for.
UNWIELDY = """
  - id: khuyen-mai-mung-nam-moi-cho-khach-hang-than-thiet-cua-tiem
    keywords: [{text: khuyenmaimungnammoichokhachhangthanthietcuatiem, match: contains}]
    cooldown: 10m
    reply: {attachment_id: "aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789aBcDeFgHiJkLmNoPqRsTuVwXyZ"}

fallback:"""
SAMPLE = (Path(__file__).parents[2] / "bot" / "rules" / "starters" / "tiem-banh.yaml").read_text(encoding="utf-8")
SAMPLE = SAMPLE.replace("\nfallback:", UNWIELDY)
PAGES = tuple(page.name for page in app.PAGES)

pytestmark = [*needs_browser, pytest.mark.xdist_group("console")]


@pytest.fixture(scope="module")
def bot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bot]:
    """A bot with a console; nothing is sent, so there is no vendor."""
    folder = tmp_path_factory.mktemp("console")
    with Bot(folder, "http://127.0.0.1:9", rules=SAMPLE, CONSOLE_PASSWORD=PASSWORD) as running:
        yield running


@pytest.fixture(scope="module")
def logged_in(bot: Bot) -> StorageState:
    """The cookie of somebody who is logged in."""
    return new_session(bot)


@pytest.fixture
def page(browser: Browser, bot: Bot, logged_in: StorageState) -> Iterator[Page]:
    """A phone's window, logged in."""
    with window(browser, bot, size="phone", state=logged_in) as found:
        yield found


@pytest.fixture
def trial(page: Page) -> Page:
    """The page Try."""
    page.goto("try")
    expect(page.get_by_role("heading", level=1)).to_have_text("Try")
    return page


def test_the_way_in_and_out(browser: Browser, bot: Bot) -> None:
    """A wrong password says so; the right one leads to the page that was asked for; logging out closes it again."""
    with window(browser, bot) as page:
        page.goto("rules?q=menu")
        expect(page.get_by_role("heading", name="Log in")).to_be_visible()
        expect(page.get_by_label("Password")).to_be_focused()
        log_in(page, "con mèo ngủ gật")
        expect(page.get_by_role("alert")).to_contain_text("That is not the password")
        log_in(page)
        expect(page).to_have_url(f"{bot.url}/console/rules?q=menu")
        page.get_by_role("button", name="Log out").click()
        expect(page.get_by_label("Password")).to_be_visible()
        page.goto("rules")
        expect(page.get_by_label("Password")).to_be_visible()


def test_by_keyboard_alone(browser: Browser, bot: Bot) -> None:
    """The log-in, a message, and on a page without a field of its own the way past the navigation."""
    with window(browser, bot) as page:
        expect(page.get_by_label("Password")).to_be_focused()
        page.keyboard.type(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
        page.goto("try")
        field = page.get_by_label("The customer’s message")
        expect(field).to_be_focused()
        page.keyboard.type("shop ơi bang gia")
        page.keyboard.press("Enter")
        expect(page.locator(".verdict")).to_contain_text('bang-gia, by the keyword "bảng giá"')
        expect(field).to_be_focused()
        page.goto("rules")
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        expect(page.get_by_role("link", name="Skip to the content")).to_be_in_viewport()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        expect(page.get_by_role("searchbox")).to_be_focused()
        page.keyboard.type("thanh toan")
        page.keyboard.press("Enter")
        expect(page.locator(".rule h2")).to_have_text(["thanh-toan"])


def test_try(trial: Page) -> None:
    """The picture is there and loaded, the words are marked, and the chat goes on with the next message."""
    trial.get_by_label("The customer’s message").fill("shop ơi bang gia")
    trial.keyboard.press("Enter")
    expect(trial.locator("#chat mark")).to_have_text("bang gia")
    expect(trial.get_by_role("img", name="Picture bang-gia.jpg")).to_be_visible()
    wait_for_images(trial, "#chat img", wider_than=1000)
    trial.get_by_role("button", name="cho mình xem menu").click()
    expect(trial.locator("#chat .bubble")).to_have_count(2)
    expect(trial.locator(".verdict")).to_contain_text("menu, by the keyword")
    trial.get_by_label("The customer", exact=True).select_option(label="Follows the OA")
    trial.get_by_role("button", name="Try", exact=True).click()
    expect(trial.locator(".verdict")).to_contain_text("chao-mung")
    expect(trial.locator("#chat figure")).to_have_count(4)


def test_what_if_it_is_sunday_evening(trial: Page) -> None:
    """The happy hour is on weekdays."""
    trial.get_by_label("The customer’s message").fill("giờ vàng")
    trial.get_by_label("At", exact=True).fill("2027-01-24T22:00")
    trial.get_by_role("button", name="Try", exact=True).click()
    expect(trial.locator("#answer")).to_contain_text("Sunday, 24 Jan 2027, 22:00")
    expect(trial.locator("#answer")).to_contain_text("gio-vang outside its hours")


def test_a_message_that_looks_like_markup(trial: Page) -> None:
    """It is shown as typed, runs nothing, and the policy has nothing to stop."""
    text = "<script>document.title='hit'</script><img src=x onerror=\"document.title='hit'\"> menu"
    trial.get_by_label("The customer’s message").fill(text)
    trial.keyboard.press("Enter")
    expect(trial.locator(".bubble")).to_have_text(text)
    expect(trial.locator(".verdict")).to_contain_text("menu")
    assert trial.title() == "Try · bot console"


def test_a_picture_that_does_not_load(browser: Browser, bot: Bot, logged_in: StorageState) -> None:
    """Words take its place. The broken address is one of ours, so that no other machine is asked."""
    broken = f"https://127.0.0.1:{bot.port}/no.jpg"
    with (
        rules_in_force(bot, SAMPLE.replace("https://anh.tiemnhana.example/bang-gia.jpg", broken)),
        window(browser, bot, state=logged_in, may_be_offline=True) as page,
    ):
        page.goto("rules?q=bang-gia")
        expect(page.get_by_text(broken, exact=True)).to_be_visible()
        expect(page.get_by_text("This picture does not open")).to_be_visible()


@contextmanager
def rules_in_force(bot: Bot, rules: str) -> Iterator[None]:
    """Have the bot use other rules; the next test finds SAMPLE in force again."""
    publish_by_hand(bot, rules)
    yield
    publish_by_hand(bot, SAMPLE)


def publish_by_hand(bot: Bot, rules: str) -> None:
    """Write the rules file, and wait until the bot answers by it."""
    loads = bot.log_text().count("rules in force")
    bot.rules.write_text(rules, encoding="utf-8")
    wait_until(lambda: bot.log_text().count("rules in force") > loads, "the rules")


def test_rules(page: Page) -> None:
    """Cards with pictures, a search without marks, and the way from an answer to its rule."""
    page.goto("unanswered")
    page.get_by_role("link", name="Rules", exact=True).click()
    expect(page.get_by_role("link", name="Rules", exact=True)).to_have_attribute("aria-current", "page")
    expect(page.locator(".rule")).to_have_count(19)
    page.get_by_role("searchbox").fill("thanh toan")
    page.keyboard.press("Enter")
    expect(page.locator(".rule h2")).to_have_text(["thanh-toan"])
    expect(page.get_by_role("img", name="Picture of the rule thanh-toan")).to_be_visible()
    page.get_by_role("link", name="show all").click()
    expect(page.locator(".rule")).to_have_count(19)
    page.goto("try")
    page.get_by_label("The customer’s message").fill("menu")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="See this rule").click()
    expect(page.locator(".rule h2").first).to_have_text("menu")


@pytest.mark.parametrize("path", PAGES)
def test_every_page(page: Page, path: str) -> None:
    """In both languages; nothing sticks out, one h1, every field has a name, and every picture its words."""
    for lang in ("vi", "en"):
        page.goto(f"{path}?lang={lang}")
        assert page.get_attribute("html", "lang") == lang
        assert fits(page)
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        expect(page.get_by_role("main")).to_have_count(1)
        nameless = """() => [...document.querySelectorAll("input:not([type=hidden]), select, textarea, button")]
            .filter(e => !(e.labels?.length || e.getAttribute("aria-label") || e.textContent.trim())).length"""
        assert page.evaluate(nameless) == 0
        assert page.locator("img:not([alt])").count() == 0


@pytest.mark.parametrize("path", ["login", *PAGES])
def test_words_stand_out_from_what_is_behind_them(page: Page, path: str) -> None:
    """By at least 4.5 to 1, as WCAG AA asks, in both schemes; colours do not depend on the width."""
    if path == "login":
        page.context.clear_cookies()  # to log out would end the session of all these tests
    page.goto(path)
    if path == "try":
        page.get_by_label("The customer’s message").fill("bang gia mo cua")
        page.keyboard.press("Enter")
        expect(page.locator(".verdict")).to_be_visible()
    assert texts_too_faint(page) == []


@pytest.mark.parametrize("path", ["try", "rules"])
def test_without_script(browser: Browser, bot: Bot, logged_in: StorageState, path: str) -> None:
    """Forms and links do it all."""
    with window(browser, bot, script=False, state=logged_in) as page:
        page.goto(path)
        if path == "try":
            page.get_by_label("The customer’s message").fill("bang gia")
            page.get_by_role("button", name="Try", exact=True).click()
            expect(page.locator(".verdict")).to_contain_text("bang-gia")
            expect(page.get_by_label("The customer’s message")).to_have_value("bang gia")
        else:
            expect(page.locator(".rule")).to_have_count(19)


def test_a_session_that_has_ended(trial: Page) -> None:
    """The next message leads to the log-in, not to a broken trial."""
    trial.context.clear_cookies()
    trial.get_by_label("The customer’s message").fill("menu")
    trial.keyboard.press("Enter")
    expect(trial.get_by_label("Password")).to_be_visible()


def test_the_password_is_never_logged(bot: Bot) -> None:
    """Neither the right one nor a wrong one."""
    form, ours = {"password": "hoàn toàn sai"}, {"Origin": bot.url}
    assert requests.post(f"{bot.url}/console/login", form, headers=ours, timeout=PATIENCE).status_code == 403
    assert "hoàn toàn sai" not in bot.log_text()
    assert PASSWORD not in bot.log_text()
