"""Which messages ask something, and which are small talk."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rules.language.small_talk import is_small_talk


@pytest.mark.parametrize(
    "text",
    ["ok shop", "dạ vâng ạ", "alo", "hihi", "cảm ơn shop", "cam on shop nhieu nha", "Xin chào", "❤️", "???", "menu", ""],
)
def test_small_talk(text: str) -> None:
    """Fewer than two words that mean something."""
    assert is_small_talk(text)


@pytest.mark.parametrize(
    "text",
    ["bảng giá", "có bánh chay không", "tuyen nhan vien ko", "cảm ơn shop, mai giao hàng nhé", "ship về Huế"],
)
def test_a_question(text: str) -> None:
    """Two words or more are left without greetings, thanks and particles."""
    assert not is_small_talk(text)


@given(text=st.text(max_size=60))
def test_greetings_change_nothing(text: str) -> None:
    """What is small talk stays so when it is greeted."""
    assert not is_small_talk(text) or is_small_talk(f"{text} shop ạ")
