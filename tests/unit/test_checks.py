"""Clashes and doubts: each fires where it should, and is silent next to it."""

from __future__ import annotations

import subprocess
import sys
from datetime import date

import pytest

from bot.rules.checks import check
from bot.rules.engine import rank
from bot.rules.everyday import EVERYDAY, MARKS_FORGOTTEN, READ_AS
from bot.rules.loader import load
from bot.rules.syllables import needs_no_marks
from bot.rules.validate import MAX_PROBLEMS, Verdict, validate

TODAY = date(2027, 1, 25)
PICTURE = '{image_url: "https://shop.example/a.jpg"}'


def rules(*lines: str) -> bytes:
    """Return a file with one rule per argument: ``a: keywords: [x], priority: 1`` in short."""
    made = [f"  - {{id: {line.partition(': ')[0]}, {line.partition(': ')[2]}, reply: {PICTURE}}}" for line in lines]
    return "\n".join(["rules:", *made, ""]).encode()


def verdict(*lines: str) -> Verdict:
    """Return what the validator says to these rules."""
    return validate(rules(*lines), today=TODAY)


def said(*lines: str) -> list[tuple[int, str]]:
    """Return the line and key of every problem; the first rule is on line 2."""
    return [(problem.line, problem.phrase.key) for problem in verdict(*lines).problems]


def message(*lines: str) -> str:
    """Return the only problem's message in English."""
    (problem,) = verdict(*lines).problems
    return problem.message("en")


# --- The same keyword in two rules


def test_the_same_keyword_in_two_rules_names_the_winner() -> None:
    """Also written in capitals or with other spaces; the one written first wins."""
    assert said("a: keywords: [bảng giá]", 'b: keywords: ["BẢNG   giá", x1]') == [(3, "same-keyword")]
    assert 'rule "a" (line 2), which wins, because it is written first' in message(
        "a: keywords: [bảng giá]", "b: keywords: [bảng giá, x1]"
    )


def test_with_a_priority_the_later_rule_may_win() -> None:
    """Then the problem stands at the earlier one."""
    text = message("a: keywords: [bảng giá, x1]", "b: keywords: [bảng giá], priority: 1")
    assert 'rule "b" (line 3), which wins, because its priority is higher' in text


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
def test_what_is_not_the_same_keyword_is_no_clash(other: str) -> None:
    """Rules that are off, longer phrases, other ways to match; a phrase is wider than a prefix."""
    assert said("a: keywords: [{text: bảng giá, match: prefix}]", other) == []


def test_rules_that_share_no_hour_or_no_account_do_not_clash() -> None:
    """A seasonal rule before the one for the whole year; a rule for each of two accounts."""
    season, always = "a: keywords: [x1], active: {from: 2027-01-20, until: 2027-02-20}", "b: keywords: [x1]"
    assert said(season, always) == []
    assert said(always, season) == [(3, "never-wins")]
    assert said("a: keywords: [x1], oa: ['1']", "b: keywords: [x1], oa: ['2']") == []
    assert said("a: keywords: [x1], oa: ['1']", "b: keywords: [x1]") == []
    assert said("a: keywords: [x1], oa: ['1', '2']", "b: keywords: [x1], oa: ['2']") == [(3, "never-wins")]
    hours = "active: {hours: 08:00-21:00}"
    assert said(f"a: keywords: [x1], {hours}", f"b: keywords: [x1], {hours}") == [(3, "never-wins")]


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
    """And the engine agrees: with any of its keywords, alone or in a sentence, the other rule answers."""
    assert ("never-wins") in [key for _, key in said(*pair)]
    assert verdict(*pair).rules is None
    loaded = load(rules(*pair))
    assert loaded.file is not None
    enabled = validate(rules(pair[0], pair[1] + ", exclude: [zzz]"), today=TODAY)
    assert enabled.rules is None
    from bot.rules.engine import compile_rules  # noqa: PLC0415

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
    """Where it cannot be proven, there is at most a warning."""
    assert "never-wins" not in [key for _, key in said(*pair)]


