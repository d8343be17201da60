"""A real Chromium for tests of pages; any console error or foreign request of a page fails the test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
import requests
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    StorageState,
    StorageStateCookie,
    expect,
    sync_playwright,
)

from tests.support.console import PASSWORD
from tests.support.running import PATIENCE, Bot, wait_until

# The headless shell has no user interface: opening a window takes a third of the time.
_BROWSERS = ("chromium-headless-shell", "chromium")
CHROMIUM = next(filter(None, map(shutil.which, _BROWSERS)), None)
SIZES = {"desktop": (1280, 860), "phone": (390, 844)}
_SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# Both limits only end a hang: on a machine with thirty runnable processes a step takes half a minute.
_STEP_TIMEOUT_MS = 120_000
_TEST_TIMEOUT_SECONDS = 900

needs_browser = [
    pytest.mark.browser,
    pytest.mark.timeout(_TEST_TIMEOUT_SECONDS),
    pytest.mark.skipif(not CHROMIUM, reason="no browser: install Debian's chromium-headless-shell"),
]


@contextmanager
def running_browser() -> Iterator[Browser]:
    """Start a browser; each test opens its own windows."""
    expect.set_options(timeout=_STEP_TIMEOUT_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_SWITCHES)
        yield browser
        browser.close()


@contextmanager
def open_context(
    browser: Browser,
    *,
    size: str = "desktop",
    script: bool = True,
    state: StorageState | None = None,
    base_url: str = "",
) -> Iterator[BrowserContext]:
    """Open a context, whose pages have one of SIZES and whose steps have time on a busy machine."""
    width, height = SIZES[size]
    with browser.new_context(
        viewport={"width": width, "height": height},
        java_script_enabled=script,
        storage_state=state,
        base_url=base_url or None,
    ) as context:
        context.set_default_timeout(_STEP_TIMEOUT_MS)
        yield context


@contextmanager
def window(
    browser: Browser,
    bot: Bot,
    *,
    size: str = "desktop",
    script: bool = True,
    state: StorageState | None = None,
    may_be_offline: bool = False,
) -> Iterator[Page]:
    """
    Open a window, at the log-in unless it has the *state* of a session; any console error or request to another host
    fails the test.

    With *may_be_offline*, unanswered requests are allowed.
    """
    base_url = f"{bot.url}/console/"
    with open_context(browser, size=size, script=script, base_url=base_url, state=state) as context:
        page = context.new_page()
        trouble = watch(page, may_be_offline=may_be_offline)
        if state is None:
            page.goto("login")
        yield page
    assert not trouble.complaints, trouble.complaints
    assert trouble.hosts == {urlsplit(bot.url).netloc}


@dataclass
class Trouble:
    """What a page complained of, and the hosts that it asked."""

    complaints: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)


def watch(page: Page, *, may_be_offline: bool = False) -> Trouble:
    """Note from now on the errors and warnings of a page, and whom it asks."""
    trouble = Trouble()

    def note(message: ConsoleMessage) -> None:
        # Chromium also reports a refused form as an error, and some tests are about that.
        expected = ["the server responded with a status of 4", *(["net::ERR_"] if may_be_offline else [])]
        if message.type in {"error", "warning"} and not any(text in message.text for text in expected):
            trouble.complaints.append(message.text)

    def count(request: Request) -> None:
        trouble.hosts.add(urlsplit(request.url).netloc)

    page.on("pageerror", lambda error: trouble.complaints.append(str(error)))
    page.on("console", note)
    page.on("request", count)
    return trouble


def new_session(bot: Bot) -> StorageState:
    """Log in, without the page for it; return the cookie, for `window`."""
    answer = requests.post(
        f"{bot.url}/console/login",
        {"password": PASSWORD},
        headers={"Sec-Fetch-Site": "same-origin"},
        allow_redirects=False,
        timeout=PATIENCE,
    )
    assert answer.status_code == 303, answer.text
    [cookie] = answer.cookies
    assert cookie.value
    kept: StorageStateCookie = {"name": cookie.name, "value": cookie.value, "domain": "127.0.0.1", "path": cookie.path}
    return {"cookies": [kept | {"expires": -1, "httpOnly": True, "secure": False, "sameSite": "Lax"}]}


def log_in(page: Page, password: str = PASSWORD) -> None:
    """Log in."""
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def wait_for_images(page: Page, selector: str, *, wider_than: int) -> None:
    """
    Wait until *selector* finds images and all are loaded and wider than *wider_than* pixels.

    Polled from here: the page's CSP forbids the `eval` that Playwright's own polling needs.
    """
    loaded = """([selector, width]) => {
        const images = [...document.querySelectorAll(selector)];
        return images.length > 0 && images.every((image) => image.naturalWidth > width);
    }"""
    wait_until(lambda: page.evaluate(loaded, [selector, wider_than]), f"the images of {selector}")


def fits(page: Page) -> bool:
    """Return whether the page needs no horizontal scrolling at any of SIZES."""
    return all(at_each_size(page, "document.documentElement.scrollWidth <= window.innerWidth"))


def small_targets(page: Page) -> list[str]:
    """Return the controls that are smaller than 24 pixels in either direction (WCAG 2.2, 2.5.8), at any of SIZES."""
    return [control for found in at_each_size(page, _SMALL_TARGETS) for control in found]


def at_each_size(page: Page, expression: str) -> list[Any]:
    """Return what *expression* is at each of SIZES; the window has its own size again afterwards."""
    before, results = page.viewport_size, []
    assert before
    for width, height in SIZES.values():
        page.set_viewport_size({"width": width, "height": height})
        results.append(page.evaluate(expression))
    page.set_viewport_size(before)
    return results


def expect_in_force(page: Page) -> None:
    """
    Wait until the page says that what was published answers customers.

    Not for the notice before it: without JavaScript it stands on one page only, which loads itself again.
    """
    expect(page.get_by_text("The new version answers customers now.")).to_be_visible()


def texts_too_faint(page: Page) -> list[str]:
    """
    Return the texts whose contrast with the background is below 4.5:1, the minimum of WCAG AA, in light or in dark.

    On a gradient, its darkest or lightest colour counts.
    """
    schemes: tuple[Literal["dark", "light"], ...] = ("dark", "light")
    faint = []
    for scheme in schemes:
        page.emulate_media(color_scheme=scheme)
        faint += [f"{scheme}: {text}" for text in page.evaluate(_FAINT)]
    return faint


_SMALL_TARGETS = """() => {
  const boxes = [...document.querySelectorAll("main :is(button, a.button, input, select, summary)")];
  const seen = boxes.filter((one) => one.type !== "hidden" && one.tabIndex >= 0 && one.checkVisibility());
  const sizes = seen.map((one) => [one.outerHTML.slice(0, 90), one.getBoundingClientRect()]);
  return sizes.filter(([, box]) => box.width < 24 || box.height < 24).map(([html]) => html);
}"""

_FAINT = """() => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => {
    const [R, G, B] = [r, g, b].map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * R + .7152 * G + .0722 * B;
  };
  const behind = (element) => {
    const layers = [];
    for (let e = element; e; e = e.parentElement) {
      const style = getComputedStyle(e);
      if (style.backgroundImage.startsWith("linear-gradient")) {
        layers.push(style.backgroundImage.match(/rgba?\\([^)]*\\)/g).map(parse).sort((a, b) => light(b) - light(a))[0]);
        break;
      }
      const colour = parse(style.backgroundColor);
      if (colour[3] === 0) continue;
      layers.push(colour);
      if (colour.length === 3 || colour[3] === 1) break;
    }
    return layers.reverse().reduce((under, over) => {
      const a = over[3] ?? 1;
      return [0, 1, 2].map(i => over[i] * a + under[i] * (1 - a));
    }, [255, 255, 255]);
  };
  const faint = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !element.checkVisibility({visibilityProperty: true})) continue;
    const [a, b] = [light(parse(getComputedStyle(element).color)), light(behind(element))].sort((x, y) => y - x);
    const ratio = (a + .05) / (b + .05);
    if (ratio < 4.5) faint.push(`${ratio.toFixed(2)} ${walker.currentNode.textContent.trim().slice(0, 40)}`);
  }
  return faint;
}"""
