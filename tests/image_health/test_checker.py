"""Which pictures the rules name, the thread that looks at them, and what is told of them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.image_health.checker import PictureChecker
from bot.image_health.probe import look_at
from bot.image_health.references import Picture, named
from bot.image_health.report import PictureReports
from bot.image_health.schedule import AGAIN_AFTER, EVERY, Book
from bot.image_health.verdict import Look, Word
from bot.inbox.database import Database
from bot.inbox.tables import picture_checks, uploads
from bot.net.addresses import Address, AddressPolicy
from bot.rules.engine import FALLBACK, RuleSet
from bot.rules.validate import validate
from tests.support.image_server import JPEG, PNG, PictureServer, ok, said
from tests.support.running import free_port, wait_until

TODAY = date(2027, 1, 25)
NOW = datetime(2027, 1, 25, 5, tzinfo=UTC).timestamp()


def ruled(*replies: str, folder: Path | None = None, more: str = "") -> RuleSet:
    """Return rules r0, r1, … with these replies."""
    lines = [f"  - {{id: r{n}, keywords: [k{n}x], reply: {reply}}}" for n, reply in enumerate(replies)]
    text = "\n".join(["version: 1", "rules:", *lines, more])
    verdict = validate(text.encode(), today=TODAY, folder=folder)
    assert verdict.rules is not None, verdict.problems
    return verdict.rules


def link(url: str) -> str:
    return f'{{image_url: "{url}"}}'


@pytest.fixture
def server() -> Iterator[PictureServer]:
    with PictureServer() as running:
        yield running


class Desk:
    """A checker that is stepped by hand, with a clock that is set by hand, and its book."""

    def __init__(self, database: Database, rules: RuleSet, addresses: AddressPolicy, folder: Path = Path()) -> None:
        self.database, self.rules = database, rules
        self.checker = PictureChecker(database, lambda: self.rules, folder, addresses)

    def work(self) -> None:
        """Look at all that is due."""
        while self.checker.step() < 2:
            pass

    def later(self, seconds: float) -> None:
        """Make due what would be in that time."""
        with self.database.write() as connection:
            connection.execute(sa.update(picture_checks).values(due_at=picture_checks.c.due_at - seconds))

    def words(self) -> dict[str, Word]:
        """Return the verdicts by the rule that uses the picture."""
        reports = PictureReports(self.database).pictures(self.rules, now=self.database.now())
        return {health.picture.rules[0]: health.look.word for health in reports}


def test_every_picture_is_named_once_with_the_rules_that_send_it(tmp_path: Path) -> None:
    """Of lists, of one_of, of the fallback, and what stands in for another."""
    (tmp_path / "menu.png").write_bytes(PNG)
    rules = ruled(
        link("https://a.vn/1.jpg?key=hush"),
        f"[{link('https://a.vn/2.jpg')}, {link('https://a.vn/1.jpg?key=hush')}]",
        f'{{one_of: [{{attachment_id: "aBc", uploaded: 2027-01-20, weight: 2}}, {link("https://a.vn/3.jpg")}]}}',
        '{attachment_id: "aBc", uploaded: 2027-01-23, else: {image_url: "https://a.vn/2.jpg"}}',
        '{file: menu.png, else: {image_url: "https://a.vn/4.jpg"}}',
        folder=tmp_path,
        more="fallback: {reply: {image_url: 'https://a.vn/1.jpg?key=hush'}}",
    )
    found = named(rules, now=NOW)
    assert [(picture.kind, picture.shown, picture.uploaded, picture.rules) for picture in found] == [
        ("image_url", "https://a.vn/1.jpg", None, ("r0", "r1", FALLBACK)),
        ("image_url", "https://a.vn/2.jpg", None, ("r1", "r3")),
        ("attachment_id", "aBc", date(2027, 1, 23), ("r2", "r3")),
        ("image_url", "https://a.vn/3.jpg", None, ("r2",)),
        ("file", "menu.png", None, ("r4",)),
        ("image_url", "https://a.vn/4.jpg", None, ("r4",)),
    ]
    assert len({picture.key for picture in found}) == len(found)


def test_what_cannot_be_sent_any_more_is_not_named() -> None:
    """A rule that is switched off, a season that is over; one that is still to come is."""
    rules = ruled(
        more="\n".join([
            "  - {id: off, enabled: false, keywords: [a], reply: {image_url: 'https://a.vn/1.jpg'}}",
            "  - {id: over, active: {until: 2027-01-24}, keywords: [b], reply: {image_url: 'https://a.vn/2.jpg'}}",
            "  - {id: last, active: {until: 2027-01-25}, keywords: [c], reply: {image_url: 'https://a.vn/3.jpg'}}",
            "  - {id: next, active: {from: 2027-02-01}, keywords: [d], reply: {image_url: 'https://a.vn/4.jpg'}}",
        ])
    )  # fmt: skip
    assert [picture.rules for picture in named(rules, now=NOW)] == [("last",), ("next",)]
    evening = datetime(2027, 1, 25, 17, 30, tzinfo=UTC).timestamp()  # the 26th in Vietnam
    assert [picture.rules for picture in named(rules, now=evening)] == [("next",)]


def test_a_file_with_another_content_is_another_picture(tmp_path: Path) -> None:
    """It is looked at anew at once."""
    keys = set()
    for content in (PNG, JPEG):
        (tmp_path / "menu.jpg").write_bytes(content)
        keys |= {picture.key for picture in named(ruled("{file: menu.jpg}", folder=tmp_path), now=NOW)}
    assert len(keys) == 2


def test_names_that_are_logged_let_nobody_in() -> None:
    picture = Picture("image_url", "https://na:hush@a.vn:8443/ảnh.jpg?sig=hush#hush", None, ())
    assert picture.shown == "https://a.vn:8443/ảnh.jpg"


def test_a_look_at_each_kind(server: PictureServer, tmp_path: Path) -> None:
    """Links over the addresses, files within the folder, attachments by their day, examples not at all."""
    (tmp_path / "menu.png").write_bytes(PNG)
    (tmp_path / "folder").mkdir()

    def look(kind: str, reference: str, uploaded: date | None = None) -> Look:
        picture = Picture(kind, reference, uploaded, ("r",))  # type: ignore[arg-type]
        return look_at(picture, server.addresses, folder=tmp_path, today=TODAY)

    assert look("image_url", server.url("/a.jpg", ok(JPEG))) == Look("ok", 200, "JPEG", len(JPEG), 640, 480)
    assert look("image_url", server.url("/b.jpg", said(403))) == Look("needs-login", 403)
    assert look("image_url", "https://shop.example/a.jpg") == Look("example-address")
    assert look("file", "menu.png") == Look("ok", None, "PNG", len(PNG), 640, 480)
    for name in ("other.png", "folder", "../../etc/passwd", "/etc/passwd", "a\0b"):
        assert look("file", name) == Look("no-file")
    assert look("attachment_id", "aBc", date(2027, 1, 24)) == Look("ok")
    assert look("attachment_id", "aBc") == Look("no-upload-day")
    assert len(server.requests) == 2


def test_where_a_proxy_is_the_only_way_out_nothing_is_claimed(
    server: PictureServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A picture that cannot be reached may be well; what answers is judged all the same."""
    dead = Picture("image_url", f"https://anh.tiem.vn:{free_port()}/a.jpg", None, ("r",))
    gone = Picture("image_url", server.url("/gone.jpg", said(404)), None, ("r",))

    def words() -> list[Word]:
        return [look_at(p, server.addresses, folder=Path(), today=TODAY).word for p in (dead, gone)]

    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    assert words() == ["unreachable", "not-found"]
    monkeypatch.setenv("https_proxy", "http://proxy.tiem.vn:3128")
    assert words() == ["behind-proxy", "not-found"]
    monkeypatch.setenv("no_proxy", "tiem.vn")
    assert words() == ["unreachable", "not-found"]


