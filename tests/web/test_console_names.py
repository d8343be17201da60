"""The names of links and of buttons: on no page do two of one name do different things."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from bot.rules.starters import starter
from tests.support.console import Console, running

UNANSWERED = ("tuyển nhân viên không", "có thẻ quà tặng", "xuất hóa đơn đỏ", "gửi xe ở đâu", "bàng giá")
PAGES = (
    "overview", "try", "rules", "check", "unanswered", "events", "events?status=dead", "events/2",
    "events/2/conversation", "pictures", "pictures/library", "rules/bang-gia/statistics", "rules/edit?id=menu",
)  # fmt: skip


class NamedActions(HTMLParser):
    """The target of each link and the values of each button of a page, by kind and accessible name."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        self._form = ""
        self._forms = 0
        self._open: tuple[str, str, str] | None = None
        self._text: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a form, a link or a button; the alternative text of an image counts as text of its link."""
        given = dict(attrs)
        if tag == "form":
            self._forms += 1
            self._form = f"form {self._forms} {given.get('action')}"
        elif tag in {"a", "button"}:
            target = f"{given.get('href') or self._form} {given.get('value') or ''}"
            self._open, self._text = (tag, target, given.get("aria-label") or ""), []
        elif tag == "img":
            self._text.append(given.get("alt") or "")

    def handle_data(self, data: str) -> None:
        """Add text."""
        self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        """End a link or a button."""
        if self._open and self._open[0] == tag:
            _tag, target, label = self._open
            self.found[tag, label or " ".join("".join(self._text).split())].add(target)
            self._open = None


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """A shop with customers of every kind."""
    content = starter("tiem-banh")
    assert content
    failed: dict[str, Any] = {"status": "dead", "reason": "refused", "error": "HTTP 400: -201: Image size"}
    silent: dict[str, Any] = {"status": "ignored", "reason": "no-match", "rule_id": None, "images": None}
    folder: Path = tmp_path_factory.mktemp("names")
    with running(folder, console_publish=True, rules=content.decode()) as found:
        found.log_in()
        for n, text in enumerate(UNANSWERED):
            for more in ({}, failed, {**silent, "text": text}):
                found.keep(age=20, user_id=f"{n}{len(more)}", **more)
        yield found


@pytest.mark.parametrize("page", PAGES)
def test_links_and_buttons_of_one_name_do_the_same(console: Console, page: str) -> None:
    """So that users of screen readers can tell them apart."""
    answer = console.get(page)
    assert answer.status_code == 200
    found = NamedActions(answer.text).found
    assert len(found) > 5
    assert not {name: targets for name, targets in found.items() if len(targets) > 1}
