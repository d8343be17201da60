"""The sample shop of the demo: its rules and images."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

import bot
from bot.rules.engine import rank
from bot.rules.validate import validate

PACKAGE = Path(bot.__file__).parent
SAMPLE = PACKAGE / "rules" / "starters" / "tiem-banh.yaml"
PICTURES = PACKAGE / "web" / "static" / "shop"


def winner(text: str) -> str | None:
    rules = validate(SAMPLE.read_bytes(), today=date(2026, 11, 23)).rules
    assert rules
    index = rank(rules, text).winner
    return None if index is None else rules.file.rules[index].id


def test_the_package_has_the_rules_of_the_tree() -> None:
    """An installation without the source tree has the same shop."""
    assert SAMPLE.read_bytes() == (PACKAGE.parent / "rules.yaml").read_bytes()


@pytest.mark.parametrize("today", [date(2026, 11, 23), date(2031, 6, 1)])
def test_no_problem_now_or_later(today: date) -> None:
    """Not even a warning; the sample has no season that ends."""
    assert validate(SAMPLE.read_bytes(), today=today).problems == ()


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("shop ơi bang gia", "bang-gia"),
        ("bảng giá bánh kem", "bang-gia"),
        ("mấy giờ tiệm mở cửa?", "gio-mo-cua"),
        ("phí ship bao nhiêu?", "giao-hang"),
        ("menu", "menu"),
        ("khuyến mãi", "khuyen-mai"),
        ("địa chỉ", "dia-chi"),
        ("con mèo nhà mình dễ thương ghê", None),
        ("đánh giá tiệm 5 sao", None),
    ],
)
def test_the_texts_in_the_images_reach_their_rules(text: str, rule: str | None) -> None:
    """Each message that an image suggests; small talk reaches none."""
    assert winner(text) == rule


def test_every_image_exists_and_is_used() -> None:
    """As a JPEG that loads quickly on a phone."""
    named = set(re.findall(r"https://anh\.tiemnhana\.example/([a-z-]+\.jpg)", SAMPLE.read_text(encoding="utf-8")))
    there = {path.name: path.read_bytes() for path in PICTURES.glob("*.jpg")}
    assert named == there.keys()
    assert all(content.startswith(b"\xff\xd8\xff") and len(content) <= 120 * 1024 for content in there.values())
