"""The chat with a draft on the console's page Check: answers, differences to the rules in force, examples."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from bot.rules.publishing.edit import rules_in
from bot.web.console.publishing.check_notes import Note
from bot.web.console.publishing.draft_chat import MAX_SENTENCES, with_example
from tests.support.console import RULES, Console, PausedPreview, running, words
from tests.support.running import PATIENCE

NEW_PRICE = RULES.replace("bang-gia.jpg", "gia-moi.jpg")
SHIP = """\
  - id: ship  # giao hàng
    keywords: [giao hàng, ship]
    examples: [ship không]   # teencode
    reply: {image_url: "https://shop.example/ship.jpg"}
"""
DRAFT = NEW_PRICE + SHIP


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    """A logged-in editor."""
    with running(tmp_path) as found:
        found.log_in()
        yield found


def told(console: Console, text: str, *sentences: str) -> str:
    """Return what the chat of the text editor says, without markup."""
    answer = console.post("check/problems", {"text": text, "sentence": list(sentences)})
    assert answer.json is not None
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.json["chat"])).split())


def text_of(page: TestResponse) -> str:
    found = re.search(r"<textarea[^>]*>\n(.*?)</textarea>", page.text, re.DOTALL)
    assert found
    return html.unescape(found[1])


def test_answers_have_their_difference_to_the_rules_in_force(console: Console) -> None:
    """Another image, another rule, a new or lost answer; none if they are equal."""
    assert "Now: the same rule with another picture." in told(console, DRAFT, "bảng giá")
    said = told(console, DRAFT, "có giao hàng không")
    assert "https://shop.example/ship.jpg ship other than now Now: no answer." in said
    assert "other than now" not in told(console, RULES, "bảng giá")
    without = RULES.replace("bảng giá, giá bao nhiêu", "giá sỉ")
    assert "The bot is silent: nothing is sent other than now Now: bang-gia." in told(console, without, "bảng giá")


def test_findings_come_with_the_answers(console: Console) -> None:
    """One request during typing."""
    answer = console.post(
        "check/problems", {"text": DRAFT.replace("keywords: [giao", "keyword: [giao"), "sentence": "a"}
    )
    assert answer.json is not None
    assert [finding["code"] for finding in answer.json["findings"]][:1] == ["unknown-key"]
    assert "The draft has errors, so it cannot answer yet." in answer.json["chat"]


def test_a_good_draft_without_a_chat_has_no_findings(console: Console) -> None:
    """So that old marks disappear."""
    answer = console.post("check/problems", {"text": DRAFT})
    assert (answer.status_code, answer.get_json()["findings"]) == (200, [])


def test_the_chat_works_without_javascript(console: Console) -> None:
    """Conversation and text are kept; Enter, which submits the first button, does the same."""
    page = console.post("check/chat", {"text": DRAFT, "say": "bảng giá"})
    assert page.status_code == 200
    assert "Customer: bảng giá Bot:" in words(page)
    assert "<mark>bảng giá</mark>" in page.text
    assert text_of(page) == DRAFT
    again = console.post("check/draft", {"text": DRAFT, "sentence": "bảng giá", "say": "giao hàng <b>"})
    assert re.search("Customer: bảng giá .* Customer: giao hàng <b> ", words(again))
    assert "<mark>giao hàng</mark> &lt;b&gt;" in again.text


def test_the_chat_without_javascript_waits_for_the_check_of_another_draft(tmp_path: Path) -> None:
    """A script asks again by itself, a page does not."""
    paused = PausedPreview()
    with running(tmp_path, preview=paused) as console, ThreadPoolExecutor() as pool:
        console.log_in()
        colleague = Console(console.app, console.runtime)
        colleague.log_in()
        first = pool.submit(colleague.post, "check/problems", {"text": DRAFT})
        assert paused.begun.wait(PATIENCE)
        assert console.post("check/problems", {"text": DRAFT}).get_json() is None
        second = pool.submit(console.post, "check/chat", {"text": DRAFT, "say": "bảng giá"})
        wait([second], timeout=0.5)  # it would be done by now if it did not wait
        paused.goes_on.set()
        assert "<mark>bảng giá</mark>" in second.result().text
        assert first.result().status_code == 200


def test_a_chat_is_limited(console: Console) -> None:
    """The first sentences are dropped, duplicates too, and long ones are cut at Zalo's limit."""
    many = [f"câu {number}" for number in range(20)]
    page = console.post("check/chat", {"text": DRAFT, "sentence": [*many, "câu 15"], "say": "x" * 5_000})
    kept = re.findall(r'name="sentence" form="check" value="([^"]*)"', page.text)
    assert kept == [*[f"câu {n}" for n in (13, 14, 16, 17, 18, 19, 15)], "x" * 2_000]
    assert len(kept) == MAX_SENTENCES


def test_a_sentence_becomes_an_example_of_its_rule(console: Console) -> None:
    """Only that line changes, with its comment; the draft is saved, and the chat shows that it is an example."""
    form = {"text": DRAFT.replace("\n", "\r\n"), "sentence": "giao hàng nhé", "example": "ship giao hàng nhé"}
    page = console.post("check/example", form)
    written = DRAFT.replace("examples: [ship không]   #", "examples: [ship không, giao hàng nhé] #")
    assert text_of(page).replace("\r\n", "\n") == written
    assert "It is an example of this rule." in words(page)
    assert text_of(console.get("check")) == written


def test_the_script_gets_the_text_with_the_example(console: Console) -> None:
    """Nothing is saved: the script does it."""
    wanted = {"Accept": "application/json"}
    form = {"text": RULES, "example": "bang-gia giá: bao nhiêu"}
    answer = console.post("check/example", form, headers=wanted)
    assert answer.json == {"text": RULES.replace('jpg"}\n', 'jpg"}\n    examples: ["giá: bao nhiêu"]\n', 1)}
    assert text_of(console.get("check")) == ""


@pytest.mark.parametrize(
    ("text", "example", "why"),
    [
        (RULES, "khong-co câu", "No rule has the name khong-co."),
        ("rules: [{id: a, keywords: [b]}]\n", "a câu", "line 1 is written in a way that only you can change"),
        ("rules: *x\n", "a câu", "line 1 is written in a way that only you can change"),
        (RULES, "", "No rule has the name"),
    ],
)
def test_an_example_that_cannot_be_added(console: Console, text: str, example: str, why: str) -> None:
    """The reason is shown, and the text stays."""
    page = console.post("check/example", {"text": text, "example": example})
    assert page.status_code == 409
    assert why in words(page)
    assert text_of(page) == text
    answer = console.post("check/example", {"text": text, "example": example}, headers={"Accept": "application/json"})
    assert answer.status_code == 409
    assert answer.json is not None
    assert why in answer.json["note"]


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=60).map(str.strip).filter(bool))
def test_any_sentence_becomes_an_example_and_every_other_byte_stays(sentence: str) -> None:
    """It is read back unchanged."""
    written = with_example(DRAFT, "ship", sentence)
    assert not isinstance(written, Note)
    before, _key, after = DRAFT.partition("    examples: [ship không]   # teencode\n")
    assert written.startswith(before)
    assert written.endswith(after)
    examples = rules_in(written.encode())[-1].fields["examples"]
    assert examples == list(dict.fromkeys(["ship không", sentence]))
    assert with_example(written, "ship", sentence) == written
