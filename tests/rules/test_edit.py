"""Edits of one rule: every other byte stays, comments stay, and the file says what was asked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.rules.model.schema import Rule
from bot.rules.publishing.edit import (
    NotEditable,
    add_rule,
    add_rules,
    change_rule,
    change_rules,
    delete_rule,
    duplicate_rule,
    rules_in,
)
from bot.rules.publishing.yaml_text import Value, flow, scalar
from bot.rules.reading.loader import load
from tests.support.golden import GOOD
from tests.support.handwritten_rules import handwritten_files

FILES = sorted(GOOD.glob("*.yaml"))
SAMPLE = Path(__file__).parents[2] / "bot" / "rules" / "starters" / "tiem-banh.yaml"
COMMENTED = """\
# đầu tệp
version: 1   # bản
rules:   # các luật
  # luật giá
  - id: gia   # tên
    # từ khóa của khách
    keywords: # danh sách
      - bảng giá   # hay hỏi
      - "giá #1"

      - báo giá
    exclude: [đánh giá, # một
      giảm giá] # hai
    priority: 5   # cao

    reply: {image_url: "https://a.vn/1.jpg#x"}  # ảnh
    # cuối luật giá

  -
    id: ship
    keywords: [ship]
    reply:
      one_of:
        - {image_url: "https://a.vn/2.jpg", weight: 2} # nặng
        - file: a.jpg
          else: {image_url: "https://a.vn/3.jpg"}
  # trước luật ngắn
  - {id: ngan, keywords: [ngắn], # trong ngoặc
     reply: {image_url: "https://a.vn/4.jpg"}}   # sau ngoặc
  - enabled: false
    id: tat
    keywords: [tắt]
    examples: >-
    reply: {image_url: "https://a.vn/5.jpg"}
fallback:
  reply: {image_url: "https://a.vn/6.jpg"}
# cuối tệp""".replace("    examples: >-\n", "")

TEXTS = st.text(st.characters(blacklist_categories=("Cs", "Cc", "Cf", "Co", "Cn")), min_size=1, max_size=20).filter(
    lambda text: bool(text.strip())
)
WORDS = st.lists(
    TEXTS | st.sampled_from(["giá: 50k", "#km", "no", "- x", "a, b", "'", '"', "{x}", "50%"]), min_size=1, max_size=5
)
IMAGE = st.sampled_from([{"image_url": "https://b.vn/a.jpg"}, {"file": "a b.jpg"}, {"image_url": "https://b.vn/#a,b"}])
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "keywords": WORDS,
        "exclude": WORDS | st.none(),
        "all_of": st.lists(WORDS, min_size=1, max_size=3) | st.none(),
        "priority": st.integers(-1000, 1000).map(str) | st.none(),
        "enabled": st.just("false") | st.none(),
        "active": st.just({"from": "2027-01-20", "days": ["mon", "sun"], "hours": "08:00-21:30"}) | st.none(),
        "cooldown": st.just("10m") | st.none(),
        "oa": st.just(["388613280878808645"]) | st.none(),
        "examples": WORDS | st.none(),
        "not_examples": WORDS | st.none(),
        "reply": IMAGE
        | st.lists(IMAGE, min_size=1, max_size=4)
        | st.lists(IMAGE, min_size=2).map(lambda i: {"one_of": i}),
    },
)


def said(content: bytes) -> list[Mapping[str, Value]]:
    """Return the rules of a file, parsed by another YAML reader than the editor's."""
    rules = yaml.load(content.decode("utf-8-sig"), yaml.CBaseLoader)["rules"]
    assert isinstance(rules, list)
    return rules


def comments(text: str) -> list[str]:
    """Return the comments of a file that has no # in quotes and links."""
    found = []
    for line in text.splitlines():
        bare = re.sub(r'"[^"]*"', lambda quoted: "q" * len(quoted[0]), line)
        if comment := re.search(r"(?:^|\s)(#.*)$", bare):
            found.append(line[comment.start(1) :].strip())
    return sorted(found)


