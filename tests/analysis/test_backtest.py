"""Backtest: recent messages answered by other rules."""

from __future__ import annotations

from datetime import UTC, date, datetime

from bot.analysis.backtest import Comparison, Shift, compare
from bot.inbox.queries import Message
from bot.rules.engine import FALLBACK, RuleSet
from bot.rules.validate import validate

PICTURE = 'reply: {image_url: "https://a.example/1.jpg"}'
NOON = datetime(2026, 9, 1, 5, tzinfo=UTC).timestamp()  # 12:00 in Vietnam
HOUR = 3600.0


def rules(*lines: str, fallback: bool = False) -> RuleSet:
    text = "rules:\n" + "\n".join(f"  - {{{line}, {PICTURE}}}" for line in lines)
    text += f"\nfallback: {{{PICTURE}}}\n" if fallback else "\n"
    verdict = validate(text.encode(), today=date(2026, 9, 1))
    assert verdict.rules, verdict.problems
    return verdict.rules


def message(text: str, rule_id: str | None, *, at: float = NOON, oa: str = "123456") -> Message:
    return Message(1, text, oa, "u1", at, rule_id)


def test_unchanged_and_shifted_messages_are_counted() -> None:
    """By the recorded rule and the one of the file."""
    file = rules("id: gia, keywords: [giá]", "id: ship, keywords: [giao hàng]")
    comparison = compare(
        file,
        [
            message("giá sao shop", "gia"),
            message("giá bánh", "banh"),
            message("có giao hàng không", None),
            message("giao hàng nhanh", None),
            message("menu", "menu"),
            message("alo", None),
            message("giá ly này", FALLBACK),
        ],
    )
    assert (comparison.messages, comparison.same) == (7, 2)
    assert [comparison.count(effect) for effect in ("gained", "changed", "lost")] == [3, 1, 1]
    assert comparison.shifts == (
        Shift(None, "ship", 2, ("có giao hàng không", "giao hàng nhanh")),
        Shift("banh", "gia", 1, ("giá bánh",)),
        Shift("menu", None, 1, ("menu",)),
        Shift(FALLBACK, "gia", 1, ("giá ly này",)),
    )


def test_it_compares_with_the_rules_in_force() -> None:
    """Not with what an older file answered at the time."""
    old, new = (
        rules("id: gia, keywords: [giá]"),
        rules("id: gia, keywords: [giá, bảng giá]", "id: ship, keywords: [ship]"),
    )
    messages = [message("giá sao shop", None), message("ship ko", None), message("menu", "menu")]
    assert compare(old, messages, in_force=old).shifts == ()
    assert compare(new, messages, in_force=old).shifts == (Shift(None, "ship", 1, ("ship ko",)),)


def test_a_move_between_fallback_and_no_answer_is_a_change() -> None:
    """It is neither gained nor lost."""
    with_fallback = compare(
        rules("id: a, keywords: [x]", fallback=True), [message("alo", None), message("menu", "menu")]
    )
    assert {(shift.after, shift.effect) for shift in with_fallback.shifts} == {
        (FALLBACK, "changed"),
        (FALLBACK, "lost"),
    }
    without = compare(rules("id: a, keywords: [x]"), [message("alo", FALLBACK)])
    assert [(shift.after, shift.effect) for shift in without.shifts] == [(None, "changed")]


def test_each_message_is_tried_at_its_time_and_oa() -> None:
    """As if the file had been in force then."""
    file = rules(
        'id: trua, keywords: [giá], active: {hours: "11:00-13:00"}', 'id: oa, keywords: [ship], oa: ["777777"]'
    )
    shifts = compare(
        file,
        [
            message("giá", None),
            message("giá", None, at=NOON + 2 * HOUR),
            message("ship", None),
            message("ship", None, oa="777777"),
        ],
    ).shifts
    assert {(shift.after, shift.times) for shift in shifts} == {("trua", 1), ("oa", 1)}


def test_examples_are_few_different_and_masked() -> None:
    """Three are enough to show what the messages are about."""
    texts = ["giá 0912345678", "giá 0987654321", "giá a", "giá b", "giá c"]
    [shift] = compare(rules("id: gia, keywords: [giá]"), [message(text, None) for text in texts]).shifts
    assert (shift.times, shift.examples) == (5, ("giá •••", "giá a", "giá b"))


def test_the_period_is_known_and_empty_without_messages() -> None:
    """In any order of the messages."""
    file = rules("id: gia, keywords: [giá]")
    assert compare(file, []) == Comparison(0, None, None, ())
    comparison = compare(file, [message("x", None, at=NOON + n * HOUR) for n in (1, 2, 0)])
    assert (comparison.oldest_at, comparison.newest_at) == (NOON, NOON + 2 * HOUR)
