"""The console's page Rules: each rule with use, failures and problems."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.rules.engine import FALLBACK
from bot.rules.reload import Validation
from bot.rules.validate import validate
from bot.web.console.problem_view import by_rule
from bot.web.console.rules.rules_page import PAGE_SIZE
from tests.support.console import Console, running, words
from tests.support.local_images import jpeg
from tests.support.rows import DAY

TODAY = datetime(2026, 11, 20, tzinfo=UTC).date()
RULES = """\
version: 1
rules:
  - id: bang-gia
    keywords: [bảng giá, {text: "#gia", match: exact}]
    exclude: [đánh giá]
    priority: 5
    cooldown: 10m
    reply: {image_url: "https://shop.example/bang-gia.jpg"}
  - id: gio-mo-cua
    all_of: [[mấy giờ, khi nào], [mở cửa, đóng cửa]]
    active: {days: [mon, tue, wed, thu, fri], hours: "08:00-21:30"}
    oa: ["388613280878808645"]
    reply: {image_url: "https://cdn.shop.vn/gio.jpg"}
  - id: tam-nghi
    keywords: [tạm nghỉ]
    enabled: false
    reply: {image_url: "https://cdn.shop.vn/nghi.jpg"}
  - id: rong
    keywords: [{text: giao, match: contains}]
    reply: {attachment_id: "aBcDeF"}
  - id: chao-mung
    on: follow
    reply: [{image_url: "https://cdn.shop.vn/1.jpg"}, {image_url: "https://cdn.shop.vn/2.jpg"}]
fallback:
  every: 24h
  reply: {image_url: "https://cdn.shop.vn/menu.jpg"}
"""
JPEG = jpeg()
OTHER_FILES = [
    f"/console/picture-files/{name}"
    for name in ("images/other.jpg", "text.jpg", "rules.yaml", "bot.db", "images/../bot.db", "%2e%2e/x", "/etc/passwd")
]
MANY = "version: 1\nrules:\n" + "".join(
    f'  - {{id: luat-{n}, keywords: [từ khóa số {n}], reply: {{image_url: "https://cdn.shop.vn/{n}.jpg"}}}}\n'
    for n in range(PAGE_SIZE * 2 + 1)
)


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    """A logged-in editor."""
    with running(tmp_path, rules=RULES) as found:
        found.log_in()
        yield found


def cards(page: str) -> dict[str, str]:
    """Return the text of each card by its id."""
    pieces = re.split(r'<li class="card rule[^"]*" id="', page)[1:]
    return {piece.partition('"')[0]: " ".join(re.sub(r"<[^>]+>", " ", piece).split()) for piece in pieces}


def test_every_rule_is_a_card(console: Console) -> None:
    """In the order of the file, the fallback last, with all conditions of the rule."""
    found = cards(console.get("rules").text)
    assert list(found) == ["bang-gia", "gio-mo-cua", "tam-nghi", "rong", "chao-mung", "the-fallback"]
    assert "Keywords bảng giá #gia whole message Unless đánh giá" in found["bang-gia"]
    assert "priority 5 once per customer in 10 minutes" in found["bang-gia"]
    assert "line 3" in found["bang-gia"]
    assert "One of each mấy giờ khi nào mở cửa đóng cửa" in found["gio-mo-cua"]
    assert "Runs only Monday to Friday, at 08:00–21:30" in found["gio-mo-cua"]
    assert "Only for the OA 388613280878808645" in found["gio-mo-cua"]
    assert "switched off" in found["tam-nghi"]
    assert "giao letters anywhere" in found["rong"]
    assert "attachment_id aBcDeF" in found["rong"]
    assert "Follows the OA" in found["chao-mung"]
    assert "sends 2, in order" in found["chao-mung"]
    assert "when no rule matches once per customer in 24 hours" in found["the-fallback"]


def answered(console: Console, rule_id: str, *, days: float = 1) -> None:
    """Store an answer of the rule, *days* ago."""
    at = console.runtime.database.now() - days * DAY
    console.keep(rule_id=rule_id, received_at=at, replied_at=at)


def test_cards_have_the_answers_of_thirty_days(console: Console) -> None:
    """Also the fallback's; only sent answers count."""
    for rule, days in (("bang-gia", 1), ("bang-gia", 28), ("bang-gia", 31), (FALLBACK, 2)):
        answered(console, rule, days=days)
    console.keep(rule_id="bang-gia", status="ignored", reason="cooldown")
    found = cards(console.get("rules").text)
    assert "2 answers in 30 days" in found["bang-gia"]
    assert "0 answers in 30 days" in found["rong"]
    assert "1 answer in 30 days" in found["the-fallback"]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("sort=file", ["bang-gia", "gio-mo-cua", "tam-nghi", "rong", "chao-mung", "the-fallback"]),
        ("sort=use", ["rong", "the-fallback", "bang-gia", "gio-mo-cua", "tam-nghi", "chao-mung"]),
        ("sort=least", ["gio-mo-cua", "tam-nghi", "chao-mung", "bang-gia", "the-fallback", "rong"]),
        ("show=unused", ["gio-mo-cua", "chao-mung"]),
        ("show=failing", ["bang-gia"]),
        ("show=off", ["tam-nghi"]),
        ("show=warned", ["rong"]),
        ("show=failing&q=giao", []),
        ("sort=use&q=gia", ["rong", "bang-gia"]),
        ("sort=no&show=such", ["bang-gia", "gio-mo-cua", "tam-nghi", "rong", "chao-mung", "the-fallback"]),
    ],
)
def test_sort_and_filter(console: Console, asked: str, found: list[str]) -> None:
    """By use, equal ones in the order of the file; with or without a search."""
    for rule in ("rong", "rong", "rong", FALLBACK, FALLBACK, "bang-gia"):
        answered(console, rule)
    console.keep(rule_id="bang-gia", status="dead", error="HTTP 400: -201: too big")
    page = console.get(f"rules?{asked}")
    assert list(cards(page.text)) == found
    if not found:
        assert "There is no such rule" in words(page)


