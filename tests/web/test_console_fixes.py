"""The console's button that fixes a problem of the text, as for a browser without JavaScript."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from tests.support.console import RULES, Console, running, words

SLIPS = {
    "a misspelled key": ("keywords:", "keyword:"),
    "an equals sign": ("keywords:", "keywords ="),
    "a dash without a space": ("- id: chao", "-id: chao"),
    "a tab": ("    keywords", "\tkeywords"),
    "a quote in the characters": ('{image_url: "https://shop.example/bang-gia.jpg"}', '"https://shop.example/a\'<b.jpg"'),
}  # fmt: skip


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    """A logged-in editor."""
    with running(tmp_path) as found:
        found.log_in()
        yield found


def offered(page: TestResponse) -> list[str]:
    """Return the values of the buttons."""
    return [html.unescape(value) for value in re.findall(r"name=\"fix\" value='([^']*)'", page.text)]


def hidden(page: TestResponse) -> dict[str, str]:
    """Return the hidden fields that save the draft."""
    return dict(re.findall(r'name="(base_digest|revision|tab)" value="([^"]*)"', page.text))


def text_in(page: TestResponse) -> str:
    """Return the text in the editor."""
    found = re.search(r"<textarea[^>]*>\n(.*?)</textarea>", page.text, re.DOTALL)
    assert found
    return html.unescape(found[1])


@pytest.mark.parametrize("slip", SLIPS)
def test_the_button_fixes_the_text(console: Console, slip: str) -> None:
    """The result is checked, and is the browser's draft."""
    broken = RULES.replace(*SLIPS[slip])
    sent = {"text": broken.replace("\n", "\r\n")}
    page = console.post("check", hidden(console.get("check?take=file")) | sent)
    assert "1 error" in words(page)
    [fix] = offered(page)
    mended = console.post("check/fix", hidden(page) | sent | {"fix": fix})
    assert mended.status_code == 200
    assert "rules.yaml: fine." in words(mended)
    assert not offered(mended)
    assert sum(a != b for a, b in zip(broken.splitlines(), text_in(mended).splitlines(), strict=True)) == 1
    assert text_in(console.get("check")) == text_in(mended)


def test_the_text_editor_gets_the_fix(console: Console) -> None:
    """With its position and the new text."""
    text = RULES.replace("keywords:", "keyword:")
    [finding] = console.post("check/problems", {"text": text}).get_json()["findings"]
    assert finding["fix"] == [{"line": 4, "column": 5, "old": "keyword", "new": "keywords"}]


@pytest.mark.parametrize(
    "fix", ["", "x", "[1]", "null", '[{"line": 4, "column": 5, "old": "keyword", "new": "x"}]', "[" * 5_000]
)
def test_a_fix_of_another_text_changes_nothing(console: Console, fix: str) -> None:
    """The page says so, and the text stays."""
    text = RULES.replace("keywords:", "pattern:")
    page = console.post("check/fix", {"text": text, "fix": fix})
    assert page.status_code == 409
    assert "Nothing was fixed" in words(page)
    assert text_in(page) == text


def test_a_button_for_each_language(tmp_path: Path) -> None:
    """Vietnamese is the editors' language."""
    with running(tmp_path, bot_lang="vi") as console:
        console.log_in()
        assert "Sửa giúp" in words(console.post("check", {"text": RULES.replace("keywords:", "keyword:")}))
