"""Drafts of the console's rule form, by requests of its script and by a browser without JavaScript."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from bot.web.console import auth
from tests.support.clock import Clock
from tests.support.console import Console, running, words

RULES = """\
version: 1
rules:
  - id: gia
    keywords: [bảng giá]
    reply: {image_url: "https://shop.example/gia.jpg"}
  - id: ship
    keywords: [giao hàng]
    reply: {image_url: "https://shop.example/ship.jpg"}
"""
DRAFT = "This is your draft."


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def console(tmp_path: Path, clock: Clock) -> Iterator[Console]:
    """Somebody is logged in where they may publish."""
    with running(tmp_path, rules=RULES, clock=clock, console_publish=True) as found:
        found.log_in()
        yield found


def sent(page: TestResponse, *keywords: str, **more: str) -> dict[str, str | list[str]]:
    """Return what a browser sends of the form on a page, with these keywords."""
    form = page.text.partition('<form id="rule"')[2]
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))
    typed = {"keyword": list(keywords), "keyword_match": ["phrase"] * len(keywords), "enabled": "true"}
    return hidden | typed | {"image_kind": "image_url", "image_ref": "https://shop.example/gia.jpg"} | _REST | more


_REST = dict.fromkeys(("image_weight", "image_uploaded", "image_else"), "")


def address(page: TestResponse, name: str) -> str:
    """Return the URL in an attribute of the form on a page, below the console."""
    found = re.search(rf'data-{name}="/console/([^"]+)"', page.text)
    assert found
    return found[1].replace("&amp;", "&")


def autosaved(console: Console, page: TestResponse, *keywords: str, **more: str) -> TestResponse:
    return console.post(address(page, "autosave"), sent(page, *keywords, **more))


def test_what_was_typed_is_there_when_the_form_is_opened_again(console: Console) -> None:
    """It says when it was saved; the file and the forms of other rules know nothing of it."""
    page = console.get("rules/edit?id=gia")
    answer = autosaved(console, page, "bảng giá", "báo giá", id="gia", until="32/1/2027")
    assert answer.json is not None
    assert re.fullmatch(r"Draft saved \d\d:\d\d", answer.json["text"])
    again = console.get("rules/edit?id=gia")
    assert f"{DRAFT} {answer.json['text']}" in words(again)
    assert 'name="keyword" value="báo giá"' in again.text
    assert 'value="32/1/2027"' in again.text
    assert DRAFT not in words(console.get("rules/edit?id=ship"))
    assert DRAFT not in words(console.get("rules/edit"))
    assert console.runtime.settings.rules_file.read_text(encoding="utf-8") == RULES


def test_a_draft_ends_where_it_is_published_or_discarded(console: Console) -> None:
    page = console.get("rules/edit")
    autosaved(console, page, "bọc quà")
    assert DRAFT in words(console.get("rules/edit"))
    assert console.post("rules/draft/discard", {}).location == "/console/rules/edit"
    assert DRAFT not in words(console.get("rules/edit"))
    page = console.get("rules/edit")
    seen = console.post("rules/edit", sent(page, "bọc quà", action="check"))
    assert DRAFT in words(console.get("rules/edit"))
    done = console.post("rules/edit", sent(seen, "bọc quà", id="boc-qua", action="publish"))
    assert done.status_code == 303
    assert DRAFT not in words(console.get("rules/edit"))


def test_what_is_changed_back_is_no_draft(console: Console) -> None:
    page = console.get("rules/edit?id=gia")
    autosaved(console, page, "bảng giá", id="gia")
    assert DRAFT not in words(console.get("rules/edit?id=gia"))


def test_a_form_that_another_page_fills_in_has_a_draft_of_its_own(console: Console) -> None:
    """Another question leads to another one; the words do not stand in its address."""
    autosaved(console, console.get("rules/edit"), "bọc quà")
    filled = console.get("rules/edit?keyword=nến&example=có nến không")
    assert DRAFT not in words(filled)
    autosaved(console, filled, "nến", "đèn cầy")
    page = console.get(address(filled, "page"))
    assert 'name="keyword" value="đèn cầy"' in page.text
    assert re.fullmatch(r"rules/edit\?draft=[0-9a-f]{16}", address(filled, "page"))
    assert "đèn cầy" in console.get("rules/edit?keyword=nến&example=có nến không").text
    assert "đèn cầy" not in console.get("rules/edit?keyword=hoa").text
    assert "đèn cầy" not in console.get("rules/edit").text


def test_who_comes_back_to_a_rule_that_others_changed_is_told(console: Console) -> None:
    """What they did is not overwritten in one press."""
    page = console.get("rules/edit?id=gia")
    autosaved(console, page, "bảng giá", "báo giá", id="gia")
    theirs = RULES.replace("[bảng giá]", "[bảng giá, giá sỉ]")
    console.runtime.settings.rules_file.write_text(theirs, encoding="utf-8")
    again = console.get("rules/edit?id=gia")
    assert "Somebody else has changed this rule since you began." in words(again)
    answer = console.post("rules/edit?id=gia", sent(again, "bảng giá", "báo giá", id="gia", action="publish"))
    assert answer.status_code == 409
    assert console.runtime.settings.rules_file.read_text(encoding="utf-8") == theirs


def test_two_tabs_do_not_overwrite_each_other(console: Console) -> None:
    """The second may replace the draft of the first by another press."""
    one, two = console.get("rules/edit"), console.get("rules/edit")
    autosaved(console, one, "bọc quà")
    refused = autosaved(console, two, "thiệp")
    assert refused.status_code == 409
    assert refused.json is not None
    assert "this browser already has another draft" in refused.json["text"]
    seen = console.post("rules/edit", sent(two, "thiệp", action="check"))
    assert "Replace it by what is here" in words(seen)
    assert "bọc quà" in console.get("rules/edit").text
    autosaved(console, two, "thiệp", replaces=str(refused.json["revision"]))
    assert "bọc quà" not in console.get("rules/edit").text


@pytest.mark.parametrize("route", ["draft", "edit"])
def test_what_is_sent_after_the_session_has_ended_is_kept(console: Console, clock: Clock, route: str) -> None:
    """The log-in leads back to it."""
    page = console.get("rules/edit?id=gia")
    clock.now += auth.SESSION_LIFETIME.total_seconds() + 1
    answer = console.post(f"rules/{route}?id=gia", sent(page, "bảng giá", "báo giá", id="gia"))
    login = answer.json["login"] if answer.json else answer.location
    assert login == "/console/login?next=/console/rules/edit?id%3Dgia"
    console.log_in()
    assert "báo giá" in console.get("rules/edit?id=gia").text


def test_where_nothing_may_be_published_nothing_is_kept(tmp_path: Path) -> None:
    with running(tmp_path) as console:
        console.log_in()
        assert console.post("rules/draft", {}).status_code == 404
        assert console.post("rules/draft/discard", {}).status_code == 404
