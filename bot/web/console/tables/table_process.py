"""Read an uploaded table of keywords in an isolated subprocess: a large spreadsheet takes seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from bot.analysis.preview import Progress, Report
from bot.analysis.preview_process import Watcher, answer_request, ask_subprocess
from bot.i18n import Language
from bot.rules.publishing.edit import NotEditable
from bot.rules.reading.loader import load
from bot.web.console.tables import table_cells
from bot.web.console.tables.keyword_table import MissingColumns, TableChanges, changes_of
from bot.web.console.tables.spreadsheet import Obstacle, UnreadableTable, read_rows

#: Why a table changes nothing: that of the file, or the rules have errors, the first row names too few columns, the
#: rules are not written in a way that can be changed rule by rule.
TableRefusal = Obstacle | Literal["rules", "columns", "not-editable"]


@dataclass(frozen=True, slots=True)
class TableRequest:
    """A table to compare with rules."""

    content: bytes
    """The content of the rules file."""
    table: bytes
    """The uploaded file."""
    lang: Language


class TableReader(Protocol):
    """A function that reads a table: `run_in_subprocess`, or another one in its place."""

    def __call__(
        self, request: TableRequest, *, log_format: str, watcher: Watcher | None = None
    ) -> TableChanges | TableRefusal:
        """Return the changes; raises the same errors as `run_in_subprocess`."""


def run_in_subprocess(
    request: TableRequest, *, log_format: str, watcher: Watcher | None = None
) -> TableChanges | TableRefusal:
    """
    Return `table_changes` of *request*, made in a process with low priority.

    Raises:
        bot.analysis.preview_process.PreviewTimeout: It took too long.
        bot.analysis.preview_process.PreviewTooLarge: It took too much memory.
        bot.analysis.preview_process.PreviewStopped: *watcher* has left.
    """
    module = "bot.web.console.tables.table_process"
    found: TableChanges | TableRefusal = ask_subprocess(module, request, log_format=log_format, watcher=watcher)
    return found


def table_changes(request: TableRequest, report: Report = lambda _progress: None) -> TableChanges | TableRefusal:
    """Return the changes of the rules by the table, or why there are none."""
    report(Progress("table"))
    file = load(request.content).file
    if file is None:
        return "rules"
    try:
        rows = read_rows(request.table, table_cells.columns_by_name())
        report(Progress("rules"))
        return changes_of(request.content, file, rows, request.lang)
    except UnreadableTable as error:
        return error.obstacle
    except MissingColumns:
        return "columns"
    except NotEditable:
        return "not-editable"


def main(log_format: str, pipe: str) -> int:
    """Read a request from the *pipe*, write the changes there; return the exit status."""
    return answer_request(log_format, pipe, table_changes)
