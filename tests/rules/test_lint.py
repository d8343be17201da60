"""Warnings about single rules: each appears where it should, and not in similar cases."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bot.rules.language.common_words import COMMON_BY_LETTERS, COMMON_WORDS, LIKELY_MEANT
from bot.rules.language.syllables import needs_no_marks
from bot.rules.validate import validate
from tests.support.running import PATIENCE
from tests.support.short_rules import TODAY, findings, message, rules, verdict

# --- Everyday words


@pytest.mark.parametrize("word", ["bán", "váy", "đèn", "vé", "máy", "cua", "chợ", "ban"])
def test_a_keyword_that_looks_like_a_common_word_is_warned_about(word: str) -> None:
    """Without marks, bán looks like bạn."""
    assert findings(f"a: keywords: [{word}]") == [(2, "everyday-keyword/twin")]
    assert findings(f"a: keywords: [{word} rẻ]") == []
    assert findings(f"a: keywords: [{{text: {word}, match: exact}}]") == []


@pytest.mark.parametrize("word", ["shop", "có", "em", "Bạn"])
def test_a_common_word_as_keyword_is_warned_about(word: str) -> None:
    """The rule would answer everything."""
    assert findings(f"a: keywords: [{word}]") == [(2, "everyday-keyword")]


@pytest.mark.parametrize("word", ["giá", "menu", "size", "phở", "ship", "sale", "kem", "bia", "hoa", "áo", "199k"])
def test_good_one_word_keywords_have_no_warning(word: str) -> None:
    """Things that shops really sell."""
    assert findings(f"a: keywords: [{word}]") == []


def test_the_lists_of_words_do_not_contradict_each_other() -> None:
    """Each hint is about a word that can be typed without marks, and no word has two hints."""
    assert set(COMMON_BY_LETTERS.values()) <= COMMON_WORDS
    assert not LIKELY_MEANT.keys() & COMMON_BY_LETTERS.keys()
    assert all(map(needs_no_marks, LIKELY_MEANT))


# --- One rule against itself


def test_a_keyword_that_another_one_covers_is_redundant() -> None:
    """The one without marks beside the marked one, and duplicates; not other marks, not another rule."""
    assert findings("a: keywords: [giá, gia]") == [(2, "redundant-keyword")]
    assert findings("a: keywords: [bang gia, bảng giá]") == [(2, "redundant-keyword")]
    assert findings("a: keywords: [bảng giá, Bảng  Giá]") == [(2, "redundant-keyword/same")]
    assert findings("a: keywords: [x1], exclude: [đánh giá, danh gia]") == [(2, "redundant-keyword")]
    assert findings("a: keywords: [bảng giá, băng giá, bảng giá sỉ]") == []
    assert findings("a: keywords: [menu, {text: menu, match: exact}]") == []


def test_an_exclude_contained_in_a_keyword_is_an_error() -> None:
    """With or without marks, but only if it is certain."""
    assert findings("a: keywords: [đánh giá sao, x1], exclude: [đánh giá]") == [(2, "exclude-kills")]
    assert findings("a: keywords: [giá, x1], exclude: [gia]") == []
    assert findings("a: keywords: [dat ban], exclude: [đặt bàn]") == [
        (2, "unmarked-keyword/near"),
        (2, "exclude-kills/mostly"),
    ]
    assert findings("a: keywords: [bảng giá], exclude: [giá]") == [(2, "exclude-kills/mostly")]
    assert findings("a: keywords: [đánh giá, x1], exclude: [danh gia]") == [(2, "exclude-kills")]
    assert findings("a: keywords: [giá], exclude: [đánh giá]") == []
    assert findings("a: keywords: [đánh giá sao], exclude: [{text: đánh giá, match: exact}]") == []
    assert findings("a: keywords: [đánh giá sao], exclude: [{text: đánh giá, match: prefix}]") == []
    assert findings("a: keywords: [{text: đánh giá, match: exact}], exclude: [{text: đánh giá, match: prefix}]") == [
        (2, "exclude-kills")
    ]


def test_a_word_with_forgotten_marks_is_warned_about() -> None:
    """With the likely word; an unlikely one only if the editor forgets marks elsewhere."""
    assert findings("a: keywords: [gia]") == [(2, "literal-keyword")]
    assert 'if you mean "giá"' in message("a: keywords: [gia]")
    assert findings("a: keywords: [kem]") == []
    assert findings("a: keywords: ['#gia', '*kem']") == []  # codes that customers are told to send
    assert findings("a: keywords: [kem]", "b: keywords: [bao nhieu]") == [
        (2, "literal-keyword/unsure"),
        (3, "unmarked-keyword"),
    ]
    assert findings("a: keywords: [menu, ship]", "b: keywords: [bao nhieu]") == [(3, "unmarked-keyword")]


def test_contains_is_warned_about_in_keywords_and_groups() -> None:
    """In an exclude it only makes the rule more careful."""
    assert findings("a: keywords: [{text: áo, match: contains}]") == [(2, "contains-keyword")]
    assert findings("a: all_of: [[{text: áo, match: contains}]]") == [(2, "contains-keyword")]
    assert findings("a: keywords: [x1], exclude: [{text: áo, match: contains}]") == []


@pytest.mark.parametrize("field", ["keywords: [{}]", "keywords: [x1], exclude: [{}]", "all_of: [[{}]]"])
def test_a_keyword_over_the_limit_is_an_error(field: str) -> None:
    """Sixteen syllables."""
    sixteen = " ".join(f"w{chr(97 + n)}" for n in range(16))
    assert findings("a: " + field.format(sixteen)) == []
    assert findings("a: " + field.format(sixteen + " x")) == [(2, "keyword-too-long")]


def test_an_abbreviation_of_several_words_is_an_error() -> None:
    """A space splits it, so it is never found; a slash after the first letters does not."""
    head = "abbreviations: {s đ t: số điện thoại, đ/c: địa chỉ, sđt: số điện thoại}\n".encode()
    assert [p.phrase.key for p in validate(head + rules("a: keywords: [x1]"), today=TODAY).problems] == [
        "abbreviation-words"
    ]


def test_an_exclude_that_a_compound_may_hide_is_no_error() -> None:
    """Without marks `vừa quà` is vừa qua, and then `quà tặng` is not found."""
    assert findings("a: keywords: [vừa quà tặng], exclude: [quà tặng]") == [(2, "exclude-kills/mostly")]
    assert findings("a: keywords: [mua quà tặng], exclude: [quà tặng]") == [(2, "exclude-kills")]


# --- Time


@pytest.mark.parametrize(
    ("uploaded", "key"),
    [
        ("2027-01-25", None),
        ("2027-01-26", None),  # an editor's day begins before the server's
        ("2027-01-20", None),
        ("2027-01-19", "attachment-old"),
        ("2027-01-18", "attachment-old/expired"),
        ("2026-12-01", "attachment-old/expired"),
        ("2027-01-27", "attachment-old/future"),
    ],
)
def test_an_uploaded_image_is_warned_about_from_its_sixth_day(uploaded: str, key: str | None) -> None:
    """It expires after seven; it is only a warning, because the file was fine the day before."""
    data = f"rules:\n- {{id: a, keywords: [x1], reply: {{attachment_id: q, uploaded: {uploaded}}}}}\n".encode()
    found = validate(data, today=TODAY)
    assert [problem.phrase.key for problem in found.problems] == ([key] if key else [])
    assert found.rules is not None


def test_images_of_all_replies_are_checked() -> None:
    """Several, one of several, the fallback; not those of a disabled rule."""
    data = """rules:
