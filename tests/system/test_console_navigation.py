"""Navigation of the console in a real browser: bar on phones, keyboard, forced colours, window title."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, StorageState, expect

from bot.web.console import app
from tests.support.browser import at_each_size, fits, needs_browser, new_session, texts_too_faint, window
from tests.support.console import PASSWORD
from tests.support.running import Bot

PAGES = tuple(page.name for page in app.PAGES)
IN_BAR = tuple(page.name for page in app.PAGES if page.is_in_bar)
# At the end of the page, what lies under the bar or reaches into it.
HIDDEN_BY_BAR = """() => {
  scrollTo(0, document.documentElement.scrollHeight);
  const bar = document.querySelector(".page-bar").getBoundingClientRect();
  return [...document.querySelectorAll("main *, footer *")].filter(e => e.checkVisibility() && !e.closest("svg"))
    .filter(e => e.getBoundingClientRect().height && e.getBoundingClientRect().bottom > bar.top)
    .filter(e => !e.closest(".phone, .editor, .diff, .table, pre, textarea")).map(e => e.outerHTML.slice(0, 80));
}"""

pytestmark = [*needs_browser, pytest.mark.xdist_group("console_navigation")]


@pytest.fixture(scope="module")
def bot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bot]:
    """A bot with a console where rules can be published; nothing is sent, so there is no vendor."""
    folder = tmp_path_factory.mktemp("navigation")
    with Bot(folder, "http://127.0.0.1:9", CONSOLE_PASSWORD=PASSWORD, CONSOLE_PUBLISH="true") as running:
        yield running


@pytest.fixture(scope="module")
def logged_in(bot: Bot) -> StorageState:
    """The cookie of somebody who is logged in."""
    return new_session(bot)


@pytest.fixture
def phone(browser: Browser, bot: Bot, logged_in: StorageState) -> Iterator[Page]:
    """A phone's window, logged in."""
    with window(browser, bot, size="phone", state=logged_in) as page:
        yield page


@pytest.fixture
def desktop(browser: Browser, bot: Bot, logged_in: StorageState) -> Iterator[Page]:
    """A desk's window, logged in."""
    with window(browser, bot, state=logged_in) as page:
        yield page


@pytest.mark.parametrize(("lang", "script"), [("vi", True), ("en", False)], ids=["vi-script", "en-no-script"])
def test_a_phone_goes_from_page_to_page_by_its_bar(browser: Browser, bot: Bot, lang: str, script: bool) -> None:
    """Each in view as it stands or behind "More"; the page one is on is marked; no script is needed."""
    with window(browser, bot, size="phone", script=script, state=new_session(bot)) as page:
        page.goto(f"overview?lang={lang}")
        for name in (*PAGES[1:], PAGES[0]):
            bar = page.locator(".page-bar")
            if name not in IN_BAR:
                bar.locator("summary").click()
            link = bar.locator(f"a[href='/console/{name}']")
            expect(link).to_be_in_viewport(ratio=1)
            link.click()
            expect(page).to_have_url(f"{bot.url}/console/{name}")
            current = page.locator(".page-bar :is([aria-current=page], .has-current):visible")
            expect(current).to_have_count(1)


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_the_navigation_finds_room(phone: Page, lang: str) -> None:
    """One of the two at any width, with nothing cut off and nothing that sticks out."""
    phone.goto(f"overview?lang={lang}")
    for width in (320, 390, 768, 1120, 1121):
        phone.set_viewport_size({"width": width, "height": 800})
        expect(phone.locator("nav:is(.pages, .page-bar):visible")).to_have_count(1)
        assert phone.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), width
        cut_off = """() => [...document.querySelectorAll("nav:is(.pages, .page-bar) :is(a, summary)")]
            .filter(e => e.checkVisibility())
            .filter(e => e.scrollWidth > e.clientWidth || e.scrollHeight > e.clientHeight).length"""
        assert phone.evaluate(cut_off) == 0, width
        for link in phone.locator("nav:is(.pages, .page-bar) > ul > li:visible").all():
            expect(link).to_be_in_viewport(ratio=1)
        header = phone.locator(".tools").bounding_box()
        last = phone.locator(".pages li").last.bounding_box()
        assert header
        assert not last or last["x"] + last["width"] <= header["x"], width


@pytest.mark.parametrize("path", [*PAGES, "rules/edit", "pictures/library"])
def test_nothing_lies_under_the_bar(phone: Page, path: str) -> None:
    """At the end of a page all of it is above the bar."""
    phone.goto(path)
    assert phone.evaluate(HIDDEN_BY_BAR) == []


def test_what_has_the_focus_is_not_under_the_bar(phone: Page) -> None:
    """The Tab key through a long form keeps the field in view, between the bars."""
    phone.goto("rules/edit")
    for _ in range(30):
        phone.keyboard.press("Tab")
        covered = """() => {
          const focused = document.activeElement, box = focused.getBoundingClientRect();
          const limit = document.querySelector(".page-bar").getBoundingClientRect().top;
          return box.height > 0 && box.top > limit && !focused.closest(".page-bar, .skip");
        }"""
        assert not phone.evaluate(covered)


