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

from bot.image_health.checker import STOP_SECONDS, ImageChecker
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
from tests.support.image_server import JPEG, PNG, ImageServer, bare, ok
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
    """A checker that is stepped by hand, with its own clock and schedule."""

    def __init__(self, database: Database, rules: RuleSet, addresses: AddressPolicy, folder: Path = Path()) -> None:
        self.database, self.rules = database, rules
        self.checker = ImageChecker(database, lambda: self.rules, folder, addresses)

    def work(self) -> None:
        """Check all images that are due."""
        while self.checker.step() < 2:
            pass

    def later(self, seconds: float) -> None:
        """Make due all checks within that time."""
        with self.database.write() as connection:
            connection.execute(sa.update(picture_checks).values(due_at=picture_checks.c.due_at - seconds))

    def codes(self) -> dict[str, Code]:
        """Return the verdicts by the rule that uses the picture."""
        reports = ImageReports(self.database).images(self.rules, now=self.database.now())
        return {health.image.rules[0]: health.result.code for health in reports}


def test_failed_checks_do_not_keep_replaced_rules_in_memory(database: Database) -> None:
    """The errors refer to the callers' variables until the garbage collector runs."""
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


def test_every_image_is_referenced_once_with_its_rules(tmp_path: Path) -> None:
    """Of lists, of one_of, of the fallback, and substitutes."""
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


def test_images_that_cannot_be_sent_any_more_are_left_out() -> None:
    """Of a disabled rule or an ended season; a coming season counts."""
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


def test_a_file_with_other_content_is_another_image(tmp_path: Path) -> None:
    """It is checked again at once."""
    keys = set()
    for content in (PNG, JPEG):
        (tmp_path / "menu.jpg").write_bytes(content)
        keys |= {picture.key for picture in referenced_images(ruled("{file: menu.jpg}", folder=tmp_path), now=NOW)}
    assert len(keys) == 2


def test_logged_references_grant_no_access() -> None:
    picture = ImageReference("image_url", "https://na:hush@a.vn:8443/ảnh.jpg?sig=hush#hush", None, ())
    assert picture.loggable == "https://a.vn:8443/ảnh.jpg"


def test_each_kind_of_image_is_probed(server: ImageServer, tmp_path: Path) -> None:
    """Links by fetching them, files in the folder, attachments by their date, examples not at all."""
    (tmp_path / "menu.png").write_bytes(PNG)
    (tmp_path / "folder").mkdir()

    def probed(kind: str, reference: str, uploaded: date | None = None) -> CheckResult:
        picture = ImageReference(kind, reference, uploaded, ("r",))  # type: ignore[arg-type]
        return probe(picture, server.addresses, folder=tmp_path, today=TODAY)

    assert probed("image_url", server.url("/a.jpg", ok(JPEG))) == CheckResult("ok", 200, "JPEG", len(JPEG), 640, 480)
    assert probed("image_url", server.url("/b.jpg", bare(403))) == CheckResult("needs-login", 403)
    assert probed("image_url", "https://shop.example/a.jpg") == CheckResult("example-address")
    assert probed("file", "menu.png") == CheckResult("ok", None, "PNG", len(PNG), 640, 480)
    for name in ("other.png", "folder", "../../etc/passwd", "/etc/passwd", "a\0b"):
        assert probed("file", name) == CheckResult("no-file")
    assert probed("attachment_id", "aBc", date(2027, 1, 24)) == CheckResult("ok")
    assert probed("attachment_id", "aBc") == CheckResult("no-upload-day")
    assert len(server.requests) == 2


