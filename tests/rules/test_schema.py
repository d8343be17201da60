"""The models, and the JSON Schema that is made from them."""

from __future__ import annotations

import json
import re
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from bot.rules.catalog.messages import MESSAGES
from bot.rules.model import schema
from bot.rules.model.json_schema import json_schema
from bot.rules.model.schema import Active, Fallback, Image, Keyword, Reply, Rule, RuleFile
from bot.rules.reading.loader import load
from bot.zalo import EVENT_KINDS

CHECKED_IN = Path(schema.__file__).parents[1] / "rules.schema.json"

EVERYTHING = """
version: 1
timezone: Asia/Bangkok
abbreviations: {bn: bao nhiêu}
typos: false
rules:
  - id: tet-2027
    keywords: [khuyến mãi, {text: "#km", match: exact}]
    exclude: [hết hạn]
    all_of: [[tết, xuân], [quà]]
    pattern: '\\bkm ?[0-9]+'
    priority: -5
    enabled: FALSE
    active: {from: 2027-01-20, until: 2027-02-20, days: [mon, sun], hours: 22:00-6:30}
    cooldown: 10m
    oa: [0388613280878808645]
    reply:
      one_of:
        - {attachment_id: aBc, uploaded: 2027-01-21, weight: 2}
        - image_url: https://shop.example/tet.jpg
    examples: [no, 17:30]
    not_examples: [0123]
  - id: chao
    on: follow
    reply: [{image_url: "https://shop.example/1.jpg"}, {image_url: "https://shop.example/2.png"}]
fallback:
  reply: {image_url: "https://shop.example/menu"}
  every: 24h
"""


def read(text: str) -> RuleFile:
    """Return the rules of a file without problems."""
    loaded = load(text.encode())
    assert loaded.problems == ()
    assert loaded.file is not None
    return loaded.file


def test_every_field_is_parsed() -> None:
    """All of the format in one file; texts that YAML would take for numbers or dates stay as typed."""
    file = read(EVERYTHING)
    tet, hello = file.rules
    assert (file.version, file.timezone, file.abbreviations, file.typos) == (
        1,
        "Asia/Bangkok",
        {"bn": "bao nhiêu"},
        False,
    )
    assert tet.keywords == (Keyword(text="khuyến mãi"), Keyword(text="#km", match="exact"))
    assert tet.exclude == (Keyword(text="hết hạn"),)
    assert tet.all_of == ((Keyword(text="tết"), Keyword(text="xuân")), (Keyword(text="quà"),))
    assert (tet.pattern, tet.priority, tet.enabled, tet.on) == (r"\bkm ?[0-9]+", -5, False, "text")
    assert tet.active is not None
    assert (tet.active.from_date, tet.active.until) == (date(2027, 1, 20), date(2027, 2, 20))
    assert tet.active.days == ("mon", "sun")
    assert tet.active.hours is not None
    assert (tet.active.hours.start, tet.active.hours.end) == (time(22), time(6, 30))
    assert (tet.cooldown, tet.oa) == (timedelta(minutes=10), ("0388613280878808645",))
    assert tet.reply.one_of
    assert [image.weight for image in tet.reply.images] == [2, 1]
    assert tet.reply.images[0].uploaded == date(2027, 1, 21)
    assert (tet.examples, tet.not_examples) == (("no", "17:30"), ("0123",))
    assert hello.on == "follow"
    assert [image.image_url for image in hello.reply.images] == [
        "https://shop.example/1.jpg",
        "https://shop.example/2.png",
    ]
    assert not hello.reply.one_of
    assert file.fallback is not None
    assert file.fallback.every == timedelta(hours=24)


def test_missing_fields_have_their_defaults() -> None:
    """The shortest useful file."""
    file = read('rules: [{id: a, keywords: [menu], reply: {image_url: "https://shop.example/a.jpg"}}]')
    rule = file.rules[0]
    assert (file.version, file.timezone, file.typos, file.abbreviations) == (1, "Asia/Ho_Chi_Minh", True, {})
    assert (rule.priority, rule.enabled, rule.on, rule.oa, rule.exclude) == (0, True, "text", (), ())
    assert rule.active is rule.cooldown is rule.pattern is file.fallback is None


def test_models_can_be_created_in_code() -> None:
    """With values instead of texts, and our names instead of the file's."""
    image = Image(image_url="https://shop.example/a.jpg", uploaded=date(2027, 1, 1))
    reply = Reply(images=(image,), one_of=True)
    active = Active(from_date=date(2027, 1, 1), hours={"start": time(8), "end": time(9)})
    rule = Rule(id="a", keywords=(Keyword(text="x"),), reply=reply, active=active, cooldown=timedelta(1))
    assert RuleFile(rules=(rule,), fallback=Fallback(reply=reply)).rules[0].reply.images == (image,)


