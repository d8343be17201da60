"""The JSON Schema of rules.yaml, as editors use it for completion."""

from __future__ import annotations

from typing import Any

from bot.rules.model.schema import RuleFile, in_both

_HOURS = "^([01]?[0-9]|2[0-3]):[0-5][0-9] ?- ?([01]?[0-9]|2[0-3]):[0-5][0-9]$"


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of rules.yaml, as editors use it for completion."""
    schema: dict[str, Any] = _tidy(RuleFile.model_json_schema(mode="validation", by_alias=True))
    definitions = schema["$defs"]
    image = {"$ref": "#/$defs/Image"}
    images = {"type": "array", "items": image, "minItems": 1}
    definitions["Keyword"] = {"anyOf": [definitions["Keyword"]["properties"]["text"], definitions["Keyword"]]}
    without_else = {"required": ["image_url"], "not": {"required": ["else"]}}
    definitions["Image"]["oneOf"] = [without_else, {"required": ["attachment_id"]}, {"required": ["file"]}]
    chosen = {"description": in_both("Gửi một ảnh trong số này.", "Sends one of these pictures."), **images}
    one_of = {
        "type": "object",
        "properties": {"one_of": chosen},
        "required": ["one_of"],
        "additionalProperties": False,
    }
    definitions["Reply"] = {"anyOf": [image, images, one_of]}
    del schema["properties"]["rules"]["minItems"]  # a file with only a fallback is valid
    definitions["Hours"] = {"type": "string", "pattern": _HOURS, "examples": ["08:00-21:30", "22:00-06:00"]}
    about = in_both("Bot trả lời khách bằng ảnh nào, khi nào.", "Which pictures customers are answered with, and when.")
    dialect = "https://json-schema.org/draft/2020-12/schema"
    return {"$schema": dialect, "title": "rules.yaml", "description": about, **schema}


def _tidy(schema: Any) -> Any:
    """Return the schema without parts that are not for editors of the file: nulls, empty lists, docstrings."""
    if isinstance(schema, list):
        return [_tidy(item) for item in schema if item != {"type": "null"}]
    if not isinstance(schema, dict):
        return schema
    is_model = schema.get("type") == "object" and "properties" in schema
    dropped = {"title", "description"} if is_model else {"title"} if isinstance(schema.get("title"), str) else set()
    tidy = {
        key: _tidy(value) for key, value in schema.items() if key not in dropped and (key, value) != ("default", None)
    }
    if tidy.get("type") == "array":
        tidy["minItems"] = 1
        tidy.pop("default", None)
    only = tidy.get("anyOf", ())
    return {**only[0], **{k: v for k, v in tidy.items() if k != "anyOf"}} if len(only) == 1 else tidy