def test_the_last_problem_of_a_rule(console: Console) -> None:
    """In the vendor's words, escaped."""
    console.keep(rule_id="bang-gia", status="dead", error="HTTP 400: <b>bad</b>")
    page = console.get("rules").text
    assert "HTTP 400: &lt;b&gt;bad&lt;/b&gt;" in page
    told = r"latest problem of the image \d+ \w+, \d\d:\d\d The vendor does not accept this image"
    assert re.search(told, cards(page)["bang-gia"])
    assert "latest problem" not in cards(page)["rong"]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("bang gia", ["bang-gia"]),
        ("BẢNG GIÁ", ["bang-gia"]),
        ("mo cua gio", ["gio-mo-cua"]),
        ("nghi.jpg", ["tam-nghi"]),
        ("follow", ["chao-mung"]),
        ("fallback", ["the-fallback"]),
        ("tra loi mac dinh", ["the-fallback"]),
        ("đánh", ["bang-gia"]),
        ("  ", ["bang-gia", "gio-mo-cua", "tam-nghi", "rong", "chao-mung", "the-fallback"]),
        ("<script>", []),
    ],
)
def test_search(console: Console, asked: str, found: list[str]) -> None:
    """With or without marks, all words, in names, keywords and images."""
    answer = console.get("rules", query_string={"q": asked})
    assert list(cards(answer.text)) == found
    assert "<script>" not in answer.text
    if not found:
        assert "There is no such rule. Try another word, or fewer. Show all" in words(answer)


def test_search_after_a_change_of_the_file(console: Console, tmp_path: Path) -> None:
    """It searches the rules in force."""
    assert list(cards(console.get("rules?q=bang").text)) == ["bang-gia"]
    (tmp_path / "rules.yaml").write_text(RULES.replace("bang-gia\n", "bang-moi\n"), encoding="utf-8")
    console.runtime.rules_reloader.poll()
    console.runtime.rules_reloader.poll()
    assert list(cards(console.get("rules?q=bang").text)) == ["bang-moi"]


def test_pages(tmp_path: Path) -> None:
    """Fifty cards each; a search has pages too, and an unknown page is the nearest one."""
    with running(tmp_path, rules=MANY) as console:
        console.log_in()
        first, last = console.get("rules"), console.get("rules?page=3")
        assert len(cards(first.text)) == PAGE_SIZE
        assert f"{PAGE_SIZE * 2 + 1} rules" in words(first)
        assert 'href="/console/rules?page=2"' in first.text
        assert 'rel="prev"' not in first.text
        assert list(cards(last.text)) == [f"luat-{PAGE_SIZE * 2}"]
        assert "Page 3 of 3" in words(last)
        assert 'rel="next"' not in last.text
        for number in ("0", "-1", "x", "99999999999999999999"):
            assert console.get(f"rules?page={number}").status_code == 200
        assert 'href="/console/rules?q=luat&amp;page=2"' in console.get("rules?q=luat").text
        turned = console.get("rules?sort=use&show=unused").text
        assert 'href="/console/rules?sort=use&amp;show=unused&amp;page=2"' in turned


