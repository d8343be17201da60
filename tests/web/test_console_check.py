"""The console's page Check: problems of a file, effects, publication."""

from __future__ import annotations

import codecs
import html
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from bot.analysis.diff import MAX_LINES, count_changed_lines, diff_lines
from bot.analysis.preview import PreviewRequest, preview
from bot.analysis.preview_process import run_in_subprocess
from bot.inbox.messages import Message
from bot.rules.publishing.publisher import Publisher, digest, normalise_newlines
from bot.web.console.publishing.check_session import MAX_REFRESHES, MAX_SHIFTS, MAX_VERSIONS
from tests.support.console import RULES, Console, PausedPreview, running, words
from tests.support.local_images import png
from tests.support.running import PATIENCE, wait_until

PICTURE = 'reply: {image_url: "https://shop.example/%s.jpg"}'
SHIP = f"""\
version: 1
rules:
  - id: bang-gia
    keywords: [bảng giá]
    {PICTURE % "bang-gia"}
  - id: ship
    keywords: [giao hàng, chuyển khoản]
    {PICTURE % "ship"}
"""
TODAY = date(2027, 1, 25)
#: What the page has besides the text, so that it can be checked and saved.
HIDDEN = ("base_digest", "revision", "tab")
BROKEN = SHIP.replace("keywords: [giao", "keyword: [giao")


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    """A logged-in editor of a console that cannot publish."""
    with running(tmp_path) as found:
        found.log_in()
        yield found


@pytest.fixture
def publishing(tmp_path: Path) -> Iterator[Console]:
    """A logged-in editor of a console that can publish."""
    with running(tmp_path, console_publish=True) as found:
        found.log_in()
        yield found


def field(page: TestResponse, name: str) -> str:
    """Return the value of a hidden field or a check box; empty if there is none."""
    found = re.search(rf'name="{name}"(?: form="(?:check|restore)")? value="([^"]*)"', page.text)
    return html.unescape(found[1]) if found else ""


def fields(page: TestResponse) -> dict[str, str]:
    """Return the fields that the publish button sends beside the text, with the confirmation if one is needed."""
    return {name: field(page, name) for name in (*HIDDEN, "checked", "confirmed")}


def text_of(page: TestResponse) -> str:
    """Return the content of the text area as a browser reads it: without its first line end."""
    found = re.search(r"<textarea[^>]*>\n(.*?)</textarea>", page.text, re.DOTALL)
    assert found
    return html.unescape(found[1])


def checked(console: Console, text: str, **more: Any) -> TestResponse:
    """Send a text from the page like a browser."""
    page = console.get("check?take=file")
    sent = {name: field(page, name) for name in HIDDEN} | {"text": text.replace("\n", "\r\n")}
    return console.post("check", sent | more)


def published(console: Console, text: str, **more: str) -> TestResponse:
    """Check a text, confirm lost answers, and press the publish button."""
    page = checked(console, text)
    return console.post("check/publish", fields(page) | {"text": text, **more})


def restored(console: Console, version: str, **more: str) -> TestResponse:
    """Press the button of a version, and on the page that asks the one that restores it, whether it is there or not."""
    page = console.get("check/restore", query_string={"version": version})
    sent = {name: field(page, name) for name in ("base_digest", "confirmed")}
    return console.post("check/restore", {"version": version, **sent, **more})


def buttons(page: TestResponse) -> list[str]:
    """Return the versions that the page offers to restore: one step back, then those of the list."""
    return re.findall(r'form="restore"[^>]* name="version" value="([^"]*)"', page.text)


def gone_back(console: Console, **more: str) -> TestResponse:
    """Press the button that goes back one step."""
    return restored(console, buttons(console.get("check"))[0], **more)


def uploaded(console: Console, data: bytes, **form: str) -> TestResponse:
    """Choose a file and send the form, byte by byte as a browser does."""
    sent = {"text": "not this", **form}
    lines = [f'--x\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n'.encode() for n, v in sent.items()]
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="my.yaml"\r\n\r\n'
    body = b"".join([*lines, head, data, b"\r\n--x--\r\n"])
    return console.post("check", body, content_type="multipart/form-data; boundary=x")


def rules_file(console: Console) -> Path:
    return console.runtime.settings.rules_file


# What is wrong with it


