"""The form of one rule by itself: what it shows comes back as it was, and what cannot be read stays as typed."""

from __future__ import annotations

from pathlib import Path

import pytest
from werkzeug.datastructures import MultiDict

from bot.rules.model.schema import Rule
from bot.rules.publishing.edit import change_rule, rules_in
from bot.rules.reading.loader import load
from bot.web.console.rule_form import (
    amount_and_unit,
    changes,
    day_first,
    fields_of_form,
    fields_of_rule,
    fits_form,
    image_rows,
    keyword_rows,
)
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


def test_what_a_browser_sends() -> None:
    """Invisible letters and blanks are left out; days are read as Vietnamese writes them; nonsense stays as typed."""
    form = MultiDict(
        [
            ("keyword", " bảng \u200bgiá "), ("keyword_match", "phrase"),
            ("keyword", "#km\n#sale"), ("keyword_match", "exact"),
            ("from", "1/2/2027"), ("until", "32.13.2027"), ("hours_from", "08:00"), ("days", "sun"), ("days", "mon"),
            ("cooldown", "10"), ("cooldown_unit", "h"), ("priority", "0"), ("oa", "1, 2\n3"), ("enabled", "true"),
            ("all_of", "tết, tet\n\ngiảm giá"), ("image_kind", "file"), ("image_ref", "a.jpg"), ("image_weight", "2"),
            ("image_uploaded", ""), ("image_else", "https://a.vn/1.jpg"), ("order", "one_of"),
        ]
    )  # fmt: skip
    assert fields_of_form(form) == {
        "keywords": ["bảng giá", {"text": "#km", "match": "exact"}, {"text": "#sale", "match": "exact"}],
        "all_of": [["tết", "tet"], ["giảm giá"]],
        "active": {"from": "2027-02-01", "until": "2027-13-32", "days": ["mon", "sun"], "hours": "08:00-"},
        "cooldown": "10h",
        "oa": ["1", "2", "3"],
        "reply": {"one_of": [{"file": "a.jpg", "weight": "2", "else": {"image_url": "https://a.vn/1.jpg"}}]},
    }


def test_what_the_form_cannot_show() -> None:
    """Groups with other kinds of match, or with commas in a word."""
    image = {"image_url": "https://a.vn/1.jpg"}
    for word in ({"text": "a", "match": "exact"}, "1,5 lít"):
        assert not fits_form(Rule.model_validate({"id": "a", "all_of": [[word]], "reply": image}))
