"""Normalization of text, splitting into words, comparison of syllables."""

from __future__ import annotations

import unicodedata

import pytest

from bot.rules.language.abbreviations import ABBREVIATIONS, PARTICLES
from bot.rules.language.syllables import is_syllable, needs_no_marks
from bot.rules.language.text import MAX_LENGTH, Fit, compat, fold, normalise, syllables, tokens
from bot.rules.matching.short_forms import DOTTED


@pytest.mark.parametrize(
    ("typed", "normalised"),
    [
        ("BẢNG GIÁ", "bảng giá"),
        (unicodedata.normalize("NFD", "Đặt Hàng"), "đặt hàng"),
        ("ＢＡＮＧ　ＧＩＡ", "bang gia"),
        ("𝐛𝐚𝐧𝐠 𝐠𝐢𝐚", "bang gia"),
        ("g\u200bi\u200dá\ufeff\u00ad", "giá"),
        ("gia\u0341", "giá"),
        ("ti\u00ea\u0301ng", "tiếng"),
        ("ðặt ɖặt ÐẶT", "đặt đặt đặt"),
        ("İSTANBUL ıphone STRASSE straße", "istanbul iphone strasse strasse"),
        ("👍🏽 ❤️ 1️⃣", "👍 ❤ 1"),
        ("Giá 199.000đ?", "giá 199.000đ?"),
        ("", ""),
    ],
)
def test_normalise(typed: str, normalised: str) -> None:
    """Case, encoding, width, fancy letters and invisible characters do not matter; marks and signs stay."""
    assert normalise(typed) == normalised


@pytest.mark.parametrize("text", ["a" * 5000, "\ufdfa" * 5000, "ß" * 5000, "👍" * 5000, "ế" * 5000])
def test_normalised_text_is_never_longer_than_the_limit(text: str) -> None:
    """Not even if one character becomes eighteen."""
    assert len(normalise(text)) == MAX_LENGTH


def test_runs_of_combining_marks_are_cut_to_four() -> None:
    """Otherwise sorting them would take seconds; in Latin and other scripts."""
    assert len(normalise("a" + "\u0323\u0301" * 1000)) <= 5
    assert len(normalise("\u05d0" + "\u05b0\u0591" * 1000)) == 5


@pytest.mark.parametrize(
    ("typed", "folded"),
    [
        ("Đặt hàng ở ĐÂU?", "dat hang o dau?"),
        (unicodedata.normalize("NFD", "Đường"), "duong"),
        ("naïve café", "naive cafe"),
        ("b\u0301ảng", "bang"),
        ("ПРИВЕТ й", "привет й"),
    ],
)
def test_fold(typed: str, folded: str) -> None:
    """Latin letters lose their marks; letters of other scripts keep them."""
    assert fold(typed) == folded


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("bảng-giá/size_L #km", ["bang", "gia", "size", "l", "km"]),
        ("Giá 199.000đ, 1,250,000 hay 12.5k?", ["gia", "199000d", "1250000", "hay", "12", "5k"]),
        ("don't, ’quote’ l’oréal", ["dont", "quote", "loreal"]),
        ("xem https://shop.vn/bang-gia nhé www.a.vn", ["xem", "nhe"]),
        ("❤️giá👍 50%", ["gia", "50"]),
        ("价格abc メニュー", ["价", "格", "abc", "メ", "ニ", "ュ", "ー"]),
        ("ที่ราคา", ["ที่ราคา"]),
        ("b\u0301ang", ["bang"]),
        ("... !!! \u0301", []),
    ],
)
def test_tokens(typed: str, words: list[str]) -> None:
    """A word is a run of letters and digits; URLs, punctuation and signs are not words."""
    assert [token.folded for token in tokens(typed)] == words


@pytest.mark.parametrize(
    "typed",
    [
        "  Bảng   GIÁ sỉ ",
        unicodedata.normalize("NFD", "Bảng GIÁ sỉ"),
        "b\u200bảng, g\u00adiá ... sỉ",
        "ba\u200b\u0309ng giá sỉ",
        "ＢẢＮＧ　ＧＩÁ sỉ",
        "https://a.vn/x bảng giá (sỉ)",
        "ŉ ß ﬁ bảng giá sỉ",
    ],
)
def test_tokens_have_their_position_in_the_text_as_typed(typed: str) -> None:
    """So that pages mark the right words, whatever normalisation did."""
    places = [typed[token.start : token.end] for token in tokens(typed)][-3:]
    assert [normalise(place) for place in places] == ["bảng", "giá", "sỉ"]


