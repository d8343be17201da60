"""The console's page Pictures: status and advice for each image, and requests for another check."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from bot.i18n import Language
from bot.image_health.references import ImageReference, referenced_images
from bot.image_health.report import ImageHealth
from bot.image_health.schedule import LEASE_SECONDS, CheckSchedule
from bot.image_health.texts import explain
from bot.image_health.verdict import CheckResult, Code
from bot.inbox.tables import picture_checks, uploads
from bot.web.console.images.image_cards import EXPIRY_WARNING_DAYS, ImageStatus, status_of
from bot.web.console.images.images_page import PAGE_SIZE
from tests.support.console import Console, running, words
from tests.support.local_images import jpeg

TODAY = datetime.now(ZoneInfo("Asia/Ho_Chi_Minh")).date()
# What a look shows; the verdicts that need none come about in other ways.
RESULTS = {code: CheckResult(code, 404, "GIF", 2_500_000, 640, 480) for code in get_args(Code)}
UNSEEN = ("expired", "no-upload-day", "example-address", "upload-refused", "not-checked")
EVERYTHING = f"""
version: 1
rules:
  - {{id: expired, keywords: [a1], reply: {{attachment_id: aBc, uploaded: {TODAY - timedelta(days=9)}}}}}
  - {{id: soon, keywords: [a2], reply: {{attachment_id: dEf, uploaded: {TODAY - timedelta(days=5)}}}}}
  - {{id: fresh, keywords: [a3], reply: {{attachment_id: gHi, uploaded: {TODAY - timedelta(days=1)}}}}}
  - {{id: no-upload-day, keywords: [a4], reply: {{attachment_id: jKl}}}}
  - {{id: example-address, keywords: [a5], reply: {{image_url: "https://shop.example/bang-gia.jpg"}}}}
  - {{id: upload-refused, keywords: [a6], reply: {{file: menu.jpg}}}}
""" + "".join(
    f'  - {{id: {code}, keywords: [b{n}], reply: {{image_url: "https://cdn.shop.vn/anh/{code}.jpg"}}}}\n'
    for n, code in enumerate(get_args(Code))
    if code not in UNSEEN or code == "not-checked"
)
TWO = """
version: 1
rules:
  - {id: menu, keywords: [thực đơn], reply: {image_url: "https://cdn.shop.vn/menu.jpg"}}
  - {id: gia, keywords: [bảng giá], reply: [{image_url: "https://cdn.shop.vn/gia.jpg"}, {image_url: "https://cdn.shop.vn/menu.jpg"}]}
fallback: {reply: {image_url: "https://cdn.shop.vn/menu.jpg"}}
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "menu.jpg").write_bytes(jpeg())
    return tmp_path


@pytest.fixture
def everything(shop: Path) -> Iterator[Console]:
    """Rules of which each has a picture with a verdict of its own; somebody is logged in."""
    with running(shop, rules=EVERYTHING) as console:
        see(console, {code: result for code, result in RESULTS.items() if code not in UNSEEN})
        note_upload(console, token=None, uploaded_at=None, failures=3, refused=True, trouble="menu.jpg: HTTP 400")
        console.log_in()
        yield console


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Console]:
    """Two pictures that were looked at an hour ago, one of them in vain; somebody is logged in."""
    with running(tmp_path, rules=TWO) as console:
        see(
            console,
            {"menu": CheckResult("ok", 200, "JPEG", 123_456, 1080, 1350), "gia": CheckResult("not-found", 404)},
            ago=3600,
        )
        console.log_in()
        yield console


def pictures(console: Console) -> Mapping[str, ImageReference]:
    """Return the pictures by the first rule that sends them."""
    found = referenced_images(console.runtime.rules_reloader.rules, now=console.runtime.database.now())
    return {picture.rules[0]: picture for picture in found}


def see(console: Console, results: Mapping[str, CheckResult], *, ago: float = 300.0) -> None:
    """Check the images of those rules, as often as needed for a final result."""
    schedule, now, found = CheckSchedule(console.runtime.database), console.runtime.database.now(), pictures(console)
    schedule.add_missing([picture.key for picture in found.values()], now=now + 3600)
    for rule, result in results.items():
        for _ in range(1 + result.is_transient):
            schedule.save(found[rule].key, result, now=now - ago)
    due(console, now + 3600)


def due(console: Console, at: float) -> None:
    """Make all checks due."""
    with console.runtime.database.write() as connection:
        connection.execute(sa.update(picture_checks).values(due_at=at))