def test_a_keyword_within_one_of_higher_priority_is_a_warning() -> None:
    """Its own text goes to the other rule."""
    assert said("a: keywords: [khuyến mãi], priority: 1", "b: keywords: [khuyến mãi tết, áo dài]") == [
        (3, "losing-keyword")
    ]
    assert said("a: keywords: [khuyến mãi]", "b: keywords: [khuyến mãi tết, áo dài]") == []


# --- Unmarked twins


def test_keywords_that_differ_in_marks_only_are_twins() -> None:
    """The earlier gets what is typed without marks, unless the later is written so."""
    assert said("a: keywords: [bảng giá]", "b: keywords: [băng giá]") == [(3, "twin-keyword")]
    assert said("a: keywords: [đặt bạn]", "b: keywords: [dat ban]") == [(2, "twin-keyword")]
    assert said("a: keywords: [bảng giá]", "b: keywords: [bánh giá]") == []
    assert said("a: keywords: [bảng giá, băng giá]") == []


@pytest.mark.parametrize("pair", [("bảng giá", "băng giá"), ("đặt bạn", "dat ban"), ("tra da", "trả đá")])
def test_the_winner_among_twins_is_the_engines(pair: tuple[str, str]) -> None:
    """What the warning says is what happens."""
    found = verdict(f"a: keywords: [{pair[0]}]", f"b: keywords: [{pair[1]}]")
    assert found.rules is not None
    (twin,) = (problem for problem in found.problems if problem.code == "twin-keyword")
    unmarked = {"bảng giá": "bang gia", "đặt bạn": "dat ban", "tra da": "tra da"}[pair[0]]
    assert rank(found.rules, unmarked).winner == 3 - twin.line


# --- Everyday words


@pytest.mark.parametrize("word", ["bán", "váy", "đèn", "vé", "máy", "cua", "chợ", "ban"])
def test_a_keyword_that_looks_like_an_everyday_word_is_doubted(word: str) -> None:
    """bán is bạn to everybody who types without marks."""
    assert said(f"a: keywords: [{word}]") == [(2, "everyday-keyword/twin")]
    assert said(f"a: keywords: [{word} rẻ]") == []
    assert said(f"a: keywords: [{{text: {word}, match: exact}}]") == []


@pytest.mark.parametrize("word", ["shop", "có", "em", "Bạn"])
def test_an_everyday_word_is_no_keyword(word: str) -> None:
    """The rule would answer everything."""
    assert said(f"a: keywords: [{word}]") == [(2, "everyday-keyword")]


@pytest.mark.parametrize("word", ["giá", "menu", "size", "phở", "ship", "sale", "kem", "bia", "hoa", "áo", "199k"])
def test_good_one_word_keywords_are_left_alone(word: str) -> None:
    """What shops really sell."""
    assert said(f"a: keywords: [{word}]") == []


def test_the_lists_of_words_do_not_contradict_each_other() -> None:
    """Each hint is about a word that can be typed bare, and no word gets two hints."""
    assert set(READ_AS.values()) <= EVERYDAY
    assert not MARKS_FORGOTTEN.keys() & READ_AS.keys()
    assert all(map(needs_no_marks, MARKS_FORGOTTEN))


# --- One rule against itself


def test_a_keyword_that_another_one_covers_is_redundant() -> None:
    """The unmarked one beside the marked one, and the same twice; not another mark, not another rule."""
    assert said("a: keywords: [giá, gia]") == [(2, "redundant-keyword")]
    assert said("a: keywords: [bang gia, bảng giá]") == [(2, "redundant-keyword")]
    assert said("a: keywords: [bảng giá, Bảng  Giá]") == [(2, "redundant-keyword/same")]
    assert said("a: keywords: [x1], exclude: [đánh giá, danh gia]") == [(2, "redundant-keyword")]
    assert said("a: keywords: [bảng giá, băng giá, bảng giá sỉ]") == []
    assert said("a: keywords: [menu, {text: menu, match: exact}]") == []