def assert_only_within(before: bytes, after: bytes, index: int) -> None:
    """Assert that every byte before and after the rule is unchanged."""
    rule = rules_in(before)[index]
    lines = before.splitlines(keepends=True)
    head, tail = b"".join(lines[: rule.start]), b"".join(lines[rule.end :])
    assert after.startswith(head)
    assert after.endswith(tail)
    assert before == head + rule.content + tail


def all_comments(content: bytes) -> list[str]:
    """Return the comments of any file: a # begins one outside of a scalar, at most one on a line."""
    text = content.decode("utf-8-sig")
    scalars = [token for token in yaml.scan(text, yaml.CLoader) if isinstance(token, yaml.ScalarToken)]
    covered = {place for one in scalars for place in range(one.start_mark.index, one.end_mark.index)}
    found, place = [], 0
    for line in text.splitlines(keepends=True):
        begin = next((n for n, letter in enumerate(line) if letter == "#" and place + n not in covered), None)
        found += [] if begin is None else [line[begin:].strip()]
        place += len(line)
    return sorted(found)


def trimmed(value: Value) -> Value:
    """Return a value whose texts have no line ends at their end: without a last line end, the file's last has none."""
    if isinstance(value, dict):
        return {key: trimmed(one) for key, one in value.items()}
    return value.rstrip("\n") if isinstance(value, str) else [trimmed(one) for one in value]


def variants(path: Path) -> list[bytes]:
    """Return the file with other line ends and byte order marks."""
    plain = path.read_bytes()
    return [plain, plain.replace(b"\n", b"\r\n"), b"\xef\xbb\xbf" + plain, plain.rstrip(b"\n")]


@pytest.mark.parametrize("path", [*FILES, SAMPLE], ids=lambda path: path.stem)
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_change_of_any_good_file(path: Path, data: st.DataObject) -> None:
    """It is read back as requested, and no other byte changes."""
    content = data.draw(st.sampled_from(variants(path)))
    before = said(content)
    if not before:
        return
    index, changes = data.draw(st.integers(0, len(before) - 1)), data.draw(CHANGES)
    after = change_rule(content, index, changes)
    wanted = {key: value for key, value in {**before[index], **changes}.items() if value is not None}
    assert said(after) == [*before[:index], wanted, *before[index + 1 :]]
    assert_only_within(content, after, index)
    assert comments(after.decode("utf-8-sig")) == comments(content.decode("utf-8-sig"))


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(content=handwritten_files(), data=st.data())
def test_any_edit_of_any_file(content: bytes, data: st.DataObject) -> None:
    """It reads back as what was asked, every byte of other rules and every comment stays."""
    before = [trimmed(dict(rule)) for rule in said(content)]
    index, changes = data.draw(st.integers(0, len(before) - 1)), data.draw(CHANGES)
    rule = {**before[index]}

    def reads(after: bytes, *wanted: Value, end: int = index + 1) -> bool:
        return [trimmed(dict(one)) for one in said(after)] == [*before[:index], *wanted, *before[end:]]

    after = change_rule(content, index, changes)
    assert reads(after, trimmed({key: value for key, value in {**rule, **changes}.items() if value is not None}))
    assert_only_within(content, after, index)
    if "#" not in str(changes):
        assert all_comments(after) == all_comments(content)
    assert reads(duplicate_rule(content, index, "ban-sao"), rule, {**rule, "id": "ban-sao"})
    assert reads(delete_rule(content, index))
    added = add_rule(content, {"id": "moi", "keywords": ["x: y"]})
    assert [trimmed(dict(one)) for one in said(added)] == [*before, {"id": "moi", "keywords": ["x: y"]}]


@settings(max_examples=100)
@given(index=st.integers(0, 3), changes=CHANGES)
def test_comments_stay(index: int, changes: dict[str, Value | None]) -> None:
    """Also within a value that is written again, in every style."""
    content = COMMENTED.encode()
    before = said(content)
    after = change_rule(content, index, changes)
    wanted = {key: value for key, value in {**before[index], **changes}.items() if value is not None}
    assert said(after) == [*before[:index], wanted, *before[index + 1 :]]
    assert_only_within(content, after, index)
    texts = [text for value in changes.values() if value for text in re.findall(r"#", flow(value))]
    if not texts:
        assert comments(after.decode()) == comments(COMMENTED)


