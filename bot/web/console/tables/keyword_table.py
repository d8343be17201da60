"""
Export rules as a table of keywords for a spreadsheet, and import such a table as changes of the rules file.

Each row is a rule. The import keeps what is not in the table: rules without a row, keys without a column, and cells
that equal those that `table_of` writes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from bot.i18n import N_, Language, translator
from bot.rules.language.slug import slug
from bot.rules.model.damaged_text import has_question_marks_for_letters, is_damaged
from bot.rules.model.schema import Rule, RuleFile
from bot.rules.publishing import edit
from bot.rules.publishing.yaml_text import Value
from bot.web.console.rule_form import form_fields as forms
from bot.web.console.tables import table_cells as tables
from bot.web.console.tables.spreadsheet import MAX_CELL_CHARACTERS, CellObstacle, SheetRow
from bot.web.console.tables.table_cells import COLUMNS, Column, Item

_LONGEST_ID: Final = 64
_IMAGE_FILE: Final = re.compile(r".+\.(?:jpe?g|png)", re.IGNORECASE)
_YES: Final = frozenset({"", "true", "yes", "on", "co", "bat", "1", "x"})
_NO: Final = frozenset({"false", "no", "off", "khong", "tat", "0"})
_OBSTACLES: Final[Mapping[CellObstacle, str]] = {
    "formula": N_("In the column {column} stands a formula. Write the words themselves."),
    "date": N_("In the column {column} Excel has made a date of what was typed. Write it as text."),
    "error": N_("In the column {column} stands an error of the spreadsheet."),
}

Cells = Mapping[Column, str]


class MissingColumns(Exception):
    """The first row must name the column of the rules and at least one other."""


class RowRefused(Exception):
    """A row cannot be imported; *reason* is an English text with fields for *words*."""

    def __init__(self, reason: str, **words: object) -> None:
        super().__init__(reason)
        self.reason, self.words = reason, words


@dataclass(frozen=True, slots=True)
class CellChange:
    """The change of a row in one column; items are texts as in the cell."""

    column: Column
    gone: Sequence[str]
    new: Sequence[str]


@dataclass(frozen=True, slots=True)
class RowChange:
    """The change of one rule by a row."""

    number: int
    rule_id: str
    is_new: bool
    cells: Sequence[CellChange]


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that is not imported; `number` is its row number in the spreadsheet."""

    number: int
    name: str
    reason: str


@dataclass(slots=True)
class TableChanges:
    """The changes of a rules file by a table."""

    content: bytes = b""
    """The file with the changes."""
    changes: list[RowChange] = field(default_factory=list)
    refused: list[RefusedRow] = field(default_factory=list)
    same: int = 0
    """Rows that change nothing."""
    ignored: list[str] = field(default_factory=list)
    """Names of unknown columns."""


def table_of(file: RuleFile, lang: Language) -> list[list[str]]:
    """Return a row for each rule; rules with a cell beyond Excel's limit are left out."""
    rows = [list(tables.cells_of(rule, lang).values()) for rule in file.rules]
    return [row for row in rows if max(map(len, row)) < MAX_CELL_CHARACTERS]


def changes_of(content: bytes, file: RuleFile, rows: Sequence[SheetRow], lang: Language) -> TableChanges:
    """
    Return the changes by the rows, of which the first names the columns; *file* is the parsed *content*.

    Raises:
        MissingColumns: The first row lacks necessary columns.
        bot.rules.publishing.edit.NotEditable: The file cannot be changed rule by rule.
    """
    names = tables.columns_by_name()
    named = {number: names.get(slug(cell)) for number, cell in enumerate(rows[0].cells)} if rows else {}
    columns = {column: number for number, column in named.items() if column}
    if "id" not in columns or len(columns) < 2:
        raise MissingColumns
    reader = _Reader(file, columns, lang)
    for row in rows[1:]:
        reader.read(row)
    reader.found.ignored = [rows[0].cells[n] for n, column in named.items() if not column and rows[0].cells[n].strip()]
    reader.found.content = edit.add_rules(edit.change_rules(content, reader.changed), reader.new)
    return reader.found


