"""Stop words of chat messages, and words that editors forget to put marks on."""

from __future__ import annotations

from typing import Final

from bot.rules.language.text import fold


def _listed(words: str) -> tuple[str, ...]:
    return tuple(words.split())


_WORDS = _listed("""
ạ à ai anh bạn bao bị các cái chị cho chưa có còn của cũng đã dạ đang đây để đến đi đó được em gì hay không khi là lại
luôn mà mấy mình muốn này nào nè nha nhé nhiều như nữa ở ơi quá ra rất rồi sao sẽ shop thế thì tôi tới và vào vậy vâng
về với xin
""")

COMMON_WORDS: Final = frozenset(_WORDS)
"""Alone, each of them says nothing about what a customer wants."""

COMMON_BY_LETTERS: Final = {fold(word): word for word in _WORDS}
"""The everyday word that its letters are taken for when no marks are typed."""

_OF_SHOPS = _listed("áo bánh chè đổi giá giờ hàng hè hẹn màu mở mới phí phòng quán rẻ số sữa trà trả vải vốn")

LIKELY_MEANT: Final = {fold(word): word for word in _OF_SHOPS}
"""What a bare word most likely is when the editor of a shop's rules typed it."""
