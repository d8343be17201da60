"""The console's overview, and the notices on every page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from bot.image_health.references import referenced_images
from bot.image_health.schedule import CheckSchedule
from bot.inbox.statistics.rollup import Statistics, start_of_day
from bot.inbox.tables import accounts, picture_checks, quotas
from bot.metrics import counts
from bot.rules.engine import FALLBACK
from bot.web.console.app import PAGES
from bot.web.console.charts import Column, scale, stacked
from tests.support.console import RULES, Console, running, words
from tests.support.rows import DAY, HOUR
from tests.support.running import wait_until

OA = "388613280878808645"


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    """A logged-in editor."""
    with running(tmp_path, zalo_oa_id=(OA,)) as found:
        found.log_in()
        yield found


def put(console: Console, *, age: float = 60.0, took: float | None = None, **values: Any) -> int:
    """Store an event that came in *age* seconds ago, answered after *took* seconds; return its id."""
    replied = {} if took is None else {"replied_at": console.runtime.database.now() - age + took}
    return console.keep(age=age, **{"oa_id": OA, **replied, **values})


def pause(console: Console, error: str) -> None:
    """Pause an OA with that error."""
    with console.runtime.database.write() as connection:
        connection.execute(sa.insert(accounts), {"oa_id": OA, "pauses": 2, "trouble": error})


def test_the_figures_of_the_period(console: Console) -> None:
    """Messages, the share of answers, the delay; earlier days do not count."""
    for took in (0.6, 0.7, 50):
        put(console, took=took)
    put(console, status="sent", reason="fallback", rule_id=FALLBACK, took=0.7)
    put(console, status="ignored", reason="no-match", rule_id=None, text="có bánh chay không")
    put(console, status="dead", reason="refused", rule_id="menu")
    put(console, kind=None, name="oa_send_image", status="ignored", reason="echo")
    put(console, age=8 * DAY, took=1)
    page = words(console.get("overview?period=7d"))
    assert "Messages from customers 6" in page
    assert "Answered 67 % of these, 1 by the fallback" in page
    assert "No answer yet 1" in page
    assert "Failed 1" in page
    assert "Time to the image 0.7 s" in page
    assert "bang-gia 3" in page
    assert "“có bánh chay không” 1 person" in page or "có bánh chay không 1 person" in page
    assert "Messages from customers 7" in words(console.get("overview?period=30d"))


@pytest.mark.parametrize(("period", "rows"), [("today", [24]), ("7d", [7, 24]), ("30d", [30, 24]), ("1e9", [7, 24])])
def test_each_chart_has_its_table(console: Console, period: str, rows: list[int]) -> None:
    """With the same figures, a row for each bar; an unknown period means seven days."""
    now = console.runtime.database.now()
    put(console, age=min(60.0, now - start_of_day(now)), took=1)
    text = console.get(f"overview?period={period}").text
    charts = re.findall(r'<svg class="bars".*?</svg>', text, re.DOTALL)
    tables = re.findall(r"<tbody>.*?</tbody>", text, re.DOTALL)
    assert [len(re.findall('<g class="bar">', chart)) for chart in charts] == rows
    assert [len(re.findall("<tr>", table)) for table in tables] == rows
    for chart, table in zip(charts, tables, strict=True):
        assert sum(map(int, re.findall(r"<title>[^<]*: (\d+)</title>", chart))) == 1
        assert sum(map(int, re.findall(r"</th><td>(\d+)</td>", table))) == 1
    assert " style=" not in text


def test_rolled_up_and_recent_hours_are_summed(console: Console) -> None:
    """Nothing counts twice."""
    put(console, age=2 * DAY, took=1)
    put(console, age=30, took=1)
    statistics = Statistics(console.runtime.database)
    while statistics.roll_up(now=console.runtime.database.now()):
        pass
    assert "Messages from customers 2" in words(console.get("overview"))


def test_without_messages_the_page_says_what_to_do(console: Console) -> None:
    """Instead of zeros."""
    page = console.get("overview")
    assert "No customer has written yet." in words(page)
    assert "<svg class" not in page.text


def test_customers_texts_are_escaped_and_masked(console: Console) -> None:
    """In the list of unanswered questions."""
    put(console, status="ignored", reason="no-match", rule_id=None, text="<b>gọi xe</b> 0912345678 đi")
    page = console.get("overview").text
    assert "&lt;b&gt;gọi xe&lt;/b&gt; •••" in page
    assert "0912345678" not in page


def test_the_overview_is_the_first_page(console: Console) -> None:
    """It is the first page."""
    assert console.get("").headers["Location"] == "/console/overview"


@pytest.mark.parametrize("page", [page.name for page in PAGES])
def test_a_refused_account_is_a_notice_on_every_page(console: Console, page: str) -> None:
    """With its meaning, who must act, and the vendor's text, escaped."""
    pause(console, "HTTP 401: code unauthenticated, <b>bad key</b>")
    text = console.get(page)
    assert f"The vendor refuses the account of OA {OA}: no image goes out." in words(text)
    assert "The connection key is refused: tell the operator. Messages wait and are not lost" in words(text)
    assert "&lt;b&gt;bad key&lt;/b&gt;" in text.text
    assert "Khóa kết nối bị từ chối: báo người vận hành" in words(console.get(f"{page}?lang=vi"))


