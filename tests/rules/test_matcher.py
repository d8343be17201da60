"""The matcher: keywords in a message, and the quality of each match."""

from __future__ import annotations

import itertools
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bot.rules.matching.keywords import parse
from bot.rules.matching.matcher import (
    MAX_SYLLABLES,
    Hit,
    KeywordPattern,
    Matcher,
    MatchMode,
    NearMiss,
    unmarked,
)

DATA = Path(__file__).parent.parent / "data"


def _cases(name: str) -> list[tuple[str, str, bool]]:
    """Return message, keyword and verdict of each row; a backslash before t or n stands for that character."""
    _, *rows = (DATA / name).read_text(encoding="utf-8").split("\n")
    cells = (row.split("\t") for row in rows if row)
    return [
        (message.replace("\\t", "\t").replace("\\n", "\n"), keyword, verdict == "yes")
        for message, keyword, verdict, _ in cells
    ]


def hit(text: str, keyword: str, mode: MatchMode = "phrase", *, typos: bool = True) -> Hit | None:
    """Return the hit of a single keyword."""
    return Matcher([KeywordPattern(0, keyword, mode)], typos=typos).hits(text).any.get(0)


@pytest.mark.parametrize(
    ("message", "keyword", "matches"), _cases("matching_cases.tsv") + _cases("matching_cases_more.tsv")
)
def test_every_row_of_the_tables_is_matched_as_it_says(message: str, keyword: str, matches: bool) -> None:
    """Every row of the two tables is decided as it says there."""
    assert (hit(message, keyword) is not None) is matches


@pytest.mark.parametrize(
    ("message", "keyword", "how", "quality"),
    [
        ("bảng giá", "bảng giá", "exact", 2),
        ("bang gia", "bảng giá", "unmarked", 0),
        ("bảng gia", "bảng giá", "unmarked", 0),
        ("bằng giá", "bang gia", "unmarked", 0),
        ("giááá", "giá", "stretched", -1),
        ("ko", "không", "abbreviation", -2),
        ("banggia", "bảng giá", "joined", -3),
        ("in box", "inbox", "split", -4),
        ("size38", "size", "glued", -5),
        ("zá", "giá", "spelling", -6),
        ("ck ạ", "chuyển khoản", "ambiguous", -7),
        ("khuyne mai", "khuyến mãi", "typo", -8),
        ("gias", "giá", "telex", -9),
        ("đỗi trả", "đổi trả", "tone", -10),
        ("shopppp oi", "shop ơi", "stretched", -1),
        ("khuyne maiii", "khuyến mãi", "typo", -8),
        (":)) haha", ":)", "exact", 2),
    ],
)
def test_the_greatest_difference_sets_kind_and_quality(message: str, keyword: str, how: str, quality: int) -> None:
    """The greatest difference that had to be bridged names the hit and sets its quality."""
    found = hit(message, keyword)
    assert found is not None
    assert (found.kind, found.quality) == (how, quality)


@pytest.mark.parametrize(
    ("message", "spread"),
    [("bảng giá", 2), ("👍 bảng giá!", 2), ("bảng giá với", 1), ("xin bảng giá", 0), ("xin bảng giá với", 0)],
)
def test_spread(message: str, spread: int) -> None:
    """The whole message beats its beginning, which beats other positions."""
    found = hit(message, "bảng giá")
    assert found is not None
    assert found.spread == spread


@pytest.mark.parametrize("message", ["giá bao nhiêu vậy shop", "giá bn vậy shop", "giábaonhiêu vậy shop"])
def test_the_longer_keyword_wins_even_if_abbreviated(message: str) -> None:
    """Words and letters of the keyword count, not the typed ones."""
    found = hit(message, "giá bao nhiêu")
    assert found is not None
    assert (found.words, found.letters) == (3, len("giabaonhieu"))


def test_punctuation_counts_no_words() -> None:
    """A question mark never beats a word."""
    found = hit("giá ?", "?")
    assert found is not None
    assert (found.words, found.spans) == (0, ((4, 5),))


@pytest.mark.parametrize(
    ("message", "keyword", "marked"),
    [
        ("cho xin bảng giá nhé", "bảng giá", ["bảng", "giá"]),
        (unicodedata.normalize("NFD", "cho xin Bảng giá"), "bảng giá", ["Bảng", "giá"]),
        ("cho xin b\u200bảng ✨ giááá", "bảng giá", ["b\u200bảng", "giááá"]),
        ("https://a.vn/gia giá", "giá", ["giá"]),
        ("còn 199.000đ ko", "199000đ", ["199.000đ"]),
        ("giảm 50 % nhé", "50%", ["50", "%"]),
        ("in box em", "inbox", ["in", "box"]),
        ("#BảngGiá", "bảng giá", ["BảngGiá"]),
        ("hihi :))", ":)", [":)"]),
        ("x" * 3000 + " giá", "x" * 2500, ["x" * 2500]),
    ],
)
def test_spans_are_the_matched_words_as_typed(message: str, keyword: str, marked: list[str]) -> None:
    """Pages mark them in the customer's own text."""
    found = hit(message, keyword)
    assert found is not None
    typed = [message[start:end] for start, end in found.spans]
    assert [unicodedata.normalize("NFC", text) for text in typed] == marked


