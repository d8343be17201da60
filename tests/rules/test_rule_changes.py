"""Comparison of two versions of a rules file, rule by rule."""

from __future__ import annotations

import pytest

from bot.rules.publishing.rule_changes import ChangeCounts, RuleChanges, compare_rules

RULE = '  - id: {}\n    keywords: [{}]\n    reply: {{image_url: "https://shop.example/a.jpg"}}\n'
BASE = "version: 1\nrules:\n" + "".join(RULE.format(name, name) for name in ("gia", "ship", "menu"))
FALLBACK = 'fallback: {reply: {image_url: "https://shop.example/menu.jpg"}}\n'


def changes(after: str, before: str | None = BASE) -> RuleChanges | None:
    return compare_rules(before.encode() if before is not None else None, after.encode())


@pytest.mark.parametrize(
    ("after", "expected", "loses"),
    [
        (BASE + "# a comment\n", RuleChanges(), False),
        (BASE.replace("[gia]", " ['gia']  # as before").replace("\n", "\r\n"), RuleChanges(), False),
        (BASE + RULE.format("moi", "moi"), RuleChanges(added=("moi",)), False),
        (BASE.replace("[gia]", "[bảng giá]"), RuleChanges(changed=("gia",)), False),
        (BASE.replace(RULE.format("ship", "ship"), ""), RuleChanges(removed=("ship",)), True),
        (BASE.replace("id: gia", "id: gia-moi"), RuleChanges(changed=("gia-moi",)), False),
        (BASE.replace("id: gia\n", "id: gia\n    enabled: False\n"), RuleChanges(switched_off=("gia",)), True),
        (BASE.replace("version: 1\n", "version: 1\ntypos: false\n"), RuleChanges(settings=("typos",)), False),
        (BASE + FALLBACK, RuleChanges(settings=("fallback",)), False),
    ],
    ids=["comment", "spelling", "added", "changed", "removed", "renamed", "off", "settings", "fallback"],
)  # fmt: skip
def test_added_changed_and_removed_rules(after: str, expected: RuleChanges, loses: bool) -> None:
    """By id; a rule that differs only in its id is the same rule."""
    assert changes(after) == expected
    assert expected.loses_rules == loses
    assert expected.is_empty == (expected == RuleChanges())


def test_an_enabled_rule_and_a_removed_fallback() -> None:
    """The first adds answers for customers, the second removes some."""
    off = BASE.replace("id: gia\n", "id: gia\n    enabled: false\n")
    assert changes(BASE, off) == RuleChanges(switched_on=("gia",))
    found = changes(BASE, BASE + FALLBACK)
    assert found == RuleChanges(settings=("fallback",), events_lost=("fallback",))
    assert found.loses_rules


def test_rules_for_events_without_messages_are_listed_apart() -> None:
    """Follows, stickers …: no message can be tried on them."""
    before = BASE.replace("keywords: [gia]", "on: follow").replace("keywords: [ship]", "on: sticker")
    after = before.replace("on: follow", "on: follow\n    enabled: false").replace(
        '  - id: ship\n    on: sticker\n    reply: {image_url: "https://shop.example/a.jpg"}\n', ""
    )
    found = changes(after, before)
    assert found
    assert (found.removed, found.switched_off, found.events_lost) == (("ship",), ("gia",), ("ship", "gia"))


def test_another_order_is_a_change() -> None:
    """Of two equal matches the first rule answers."""
    moved = "version: 1\nrules:\n" + "".join(RULE.format(name, name) for name in ("ship", "gia", "menu"))
    assert changes(moved) == RuleChanges(is_reordered=True)
    assert RuleChanges(is_reordered=True).counts == ChangeCounts(is_reordered=1)


def test_all_rules_of_the_first_file_are_new() -> None:
    """All its rules are new."""
    found = changes(BASE, None)
    assert found
    assert found.added == ("gia", "ship", "menu")
    assert not found.loses_rules
    assert found.counts == ChangeCounts(added=3)


@pytest.mark.parametrize(
    "text",
    ["rules: [", "", "- a\n", "rules: {a: b}\n", "rules: [a]\n", BASE + RULE.format("gia", "x"),
     "a: &a [x]\nb: &b [*a, *a]\nrules: []\n", "[" * 5_000, "\ud800", "rules: \x00"],
    ids=["broken", "empty", "list", "mapping", "word", "an id twice", "aliases", "deep", "surrogate", "control"],
)  # fmt: skip
def test_files_that_cannot_be_read_by_rules_have_no_comparison(text: str) -> None:
    """Whichever side it is."""
    content = text.encode(errors="surrogatepass")
    assert compare_rules(BASE.encode(), content) is None
    assert compare_rules(content, BASE.encode()) is None