def test_an_unreachable_vendor_is_no_refusal(console: Console) -> None:
    """Nobody has to do anything."""
    pause(console, "no connection: NewConnectionError")
    page = words(console.get("overview"))
    assert f"The vendor is away: no image of OA {OA} goes out at present." in page
    assert "The vendor cannot be reached: nothing to do, the bot tries again by itself" in page


def test_a_broken_rules_file_is_a_notice_on_every_page(console: Console) -> None:
    """With the error in the reader's language, and a link to the line in the file on disk."""
    reloader, path = console.runtime.rules_reloader, console.runtime.settings.rules_file
    path.write_text(RULES.replace("    exclude: [đánh giá]", "    exclud: [đánh giá]").replace("on: follow", "on: x"))
    wait_until(lambda: reloader.error, "the broken file to be seen")
    for page in PAGES:
        text = console.get(page.name)
        assert "The rules file rules.yaml cannot be used. Line 5: unknown key" in words(text)
        assert '<a href="/console/check?take=file&amp;line=5">Go to line 5</a>' in text.text
    assert "Dòng 5: " in words(console.get("try?lang=vi"))
    opened = console.get("check?take=file&line=5&lang=en")
    assert "exclud: [đánh giá]" in opened.text
    assert "What you look for begins on line 5." in words(opened)


def test_a_missing_rules_file_is_a_notice_on_every_page(console: Console) -> None:
    """With the system's message, without a line to link to."""
    console.runtime.settings.rules_file.unlink()
    wait_until(lambda: console.runtime.rules_reloader.error, "the missing file to be seen")
    for page in PAGES:
        text = console.get(page.name)
        assert "The rules file rules.yaml cannot be used. Customers are answered by the last good rules." in words(text)
        assert '<a href="/console/check">Show the error</a>' in text.text
        assert "No such file" in words(text)


def test_bad_images_are_a_notice(tmp_path: Path) -> None:
    """With their number."""
    with running(tmp_path, rules=RULES.replace("shop.example", "cdn.shop.vn")) as console:
        console.log_in()
        database = console.runtime.database
        now = database.now()
        keys = [image.key for image in referenced_images(console.runtime.rules_reloader.rules, now=now)]
        CheckSchedule(database).add_missing(keys, now=now)
        bad = {"word": "not-found", "status": 404, "checked_at": now, "failures": 2}
        with database.write() as connection:
            connection.execute(sa.update(picture_checks).values(**bad))
        assert "2 images of the rules cannot be sent. Customers get nothing" in words(console.get("try"))


def test_a_short_quota_is_a_notice(console: Console) -> None:
    """A large one is only a figure; that of one customer is neither."""
    counts.quota("7", "sub_quota", left=150, size=2000)
    counts.quota("8", "sub_quota", left=1500, size=2000)
    counts.quota("9", "reply", left=1, size=8)
    page = words(console.get("overview"))
    assert "OA 7 has 150 messages left in its quota." in page
    assert "OA 8 has" not in page
    assert "OA 9 has" not in page


def test_quotas_of_other_processes_and_former_runs_are_shown(console: Console) -> None:
    """On every page and in the figures; not one of the month before."""
    with console.runtime.database.write() as connection:
        for oa_id, age in (("17", DAY), ("18", 40 * DAY)):
            at = console.runtime.database.now() - age
            row = {"oa_id": oa_id, "kind": "sub_quota", "left": 150, "size": 2000, "reported_at": at}
            connection.execute(sa.insert(quotas), row)
    for page in PAGES:
        told = words(console.get(page.name))
        assert "OA 17 has 150 messages left in its quota. Once it is used up, no image goes out. The OA's owner" in told
        assert "OA 18" not in told
    put(console)
    assert "Quota left 150 of 2,000" in words(console.get("overview"))


@pytest.mark.parametrize(("usual", "is_told"), [(12, False), (30, True)])
def test_unusual_silence_is_a_notice(console: Console, usual: int, is_told: bool) -> None:
    """No message for three hours, in which so many came in on each of the days before."""
    for days in range(7, 0, -1):
        for number in range(usual):
            put(console, age=days * DAY + 2.9 * HOUR * (1 - number / usual))
    put(console, age=3 * HOUR)
    assert ("Nothing has come in since" in words(console.get("overview"))) == is_told
    put(console, age=1)
    assert "Nothing has come in since" not in words(console.get("overview"))


@given(highest=st.integers(min_value=0, max_value=10**9))
def test_a_scale_has_few_lines_and_room_for_the_highest_bar(highest: int) -> None:
    step, top = scale(highest)
    assert top >= max(1, highest)
    assert top % step == 0
    assert top // step <= 5


@given(counts=st.lists(st.tuples(*[st.integers(0, 10**6)] * 3), min_size=1, max_size=31))
def test_bars_are_inside_the_plot(counts: list[tuple[int, int, int]]) -> None:
    """Pieces are stacked from the base; bars fill the width."""
    series = ["a", "b", "c"]
    chart = stacked([Column(str(n), str(n), dict(zip(series, c, strict=True))) for n, c in enumerate(counts)], series)
    assert chart.total == sum(map(sum, counts))
    for bar, of in zip(chart.bars, counts, strict=True):
        assert 0 <= bar.x < bar.x + bar.width <= 100
        assert [piece.series for piece in bar.pieces] == [name for name, n in zip(series, of, strict=True) if n]
        bottom: float = chart.base
        for piece in bar.pieces:
            assert piece.y + piece.height == pytest.approx(bottom, abs=0.2)
            bottom = piece.y
        assert bottom >= 0
