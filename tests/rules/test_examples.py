"""Examples in the rules file, and the result of its validation."""

from __future__ import annotations

import pytest

from bot.rules.linting.lint import check
from bot.rules.reading.loader import load
from bot.rules.validate import MAX_PROBLEMS, validate
from tests.support.short_rules import TODAY, findings, rules, verdict


def test_an_example_must_reach_its_rule_and_a_counter_example_must_not() -> None:
    """Both are errors: they are the editor's tests."""
    good = "a: keywords: [bảng giá], exclude: [đánh giá], examples: [bang gia shop], not_examples: [đánh giá bảng giá]"
    assert findings(good) == []
    assert findings("a: keywords: [bảng giá], examples: [bang gia, menu]") == [(2, "example-fails/nothing")]
    assert findings("a: keywords: [bảng giá], not_examples: [menu, bang gia]") == [(2, "not-example-fails")]


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
def test_a_failing_example_names_the_winner_and_the_reason(text: str, other: str, reason: str) -> None:
    """The rule, its line, the words of both."""
    found = verdict(f"a: keywords: [áo thun], examples: [{text}]", other)
    (problem,) = found.problems
    assert problem.message("en").endswith(f'by "b" (line 3), because {reason}')
    assert found.rules is None


def test_an_example_is_tried_when_its_rule_is_active() -> None:
    """A seasonal rule of higher priority does not fail the example of the rule for the whole year."""
    season = "b: keywords: [bánh], priority: 5, active: {until: 2027-02-20}, examples: [mua bánh]"
    assert findings("a: keywords: [bánh], examples: [mua bánh]", season) == []
    assert findings("a: keywords: [bánh], examples: [mua bánh], not_examples: [bánh tết]", season) == [
        (2, "not-example-fails")
    ]


def test_examples_of_a_disabled_rule_are_not_tried() -> None:
    """They cannot pass."""
    assert findings("a: keywords: [x1], enabled: false, examples: [x1, y2]") == []


def test_examples_are_tried_beside_other_errors_of_the_rules() -> None:
    """In one run, except if a pattern cannot be compiled."""
    killed = "a: keywords: [đánh giá, x1], exclude: [đánh giá], examples: [y2]"
    assert [key for _, key in findings(killed)] == ["exclude-kills", "example-fails/nothing"]
    assert [key for _, key in findings("a: pattern: '(', examples: [y2]")] == ["pattern-invalid/bracket"]


# --- The validator


def test_warnings_allow_the_rules_and_errors_do_not() -> None:
    """Errors stop, warnings inform."""
    assert verdict("a: keywords: [{text: áo, match: contains}]").rules is not None
    assert verdict("a: keywords: [x1], colour: red").rules is None


def test_rules_that_could_be_read_are_checked() -> None:
    """A mistake in one rule does not hide a conflict between two others."""
    keys = [key for _, key in findings("a: keywords: [x1]", "B: keywords: [y2]", "c: keywords: [x1]")]
    assert keys == ["bad-id/near", "never-wins"]
    assert check(load(b"rules: 5"), today=TODAY) == ()


def test_of_very_many_problems_the_errors_come_first_and_the_rest_is_counted() -> None:
    """Nobody reads two hundred, but their number is reported."""
    lines = [f"a{n}: keywords: [{{text: w{n}, match: contains}}]" for n in range(150)]
    many = verdict(*lines).problems
    assert len(many) == MAX_PROBLEMS + 1
    assert many[-1].phrase.key == "more-problems/warnings"
    assert many[-1].message("en").startswith("50 more")
    both = verdict(*lines, *(f"B{n}: keywords: [z{n}]" for n in range(120))).problems
    assert {problem.severity for problem in both} == {"error"}
    assert both[-1].message("en").startswith("170 more")


def test_the_rule_set_has_the_digest_of_the_file() -> None:
    """It is stored with each decision."""
    data = rules("a: keywords: [x1]")
    found = validate(data, today=TODAY)
    assert found.rules is not None
    assert found.rules.digest == load(data).digest