def note_upload(console: Console, *, oa_id: str = "123", **values: object) -> None:
    """Store an upload of menu.jpg for an OA, or its failure."""
    row = {
        "oa_id": oa_id,
        "digest": console.runtime.rules_reloader.rules.digests["menu.jpg"],
        "type": "x",
        "claimed_until": 0.0,
    }
    with console.runtime.database.write() as connection:
        connection.execute(sa.insert(uploads), row | values)


def tiles(page: str) -> dict[str, str]:
    """Return the text of each image's tile, in order, by its name."""
    found = {}
    for rest in page.split('<li class="tile"')[1:]:
        piece = rest.partition("</form>")[0].partition("</section>")[0]
        name = re.search(r"<h3>(?:<[^>]*>)?([^<]*)", piece)
        assert name
        found[name[1]] = " ".join(re.sub(r"<[^>]+>", " ", piece.partition(">")[2]).split())
    return found


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_every_verdict_has_its_texts(everything: Console, lang: Language) -> None:
    """The fault, why it matters and what to do, as in the doctor."""
    page = words(everything.get(f"pictures?lang={lang}"))
    for code, result in RESULTS.items():
        told = explain(result if code not in UNSEEN else CheckResult(code), lang)
        shown = (
            (told.label, told.why, told.todo)
            if code in {"ok", "not-checked"}
            else (told.label, told.message, told.why, told.todo)
        )
        for text in shown:
            assert text[1:] in page, code


def test_the_worst_come_first_and_can_be_filtered(everything: Console) -> None:
    """Bad, expiring soon, unknown, not checked yet, good."""
    page = everything.get("pictures").text
    kinds = re.findall(r'<section class="verdict (\w*)"', page)
    assert list(dict.fromkeys(kinds)) == ["bad", "warn", "", "good"]
    assert kinds == sorted(kinds, key=["bad", "warn", "", "good"].index)
    bad = len([code for code, result in RESULTS.items() if result.status == "bad"])
    assert f"All {bad + 7} Bad {bad} Expiring soon 1 Not certain 3 Not looked at yet 1 Fine 2" in words(
        everything.get("pictures")
    )
    assert len(tiles(everything.get("pictures?show=bad").text)) == bad
    assert f"{bad} images of the rules cannot be sent." in words(everything.get("overview"))
    assert set(tiles(everything.get("pictures?show=soon").text)) == {"dEf"}
    assert set(tiles(everything.get("pictures?show=waiting").text)) == {"not-checked.jpg"}
    assert len(tiles(everything.get("pictures?show=nonsense").text)) == bad + 7


def test_the_facts_about_an_image(two: Console) -> None:
    """Its place, format, size and dimensions, the time of its check, and the rules that send it."""
    answer = two.get("pictures")
    found = tiles(answer.text)
    assert list(found) == ["gia.jpg", "menu.jpg"]
    assert "cdn.shop.vn JPEG 1080 × 1350 121 KB" in found["menu.jpg"]
    assert re.search(r"looked at \d+ \w{3}, \d\d:\d\d", found["menu.jpg"])
    assert "Rules that send it: menu gia The fallback" in found["menu.jpg"]
    assert 'href="/console/rules?q=gia#gia"' in answer.text
    assert 'href="/console/rules?q=fallback#the-fallback"' in answer.text
    assert two.get("rules?q=fallback").text.count('id="the-fallback"') == 1


def test_the_days_of_an_attachment(everything: Console) -> None:
    """Since when it is at Zalo's, and until when."""
    found = tiles(everything.get("pictures?lang=vi").text)
    day = (TODAY - timedelta(days=5)).strftime("%d/%m/%Y")
    assert f"Tải lên {day} (5 ngày trước) Hết hạn {(TODAY + timedelta(days=2)).strftime('%d/%m/%Y')}" in found["dEf"]
    assert f"Đã hết hạn {(TODAY - timedelta(days=2)).strftime('%d/%m/%Y')}" in found["aBc"]
    assert "Tải lên" not in found["jKl"]
    assert "Xem lại" not in found["gHi"]


