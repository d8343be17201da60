"""The checklist of first steps: a step is ticked once it was really done, and not before."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.analysis.preview import Preview, PreviewRequest, preview
from bot.inbox.database import Database
from bot.inbox.editing.first_steps import FirstSteps
from bot.rules.publishing.publisher import digest
from tests.support.console import RULES, Console, running, words
from tests.support.local_images import jpeg


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    """A new console with a logged-in editor."""
    with running(tmp_path, console_publish=True) as found:
        found.log_in()
        yield found


def done(console: Console) -> list[str]:
    """Return the ticked steps of the overview."""
    return re.findall(r'<li class="done">.*?<b>(.*?)</b>', console.get("overview").text, re.DOTALL)


def write(console: Console, text: str) -> int:
    """Store a customer's message of now; return the event's id."""
    return console.keep(age=-1, text=text)


def test_each_step_is_ticked_by_what_happened(console: Console, tmp_path: Path) -> None:
    """In any order; a change without an own image is none."""
    page = words(console.get("overview?lang=vi"))
    assert "Những bước đầu: xong 0/5" in page
    assert done(console) == []
    event = write(console, "bảng giá")
    console.get("overview?lang=en")
    assert done(console) == ["Write a message as a customer"]
    console.get(f"events/{event}")
    assert done(console)[1:] == ["See which rule answered it"]
    plain = RULES.replace("giá bao nhiêu", "giá sỉ")
    console.post("check", {"text": plain})
    assert len(done(console)) == 2
    console.post("check/chat", {"text": plain, "say": "giá sỉ"})
    assert done(console)[2:] == ["Chat with the draft"]
    (tmp_path / "images").mkdir(exist_ok=True)
    (tmp_path / "images" / "gia.jpg").write_bytes(jpeg())
    own = plain.replace('image_url: "https://shop.example/bang-gia.jpg"', "file: images/gia.jpg")
    console.post("check", {"text": own})
    assert done(console)[2:3] == ["Add or change a rule, with a picture of your own"]
    assert len(done(console)) == 4
    form = {"text": own, "checked": digest(own.encode()), "base_digest": digest(RULES.encode())}
    assert console.post("check/publish", form).status_code == 303
    assert done(console)[4:] == ["Publish it"]
    assert "All done" in words(console.get("overview"))


def test_the_check_returns_the_named_images(tmp_path: Path) -> None:
    """So that the web process need not read the text again."""

    def found(request: PreviewRequest, **_more: object) -> Preview:
        return replace(preview(request), image_files=frozenset({"images/gia.jpg"}))

    with running(tmp_path, preview=found, console_publish=True) as console:
        console.log_in()
        console.get("overview")
        console.post("check", {"text": RULES})
        assert done(console) == ["Add or change a rule, with a picture of your own"]


def test_opening_a_rule_from_the_chat_ticks_its_step(console: Console) -> None:
    """By the link that searches for the rule, not by another search."""
    console.get("overview")
    console.get("rules?q=gia")
    assert done(console) == []
    console.get("rules?q=bang-gia")
    assert done(console) == ["See which rule answered it"]


def test_the_list_is_closed_for_good(console: Console) -> None:
    """For every editor."""
    assert "First steps" in words(console.get("overview"))
    answer = console.post("first-steps/close")
    assert (answer.status_code, answer.location) == (303, "/console/overview")
    assert "First steps" not in words(console.get("overview"))


def test_a_shop_that_has_used_the_bot_before_sees_no_list(console: Console) -> None:
    """Nothing is new to it."""
    write(console, "bảng giá")
    assert "First steps" not in words(console.get("overview"))


def test_without_publishing_there_are_three_steps(tmp_path: Path) -> None:
    """Three are left."""
    with running(tmp_path) as console:
        console.log_in()
        assert "First steps: 0 of 3 done" in words(console.get("overview"))


def test_the_demo_links_to_its_chat(tmp_path: Path) -> None:
    """Its past messages do not count."""
    with running(tmp_path, console_publish=True) as console:
        console.log_in()
        console.keep(age=3600)
        FirstSteps(console.runtime.database).begin(chat_link="http://127.0.0.1:1/demo")
        page = console.get("overview")
        assert '<a class="button small" href="http://127.0.0.1:1/demo">Open the chat</a>' in page.text
        assert done(console) == []


def test_steps_are_stored_in_both_databases(database: Database) -> None:
    """Once each; nothing is stored before the list has begun or after it was closed."""
    steps = FirstSteps(database)
    steps.take("looked")
    assert not steps.is_settled()
    steps.begin()
    steps.begin(chat_link="again")
    for _ in range(2):
        steps.take("looked")
    taken = steps.taken()
    assert taken
    assert (taken.done, taken.chat_link) == ({"looked"}, "")
    steps.close()
    steps.take("tried")
    assert steps.taken() is None
    assert steps.is_settled()
