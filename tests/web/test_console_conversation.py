"""The console's page of one customer's conversation, and relative times."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from flask import Flask, g

from bot.inbox.queries import MAX_SEARCHED
from bot.inbox.tables import events
from bot.web.console.formatting import format_ago
from bot.web.console.messages.events_page import CONVERSATION_SIZE
from tests.support.console import Console, running, words
from tests.support.rows import NOW
from tests.support.rows import found as row_of

ECHO = {"name": "oa_send_image", "kind": None, "text": None, "status": "ignored", "reason": "echo", "images": None}
STAFF = {"name": "oa_send_text", "kind": None, "status": "ignored", "reason": "human", "images": None, "rule_id": None}


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    """A logged-in editor."""
    with running(tmp_path) as found:
        found.log_in()
        yield found


def put(console: Console, *, age: float = 60.0, **values: Any) -> int:
    """Store an event of one customer that came in *age* seconds ago; return its id."""
    values = {"user_id": "246845883529197922", **values}
    return console.keep(age=age, **values)


def test_a_conversation_is_in_order(console: Console) -> None:
    """The customer's text, the image with its rule, a person's text; no other customers, no ids."""
    first = put(console, text="shop ơi bảng giá", progress=1)
    put(console, **STAFF, text="Dạ chị chờ em chút")
    put(console, text="ok em", status="ignored", reason="human", rule_id=None, images=None)
    put(console, text="người khác", user_id="9")
    put(console, name="user_seen_message", kind=None, text=None, status="ignored", reason="not-answerable", images=None)
    page = console.get(f"events/{first}/conversation")
    said = words(page)
    parts = ("shop ơi bảng giá", "Bot · bang-gia", "Staff ·", "Dạ chị chờ em chút", "ok em", "a person is answering")
    assert [said.index(part) for part in parts] == sorted(said.index(part) for part in parts)
    assert page.text.partition("<main")[2].partition("</main>")[0].count("<li>\n") == 3
    assert "người khác" not in said
    assert "246845883529197922" not in page.text


def test_echoes_confirm_the_images_of_their_message(console: Console) -> None:
    """One for each image; images without an echo are not called confirmed."""
    first = put(console, text="một", progress=1)
    put(console, **ECHO)
    put(console, text="hai", progress=1)
    page = words(console.get(f"events/{first}/conversation"))
    assert page.count("Zalo has confirmed it") == 1
    assert page.index("Zalo has confirmed it") < page.index("hai")
    put(console, **ECHO)
    assert words(console.get(f"events/{first}/conversation")).count("Zalo has confirmed it") == 2


def test_a_failure_says_who_must_act(console: Console) -> None:
    """In the reader's language, with the vendor's text below."""
    event_id = put(console, status="dead", reason="refused", error="HTTP 200: code -230, <b>too late</b>")
    page = console.get(f"events/{event_id}/conversation?lang=vi")
    assert "Khách chưa nhắn cho OA trong 7 ngày : không cần làm gì" in words(page)
    assert "&lt;b&gt;too late&lt;/b&gt;" in page.text


def test_words_are_text_and_masked(console: Console) -> None:
    event_id = put(console, text="<i>gọi</i> 0912345678")
    page = console.get(f"events/{event_id}/conversation").text
    assert "&lt;i&gt;gọi&lt;/i&gt; •••" in page
    assert "0912345678" not in page


def test_a_long_conversation_has_pages(console: Console) -> None:
    """Each message once."""
    ids = [put(console, text=f"tin-{n};") for n in range(CONVERSATION_SIZE + 5)]
    seen: list[str] = []
    path: str | None = f"events/{ids[0]}/conversation"
    while path:
        text = console.get(path).text
        seen = re.findall(r"tin-(\d+);", text) + seen
        older = re.search(r'href="/console/([^"]+)">↑', text)
        path = older[1].replace("&amp;", "&") if older else None
    assert seen == [str(n) for n in range(len(ids))]


def test_an_unknown_event_has_no_conversation(console: Console) -> None:
    assert console.get("events/99/conversation").status_code == 404


def test_the_list_links_to_conversations_and_has_no_echoes(console: Console) -> None:
    """From each message of a customer."""
    event_id = put(console, text="bảng giá")
    put(console, **ECHO)
    page = console.get("events").text
    assert f'href="/console/events/{event_id}/conversation"' in page
    assert page.count('class="when"') == 1


def test_the_list_by_rule(console: Console) -> None:
    """The rules in force are offered; an unknown name is no filter."""
    put(console, text="một", rule_id="bang-gia")
    put(console, text="hai", rule_id="chao-mung")
    assert console.get("events?rule=bang-gia").text.count('class="when"') == 1
    assert "một" in words(console.get("events?rule=bang-gia"))
    assert console.get("events?rule=khac").text.count('class="when"') == 2


@pytest.mark.parametrize(("passed", "en", "vi"), [
    (-5, "just now", "vừa xong"),
    (59, "just now", "vừa xong"),
    (60, "1 minute ago", "1 phút trước"),
    (650, "10 minutes ago", "10 phút trước"),
    (3600, "1 hour ago", "1 giờ trước"),
    (86_399, "23 hours ago", "23 giờ trước"),
    (86_400, "20 Sep, 21:13", "21:13, 20/09"),
])  # fmt: skip
def test_relative_times(passed: float, en: str, vi: str) -> None:
    with Flask("console").app_context():
        for g.lang, said in (("en", en), ("vi", vi)):
            assert format_ago(NOW - passed, ZoneInfo("Asia/Ho_Chi_Minh"), now=NOW) == said


@pytest.mark.parametrize(("asked", "found"), [
    ("banh chay", ["có bánh chay không"]),
    ("BÁNH", ["Banh kem", "có bánh chay không"]),
    ("chay bánh", ["có bánh chay không"]),
    ("xe máy", []),
    ("<script>", []),
])  # fmt: skip
def test_the_list_is_searched_without_marks(console: Console, asked: str, found: list[str]) -> None:
    """All words in any order; the query stays in the field, as text."""
    for text in ("có bánh chay không", "menu", "Banh kem"):
        put(console, text=text)
    page = console.get("events", query_string={"q": asked})
    assert re.findall(r"<q>(.*?)</q>", page.text) == found
    assert f'value="{html.escape(asked)}"' in page.text


def test_a_search_continues_on_the_next_page(console: Console) -> None:
    """It reads a limited number of texts at a time, and skips none."""
    rare = put(console, text="hiếm")
    usual = {k: v for k, v in row_of(console.runtime.database, rare).items() if k != "id"} | {"text": "menu"}
    with console.runtime.database.write() as connection:
        connection.execute(sa.insert(events), [{**usual, "key": f"usual-{n}"} for n in range(MAX_SEARCHED)])
    page = console.get("events?q=hiem")
    assert "Looked at 5,000 events" in words(page)
    further = re.search(r'rel="next" href="/console/([^"]+)"', page.text)
    assert further
    assert re.findall(r"<q>(.*?)</q>", console.get(html.unescape(further[1])).text) == ["hiếm"]


def test_a_wrong_image_links_to_the_form_of_its_rule(tmp_path: Path) -> None:
    """The message is filled in as a counter-example; long numbers are left out."""
    with running(tmp_path, console_publish=True) as console:
        console.log_in()
        event_id = put(console, text="bảng giá xe máy 0912345678", rule_id="bang-gia")
        for page in (f"events/{event_id}/conversation", f"events/{event_id}"):
            link = re.search(r'href="/console/(rules/edit[^"]+)"', console.get(page).text)
            assert link
        form = console.get(html.unescape(link[1])).text
        not_examples = re.search(r'<textarea id="not_examples".*?>(.*?)</textarea>', form, re.DOTALL)
        assert not_examples
        assert not_examples[1].strip() == "bảng giá xe máy •••"
        assert console.get("rules/edit?id=bang-gia&wrong=99999999999999999999").status_code == 200


@pytest.mark.parametrize("values", [
    {"text": "menu", "rule_id": "khong-con"},
    {"text": None, "kind": "follow", "rule_id": "chao-mung"},
    {"text": "menu", "rule_id": "fallback"},
])  # fmt: skip
def test_a_wrong_image_without_a_rule_has_no_link(tmp_path: Path, values: dict[str, Any]) -> None:
    """The rule is gone, or has no words."""
    with running(tmp_path, console_publish=True) as console:
        console.log_in()
        event_id = put(console, **values)
        assert "rules/edit" not in console.get(f"events/{event_id}/conversation").text


def test_without_publishing_there_is_no_link_for_wrong_images(console: Console) -> None:
    event_id = put(console, text="bảng giá", rule_id="bang-gia")
    assert "rules/edit" not in console.get(f"events/{event_id}/conversation").text


def test_customers_are_listed_by_their_latest_message(console: Console) -> None:
    """Each once, with their latest text and the sent image; no ids."""
    put(console, text="shop ơi bảng giá", user_id="111222333", age=7200)
    put(console, text="gọi em 0912345678", user_id="444", age=120)
    put(console, text="còn size M không", user_id="111222333", status="ignored", reason="no-match", rule_id=None)
    page = console.get("events/customers")
    said = words(page)
    assert said.index("còn size M không") < said.index("gọi em")
    assert "shop ơi bảng giá" not in said
    assert "0912345678" not in page.text
    assert "111222333" not in page.text
    assert len(re.findall(r'href="/console/events/\d+/conversation"', page.text)) == 2
    assert "còn size M" in words(console.get("events/customers?q=con+size"))
    assert "shop ơi bảng giá" in words(console.get("events/customers?rule=bang-gia"))
    assert "còn size M" not in words(console.get("events/customers?rule=bang-gia"))


@pytest.mark.parametrize("path", ["events", "events/customers"])
def test_the_lists_of_a_day(console: Console, path: str) -> None:
    """In the time zone of the rules; other filters are kept, and an invalid day is ignored."""
    zone, now = ZoneInfo("Asia/Ho_Chi_Minh"), console.runtime.database.now()
    midnight = datetime.fromtimestamp(now, zone).replace(hour=0, minute=0, second=0, microsecond=0)
    for name, at in (
        ("hôm kia", midnight.timestamp() - 86_401),
        ("đầu ngày", midnight.timestamp() - 86_400),
        ("cuối ngày", midnight.timestamp() - 1),
        ("hôm nay", midnight.timestamp()),
    ):
        put(console, text=name, age=now - at, user_id=name)
    yesterday = (midnight - timedelta(hours=12)).date()
    page = console.get(f"{path}?day={yesterday}&rule=bang-gia")
    shown = [name for name in ("hôm kia", "đầu ngày", "cuối ngày", "hôm nay") if name in words(page)]
    assert shown == ["đầu ngày", "cuối ngày"]
    assert f'name="day" type="date" value="{yesterday}"' in page.text
    assert f"day={yesterday}" in page.text.partition('class="tabs"')[2].partition("</nav>")[0]
    assert "hôm nay" in words(console.get(f"{path}?day=soon"))