@pytest.mark.parametrize("path", [*FILES, SAMPLE], ids=lambda path: path.stem)
def test_adding_copying_and_deleting(path: Path) -> None:
    """Each leaves the other rules unchanged, and deleting undoes the other two byte for byte."""
    for content in variants(path):
        before = said(content)
        new: dict[str, Value] = {"id": "moi", "keywords": ["mới: tinh"], "reply": {"image_url": "https://a.vn/1.jpg"}}
        added = add_rule(content, new)
        assert said(added) == [*before, new]
        assert comments(added.decode("utf-8-sig")) == comments(content.decode("utf-8-sig"))
        for index, rule in enumerate(before):
            doubled = duplicate_rule(content, index, "ban-sao")
            assert said(doubled) == [*before[: index + 1], {**rule, "id": "ban-sao"}, *before[index + 1 :]]
            shorter = delete_rule(content, index)
            assert said(shorter) == [*before[:index], *before[index + 1 :]]
            assert_only_within(content, shorter, index) if len(before) > 1 else None
        loaded = load(added)
        assert loaded.file is not None
        assert loaded.file.rules[-1] == Rule.model_validate(new)


def test_a_changed_rule_keeps_the_style_of_the_file() -> None:
    """Comments at the end of a line stay there."""
    content = COMMENTED.encode()
    after = change_rule(content, 0, {"priority": "7", "keywords": ["giá"], "cooldown": "10m"}).decode()
    assert "    priority: 7 # cao\n" in after
    assert "    keywords: [giá]\n    # danh sách\n    # hay hỏi\n    exclude" in after
    assert "  # ảnh\n    cooldown: 10m\n    # cuối luật giá\n" in after
    assert change_rule(content, 3, {"enabled": None}).decode().partition("- id: tat")[1]
    assert change_rule(content, 1, {"id": "ship"}) == content


def test_a_comment_does_not_become_part_of_a_text_below_a_removed_key() -> None:
    """It goes above the rule that it stood in."""
    content = b"rules:\n  - exclude: [x]\n\n    # why\n    pattern: >-\n      abc\n    id: a\n"
    after = change_rule(content, 0, {"exclude": None})
    assert after == b"rules:\n  # why\n  - pattern: >-\n      abc\n    id: a\n"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("rules: [{id: a, keywords: [a]}]\n", 1),
        ("version: 1\n", 1),
        ("{rules: []}\n", 1),
        ("version: 1\nrules:\n  a: b\n", 2),
        ("rules:\n  - id: a\n  - b\n", 3),
        ("rules:\n  - id: a\n    x: [\n", 4),
        ("rules:\n  - id: a\u2028b\n", 2),
        ("rules:\r  - id: a\n", 1),
    ],
)
def test_files_that_cannot_be_edited_by_rules_are_refused(text: str, line: int) -> None:
    """With the line that the editor must change."""
    with pytest.raises(NotEditable) as caught:
        add_rule(change_rule(text.encode(), 0, {"id": "x"}), {"id": "b"})
    assert caught.value.line == line


@given(TEXTS)
def test_any_text_is_read_back(text: str) -> None:
    """In brackets and alone."""
    line = f"[{scalar(text)}, {{k: {scalar(text)}}}]"
    assert yaml.load(line, yaml.CBaseLoader) == [text, {"k": text}]


@pytest.mark.parametrize("path", [*FILES, SAMPLE], ids=lambda path: path.stem)
@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_several_changes_at_once(path: Path, data: st.DataObject) -> None:
    """The result equals that of single changes, in every style."""
    content = data.draw(st.sampled_from(variants(path)))
    count = len(said(content))
    changes = data.draw(st.dictionaries(st.integers(0, max(0, count - 1)), CHANGES, max_size=count))
    new: list[dict[str, Value]] = [
        {"id": name, "keywords": [name]} for name in data.draw(st.sampled_from(["", "a", "ab"]))
    ]
    expected = content
    for index, change in changes.items():
        expected = change_rule(expected, index, change)
    for rule in new:
        expected = add_rule(expected, rule)
    assert add_rules(change_rules(content, changes), new) == expected
