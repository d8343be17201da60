"""Accessibility: axe-core finds nothing on any page that the demo's console links to, at both widths."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.support.browser import SIZES, needs_browser, open_context
from tests.support.demo import running

pytestmark = [*needs_browser, pytest.mark.xdist_group("accessibility")]

_DOWNLOAD = re.compile(r"\.(csv|xlsx|jpe?g|png)$")
# Of a list only one entry is looked at: rules/bang-gia/statistics, events/318, events/318/conversation …
_ENTRY = re.compile(r"/(rules|events|pictures)/(?:[^/]+(?=/)|\d+$)")


@pytest.fixture(scope="module")
def console(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """Open the console of a demo, with two weeks of messages in it."""
    with running(tmp_path_factory.mktemp("demo")) as demo, open_context(browser) as context:
        page = context.new_page()
        page.goto(f"{demo.url}/console")
        yield page


def test_every_page_of_the_console(console: Page) -> None:
    """The pages are found by their links, so that none is forgotten."""
    found: dict[str, list[str]] = {}
    waiting = deque([console.url])
    while waiting:
        address = waiting.popleft()
        name = _ENTRY.sub(r"/\1/*", urlsplit(address).path)
        if name in found or _DOWNLOAD.search(name):
            continue
        console.goto(address)
        found[name] = violations(console)
        links = console.eval_on_selector_all("a[href]", "links => links.map((link) => link.href)")
        waiting.extend(link for link in links if "/console/" in urljoin(address, link))
    assert {name: rules for name, rules in found.items() if rules} == {}
    assert len(found) > 12, sorted(found)


def test_a_publication_by_which_customers_lose_answers(console: Page) -> None:
    """The summary, the confirmation, and each message before and after; then the page that restores."""
    console.goto(urljoin(console.url, "/console/check?take=file"))
    rules = console.locator("textarea").first.input_value()
    console.locator("#check").evaluate(
        "(form, text) => { form.elements.text.value = text; form.querySelector('button.primary').click(); }",
        re.sub(r"(?ms)^  - id: bang-gia$.*?(?=^  - id:)", "", rules),
    )
    console.locator(".headline.bad").wait_for()
    open_details(console)
    assert violations(console) == []
    console.locator("input[name=confirmed]").check()
    console.locator("button.danger[data-ahead]").click()
    console.locator("button[form=restore]").first.click()
    console.locator("input[name=author]").wait_for()
    open_details(console)
    assert urlsplit(console.url).path == "/console/check/restore"
    assert violations(console) == []


def open_details(page: Page) -> None:
    """Open all that is folded."""
    for details in page.locator("details").all():
        details.evaluate("(one) => one.open = true")


def violations(page: Page) -> list[str]:
    """Return what axe-core finds in light colours on a desktop and in dark ones on a phone."""
    found = []
    for size, scheme in (("desktop", "light"), ("phone", "dark")):
        width, height = SIZES[size]
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        for rule in Axe().run(page).response["violations"]:
            places = ", ".join(node["html"][:120] for node in rule["nodes"][:3])
            found.append(f"{size}, {scheme}: {rule['id']}: {places}")
    return found
