"""Image checks: references of the rules, the checking thread, the report."""

from __future__ import annotations

import gc
import logging
import socket
import threading
import weakref
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.image_health.checker import ImageChecker
from bot.image_health.probe import probe
from bot.image_health.references import ImageReference, referenced_images
from bot.image_health.report import ImageReports
from bot.image_health.schedule import CHECK_SECONDS, FIRST_RETRY_SECONDS, CheckSchedule
from bot.image_health.verdict import CheckResult, Code
from bot.inbox.database import Database
from bot.inbox.tables import picture_checks, uploads
from bot.net.addresses import Address, AddressPolicy
from bot.rules.engine import FALLBACK, RuleSet
from bot.rules.validate import validate
from tests.support.image_server import JPEG, PNG, ImageServer, ok, said
from tests.support.ports import free_port
from tests.support.running import PATIENCE, wait_until

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
def server() -> Iterator[ImageServer]:
    with ImageServer() as running:
        yield running


class ManualChecker:
    """A checker that is stepped by hand, with a clock that is set by hand, and its schedule."""

    def __init__(self, database: Database, rules: RuleSet, addresses: AddressPolicy, folder: Path = Path()) -> None:
        self.database, self.rules = database, rules
        self.checker = ImageChecker(database, lambda: self.rules, folder, addresses)

    def work(self) -> None:
        """Look at all that is due."""
        while self.checker.step() < 2:
            pass

    def later(self, seconds: float) -> None:
        """Make due what would be in that time."""
        with self.database.write() as connection:
            connection.execute(sa.update(picture_checks).values(due_at=picture_checks.c.due_at - seconds))

    def codes(self) -> dict[str, Code]:
        """Return the verdicts by the rule that uses the picture."""
        reports = ImageReports(self.database).images(self.rules, now=self.database.now())
        return {health.image.rules[0]: health.result.code for health in reports}