def test_the_problems_are_those_of_bot_check(console: Console) -> None:
    """With the line, the fault marked in it, and their number."""
    page = checked(console, BROKEN)
    assert page.status_code == 200
    assert "rules.yaml: 1 error. The bot does not use this version" in words(page)
    assert 'unknown key "keyword"' in words(page)
    assert "<mark>keyword</mark>: [giao hàng" in page.text
    assert "Tried on real messages" not in page.text
    assert text_of(page) == BROKEN.replace("\n", "\r\n")


@pytest.mark.parametrize(
    "data",
    [
        SHIP.encode(),
        SHIP.replace("\n", "\r\n").encode(),
        codecs.BOM_UTF8 + SHIP.encode(),
        ("\n\n" + SHIP).encode(),
        SHIP.encode().rstrip(b"\n"),
    ],
    ids=["plain", "crlf", "bom", "blank lines", "no end"],
)
def test_an_uploaded_file_is_read_like_bot_check_reads_it(console: Console, data: bytes) -> None:
    """With any line ends; the content is then in the text area."""
    page = uploaded(console, data)
    assert "rules.yaml: fine. Checked 2 rules, 3 keywords, 0 examples." in words(page)
    assert normalise_newlines(text_of(page)) == normalise_newlines(data.decode("utf-8-sig"))
    assert field(page, "checked") == digest(normalise_newlines(text_of(page)))


@pytest.mark.parametrize(
    ("data", "code", "shown"),
    [
        (SHIP.encode("utf-16"), "not-utf8", SHIP),
        (SHIP.encode("cp1258", errors="replace"), "not-utf8", ""),
        (b"\xff\xfe\x00\xd8", "not-utf8", ""),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "not-utf8", ""),
        (b"rules: \x00\x07", "control-character", "rules: \x00\x07"),
        (b"#" * 2_000_001, "too-big", "#" * 2_000_001),
    ],
    ids=["utf-16", "windows", "half a letter", "a picture", "controls", "too big"],
)
def test_undecodable_files(console: Console, data: bytes, code: str, shown: str) -> None:
    """Their content is not put into the text area: with replaced letters it could be published."""
    page = uploaded(console, data)
    assert page.status_code == 200
    assert f'<code class="code">{code}</code>' in page.text
    assert text_of(page) == shown


def test_larger_than_a_form_may_be(console: Console) -> None:
    """Refused before it is read."""
    assert uploaded(console, b"#" * 3_000_000).status_code == 413


@pytest.mark.parametrize("text", [None, "", " \r\n "])
def test_an_empty_form(console: Console, text: str | None) -> None:
    """It says what is missing."""
    page = uploaded(console, b"") if text is None else console.post("check", {"text": text})
    assert page.status_code == 400
    assert "Paste something or choose a file first." in words(page)


@settings(max_examples=6)
@given(data=st.one_of(st.binary(max_size=200), st.text(max_size=200).map(lambda text: f"rules:\n{text}".encode())))
def test_any_file_has_a_result(data: bytes) -> None:
    """No exception, and the preview is the same after its way through the subprocess."""
    request = PreviewRequest(data, Path("/nowhere"), TODAY, present=SHIP.encode())
    assert run_in_subprocess(request, log_format="text") == preview(request)


def test_images_beside_the_rules_file_are_checked(console: Console) -> None:
    """A pasted file is checked as if it were in the folder of the rules file."""
    text = SHIP.replace('image_url: "https://shop.example/ship.jpg"', "file: ship.png")
    assert 'class="code">file-missing' in checked(console, text).text
    (rules_file(console).parent / "ship.png").write_bytes(png())
    assert "rules.yaml: fine." in words(checked(console, text))


def test_markup_is_escaped(console: Console) -> None:
    """In the text area, in the problems, and in the diff."""
    evil = "</textarea><script>alert(1)</script>"
    page = checked(console, SHIP.replace("ship.jpg", evil).replace("id: ship", f"{evil}: ship"))
    assert "<script>alert" not in page.text
    assert page.text.count("&lt;/textarea&gt;&lt;script&gt;") >= 3


def test_starters_are_offered(console: Console) -> None:
    """Beside an empty text area; they are loaded completely."""
    assert "Or begin with a sample shop: Bakery Fashion Spa Phone shop School" in words(console.get("check"))
    page = console.get("check?take=spa")
    assert "Or begin with" not in words(page)
    assert "rules.yaml: fine." in words(
        checked(console, html.unescape(re.findall(r"<textarea[^>]*>\n(.*?)</textarea>", page.text, re.S)[0]))
    )