def test_warnings_are_on_their_cards(console: Console) -> None:
    """With the line of the file and the fault marked in it."""
    page = console.get("rules").text
    found = cards(page)
    assert "warning line 19" in found["rong"]
    assert "contains-keyword" in found["rong"]
    assert "contains-keyword" not in found["bang-gia"]
    assert re.search(r"<pre[^>]*>.*?19</span> *keywords: \[.*<mark>.*giao.*</mark>", page)


def test_a_file_with_errors(console: Console, tmp_path: Path) -> None:
    """The errors are listed with their lines; the cards are those of the rules in force."""
    (tmp_path / "rules.yaml").write_text(RULES.replace("    priority: 5", "    prioriti: 5"), encoding="utf-8")
    console.runtime.rules_reloader.poll()
    console.runtime.rules_reloader.poll()
    answer = console.get("rules")
    assert "The rules file cannot be used at present; the last good rules stay in force." in words(answer)
    assert "error line 6 unknown key" in words(answer)
    assert "<mark>prioriti</mark>" in answer.text
    assert "line 3" not in cards(answer.text)["bang-gia"]


def test_a_missing_file(console: Console, tmp_path: Path) -> None:
    """With the system's message."""
    (tmp_path / "rules.yaml").unlink()
    console.runtime.rules_reloader.poll()
    console.runtime.rules_reloader.poll()
    page = words(console.get("rules"))
    assert "The bot cannot read it" in page
    assert "No such file" in page


def test_image_files_are_served_to_editors(tmp_path: Path) -> None:
    """Only those that the rules name."""
    (tmp_path / "images").mkdir()
    for name in ("images/thực đơn.jpg", "images/other.jpg"):
        (tmp_path / name).write_bytes(JPEG)
    (tmp_path / "text.jpg").write_text("no picture")
    rules = """
version: 1
rules:
  - id: menu
    keywords: [thực đơn]
    reply: {file: images/thực đơn.jpg, else: {image_url: "https://cdn.shop.vn/menu.jpg"}}
"""
    with running(tmp_path, rules=rules) as console:
        closed = console.get("picture-files/images/thực đơn.jpg")
        assert closed.status_code == 303
        console.log_in()
        page = console.get("rules").text
        assert 'href="https://cdn.shop.vn/menu.jpg"' in page
        [address] = re.findall(r'<img src="([^"]*)"', page)
        answer = console.client.get(address)
        assert (answer.data, answer.mimetype) == (JPEG, "image/jpeg")
        assert answer.headers["Cache-Control"] == "private, max-age=3600"
        (tmp_path / "images/thực đơn.jpg").unlink()
        for path in (address, *OTHER_FILES):
            assert console.client.get(path).status_code == 404


def test_findings_are_grouped_by_rule() -> None:
    """By their lines; findings before or after all rules belong to the file."""
    source = RULES.replace("version: 1\n", "version: 1\nabbreviations: {nhà mình: shop}\n")
    source = source.replace('{image_url: "https://cdn.shop.vn/menu.jpg"}', "{attachment_id: xYz}").encode()
    verdict = validate(source, today=TODAY)
    assert verdict.rules is not None
    shares = by_rule(Validation(source, verdict), verdict.rules, "en")
    assert shares.lines == (4, 10, 15, 19, 22)
    assert {index: {found.line for found in some} for index, some in shares.by_rule.items()} == {3: {20, 21}}
    assert [found.line for found in shares.rest] == [2, 27]


def test_a_long_line_is_cut_around_the_fault() -> None:
    """Not a thousand letters of it."""
    long = "a" * 300
    source = (
        f"version: 1\nrules: [{{id: x, keywords: [{long}], kword: y, reply: {{image_url: 'https://a.vn/{long}'}}}}]\n"
    )
    verdict = validate(source.encode(), today=TODAY)
    in_force = validate(RULES.encode(), today=TODAY).rules
    assert in_force is not None
    [found] = [f for f in by_rule(Validation(source.encode(), verdict), in_force, "vi").rest if f.code == "unknown-key"]
    assert found.meant == "kword"
    assert len(found.before) < 70
    assert len(found.after) < 90