def test_each_picture_is_looked_at_and_told(database: Database, server: PictureServer, tmp_path: Path) -> None:
    """With what was seen and when; attachments with their age."""
    (tmp_path / "menu.png").write_bytes(PNG)
    rules = ruled(
        link(server.url("/a.jpg", ok(JPEG))),
        link(server.url("/gone.jpg", said(404))),
        "{file: menu.png}",
        '{attachment_id: "aBc", uploaded: 2020-01-01}',
        folder=tmp_path,
    )
    desk = Desk(database, rules, server.addresses, tmp_path)
    assert desk.words() == {"r0": "not-checked", "r1": "not-checked", "r2": "not-checked", "r3": "expired"}
    began = database.now()
    desk.work()
    picture, gone, file, attachment = PictureReports(database).pictures(rules, now=database.now())
    assert picture.look == Look("ok", 200, "JPEG", len(JPEG), 640, 480)
    assert picture.checked_at is not None
    assert began <= picture.checked_at <= database.now()
    assert (gone.look, gone.picture.rules) == (Look("not-found", 404), ("r1",))
    assert file.look == Look("ok", None, "PNG", len(PNG), 640, 480)
    assert (attachment.look.word, attachment.expires) == ("expired", date(2020, 1, 8))
    assert attachment.age is not None
    assert attachment.age > 365
    assert len(server.requests) == 2


