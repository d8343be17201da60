"""The console's page Try: the bot's answer to a message, and why."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.inbox.queries import EventQueries
from bot.zalo import MAX_TEXT_CHARACTERS
from tests.support.console import Console, running, words

RULES = """\
version: 1
rules:
  - id: bang-gia
    keywords: [bảng giá, giá bao nhiêu]
    exclude: [đánh giá]
    cooldown: 10m
    reply: {image_url: "https://shop.example/bang-gia.jpg"}
    examples: [xem bảng giá]
  - id: gio-mo-cua
    keywords: [mở cửa]
    active: {days: [mon, tue, wed, thu, fri, sat], hours: "08:00-21:30"}
    reply: {image_url: "https://cdn.shop.vn/gio.jpg"}
  - id: rieng
    keywords: [ưu đãi]
    oa: ["388613280878808645"]
    reply: {attachment_id: "aBcDeF", uploaded: 2026-01-01}
  - id: chao-mung
    on: follow
    reply: [{image_url: "https://cdn.shop.vn/1.jpg"}, {image_url: "https://cdn.shop.vn/2.jpg"}]
  - id: nhan-dan
    on: sticker
    reply: {one_of: [{image_url: "https://cdn.shop.vn/3.jpg", weight: 3}, {image_url: "https://cdn.shop.vn/4.jpg"}]}
