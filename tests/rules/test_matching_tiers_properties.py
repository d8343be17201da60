"""Properties of the matching tiers: keywords do not interfere, and exact matches win over guesses."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from bot.rules.engine import compile_rules, rank
from bot.rules.matching.matcher import Hit, KeywordPattern, Matcher
from bot.rules.model.schema import Image, Keyword, Reply, Rule, RuleFile

#: Words that abbreviations, habits, typos, Telex and tones make others of, and what they make of them.
WORDS = """
giá bảng đổi trả hàng hãng không bao nhiêu nhiều chuyển khoản tài số mở mỡ cửa sữa sửa mua size ship shop phí địa chỉ ở
đâu kiểm tra bảo hành mới xuất xứ combo order vận quà qua tặng hôm
"""
TYPED = """
ko hong bn ck tk vc bh đc đ/c b.hành ktra zá fí hàg khôg shjp oder siz size38 2giá giááá hàngg banggia ởđâu bảogiá
xingiá gias nhieeu chuyeenr owr ddaau gia1 đỗi trã cữa khoan khản cmbo odrer nhiu mĩ bang gia tra hang so chi
"""

keywords = st.lists(st.sampled_from(WORDS.split()), min_size=1, max_size=4).map(" ".join)
messages = st.lists(st.sampled_from(WORDS.split() + TYPED.split()), min_size=1, max_size=8).map(" ".join)


def alone(keyword: str, message: str) -> Hit | None:
    """Return the hits of a matcher with only this keyword."""
    return Matcher([KeywordPattern(0, keyword)]).hits(message).any.get(0)


def _rule_file(keywords: list[str]) -> RuleFile:
    reply = Reply(images=(Image(image_url="https://shop.example/a.jpg"),))
    rules = (Rule(id=f"r{n}", keywords=(Keyword(text=text),), reply=reply) for n, text in enumerate(keywords))
    return RuleFile(version=1, rules=tuple(rules))


@given(st.lists(keywords, min_size=1, max_size=10, unique=True), messages)
def test_every_tier_finds_the_same_among_many_keywords(wanted: list[str], message: str) -> None:
    """Except swapped hỏi and ngã, which yield to an exact match of another keyword."""
    together = Matcher([KeywordPattern(n, keyword) for n, keyword in enumerate(wanted)]).hits(message).any
    for n, keyword in enumerate(wanted):
        single = alone(keyword, message)
        found = together.get(n)
        if single is not None and single.kind == "tone":
            assert found is None or (found.kind, found.spans) == (single.kind, single.spans)
        elif single is None or found is None:
            assert single is found is None, keyword
        else:
            assert (found.kind, found.quality, found.spans) == (single.kind, single.quality, single.spans)


@given(st.lists(keywords, min_size=2, max_size=6, unique=True), messages)
def test_no_guess_beats_an_exact_match_of_as_many_words(wanted: list[str], message: str) -> None:
    """The rule that answers was typed exactly, if any keyword of as many words was."""
    ranked = rank(compile_rules(_rule_file(wanted), digest=""), message).ranked
    for better, worse in pairwise(ranked):
        one, other = better.hits[0], worse.hits[0]
        if one.words == other.words and other.kind == "exact":
            assert one.kind == "exact"


@given(keywords, messages)
def test_spans_are_words_of_the_message(keyword: str, message: str) -> None:
    """Whole typed words in order, for any kind of difference."""
    found = alone(keyword, message)
    if found is not None:
        assert found.spans
        assert list(found.spans) == sorted(set(found.spans))
        assert all(message[start:end].strip() == message[start:end] != "" for start, end in found.spans)
        assert found.words == len(keyword.split())
