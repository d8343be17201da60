"""Read and write spreadsheets as rows of text: CSV in any encoding of Excel, XLSX; formulas are not computed."""

from __future__ import annotations

import codecs
import csv
import io
import re
import unicodedata
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from itertools import islice
from typing import Any, Final, Literal

from bot.rules.language.slug import slug
from bot.web.console.tables.csv_file import harmless, text_of_cell

#: Limits of a sheet.
MAX_ROWS: Final = 5_000
MAX_COLUMNS: Final = 50
#: Excel's limit for a cell, in characters.
MAX_CELL_CHARACTERS: Final = 32_767
#: The largest unpacked size of an XLSX file, which is a ZIP archive, in bytes.
MAX_UNPACKED_BYTES: Final = 8_000_000

_MAX_PARTS: Final = 500
_PACKED: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})  # never more than the declared size
_ZIP_START: Final = b"PK\x03\x04"
_DELIMITERS: Final = (",", ";", "\t")
_SEPARATOR_LINE: Final = re.compile(r"sep=(.)\r?\n")  # which Excel does not count as a row
_ILLEGAL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")

#: Why a file cannot be read. `encoding`: letters are lost; `broken`: neither CSV nor XLSX; `large`: over a limit.
Obstacle = Literal["encoding", "broken", "large"]
#: Why a cell cannot be read. `formula`; `date`: Excel has converted the text to a date; `error`: such as #REF!.
CellObstacle = Literal["formula", "date", "error"]


class UnreadableTable(Exception):
    """The file cannot be read as a table."""

    def __init__(self, obstacle: Obstacle) -> None:
        super().__init__(obstacle)
        self.obstacle: Obstacle = obstacle


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A row with its texts."""

    number: int
    """The row number in the spreadsheet, from 1."""
    cells: Sequence[str]
    unreadable: dict[int, CellObstacle] = field(default_factory=dict)
    """Why cells are unreadable, by column index from 0."""


def read_rows(content: bytes, headings: Iterable[str]) -> list[SheetRow]:
    """
    Return the rows that have text, of a CSV file or the first sheet of an XLSX file; texts are normalized to NFC.

    *headings* are column names as slugs; they show which separator a CSV file uses.

    Raises:
        UnreadableTable: It is neither CSV nor XLSX, is damaged, or exceeds a limit of this module.
    """
    rows = _xlsx_rows(content) if content.startswith(_ZIP_START) else _csv_rows(_decoded(content), set(headings))
    found = [row for row in islice(rows, MAX_ROWS + 1) if row.unreadable or any(row.cells)]
    if found and found[-1].number > MAX_ROWS:
        raise UnreadableTable("large")
    return found


def xlsx_bytes(title: str, rows: Iterable[Sequence[str]]) -> bytes:
    """Return an XLSX file with one sheet; all cells have the format text, so that Excel converts no edited value."""
    from openpyxl import Workbook  # noqa: PLC0415  it takes 160 ms, which `bot serve` needs not
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415
    from openpyxl.styles import Alignment, Font  # noqa: PLC0415

    book = Workbook(write_only=True)
    sheet = book.create_sheet(title)
    sheet.freeze_panes = "B2"
    for number, row in enumerate(rows):
        cells = [WriteOnlyCell(sheet, value=harmless(plain_text(text))) for text in row]
        for cell in cells:
            cell.data_type, cell.number_format = "s", "@"
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            if number == 0:
                cell.font = Font(bold=True)
        if number == 0:
            for cell, text in zip("ABCDEFGHIJ", row, strict=False):
                sheet.column_dimensions[cell].width = max(12, min(48, 3 * len(text)))
        sheet.append(cells)
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def plain_text(text: str) -> str:
    """Return a text for a spreadsheet cell: NFC, line feeds, no control characters."""
    return _ILLEGAL.sub("", unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n")))


def _decoded(content: bytes) -> str:
    """Decode a CSV file; without a byte order mark, try UTF-8, UTF-16 and Windows-1258 (Vietnamese)."""
    encoding = "cp1258"
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    elif b"\0" in content[:200]:
        encoding = "utf-16-le" if content[1:200:2].count(0) > content[:200:2].count(0) else "utf-16-be"
    elif _is_utf8(content):
        encoding = "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        raise UnreadableTable("encoding") from None


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _csv_rows(text: str, headings: set[str]) -> Iterator[SheetRow]:
    separator = _SEPARATOR_LINE.match(text)
    if separator:
        text = text[separator.end() :]
    delimiters = [separator[1]] if separator else _DELIMITERS
    first = {delimiter: next(_parsed(text, delimiter), []) for delimiter in delimiters}
    delimiter = max(delimiters, key=lambda one: sum(slug(cell) in headings for cell in first[one]))
    for number, cells in enumerate(_parsed(text, delimiter), 1):
        yield SheetRow(number, [plain_text(text_of_cell(cell)) for cell in cells[:MAX_COLUMNS]])


def _parsed(text: str, delimiter: str) -> Iterator[list[str]]:
    try:
        yield from csv.reader(io.StringIO(plain_text(text), newline=""), delimiter=delimiter)
    except csv.Error:  # a cell of more than 128 KiB
        raise UnreadableTable("broken") from None


def _xlsx_rows(content: bytes) -> Iterator[SheetRow]:
    from openpyxl import load_workbook  # noqa: PLC0415  it takes 160 ms, which `bot serve` needs not

    try:
        _check_archive(content)
        book = load_workbook(io.BytesIO(content), read_only=True, keep_links=False)
        rows = book.worksheets[0].iter_rows(max_row=MAX_ROWS + 1, max_col=MAX_COLUMNS)
        for number, cells in enumerate(rows, 1):
            yield _xlsx_row(number, cells)
    except UnreadableTable:
        raise
    except Exception as error:  # openpyxl raises all kinds of errors for damaged files
        raise UnreadableTable("broken") from error


def _check_archive(content: bytes) -> None:
    """Refuse an archive that is too large unpacked; zipfile reads no more of a part than its declared size."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = archive.infolist()
    if any(part.compress_type not in _PACKED for part in parts):
        raise UnreadableTable("broken")
    if len(parts) > _MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED_BYTES:
        raise UnreadableTable("large")


def _xlsx_row(number: int, cells: Sequence[Any]) -> SheetRow:
    texts: list[str] = []
    unreadable: dict[int, CellObstacle] = {}
    for column, cell in enumerate(cells):
        obstacle = _obstacle_of(cell)
        if obstacle:
            unreadable[column] = obstacle
        texts.append("" if obstacle else plain_text(text_of_cell(_cell_text(cell.value))))
    return SheetRow(number, texts, unreadable)


def _obstacle_of(cell: Any) -> CellObstacle | None:
    if cell.data_type == "f":
        return "formula"
    if cell.data_type == "e":
        return "error"
    return "date" if isinstance(cell.value, date | time | timedelta) else None


def _cell_text(value: object) -> str:
    """Return a value as Excel shows it without a cell format: 5, not 5.0."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
