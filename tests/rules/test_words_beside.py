"""Texts with an image, a link or a file: rules for texts come first, then those for the kind, then the fallback."""

from __future__ import annotations

from datetime import date

import pytest

from bot.rules.engine import FALLBACK, Incoming, decide
from bot.rules.explain import explain
from bot.rules.validate import validate

FILE = """\
version: 1
rules:
  - {id: gia, keywords: [bảng giá], reply: {image_url: "https://shop.example/gia.jpg"}}
  - {id: anh, on: image, reply: {image_url: "https://shop.example/anh.jpg"}}
fallback:
  reply: {image_url: "https://shop.example/menu.jpg"}
"""


@pytest.mark.parametrize(
    ("kind", "text", "rule_id", "reason"),
    [
        ("image", "cho em xin bảng giá", "gia", "rule"),
        ("link", "bang gia https://shop.example", "gia", "rule"),
        ("image", "cái này còn không ạ", "anh", "rule"),
        ("image", "", "anh", "rule"),
        ("link", "cái này còn không ạ", FALLBACK, "fallback"),
        ("file", "  ", None, "no-match"),
        ("link", "", None, "no-match"),
        ("text", "cái này còn không ạ", FALLBACK, "fallback"),
    ],
)
def test_words_beside_other_content_are_matched(kind: str, text: str, rule_id: str | None, reason: str) -> None:
    """The explanation agrees with the decision."""
    rules = validate(FILE.encode(), today=date(2026, 1, 1)).rules
    assert rules is not None
    decision = decide(rules, Incoming(kind, text, "1", "key"), now=0.0, last_reply=lambda _: None)
    assert (decision.rule_id, decision.reason) == (rule_id, reason)
    found = explain(rules, text, kind=kind, oa_id="1", now=0.0)
    assert (found.winner.rule.id if found.winner else None) == (rule_id if reason == "rule" else None)
    assert (found.reply is not None) == bool(decision.images)
