"""Lint how keywords are typed: punctuation alone, marks left out, `match: exact` inside all_of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bot.rules.language.common_words import PUNCTUATION
from bot.rules.language.syllables import is_syllable, needs_no_marks
from bot.rules.language.text import fold
from bot.rules.linting.keyword_index import KeywordIndex, KeywordUse
from bot.rules.problem import Problem

# Frequent requests whose syllables are, or are nearly, all words without marks.
_PHRASES: Final = """
bảng giá, báo giá, giá cả, giá sỉ, giá lẻ, giá bán, giá vé, giá phòng, giá bao nhiêu, bao nhiêu tiền, mua hàng, đặt
hàng, đặt bàn, đặt phòng, đặt lịch, đặt bánh, giao hàng, gửi hàng, phí giao hàng, phí ship, đổi trả, đổi hàng, trả
hàng, bảo hành, bảo hiểm, khuyến mãi, giảm giá, ưu đãi, trả góp, địa chỉ, chi nhánh, giờ mở cửa, mở cửa, đóng cửa,
liên hệ, số điện thoại, tư vấn, thanh toán, chuyển khoản, thực đơn, trà sữa, trà đào, hồng trà, cà phê, bánh kem, bánh
mì, bánh sinh nhật, sinh nhật, quà tặng, học phí, lịch học, khóa học, tuyển dụng, hướng dẫn, tài khoản, sản phẩm, hàng
mới, mẫu mới, cỡ giày, bảng size, còn hàng, hết hàng, tồn kho, xem phòng, thuê nhà, căn hộ, nhà đất, sổ đỏ, vay tiền,
lãi suất, cắt tóc, làm tóc, chăm sóc da, khám bệnh, lịch khám, nha khoa, vé máy bay, du lịch, thú cưng, xe máy, sửa
chữa
"""
_MARKED: Final = {fold(phrase): phrase for phrase in map(str.strip, _PHRASES.split(","))}
_MAX_NAMED = 5


def wording_problems(words: KeywordIndex) -> Iterator[Problem]:
    """Yield the warnings about single keywords."""
    yield from _punctuation(words)
    yield from _unmarked(words)
    yield from _exact_in_groups(words)


def _punctuation(words: KeywordIndex) -> Iterator[Problem]:
    """Yield keywords of punctuation: every question has ``"?"``; with ``match: exact`` it may be intended."""
    for word in (*words.keywords, *words.grouped):
        if PUNCTUATION.issuperset(word.keyword.text) and word.keyword.match != "exact":
            yield Problem.at(word.place, "everyday-keyword/punctuation", word=word.keyword.text)
    for word in words.excludes:
        if PUNCTUATION.issuperset(word.keyword.text) and word.keyword.match != "exact":
            yield Problem.at(word.place, "everyday-keyword/punctuation-exclude", word=word.keyword.text)


def _unmarked(words: KeywordIndex) -> Iterator[Problem]:
    """Yield one problem for each rule with keywords that lack their marks."""
    marked = {(word.index, word.letters) for word in (*words.keywords, *words.grouped) if word.marks}
    by_rule: dict[int, list[KeywordUse]] = {}
    for word in (*words.keywords, *words.grouped):
        if (word.index, word.letters) not in marked and _lacks_marks(word):
            by_rule.setdefault(word.index, []).append(word)
    for found in by_rule.values():
        named = tuple(word.keyword.text for word in found[:_MAX_NAMED])
        near = [_MARKED.get(_letters(word)) for word in found[:_MAX_NAMED]]
        if all(near):
            yield Problem.at(found[0].place, "unmarked-keyword/near", words=named, near=", ".join(filter(None, near)))
        else:
            yield Problem.at(found[0].place, "unmarked-keyword", words=named)


def _lacks_marks(word: KeywordUse) -> bool:
    """Return whether it has several syllables, at least one of which is wrong without marks."""
    if word.marks or len(word.letters) < 2:
        return False
    is_vietnamese = all(map(is_syllable, word.letters))
    return _letters(word) in _MARKED or (is_vietnamese and not all(map(needs_no_marks, word.letters)))


def _letters(word: KeywordUse) -> str:
    return " ".join(word.letters)


def _exact_in_groups(words: KeywordIndex) -> Iterator[Problem]:
    """Yield `match: exact` inside all_of: a message of exactly one text cannot have a word of each group."""
    for word in words.grouped:
        if word.keyword.match == "exact" and len(word.rule.all_of) > 1:
            yield Problem.at(word.place, "exact-in-all-of", word=word.keyword.text)
