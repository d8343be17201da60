"""Cells of the table of keywords: convert a rule's values to the cells of its row, and back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Final, Literal

from bot.i18n import N_, Language, translator
from bot.rules.language.slug import slug
from bot.rules.model.schema import Rule
from bot.rules.publishing.yaml_text import Value
from bot.web.console.rule_form import form_fields as forms
from bot.web.console.tables.spreadsheet import plain_text

Column = Literal["id", "enabled", "keywords", "exclude", "reply", "examples"]
#: A text and its match kind, one of `bot.rules.model.field_parsers.MATCHES`; "phrase" if it is no keyword.
Item = tuple[str, str]

COLUMNS: Final[Mapping[Column, str]] = {
    "id": N_("Rule"),
    "enabled": N_("Switched on"),
    "keywords": N_("Keywords"),
    "exclude": N_("Unless"),
    "reply": N_("Pictures"),
    "examples": N_("Examples"),
}
_MATCH_NAMES: Final[Mapping[str, str]] = {
    "exact": N_("whole message"),
    "prefix": N_("at the beginning"),
    "contains": N_("letters anywhere"),
}
_LANGUAGES: Final[tuple[Language, ...]] = ("vi", "en")
# Items with a semicolon, bracket or quote are quoted; the longest item is a link.
_ITEM: Final = re.compile(
    r'[ \t]*(?:"((?:[^"]|""){0,3000}+)"[ \t]*(?:\[([^\[\];\n]*)\])?[ \t]*(?=[;\n]|\Z)|([^;\n]*))(?:[;\n]|\Z)'
)
_WITH_MATCH: Final = re.compile(r"(.*?)[ \t]*\[([^\[\]]*)\]")
_NEEDS_QUOTES: Final = re.compile(r'[;\n"\[\]]')


def heading(lang: Language) -> list[str]:
    """Return the names of the columns."""
    return [translator(lang).gettext(name) for name in COLUMNS.values()]


def columns_by_name() -> dict[str, Column]:
    """Return the columns by name: the key of the rules file, and the names in both languages."""
    found: dict[str, Column] = {}
    for column, title in COLUMNS.items():
        for name in (column, *(translator(lang).gettext(title) for lang in _LANGUAGES)):
            found[slug(name)] = column
    return found


def cells_of(rule: Rule, lang: Language) -> dict[Column, str]:
    """Return the cells of a rule, by column."""
    fields = forms.fields_of_rule(rule)
    return {column: plain_text(_cell(column, items_of(column, fields), lang)) for column in COLUMNS}


def items_of(column: Column, fields: forms.Fields) -> list[Item]:
    """Return the items of a rule in a column."""
    value = fields.get(column, [])
    if column in {"keywords", "exclude"}:
        return forms.keyword_rows(value)
    if column == "reply":
        return [(row["image"], "phrase") for row in forms.image_rows(value)]
    if column == "enabled":
        return [("false" if value == "false" else "true", "phrase")]
    return [(str(text), "phrase") for text in (value if isinstance(value, list) else [value])]


def items_in(column: Column, cell: str) -> list[Item]:
    """
    Return the items of a cell, without invisible characters.

    >>> items_in("keywords", 'giá; "a; b"; #km [whole message]')
    [('giá', 'phrase'), ('a; b', 'phrase'), ('#km', 'exact')]
    """
    if column in {"id", "enabled"}:
        found = iter([(cell, "phrase")])
    elif column == "examples":
        found = iter([(line, "phrase") for line in cell.split("\n")])
    else:
        found = _split(cell, has_matches=column != "reply")
    return [(text, match) for words, match in found if (text := forms.clean(words))]


def item_text(column: Column, item: Item, lang: Language) -> str:
    """Return an item as text for a cell."""
    text, match = item
    if column == "enabled":
        return translator(lang).gettext(N_("no") if text == "false" else N_("yes"))
    if column in {"id", "examples"}:
        return text
    quoted = '"' + text.replace('"', '""') + '"' if _NEEDS_QUOTES.search(text) else text
    return f"{quoted} [{translator(lang).gettext(_MATCH_NAMES[match])}]" if match in _MATCH_NAMES else quoted


def values_of(column: Column, fields: forms.Fields, lang: Language) -> dict[Item, Value]:
    """Return the values of a rule in a column as in its file, by the item that its cell is read as."""
    value = fields.get(column, [])
    if isinstance(value, dict):
        value = value.get("one_of", [value])
    found: dict[Item, Value] = {}
    for item, one in zip(items_of(column, fields), value, strict=False):
        for read in items_in(column, plain_text(item_text(column, item, lang))):
            found.setdefault(read, one)
    return found


def _cell(column: Column, items: Sequence[Item], lang: Language) -> str:
    return ("\n" if column == "examples" else "; ").join(item_text(column, item, lang) for item in items)


def _split(cell: str, *, has_matches: bool) -> Iterator[Item]:
    position = 0
    while position < len(cell) and (found := _ITEM.match(cell, position)):
        position = found.end()
        quoted, name, bare = found.groups()
        text = bare.strip() if quoted is None else quoted.replace('""', '"')
        if quoted is None and has_matches and (with_match := _WITH_MATCH.fullmatch(text)):
            match = _match_named(with_match[2])
            yield (with_match[1], match) if match else (text, "phrase")
        else:
            yield text, _match_named(name or "") or "phrase"


def _match_named(name: str) -> str | None:
    """Return the match kind with that name in either language; None if there is none."""
    return _matches_by_name().get(slug(name)) if name else None


@cache
def _matches_by_name() -> dict[str, str]:
    return {
        slug(known): match
        for match, title in _MATCH_NAMES.items()
        for known in (match, *(translator(lang).gettext(title) for lang in _LANGUAGES))
    }
