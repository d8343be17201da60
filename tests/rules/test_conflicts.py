"""Conflicts between rules: reported if they are certain, and only then."""

from __future__ import annotations

import pytest

from bot.rules.engine import compile_rules, rank
from bot.rules.reading.loader import load
from tests.support.short_rules import findings, message, rules, verdict

# --- The same keyword in two rules


def test_the_same_keyword_in_two_rules_names_the_winner() -> None:
    """Also in capitals or with other spaces; the one written first wins."""
    assert findings("a: keywords: [bảng giá]", 'b: keywords: ["BẢNG   giá", x1]') == [(3, "same-keyword")]
    assert 'rule "a" (line 2), which wins because it is written first' in message(
        "a: keywords: [bảng giá]", "b: keywords: [bảng giá, x1]"
    )


def test_with_a_priority_the_later_rule_may_win() -> None:
    """Then the problem is reported at the earlier one."""
    text = message("a: keywords: [bảng giá, x1]", "b: keywords: [bảng giá], priority: 1")
    assert 'rule "b" (line 3), which wins because its priority is higher' in text


@pytest.mark.parametrize(
    "other",
    [
        "b: keywords: [bảng giá, x1], enabled: false",
        "b: keywords: [bảng giá, x1]",
        "b: keywords: [bảng giá sỉ]",
        "b: keywords: [giá bảng]",
        "b: pattern: 'bang gia'",
        "b: all_of: [[bảng giá], [áo]]",
    ],
)
def test_different_keywords_are_no_conflict(other: str) -> None:
    """Disabled rules, longer phrases, other match kinds; a phrase is wider than a prefix."""
    assert findings("a: keywords: [{text: bảng giá, match: prefix}]", other) == []


def test_rules_for_different_times_or_accounts_do_not_conflict() -> None:
    """A seasonal rule before the one for the whole year; a rule for each of two accounts."""
    season, always = "a: keywords: [x1], active: {from: 2027-01-20, until: 2027-02-20}", "b: keywords: [x1]"
    assert findings(season, always) == []
    assert findings(always, season) == [(3, "never-wins")]
    assert findings("a: keywords: [x1], oa: ['1']", "b: keywords: [x1], oa: ['2']") == []
    assert findings("a: keywords: [x1], oa: ['1']", "b: keywords: [x1]") == []
    assert findings("a: keywords: [x1], oa: ['1', '2']", "b: keywords: [x1], oa: ['2']") == [(3, "never-wins")]
    hours = "active: {hours: 08:00-21:00}"
    assert findings(f"a: keywords: [x1], {hours}", f"b: keywords: [x1], {hours}") == [(3, "never-wins")]


# --- Rules that can never win


@pytest.mark.parametrize(
    "pair",
    [
        ("a: keywords: [x1]", "b: keywords: [x1]"),
        ("a: keywords: [x1, y2]", "b: keywords: [y2, x1]"),
        ("a: keywords: [bảng giá]", "b: keywords: [{text: bảng giá, match: exact}]"),
        ("a: keywords: [khuyến mãi], priority: 1", "b: keywords: [khuyến mãi tết, xem khuyến mãi]"),
        ("a: keywords: [menu], priority: 1", "b: keywords: [menu chay]"),
    ],
)
def test_a_rule_that_loses_every_keyword_is_an_error(pair: tuple[str, str]) -> None:
    """The engine agrees: with each of its keywords, alone or in a sentence, the other rule answers."""
    assert ("never-wins") in [key for _, key in findings(*pair)]
    assert verdict(*pair).rules is None
    loaded = load(rules(*pair))
    assert loaded.file is not None
    compiled = compile_rules(loaded.file, "")
    for keyword in loaded.file.rules[1].keywords:
        for text in (keyword.text, f"shop ơi {keyword.text} ạ", f"{keyword.text} {keyword.text}"):
            assert rank(compiled, text).winner in {0, None}


@pytest.mark.parametrize(
    "pair",
    [
        ("a: keywords: [x1]", "b: keywords: [x1, y2]"),
        ("a: keywords: [x1], exclude: [y2]", "b: keywords: [x1]"),
        ("a: keywords: [x1]", "b: keywords: [x1], pattern: 'y2'"),
        ("a: keywords: [x1]", "b: keywords: [x1], all_of: [[y2]]"),
        ("a: keywords: [{text: x1, match: exact}], priority: 1", "b: keywords: [x1]"),
        ("a: keywords: [{text: x1, match: prefix}], priority: 1", "b: keywords: [x1]"),
        ("a: keywords: [phở], priority: 1", "b: keywords: [phở bò]"),
        ("a: keywords: [menu], priority: 1, exclude: [chay]", "b: keywords: [menu chay]"),
        ("a: keywords: [x1], priority: 1, enabled: false", "b: keywords: [x1]"),
        ("a: keywords: [x1], priority: 1, oa: ['1']", "b: keywords: [x1]"),
    ],
)
def test_a_rule_that_may_win_is_never_called_dead(pair: tuple[str, str]) -> None:
    """If it cannot be proven, there is at most a warning."""
    assert "never-wins" not in [key for _, key in findings(*pair)]


def test_a_keyword_within_one_of_higher_priority_is_a_warning() -> None:
    """Its own text goes to the other rule."""
    assert findings("a: keywords: [khuyến mãi], priority: 1", "b: keywords: [khuyến mãi tết, áo dài]") == [
        (3, "losing-keyword")
    ]
    assert findings("a: keywords: [khuyến mãi]", "b: keywords: [khuyến mãi tết, áo dài]") == []


# --- Unmarked twins


def test_keywords_that_differ_in_marks_only_are_twins() -> None:
    """The earlier one gets texts without marks, unless the later one is written without marks."""
    assert findings("a: keywords: [bảng giá]", "b: keywords: [băng giá]") == [(3, "twin-keyword")]
    assert findings("a: keywords: [đặt bạn]", "b: keywords: [đát bán]") == [(3, "twin-keyword")]
    unmarked = findings("a: keywords: [đặt bạn]", "b: keywords: [dat ban]")
    assert unmarked == [(2, "twin-keyword"), (3, "unmarked-keyword/near")]
    assert findings("a: keywords: [bảng giá]", "b: keywords: [bánh giá]") == []
    assert findings("a: keywords: [bảng giá, băng giá]") == []


@pytest.mark.parametrize("pair", [("bảng giá", "băng giá"), ("đặt bạn", "dat ban"), ("tra da", "trả đá")])
def test_the_winner_among_twins_is_that_of_the_engine(pair: tuple[str, str]) -> None:
    """The warning describes what happens."""
    found = verdict(f"a: keywords: [{pair[0]}]", f"b: keywords: [{pair[1]}]")
    assert found.rules is not None
    (twin,) = (problem for problem in found.problems if problem.code == "twin-keyword")
    unmarked = {"bảng giá": "bang gia", "đặt bạn": "dat ban", "tra da": "tra da"}[pair[0]]
    assert rank(found.rules, unmarked).winner == 3 - twin.line
