"""The keyword index: rules with similar keywords, and abbreviations of words."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.rules.engine import compile_rules
from bot.rules.keyword_index import KeywordIndex, keyword_index
from bot.rules.language.spelling import is_one_edit_apart
from bot.rules.language.text import syllables, words_of
from bot.rules.matching.keywords import parse
from bot.rules.matching.short_forms import likely_known, meanings_of
from bot.rules.model.schema import Image, Keyword, Reply, Rule, RuleFile

REPLY = Reply(images=(Image(image_url="https://shop.vn/1.jpg"),))
WORDS = st.sampled_from(["bảng", "bản", "giá", "gia", "ship", "hóa", "đơn", "hoa", "đỏ", "size", "8:30", "❤️", "cod"])
KEYWORDS = st.lists(WORDS, min_size=1, max_size=3).map(" ".join)


def letters(keyword: str) -> list[str]:
    return [syllable.letters for syllable in parse(keyword).syllables]


def is_like(one: str, other: str) -> bool:
    """Return whether two keywords differ by at most one letter of one word."""
    if not letters(one) or len(letters(one)) != len(letters(other)):
        return parse(one).text == parse(other).text
    pairs = [pair for pair in zip(letters(one), letters(other), strict=True) if pair[0] != pair[1]]
    return not pairs or (len(pairs) == 1 and is_one_edit_apart(*pairs[0]))


@given(of_rules=st.lists(st.tuples(KEYWORDS, KEYWORDS), min_size=1, max_size=5), keyword=KEYWORDS)
def test_the_index_equals_a_search_of_all_keywords(of_rules: list[tuple[str, str]], keyword: str) -> None:
    """Typos among `keywords`; parts and wholes among all, including `exclude`."""
    rules = [
        Rule(id=f"r{n}", keywords=(Keyword(text=word),), exclude=(Keyword(text=out),), reply=REPLY)
        for n, (word, out) in enumerate(of_rules)
    ]
    index = KeywordIndex(compile_rules(RuleFile(rules=tuple(rules)), digest=""))
    assert index.triggers_like(keyword) == {n for n, (word, _) in enumerate(of_rules) if is_like(keyword, word)}
    wanted = set(letters(keyword))
    beside = {
        n
        for n, both in enumerate(of_rules)
        for words in both
        if parse(words).text == parse(keyword).text
        or (letters(words) and wanted and (wanted <= set(letters(words)) or set(letters(words)) <= wanted))
    }
    assert index.rules_with(keyword, ()) == beside


def test_the_index_is_cached_per_rule_set() -> None:
    """Equal rules of another reading get a new one."""
    one, same = (compile_rules(RuleFile(rules=()), digest="") for _ in range(2))
    assert keyword_index(one) is keyword_index(one)
    assert keyword_index(same) is not keyword_index(one)


@given(st.sets(st.sampled_from(["giao", "hang", "gia", "bao", "nhieu", "khong", "tai", "khoan"]), max_size=5))
def test_no_abbreviation_of_the_words_is_missed(words: set[str]) -> None:
    """Including the shop's own."""
    meanings = meanings_of({"gh": "giao hàng", "xyz": "giá"})
    known = {
        short
        for short, of_short in meanings.items()
        for meaning in of_short
        if words.issuperset(part.letters for word in words_of(meaning.text) for part in syllables(word))
    }
    assert known <= set(likely_known(meanings, words))
