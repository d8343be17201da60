"""CSV downloads of the console's lists, with the filters of their pages."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from bot.inbox.states import Status
from bot.rules.engine import FALLBACK
from bot.web.console.tables.csv_file import MAX_ROWS, csv_response, harmless
from tests.support.console import Console, running, words
from tests.support.rows import DAY, HOUR

RULES = """\
version: 1
rules:
  - id: bang-gia
    keywords: [bảng giá, "=1+1"]
    exclude: [đánh giá]
    priority: 5
    reply: {image_url: "https://cdn.shop.vn/gia.jpg"}
  - id: gio
    all_of: [[mấy giờ, khi nào], [mở cửa]]
    enabled: false
    reply: [{image_url: "https://cdn.shop.vn/1.jpg"}, {file: "anh/hai.jpg"}]
fallback: {reply: {image_url: "https://cdn.shop.vn/menu.jpg"}}
"""
FORMULAS = ("=", "+", "-", "@", "\t", "\r")
LISTS = ("events", "unanswered", "rules", "pictures", "overview")


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    """A logged-in editor."""
    with running(tmp_path, rules=RULES) as found:
        found.log_in()
        yield found


def table(console: Console, path: str) -> list[list[str]]:
    """Return the rows of a file as a spreadsheet reads them, with the heading."""
    answer = console.get(path)
    assert answer.status_code == 200
    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    return read(answer.data)


def read(content: bytes) -> list[list[str]]:
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def put(console: Console, *, age: float = 60.0, status: Status = "sent", **values: object) -> None:
    """Store a text that came in *age* seconds ago."""
    at = console.runtime.database.now() - age
    console.keep(received_at=at, replied_at=at + 1 if status == "sent" else None, **{
        "status": status, **values
    })  # fmt: skip


def unmatched(console: Console, text: str, **values: object) -> None:
    """Store a text that no rule answered."""
    put(console, status="ignored", reason="no-match", rule_id=None, images=None, text=text, **values)


def test_the_table_of_messages(console: Console) -> None:
    """The newest first, texts masked, failures explained; with the page's filters and search."""
    put(console, text="cho em bảng giá", age=HOUR)
    put(console, text="gọi 0912345678", rule_id=FALLBACK)
    put(console, text="giá", status="dead", error="HTTP 400: -201: Image size is over the limit", age=2 * HOUR)
    heading, *rows = table(console, "events.csv")
    assert heading[:5] == ["Time", "What came in", "Text", "Status", "Why"]
    assert [row[2] for row in rows] == ["giá", "gọi •••", "cho em bảng giá"]
    assert rows[1][5:8] == ["The fallback", "0", "1"]
    assert rows[0][8].startswith("Zalo does not accept a part of the message")
    assert rows[0][9] == "HTTP 400: -201: Image size is over the limit"
    assert [row[2] for row in table(console, "events.csv?rule=bang-gia&status=sent")[1:]] == ["cho em bảng giá"]
    assert [row[2] for row in table(console, "events.csv?q=goi")[1:]] == ["gọi •••"]


def test_more_messages_than_one_query_reads(console: Console) -> None:
    """Each once."""
    for number in range(1_001):
        put(console, text=f"tin {number}")
    found = [row[2] for row in table(console, "events.csv")[1:]]
    assert found == [f"tin {number}" for number in range(1_000, -1, -1)]


def test_the_table_of_unanswered_questions(console: Console) -> None:
    """By people, in the period of the page."""
    unmatched(console, "có bánh chay không")
    unmatched(console, "co banh chay khong", user_id="u2")
    unmatched(console, "ship tỉnh không", age=8 * DAY)
    assert table(console, "unanswered.csv") == [
        ["Question", "People", "Times", "Other spellings"],
        ["có bánh chay không", "2", "2", "co banh chay khong"],
    ]
    assert len(table(console, "unanswered.csv?period=30d")) == 3


def test_the_table_of_rules(console: Console) -> None:
    """In the order of the page; a keyword that looks like a formula is text."""
    put(console)
    put(console, status="dead", error="HTTP 400: -201: too big")
    heading, *rows = table(console, "rules.csv")
    assert heading[0] == "Rule"
    assert heading[-2:] == ["Answers in 30 days", "Failures of the image in 30 days"]
    assert rows == [
        ["bang-gia", "3", "Writes a text", "yes", "bảng giá; =1+1", "", "đánh giá",
         "https://cdn.shop.vn/gia.jpg", "5", "1", "1"],
        ["gio", "8", "Writes a text", "no", "", "(mấy giờ; khi nào) + (mở cửa)", "",
         "https://cdn.shop.vn/1.jpg; anh/hai.jpg", "0", "0", "0"],
        ["The fallback", "", "when no rule matches", "yes", "", "", "", "https://cdn.shop.vn/menu.jpg", "", "0", "0"],
    ]  # fmt: skip
    assert [row[0] for row in table(console, "rules.csv?show=off")[1:]] == ["gio"]
    assert [row[0] for row in table(console, "rules.csv?sort=use&q=gia")[1:]] == ["bang-gia"]