@pytest.mark.parametrize(
    ("mode", "message", "matches"),
    [
        ("exact", "menu", True),
        ("exact", "MENU!", True),
        ("exact", "xin menu", False),
        ("exact", "menu đâu", False),
        ("prefix", "menu đâu", True),
        ("prefix", "menu", True),
        ("prefix", "xin menu", False),
        ("phrase", "xin menu đâu", True),
        ("contains", "xemmenu2024", True),
        ("contains", "me nu", False),
    ],
)
def test_match_kinds(mode: MatchMode, message: str, matches: bool) -> None:
    """`exact` needs the whole message, `prefix` its beginning, `contains` only the letters."""
    assert (hit(message, "menu", mode) is not None) is matches


@pytest.mark.parametrize(
    ("message", "keyword", "how"),
    [
        ("xem bảnggiásỉ", "giá", "exact"),
        ("xem banggiasi", "giá", "unmarked"),
        ("bảng-giá nhé", "ảng gi", "exact"),
        ("giác quan", "giá", "exact"),
        ("gìa gian giá", "giá", "exact"),
        ("xgiá xgia", "giá", "exact"),
        ("giằng co", "giá", None),
        ("bảng giàn", "ng giá", None),
        ("gian hàng mới của mình", "giá", None),
        ("a c++ b", "c++", "exact"),
        ("sale🔥🔥", "🔥", "exact"),
        ("", "giá", None),
    ],
)
def test_contains(message: str, keyword: str, how: str | None) -> None:
    """Letters anywhere, but typed marks still contradict, and if the sender types marks, bare letters have none."""
    found = hit(message, keyword, "contains")
    assert (found.kind if found else None) == how


@pytest.mark.parametrize("mode", ["exact", "prefix", "phrase", "contains"])
@pytest.mark.parametrize("keyword", ["", "   ", "\u200b", "\ufeff"])
def test_a_keyword_without_any_character_never_matches(keyword: str, mode: MatchMode) -> None:
    """An empty keyword must not match everything."""
    assert hit("giá bao nhiêu", keyword, mode) is None
    assert hit("", keyword, mode) is None


@pytest.mark.parametrize(
    ("mode", "message", "matches"),
    [
        ("exact", " ? ", True),
        ("exact", "? ạ", False),
        ("prefix", "? ạ", True),
        ("prefix", "giá ?", False),
        ("phrase", "giá ? ạ", True),
        ("contains", "giá ? ạ", True),
    ],
)
def test_punctuation_has_match_kinds(mode: MatchMode, message: str, matches: bool) -> None:
    """A single question mark is a whole message; one in a sentence is not."""
    assert (hit(message, "?", mode) is not None) is matches


def test_a_url_as_keyword_is_searched_in_the_whole_text() -> None:
    """Other keywords are not searched in URLs."""
    assert hit("xem https://shop.vn/tet nhé", "https://shop.vn/tet") is not None
    assert hit("xem https://shop.vn/noel nhé", "https://shop.vn/tet") is None


def test_the_best_hit_of_each_rule_is_kept() -> None:
    """More words, then better marks, then the larger part of the message."""
    matcher = Matcher(
        [KeywordPattern(0, "giá"), KeywordPattern(0, "bảng giá"), KeywordPattern(1, "giá"), KeywordPattern(1, "gia")]
    )
    found = matcher.hits("bang gia, bảng giá").any
    assert (found[0].keyword.text, found[0].quality, found[0].words) == ("bảng giá", 2, 2)
    assert (found[1].keyword.text, found[1].quality) == ("giá", 2)


def test_of_equal_hits_the_earlier_keyword_counts() -> None:
    """The same keyword twice: the one written first."""
    first, second, other = KeywordPattern(0, "bảng giá"), KeywordPattern(0, "BẢNG-GIÁ"), KeywordPattern(0, "báo giá")
    assert Matcher([first, second]).hits("bảng giá").any[0].keyword is first
    assert Matcher([first, other]).hits("xin báo giá, bảng giá").any[0].keyword is first


