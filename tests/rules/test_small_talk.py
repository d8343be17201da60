"""Small talk, and messages that ask something."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rules.matching.phrases import says_little


@pytest.mark.parametrize(
    "text",
    ["ok shop", "dạ vâng ạ", "alo", "hihi", "cảm ơn shop", "cam on shop nhieu nha", "Xin chào", "❤️", "???", "menu", ""],
)
def test_small_talk(text: str) -> None:
    """Fewer than two words with a meaning of their own."""
    assert says_little(text)


@pytest.mark.parametrize(
    "text",
    ["bảng giá", "có bánh chay không", "tuyen nhan vien ko", "cảm ơn shop, mai giao hàng nhé", "ship về Huế"],
)
def test_a_question(text: str) -> None:
    """Two words or more besides greetings, thanks and particles."""
    assert not says_little(text)


@given(text=st.text(max_size=60))
def test_greetings_change_nothing(text: str) -> None:
    """Small talk with a greeting is still small talk; «shop» is none, because beside it «kh» means «khách hàng»."""
    assert not says_little(text) or says_little(f"hello {text} hihi")