@pytest.mark.parametrize(
    ("age", "group"), [(0, "ok"), (EXPIRY_WARNING_DAYS - 1, "ok"), (EXPIRY_WARNING_DAYS, "soon"), (6, "soon")]
)
def test_an_expiring_attachment_is_reported_in_time(age: int, group: ImageStatus) -> None:
    picture = ImageReference("attachment_id", "aBc", date(2027, 1, 20), ("r",))
    assert status_of(ImageHealth(picture, CheckResult("ok"), None, age)) == group


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"token": "t", "uploaded_at": 0.0}, "uploaded "),
        ({"token": "t", "uploaded_at": -8 * 86_400.0}, "upload expired it is renewed when a customer asks"),
        ({"token": None, "uploaded_at": None}, "being uploaded"),
        (
            {"token": None, "failures": 1, "trouble": "menu.jpg: HTTP 400 <b>no</b>"},
            "not uploaded The vendor does not accept this image",
        ),
    ],
)
def test_the_uploads_of_an_image_file(shop: Path, values: dict[str, object], said: str) -> None:
    """For each OA that needed it; the image itself is shown."""
    rules = "version: 1\nrules: [{id: menu, keywords: [thực đơn], reply: {file: menu.jpg}}]\n"
    with running(shop, rules=rules) as console:
        console.log_in()
        assert (
            "Not uploaded yet: the bot does it when a customer asks." in tiles(console.get("pictures").text)["menu.jpg"]
        )
        if values.get("uploaded_at") is not None:
            values = values | {"uploaded_at": console.runtime.database.now() + float(str(values["uploaded_at"]))}
        note_upload(console, **values)
        page = console.get("pictures").text
        assert said in tiles(page)["menu.jpg"]
        assert "<b>no</b>" not in page
        assert "OA 123" not in page
        note_upload(console, oa_id="456", token="t", uploaded_at=console.runtime.database.now())
        assert "OA 456" in console.get("pictures").text
        [address] = re.findall(r'<img src="([^"]*)"', page)
        assert console.client.get(address).data == jpeg()


def test_a_temporary_failure_is_no_verdict_yet(two: Console) -> None:
    """But it is shown."""
    now = two.runtime.database.now()
    CheckSchedule(two.runtime.database).save(pictures(two)["menu"].key, CheckResult("unreachable"), now=now)
    page = two.get("pictures?show=ok").text
    assert "did not open this time" in tiles(page)["menu.jpg"]


def test_another_check_on_request(two: Console) -> None:
    """It is due at once; the page says so, reloads, and then shows the result."""
    key, database = pictures(two)["gia"].key, two.runtime.database
    answer = two.post("pictures/again", {"key": key, "show": "bad", "page": 1})
    assert answer.status_code == 303
    place = f"p-{key[:16]}"
    assert answer.location == f"/console/pictures?show=bad&page=1&asked={place}&looks=1#{place}"
    waiting = two.client.get(answer.location).text
    assert f'content="2;url=/console/pictures?show=bad&amp;page=1&amp;asked={place}&amp;looks=2#{place}"' in waiting
    assert "next look in a moment" in tiles(waiting)["gia.jpg"]
    assert CheckSchedule(database).claim(now=database.now()) == key
    CheckSchedule(database).save(key, CheckResult("ok", 200, "JPEG", 5000, 640, 480), now=database.now())
    done = two.client.get(answer.location)
    assert "http-equiv" not in done.text
    assert "Looked at gia.jpg again. Can be sent." in words(done)


def test_the_page_stops_reloading(two: Console) -> None:
    """If nothing checks, as in a process that does not deliver."""
    key = pictures(two)["gia"].key
    address = two.post("pictures/again", {"key": key}).location
    seen = 0
    while found := re.search(r'http-equiv="refresh" content="2;url=([^"]+)"', two.client.get(address).text):
        address, seen = found[1].replace("&amp;", "&"), seen + 1
        assert seen < 100
    assert seen > 1


def test_requests_for_checks_are_limited(two: Console) -> None:
    """Not within a minute of a check, nor while one is in progress, nor twice."""
    key, database = pictures(two)["gia"].key, two.runtime.database

    def asked() -> str:
        return words(two.post("pictures/again", {"key": key}, follow_redirects=True))

    assert "Try again in a minute" not in asked()
    assert "Try again in a minute" in asked()
    CheckSchedule(database).claim(now=database.now())
    assert "Try again in a minute" in asked()
    CheckSchedule(database).save(key, CheckResult("not-found", 404), now=database.now())
    assert "Try again in a minute" in asked()
    CheckSchedule(database).save(key, CheckResult("not-found", 404), now=database.now() - LEASE_SECONDS - 1)
    due(two, database.now() + 3600)
    assert "Try again in a minute" not in asked()


def test_only_images_of_the_rules_can_be_checked(two: Console) -> None:
    """Not a made-up key, or one of former rules."""
    CheckSchedule(two.runtime.database).add_missing(["former"], now=two.runtime.database.now() + 3600)
    for key in ("former", "https://10.0.0.1/", ""):
        page = words(two.post("pictures/again", {"key": key}, follow_redirects=True))
        assert "No rule in force sends that picture." in page
    assert CheckSchedule(two.runtime.database).claim(now=two.runtime.database.now()) is None


