"""README's guarantees when processes are killed or stopped, or the database is unreachable."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests
import sqlalchemy as sa

from bot.inbox.database import Database
from bot.inbox.tables import events
from bot.sandbox.script import OK, late
from bot.sandbox.vendor import SandboxVendor, SentImage
from bot.sandbox.webhook_client import Echo
from bot.sandbox.zalo_events import SignedEvent
from tests.support.databases import administer, own_postgres
from tests.support.metrics import scrape
from tests.support.running import MAKER, Bot, wait_until

USERS = 12
PICTURES = 10


def rules() -> str:
    """One rule and one picture for each number, so that the order of replies can be seen."""
    entries = (
        f'  - {{id: so-{n}, keywords: [số {n}], reply: {{image_url: "https://shop.example/{n}.jpg"}}}}\n'
        for n in range(PICTURES)
    )
    return "version: 1\nrules:\n" + "".join(entries)


class Customers:
    """Each user sends one text after the other; what is not acknowledged is delivered again, as Zalo does."""

    def __init__(self, urls: list[str]) -> None:
        self._urls = urls
        self._threads = [threading.Thread(target=self._write, args=(n,)) for n in range(USERS)]
        self.acknowledged = Counter[str]()
        for thread in self._threads:
            thread.start()

    def _write(self, number: int) -> None:
        user = f"1{number:03}"
        for picture in range(PICTURES):
            self._deliver(MAKER.text(user, f"số {picture}"), number + picture)  # in turn, as behind a load balancer
            self.acknowledged[user] += 1

    def _deliver(self, event: SignedEvent, number: int) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                url = self._urls[number % len(self._urls)]
                if requests.post(f"{url}/webhook", data=event.body, headers=dict(event.headers), timeout=5).ok:
                    return
            except requests.RequestException:
                number += 1  # the load balancer tries another machine
            time.sleep(0.05)

    @property
    def are_writing(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    def wait(self) -> None:
        for thread in self._threads:
            thread.join()
        assert sum(self.acknowledged.values()) == USERS * PICTURES


def check_guarantee(vendor: SandboxVendor, *, duplicates: int, timeout: float = 240.0) -> None:
    """Nothing acknowledged is lost, replies keep each user's order, and no more than so many came twice."""
    wanted = USERS * PICTURES

    def all_came(taken: object) -> bool:
        return len({(t.message.user_id, t.message.image) for t in vendor.taken}) == wanted

    wait_until(lambda: all_came(None), "every acknowledged event to be answered", timeout)
    taken = vendor.taken
    assert len(taken) - wanted <= duplicates
    for number in range(USERS):
        mine = [t.message.image for t in taken if t.message.user_id == f"1{number:03}"]
        assert list(dict.fromkeys(mine)) == [f"https://shop.example/{n}.jpg" for n in range(PICTURES)]


def an_echo_came(database: Database) -> bool:
    """Return whether the bot has stored one of Zalo's echoes, which tells it that there are any."""
    with database.read() as connection:
        return connection.execute(sa.select(events.c.id).where(events.c.reason == "echo")).first() is not None


def kill_while(bot: Bot, customers: Customers, kills: int) -> None:
    """Kill the whole process group at random moments, and start it again."""
    for _ in range(kills):
        time.sleep(random.uniform(0.05, 0.8))
        bot.kill()
        bot.start()
    customers.wait()


@pytest.mark.long
def test_killed_again_and_again_one_call_at_a_time(
    tmp_path: Path, vendor: SandboxVendor, database_url: str, request: pytest.FixtureRequest
) -> None:
    """With one call in flight per process, at most one picture per process and kill comes twice."""
    kills = request.config.getoption("--kills")
    vendor.always(late(0.01))
    settings = {"DATABASE_URL": database_url, "SEND_CONCURRENCY": "1", "WEB_CONCURRENCY": "2"}
    with Bot(tmp_path, vendor.url, rules=rules(), **settings) as bot:
        kill_while(bot, Customers([bot.url]), kills)
        check_guarantee(vendor, duplicates=kills * 2)


@pytest.mark.long
def test_killed_again_and_again_where_echoes_arrive(
    tmp_path: Path, vendor: SandboxVendor, database_url: str, database: Database
) -> None:
    """
    With many calls in flight, the echoes tell what went out: no more comes twice than one per process and kill.

    That echoes arrive is known from the first one on; the first kill must not come before it.
    """
    kills = 3
    vendor.always(late(0.01))
    settings = {"DATABASE_URL": database_url, "WEB_CONCURRENCY": "2"}
    with (
        Bot(tmp_path, vendor.url, rules=rules(), **settings) as bot,
        Echo(MAKER, f"{bot.url}/webhook", intervals=(0.2,) * 100) as echo,
    ):
        vendor.listen(echo)
        customers = Customers([bot.url])
        wait_until(lambda: an_echo_came(database), "the first echo")
        kill_while(bot, customers, kills)
        check_guarantee(vendor, duplicates=kills * 2)