def test_more_opens_and_closes_by_keyboard_and_by_touch(phone: Page) -> None:
    """Escape gives the focus back; a touch elsewhere closes it."""
    phone.goto("overview")
    more = phone.locator(".page-bar summary")
    more.press("Enter")
    link = phone.get_by_role("link", name="Pictures", exact=True)
    expect(link).to_be_visible()
    phone.keyboard.press("Tab")
    phone.keyboard.press("Escape")
    expect(link).to_be_hidden()
    expect(more).to_be_focused()
    more.click()
    expect(link).to_be_visible()
    phone.get_by_role("heading", level=1).click()
    expect(link).to_be_hidden()


def test_forced_colours_show_where_one_is(phone: Page) -> None:
    """The current page has a line that the others have not, though colours of ours are gone."""
    phone.emulate_media(forced_colors="active")
    phone.goto("rules")
    differs = """() => {
      const style = (current) => {
        const link = [...document.querySelectorAll("nav:is(.pages, .page-bar) > ul > li > a")]
          .find(e => e.checkVisibility() && e.hasAttribute("aria-current") === current);
        const style = getComputedStyle(link);
        return [style.borderTopColor, style.borderTopWidth, style.borderBottomColor, style.borderBottomWidth].join();
      };
      return style(true) !== style(false);
    }"""
    assert at_each_size(phone, differs) == [True, True]


def test_the_bar_in_the_dark(phone: Page) -> None:
    """Its words stand out, those behind "More" included."""
    phone.emulate_media(color_scheme="dark")
    phone.goto("pictures")
    phone.locator(".page-bar summary").click()
    assert phone.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(238, 242, 247)"
    assert texts_too_faint(phone) == []


@pytest.mark.parametrize("path", ["rules/edit", "pictures/library", "check?take=file"])
def test_the_workshop_stands_out(desktop: Page, path: str) -> None:
    """The form, the library and the editor's own words, by at least 4.5 to 1, in light and dark colours."""
    desktop.goto(path)
    if path.startswith("check"):
        expect(desktop.locator(".editor .cm-line").first).to_be_visible()
    assert texts_too_faint(desktop) == []


@pytest.mark.parametrize("path", ["rules", "events"])
def test_a_slash_leads_to_the_search_and_the_title_tells_how_many(desktop: Page, path: str) -> None:
    """From anywhere on the page; within a field it is a letter like any other."""
    desktop.goto(path)
    desktop.keyboard.press("/")
    field = desktop.get_by_role("searchbox")
    expect(field).to_be_focused()
    expect(field).to_have_value("")
    desktop.keyboard.type("1/2 khong co dau")
    expect(field).to_have_value("1/2 khong co dau")
    desktop.keyboard.press("Enter")
    expect(desktop).to_have_title(f"(0) {path.capitalize()} · bot console")
    expect(desktop.locator("#results")).to_be_focused()


def test_a_whole_conversation_fits_a_laptop(desktop: Page) -> None:
    """At 1366 by 768 the trial needs no scrolling: phone, field, examples and the verdict are in view."""
    desktop.set_viewport_size({"width": 1366, "height": 768})
    desktop.goto("try")
    desktop.get_by_label("The customer’s message").fill("bang gia")
    desktop.keyboard.press("Enter")
    expect(desktop.locator(".verdict")).to_be_in_viewport(ratio=1)
    expect(desktop.locator(".phone")).to_be_in_viewport(ratio=1)
    assert desktop.evaluate("document.documentElement.scrollHeight <= window.innerHeight")


def test_a_slash_within_the_text_editor_is_a_letter(desktop: Page) -> None:
    """Even on a page with a search field."""
    desktop.goto("check")
    editor = desktop.locator(".editor .cm-content")
    editor.focus()
    desktop.evaluate("""() => {
        const search = Object.assign(document.createElement("input"), {type: "search"});
        document.querySelector("main").append(search);
    }""")
    desktop.keyboard.type("a/b")
    expect(editor).to_contain_text("a/b")
    expect(desktop.get_by_role("searchbox")).not_to_be_focused()


def test_the_statistics_of_a_rule(phone: Page) -> None:
    """From its card in the list: nothing sticks out, all words stand out, and one that nobody has used says so."""
    phone.goto("rules")
    assert fits(phone)
    card = phone.locator(".cards > li").first
    name = card.get_by_role("heading").inner_text()
    card.get_by_role("link", name=f"Statistics: {name}").click()
    expect(phone.get_by_role("heading", level=1)).to_contain_text(name)
    expect(phone.get_by_text("No customer has got this answer in 30 days.")).to_be_visible()
    assert fits(phone)
    assert texts_too_faint(phone) == []
    assert phone.evaluate(HIDDEN_BY_BAR) == []