def test_only_fetched_images_are_shown(everything: Console) -> None:
    """The reader's browser must not connect to a private network."""
    page = everything.get("pictures").text
    shown = re.findall(r'<img src="([^"]*)"', page)
    assert "https://cdn.shop.vn/anh/ok.jpg" in shown
    assert "https://cdn.shop.vn/anh/not-checked.jpg" not in shown
    assert "/console/static/shop/bang-gia.jpg" in shown
    with everything.runtime.database.write() as connection:
        connection.execute(sa.update(picture_checks).values(form=""))
    page = everything.get("pictures?show=bad").text
    [address] = re.findall(r'<img src="([^"]*)"', page)  # of ours, though the vendor does not take it
    assert address.startswith("/console/picture-files/menu.jpg?v=")


def test_markup_in_names_is_escaped(tmp_path: Path) -> None:
    """They are words wherever they stand."""
    (tmp_path / "a<script>alert(1)<_script>'\"&.jpg").write_bytes(jpeg())
    rules = """
version: 1
rules:
  - id: menu
    keywords: [thực đơn]
    reply: {image_url: "https://cdn.shop.vn/x.jpg?a=<script>alert(1)</script>'onerror=alert(2)&b=%22%3E%3Cimg"}
  - id: tep
    keywords: [tệp]
    reply: {file: 'a<script>alert(1)<_script>''"&.jpg'}
"""
    with running(tmp_path, rules=rules) as console:
        console.log_in()
        page = console.get("pictures").text
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page
        for tag in re.findall(r"<[a-z][^>]*>", page):
            assert not re.search(r"\son\w+=", tag), tag
        files = [address for address in re.findall(r'<img src="([^"]*)"', page) if "picture-files" in address]
        assert console.client.get(files[0].replace("&amp;", "&").replace("&#39;", "'")).data == jpeg()


def test_image_files_of_disabled_rules(shop: Path) -> None:
    """The page Rules shows them; only a JPEG or PNG of at most 1 MB is served."""
    (shop / "big.jpg").write_bytes(jpeg())
    rules = """
version: 1
rules:
  - {id: off, enabled: false, keywords: [a1], reply: {file: menu.jpg}}
  - {id: big, keywords: [a2], reply: {file: big.jpg}}
"""
    with running(shop, rules=rules) as console:
        console.log_in()
        answer = console.get("picture-files/menu.jpg")
        assert (answer.data, answer.mimetype, answer.headers["X-Content-Type-Options"]) == (
            jpeg(),
            "image/jpeg",
            "nosniff",
        )
        assert console.get("picture-files/big.jpg").status_code == 200
        for content in (jpeg(1024 * 1024 + 1), b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"GIF89a"):
            (shop / "big.jpg").write_bytes(content)
            assert console.get("picture-files/big.jpg").status_code == 404


def test_the_page_needs_a_log_in_and_our_origin(two: Console) -> None:
    """To who is not logged in, and to forms of others."""
    form = {"key": pictures(two)["gia"].key}
    assert two.client.post("/console/pictures/again", data=form).status_code == 400
    stranger = two.app.test_client()
    for answer in (
        stranger.get("/console/pictures"),
        stranger.get("/console/picture-files/menu.jpg"),
        stranger.post("/console/pictures/again", data=form),
    ):
        assert (answer.status_code, answer.location.partition("?")[0]) == (303, "/console/login")


def test_many_images_have_pages(tmp_path: Path) -> None:
    """Each is on one page."""
    rules = "version: 1\nrules:\n" + "".join(
        f'  - {{id: luat-{n}, keywords: [từ khóa số {n}], reply: {{image_url: "https://cdn.shop.vn/{n}.jpg"}}}}\n'
        for n in range(PAGE_SIZE * 2 + 1)
    )
    with running(tmp_path, rules=rules) as console:
        console.log_in()
        pages = [list(tiles(console.get(f"pictures?page={n}").text)) for n in (1, 2, 3)]
        assert [len(page) for page in pages] == [PAGE_SIZE, PAGE_SIZE, 1]
        assert len({name for page in pages for name in page}) == PAGE_SIZE * 2 + 1
        assert list(tiles(console.get("pictures?page=99").text)) == pages[-1]
        assert 'href="/console/pictures?page=2"' in console.get("pictures").text
        assert list(tiles(console.get("pictures?page=-5&show=waiting").text)) == pages[0]


def test_rules_without_pictures_of_their_own(tmp_path: Path) -> None:
    """All switched off: there is nothing to look at."""
    rules = 'version: 1\nrules: [{id: a, enabled: false, keywords: [b1], reply: {image_url: "https://cdn.shop.vn/a.jpg"}}]\n'
    with running(tmp_path, rules=rules) as console:
        console.log_in()
        assert "The rules in force send no pictures." in words(console.get("pictures"))
