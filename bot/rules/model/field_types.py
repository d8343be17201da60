"""Field types of rules.yaml: the parser of each, and its JSON Schema for completion."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ValidationInfo, WithJsonSchema

from bot.rules.language.text import MAX_LENGTH
from bot.rules.model import field_parsers
from bot.rules.model.field_parsers import field_error
from bot.rules.model.image_links import LONGEST as LONGEST_LINK
from bot.rules.model.image_links import image_link
from bot.zalo import EVENT_KINDS

_LONGEST = 200
_PLAIN = re.compile(r"""[^\W_](?:[^\[\]{},#:"'\\\n]*[^\[\]{},#:"'\\\s])?""")
_TEXT = {"type": ["string", "number", "boolean", "null"]}  # an editor types 199, no or null without quotes


def _read(parse: Callable[[str], Any], longest: int = _LONGEST) -> BeforeValidator:
    """Return a validator that parses the typed text; a value that is parsed already passes."""

    def read(value: object) -> object:
        if isinstance(value, str):
            return parse(short(value, longest))
        if isinstance(value, list | dict):
            raise field_error("not-text")
        return value

    return BeforeValidator(read)


def _schema(pattern: str, *examples: str) -> WithJsonSchema:
    """Return the JSON Schema of a text that matches *pattern*."""
    return WithJsonSchema({"type": "string", "pattern": pattern, "examples": list(examples)})


def short(value: str, longest: int = _LONGEST) -> str:
    """Refuse a text longer than any valid one: finding suggestions for it would take long."""
    if len(value) > longest:
        raise field_error("too-long", limit=longest, size=len(value))
    return value


def one_line(value: object) -> object:
    """Refuse ``giá: 50k`` in a list of texts: the colon makes it a mapping."""
    match value:
        case {"text": _} | {"match": _}:
            return value
        case dict() if len(value) == 1:
            ((key, rest),) = value.items()
            if isinstance(rest, str) and rest:
                raise field_error("colon-in-text", near=quote_text(f"{key}: {rest}"))
    return value


def _items(value: object, info: ValidationInfo) -> object:
    """Refuse an empty list, and anything but a list."""
    key = "reply" if info.field_name == "images" else str(info.field_name)
    match value:
        case str() if value.strip():
            raise field_error("not-a-list/near", key=key, near=_as_items(key, short(value, MAX_LENGTH)))
        case str() | dict():
            raise field_error("not-a-list", key=key)
        case []:
            raise field_error("empty-list", key=key)
    return value


def _groups(value: object) -> object:
    """Refuse ``all_of: [tết, giảm giá]``: its items must be lists."""
    match value:
        case [*_] if any(isinstance(item, str) and item for item in value):
            groups: list[list[object]] = [item if isinstance(item, list) else [item] for item in value]
            if all(isinstance(word, str) for group in groups for word in group):
                raise field_error("flat-groups", near=_nested(groups))
    return value


def _nested(groups: Iterable[Iterable[object]]) -> str:
    return f"[{', '.join(flow_list(map(str, group)) for group in groups)}]"


def _rules(value: object) -> object:
    if isinstance(value, str | dict):
        raise field_error("rules-no-list")
    return value


def as_list(value: str) -> str:
    """Return the YAML for a text that holds several: ``[gia, bang gia]``."""
    return flow_list(_parts(value))


def flow_list(texts: Iterable[str]) -> str:
    """Return the texts as a YAML flow sequence."""
    return f"[{', '.join(map(flow_text, texts))}]"


def flow_text(text: str) -> str:
    """
    Return a text as an item of a YAML flow sequence, quoted if necessary.

    >>> flow_text("bảng giá"), flow_text("giá: 50k")
    ('bảng giá', '"giá: 50k"')
    """
    return text if _PLAIN.fullmatch(text) else quote_text(text)


def quote_text(text: str) -> str:
    """
    Return a text of one line as a quoted YAML scalar.

    >>> quote_text("giá: 50k"), quote_text('bàn 24"')
    ('"giá: 50k"', '\'bàn 24"\'')
    """
    return "'" + text.replace("'", "''") + "'" if '"' in text or "\\" in text else f'"{text}"'


def _parts(value: str) -> list[str]:
    return [part.strip() for part in field_parsers.SEPARATORS.split(value.strip("[]{} ")) if part.strip()]


def _as_items(key: str, value: str) -> str:
    """Return the YAML for a text where *key* needs a list."""
    if key == "all_of":
        return f"[{', '.join(flow_list([part]) for part in _parts(value))}]"
    if key == "days":
        days = [day for part in _parts(value) for day in field_parsers.days_meant(part) or (part,)]
        return flow_list(days)
    return as_list(value)


Text = Annotated[
    str, _read(field_parsers.text, MAX_LENGTH), BeforeValidator(one_line), WithJsonSchema({**_TEXT, "minLength": 1})
]
ShortText = Annotated[
    str, _read(field_parsers.text), BeforeValidator(one_line), WithJsonSchema({**_TEXT, "minLength": 1})
]
"""A keyword or an abbreviation; its length is limited because each word is indexed in memory."""
Id = Annotated[
    str,
    _read(field_parsers.identifier),
    WithJsonSchema({"type": ["string", "integer"], "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$"}),
]
Version = Annotated[int, _read(field_parsers.version), WithJsonSchema({"enum": [1, "1"]})]
Flag = Annotated[bool, _read(field_parsers.boolean), WithJsonSchema({"type": "boolean"})]
Priority = Annotated[
    int,
    _read(field_parsers.integer(-1000, 1000)),
    WithJsonSchema({"type": "integer", "minimum": -1000, "maximum": 1000}),
]
Weight = Annotated[
    int, _read(field_parsers.integer(1, 1000)), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": 1000})
]
Match = Annotated[
    Literal["phrase", "exact", "prefix", "contains"],
    _read(field_parsers.match),
    WithJsonSchema({"enum": list(field_parsers.MATCHES)}),
]
Event = Annotated[str, _read(field_parsers.event), WithJsonSchema({"enum": list(EVENT_KINDS)})]
Weekday = Annotated[str, _read(field_parsers.weekday), WithJsonSchema({"enum": list(field_parsers.DAYS)})]
Timezone = Annotated[
    str,
    _read(field_parsers.timezone),
    _schema("^[A-Za-z_]+(/[A-Za-z0-9_+-]+)*$", "Asia/Ho_Chi_Minh"),
]
OaId = Annotated[
    str, _read(field_parsers.oa_id), WithJsonSchema({"type": ["string", "integer"], "pattern": "^[0-9]{1,20}$"})
]
Day = Annotated[
    date,
    _read(field_parsers.calendar_date),
    _schema("^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "2027-01-20"),
]
Duration = Annotated[
    timedelta,
    _read(field_parsers.duration),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]+ ?[smhd]$", "examples": ["30s", "10m", "24h", "7d"]}),
]
Link = Annotated[str, _read(image_link, LONGEST_LINK), WithJsonSchema({"type": "string", "pattern": "^https://"})]
AttachmentId = Annotated[
    str,
    _read(field_parsers.attachment_id, LONGEST_LINK),
    WithJsonSchema({"type": ["string", "integer"], "minLength": 1}),
]
ImageFileName = Annotated[
    str,
    _read(field_parsers.image_file_name),
    WithJsonSchema({**_TEXT, "minLength": 1, "examples": ["images/menu.jpg"]}),
]
Items = BeforeValidator(_items)
Groups = BeforeValidator(_groups)
RuleItems = BeforeValidator(_rules)