# What it changes


def test_the_backtest(console: Console) -> None:
    """Each kind of change with its messages, masked; from which rule to which, with their images."""
    console.keep(text="giá bao nhiêu vậy shop", rule_id="bang-gia")
    console.keep(text="bảng giá", rule_id="bang-gia")
    for phone in ("0912 345 678", "0987.654.321"):
        console.keep(text=f"chuyển khoản vào {phone} nhé", rule_id=None)
    console.keep(text="giao hàng giá bao nhiêu", rule_id="bang-gia")
    page = checked(console, SHIP)
    said = words(page)
    assert re.search(r"The latest 5, from \d+ \w+, \d\d:\d\d to \d+ \w+, \d\d:\d\d: 1 answered as before\.", said)
    assert "2 Newly answered 1 Answered differently 1 No longer answered" in said
    picture = "No preview here https://shop.example/%s.jpg "
    assert f"chuyển khoản vào ••• nhé 2 no answer {picture % 'ship'}ship" in said
    assert re.search(r"giao hàng giá bao nhiêu 1 .{,60}bang-gia.jpg bang-gia .{,60}ship.jpg ship", said)
    assert re.search(r"giá bao nhiêu vậy shop 1 .{,40}https://shop.example/bang-gia.jpg bang-gia no answer", said)
    assert "0912" not in page.text
    assert "0987" not in page.text


def test_a_comment_changes_no_answer(console: Console) -> None:
    """Messages are compared with the rules in force, not with their former answers."""
    console.keep(text="bảng giá", rule_id="cu")
    console.keep(text="giá bao nhiêu", rule_id=None)
    said = words(checked(console, RULES + "# one more line\n"))
    assert "2 answered as before." in said


def test_very_many_shifts(console: Console) -> None:
    """The most frequent are listed, and the others are counted."""
    draft = SHIP
    for number in range(100, 103 + MAX_SHIFTS):
        console.keep(text=f"bánh số {number}", rule_id=None)
        draft += f"  - {{id: so-{number}, keywords: [bánh số {number}], {PICTURE % number}}}\n"
    page = checked(console, draft)
    assert page.text.count('class="messages"') == MAX_SHIFTS
    assert "3 more groups are not shown." in words(page)


def test_no_messages_yet(console: Console) -> None:
    """It says so."""
    assert "There are no messages to try it on yet." in words(checked(console, SHIP))


def test_the_diff(console: Console) -> None:
    """Against the present file, with line numbers."""
    page = checked(console, RULES.replace("giá bao nhiêu", "giá sao"))
    assert "<del><i>− </i>    keywords: [bảng giá, giá bao nhiêu]</del>" in page.text
    assert "<ins><i>+ </i>    keywords: [bảng giá, giá sao]</ins>" in page.text
    assert "+1 −1 lines" in words(page)
    assert "This is what the present file says." in words(checked(console, RULES))


LINES = st.lists(st.sampled_from(["a", "b", "c", "  x", ""]), max_size=30)


@given(LINES, LINES, st.sampled_from(["\n", "\r\n"]))
def test_the_diff_turns_one_file_into_the_other(before: list[str], after: list[str], end: str) -> None:
    """Removing and adding its lines gives the other file; line numbers are right."""
    old, new = "".join(line + "\n" for line in before), "".join(line + end for line in after)
    found = diff_lines(old, new)
    shown = [line for hunk in found.hunks for line in hunk]
    gone = {line.number - 1 for line in shown if line.kind == "gone"}
    put = {line.number - 1 for line in shown if line.kind == "new"}
    stays = [line for number, line in enumerate(before) if number not in gone]
    assert stays == [line for number, line in enumerate(after) if number not in put]
    assert (found.gone, found.new, found.left_out) == (len(gone), len(put), 0)
    assert all(line.text == (before if line.kind == "gone" else after)[line.number - 1] for line in shown)
    assert (found.hunks == ()) == (before == after)
    new_at_all, gone_at_all = count_changed_lines(old, new)
    assert new_at_all <= found.new
    assert gone_at_all <= found.gone
    assert new_at_all - gone_at_all == len(after) - len(before)


