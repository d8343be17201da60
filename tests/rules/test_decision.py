"""The decision of the engine, and the matching rules in it."""

from __future__ import annotations

from datetime import date

import pytest

from bot.rules.engine import FALLBACK, Decision, Incoming, decide
from bot.rules.validate import validate

RULES = validate(
    """
version: 1
rules:
  - {id: gia, keywords: [giá, bảng giá], cooldown: 10m, reply: {image_url: "https://cdn.shop.vn/gia.jpg"}}
  - {id: gia-banh, keywords: [giá bánh kem], reply: {image_url: "https://cdn.shop.vn/banh.jpg"}}
  - {id: mo-cua, all_of: [[mấy giờ, khi nào], [mở cửa]], reply: {image_url: "https://cdn.shop.vn/gio.jpg"}}
  - {id: chao, on: follow, reply: {image_url: "https://cdn.shop.vn/chao.jpg"}}
fallback: {reply: {image_url: "https://cdn.shop.vn/menu.jpg"}}
""".encode(),
    today=date(2026, 1, 1),
).rules


def decided(text: str, kind: str = "text", *, last_reply: float | None = None) -> Decision:
    """Return the decision of the rules."""
    assert RULES is not None
    return decide(RULES, Incoming(kind, text, "1", "key"), now=1_000.0, last_reply=lambda _: last_reply)


@pytest.mark.parametrize(
    ("text", "kind", "rule_id", "keywords", "runner_up"),
    [
        ("cho em bảng giá", "text", "gia", ("bảng giá",), None),
        ("gia banh kem", "text", "gia-banh", ("giá bánh kem",), "gia"),
        ("mấy giờ shop mở cửa", "text", "mo-cua", ("mấy giờ", "mở cửa"), None),
        ("", "follow", "chao", (), None),
        ("alo", "text", FALLBACK, (), None),
    ],
)
def test_it_has_the_matched_keyword_and_the_runner_up(
    text: str, kind: str, rule_id: str, keywords: tuple[str, ...], runner_up: str | None
) -> None:
    """The best match of the rule, and the best of the other rules."""
    decision = decided(text, kind)
    assert (decision.rule_id, decision.keywords, decision.runner_up) == (rule_id, keywords, runner_up)


def test_a_rule_in_its_cooldown_has_them_too() -> None:
    """It matched all the same."""
    assert decided("bảng giá", last_reply=999.0) == Decision("gia", (), "cooldown", ("bảng giá",), None)