def test_the_position_of_a_word_includes_the_marks_typed_after_it() -> None:
    """A decomposed letter is marked completely."""
    typed = unicodedata.normalize("NFD", "giá")
    assert [(token.start, token.end) for token in tokens(typed)] == [(0, 4)]


def test_unmappable_text_has_the_whole_text_as_position() -> None:
    """Two Indic vowel signs that merge into one: marking too much is better than the wrong word."""
    typed = "x\u09c7\u09be giá"
    assert tokens(typed)[-1].end == len(typed)


@pytest.mark.parametrize(
    ("typed", "keyword", "fit"),
    [
        ("giá", "giá", Fit.EXACT),
        ("gía", "giá", Fit.EXACT),
        ("hoà", "hòa", Fit.EXACT),
        ("giừơng", "giường", Fit.EXACT),
        ("đuợc", "được", Fit.EXACT),
        ("gia", "giá", Fit.LOOSE),
        ("dat", "đặt", Fit.LOOSE),
        ("đăt", "đặt", Fit.LOOSE),
        ("dặt", "đặt", Fit.LOOSE),
        ("khuyên", "khuyến", Fit.LOOSE),
        ("già", "giá", Fit.NO),
        ("giá", "gia", Fit.NO),
        ("băng", "bảng", Fit.NO),
        ("đo", "đô", Fit.LOOSE),
        ("đô", "đo", Fit.NO),
        ("dô", "đo", Fit.NO),
        ("thuở", "thưở", Fit.LOOSE),
        ("gai", "giá", Fit.NO),
        ("giáà", "giáa", Fit.NO),
        ("é", "ë", Fit.NO),
        ("naïve", "naive", Fit.EXACT),
    ],
)
def test_compat(typed: str, keyword: str, fit: Fit) -> None:
    """Marks may be omitted, never contradicted; the position of a tone does not matter."""
    assert compat(syllables(typed)[0], syllables(keyword)[0]) is fit


def test_syllables_are_cut_between_letters_and_digits() -> None:
    """As in codes and prices."""
    assert [part.letters for part in syllables("sp001b")] == ["sp", "001", "b"]
    assert [part.letters for part in syllables("199.000đ")] == ["199000", "d"]


REAL = """
gì gìn giếng giá quá quốc quyển quýt khuya nghiêng người đường xoong soóc khuỷu ngoằn huơ thuở yêu yến ghế kẻ cà kỹ phở
trứng ướt oẳn huỵch tuýp
"""
IMPOSSIBLE = "menu ship shop size sale combo inbox truonc krong tuynen ge ce ngi wifi zalo b"
COMPLETE = "gia da mua kem hoa ban ma tam quan khuya hot set"
INCOMPLETE = "nhieu dat duoc khong quyen nuoc biet muon gi menu"


@pytest.mark.parametrize("word", REAL.split())
def test_real_syllables_are_possible(word: str) -> None:
    """The tables of rimes include rare ones."""
    assert is_syllable(fold(word))


@pytest.mark.parametrize("word", IMPOSSIBLE.split())
def test_impossible_syllables(word: str) -> None:
    """Foreign words and typos are no Vietnamese syllables."""
    assert not is_syllable(word)


@pytest.mark.parametrize("word", COMPLETE.split())
def test_words_that_need_no_marks(word: str) -> None:
    """They are correct without marks, as Vietnamese words or loanwords."""
    assert needs_no_marks(word)


@pytest.mark.parametrize("word", INCOMPLETE.split())
def test_words_that_are_not_complete_without_marks(word: str) -> None:
    """Typing one of these means leaving out marks, or another language."""
    assert not needs_no_marks(word)


def test_every_abbreviation_is_one_normalised_word_and_means_words() -> None:
    """Otherwise an entry could never match."""
    for short, meanings in ABBREVIATIONS.items():
        assert normalise(short) == short
        assert len(tokens(short)) == 1 or DOTTED.fullmatch(short)
        assert meanings
        assert all(tokens(meaning.text) and short != meaning.text for meaning in meanings)


def test_a_meaning_is_certain_or_has_confirming_words() -> None:
    """Shares are percent of the uses of one form, the likeliest meaning first."""
    for short, meanings in ABBREVIATIONS.items():
        shares = [meaning.share for meaning in meanings]
        assert shares == sorted(shares, reverse=True), short
        assert all(0 < share <= 100 for share in shares), short
        assert len({meaning.text for meaning in meanings}) == len(meanings), short
        assert all(fold(word) == word for meaning in meanings for word in meaning.before | meaning.after), short


def test_every_particle_is_one_normalised_word_with_a_mark() -> None:
    """Particles are looked up as typed."""
    assert all(normalise(word) == word and fold(word) != word for word in PARTICLES)