@pytest.mark.long
def test_of_three_machines_one_dies_and_the_others_deliver_in_order(
    tmp_path: Path, vendor: SandboxVendor, postgres_url: str
) -> None:
    """
    Each customer's messages come to all three in turn; the one that is killed does not come back.

    No echo tells what became of the two calls that it may have been making: those may be made again.
    """
    vendor.always(late(0.05))
    settings = {"DATABASE_URL": postgres_url, "WEB_CONCURRENCY": "1", "SEND_CONCURRENCY": "2"}
    with ExitStack() as running:
        first, *others = (
            running.enter_context(Bot(tmp_path / name, vendor.url, rules=rules(), **settings)) for name in "abc"
        )
        customers = Customers([bot.url for bot in (first, *others)])
        vendor.wait_for_taken(20)
        first.kill()
        customers.wait()
        check_guarantee(vendor, duplicates=2)
        assert all(scrape(bot)["settled_total{kind=text,reason=rule,status=sent}"] > 0 for bot in others)
        assert [bot.terminate() for bot in others] == [0, 0]


@pytest.mark.long
def test_a_machine_that_stands_still_comes_back_too_late(
    tmp_path: Path, vendor: SandboxVendor, postgres_url: str
) -> None:
    """Frozen beyond its leases, in the middle of sending and of a transaction, it neither sends again nor blocks."""
    vendor.always(late(1.0))
    impatient = sa.make_url(postgres_url).difference_update_query(["options"])
    settings = {"DATABASE_URL": impatient.render_as_string(hide_password=False), "WEB_CONCURRENCY": "1"}
    alone = settings | {"PGAPPNAME": "frozen", "SEND_CONCURRENCY": "1"}
    with (
        Bot(tmp_path / "frozen", vendor.url, rules=rules(), **alone) as frozen,
        Bot(tmp_path / "other", vendor.url, rules=rules(), **settings) as other,
        Echo(MAKER, f"{other.url}/webhook") as echo,
    ):
        vendor.listen(echo)
        users = [f"1{number:03}" for number in range(USERS)]
        for picture in range(2):
            with ThreadPoolExecutor(USERS) as pool:
                texts = [MAKER.text(user, f"số {picture}") for user in users]
                assert {answer.status_code for answer in pool.map(frozen.post, texts)} == {200}
        vendor.wait_for_taken(2)
        freeze_in_transaction(frozen, postgres_url)
        vendor.wait_for_taken(lambda taken: pictures(taken) == dict.fromkeys(pairs(users, 2), 1), timeout=240)
        os.killpg(frozen.process.pid, signal.SIGCONT)
        last = MAKER.text("2000", "số 0")
        frozen.deliver(last)
        vendor.wait_for_taken(2 * USERS + 1)
        assert [bot.terminate() for bot in (frozen, other)] == [0, 0]
    assert pictures(vendor.taken) == dict.fromkeys([*pairs(users, 2), *pairs(["2000"], 1)], 1)


def crash_while_busy(url: str) -> bool:
    """Kill a process of the server that serves the bot at this moment; return whether there was one."""
    busy = sa.text(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle'"
        " AND pid <> pg_backend_pid()"
    )
    try:
        with administer(url).connect() as connection:
            pids = connection.execute(busy).scalars().all()
    except sa.exc.OperationalError:
        return False  # it is still recovering from the last time
    for pid in pids[:1]:
        os.kill(pid, signal.SIGKILL)
    return bool(pids)


def freeze_in_transaction(bot: Bot, server_url: str) -> None:
    """Stop all processes of the bot whose PGAPPNAME is frozen, while it holds locks if it can be caught at that."""
    query = sa.text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND application_name = 'frozen' AND backend_xid IS NOT NULL"
    )
    with administer(server_url).connect() as connection:
        for _ in range(300):
            os.killpg(bot.process.pid, signal.SIGSTOP)
            if connection.execute(query).scalar():
                return
            os.killpg(bot.process.pid, signal.SIGCONT)
            time.sleep(0.001)
    os.killpg(bot.process.pid, signal.SIGSTOP)


def pictures(taken: Sequence[SentImage]) -> Counter[tuple[str, str]]:
    return Counter((t.message.user_id, t.message.image) for t in taken)


def pairs(users: list[str], number: int) -> list[tuple[str, str]]:
    return [(user, f"https://shop.example/{n}.jpg") for user in users for n in range(number)]


def test_a_database_server_that_crashes_in_the_middle_of_commits(tmp_path: Path, vendor: SandboxVendor) -> None:
    """One of its processes is killed, so that it throws everybody out and recovers; nothing is lost or comes twice."""
    vendor.always(late(0.05))
    with (
        own_postgres() as server,
        server.migrated() as url,
        Bot(tmp_path, vendor.url, rules=rules(), DATABASE_URL=url, WEB_CONCURRENCY="2") as bot,
    ):
        customers = Customers([bot.url])
        for crash in range(2):
            vendor.wait_for_taken(10 + 20 * crash)
            wait_until(lambda: crash_while_busy(url), "the server to crash")
        customers.wait()
        check_guarantee(vendor, duplicates=0)
        assert bot.terminate() == 0


