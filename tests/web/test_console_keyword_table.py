"""The table of keywords: export to a spreadsheet and import into the draft."""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
import unicodedata
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import date
from html import unescape
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from werkzeug.test import TestResponse

from bot.analysis.preview import Progress
from bot.analysis.preview_process import PreviewStopped
from bot.i18n import Language
from bot.rules.publishing.edit import rules_in
from bot.rules.publishing.yaml_text import flow
from bot.rules.reading.loader import load
from bot.web.console.tables.csv_file import harmless
from bot.web.console.tables.keyword_table import TableChanges, changes_of, table_of
from bot.web.console.tables.spreadsheet import MAX_UNPACKED_BYTES, UnreadableTable, read_rows, xlsx_bytes
from bot.web.console.tables.table_cells import columns_by_name, heading
from bot.web.console.tables.table_process import TableRequest, run_in_subprocess
from tests.support.console import Console, running, words
from tests.support.golden import GOOD

RULES = """\
version: 1
rules:
  # the most asked
  - id: bang-gia   # prices
    keywords: [bảng giá, "giá; sỉ", {text: "#km", match: exact}]
    exclude: [đánh giá]
    reply: {image_url: "https://cdn.shop.vn/gia.jpg"}
    examples: [shop ơi bảng giá]
  - id: gio
    all_of: [[mấy giờ, khi nào], [mở cửa]]
    enabled: false
    reply: {one_of: [{image_url: "https://cdn.shop.vn/1.jpg", weight: 2}, {file: "anh/hai.jpg"}]}
"""
FILES = sorted(GOOD.glob("*.yaml"))
Sheet = list[list[str]]


