"""Properties of normalization for any text: idempotent, terminating, and positions are kept."""

from __future__ import annotations

import itertools
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from bot.rules.language.text import MAX_LENGTH, Fit, compat, fold, normalise, syllables, tokens

#: Where trouble is: invisible, combining, composing, expanding, look-alike, full-width, lone halves of pairs.
TROUBLE = (
    "aAăÂđĐuơUƠgiá1.,'’-_#%+ \t\n"
    "\u0300\u0301\u0303\u0307\u0309\u0323\u0302\u0306\u031b\u0340\u0341\u0344\u0345\u034f\u00ad"
    "\u200b\u200d\u2060\ufeff\ufe0f\u20e3ðɖıİßẞſŉǰΐϓﬁﬃ\ufdfa\u1e9e\u212a\u2126①½™ａＡ０\u3000\u1100\u1161\u11a8\uffa0\u3164"
    "\u115f\u09c7\u09be\u0e33\u05b0\u0591ｶﾞ价メ👍🏽🇻\U000e0041𝐛𝗮\ud800\udfff\x00\x1b"
)
anything = st.text(st.one_of(st.sampled_from(TROUBLE), st.characters(), st.integers(0, 0x10FFFF).map(chr)))
vietnamese = st.text("aăâeêioôơuưyáàảãạếềểễệđbcghnt ", max_size=40)

#: The letters of "duong" with any marks, sensible or not.
spellings = st.tuples(
    *(st.tuples(st.just(c), st.sampled_from(["", "\u0302", "\u0306", "\u031b"])) for c in "uong")
).flatmap(
    lambda letters: st.builds(
        lambda d, tone: d + "".join(map("".join, letters)) + tone,
        st.sampled_from("dđ"),
        st.sampled_from(["", "\u0300", "\u0301", "\u0303", "\u0309", "\u0323"]),
    )
)


@given(anything)
def test_normalising_and_folding_are_idempotent(text: str) -> None:
    """What is normalised stays as it is, and so does what is folded."""
    assert normalise(normalise(text)) == normalise(text)
    assert fold(fold(text)) == fold(text)


@given(anything, st.integers(1, 3000))
def test_the_result_for_any_text_is_bounded(text: str, times: int) -> None:
    """No text raises an error or gives a result over the limit."""
    long = (text * times)[:100_000]
    assert len(normalise(long)) <= MAX_LENGTH
    assert len(fold(long)) <= MAX_LENGTH
    assert all(token.folded for token in tokens(long))


@given(anything)
def test_words_are_in_order_within_the_text(text: str) -> None:
    """Each position is inside the text as typed, after the word before."""
    found = tokens(text)
    assert all(0 <= token.start < token.end <= len(text) for token in found)
    assert all(one.start <= other.start for one, other in itertools.pairwise(found))


@given(anything)
def test_the_text_at_a_position_is_the_word(text: str) -> None:
    """Parsed alone it has the word's letters, unless the text cannot be mapped."""
    for token in tokens(text):
        if (token.start, token.end) != (0, len(text)):
            assert token.folded in "".join(part.folded for part in tokens(text[token.start : token.end]))


@given(vietnamese)
def test_all_encodings_of_the_same_letters_are_equal(text: str) -> None:
    """Composed, decomposed, upper case, full width, with joiners."""
    wide = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in unicodedata.normalize("NFD", text))
    for variant in (unicodedata.normalize("NFD", text), text.upper(), wide, "\u200d".join(text)):
        assert normalise(variant) == normalise(text)


@given(vietnamese)
def test_marks_may_always_be_left_out(text: str) -> None:
    """Every syllable without its marks may mean the syllable with them."""
    for token in tokens(text):
        bare = syllables(token.folded)
        assert all(compat(typed, full) is not Fit.NO for typed, full in zip(bare, token.syllables, strict=True))


@given(spellings, spellings)
def test_marks_may_be_left_out_on_one_side_only(one: str, other: str) -> None:
    """Equal marks fit exactly in both directions; of two different spellings at most one is the other without marks."""
    typed, wanted = syllables(normalise(one))[0], syllables(normalise(other))[0]
    there, back = compat(typed, wanted), compat(wanted, typed)
    assert (there is Fit.EXACT) == (back is Fit.EXACT) == (typed.marks == wanted.marks)
    assert there is Fit.NO or back is Fit.NO or there is Fit.EXACT