def test_behind_a_proxy_an_unreachable_image_is_not_bad(server: ImageServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be fine; an image that can be fetched is judged all the same."""
    dead = ImageReference("image_url", f"https://anh.tiem.vn:{free_port()}/a.jpg", None, ("r",))
    gone = ImageReference("image_url", server.url("/gone.jpg", bare(404)), None, ("r",))

    def codes() -> list[Code]:
        return [probe(p, server.addresses, folder=Path(), today=TODAY).code for p in (dead, gone)]

    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    assert codes() == ["unreachable", "not-found"]
    monkeypatch.setenv("https_proxy", "http://proxy.tiem.vn:3128")
    assert codes() == ["behind-proxy", "not-found"]
    monkeypatch.setenv("no_proxy", "tiem.vn")
    assert codes() == ["unreachable", "not-found"]


def test_each_image_is_checked_and_reported(database: Database, server: ImageServer, tmp_path: Path) -> None:
    """With the result and its time; attachments with their age."""
    (tmp_path / "menu.png").write_bytes(PNG)
    rules = ruled(
        link(server.url("/a.jpg", ok(JPEG))),
        link(server.url("/gone.jpg", bare(404))),
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


def test_an_image_is_not_checked_before_it_is_due(database: Database, server: ImageServer) -> None:
    checker = ManualChecker(database, ruled(link(server.url("/a.jpg", ok(JPEG)))), server.addresses)
    checker.work()
    checker.later(CHECK_SECONDS * 0.85)
    checker.work()
    assert len(server.requests) == 1
    checker.later(CHECK_SECONDS * 0.3)
    checker.work()
    assert len(server.requests) == 2


def test_new_rules_add_images_and_recheck_bad_ones(database: Database, server: ImageServer) -> None:
    """Good ones keep their schedule; images that are no longer named are removed."""
    well, gone = link(server.url("/a.jpg", ok(JPEG))), link(server.url("/b.jpg", bare(404)))
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


def test_an_image_that_another_process_removed_is_added_again(database: Database, server: ImageServer) -> None:
    """That process has other rules for a moment; the state here stays."""
    checker = ManualChecker(database, ruled(link(server.url("/a.jpg", ok(JPEG)))), server.addresses)
    checker.work()
    other = ManualChecker(database, ruled(link(server.url("/b.jpg", ok(JPEG)))), server.addresses)
    checker.later(2 * CHECK_SECONDS)
    other.work()
    assert checker.codes() == {"r0": "not-checked"}
    ManualChecker(database, checker.rules, server.addresses).work()
    assert checker.codes() == {"r0": "ok"}


def test_an_image_that_turns_bad_or_good_is_logged_once(
    database: Database, server: ImageServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Without the parts of its URL that grant access; a first temporary failure is not logged."""
    url = server.url("/a.jpg?key=hush", ok(JPEG))
    checker = ManualChecker(database, ruled(link(url), f"[{link(url)}]"), server.addresses)
    caplog.set_level(logging.INFO, logger="bot.image_health")
    checker.work()
    server.answers["/a.jpg?key=hush"] = bare(503)
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


def test_examples_are_neither_checked_nor_logged(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    """So that the sample shop of the demo does not look broken."""

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
    """Even if the file looks good, after several refusals."""
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


def test_the_thread_checks_and_stops_without_waiting_for_a_server(
    database: Database, server: ImageServer, caplog: pytest.LogCaptureFixture
) -> None:
    """The image that it was checking keeps its state and is checked again when the lease ends."""
    asked, released = threading.Event(), threading.Event()

    def resolve(_host: str, _port: int) -> list[Address]:
        asked.set()
        released.wait(PATIENCE)
        return []

    rules = ruled(link(server.url("/a.jpg", ok(JPEG))))
    checker = ImageChecker(database, lambda: rules, Path(), server.policy(resolve=resolve))
    checker.thread.start()
    assert asked.wait(PATIENCE)
    checker.thread.stop(STOP_SECONDS)
    released.set()
    checker.thread.stop()
    assert [entry.checked_at for entry in CheckSchedule(database).states().values()] == [None]
    assert caplog.records == []


def test_the_thread_survives_a_failing_database(empty_database_url: str, caplog: pytest.LogCaptureFixture) -> None:
    """It logs the failure and continues with the next round."""
    database = Database(empty_database_url)
    checker = ImageChecker(database, lambda: ruled(link("https://a.vn/1.jpg")), Path(), AddressPolicy())
    with caplog.at_level(logging.ERROR, logger="bot.image_health"):
        checker.thread.start()
        wait_until(lambda: bool(caplog.records), "the complaint")
        assert "images" in {thread.name for thread in threading.enumerate()}
        checker.thread.stop(STOP_SECONDS)
    assert "cannot check the pictures" in caplog.text
    database.dispose()