@pytest.mark.long
def test_ended_in_the_middle_it_loses_nothing_and_repeats_nothing(
    tmp_path: Path, vendor: SandboxVendor, database_url: str
) -> None:
    """SIGTERM: what is being sent is finished, the rest waits for the next start; exit status 0."""
    vendor.always(late(0.5))
    settings = {"DATABASE_URL": database_url, "SEND_CONCURRENCY": "1", "WEB_CONCURRENCY": "1"}
    with Bot(tmp_path, vendor.url, **settings) as bot:
        events = [MAKER.text(f"3{n:03}", "bảng giá") for n in range(60)]
        with ThreadPoolExecutor(16) as pool:
            assert {answer.status_code for answer in pool.map(bot.post, events)} == {200}
        vendor.wait_for_taken(1)
        assert bot.terminate() == 0
        assert 0 < len(vendor.taken) < 60
        vendor.always(OK)
        bot.start()
        vendor.wait_for_taken(60)
        assert bot.terminate() == 0
        assert len(vendor.taken) == 60


def test_the_two_sides_apart(tmp_path: Path, vendor: SandboxVendor, database_url: str) -> None:
    """One process receives and sends nothing; another sends and receives nothing; both end on SIGTERM."""
    command = ("-m", "bot", "serve")
    with Bot(tmp_path, vendor.url, command=(*command, "--web-only"), DATABASE_URL=database_url) as web:
        web.deliver(MAKER.text("101", "bảng giá"))
        with Bot(tmp_path, vendor.url, command=(*command, "--delivery-only"), DATABASE_URL=database_url) as sender:
            vendor.wait_for_taken(1)
            assert listening(web.process.pid)
            assert not listening(sender.process.pid)
            assert sender.terminate() == 0
        assert web.terminate() == 0


def listening(pid: int) -> set[str]:
    """Return the sockets on which the process takes connections, by their inodes."""
    sockets = {entry.readlink().name for entry in Path(f"/proc/{pid}/fd").iterdir()}
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()]
    return {words[9] for words in lines if words[3] == "0A" and f"socket:[{words[9]}]" in sockets}


def test_without_its_database_it_says_503_and_recovers(tmp_path: Path, vendor: SandboxVendor) -> None:
    """A locked SQLite file stands for any database that does not answer; nothing acknowledged is lost."""
    import sqlite3  # noqa: PLC0415  this test alone

    with Bot(tmp_path, vendor.url) as bot:
        bot.deliver(MAKER.text("101", "bảng giá"))
        vendor.wait_for_taken(1)
        blocker = sqlite3.connect(tmp_path / "bot.db", isolation_level=None)
        blocker.execute("BEGIN EXCLUSIVE")
        event = MAKER.text("102", "bảng giá")
        assert bot.post(event).status_code == 503
        assert bot.get("/healthz").status_code == 200
        blocker.execute("ROLLBACK")
        blocker.close()
        bot.deliver(event)
        vendor.wait_for_taken(2)
        assert bot.terminate() == 0
        assert len(vendor.taken) == 2


def test_a_full_disk_is_a_503_and_not_the_end(tmp_path: Path, vendor: SandboxVendor) -> None:
    """SQLite may not grow: events are refused, not lost; with room again they are taken."""
    import resource  # noqa: PLC0415

    with Bot(tmp_path, vendor.url) as bot:
        bot.deliver(MAKER.text("101", "bảng giá"))
        vendor.wait_for_taken(1)
        pid = int((Path(f"/proc/{bot.process.pid}/task/{bot.process.pid}/children")).read_text().split()[0])
        limits = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (4096, limits[1]))
        assert bot.post(MAKER.text("102", "bảng giá")).status_code == 503
        resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)
        bot.deliver(MAKER.text("103", "bảng giá"))
        vendor.wait_for_taken(lambda taken: any(t.message.user_id == "103" for t in taken))
        assert bot.terminate() == 0


def test_a_database_server_that_restarts(tmp_path: Path, vendor: SandboxVendor, postgres_url: str) -> None:
    """Every connection of the server is cut; the bot goes on with new ones."""
    with Bot(tmp_path, vendor.url, DATABASE_URL=postgres_url) as bot:
        bot.deliver(MAKER.text("101", "bảng giá"))
        vendor.wait_for_taken(1)
        with administer(postgres_url).connect() as connection:
            ended = sa.text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            assert len(connection.execute(ended).all()) > 1
        bot.deliver(MAKER.text("102", "bảng giá"))
        vendor.wait_for_taken(2)
        assert bot.terminate() == 0


def test_a_worker_that_dies_is_replaced(bot: Bot, vendor: SandboxVendor) -> None:
    """Only a worker is killed: the master starts another, which takes over its events."""
    children = Path(f"/proc/{bot.process.pid}/task/{bot.process.pid}/children")
    for pid in children.read_text().split():
        os.kill(int(pid), signal.SIGKILL)
    bot.deliver(MAKER.text("101", "bảng giá"))
    vendor.wait_for_taken(1)
