"""The form of one rule: convert its fields from a rule and from a browser's request to values of rules.yaml."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Final

from werkzeug.datastructures import MultiDict

from bot.rules.model.field_parsers import DAYS
from bot.rules.model.schema import Active, Image, Keyword, Reply, Rule
from bot.rules.publishing.yaml_text import Value

#: The keys that the form shows; other keys of a rule stay unchanged in the file.
FIELDS: Final = (
    "id", "on", "keywords", "exclude", "all_of", "pattern", "priority", "enabled", "active", "cooldown", "oa", "reply",
    "examples", "not_examples",
)  # fmt: skip
_OF_TEXTS: Final = ("keywords", "exclude", "all_of", "pattern", "examples", "not_examples")
IMAGE_KINDS: Final = ("image_url", "file", "attachment_id")
UNITS: Final[Mapping[str, int]] = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}

Fields = dict[str, Value]

_INVISIBLE: Final = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")
_DAY_FIRST: Final = re.compile(r"(\d{1,2})\s*[/.-]\s*(\d{1,2})\s*[/.-]\s*(\d{4}|\d{2})", re.ASCII)
_CENTURY: Final = "20"
# What separates the words of a list, typed or copied from a spreadsheet; a comma between digits is part of a number.
_SEPARATOR: Final = re.compile(r"[\t\n\r;|]|,(?!\d)|(?<!\d),")


def fields_of_rule(rule: Rule) -> Fields:
    """Return the form's fields of a rule, without those that have their default."""
    found: dict[str, Value | None] = {
        "id": rule.id,
        "on": rule.on if rule.on != "text" else None,
        "keywords": [_keyword(keyword) for keyword in rule.keywords],
        "exclude": [_keyword(keyword) for keyword in rule.exclude],
        "all_of": [[_keyword(keyword) for keyword in group] for group in rule.all_of],
        "pattern": rule.pattern,
        "priority": str(rule.priority) if rule.priority else None,
        "enabled": None if rule.enabled else "false",
        "active": _active(rule.active) if rule.active else None,
        "cooldown": _duration(rule.cooldown) if rule.cooldown is not None else None,
        "oa": list(rule.oa),
        "reply": _reply(rule.reply),
        "examples": list(rule.examples),
        "not_examples": list(rule.not_examples),
    }
    return {key: value for key, value in found.items() if value}


def fields_of_form(form: MultiDict[str, str]) -> Fields:
    """Return the fields of a request; an unreadable value stays as typed, so that the check reports it."""
    found: dict[str, Value | None] = {
        "id": clean(form.get("id", "")),
        "on": kind if (kind := form.get("on", "text")) != "text" else None,
        "keywords": _keywords(form, "keyword"),
        "exclude": _keywords(form, "exclude"),
        "all_of": [words for line in _lines(form.get("all_of", "")) if (words := list[Value](_listed(line)))],
        "pattern": clean(form.get("pattern", "")),
        "priority": number if (number := clean(form.get("priority", ""))) != "0" else None,
        "enabled": None if form.get("enabled") else "false",
        "active": _active_of_form(form),
        "cooldown": f"{number}{form.get('cooldown_unit', 'm')}"
        if (number := clean(form.get("cooldown", "")))
        else None,
        "oa": [word for line in _lines(form.get("oa", "").replace(",", "\n")) for word in _listed(line)],
        "reply": _reply_of_form(form),
        "examples": list(_lines(form.get("examples", ""))),
        "not_examples": list(_lines(form.get("not_examples", ""))),
    }
    if kind != "text":  # the form shows no fields for words then
        found |= dict.fromkeys(_OF_TEXTS)
    return {key: value for key, value in found.items() if value}


def changes(before: Fields, after: Fields) -> dict[str, Value | None]:
    """Return the changes of a form, for `bot.rules.publishing.edit.change_rule`."""
    return {key: after.get(key) for key in FIELDS if before.get(key) != after.get(key)}


def fits_form(rule: Rule) -> bool:
    """Return whether the form can show the rule completely: it shows a group of words as one comma-separated line."""
    grouped = [keyword for group in rule.all_of for keyword in group]
    return all(keyword.match == "phrase" and _listed(keyword.text) == [keyword.text] for keyword in grouped)


def moved_up(fields: Fields, number: int) -> Fields:
    """Return the fields with image *number*, from 1, moved up by one; unchanged if there is no such image."""
    reply = fields.get("reply")
    images = reply["one_of"] if isinstance(reply, dict) and "one_of" in reply else reply
    if not isinstance(images, list) or not 1 < number <= len(images):
        return fields
    order = [*images[: number - 2], images[number - 1], images[number - 2], *images[number:]]
    return {**fields, "reply": order if images is reply else {"one_of": order}}


def keyword_rows(value: Value) -> list[tuple[str, str]]:
    """Return the words and the match kind of each keyword."""
    items = value if isinstance(value, list) else []
    rows = ((item, "phrase") if isinstance(item, str) else _pair(item) for item in items)
    return list(rows)


def image_rows(value: Value) -> list[Mapping[str, str]]:
    """Return the form's fields of each image: kind, image, weight, uploaded, else."""
    if isinstance(value, dict) and "one_of" in value:
        value = value["one_of"]
    images = value if isinstance(value, list) else [value] if value else []
    return [_image_row(image) for image in images if isinstance(image, dict)]


def amount_and_unit(duration: str) -> tuple[str, str]:
    """
    Return the number and the unit of a duration.

    >>> amount_and_unit("10m"), amount_and_unit("")
    (('10', 'm'), ('', 'm'))
    """
    return (duration[:-1], duration[-1]) if duration[-1:] in UNITS else (duration, "m")