def test_exclusions_are_reported_by_rule() -> None:
    """They are matched like keywords."""
    matcher = Matcher(
        [KeywordPattern(0, "giá"), KeywordPattern(0, "đánh giá", role="exclude"), KeywordPattern(1, "giá")]
    )
    hits = matcher.hits("minh muon danh gia")
    assert hits.excluded[0].keyword.text == "đánh giá"
    assert set(hits.any) == {0, 1}
    assert not matcher.hits("giá sao").excluded


def test_a_guessed_typo_excludes_nothing() -> None:
    """A rule is not silenced by a guess."""
    matcher = Matcher([KeywordPattern(0, "khuyến mãi", role="exclude"), KeywordPattern(0, "thanh toán")])
    assert not matcher.hits("khuyne mai").excluded
    assert matcher.hits("khuyeen mai").excluded
    assert matcher.hits("thnah toan").any


def test_each_group_of_all_of_has_its_hit() -> None:
    """One hit for each group of each rule."""
    patterns = [
        KeywordPattern(3, "tết", role="all_of", group=0),
        KeywordPattern(3, "giảm giá", role="all_of", group=1),
        KeywordPattern(3, "ưu đãi", role="all_of", group=1),
    ]
    hits = Matcher(patterns).hits("tet nay co uu dai gi ko")
    assert {key: found.keyword.text for key, found in hits.all_of.items()} == {(3, 0): "tết", (3, 1): "ưu đãi"}
    assert not hits.any


def test_the_shops_abbreviations_add_to_the_built_in_ones() -> None:
    """With and without their marks; the built-in meaning stays."""
    matcher = Matcher(
        [KeywordPattern(0, "nhắn tin"), KeywordPattern(1, "inbox"), KeywordPattern(2, "hàng về")],
        abbreviations={"IB": "nhắn tin", "hđ": "hàng về", "đ/c": "địa chỉ"},
    )
    assert set(matcher.hits("ib shop").any) == {0, 1}
    assert set(matcher.hits("hđ chưa").any) == {2}
    assert set(matcher.hits("hd chua").any) == {2}


def test_an_abbreviation_also_matches_literally() -> None:
    """`sp` in a product code stays `sp`."""
    matcher = Matcher([KeywordPattern(0, "sp 5"), KeywordPattern(1, "sản phẩm 5")])
    assert set(matcher.hits("sp 5").any) == {0, 1}


def test_typos_can_be_switched_off() -> None:
    """Then only more certain readings match."""
    assert hit("khuyne mai", "khuyến mãi", typos=False) is None
    assert hit("khuyeen mai", "khuyến mãi", typos=False) is not None


def test_keywords_of_other_rules_do_not_affect_a_guess() -> None:
    """The hits of a rule do not depend on other rules; only the ranking does."""
    assert set(Matcher([KeywordPattern(0, "lazada"), KeywordPattern(1, "lazaro")]).hits("lazara").any) == {0, 1}
    assert set(Matcher([KeywordPattern(0, "oke"), KeywordPattern(1, "okee")]).hits("okee").any) == {0, 1}
    assert set(Matcher([KeywordPattern(0, "ad ơi"), KeywordPattern(1, "gặp admin")]).hits("add ơi").any) == {0}
    assert set(Matcher([KeywordPattern(0, "ad ơi")]).hits("add ơi").any) == {0}


def test_a_typo_does_not_forgive_a_wrong_tone() -> None:
    """A typed tone is no typo."""
    assert hit("khuyễne mãi", "khuyến mãi") is None
    assert hit("khuyếne mãi", "khuyến mãi") is not None