def test_the_diff_is_limited() -> None:
    """Three lines around a change; at most some hundred lines."""
    lines = [f"line {number}" for number in range(5_000)]
    other = [*lines[:2_500], "new" * 200, *lines[2_501:]]
    found = diff_lines("\n".join(lines), "\n".join(other))
    assert [len(hunk) for hunk in found.hunks] == [8]
    assert len(found.hunks[0][4].text) == 241
    whole = diff_lines("\n".join(lines), "\n".join(line.upper() for line in lines))
    assert (whole.new, whole.gone) == (5_000, 5_000)
    assert sum(map(len, whole.hunks)) == MAX_LINES
    assert whole.left_out == 10_000 - MAX_LINES


# How long it may take


def test_one_check_at_a_time(tmp_path: Path) -> None:
    """A second editor is told at once and keeps their text."""
    paused = PausedPreview()
    with running(tmp_path, preview=paused) as console, ThreadPoolExecutor() as pool:
        console.log_in()
        colleague = Console(console.app, console.runtime)
        colleague.log_in()
        first = pool.submit(checked, colleague, BROKEN)
        assert paused.begun.wait(PATIENCE)
        second = checked(console, SHIP)
        paused.goes_on.set()
        assert second.status_code == 503
        assert "Another file is being checked" in words(second)
        assert text_of(second) == SHIP.replace("\n", "\r\n")
        assert first.result().status_code == 200
        assert checked(console, SHIP).status_code == 200


# What customers lose


def test_the_summary(publishing: Console) -> None:
    """Counted in rules and messages; lost answers must be confirmed before a publication."""
    for text in ("giá bao nhiêu", "giá bao nhiêu vậy", "ship giao hàng"):
        publishing.keep(text=text, rule_id=None)
    page = checked(publishing, SHIP)
    assert "Adds 1 rule, changes 1, removes 1; 2 messages will lose their answer, 1 more message is answered." in words(
        page
    )
    assert '<p class="headline bad"' in page.text
    assert "bang-gia −2 2 not answered any more “giá bao nhiêu vậy”, “giá bao nhiêu”" in words(page)
    assert "ship – +1 1 not answered before “ship giao hàng”" in words(page)
    refused = publishing.post("check/publish", fields(page) | {"text": SHIP, "confirmed": ""})
    assert refused.status_code == 409
    assert "customers lose answers. Tick that you want this" in words(refused)
    assert rules_file(publishing).read_text(encoding="utf-8") == RULES
    assert publishing.post("check/publish", fields(refused) | {"text": SHIP}).status_code == 303
    assert rules_file(publishing).read_text(encoding="utf-8") == SHIP


def test_without_lost_answers_no_confirmation_is_needed(publishing: Console) -> None:
    """Green, and one press."""
    publishing.keep(text="giá bao nhiêu", rule_id=None)
    page = checked(publishing, RULES.replace("giá bao nhiêu", "giá bao nhiêu, mấy tiền"))
    assert "Changes 1 rule; no message loses its answer." in words(page)
    assert '<p class="headline good"' in page.text
    assert field(page, "confirmed") == ""
    assert "Changes no rule; no message loses its answer." in words(checked(publishing, RULES + "# a comment\n"))


def test_author_and_note_of_a_publication(publishing: Console) -> None:
    """They are in the history; the name stays in the browser, escaped everywhere."""
    name = "Chị <b>Hạnh</b>"
    assert "asked once in this browser" in words(checked(publishing, SHIP))
    answer = published(publishing, SHIP, author=name, note="giá Tết")
    assert answer.status_code == 303
    publisher = Publisher(rules_file(publishing))
    found = publisher.info(publisher.versions()[0].name)
    assert (found.author, found.note, found.restored) == (name, "giá Tết", "")
    cookie = next(one for one in answer.headers.getlist("Set-Cookie") if one.startswith("console_author="))
    assert all(part in cookie for part in ("HttpOnly", "SameSite=Lax", "Path=/console"))
    page = checked(publishing, RULES)
    assert 'value="Chị &lt;b&gt;Hạnh&lt;/b&gt;"' in page.text
    assert "asked once" not in words(page)
    assert "<b>Hạnh" not in publishing.get("check").text