def test_an_exclude_that_stands_in_a_keyword_is_an_error() -> None:
    """With its marks or without, but only where it is certain."""
    assert said("a: keywords: [đánh giá sao, x1], exclude: [đánh giá]") == [(2, "exclude-kills")]
    assert said("a: keywords: [giá, x1], exclude: [gia]") == []
    assert said("a: keywords: [đánh giá, x1], exclude: [danh gia]") == [(2, "exclude-kills")]
    assert said("a: keywords: [giá], exclude: [đánh giá]") == []
    assert said("a: keywords: [đánh giá sao], exclude: [{text: đánh giá, match: exact}]") == []
    assert said("a: keywords: [đánh giá sao], exclude: [{text: đánh giá, match: prefix}]") == []
    assert said("a: keywords: [{text: đánh giá, match: exact}], exclude: [{text: đánh giá, match: prefix}]") == [
        (2, "exclude-kills")
    ]


def test_a_bare_word_with_forgotten_marks_is_hinted_at() -> None:
    """With the likely word; an unlikely one only where the editor forgets marks elsewhere."""
    assert said("a: keywords: [gia]") == [(2, "literal-keyword")]
    assert 'if you mean "giá"' in message("a: keywords: [gia]")
    assert said("a: keywords: [kem]") == []
    assert said("a: keywords: [kem]", "b: keywords: [bao nhieu]") == [(2, "literal-keyword/unsure")]
    assert said("a: keywords: [menu, ship]", "b: keywords: [bao nhieu]") == []


def test_contains_is_doubted_wherever_it_stands() -> None:
    """Keywords and groups; in an exclude it can only make the rule more careful."""
    assert said("a: keywords: [{text: áo, match: contains}]") == [(2, "contains-keyword")]
    assert said("a: all_of: [[{text: áo, match: contains}]]") == [(2, "contains-keyword")]
    assert said("a: keywords: [x1], exclude: [{text: áo, match: contains}]") == []


@pytest.mark.parametrize("field", ["keywords: [{}]", "keywords: [x1], exclude: [{}]", "all_of: [[{}]]"])
def test_a_keyword_longer_than_what_is_compared_is_an_error(field: str) -> None:
    """Sixteen syllables are the limit."""
    sixteen = " ".join(f"w{chr(97 + n)}" for n in range(16))
    assert said("a: " + field.format(sixteen)) == []
    assert said("a: " + field.format(sixteen + " x")) == [(2, "keyword-too-long")]


def test_an_abbreviation_of_several_words_can_never_be_met() -> None:
    """A slash cuts it in two."""
    head = "abbreviations: {đ/c: địa chỉ, sđt: số điện thoại}\n".encode()
    assert [p.phrase.key for p in validate(head + rules("a: keywords: [x1]"), today=TODAY).problems] == [
        "abbreviation-words"
    ]


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
def test_an_uploaded_picture_is_warned_of_from_its_sixth_day(uploaded: str, key: str | None) -> None:
    """It expires after seven; a warning never stops the bot, since yesterday the file was fine."""
    data = f"rules:\n- {{id: a, keywords: [x1], reply: {{attachment_id: q, uploaded: {uploaded}}}}}\n".encode()
    found = validate(data, today=TODAY)
    assert [problem.phrase.key for problem in found.problems] == ([key] if key else [])
    assert found.rules is not None


def test_pictures_are_looked_at_wherever_they_are_sent_from() -> None:
    """Several, one of several, the fallback; not those of a rule that is off."""
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
        (3, 46, "attachment-undated"),
        (5, 37, "attachment-undated"),
    ]


def test_a_season_that_is_over_is_a_warning_from_the_next_day_on() -> None:
    """Its last day still counts."""
    assert said("a: keywords: [x1], active: {until: 2027-01-25}") == []
    assert said("a: keywords: [x1], active: {until: 2027-01-24}") == [(2, "active-over")]
    assert said("a: keywords: [x1], active: {until: 2027-01-24}, enabled: false") == []


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
def test_a_pattern_is_compiled_and_its_faults_are_told(pattern: str, key: str | None) -> None:
    """In our words, never in RE2's."""
    found = verdict(f"a: pattern: {pattern}")
    assert [problem.phrase.key for problem in found.problems] == ([key] if key else [])
    assert (found.rules is None) is (key not in {None, "pattern-everything"})


def test_without_re2_the_file_says_how_to_install_it() -> None:
    """The extra is optional; a rule that needs it is an error, the others work."""
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
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


# --- Examples


