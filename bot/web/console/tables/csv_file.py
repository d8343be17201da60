"""CSV downloads for spreadsheets: streamed, UTF-8 with a byte order mark, without formulas (CSV injection)."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Final

from flask import Response, stream_with_context

from bot.web.console import formatting
from bot.web.console.formatting import gettext

#: The most rows of a file; the last line says so if there are more.
MAX_ROWS: Final = 50_000

_BOM: Final = "\ufeff"
# OWASP, "CSV Injection": characters that may begin a formula, also in full width.
_FORMULA: Final = re.compile("'*[=+\\-@\\t\\r\\n＝＋－＠]")
_ROWS_A_PIECE: Final = 200


def csv_response(name: str, heading: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """
    Return a download of the table, which is generated while it is sent.

    *name* is the file name without its suffix; cells are texts, numbers, or None if empty. Rows after MAX_ROWS are
    left out, and the last line says so.
    """
    pieces = stream_with_context(_pieces(chain([heading], _bounded(rows))))
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"', "X-Accel-Buffering": "no"}
    return Response(pieces, mimetype="text/csv", headers=headers)


def harmless(cell: object) -> object:
    """
    Return the cell with a quote before a text that looks like a formula, so that a spreadsheet does not compute it.

    A text that already has quotes before a formula gets one more, so that `text_of_cell` can remove it again.

    >>> harmless("=1+1"), harmless("'=1+1"), harmless("giá"), harmless(-1)
    ("'=1+1", "''=1+1", 'giá', -1)
    """
    return f"'{cell}" if isinstance(cell, str) and _FORMULA.match(cell) else cell


def text_of_cell(cell: str) -> str:
    """
    Return the text that `harmless` was given.

    >>> text_of_cell("'=1+1"), text_of_cell("'quoted'")
    ('=1+1', "'quoted'")
    """
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def _bounded(rows: Iterable[Sequence[object]]) -> Iterator[Sequence[object]]:
    rest = iter(rows)
    yield from islice(rest, MAX_ROWS)
    if next(rest, None) is not None:
        count = formatting.format_number(MAX_ROWS)
        yield [gettext("There are more rows; this file holds the first {count}.").format(count=count)]


def _pieces(rows: Iterable[Sequence[object]]) -> Iterator[str]:
    text = io.StringIO()
    # Only texts are quoted: a spreadsheet keeps "0912" as text and can add up 12.
    writer = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC)
    yield _BOM
    rest = iter(rows)
    while piece := list(islice(rest, _ROWS_A_PIECE)):
        writer.writerows([harmless("" if cell is None else cell) for cell in row] for row in piece)
        yield text.getvalue()
        text.seek(0)
        text.truncate()