def test_the_table_of_images(console: Console) -> None:
    """With their status and the rules that send them."""
    heading, *rows = table(console, "pictures.csv")
    assert heading[0] == "Picture"
    assert {row[0]: row[5] for row in rows}["https://cdn.shop.vn/gia.jpg"] == "bang-gia"
    assert {row[0]: row[5] for row in rows}["https://cdn.shop.vn/menu.jpg"] == "The fallback"
    assert len(table(console, "pictures.csv?show=bad")) < len(rows) + 1


@pytest.mark.parametrize(
    ("asked", "rows", "head"),
    [("period=7d", 7, "Day"), ("period=7d&table=2", 24, "Hour"), ("period=30d&table=1", 30, "Day"), ("", 7, "Day")],
)
def test_tables_of_the_overview(console: Console, asked: str, rows: int, head: str) -> None:
    """With the figures of the page."""
    put(console, age=DAY)
    heading, *found = table(console, f"overview.csv?{asked}")
    assert heading[:3] == [head, "Messages", "By a rule"]
    assert len(found) == rows
    assert sum(int(row[1]) for row in found) == 1


def test_top_lists_of_the_overview(console: Console) -> None:
    """An unknown table is a 404."""
    put(console)
    unmatched(console, "có bánh chay không")
    assert table(console, "overview.csv?table=rules") == [["Rule", "Answers"], ["bang-gia", "1"]]
    assert table(console, "overview.csv?table=questions") == [["Question", "People"], ["có bánh chay không", "1"]]
    for wrong in ("3", "0", "x y"):
        assert console.get(f"overview.csv?period=7d&table={wrong}").status_code in {200, 404}
    assert console.get("overview.csv?table=3").status_code == 404


def test_headings_in_vietnamese(console: Console) -> None:
    """In the language of the page."""
    assert table(console, "unanswered.csv?lang=vi")[0] == ["Câu hỏi", "Số người", "Số lần", "Cách viết khác"]


@pytest.mark.parametrize("name", LISTS)
def test_downloads_need_a_log_in(tmp_path: Path, name: str) -> None:
    """As the pages are."""
    with running(tmp_path, rules=RULES) as console:
        assert console.get(f"{name}.csv").status_code == 303
        assert b"bang-gia" not in console.get(f"{name}.csv").data


@pytest.mark.parametrize("name", LISTS)
def test_each_page_links_to_its_download_with_its_filters(console: Console, name: str) -> None:
    """Without the page number."""
    put(console)
    unmatched(console, "có bánh chay không")
    page = console.get(f"{name}?period=30d&page=1&lang=en")
    assert f'href="/console/{name}.csv?period=30d&amp;lang=en' in page.text
    assert "Download as CSV" in words(page)


def test_a_file_is_limited(console: Console) -> None:
    """Its last line tells that there are more rows."""
    with console.app.test_request_context("/console/events.csv"):
        console.app.preprocess_request()
        content = csv_response("x", ["n"], ([n] for n in range(MAX_ROWS + 5))).get_data()
    rows = read(content)
    assert len(rows) == MAX_ROWS + 2
    assert rows[-1] == [f"There are more rows; this file holds the first {MAX_ROWS:,}."]


@given(cell=st.one_of(st.text(), st.tuples(st.sampled_from(FORMULAS), st.text()).map("".join)))
def test_no_cell_is_a_formula(cell: str) -> None:
    """Other cells are unchanged."""
    found = str(harmless(cell))
    assert not found.startswith(FORMULAS)
    assert found.removeprefix("'") == cell.removeprefix("'")
    assert found == cell or cell.startswith((*FORMULAS, "\n", "＝", "＋", "－", "＠"))


@given(
    rows=st.lists(
        st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r")), min_size=2, max_size=2)
    )
)
def test_a_file_is_read_back_as_it_was_written(rows: list[list[str]]) -> None:
    """With commas, quotes and line ends in cells."""
    with Flask(__name__).test_request_context():
        content = csv_response("x", ["a", "b"], rows).get_data()
    assert read(content)[1:] == [[str(harmless(cell)) for cell in row] for row in rows]