def as_csv(rows: Sequence[Sequence[str]], delimiter: str = ",") -> str:
    """Return a table as a spreadsheet saves it."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows([[str(harmless(cell)) for cell in row] for row in rows])
    return text.getvalue()


def as_csv_bytes(rows: Sheet) -> bytes:
    return as_csv(rows).encode("utf-8-sig")


def as_xlsx_bytes(rows: Sheet) -> bytes:
    return xlsx_bytes("Rules", rows)


def changes(table: bytes, rules: str = RULES, lang: Language = "en") -> TableChanges:
    file = load(rules.encode()).file
    assert file is not None
    return changes_of(rules.encode(), file, read_rows(table, columns_by_name()), lang)


def exported(rules: str = RULES, lang: Language = "en") -> Sheet:
    file = load(rules.encode()).file
    assert file is not None
    return [heading(lang), *table_of(file, lang)]


def reasons(found: TableChanges) -> list[tuple[int, str]]:
    return [(row.number, row.reason) for row in found.refused]


WRITERS = pytest.mark.parametrize("write", [as_csv_bytes, as_xlsx_bytes])
# XLSX has no control characters, and no customer types any.
WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12) | st.sampled_from(
    [
        "=1+1",
        "'=1+1",
        "-a",
        "'",
        '"',
        '"a"',
        "a; b",
        "a [exact]",
        "[x]",
        "a\nb",
        "@",
        "０",
        "＋1",
        ";",
        "e\u0301",
        "1,5",
    ]
)
KEYWORDS = st.lists(
    st.tuples(WORDS, st.sampled_from(["phrase", "exact", "prefix", "contains"])), min_size=1, max_size=4
)


@WRITERS
@settings(max_examples=40, deadline=None)
@given(keywords=KEYWORDS, examples=st.lists(WORDS, max_size=3), lang=st.sampled_from(["vi", "en"]))
def test_an_unchanged_table_changes_nothing(
    write: Callable[[Sheet], bytes], keywords: list[tuple[str, str]], examples: list[str], lang: Language
) -> None:
    """With any keywords."""
    items = flow([{"text": text, "match": match} for text, match in keywords])
    rules = f'version: 1\nrules:\n  - id: a\n    keywords: {items}\n    reply: {{file: "a;b [x].jpg"}}\n'
    rules += f"    examples: {flow(list(examples))}\n" if examples else ""
    if load(rules.encode()).file is None:
        return
    found = changes(write(exported(rules, lang)), rules, lang)
    assert (found.changes, found.refused, found.content) == ([], [], rules.encode())


@WRITERS
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_unchanged_table_changes_no_good_file(write: Callable[[Sheet], bytes], path: Path) -> None:
    """In any style."""
    content = path.read_bytes()
    file = load(content).file
    assert file is not None
    table = write([heading("vi"), *table_of(file, "vi")])
    found = changes_of(content, file, read_rows(table, columns_by_name()), "en")
    assert (found.changes, found.refused, found.same) == ([], [], len(file.rules))
    assert found.content == content


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: text.encode(),
        lambda text: text.encode("utf-8-sig"),
        lambda text: codecs.BOM_UTF16_LE + text.encode("utf-16-le"),
        lambda text: text.encode("utf-16-le"),
        lambda text: text.encode("utf-16-be"),
        lambda text: unicodedata.normalize("NFD", text).encode(),
        lambda text: _for_windows(text).encode("cp1258"),
    ],
    ids=["utf-8", "bom", "utf-16", "utf-16-le", "utf-16-be", "decomposed", "windows-1258"],
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_files_of_excel_are_read(encode: Callable[[str], bytes], delimiter: str) -> None:
    """In each of its encodings, with the separators of all countries; texts are composed."""
    table = exported(lang="vi")
    table[1][2] += "; mấy tiền; ưu đãi sốc"
    found = changes(encode(as_csv(table, delimiter)))
    [change] = found.changes
    assert change.cells[0].new == ["mấy tiền", "ưu đãi sốc"]
    assert found.refused == []


def _for_windows(text: str) -> str:
    """Return a text as in Windows-1258: some letters composed, others with a tone after them."""
    pieces = []
    for letter in text:
        try:
            letter.encode("cp1258")
            pieces.append(letter)
        except UnicodeEncodeError:
            base, *marks = unicodedata.normalize("NFD", letter)
            tones = [mark for mark in marks if mark in "\u0300\u0301\u0303\u0309\u0323"]
            others = [mark for mark in marks if mark not in tones]
            pieces.append(unicodedata.normalize("NFC", base + "".join(others)) + "".join(tones))
    return "".join(pieces)


def test_a_changed_cell_changes_only_its_key() -> None:
    """Comments, order and every other rule stay byte for byte; unchanged items keep their form."""
    table = exported()
    table[1][2] = "bảng giá; báo giá; #km [exact]"
    found = changes(as_csv_bytes(table))
    before, after = RULES.splitlines(), found.content.decode().splitlines()
    assert after[4] == '    keywords: [bảng giá, báo giá, {text: "#km", match: exact}]'
    assert before[:4] + before[5:] == after[:4] + after[5:]
    [change] = found.changes
    assert (change.rule_id, change.number, change.is_new) == ("bang-gia", 2, False)
    assert (change.cells[0].gone, change.cells[0].new) == (['"giá; sỉ"'], ["báo giá"])


def test_images_keep_fields_that_the_table_does_not_have() -> None:
    """Weights, and `one_of`."""
    table = exported()
    table[2][4] += "; moi.png"
    content = changes(as_csv_bytes(table)).content
    assert rules_in(content)[1].fields["reply"] == {
        "one_of": [
            {"image_url": "https://cdn.shop.vn/1.jpg", "weight": "2"},
            {"file": "anh/hai.jpg"},
            {"file": "moi.png"},
        ]
    }


def test_new_rows_are_new_rules() -> None:
    """With the name in the row, or one from the first keyword."""
    table = exported(lang="vi")
    table += [["Phí ship", "", "ship; phí giao [at the beginning]", "", "ship.jpg", "ship sao\nship bao nhiêu"]]
    table += [["", "không", "bảo hành", "", "https://a.vn/1.jpg", ""]]
    found = changes(as_csv_bytes(table))
    assert [rule.fields for rule in rules_in(found.content)[2:]] == [
        {
            "id": "phi-ship",
            "keywords": ["ship", {"text": "phí giao", "match": "prefix"}],
            "reply": {"file": "ship.jpg"},
            "examples": ["ship sao", "ship bao nhiêu"],
        },
        {"id": "bao-hanh", "enabled": "false", "keywords": ["bảo hành"], "reply": {"image_url": "https://a.vn/1.jpg"}},
    ]
    assert found.content.startswith(RULES.encode())
    assert [(change.rule_id, change.is_new) for change in found.changes] == [("phi-ship", True), ("bao-hanh", True)]
    again = changes(as_csv_bytes(table), found.content.decode())
    assert again.changes == []
    assert reasons(again) == [
        (5, "There is a rule bao-hanh already. To change it, write this name into the row."),
    ]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (["moi", "", "", "", "a.jpg", ""], "The keywords are missing; a rule needs one at least."),
        (["moi", "", "a", "", "", ""], "The picture is missing; a rule needs one."),
        (["gio", "", "", "", "", ""], "The picture is missing; a rule needs one."),
        (["moi", "", "a", "", "trang web", ""], "“trang web” is neither an https link nor the name of a JPG or PNG."),
        (["moi", "có lẽ", "a", "", "a.jpg", ""], "“có lẽ” is neither yes nor no."),
        (["bang-gia", "", "b?ng gi", "", "a.jpg", ""], "Row 2 is for the same rule."),
        (["moi", "", "b?ng", "", "a.jpg", ""], "Letters of “b?ng” are lost. Save the table as XLSX, or as CSV UTF-8."),
        (["!!!", "", "a", "", "a.jpg", ""], "The name of the rule is missing."),
    ],
)  # fmt: skip
def test_an_invalid_row_is_left_out(row: list[str], reason: str) -> None:
    """It is listed with its number, and the others are imported."""
    table = exported()
    table[1][3] = ""
    found = changes(
        as_csv_bytes([*table[:2], row, *([] if row[0] == "gio" else table[2:]), ["cuoi", "", "cuối", "", "a.jpg", ""]])
    )
    assert reasons(found) == [(3, reason)]
    assert [change.rule_id for change in found.changes] == ["bang-gia", "cuoi"]
    assert "exclude" not in rules_in(found.content)[0].fields


WORDS_BY_RULE: Final = {"a": "=1+1", "b": "x", "c": 1990, "d": 5.0}


def test_cells_that_excel_has_converted() -> None:
    """Formulas are never computed, dates are refused; numbers are read as they are shown."""
    book = Workbook()
    sheet = book.active
    for row in (["id", "keywords", "reply"], *([name, word, "a.jpg"] for name, word in WORDS_BY_RULE.items())):
        sheet.append(row)
    sheet["B3"] = date(2027, 1, 2)
    written = io.BytesIO()
    book.save(written)
    found = changes(written.getvalue())
    assert reasons(found) == [
        (2, "In the column Keywords stands a formula. Write the words themselves."),
        (3, "In the column Keywords Excel has made a date of what was typed. Write it as text."),
    ]
    assert [change.cells[0].new for change in found.changes] == [["1990"], ["5"]]


def bomb(compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return an archive over the limit when it is unpacked."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", compression) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (MAX_UNPACKED_BYTES + 1))
    return written.getvalue()


def with_part(name: str, content: bytes) -> bytes:
    """Return our table with one part of the archive replaced."""
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(as_xlsx_bytes(exported()))) as old, zipfile.ZipFile(written, "w") as new:
        for part in old.infolist():
            new.writestr(part, content if part.filename == name else old.read(part))
    return written.getvalue()


@pytest.mark.parametrize(
    ("content", "obstacle"),
    [
        (bomb(), "large"),
        (bomb(zipfile.ZIP_BZIP2), "broken"),
        (b"PK\x03\x04 and no more", "broken"),
        (with_part("xl/workbook.xml", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'), "broken"),
        (with_part("xl/worksheets/sheet1.xml", b"<worksheet><sheetData><row><c t='s'><v>9"), "broken"),
        (b"id,keywords\n" + b"a,b\n" * 5_001, "large"),
        (b'id,keywords\n"' + b"a" * 200_000, "broken"),
        (b"id;keywords\n\x81\x8d", "encoding"),
    ],
)  # fmt: skip
def test_files_that_are_refused(content: bytes, obstacle: str) -> None:
    """Without unpacking or reading more than the limit."""
    with pytest.raises(UnreadableTable) as caught:
        read_rows(content, columns_by_name())
    assert caught.value.obstacle == obstacle


@settings(max_examples=100, deadline=None)
@given(content=st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
def test_any_file_is_read_or_refused(content: bytes) -> None:
    """It is a table, or it is said why not."""
    with suppress(UnreadableTable):
        read_rows(content, columns_by_name())


ARCHIVE: Final = as_xlsx_bytes(exported())  # once: it holds the time


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_any_damaged_archive_is_read_or_refused(data: st.DataObject) -> None:
    """Some bytes of it are others."""
    content = bytearray(ARCHIVE)
    for _ in range(data.draw(st.integers(1, 5))):
        content[data.draw(st.integers(4, len(content) - 1))] = data.draw(st.integers(0, 255))
    with suppress(UnreadableTable):
        read_rows(bytes(content), columns_by_name())


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    """A logged-in editor who may publish."""
    with running(tmp_path, rules=RULES, console_publish=True) as found:
        found.log_in()
        yield found


def sent(console: Console, table: bytes, name: str = "t.xlsx") -> TestResponse:
    return console.post("rules/table", {"table": (io.BytesIO(table), name)})


def hidden(page: str) -> dict[str, str]:
    """Return the fields of the form that saves the draft."""
    form = page.split('action="/console/check/draft"', 1)[1].split("</form>", 1)[0]
    return {name: unescape(value) for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form)}


def draft_text(console: Console) -> str:
    return unescape(re.search(r"<textarea id=\"text\".*?>\n(.*?)</textarea>", console.get("check").text, re.DOTALL)[1])


def test_a_table_is_imported_into_the_draft(console: Console) -> None:
    """Download, change, preview, save: the rules file stays, and the next table begins from the draft."""
    book = load_workbook(io.BytesIO(console.get("rules/table.xlsx").data))
    sheet = book.active
    assert [cell.value for cell in sheet[1]] == ["Rule", "Switched on", "Keywords", "Unless", "Pictures", "Examples"]
    sheet["C2"] = f"{sheet['C2'].value}; báo giá"
    written = io.BytesIO()
    book.save(written)
    answer = sent(console, written.getvalue())
    assert "0 new rules 1 changed rules 1 rules as they were 0 rows left out" in words(answer)
    assert console.post("check/draft", hidden(answer.text)).status_code == 303
    assert draft_text(console) == RULES.replace("exact}]", "exact}, báo giá]").rstrip("\n") + "\n"
    assert console.runtime.settings.rules_file.read_text() == RULES
    table = list(csv.reader(io.StringIO(console.get("rules/table.csv").data.decode("utf-8-sig"), newline="")))
    assert table[1][2].endswith("; báo giá")
    second = sent(console, as_csv_bytes([*table, ["moi", "", "mới", "", "a.jpg", ""]]))
    assert console.post("check/draft", hidden(second.text)).status_code == 303
    assert draft_text(console).endswith("  - id: moi\n    keywords: [mới]\n    reply: {file: a.jpg}\n")


def test_a_bad_file_loses_nothing(console: Console) -> None:
    """The draft stays, and the page says what to do."""
    console.post("check/draft", {"text": RULES + "# mine\n", "base_digest": "", "revision": "0"})
    for table, status, said in (
        (b"PK\x03\x04", 422, "This file is damaged, or it is no table."),
        (b"a,b\n1,2\n", 422, "The first row must name the columns"),
        (b"", 422, "The first row must name the columns"),
        (as_csv_bytes([*exported(), ["x", "", "", "", "", ""]]), 200, "Row 4 x : The picture is missing"),
    ):
        answer = sent(console, table)
        assert answer.status_code == status
        assert said in words(answer)
    assert console.post("rules/table", {}).status_code == 400
    assert "# mine" in draft_text(console)


def test_a_draft_with_errors_must_be_fixed_first(console: Console) -> None:
    """No table can be imported into it."""
    console.post("check/draft", {"text": "rules: [", "base_digest": "", "revision": "0"})
    answer = sent(console, as_csv_bytes(exported()))
    assert answer.status_code == 409
    assert "The rules have errors. Mend them first" in words(answer)


class Left:
    """A client that has disconnected."""

    def report(self, progress: Progress) -> None:
        """Ignore the progress."""

    def has_left(self) -> bool:
        """Return true."""
        return True


def test_a_large_table_is_read_in_a_subprocess(console: Console) -> None:
    """So that the web process serves customers; it is stopped when the editor leaves."""
    console.app.config["CONSOLE_TABLE_READER"] = run_in_subprocess
    table = as_csv_bytes([*exported(), *([f"moi-{n}", "", f"mới {n}", "", "a.jpg", ""] for n in range(500))])
    headers = {"Accept": "application/x-ndjson"}
    form = {"table": (io.BytesIO(table), "table.csv")}
    answer = console.post("rules/table", form, headers=headers)
    first, *_rest, last = filter(None, map(json.loads, answer.text.splitlines()))
    assert first == {"text": "Reading the table…", "done": 0, "total": 0}
    assert "500</b> new rules" in last["page"]
    left = Left()
    with pytest.raises(PreviewStopped):
        run_in_subprocess(TableRequest(RULES.encode(), table, "en"), log_format="text", watcher=left)