- {id: a, keywords: [x1], reply: {one_of: [{attachment_id: q}, {attachment_id: r}]}}
- {id: b, on: follow, reply: [{attachment_id: s}]}
- {id: c, keywords: [x2], enabled: false, reply: {attachment_id: t}}
fallback: {reply: {attachment_id: u}}
"""
    found = validate(data.encode(), today=TODAY)
    assert [(p.line, p.column, p.code) for p in found.problems] == [
        (2, 60, "attachment-undated"),
        (2, 80, "attachment-undated"),
        (3, 47, "attachment-undated"),
        (5, 35, "attachment-undated"),
    ]


def test_a_season_that_is_over_is_a_warning_from_the_next_day_on() -> None:
    """The last day still counts."""
    assert findings("a: keywords: [x1], active: {until: 2027-01-25}") == []
    assert findings("a: keywords: [x1], active: {until: 2027-01-24}") == [(2, "active-over")]
    assert findings("a: keywords: [x1], active: {until: 2027-01-24}, enabled: false") == []


# --- Patterns


@pytest.mark.parametrize(
    ("pattern", "key"),
    [
        (r"'\bkm ?[0-9]+\b'", None),
        ("'(km|sale){1,3}'", None),
        ("'giá'", "pattern-marks"),
        ("'Đặt'", "pattern-marks"),
        ('"\\bkm"', "pattern-backspace"),
        ("'(km'", "pattern-invalid/bracket"),
        ("'[km'", "pattern-invalid/bracket"),
        ("'km)'", "pattern-invalid/bracket"),
        (r"'\k'", "pattern-invalid/escape"),
        ("'km\\'", "pattern-invalid/escape"),
        ("'[z-a]'", "pattern-invalid/escape"),
        ("'+km'", "pattern-invalid/repeat"),
        ("'k**'", "pattern-invalid/repeat"),
        ("'k{2000}'", "pattern-invalid/repeat"),
        ("'(?=k)'", "pattern-invalid/look"),
        (r"'(k)\1'", "pattern-invalid/escape"),
        ("'(?P<k'", "pattern-invalid"),
        ("'k*'", "pattern-everything"),
    ],
)
def test_the_faults_of_a_pattern_are_reported(pattern: str, key: str | None) -> None:
    """In our words, not in RE2's."""
    found = verdict(f"a: pattern: {pattern}")
    assert [problem.phrase.key for problem in found.problems] == ([key] if key else [])
    assert (found.rules is None) is (key not in {None, "pattern-everything"})


def test_without_re2_a_pattern_is_an_error_that_says_how_to_install_it() -> None:
    """The extra is optional; the other rules work."""
    program = f"""
import sys
sys.modules["re2"] = None  # as if it were not installed
from datetime import date
from bot.rules.validate import validate
problems = validate({rules("a: pattern: 'x1'")!r}, today=date(2027, 1, 25)).problems
assert [problem.code for problem in problems] == ["pattern-not-installed"]
assert 'pip install "zalo-picture-bot[regex-rules]"' in problems[0].message("vi")
assert validate({rules("a: keywords: [x1]")!r}, today=date(2027, 1, 25)).rules is not None
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=PATIENCE)