def test_models_are_frozen_and_take_no_other_fields() -> None:
    """What was checked cannot change."""
    keyword = Keyword(text="x")
    with pytest.raises(ValidationError):
        keyword.text = "y"  # type: ignore[misc]
    with pytest.raises(ValidationError):
        Keyword.model_validate({"text": "x", "colour": "red"})


def test_our_own_field_names_are_no_keys_of_the_file() -> None:
    """`from_date` and `images` are names of the code."""
    text = """
rules:
  - id: a
    keywords: [x]
    active: {from_date: 2027-01-01}
    reply: {images: [{image_url: "https://shop.example/a.jpg"}]}
"""
    loaded = load(text.encode())
    assert loaded.file is None
    assert [problem.line for problem in loaded.problems if problem.code == "unknown-key"] == [5, 6]


def test_hours_are_one_text() -> None:
    """`start` and `end` are fields of the model; the file has one way to write hours."""
    text = 'rules: [{id: a, keywords: [x], active: {hours: {start: "08:00", end: "9:00"}}, reply: {attachment_id: x}}]'
    assert [problem.code for problem in load(text.encode()).problems] == ["not-text"]


def test_every_required_key_has_its_message() -> None:
    """`missing-key/…` is looked up by name."""
    models = (Keyword, Image, Rule, Fallback, RuleFile, Active)
    required = {name for model in models for name, field in model.model_fields.items() if field.is_required()}
    assert required == {"text", "id", "reply", "rules"}
    assert {f"missing-key/{name}" for name in required} <= MESSAGES.keys()


def test_the_checked_in_json_schema_is_current() -> None:
    """``bot schema > bot/rules/rules.schema.json`` after every change of the models."""
    made = json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"
    assert CHECKED_IN.read_text(encoding="utf-8") == made


def properties_of(node: Any) -> list[tuple[str, dict[str, Any]]]:
    """Return every property of every object in the schema."""
    if isinstance(node, list):
        return [found for item in node for found in properties_of(item)]
    if not isinstance(node, dict):
        return []
    own = node["properties"].items() if isinstance(node.get("properties"), dict) else ()
    return [*own, *(found for value in node.values() for found in properties_of(value))]


def test_every_key_is_explained_in_both_languages() -> None:
    """Completion shows the description and does not know its reader's language."""
    found = properties_of(json_schema())
    assert len(found) > 30
    for name, described in found:
        assert described.get("description", "").count("\n\n") == 1, name


def test_the_json_schema_knows_every_key_and_no_others() -> None:
    """A file that is valid for the schema is valid for us, and the reverse."""
    made = json_schema()
    objects = {"RuleFile": made, **made["$defs"]}
    for model in (Rule, Fallback, Active, Image):
        keys = {field.alias or name for name, field in model.model_fields.items()}
        assert set(objects[model.__name__]["properties"]) == keys
        assert objects[model.__name__]["additionalProperties"] is False
    assert set(made["properties"]) == set(RuleFile.model_fields)
    assert objects["Rule"]["properties"]["on"]["enum"] == list(EVENT_KINDS)


def test_the_json_schema_has_both_forms_of_keyword_and_all_of_reply() -> None:
    """A scalar or a mapping; one image, several, or one of several."""
    definitions = json_schema()["$defs"]
    scalar, mapping = definitions["Keyword"]["anyOf"]
    assert scalar["type"] == ["string", "number", "boolean", "null"]
    assert set(mapping["properties"]) == {"text", "match"}
    one, several, chosen = definitions["Reply"]["anyOf"]
    assert one == several["items"] == chosen["properties"]["one_of"]["items"] == {"$ref": "#/$defs/Image"}


def test_the_json_schema_allows_null_only_for_texts() -> None:
    """For us ``null`` is a word like others; other empty values are mistakes."""
    texts = '["string", "number", "boolean", "null"]'
    schema = json.dumps(json_schema())
    assert texts in schema
    assert '"null"' not in schema.replace(texts, "")


def test_the_json_schema_has_the_forms_of_dates_hours_ids_and_zones() -> None:
    """An editor sees a mistake while typing; every value that the loader accepts is valid."""
    schema = json_schema()
    objects = schema["$defs"]
    hours, day = objects["Hours"]["pattern"], objects["Active"]["properties"]["from"]["pattern"]
    oa = objects["Rule"]["properties"]["oa"]["items"]
    assert re.search(hours, "08:00-21:30")
    assert re.search(hours, "22:00 - 6:00")
    assert not re.search(hours, "8h-21h")
    assert not re.search(hours, "20:00-25:00")
    assert re.search(day, "2027-01-20")
    assert not re.search(day, "20/01/2027")
    assert re.search(oa["pattern"], "388613280878808645")
    assert not re.search(oa["pattern"], "3.88E+17")
    assert re.search(schema["properties"]["timezone"]["pattern"], "Asia/Ho_Chi_Minh")
    assert not re.search(schema["properties"]["timezone"]["pattern"], "GMT+7 giờ")
    assert schema["properties"]["version"]["enum"] == [1, "1"]