def test_the_list_of_versions_has_author_note_and_changes(publishing: Console) -> None:
    """A restored version names the one that it restored."""
    published(publishing, SHIP, author="Hạnh", note="giá Tết")
    gone_back(publishing)
    for path in ("check", "check/versions"):
        page = words(publishing.get(path))
        assert "Hạnh giá Tết Adds 1 rule, changes 1, removes 1" in page
        assert re.search(r"present Hạnh Restores the version of \d+ \w+ 20\d\d, \d\d:\d\d\. Adds 1 rule", page)


def test_any_version_is_restored_from_the_list(publishing: Console) -> None:
    """Its page shows the changes and has fields for author and note; the browser's draft stays."""
    published(publishing, RULES + "# one\n", author="Hạnh")
    published(publishing, SHIP)
    oldest = buttons(publishing.get("check/versions"))[-1]
    page = publishing.get("check/restore", query_string={"version": oldest})
    assert "Adds 1 rule, changes 1, removes 1" in words(page)
    assert 'name="author" form="restore" value="Hạnh"' in page.text
    assert "asked once" not in words(page)
    assert restored(publishing, oldest, author="Lan", note="nhầm giá").status_code == 303
    assert rules_file(publishing).read_text(encoding="utf-8") == RULES
    assert re.search(r"The version of .* is in the rules file again\.", words(publishing.get("check")))
    publisher = Publisher(rules_file(publishing))
    found = publisher.info(publisher.versions()[0].name)
    assert (found.author, found.note, found.restored) == ("Lan", "nhầm giá", oldest)


def test_a_version_that_cannot_be_restored(publishing: Console) -> None:
    """The present one, one with errors, and one that is not kept: each with the reason."""
    published(publishing, SHIP)
    rules_file(publishing).write_text(BROKEN, encoding="utf-8")
    publishing.get("check")
    published(publishing, SHIP + "# more\n")
    kept = [version.name for version in Publisher(rules_file(publishing)).versions()]
    page = publishing.get("check/restore", query_string={"version": kept[0]})
    assert "This is what the present file says." in words(page)
    page = publishing.get("check/restore", query_string={"version": kept[1]})
    assert "It cannot be used as it is." in words(page)
    seen = digest((SHIP + "# more\n").encode())
    assert restored(publishing, kept[1], base_digest=seen).status_code == 409
    assert publishing.post("check/restore", {"version": "gone"}).location == "/console/check/versions"
    assert "That version is not there" in words(publishing.get("check/versions"))
    assert rules_file(publishing).read_text(encoding="utf-8") == SHIP + "# more\n"


def test_two_versions_are_compared(publishing: Console) -> None:
    """In words, by the answers to real messages, and line by line, in either order."""
    publishing.keep(text="giá bao nhiêu", rule_id=None)
    published(publishing, SHIP)
    published(publishing, SHIP + "# more\n")
    kept = [version.name for version in Publisher(rules_file(publishing)).versions()]
    page = publishing.get(f"check/versions?old={kept[2]}&new={kept[1]}")
    assert "Adds 1 rule, changes 1, removes 1; 1 message will lose its answer." in words(page)
    assert "bang-gia −1 1 not answered any more “giá bao nhiêu”" in words(page)
    assert "<ins><i>+ </i>  - id: ship</ins>" in page.text
    page = publishing.get(f"check/versions?old={kept[1]}&new={kept[2]}")
    assert '<p class="headline good"' in page.text
    assert "1 more message is answered, no message loses its answer." in words(page)
    assert "Changes no rule" in words(publishing.get(f"check/versions?old={kept[1]}&new={kept[0]}"))
    assert publishing.get("check/versions?old=../../etc/passwd&new=x").status_code == 404


def test_a_version_that_cannot_be_used_is_compared_by_its_rules(publishing: Console) -> None:
    """Somebody wrote it by hand, or its picture is gone since: what customers would get is not known."""
    publishing.keep(text="giá bao nhiêu", rule_id=None)
    published(publishing, SHIP)
    rules_file(publishing).write_text(SHIP.replace("keywords", "keyword"), encoding="utf-8")
    publishing.get("check")
    broken, good, *_ = (version.name for version in Publisher(rules_file(publishing)).versions())
    page = words(publishing.get(f"check/versions?old={good}&new={broken}"))
    assert "The second version cannot be used as it is" in page
    page = words(publishing.get(f"check/versions?old={broken}&new={good}"))
    assert "there are no messages yet to try it on" not in page
    assert "Changes" in page


