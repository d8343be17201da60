"""Live advice in the rule form, by the server's own check and engine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.analysis.preview import Preview, PreviewRequest, preview
from bot.analysis.preview_process import PreviewTimeout
from tests.support.console import Console, running

RULES = """\
version: 1
rules:
  - id: ship
    keywords: [giao hàng, phí ship]
    examples: [phí ship bao nhiêu]
    reply: {image_url: "https://shop.example/ship.jpg"}
  - id: gia
    keywords: [bảng giá]
    reply: {image_url: "https://shop.example/gia.jpg"}
"""
IMAGE = {
    "image_kind": "image_url", "image_ref": "https://shop.example/nhanh.jpg", "image_weight": "",
    "image_uploaded": "", "image_else": "",
}  # fmt: skip


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    """A logged-in editor who may publish."""
    with running(tmp_path, rules=RULES, console_publish=True) as found:
        found.log_in()
        yield found


def sent(*keywords: str, **more: str) -> dict[str, Any]:
    """Return the fields that the form sends."""
    words = {"keyword": list(keywords), "keyword_match": ["phrase"] * len(keywords)}
    return words | IMAGE | {"enabled": "true"} | more


def advice(answer: Any) -> list[tuple[str, str]]:
    return [(one["kind"], one["text"]) for one in answer.get_json()["advice"]]


def test_a_good_rule_can_be_published_at_once(console: Console) -> None:
    form = sent("bọc quà", examples="có bọc quà không\ngói giúp em bọc quà", not_examples="quà tặng")
    answer = console.post("rules/live", form)
    assert advice(answer) == [
        ("good", "No other rule matches these keywords."),
        ("good", "All 2 sample messages get this reply."),
        ("good", "The counter-example does not get it."),
    ]
    done = console.post("rules/edit", form | {"checked": answer.get_json()["checked"], "action": "publish"})
    assert done.status_code == 303
    assert "  - id: boc-qua\n" in console.runtime.settings.rules_file.read_text(encoding="utf-8")


def test_missing_fields_are_listed_beside_other_advice(console: Console) -> None:
    """The rule cannot be published yet."""
    nothing = console.post("rules/live", {"enabled": "true"})
    assert advice(nothing) == [
        ("todo", "Add a keyword: what do customers write?"),
        ("todo", "Add the picture that they get."),
    ]
    half = console.post("rules/live", sent("bọc quà", image_ref=""))
    assert advice(half) == [
        ("todo", "Add the picture that they get."),
        ("good", "No other rule matches these keywords."),
    ]
    assert nothing.get_json()["checked"] == half.get_json()["checked"] == ""


def test_other_matching_rules_are_listed(console: Console) -> None:
    """The rule that beats this one, and the one that it beats."""
    kinds = dict(advice(console.post("rules/live", sent("giao hàng nhanh"))))
    assert kinds["good"] == "“giao hàng nhanh”: ship would match it too; this rule answers."
    found = advice(console.post("rules/live", sent("giao hàng nhanh", "giá", priority="-1")))
    assert any(kind == "warn" and "giao hàng nhanh" in text and "ship" in text for kind, text in found)


def test_an_example_that_another_rule_answers(console: Console) -> None:
    """With the message of the check."""
    answer = console.post("rules/live", sent("bọc quà", examples="phí ship bao nhiêu"))
    (kind, text) = advice(answer)[0]
    assert kind == "bad"
    assert "phí ship bao nhiêu" in text
    assert answer.get_json()["checked"] == ""


def test_an_existing_rule_is_checked_with_its_changes(console: Console) -> None:
    """Only its own problems are shown; for a deleted rule there is no advice."""
    form = sent("bảng giá", "phí ship", id="gia")
    found = advice(console.post("rules/live?id=gia", form))
    assert any("phí ship" in text for _kind, text in found)
    assert console.post("rules/live?id=khac", form).status_code == 409


def test_changed_answers_must_be_confirmed(console: Console) -> None:
    """New answers may be published at once, changed ones not."""
    console.keep(text="có bọc quà không", rule_id=None)
    console.keep(text="phí ship đi quận 7", rule_id="ship")
    gained = console.post("rules/live", sent("bọc quà"))
    assert ("good", "1 message of late would be newly answered.") in advice(gained)
    assert gained.get_json()["checked"]
    changed = console.post("rules/live", sent("phí ship đi"))
    assert ("warn", "1 message of late would get another reply than now.") in advice(changed)
    assert changed.get_json()["checked"] == ""
    lost = console.post("rules/live?id=ship", sent("giao hàng", id="ship"))
    assert ("bad", "1 message of late would get no reply any more.") in advice(lost)
    assert lost.get_json()["checked"] == ""


def test_somebody_else_changed_the_rule(console: Console) -> None:
    """Then it cannot be published at once."""
    assert console.post("rules/live?id=gia", sent("bảng giá", id="gia", mark="0" * 64)).get_json()["checked"] == ""


def test_advice_is_one_at_a_time_and_has_a_time_limit(tmp_path: Path) -> None:
    """A concurrent request must be repeated."""
    begun, gate = threading.Event(), threading.Event()

    def slow(request: PreviewRequest, **_more: object) -> Preview:
        if b"qua-lau" in request.content:
            raise PreviewTimeout
        begun.set()
        gate.wait(60)
        return preview(request)

    with running(tmp_path, rules=RULES, console_publish=True, preview=slow) as console:
        console.log_in()
        assert console.post("rules/live", sent("quá lâu")).status_code == 422
        answers = []
        first = threading.Thread(target=lambda: answers.append(console.post("rules/live", sent("bọc quà"))))
        first.start()
        assert begun.wait(60)
        other = Console(console.app, console.runtime)
        other.log_in()
        assert other.post("rules/live", sent("thắt nơ")).get_json() is None
        gate.set()
        first.join()
        assert answers[0].get_json()["checked"]


def test_without_publishing_there_is_no_advice(tmp_path: Path) -> None:
    """It is not there."""
    with running(tmp_path, rules=RULES) as console:
        console.log_in()
        assert console.post("rules/live", sent("bọc quà")).status_code == 404