class _Reader:
    """Reads row by row; `changed` and `new` are arguments for `bot.rules.publishing.edit`."""

    def __init__(self, file: RuleFile, columns: Mapping[Column, int], lang: Language) -> None:
        self._rules, self._columns, self._lang = file.rules, columns, lang
        self._indexes = {rule.id: index for index, rule in enumerate(file.rules)}
        self._rows: dict[str, int] = {}
        self.changed: dict[int, dict[str, Value | None]] = {}
        self.new: list[forms.Fields] = []
        self.found = TableChanges()

    def read(self, row: SheetRow) -> None:
        """Add the changes of a row; an unreadable row is recorded, and none of its changes are added."""
        cells = {
            column: row.cells[number].strip() if number < len(row.cells) else ""
            for column, number in self._columns.items()
        }
        try:
            self._refuse_unreadable(row)
            if any(cells.values()):
                self._take(row.number, self._rule_id(row.number, cells), cells)
        except RowRefused as refusal:
            reason = translator(self._lang).gettext(refusal.reason).format(**refusal.words)
            self.found.refused.append(RefusedRow(row.number, cells["id"], reason))

    def _refuse_unreadable(self, row: SheetRow) -> None:
        for column, number in self._columns.items():
            if number in row.unreadable:
                title = translator(self._lang).gettext(COLUMNS[column])
                raise RowRefused(_OBSTACLES[row.unreadable[number]], column=title)

    def _rule_id(self, number: int, cells: Cells) -> str:
        """Return the id of a row's rule: the name in the row, or an id made from the name or the first keyword."""
        name = cells["id"]
        keywords = tables.items_in("keywords", cells.get("keywords", ""))
        words = name or (keywords[0][0] if keywords else "")
        rule_id = name if name in self._indexes else slug(words)[:_LONGEST_ID].strip("-")
        if not rule_id:
            raise RowRefused(N_("The name of the rule is missing."))
        if not name and rule_id in self._indexes:
            raise RowRefused(
                N_("There is a rule {rule} already. To change it, write this name into the row."), rule=rule_id
            )
        if rule_id in self._rows:
            raise RowRefused(N_("Row {row} is for the same rule."), row=self._rows[rule_id])
        self._rows[rule_id] = number
        return rule_id

    def _take(self, number: int, rule_id: str, cells: Cells) -> None:
        index = self._indexes.get(rule_id)
        rule = self._rules[index] if index is not None else None
        _refuse_without_words_or_image(rule, cells)
        fields = forms.fields_of_rule(rule) if rule else {}
        before = tables.cells_of(rule, self._lang) if rule else {}
        values: dict[str, Value | None] = {}
        changes: list[CellChange] = []
        for column in COLUMNS:
            old, new = (_items(column, texts.get(column, "")) for texts in (before, cells))
            is_given = column in cells and column != "id" and (cells[column] or column != "enabled")
            if is_given and old != new:
                values[column] = self._value(column, new, fields)
                changes.append(self._change(column, old, new))
        if index is None:
            self.new.append({"id": rule_id, **{key: value for key, value in values.items() if value}})
        elif values:
            self.changed[index] = values
        if changes:
            self.found.changes.append(RowChange(number, rule_id, rule is None, changes))
        else:
            self.found.same += 1

    def _value(self, column: Column, items: Sequence[Item], fields: forms.Fields) -> Value | None:
        """Return the value for the rules file; items that the rule has already keep their present form."""
        for text, _match in items:
            if is_damaged(text) or (column in {"keywords", "exclude"} and has_question_marks_for_letters(text)):
                raise RowRefused(
                    N_("Letters of “{text}” are lost. Save the table as XLSX, or as CSV UTF-8."), text=text
                )
        if column == "enabled":
            return None if items == [("true", "phrase")] else "false"
        known = tables.values_of(column, fields, self._lang)
        values = [known.get(item) or _new_value(column, item) for item in items]
        if column != "reply":
            return values or None
        reply = fields.get("reply")
        if isinstance(reply, dict) and "one_of" in reply:
            return {"one_of": values}
        return values if len(values) > 1 else values[0]

    def _change(self, column: Column, old: Sequence[Item], new: Sequence[Item]) -> CellChange:
        gone = [item for item in old if item not in new]
        added = [item for item in new if item not in old]
        if not gone and not added:  # only the order
            gone, added = list(old), list(new)
        texts = [[tables.item_text(column, item, self._lang) for item in items] for items in (gone, added)]
        return CellChange(column, *texts)


def _items(column: Column, cell: str) -> list[Item]:
    if column != "enabled":
        return tables.items_in(column, cell)
    word = slug(cell)
    if word not in {*_YES, *_NO}:
        raise RowRefused(N_("“{text}” is neither yes nor no."), text=cell)
    return [("false" if word in _NO else "true", "phrase")]


def _refuse_without_words_or_image(rule: Rule | None, cells: Cells) -> None:
    """Refuse a row that would leave a rule without a condition or without an image."""
    needed: dict[Column, str] = {"reply": N_("The picture is missing; a rule needs one.")}
    if rule is None or not (rule.all_of or rule.pattern or rule.on != "text"):
        needed["keywords"] = N_("The keywords are missing; a rule needs one at least.")
    for column, reason in needed.items():
        if (rule is None or column in cells) and not cells.get(column):
            raise RowRefused(reason)


def _new_value(column: Column, item: Item) -> Value:
    text, match = item
    if column != "reply":
        return text if match == "phrase" else {"text": text, "match": match}
    if "://" in text:
        return {"image_url": text}
    if _IMAGE_FILE.fullmatch(text):
        return {"file": text}
    raise RowRefused(N_("“{text}” is neither an https link nor the name of a JPG or PNG."), text=text)