"""


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """A logged-in editor."""
    with running(tmp_path_factory.mktemp("try"), rules=RULES) as found:
        found.log_in()
        yield found


def tried(console: Console, text: str = "", **form: str) -> str:
    """Return the page with the answer."""
    answer = console.post("try", {"text": text, **form})
    assert answer.status_code == 200
    return answer.text


def test_the_empty_page(console: Console) -> None:
    """A hint, the examples of the file, and every event to choose from."""
    page = console.get("try").text
    assert "Send something to see" in page
    assert '<button type="submit" name="sample" value="xem bảng giá"' in page
    assert page.count("<option value=") == 12 + 1


def test_the_words_that_matched_are_marked(console: Console) -> None:
    """In the text as typed, with the rule and its image."""
    page = tried(console, "Shop ơi  bang gia nha")
    assert "Shop ơi  <mark>bang gia</mark> nha" in page
    assert "bang-gia, by the keyword &#34;bảng giá&#34; (marks left out)" in page
    assert 'src="/console/static/shop/bang-gia.jpg"' in page
    assert "each customer gets it at most once in 10 minutes" in page


def test_an_example_is_tried_at_a_click(console: Console) -> None:
    """Whatever else is in the form."""
    page = tried(console, "mở cửa", sample="xem bảng giá", event="follow")
    assert "xem <mark>bảng giá</mark>" in page


def test_near_misses_have_reasons(console: Console) -> None:
    """And there is a suggestion."""
    page = words(console.post("try", {"text": "xem bàng giá"}))
    assert "Near misses bang-gia" in page
    assert "contradicts" in page
    page = words(console.post("try", {"text": "xin chào cả nhà"}))
    assert "The bot is silent: nothing is sent" in page
    assert "No rule answers" in page
    assert "add a rule: - id:" in page


def test_other_rules_have_reasons(console: Console) -> None:
    """Excluded, outranked, inactive."""
    assert "kept out because the message has &#34;đánh giá&#34;" in tried(console, "đánh giá bảng giá")
    assert "matches fewer words than" in tried(console, "giá bao nhiêu, mở cửa chưa", at="2027-01-25T10:00")


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2027-01-24T10:00", "not on this day of the week"),
        ("2027-01-24T22:00", "outside its hours"),
        ("2027-01-25T22:00", "outside its hours"),
        ("2027-01-25T21:29", "gio-mo-cua, by the keyword"),
    ],
)
def test_another_time(console: Console, at: str, expected: str) -> None:
    """Such as Sunday, 22:00 in the time zone of the shop."""
    page = tried(console, "mấy giờ mở cửa", at=at)
    assert expected in page.replace("&#34;", '"')
    assert f'value="{at}"' in page
    assert f"Sunday, 24 Jan 2027, {at[-5:]}" in page or "-24T" not in at


@pytest.mark.parametrize("at", ["now", "2027-02-30T10:00", "0001-01-01T00:00", "9999-12-31T23:59", "2027-01-01T00:00Z"])
def test_an_invalid_time(console: Console, at: str) -> None:
    """It is said, and nothing is made up."""
    answer = console.post("try", {"text": "mở cửa", "at": at})
    assert answer.status_code == 400
    assert "This moment cannot be read" in words(answer)
    assert 'aria-invalid="true"' in answer.text


def test_another_oa(console: Console) -> None:
    """The OAs are those of the rules, of the settings, and those with calls."""
    assert "<option selected>388613280878808645</option>" in tried(console, "ưu đãi", oa="388613280878808645")
    page = tried(console, "ưu đãi", oa="388613280878808645")
    assert "only for the OA 388613280878808645" in page
    assert "<code>attachment_id aBcDeF</code>" in page
    assert "selected>999" not in tried(console, "ưu đãi", oa="999")


@pytest.mark.parametrize(
    ("event", "seen"),
    [
        ("follow", ["Follows the OA", "chao-mung", "1/2", "2/2"]),
        ("sticker", ["Sends a sticker", "75% of the time", "25% of the time", "one of 2 pictures each time"]),
        ("location", ["Sends a location", "The bot is silent"]),
    ],
)
def test_other_events(console: Console, event: str, seen: list[str]) -> None:
    """They have no words, whatever is in the field."""
    page = words(console.post("try", {"text": "bảng giá", "event": event}))
    for expected in seen:
        assert expected in page
    assert "by the keyword" not in page


def test_an_empty_text(console: Console) -> None:
    """A text has some."""
    for text in ("", "   "):
        answer = console.post("try", {"text": text})
        assert answer.status_code == 400
        assert "Type a message first." in words(answer)


def test_markup_is_escaped(console: Console) -> None:
    """Markup comes back escaped wherever it is shown."""
    page = tried(console, '<script>alert("x")</script> bảng giá" onfocus="alert(1)')
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(&#34;x&#34;)&lt;/script&gt; <mark>bảng giá</mark>" in page
    assert 'value="&lt;script&gt;' in page
    assert 'onfocus="' not in page


@given(text=st.text(max_size=80), kind=st.sampled_from(["text", "follow", "x"]), at=st.text(max_size=20))
def test_any_form_gets_a_page(console: Console, text: str, kind: str, at: str) -> None:
    """An answer, or an error message."""
    form = {"text": text.encode(errors="replace").decode(), "event": kind, "at": at.encode(errors="replace").decode()}
    assert console.post("try", form).status_code in {200, 400}


def test_a_text_of_any_length(console: Console) -> None:
    """It is cut at Zalo's limit."""
    page = tried(console, "bảng giá " + "a" * (MAX_TEXT_CHARACTERS + 100))
    assert "a" * (MAX_TEXT_CHARACTERS - 9) in page
    assert "a" * (MAX_TEXT_CHARACTERS - 8) not in page


def test_nothing_is_stored(console: Console, caplog: pytest.LogCaptureFixture) -> None:
    """No event, no log line, nothing in the cookie."""
    caplog.set_level("DEBUG")
    tried(console, "bảng giá của chị Hồng")
    assert EventQueries(console.runtime.database).recent(9) == []
    assert "Hồng" not in caplog.text
    held = console.client.get_cookie("console", path="/console")
    assert held is not None
    assert len(held.value) < 300


def test_the_page_in_vietnamese(tmp_path: Path) -> None:
    """All of it."""
    with running(tmp_path, rules=RULES, bot_lang="vi") as console:
        console.log_in()
        page = words(console.post("try", {"text": "bang gia", "at": "2027-01-24T22:00"}))
    for expected in ("nhờ từ khóa", "chủ nhật, 22:00, 24/01/2027", "Lưu ý mỗi khách", "Xem quy tắc này", "Nhắn chữ"):
        assert expected in page
