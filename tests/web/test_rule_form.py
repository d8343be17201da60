"""The form of one rule by itself: what it shows comes back as it was, and what cannot be read stays as typed."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask, g
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from bot.rules.model.schema import Rule
from bot.rules.publishing.edit import change_rule, rules_in
from bot.rules.reading.loader import load
from bot.web.console.rule_form.form_fields import (
    Fields,
    amount_and_unit,
    changes,
    day_first,
    fields_of_form,
    fields_of_rule,
    fits_form,
    image_rows,
    keyword_rows,
    moved_up,
)
from bot.web.console.rule_form.form_mistakes import mistakes
from tests.support.golden import GOOD

FILES = [*sorted(GOOD.glob("*.yaml")), Path(__file__).parents[2] / "bot" / "rules" / "starters" / "tiem-banh.yaml"]


def sent(rule: Rule) -> MultiDict[str, str]:
    """Return what a browser sends of an untouched form."""
    fields = fields_of_rule(rule)
    form: MultiDict[str, str] = MultiDict()
    for name, key in (("keyword", "keywords"), ("exclude", "exclude")):
        for text, match in [*keyword_rows(fields.get(key, [])), ("", "phrase")]:
            form.add(name, text)
            form.add(f"{name}_match", match)
    for image in [*image_rows(fields["reply"]), *image_rows([{"image_url": ""}])]:
        for name, key in (("kind", "kind"), ("ref", "image"), ("weight", "weight"), ("uploaded", "uploaded")):
            form.add(f"image_{name}", image[key])
        form.add("image_else", image["else"])
    for key in ("id", "on", "pattern", "priority"):
        form[key] = str(fields.get(key, "text" if key == "on" else ""))
    for key in ("oa", "examples", "not_examples"):
        form[key] = "\r\n".join(map(str, fields.get(key, [])))
    form["all_of"] = "\r\n".join(", ".join(map(str, group)) for group in fields.get("all_of", []))
    active = fields.get("active", {})
    assert isinstance(active, dict)
    for day in active.get("days", []):
        form.add("days", str(day))
    form["from"], form["until"] = (day_first(str(active.get(key, ""))) for key in ("from", "until"))
    form["hours_from"], _, form["hours_until"] = str(active.get("hours", "")).partition("-")
    form["cooldown"], form["cooldown_unit"] = amount_and_unit(str(fields.get("cooldown", "")))
    form["order"] = "one_of" if "one_of" in fields["reply"] else "all"
    if fields.get("enabled") != "false":
        form["enabled"] = "true"
    return form


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_untouched_form_changes_nothing(path: Path) -> None:
    """Not a byte of any rule."""
    content = path.read_bytes()
    file = load(content).file
    assert file is not None
    for index, rule in enumerate(file.rules):
        assert fits_form(rule)
        found = changes(fields_of_rule(rule), fields_of_form(sent(rule)))
        assert found == {}
        assert change_rule(content, index, found) == content


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_rule_written_from_the_form_is_the_same_rule(path: Path) -> None:
    """All of its fields, if every one of them is written anew."""
    content = path.read_bytes()
    file = load(content).file
    assert file is not None
    for index, rule in enumerate(file.rules):
        keys = dict.fromkeys(rules_in(content)[index].fields)
        bare = change_rule(content, index, {key: None for key in keys if key not in {"id", "keywords", "on"}})
        again = load(change_rule(bare, index, dict(fields_of_form(sent(rule))))).file
        assert again is not None
        assert again.rules[index] == rule


RULES = [(path, index) for path in FILES for index in range(len(rules_in(path.read_bytes())))]
WORDS = st.text(st.sampled_from("ảăđ yẹ#:-,'\"[]{}!&*%@0"), min_size=1, max_size=12)
EDITS = st.one_of(
    st.tuples(st.just("keyword"), WORDS),
    st.tuples(st.just("pick"), st.from_regex(r"images/[a-z0-9-]{1,9}\.(jpg|png)", fullmatch=True)),
    st.tuples(st.sampled_from(["examples", "not_examples", "all_of"]), WORDS),
    st.tuples(st.just("order"), st.sampled_from(["all", "one_of"])),
    st.tuples(st.just("priority"), st.integers(-9, 9).map(str)),
    st.tuples(st.just("enabled"), st.just("")),
    st.tuples(st.just("move"), st.integers(0, 9).map(str)),
)


@given(place=st.sampled_from(RULES), edits=st.lists(EDITS, max_size=5))
def test_whatever_is_changed_in_the_form_no_other_rule_is_touched(
    place: tuple[Path, int], edits: list[tuple[str, str]]
) -> None:
    """Every byte outside the rule stays, and the rule reads back as what the form said."""
    path, index = place
    content = path.read_bytes()
    file = load(content).file
    assert file is not None
    form = sent(file.rules[index])
    for name, value in edits:
        if name == "keyword":
            form.add("keyword_match", "exact")
        if name in {"keyword", "pick"}:
            form.add(name, value)
        else:
            form[name] = value
    fields = moved_up(fields_of_form(form), int(form.get("move", "0")))
    before = rules_in(content)[index]
    changed = change_rule(content, index, changes(fields_of_rule(file.rules[index]), fields))
    start, end = content.index(before.content), len(content) - content.index(before.content) - len(before.content)
    assert changed.startswith(content[:start])
    assert changed.endswith(content[len(content) - end :])
    again = load(changed).file
    if again is not None:  # an example that another rule answers, or too many images, is the check's matter
        assert fields_of_rule(again.rules[index]) == fields


def test_an_image_is_moved_before_the_one_above_it() -> None:
    """In a list and among several of which one is sent; what cannot move stays."""
    one, two, three = ({"file": f"{name}.jpg"} for name in "abc")
    assert moved_up({"reply": [one, two, three]}, 3) == {"reply": [one, three, two]}
    assert moved_up({"reply": {"one_of": [one, two]}}, 2) == {"reply": {"one_of": [two, one]}}
    for number in (0, 1, 4):
        assert moved_up({"reply": [one, two, three]}, number) == {"reply": [one, two, three]}
    assert moved_up({"reply": one}, 2) == {"reply": one}


def test_what_a_browser_sends() -> None:
    """Invisible letters and blanks are left out; days are read as Vietnamese writes them; nonsense stays as typed."""
    form = MultiDict(
        [
            ("keyword", " bảng \u200bgiá "), ("keyword_match", "phrase"),
            ("keyword", "#km\n#sale"), ("keyword_match", "exact"),
            ("keyword_new", "a, b\t1,5 kg;  c | #KM\n#km"), ("keyword_new_match", "phrase"),
            ("from", "1/2/27"), ("until", "32.13.2027"), ("hours_from", "08:00"), ("days", "sun"), ("days", "mon"),
            ("cooldown", "10"), ("cooldown_unit", "h"), ("priority", "0"), ("oa", "1, 2\n3"), ("enabled", "true"),
            ("all_of", "tết, tet\n\ngiảm giá"), ("image_kind", "file"), ("image_ref", "a.jpg"), ("image_weight", "2"),
            ("image_uploaded", ""), ("image_else", "https://a.vn/1.jpg"), ("order", "one_of"),
        ]
    )  # fmt: skip
    assert fields_of_form(form) == {
        "keywords": [
            "bảng giá", {"text": "#km", "match": "exact"}, {"text": "#sale", "match": "exact"},
            "a", "b", "1,5 kg", "c", "#KM", "#km",
        ],
        "all_of": [["tết", "tet"], ["giảm giá"]],
        "active": {"from": "2027-02-01", "until": "32.13.2027", "days": ["mon", "sun"], "hours": "08:00-"},
        "cooldown": "10h",
        "oa": ["1", "2", "3"],
        "reply": {"one_of": [{"file": "a.jpg", "weight": "2", "else": {"image_url": "https://a.vn/1.jpg"}}]},
    }  # fmt: skip


def test_words_do_not_count_where_the_form_hides_them() -> None:
    """For a sticker: what was typed before the kind was chosen."""
    form = MultiDict([("id", "a"), ("on", "sticker"), ("keyword", "x"), ("keyword_match", "phrase"), ("enabled", "1")])
    form.update({"examples": "x", "not_examples": "y", "all_of": "a", "pattern": "b"})
    assert fields_of_form(form) == {"id": "a", "on": "sticker"}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"active": {"from": "20/1"}}, "“20/1” is not a day"),
        ({"active": {"from": "2027-02-01", "until": "2027-01-31"}}, "before the first"),
        ({"active": {"hours": "22:00-"}}, "both hours"),
        ({"active": {"hours": "-02:00"}}, "both hours"),
        ({"active": {"hours": "02:00-02:00"}}, "whole day"),
        ({"cooldown": "1,5m"}, "Wait before the same customer gets it again: write a whole number, not “1,5”"),
        ({"priority": "cao"}, "whole number from -1000 to 1000, not “cao”"),
        ({"priority": "-1001"}, "not “-1001”"),
        ({"reply": {"one_of": [{"file": "a.jpg", "weight": "0"}]}}, "from 1 to 1000, not “0”"),
        ({"reply": {"file": "a.jpg", "uploaded": "hôm qua"}}, "“hôm qua” is not a day"),
    ],
)
def test_invalid_values_are_reported_in_the_terms_of_the_form(fields: Fields, words: str) -> None:
    with Flask(__name__).app_context():
        g.lang = "en"
        assert len(mistakes(fields)) == 1
        assert words in mistakes(fields)[0]


def test_what_the_form_can_take_is_no_mistake() -> None:
    """Also hours past midnight."""
    active: Fields = {"from": "2027-01-31", "until": "2027-01-31", "days": ["mon"], "hours": "22:00-02:00"}
    reply: Fields = {"file": "a.jpg", "weight": "3", "uploaded": "2027-01-01"}
    assert mistakes({"active": active, "priority": "-1000", "cooldown": "90m", "reply": reply}) == []


def test_what_the_form_cannot_show() -> None:
    """Groups with other kinds of match, or with a word that reads as a list."""
    image = {"image_url": "https://a.vn/1.jpg"}
    for word in ({"text": "a", "match": "exact"}, "a,5 lít"):
        assert not fits_form(Rule.model_validate({"id": "a", "all_of": [[word]], "reply": image}))
    assert fits_form(Rule.model_validate({"id": "a", "all_of": [["1,5 lít"]], "reply": image}))
