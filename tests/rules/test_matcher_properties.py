"""Properties of the matcher: the index finds exactly what a search for each keyword finds."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bot.rules.language.text import MAX_LENGTH, Fit, compat, fold, normalise, syllables, tokens
from bot.rules.matching.matcher import MAX_SYLLABLES, Hit, Hits, KeywordPattern, Matcher, MatchMode, unmarked

#: Few words, many of which have the same letters, begin alike, or are taken for each other.
WORDS = """
giá già gia giã bảng băng bang báng đặt dat đất hàng hang nhiêu nhiều nhieu bao không khong khuyến mãi khuyen mai ơi
size menu inbox in box shop hello sp 001 199 k 199k
"""
#: What only a guess or an abbreviation makes one of them.
GUESSED = "ko bn giáá shopp banggia baonhieu heloo khuyne mneu đặtt dc"
SIGNS = ["👍", "50%", "✨", "?", ":)", "+"]

keywords = st.lists(st.sampled_from(WORDS.split()), min_size=1, max_size=4).map(" ".join)
modes: st.SearchStrategy[MatchMode] = st.sampled_from(["phrase", "exact", "prefix", "contains"])
messages = st.lists(st.sampled_from(WORDS.split() + GUESSED.split() + SIGNS), max_size=9).map(" ".join)
plain_messages = st.lists(st.sampled_from(WORDS.split()), max_size=9).map(" ".join)
anything = st.lists(
    st.one_of(
        st.sampled_from([*"giáGIÁ\u0301\u0323\u200b 199k.đơ👍%'", "https://", "www."]),
        st.integers(0, 0x10FFFF).map(chr),
    )
).map("".join)
SURE = {"exact", "unmarked", "split"}


def alone(pattern: KeywordPattern, message: str) -> Hit | None:
    """Return the hits of a matcher with only this keyword."""
    return Matcher([pattern]).hits(message).any.get(pattern.rule)


@given(st.lists(st.tuples(keywords, modes), max_size=12), messages)
def test_the_index_equals_a_search_for_each_keyword(wanted: list[tuple[str, MatchMode]], message: str) -> None:
    """Without guesses, exactly; a guess only if it is found alone too: another keyword may prevent it."""
    patterns = [KeywordPattern(number, text, mode) for number, (text, mode) in enumerate(wanted)]
    together = Matcher(patterns).hits(message).any
    for pattern in patterns:
        single = alone(pattern, message)
        if single is None:
            assert pattern.rule not in together
        elif single.kind in SURE:
            assert together[pattern.rule] == single


@given(keywords, plain_messages)
def test_a_phrase_is_found_by_its_definition(keyword: str, message: str) -> None:
    """The keyword's syllables in a row, from the beginning of a word to the end of one, no mark contradicted."""
    wanted = [part for word in keyword.split() for part in syllables(word)]
    if len(wanted) == 1:
        return  # one syllable has rules of its own
    any_marks = fold(keyword) == keyword
    found = False
    typed = tokens(message)
    for first in range(len(typed)):
        for end in range(first + 1, len(typed) + 1):
            row = [part for token in typed[first:end] for part in token.syllables]
            found |= len(row) == len(wanted) and all(
                one.letters == other.letters if any_marks else compat(one, other) is not Fit.NO
                for one, other in zip(row, wanted, strict=True)
            )
    hit = alone(KeywordPattern(0, keyword), message)
    assert (hit is not None and hit.kind in SURE) is found


@given(keywords, modes)
def test_every_keyword_finds_itself(keyword: str, mode: MatchMode) -> None:
    """As the whole message, exactly, with all its letters."""
    hit = alone(KeywordPattern(0, keyword, mode), keyword)
    assert hit is not None
    assert (hit.quality, hit.spread, hit.kind) == (2, 2, "exact")


@given(st.lists(keywords, max_size=8), messages)
def test_all_encodings_of_a_message_have_the_same_hits(wanted: list[str], message: str) -> None:
    """Composed or decomposed, upper case, full width; only positions differ."""
    matcher = Matcher([KeywordPattern(number, text) for number, text in enumerate(wanted)])
    wide = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in unicodedata.normalize("NFD", message))
    expected = _without_places(matcher.hits(message))
    for variant in (unicodedata.normalize("NFD", message), message.upper(), wide):
        assert _without_places(matcher.hits(variant)) == expected


def _without_places(hits: Hits) -> dict[int, Hit]:
    return {rule: replace(hit, spans=()) for rule, hit in hits.any.items()}


@given(plain_messages, keywords, plain_messages)
def test_customers_may_leave_out_all_marks(before: str, keyword: str, after: str) -> None:
    """A keyword of two syllables or more is also found without any mark."""
    message = f"{before} {keyword} {after}"
    if len(unmarked(keyword).split()) > 1:
        assert alone(KeywordPattern(0, keyword), message) is not None
        assert alone(KeywordPattern(0, keyword), fold(message)) is not None


@given(st.lists(st.tuples(keywords, modes), max_size=8), messages, st.booleans())
def test_positions_are_those_of_the_matched_words(
    wanted: list[tuple[str, MatchMode]], message: str, decomposed: bool
) -> None:
    """The text at the positions of a hit, alone, matches the keyword as well."""
    message = unicodedata.normalize("NFD", message) if decomposed else message
    for hit in (
        Matcher([KeywordPattern(number, *pattern) for number, pattern in enumerate(wanted)]).hits(message).any.values()
    ):
        assert all(0 <= start < end <= len(message) for start, end in hit.spans)
        assert list(hit.spans) == sorted(set(hit.spans))
        assert hit.spans
        typed = "".join(fold(message[start:end]) for start, end in hit.spans)
        if hit.kind in SURE and hit.keyword.match != "contains":
            assert typed == unmarked(hit.keyword.text).replace(" ", "")


@given(anything, st.integers(1, 2000))
def test_any_text_is_accepted(text: str, times: int) -> None:
    """Of any length; all positions are inside it."""
    matcher = Matcher(
        [
            KeywordPattern(0, "giá"),
            KeywordPattern(1, "bảng giá"),
            KeywordPattern(2, "👍"),
            KeywordPattern(3, "i", "contains"),
            KeywordPattern(4, "."),
            KeywordPattern(5, text[:80]),
            KeywordPattern(6, text[:80], "contains"),
        ]
    )
    message = (text * times)[:100_000]
    for hit in matcher.hits(message).any.values():
        assert all(0 <= start <= end <= len(message) for start, end in hit.spans)
    matcher.near_misses(message[:MAX_LENGTH])


@given(anything)
def test_any_visible_keyword_finds_itself(keyword: str) -> None:
    """Words, signs, URLs, punctuation: as the whole message."""
    hit = alone(KeywordPattern(0, keyword), keyword)
    if not normalise(keyword).strip():
        assert hit is None
    elif len(unmarked(keyword).split()) <= MAX_SYLLABLES:
        assert hit is not None
        assert (hit.quality, hit.spread) == (2, 2)