def test_a_picture_is_left_alone_until_it_is_due(database: Database, server: PictureServer) -> None:
    desk = Desk(database, ruled(link(server.url("/a.jpg", ok(JPEG)))), server.addresses)
    desk.work()
    desk.later(EVERY * 0.85)
    desk.work()
    assert len(server.requests) == 1
    desk.later(EVERY * 0.3)
    desk.work()
    assert len(server.requests) == 2


def test_new_rules_bring_new_pictures_and_hurry_bad_ones(database: Database, server: PictureServer) -> None:
    """Those that were well keep their time; those that nobody names any more are struck out."""
    well, gone = link(server.url("/a.jpg", ok(JPEG))), link(server.url("/b.jpg", said(404)))
    desk = Desk(database, ruled(well, gone), server.addresses)
    desk.work()
    server.answers["/b.jpg"] = ok(PNG, "image/png")
    desk.rules = ruled(well, gone, link(server.url("/c.jpg", ok(JPEG))))
    desk.work()
    assert desk.words() == {"r0": "ok", "r1": "ok", "r2": "ok"}
    assert sorted(request.split()[1] for request in server.requests) == [b"/a.jpg", b"/b.jpg", b"/b.jpg", b"/c.jpg"]
    desk.rules = ruled(well)
    desk.later(2 * EVERY)
    desk.work()
    assert len(Book(database).entries()) == 1


def test_what_another_process_struck_out_comes_back(database: Database, server: PictureServer) -> None:
    """It has other rules for a moment; here they stay as they are."""
    desk = Desk(database, ruled(link(server.url("/a.jpg", ok(JPEG)))), server.addresses)
    desk.work()
    other = Desk(database, ruled(link(server.url("/b.jpg", ok(JPEG)))), server.addresses)
    desk.later(2 * EVERY)
    other.work()
    assert desk.words() == {"r0": "not-checked"}
    Desk(database, desk.rules, server.addresses).work()
    assert desk.words() == {"r0": "ok"}