def is_day(value: str) -> bool:
    """Return whether a text is a day of the calendar in the form of rules.yaml."""
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def day_first(value: str) -> str:
    """
    Return a date in Vietnamese order; anything else stays unchanged.

    >>> day_first("2027-01-20")
    '20/01/2027'
    """
    return f"{date.fromisoformat(value):%d/%m/%Y}" if is_day(value) else value


def iso_day(text: str) -> str:
    """
    Return a day that is written in Vietnamese order in the form of rules.yaml; anything else stays as typed.

    >>> iso_day("20/1/27"), iso_day("32/1/2027")
    ('2027-01-20', '32/1/2027')
    """
    text = clean(text)
    found = _DAY_FIRST.fullmatch(text)
    if not found:
        return text
    year = found[3] if len(found[3]) == len("2027") else f"{_CENTURY}{found[3]}"
    day = f"{year}-{int(found[2]):02}-{int(found[1]):02}"
    return day if is_day(day) else text


def _pair(item: Value) -> tuple[str, str]:
    return (str(item["text"]), str(item.get("match", "phrase"))) if isinstance(item, dict) else ("", "phrase")


def _image_row(image: Mapping[str, Value]) -> Mapping[str, str]:
    kind = next((kind for kind in IMAGE_KINDS if kind in image), IMAGE_KINDS[0])
    other = image.get("else")
    return {
        "kind": kind,
        "image": str(image.get(kind, "")),
        "weight": str(image.get("weight", "")),
        "uploaded": day_first(str(image.get("uploaded", ""))),
        "else": str(other["image_url"]) if isinstance(other, dict) else "",
    }


def _keyword(keyword: Keyword) -> Value:
    text = clean(keyword.text)
    return text if keyword.match == "phrase" else {"text": text, "match": keyword.match}


def _active(active: Active) -> Value:
    hours = active.hours
    found: dict[str, Value] = {
        "from": active.from_date.isoformat() if active.from_date else "",
        "until": active.until.isoformat() if active.until else "",
        "days": [day for day in DAYS if day in active.days],
        "hours": f"{hours.start:%H:%M}-{hours.end:%H:%M}" if hours else "",
    }
    return {key: value for key, value in found.items() if value}


def _duration(time: timedelta) -> str:
    seconds = int(time.total_seconds())
    unit = next(unit for unit, size in UNITS.items() if seconds % size == 0)
    return f"{seconds // UNITS[unit]}{unit}"


def _reply(reply: Reply) -> Value:
    images: list[Value] = [_image(image) for image in reply.images]
    if reply.one_of:
        return {"one_of": images}
    return images if len(images) > 1 else images[0]


def _image(image: Image) -> Value:
    found: dict[str, Value] = {
        kind: reference for kind in IMAGE_KINDS if (reference := getattr(image, kind)) is not None
    }
    if image.uploaded:
        found["uploaded"] = image.uploaded.isoformat()
    if image.weight != 1:
        found["weight"] = str(image.weight)
    if image.otherwise:
        found["else"] = {"image_url": image.otherwise.image_url}
    return found


def clean(text: str) -> str:
    """Return the text on one line, without invisible characters and lone surrogates."""
    return " ".join(_INVISIBLE.sub("", text).encode(errors="ignore").decode().split())


def _lines(text: str) -> Iterator[str]:
    return filter(None, map(clean, text.splitlines()))


def _listed(text: str) -> list[str]:
    """Return the words of a list."""
    return [word for part in _SEPARATOR.split(text) if (word := clean(part))]


def _keywords(form: MultiDict[str, str], name: str) -> list[Value]:
    """Return the keywords of the fields; what was typed into an empty one may be a list, what was there is a whole."""
    found = [_matched(word, match) for text, match in _columns(form, name) for word in _lines(text)]
    new = [_matched(word, match) for text, match in _columns(form, f"{name}_new") for word in _listed(text)]
    return found + [word for index, word in enumerate(new) if word not in [*found, *new[:index]]]


def _columns(form: MultiDict[str, str], name: str) -> Iterator[tuple[str, str]]:
    """Yield the texts of the fields with that name, and the match kind beside each."""
    return zip(form.getlist(name), form.getlist(f"{name}_match"), strict=False)


def _matched(word: Value, match: str) -> Value:
    return word if match == "phrase" else {"text": word, "match": match}


def _active_of_form(form: MultiDict[str, str]) -> Value:
    start, end = form.get("hours_from", "").strip(), form.get("hours_until", "").strip()
    found: dict[str, Value] = {
        "from": iso_day(form.get("from", "")),
        "until": iso_day(form.get("until", "")),
        "days": [day for day in DAYS if day in form.getlist("days")],
        "hours": f"{start}-{end}" if start or end else "",
    }
    return {key: value for key, value in found.items() if value}


def _reply_of_form(form: MultiDict[str, str]) -> Value:
    columns: Sequence[Iterable[str]] = [
        form.getlist(f"image_{name}") for name in ("kind", "ref", "weight", "uploaded", "else")
    ]
    images: list[Value] = []
    for kind, reference, weight, uploaded, other in zip(*columns, strict=False):
        image: dict[str, Value] = {kind if kind in IMAGE_KINDS else IMAGE_KINDS[0]: clean(reference)}
        if clean(uploaded):
            image["uploaded"] = iso_day(uploaded)
        if clean(weight) not in {"", "1"}:
            image["weight"] = clean(weight)
        if clean(other):
            image["else"] = {"image_url": clean(other)}
        if clean(reference) or len(image) > 1:
            images.append(image)
    images += [{"file": name} for name in map(clean, form.getlist("pick")) if name]
    if form.get("order") == "one_of" and images:
        return {"one_of": images}
    return images if len(images) != 1 else images[0]