def test_author_and_note_are_not_logged(publishing: Console, caplog: pytest.LogCaptureFixture) -> None:
    """They are nobody's business there."""
    with caplog.at_level("DEBUG"):
        published(publishing, SHIP, author="Hạnh", note="giá Tết")
    assert "rules published" in caplog.text
    assert not any(word in str(record.__dict__) for record in caplog.records for word in ("Hạnh", "giá Tết"))


# The file in force


def test_loading_the_present_file(console: Console) -> None:
    """As it is on the disk, also with errors; then the last good one can be loaded too."""
    assert text_of(console.get("check")) == ""
    assert text_of(console.get("check?take=file")) == RULES
    assert "in force rules.yaml · 2 rules" in words(console.get("check"))
    rules_file(console).write_text(BROKEN, encoding="utf-8")
    assert "being taken" in words(console.get("check"))
    wait_until(lambda: console.runtime.rules_reloader.error, "the broken file to be seen")
    page = console.get("check?take=file")
    assert text_of(page) == BROKEN
    assert "The last good rules stay in force." in words(page)
    assert text_of(console.get("check?take=good")) == RULES


def test_a_missing_rules_file(console: Console) -> None:
    """Checks still work; there is nothing to compare with."""
    rules_file(console).unlink()
    assert text_of(console.get("check?take=file")) == ""
    page = checked(console, SHIP)
    assert "rules.yaml: fine." in words(page)
    assert "What it changes" not in page.text


@pytest.mark.parametrize("take", ["", "x", "../rules.yaml", "2026-09-21T14-13-20.000Z-0123456789ab.yaml", "%00"])
def test_loading_an_unknown_name_gives_an_empty_text_area(publishing: Console, take: str) -> None:
    """An empty field."""
    assert text_of(publishing.get(f"check?take={take}")) == ""


# Publishing


def test_publishing_is_off_by_default(console: Console) -> None:
    """No button and no route; the page tells where to save the file."""
    page = checked(console, SHIP)
    assert "Publish" not in page.text
    assert f"save it as {rules_file(console)}" in words(page)
    form = {"text": SHIP, "base_digest": field(page, "base_digest"), "checked": field(page, "checked")}
    assert console.post("check/publish", form).status_code == 404
    assert console.post("check/restore", {"version": "x"}).status_code == 404
    assert rules_file(console).read_text(encoding="utf-8") == RULES
    assert "Versions" not in console.get("check").text


@pytest.mark.parametrize("path", ["check", "check/publish", "check/restore"])
def test_publishing_needs_a_log_in_and_our_origin(publishing: Console, path: str) -> None:
    """Who is not logged in gets to the log-in; a form of another site gets nowhere."""
    assert publishing.client.post(f"/console/{path}", data={"text": SHIP}).status_code == 400
    stranger = publishing.app.test_client()
    assert stranger.post(f"/console/{path}", data={"text": SHIP}).status_code == 303
    assert rules_file(publishing).read_text(encoding="utf-8") == RULES


def test_a_publication_comes_into_force(publishing: Console) -> None:
    """Byte by byte the checked content, with LF line ends; the page reloads until the bot has loaded it."""
    answer = published(publishing, SHIP)
    assert (answer.status_code, answer.location) == (303, "/console/check?published=1")
    assert rules_file(publishing).read_bytes() == SHIP.encode()
    page = publishing.get("check?published=1")
    assert "Published: the new version is in the rules file." in words(page)
    if "being taken" in words(page):
        assert 'content="1;url=/console/check?published=2"' in page.text
    wait_until(lambda: publishing.runtime.rules_reloader.rules.digest == digest(SHIP.encode()), "the new rules")
    page = publishing.get("check?published=2")
    assert "The new version answers customers now." in words(page)
    assert "refresh" not in page.text


def test_a_page_stops_reloading(publishing: Console) -> None:
    """Also if nothing was published."""
    rules_file(publishing).write_text(SHIP, encoding="utf-8")
    page = publishing.get("check")
    assert "being taken" in words(page)
    assert "refresh" not in page.text
    rules_file(publishing).write_text(SHIP + "#\n", encoding="utf-8")
    assert "refresh" not in publishing.get(f"check?published={MAX_REFRESHES}").text