def test_long_keywords_are_compared_up_to_the_limit() -> None:
    """The rest is ignored; `exact` becomes `prefix`."""
    keyword = " ".join(["xin chào"] * MAX_SYLLABLES)
    start = " ".join(["xin chào"] * (MAX_SYLLABLES // 2))
    assert hit(f"ơ {start}", keyword) is not None
    assert hit(f"{start} shop", keyword, "exact") is not None
    assert hit(f"ơ {start}", keyword, "exact") is None
    assert hit(start.removesuffix(" chào"), keyword) is None


@pytest.mark.parametrize(
    ("keyword", "mode"),
    [
        ("giá", "marked"),
        ("bảng gia", "marked"),
        ("bang gia", "any"),
        ("nhieu", "any"),
        ("khong", "any"),
        ("menu", "any"),
        ("SP-001", "any"),
        ("👍", "any"),
        (":)", "any"),
        ("gia", "literal"),
        ("GIA", "literal"),
        ("hot", "literal"),
    ],
)
def test_how_strictly_the_marks_of_a_keyword_count(keyword: str, mode: str) -> None:
    """A bare syllable that is a word is taken literally; the lint warns about it."""
    parsed = parse(keyword)
    assert (parsed.any_marks, parsed.marks_exact) == (mode == "any", mode == "literal")


def test_the_letters_of_a_keyword() -> None:
    """The keyword as typed without marks."""
    assert unmarked("Đặt-hàng") == "dat hang"


NEEDLES = [
    KeywordPattern(0, "bảng giá"),
    KeywordPattern(1, "giá"),
    KeywordPattern(2, "còn size"),
    KeywordPattern(3, "199"),
    KeywordPattern(4, "menu", "exact"),
    KeywordPattern(5, "giá bao nhiêu"),
    KeywordPattern(6, "phí vận chuyển hà nội"),
    KeywordPattern(7, "đánh giá", role="exclude"),
    KeywordPattern(8, "tết", role="all_of", group=1),
]


@pytest.mark.parametrize(
    ("message", "rule", "reason", "typed", "wanted"),
    [
        ("cho xin bàng giá", 0, "marks", "bàng", "bảng"),
        (unicodedata.normalize("NFD", "bàng giá"), 0, "marks", unicodedata.normalize("NFD", "bàng"), "bảng"),
        ("gia đình em", 1, "unmarked", "gia", "giá"),
        ("còn 1 size", 2, "between", "1", ""),
        ("199k", 3, "glued", "199k", "199"),
        ("cho xin menu", 4, "place", "menu", "menu"),
        ("bagn gia", 0, "letter", "bagn", "bảng"),
        ("phí vận chuyển sài nội", 6, "word", "sài", "hà"),
        ("vận chuyển hà nội", 6, "missing", "vận chuyển hà nội", "phí"),
        ("tềt này", 8, "marks", "tềt", "tết"),
    ],
)
def test_near_misses(message: str, rule: int, reason: str, typed: str, wanted: str) -> None:
    """With the word that made the difference."""
    misses = {miss.keyword.rule: miss for miss in Matcher(NEEDLES).near_misses(message)}
    assert (misses[rule].reason, misses[rule].typed, misses[rule].wanted) == (reason, typed, wanted)
    start, end = misses[rule].span
    assert message[start:end] == typed


def test_hits_excludes_and_distant_keywords_are_no_near_misses() -> None:
    """A rule that has its hit, an exclusion, and keywords of quite other words are no near misses."""
    assert Matcher(NEEDLES).near_misses("bảng giá bao nhiêu, danh già") == []
    assert Matcher(NEEDLES).near_misses("xin chào") == []
    assert Matcher(NEEDLES).near_misses("xin bàng vàng") == []
    assert Matcher(NEEDLES).near_misses("") == []


def test_the_nearest_misses_come_first_and_one_of_each_rule() -> None:
    """A contradicting mark is nearer than a wrong letter."""
    matcher = Matcher([KeywordPattern(0, "khuyến mại"), KeywordPattern(1, "bảng giá"), KeywordPattern(1, "báng giá")])
    misses = matcher.near_misses("khuyen mịa, bàng giá")
    assert [(miss.keyword.rule, miss.reason) for miss in misses] == [(1, "marks"), (0, "letter")]
    assert matcher.near_misses("khuyen mịa, bàng giá", most=1) == misses[:1]
    assert misses[0] == NearMiss(KeywordPattern(1, "bảng giá"), "marks", "bàng", "bảng", (12, 16))


def test_threads_share_a_matcher() -> None:
    """Eight threads with words that are new to all of them get the results of a single thread."""
    syllables = ["".join(letters) for letters in itertools.product("bcdghklmn", "aeiou", ["", "n", "ng", "nh"])]
    patterns = [
        KeywordPattern(n, f"{syllable} {other}") for n, (syllable, other) in enumerate(itertools.pairwise(syllables))
    ]
    messages = [" ".join(syllables[n : n + 12]) for n in range(len(syllables))] * 4
    alone, shared = Matcher(patterns), Matcher(patterns)
    expected = [alone.hits(message) for message in messages]
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(shared.hits, messages)) == expected


def test_the_cache_of_words_is_bounded() -> None:
    """After more than fifty thousand different words, some very long, the results are the same."""
    matcher = Matcher([KeywordPattern(0, "giá")])
    words = ("".join(letters) for letters in itertools.product("abcdefghijklmno", repeat=4))
    while batch := list(itertools.islice(words, 400)):
        matcher.hits(" ".join(batch)[:2500])
    matcher.hits("dài" * 500)
    assert len(matcher._words._memory) <= 50_000  # nothing public tells
    assert matcher.hits("gia").any[0].kind == "unmarked"