def test_an_example_must_reach_its_rule_and_a_counter_example_must_not() -> None:
    """Both are errors: they are the editor's own tests."""
    good = "a: keywords: [bảng giá], exclude: [đánh giá], examples: [bang gia shop], not_examples: [đánh giá bảng giá]"
    assert said(good) == []
    assert said("a: keywords: [bảng giá], examples: [bang gia, menu]") == [(2, "example-fails/nothing")]
    assert said("a: keywords: [bảng giá], not_examples: [menu, bang gia]") == [(2, "not-example-fails")]


@pytest.mark.parametrize(
    ("text", "other", "reason"),
    [
        ("áo thun size l", "b: keywords: [size l], priority: 3", "its priority is higher (3 against 0)"),
        ("áo thun size l", "b: keywords: [áo thun size]", 'it matches more words: "áo thun size" against "áo thun"'),
        ("ao thun đỏ size", "b: keywords: [đỏ size]", 'its marks match better: "đỏ size" against "áo thun"'),
        (
            "shop ơi có áo thun ko",
            "b: keywords: [shop ơi]",
            'it matches the whole message or its beginning: "shop ơi" against "áo thun"',
        ),
    ],
)
def test_a_lost_example_says_to_whom_and_why(text: str, other: str, reason: str) -> None:
    """The rule, its line, the words on both sides."""
    found = verdict(f"a: keywords: [áo thun], examples: [{text}]", other)
    (problem,) = found.problems
    assert problem.message("en").endswith(f'by "b" (line 3), because {reason}')
    assert found.rules is None


def test_an_example_is_tried_at_a_time_when_its_rule_is_in_play() -> None:
    """A seasonal rule of higher priority does not fail the example of the rule for the whole year."""
    season = "b: keywords: [bánh], priority: 5, active: {until: 2027-02-20}, examples: [mua bánh]"
    assert said("a: keywords: [bánh], examples: [mua bánh]", season) == []
    assert said("a: keywords: [bánh], examples: [mua bánh], not_examples: [bánh tết]", season) == [
        (2, "not-example-fails")
    ]


def test_examples_of_a_rule_that_is_off_are_not_tried() -> None:
    """They cannot pass."""
    assert said("a: keywords: [x1], enabled: false, examples: [x1, y2]") == []


def test_examples_are_tried_beside_other_errors_of_the_rules() -> None:
    """All in one run; but not while a pattern cannot be compiled, which would answer for nothing."""
    killed = "a: keywords: [đánh giá, x1], exclude: [đánh giá], examples: [y2]"
    assert [key for _, key in said(killed)] == ["exclude-kills", "example-fails/nothing"]
    assert [key for _, key in said("a: pattern: '(', examples: [y2]")] == ["pattern-invalid/bracket"]


# --- The validator


def test_warnings_let_the_rules_through_and_errors_do_not() -> None:
    """Errors stop, warnings inform."""
    assert verdict("a: keywords: [{text: áo, match: contains}]").rules is not None
    assert verdict("a: keywords: [x1], colour: red").rules is None


def test_checks_look_at_the_rules_that_could_be_read() -> None:
    """A slip in one rule does not hide a clash between two others."""
    keys = [key for _, key in said("a: keywords: [x1]", "B: keywords: [y2]", "c: keywords: [x1]")]
    assert keys == ["bad-id/near", "never-wins"]
    assert check(load(b"rules: 5"), today=TODAY) == ()


def test_of_very_many_problems_the_errors_come_first_and_the_rest_is_counted() -> None:
    """Nobody reads two hundred; but none is kept secret."""
    lines = [f"a{n}: keywords: [{{text: w{n}, match: contains}}]" for n in range(150)]
    many = verdict(*lines).problems
    assert len(many) == MAX_PROBLEMS + 1
    assert many[-1].phrase.key == "more-problems/warnings"
    assert many[-1].message("en").startswith("50 more")
    both = verdict(*lines, *(f"B{n}: keywords: [z{n}]" for n in range(120))).problems
    assert {problem.severity for problem in both} == {"error"}
    assert both[-1].message("en").startswith("170 more")


def test_the_rule_set_carries_the_digest_of_the_file() -> None:
    """Each decision is stored with it."""
    data = rules("a: keywords: [x1]")
    found = validate(data, today=TODAY)
    assert found.rules is not None
    assert found.rules.digest == load(data).digest