def test_one_step_back_and_forth(publishing: Console) -> None:
    """Each is a new version; the list shows what it changed and which one is present."""
    published(publishing, SHIP)
    page = publishing.get("check")
    assert "present" in words(page)
    for content in (RULES, SHIP, RULES):
        assert gone_back(publishing).status_code == 303
        assert rules_file(publishing).read_text(encoding="utf-8") == content
    versions = Publisher(rules_file(publishing)).versions()
    assert len(versions) == 5
    page = publishing.get("check")
    assert re.search(r"The version of \d+ \w+ 20\d\d, \d\d:\d\d is in the rules file again\.", words(page))
    assert words(page).count("present") == 1 + words(page).count("Take the present file")
    assert text_of(publishing.get(f"check?take={versions[1].name}")) == SHIP


def test_the_list_of_versions_is_short(publishing: Console) -> None:
    """The newest; the others are in their folder."""
    publisher = Publisher(rules_file(publishing))
    for number in range(MAX_VERSIONS + 3):
        content = f"{RULES}# {number}\n".encode()
        publisher.publish(content, seen=digest(publisher.content()), now=publishing.runtime.database.now())
    page = publishing.get("check")
    assert page.text.count(">Open</a>") == MAX_VERSIONS
    assert words(page).count("+1 −1 lines") == MAX_VERSIONS


def test_errors_are_never_published(publishing: Console) -> None:
    """Neither by a forged form, nor by a step back to a file that is no longer valid."""
    form = {"text": BROKEN, "base_digest": digest(RULES.encode()), "checked": digest(BROKEN.encode())}
    page = publishing.post("check/publish", form)
    assert page.status_code == 409
    assert "Nothing was published: this version has errors." in words(page)
    picture = rules_file(publishing).parent / "ship.png"
    picture.write_bytes(png())
    published(publishing, SHIP.replace('image_url: "https://shop.example/ship.jpg"', "file: ship.png"))
    published(publishing, SHIP)
    picture.unlink()
    page = gone_back(publishing, base_digest=digest(SHIP.encode()))
    assert page.status_code == 409
    assert "file-missing" in page.text
    assert rules_file(publishing).read_text(encoding="utf-8") == SHIP


def test_an_unchecked_text_is_checked_and_not_published(publishing: Console) -> None:
    """It can be published then."""
    page = checked(publishing, SHIP)
    form = fields(page)
    page = publishing.post("check/publish", {**form, "text": SHIP + "# more\n"})
    assert page.status_code == 409
    assert "You changed it after the last check" in words(page)
    assert rules_file(publishing).read_text(encoding="utf-8") == RULES
    form = fields(page)
    assert publishing.post("check/publish", {**form, "text": text_of(page)}).status_code == 303
    assert rules_file(publishing).read_text(encoding="utf-8") == SHIP + "# more\n"


def test_over_somebody_s_change_of_the_same_rule(publishing: Console) -> None:
    """Refused, with both versions side by side, and again until each is decided; then it is checked and published."""
    page = checked(publishing, SHIP)
    theirs = RULES.replace("giá bao nhiêu", "giá sao")
    rules_file(publishing).write_text(theirs, encoding="utf-8")
    for _ in range(2):
        page = publishing.post("check/publish", fields(page) | {"text": SHIP})
        assert page.status_code == 409
        assert "somebody else has changed the same rules" in words(page)
        assert "Publish this version" not in words(page)
        assert rules_file(publishing).read_text(encoding="utf-8") == theirs
    conflict = page.text.partition('class="conflict"')[2].partition("</fieldset>")[0]
    assert "keywords: [bảng giá, giá sao]" in conflict
    assert "keywords: [bảng giá]" in conflict
    assert text_of(page) == SHIP
    decided = {"decide:bang-gia": "theirs", "decided_over": digest(theirs.encode())}
    page = publishing.post("check", fields(page) | {"text": SHIP} | decided)
    merged = theirs.replace(theirs[theirs.index("  - id: chao") :], SHIP[SHIP.index("  - id: ship") :])
    assert text_of(page) == merged
    assert rules_file(publishing).read_text(encoding="utf-8") == theirs
    assert publishing.post("check/publish", fields(page) | {"text": text_of(page)}).status_code == 303
    publisher = Publisher(rules_file(publishing))
    contents = [publisher.read(version.name) for version in publisher.versions()]
    assert contents == [merged.encode(), theirs.encode(), RULES.encode()]


