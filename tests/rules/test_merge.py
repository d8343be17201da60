"""Three-way merge of rules files: rule by rule, conflicts shown, nothing lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rules.publishing.edit import rules_in
from bot.rules.publishing.merge import TAIL, WHOLE_FILE, Conflict, Merge, merge

BASE = """\
# Shop A
version: 1
timezone: Asia/Ho_Chi_Minh  # ours

rules:
  # prices
  - id: gia
    keywords: [bảng giá]   # asked daily
    reply: {image_url: "https://shop.example/gia.jpg"}

  # parcels
  - id: ship
    keywords: [giao hàng]
    reply: {image_url: "https://shop.example/ship.jpg"}
  - id: menu
    keywords: [menu]
    reply: {image_url: "https://shop.example/menu.jpg"}

fallback:
  reply: {image_url: "https://shop.example/menu.jpg"}
# the end
"""
NEW = """\
  - id: {}
    keywords: [{}]
    reply: {{image_url: "https://shop.example/new.jpg"}}
"""


def edited(*changes: tuple[str, str], text: str = BASE) -> str:
    """Return the file with some texts replaced."""
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


def with_rule(name: str, text: str = BASE) -> str:
    """Return the file with an additional rule at the end."""
    return edited(("\nfallback:", f"{NEW.format(name, name)}\nfallback:"), text=text)


def without(name: str) -> str:
    """Return the file without the lines of a rule; comments above it stay."""
    start = BASE.index(f"  - id: {name}")
    end = BASE.index("/" + name + '.jpg"}\n', start) + len(name) + len('/.jpg"}\n')
    return BASE[:start] + BASE[end:]


@pytest.mark.parametrize(
    ("mine", "theirs", "both"),
    [
        (
            edited(("bảng giá", "báo giá")),
            edited(("giao hàng", "gửi hàng")),
            edited(("bảng giá", "báo giá"), ("giao hàng", "gửi hàng")),
        ),
        (edited(("# prices", "# what it costs")), edited(("bảng giá", "báo giá")),
         edited(("# prices", "# what it costs"), ("bảng giá", "báo giá"))),
        (edited(("Asia/Ho_Chi_Minh", "Asia/Bangkok")), without("ship"),
         without("ship").replace("Ho_Chi_Minh", "Bangkok")),
        (without("gia"), edited(("giao hàng", "gửi hàng")), without("gia").replace("giao hàng", "gửi hàng")),
        (with_rule("mine"), with_rule("theirs"), with_rule("theirs", with_rule("mine"))),
        (edited(("# the end", "# end")), with_rule("theirs"), with_rule("theirs").replace("# the end", "# end")),
        (with_rule("x"), with_rule("x"), with_rule("x")),
        (BASE, without("menu"), without("menu")),
        (without("menu"), BASE, without("menu")),
    ],
    ids=["rules", "comment", "key", "removed", "added", "tail", "the same", "theirs", "mine"],
)  # fmt: skip
def test_edits_of_different_rules_are_merged(mine: str, theirs: str, both: str) -> None:
    """Every other byte stays."""
    assert merge(BASE, mine, theirs) == Merge(both)


def test_a_move_and_a_change_of_another_rule_are_merged() -> None:
    """The new order and the new text."""
    lines = BASE.splitlines(keepends=True)
    start = lines.index("  - id: menu\n")
    moved = "".join([*lines[:5], *lines[start : start + 3], *lines[5:start], *lines[start + 3 :]])
    theirs = edited(("giao hàng", "gửi hàng"))
    assert merge(BASE, moved, theirs) == merge(BASE, theirs, moved)
    assert merge(BASE, moved, theirs).text == moved.replace("giao hàng", "gửi hàng")


def test_changes_of_the_same_rule_are_a_conflict() -> None:
    """With both versions; after the decision for one, the other edits of both stay."""
    mine = edited(("bảng giá", "báo giá"), ("[menu]", "[thực đơn]"))
    theirs = edited(("bảng giá", "giá cả"), ("giao hàng", "gửi hàng"))
    found = merge(BASE, mine, theirs)
    assert found.text is None
    assert [conflict.name for conflict in found.conflicts] == ["gia"]
    assert "báo giá" in (found.conflicts[0].mine or "")
    assert "giá cả" in (found.conflicts[0].theirs or "")
    others = (("[menu]", "[thực đơn]"), ("giao hàng", "gửi hàng"))
    assert merge(BASE, mine, theirs, {"gia": "mine"}).text == edited(("bảng giá", "báo giá"), *others)
    assert merge(BASE, mine, theirs, {"gia": "theirs"}).text == edited(("bảng giá", "giá cả"), *others)


def test_a_change_and_a_removal_of_the_same_rule_are_a_conflict() -> None:
    """It is neither lost nor kept without a decision."""
    mine, theirs = without("gia"), edited(("bảng giá", "báo giá"))
    found = merge(BASE, mine, theirs)
    assert [(conflict.name, conflict.mine) for conflict in found.conflicts] == [("gia", None)]
    assert merge(BASE, mine, theirs, {"gia": "mine"}).text == mine
    assert "báo giá" in (merge(BASE, mine, theirs, {"gia": "theirs"}).text or "")


def test_a_rule_and_a_key_may_have_the_same_name() -> None:
    """Are two things."""
    base = edited(("id: menu", "id: fallback"))
    mine = base.replace("[menu]", "[a]").replace("fallback:\n", "fallback:  # a\n")
    theirs = base.replace("[menu]", "[b]").replace("fallback:\n", "fallback:  # b\n")
    assert {conflict.name for conflict in merge(base, mine, theirs).conflicts} == {"fallback", "fallback:"}
    decided = merge(base, mine, theirs, {"fallback": "mine", "fallback:": "theirs"})
    assert decided.text == mine.replace("fallback:  # a", "fallback:  # b")


def test_changes_of_comments_at_the_end_are_a_conflict() -> None:
    """Otherwise text of one side would be lost."""
    mine, theirs = edited(("# the end", "# a")), edited(("# the end", "# b"))
    assert merge(BASE, mine, theirs).conflicts == (Conflict(TAIL, "# a\n", "# b\n"),)
    assert merge(BASE, mine, theirs, {TAIL: "mine"}).text == mine


def test_without_the_common_origin_every_difference_is_a_conflict() -> None:
    """Whatever is different is a conflict, and what is alike is none."""
    found = merge(None, edited(("bảng giá", "báo giá")), without("menu"))
    assert [conflict.name for conflict in found.conflicts] == ["gia", "menu"]


@pytest.mark.parametrize(
    "theirs",
    ["rules: [", "# nothing\n", BASE + "  - id: [\n", edited(("id: ship", "id: gia")), BASE.replace("  ", " ")],
    ids=["broken", "no rules", "half a rule", "an id twice", "indented otherwise"],
)
def test_files_that_cannot_be_merged_by_rules_are_one_conflict(theirs: str) -> None:
    """About the file as a whole."""
    mine = edited(("bảng giá", "báo giá"))
    found = merge(BASE, mine, theirs)
    assert found.text is None
    if found.conflicts[0].name == WHOLE_FILE:
        assert found.conflicts == (Conflict(WHOLE_FILE, mine, theirs),)
        assert merge(BASE, mine, theirs, {WHOLE_FILE: "mine"}).text == mine
        assert merge(BASE, mine, theirs, {WHOLE_FILE: "theirs"}).text == theirs
    else:
        assert {"gia"} <= {conflict.name for conflict in found.conflicts}


def test_different_orders_are_a_conflict() -> None:
    """The first matching rule answers, so an editor must decide."""
    blocks = [NEW.format(name, name) for name in "abc"]
    files = ["rules:\n" + "".join(blocks[i] for i in order) for order in [(0, 1, 2), (1, 0, 2), (0, 2, 1)]]
    assert [conflict.name for conflict in merge(*files).conflicts] == [WHOLE_FILE]


RuleSet = dict[str, str]
RULE_SETS = st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=6).flatmap(
    lambda names: st.tuples(*(st.tuples(st.just(name), st.sampled_from(["x", "y", "z"])) for name in names)).map(dict)
)


def _file(rules: RuleSet) -> str:
    """Return a file with these rules in the order of their ids, each with a comment above it."""
    listed = "".join(f"  # about {name}\n{NEW.format(name, word)}" for name, word in sorted(rules.items()))
    return f"version: 1\nrules:\n{listed}" if rules else "version: 1\nrules: []\n"


@given(RULE_SETS, RULE_SETS, RULE_SETS)
def test_each_rule_is_merged_by_the_definition(base: RuleSet, mine: RuleSet, theirs: RuleSet) -> None:
    """It is that of the side that changed it; conflicts are the rules that both changed."""
    names = {*base, *mine, *theirs}
    conflicts = {
        name
        for name in names
        if mine.get(name) != theirs.get(name) and base.get(name) not in (mine.get(name), theirs.get(name))
    }
    found = merge(_file(base), _file(mine), _file(theirs))
    if {conflict.name for conflict in found.conflicts} <= {WHOLE_FILE} and found.conflicts:
        assert not (base and mine and theirs)  # with an empty list the lines around it are others
        return
    assert {conflict.name for conflict in found.conflicts} - {"rules:"} == conflicts
    if found.text is not None:
        changed = {name: mine.get(name) if base.get(name) != mine.get(name) else theirs.get(name) for name in names}
        expected = {name: word for name, word in changed.items() if word is not None}
        assert {str(rule.fields["id"]): rule.fields["keywords"] for rule in rules_in(found.text.encode())} == {
            name: [word] for name, word in expected.items()
        }
