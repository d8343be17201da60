"""Page with the rules as a table for Excel or Google Sheets: download it, upload a changed one to the draft."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Final

from flask import Blueprint, Response, current_app, render_template, request

from bot.analysis.preview_process import PreviewTimeout, PreviewTooLarge
from bot.rules.publishing.publisher import digest
from bot.rules.reading.loader import load
from bot.runtime import Runtime
from bot.web.console import formatting
from bot.web.console.formatting import gettext as _
from bot.web.console.images import image_uploads as uploads
from bot.web.console.publishing import progress
from bot.web.console.publishing.check_notes import Note, busy, too_large, too_long
from bot.web.console.publishing.check_session import CheckSession
from bot.web.console.publishing.draft_store import DraftStatus, DraftStore
from bot.web.console.publishing.progress import PageResponse
from bot.web.console.tables import keyword_table as tables
from bot.web.console.tables import table_cells
from bot.web.console.tables.csv_file import csv_response
from bot.web.console.tables.keyword_table import TableChanges
from bot.web.console.tables.spreadsheet import MAX_ROWS, Obstacle, xlsx_bytes
from bot.web.console.tables.table_process import TableReader, TableRefusal, TableRequest

_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#: The most changed rules that are shown; the others are counted.
MAX_SHOWN: Final = 100


def add_routes(routes: Blueprint, runtime: Runtime) -> None:
    """Add the page, its two downloads, and the preview of an upload; the page Check saves it as the draft."""
    page = _KeywordTable(runtime)
    routes.get("/rules/table", endpoint="keyword_table")(page.show)
    routes.get("/rules/table.csv", endpoint="keyword_table_csv")(page.csv)
    routes.get("/rules/table.xlsx", endpoint="keyword_table_xlsx")(page.xlsx)
    routes.post("/rules/table", endpoint="keyword_table_read")(page.read)


class _KeywordTable:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._session = CheckSession(runtime)
        self._drafts = DraftStore(runtime)

    def show(self) -> PageResponse:
        return self._page()

    def csv(self) -> Response:
        return csv_response(self._file_name(), table_cells.heading(formatting.language()), self._rows())

    def xlsx(self) -> Response:
        lang = formatting.language()
        content = xlsx_bytes(_("Rules"), [table_cells.heading(lang), *self._rows()])
        headers = {"Content-Disposition": f'attachment; filename="{self._file_name()}.xlsx"'}
        return Response(content, mimetype=_XLSX, headers=headers)

    def read(self) -> PageResponse:
        """Show what the table would change in the draft, or else in the rules file."""
        given = request.files.get("table")
        if given is None or not given.filename:
            return self._page(Note(_("Choose a file first."), 400))
        content, base_digest, status = self._base()
        asked = TableRequest(content, given.read(), formatting.language())
        return progress.answered(partial(self._read, asked, base_digest, status))

    def _read(self, asked: TableRequest, base_digest: str, status: DraftStatus) -> PageResponse:
        """Compare the table with the rules; show the changes, or why there are none."""
        read_table: TableReader = current_app.config["CONSOLE_TABLE_READER"]
        log_format = self._runtime.settings.log_format
        try:
            with uploads.uploading():
                found = read_table(asked, log_format=log_format, watcher=progress.watcher())
        except uploads.Busy:
            return self._page(busy())
        except PreviewTimeout:
            return self._page(too_long())
        except PreviewTooLarge:
            return self._page(too_large())
        if not isinstance(found, TableChanges):
            return self._page(_refusal(found))
        return self._page(found=found, base_digest=base_digest, status=status)

    def _base(self) -> tuple[bytes, str, DraftStatus]:
        """Return the base of the table's changes: the draft or, if there is none, the rules file."""
        draft = self._drafts.open()
        status = self._drafts.status(draft, is_open=True)
        if draft:
            return draft.content, draft.base_digest, status
        present = self._session.content()
        return present or b"", digest(present), status

    def _rows(self) -> list[list[str]]:
        """Return the table of the draft or, if there is none or it has errors, of the rules in force."""
        draft = self._drafts.open()
        file = load(draft.content).file if draft else None
        return tables.table_of(file or self._runtime.rules_reloader.rules.file, formatting.language())

    def _file_name(self) -> str:
        today = datetime.fromtimestamp(self._runtime.database.now(), self._runtime.rules_reloader.rules.zone)
        return f"keywords-{today:%Y-%m-%d}"

    def _page(
        self,
        note: Note | None = None,
        *,
        found: TableChanges | None = None,
        base_digest: str = "",
        status: DraftStatus | None = None,
    ) -> PageResponse:
        draft = self._drafts.open()
        page = render_template(
            "console/keyword_table.html",
            note=note,
            found=found,
            text=found.content.decode("utf-8-sig") if found else "",
            base_digest=base_digest,
            status=status or self._drafts.status(draft, is_open=True),
            columns=table_cells.COLUMNS,
            most=MAX_SHOWN,
        )
        return page, note.status if note else 200


def _refusal(found: TableRefusal) -> Note:
    """Return the note why a table changes nothing, and what to do."""
    if found == "rules":
        return Note(_("The rules have errors. Mend them first, then come back with the table."), 409)
    if found == "columns":
        return _note_columns()
    if found == "not-editable":
        return Note(_("This file is not written in a way that the form can change."), 409)
    return Note(_reason(found), 422, "bad")


def _reason(obstacle: Obstacle) -> str:
    """Return the text why a file cannot be read, and what to do."""
    if obstacle == "encoding":
        return _("The letters of this file cannot be read. Save it in Excel as XLSX, then choose it again.")
    if obstacle == "large":
        return _("This table is too large: {most} rows at most.").format(most=formatting.format_number(MAX_ROWS))
    return _("This file is damaged, or it is no table. Save it in Excel as XLSX, then choose it again.")


def _note_columns() -> Note:
    names = ", ".join(table_cells.heading(formatting.language()))
    return Note(
        _("The first row must name the columns, as in the table that you download here: {names}.").format(names=names),
        422,
        "bad",
    )