def test_a_picture_that_turns_bad_and_well_again_is_logged_once(
    database: Database, server: PictureServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Its address without what could let somebody in; a first failure that may pass is no news."""
    url = server.url("/a.jpg?key=hush", ok(JPEG))
    desk = Desk(database, ruled(link(url), f"[{link(url)}]"), server.addresses)
    caplog.set_level(logging.INFO, logger="bot.image_health")
    desk.work()
    server.answers["/a.jpg?key=hush"] = said(503)
    desk.later(2 * EVERY)
    desk.work()
    assert caplog.records == []
    assert desk.words() == {"r0": "ok"}
    for _ in range(3):
        desk.later(2 * AGAIN_AFTER)
        desk.later(2 * EVERY)
        desk.work()
    server.answers["/a.jpg?key=hush"] = ok(JPEG)
    for _ in range(2):
        desk.later(2 * EVERY)
        desk.work()
    bad, well = caplog.records
    assert (bad.levelname, bad.message) == ("WARNING", "customers may not get a picture")
    assert (vars(bad)["problem"], vars(bad)["status"], vars(bad)["rules"]) == ("error-answer", 503, "r0,r1")
    assert (well.levelname, well.message) == ("INFO", "a picture is well again")
    for record in (bad, well):
        assert vars(record)["picture"] == url.partition("?")[0]
        assert "hush" not in str(vars(record))


def test_examples_are_neither_looked_up_nor_logged(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    """As in the demo's sample shop, which must not look broken."""

    def resolve(_host: str, _port: int) -> list[Address]:
        raise AssertionError("nobody is to be asked")

    sample = Path(__file__).parents[2] / "bot" / "sandbox" / "sample_rules.yaml"
    rules = validate(sample.read_bytes(), today=TODAY).rules
    assert rules is not None
    caplog.set_level(logging.INFO, logger="bot.image_health")
    desk = Desk(database, rules, AddressPolicy(resolve=resolve))
    desk.work()
    assert set(desk.words().values()) == {"example-address"}
    assert caplog.records == []


def test_a_file_that_the_vendor_refuses_is_bad(database: Database, tmp_path: Path) -> None:
    """However well it looks, once it was refused again and again."""
    (tmp_path / "menu.png").write_bytes(PNG)
    rules = ruled("{file: menu.png}", folder=tmp_path)
    desk = Desk(database, rules, AddressPolicy(), tmp_path)
    desk.work()
    row = {"oa_id": "1", "digest": rules.digests["menu.png"], "type": "x", "claimed_until": 0.0, "refused": True}
    for failures, word in ((2, "ok"), (3, "upload-refused")):
        with database.write() as connection:
            connection.execute(sa.delete(uploads))
            connection.execute(sa.insert(uploads), row | {"failures": failures})
        assert desk.words() == {"r0": word}


def test_the_thread_looks_by_itself_and_ends_without_waiting_for_a_server(
    database: Database, server: PictureServer, caplog: pytest.LogCaptureFixture
) -> None:
    """What it was looking at stays as it was, and is looked at again when the lease ends."""
    asked, released = threading.Event(), threading.Event()

    def resolve(_host: str, _port: int) -> list[Address]:
        asked.set()
        released.wait(30)
        return []

    rules = ruled(link(server.url("/a.jpg", ok(JPEG))))
    checker = PictureChecker(database, lambda: rules, Path(), server.policy(resolve=resolve))
    checker.start()
    assert asked.wait(30)
    checker.stop()
    released.set()
    checker._thread.join()
    assert [entry.checked_at for entry in Book(database).entries().values()] == [None]
    assert caplog.records == []


def test_the_thread_outlives_a_database_that_fails(empty_database_url: str, caplog: pytest.LogCaptureFixture) -> None:
    """It says so and waits for its next round."""
    database = Database(empty_database_url)
    checker = PictureChecker(database, lambda: ruled(link("https://a.vn/1.jpg")), Path(), AddressPolicy())
    with caplog.at_level(logging.ERROR, logger="bot.image_health"):
        checker.start()
        wait_until(lambda: bool(caplog.records), "the complaint")
        assert checker._thread.is_alive()
        checker.stop()
    assert "cannot check the pictures" in caplog.text
    database.dispose()