def test_failed_checks_do_not_keep_rules_that_were_replaced(database: Database) -> None:
    """Until the garbage collector finds what such a check raised, which refers to its callers."""
    asked = []

    def unknown(host: str, port: int) -> list[Address]:
        asked.append(host)
        raise socket.gaierror(f"{host}:{port}")

    checker = ManualChecker(database, ruled(link("https://a.vn/1.jpg")), AddressPolicy(resolve=unknown))
    gc.disable()
    try:
        checker.work()
        former = weakref.ref(checker.rules)
        checker.rules = ruled(link("https://a.vn/2.jpg"))
        checker.work()
        assert former() is None
    finally:
        gc.enable()
    assert asked == ["a.vn", "a.vn"]


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
    found = referenced_images(rules, now=NOW)
    assert [(picture.kind, picture.loggable, picture.uploaded, picture.rules) for picture in found] == [
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
    assert [picture.rules for picture in referenced_images(rules, now=NOW)] == [("last",), ("next",)]
    evening = datetime(2027, 1, 25, 17, 30, tzinfo=UTC).timestamp()  # the 26th in Vietnam
    assert [picture.rules for picture in referenced_images(rules, now=evening)] == [("next",)]


def test_a_file_with_another_content_is_another_picture(tmp_path: Path) -> None:
    """It is looked at anew at once."""
    keys = set()
    for content in (PNG, JPEG):
        (tmp_path / "menu.jpg").write_bytes(content)
        keys |= {picture.key for picture in referenced_images(ruled("{file: menu.jpg}", folder=tmp_path), now=NOW)}
    assert len(keys) == 2


def test_names_that_are_logged_let_nobody_in() -> None:
    picture = ImageReference("image_url", "https://na:hush@a.vn:8443/ảnh.jpg?sig=hush#hush", None, ())
    assert picture.loggable == "https://a.vn:8443/ảnh.jpg"


def test_a_look_at_each_kind(server: ImageServer, tmp_path: Path) -> None:
    """Links over the addresses, files within the folder, attachments by their day, examples not at all."""
    (tmp_path / "menu.png").write_bytes(PNG)
    (tmp_path / "folder").mkdir()

    def probed(kind: str, reference: str, uploaded: date | None = None) -> CheckResult:
        picture = ImageReference(kind, reference, uploaded, ("r",))  # type: ignore[arg-type]
        return probe(picture, server.addresses, folder=tmp_path, today=TODAY)

    assert probed("image_url", server.url("/a.jpg", ok(JPEG))) == CheckResult("ok", 200, "JPEG", len(JPEG), 640, 480)
    assert probed("image_url", server.url("/b.jpg", said(403))) == CheckResult("needs-login", 403)
    assert probed("image_url", "https://shop.example/a.jpg") == CheckResult("example-address")
    assert probed("file", "menu.png") == CheckResult("ok", None, "PNG", len(PNG), 640, 480)
    for name in ("other.png", "folder", "../../etc/passwd", "/etc/passwd", "a\0b"):
        assert probed("file", name) == CheckResult("no-file")
    assert probed("attachment_id", "aBc", date(2027, 1, 24)) == CheckResult("ok")
    assert probed("attachment_id", "aBc") == CheckResult("no-upload-day")
    assert len(server.requests) == 2


def test_where_a_proxy_is_the_only_way_out_nothing_is_claimed(
    server: ImageServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A picture that cannot be reached may be well; what answers is judged all the same."""
    dead = ImageReference("image_url", f"https://anh.tiem.vn:{free_port()}/a.jpg", None, ("r",))
    gone = ImageReference("image_url", server.url("/gone.jpg", said(404)), None, ("r",))

    def codes() -> list[Code]:
        return [probe(p, server.addresses, folder=Path(), today=TODAY).code for p in (dead, gone)]

    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    assert codes() == ["unreachable", "not-found"]
    monkeypatch.setenv("https_proxy", "http://proxy.tiem.vn:3128")
    assert codes() == ["behind-proxy", "not-found"]
    monkeypatch.setenv("no_proxy", "tiem.vn")
    assert codes() == ["unreachable", "not-found"]


def test_each_picture_is_looked_at_and_told(database: Database, server: ImageServer, tmp_path: Path) -> None:
    """With what was seen and when; attachments with their age."""
    (tmp_path / "menu.png").write_bytes(PNG)
    rules = ruled(
        link(server.url("/a.jpg", ok(JPEG))),
        link(server.url("/gone.jpg", said(404))),
        "{file: menu.png}",
        '{attachment_id: "aBc", uploaded: 2020-01-01}',
        folder=tmp_path,
    )
    checker = ManualChecker(database, rules, server.addresses, tmp_path)
    assert checker.codes() == {"r0": "not-checked", "r1": "not-checked", "r2": "not-checked", "r3": "expired"}
    began = database.now()
    checker.work()
    picture, gone, file, attachment = ImageReports(database).images(rules, now=database.now())
    assert picture.result == CheckResult("ok", 200, "JPEG", len(JPEG), 640, 480)
    assert picture.checked_at is not None
    assert began <= picture.checked_at <= database.now()
    assert (gone.result, gone.image.rules) == (CheckResult("not-found", 404), ("r1",))
    assert file.result == CheckResult("ok", None, "PNG", len(PNG), 640, 480)
    assert (attachment.result.code, attachment.expires) == ("expired", date(2020, 1, 8))
    assert attachment.age is not None
    assert attachment.age > 365
    assert len(server.requests) == 2


def test_a_picture_is_left_alone_until_it_is_due(database: Database, server: ImageServer) -> None:
    checker = ManualChecker(database, ruled(link(server.url("/a.jpg", ok(JPEG)))), server.addresses)
    checker.work()
    checker.later(CHECK_SECONDS * 0.85)
    checker.work()
    assert len(server.requests) == 1
    checker.later(CHECK_SECONDS * 0.3)
    checker.work()
    assert len(server.requests) == 2


def test_new_rules_bring_new_pictures_and_hurry_bad_ones(database: Database, server: ImageServer) -> None:
    """Those that were well keep their time; those that nobody names any more are struck out."""
    well, gone = link(server.url("/a.jpg", ok(JPEG))), link(server.url("/b.jpg", said(404)))
    checker = ManualChecker(database, ruled(well, gone), server.addresses)
    checker.work()
    server.answers["/b.jpg"] = ok(PNG, "image/png")
    checker.rules = ruled(well, gone, link(server.url("/c.jpg", ok(JPEG))))
    checker.work()
    assert checker.codes() == {"r0": "ok", "r1": "ok", "r2": "ok"}
    assert sorted(request.split()[1] for request in server.requests) == [b"/a.jpg", b"/b.jpg", b"/b.jpg", b"/c.jpg"]
    checker.rules = ruled(well)
    checker.later(2 * CHECK_SECONDS)
    checker.work()
    assert len(CheckSchedule(database).states()) == 1


def test_what_another_process_struck_out_comes_back(database: Database, server: ImageServer) -> None:
    """It has other rules for a moment; here they stay as they are."""
    checker = ManualChecker(database, ruled(link(server.url("/a.jpg", ok(JPEG)))), server.addresses)
    checker.work()
    other = ManualChecker(database, ruled(link(server.url("/b.jpg", ok(JPEG)))), server.addresses)
    checker.later(2 * CHECK_SECONDS)
    other.work()
    assert checker.codes() == {"r0": "not-checked"}
    ManualChecker(database, checker.rules, server.addresses).work()
    assert checker.codes() == {"r0": "ok"}


def test_a_picture_that_turns_bad_and_well_again_is_logged_once(
    database: Database, server: ImageServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Its address without what could let somebody in; a first failure that may pass is no news."""
    url = server.url("/a.jpg?key=hush", ok(JPEG))
    checker = ManualChecker(database, ruled(link(url), f"[{link(url)}]"), server.addresses)
    caplog.set_level(logging.INFO, logger="bot.image_health")
    checker.work()
    server.answers["/a.jpg?key=hush"] = said(503)
    checker.later(2 * CHECK_SECONDS)
    checker.work()
    assert caplog.records == []
    assert checker.codes() == {"r0": "ok"}
    for _ in range(3):
        checker.later(2 * FIRST_RETRY_SECONDS)
        checker.later(2 * CHECK_SECONDS)
        checker.work()
    server.answers["/a.jpg?key=hush"] = ok(JPEG)
    for _ in range(2):
        checker.later(2 * CHECK_SECONDS)
        checker.work()
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

    sample = Path(__file__).parents[2] / "bot" / "rules" / "starters" / "tiem-banh.yaml"
    rules = validate(sample.read_bytes(), today=TODAY).rules
    assert rules is not None
    caplog.set_level(logging.INFO, logger="bot.image_health")
    checker = ManualChecker(database, rules, AddressPolicy(resolve=resolve))
    checker.work()
    assert set(checker.codes().values()) == {"example-address"}
    assert caplog.records == []


def test_a_file_that_the_vendor_refuses_is_bad(database: Database, tmp_path: Path) -> None:
    """However well it looks, once it was refused again and again."""
    (tmp_path / "menu.png").write_bytes(PNG)
    rules = ruled("{file: menu.png}", folder=tmp_path)
    checker = ManualChecker(database, rules, AddressPolicy(), tmp_path)
    checker.work()
    row = {"oa_id": "1", "digest": rules.digests["menu.png"], "type": "x", "claimed_until": 0.0, "refused": True}
    for failures, code in ((2, "ok"), (3, "upload-refused")):
        with database.write() as connection:
            connection.execute(sa.delete(uploads))
            connection.execute(sa.insert(uploads), row | {"failures": failures})
        assert checker.codes() == {"r0": code}


def test_the_thread_looks_by_itself_and_ends_without_waiting_for_a_server(
    database: Database, server: ImageServer, caplog: pytest.LogCaptureFixture
) -> None:
    """What it was looking at stays as it was, and is looked at again when the lease ends."""
    asked, released = threading.Event(), threading.Event()

    def resolve(_host: str, _port: int) -> list[Address]:
        asked.set()
        released.wait(PATIENCE)
        return []

    rules = ruled(link(server.url("/a.jpg", ok(JPEG))))
    checker = ImageChecker(database, lambda: rules, Path(), server.policy(resolve=resolve))
    checker.start()
    assert asked.wait(PATIENCE)
    checker.stop()
    released.set()
    checker._thread.join()
    assert [entry.checked_at for entry in CheckSchedule(database).states().values()] == [None]
    assert caplog.records == []


def test_the_thread_outlives_a_database_that_fails(empty_database_url: str, caplog: pytest.LogCaptureFixture) -> None:
    """It says so and waits for its next round."""
    database = Database(empty_database_url)
    checker = ImageChecker(database, lambda: ruled(link("https://a.vn/1.jpg")), Path(), AddressPolicy())
    with caplog.at_level(logging.ERROR, logger="bot.image_health"):
        checker.start()
        wait_until(lambda: bool(caplog.records), "the complaint")
        assert checker._thread.is_alive()
        checker.stop()
    assert "cannot check the pictures" in caplog.text
    database.dispose()
