"""Detection of Vietnamese text that was damaged by a wrong encoding."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rules.model.damaged_text import has_question_marks_for_letters, is_damaged, repaired
from tests.support.real_text import sentences

WORDS = [
    "bảng giá",
    "khuyến mãi",
    "đặt hàng",
    "ưu đãi",
    "ở đâu",
    "còn hàng không ạ",
    "số điện thoại",
    "trả góp",
    "giữ chỗ",
]


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "cp1258", "mac-roman"])
@pytest.mark.parametrize("text", WORDS)
def test_text_decoded_wrongly_is_damaged(text: str, encoding: str) -> None:
    """If no byte was lost, the original is recovered."""
    read = text.encode().decode(encoding, errors="replace")
    assert is_damaged(read)
    assert repaired(read) == (None if "\ufffd" in read else text)


@pytest.mark.parametrize("text", ["b¶ng gi¸", "khuyÕn m·i gi¸", "baûng giaù", "b\ufffdng"])
def test_legacy_fonts_and_lost_letters_are_damaged(text: str) -> None:
    """Texts for the fonts .VnTime and VNI-Times."""
    assert is_damaged(text)
    assert repaired(text) is None


@given(st.sampled_from([sentence.text for sentence in sentences()]))
def test_real_sentences_are_not_damaged(sentence: str) -> None:
    """Nor in capitals."""
    assert not is_damaged(sentence)
    assert not is_damaged(sentence.upper())


@pytest.mark.parametrize("text", ["naïve Köln Møller crème brûlée", "iPhone® 15", "10 m² 5 µm", "MÃ SỐ", "«bảng giá»"])
def test_other_letters_and_signs_are_not_damaged(text: str) -> None:
    """Names and units."""
    assert not is_damaged(text)


@given(st.text(max_size=40))
def test_any_text_is_accepted(text: str) -> None:
    """A repaired text is never damaged itself."""
    is_damaged(text)
    found = repaired(text)
    assert found is None or not is_damaged(found)


def test_question_marks_within_words_are_detected() -> None:
    """At the end of a word they are ordinary."""
    assert all(map(has_question_marks_for_letters, ["b?ng gi?", "bao nhi?u", "?nh", "s? ?i?n tho?i"]))
    assert not any(map(has_question_marks_for_letters, ["giá?", "còn hàng không ?", "?", "24/7?", ""]))