def test_a_decision_counts_for_the_seen_version_only(publishing: Console) -> None:
    """Not after another change."""
    page = checked(publishing, SHIP)
    rules_file(publishing).write_text(RULES.replace("giá bao nhiêu", "giá sao"), encoding="utf-8")
    decided = {"decide:bang-gia": "theirs", "decided_over": digest(RULES.encode())}
    page = publishing.post("check", fields(page) | {"text": SHIP} | decided)
    assert "You and somebody else changed the same" in words(page)


def test_over_somebody_s_change_of_another_rule(publishing: Console) -> None:
    """Both changes are in the text, checked and shown; one press more publishes them."""
    mine, theirs = RULES + "  # mine\n", RULES.replace("giá bao nhiêu", "giá sao")
    page = checked(publishing, mine)
    rules_file(publishing).write_text(theirs, encoding="utf-8")
    page = publishing.post("check/publish", fields(page) | {"text": mine})
    assert page.status_code == 409
    assert "your changes and theirs are together" in words(page)
    assert text_of(page) == theirs + "  # mine\n"
    assert rules_file(publishing).read_text(encoding="utf-8") == theirs
    assert publishing.post("check/publish", fields(page) | {"text": text_of(page)}).status_code == 303
    assert rules_file(publishing).read_text(encoding="utf-8") == theirs + "  # mine\n"


def test_the_origin_of_a_draft_is_kept_over_checks(publishing: Console) -> None:
    """A check already shows somebody's change, not only the publication."""
    began = field(publishing.get("check?take=file"), "base_digest")
    rules_file(publishing).write_text(SHIP, encoding="utf-8")
    page = publishing.post("check", {"text": RULES + "# mine\n", "base_digest": began})
    assert page.status_code == 200
    assert "The rules file has changed since you began" in words(page)
    assert field(page, "base_digest") == digest(SHIP.encode())


def test_a_step_back_over_somebody_s_change(publishing: Console) -> None:
    """Their change is shown first."""
    published(publishing, SHIP)
    version = buttons(publishing.get("check"))[0]
    page = publishing.get("check/restore", query_string={"version": version})
    sent = {name: field(page, name) for name in ("version", "base_digest", "confirmed")}
    rules_file(publishing).write_text(SHIP + "# theirs\n", encoding="utf-8")
    page = publishing.post("check/restore", sent)
    assert page.status_code == 409
    assert "somebody else has changed the rules file" in words(page)
    assert "# theirs" in page.text
    assert rules_file(publishing).read_text(encoding="utf-8") == SHIP + "# theirs\n"


def test_an_unwritable_history(publishing: Console) -> None:
    """The reason is shown, nothing changes, and the text is kept."""
    (rules_file(publishing).parent / ".rules.yaml.history").write_bytes(b"")
    page = published(publishing, SHIP)
    assert page.status_code == 500
    assert "the rules file cannot be written (File exists)" in words(page)
    assert text_of(page) == SHIP
    assert rules_file(publishing).read_text(encoding="utf-8") == RULES


def test_the_page_in_vietnamese(publishing: Console) -> None:
    """All of it."""
    publishing.get("check?lang=vi")
    page = words(published(publishing, BROKEN))
    assert "Chưa xuất bản: bản này có lỗi." in page
    publishing.keep(text="giao hàng", rule_id=None)
    page = words(checked(publishing, SHIP))
    for said in ("Nay có quy tắc trả lời", "Khác gì kịch bản hiện có", "Xuất bản", "không trả lời", "Soạn kịch bản"):
        assert said in page
    published(publishing, SHIP)
    assert "Khôi phục bản trước" in words(publishing.get("check"))
    publishing.get("check?lang=vi")
    gone_back(publishing)
    assert re.search(r"Đã khôi phục bản \d\d:\d\d, \d\d/\d\d/20\d\d\.", words(publishing.get("check")))


def test_a_preview_uses_the_latest_messages() -> None:
    """A preview has what a backtest has, of the rules that answer otherwise."""
    messages = tuple(Message(n, "giao hàng", "123456", "u", time.time(), None) for n in range(3))
    found = preview(PreviewRequest(SHIP.encode(), Path("/nowhere"), TODAY, messages))
    assert found.comparison is not None
    assert [(shift.after, shift.times) for shift in found.comparison.shifts] == [("ship", 3)]
    assert set(found.replies) == {"ship"}
    assert found.changes is found.concurrent_changes is None
