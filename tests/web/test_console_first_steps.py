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
    """A fresh one, whose editor has just logged in."""
    with running(tmp_path, console_publish=True) as found:
        found.log_in()
        yield found


def done(console: Console) -> list[str]:
    """Return the steps that are ticked, as the overview tells them."""
    return re.findall(r'<li class="done">.*?<b>(.*?)</b>', console.get("overview").text, re.DOTALL)


def write(console: Console, text: str) -> int:
    """Let a customer write it now; return the number of the event."""
    return console.keep(age=-1, text=text)


def test_each_step_ticks_by_what_happened(console: Console, tmp_path: Path) -> None:
    """In any order; a change without a picture of one's own is none."""
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


def test_the_check_tells_which_pictures_are_named(tmp_path: Path) -> None:
    """The web process need not read the text again."""

    def found(request: PreviewRequest, **_more: object) -> Preview:
        return replace(preview(request), image_files=frozenset({"images/gia.jpg"}))

    with running(tmp_path, preview=found, console_publish=True) as console:
        console.log_in()
        console.get("overview")
        console.post("check", {"text": RULES})
        assert done(console) == ["Add or change a rule, with a picture of your own"]


def test_the_rule_of_an_answer_is_seen_from_the_chat_too(console: Console) -> None:
    """Its link searches for the rule; another search is none."""
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


def test_what_cannot_be_published_is_no_step(tmp_path: Path) -> None:
    """Three are left."""
    with running(tmp_path) as console:
        console.log_in()
        assert "First steps: 0 of 3 done" in words(console.get("overview"))


def test_the_demo_leads_to_its_chat(tmp_path: Path) -> None:
    """Whose past messages count for nothing."""
    with running(tmp_path, console_publish=True) as console:
        console.log_in()
        console.keep(age=3600)
        FirstSteps(console.runtime.database).begin(chat_link="http://127.0.0.1:1/demo")
        page = console.get("overview")
        assert '<a class="button small" href="http://127.0.0.1:1/demo">Open the chat</a>' in page.text
        assert done(console) == []


def test_steps_are_kept_by_both_databases(database: Database) -> None:
    """Once each; before the list has begun, and once it is closed, nothing is noted."""
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
