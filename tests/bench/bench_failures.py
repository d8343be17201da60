"""What the vendor's failures cost: pictures per second, the time to a picture, and acknowledgements in an outage."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from bot.inbox.database import Database
from bot.inbox.queue import Inbox
from bot.inbox.sql.group_commit import GroupCommitWriter
from bot.sandbox.script import OK, Script, answer, bad_gateway, cut, hang, late
from bot.sandbox.send_image import Account
from bot.sandbox.vendor import SandboxVendor, SentImage
from bot.sandbox.webhook_client import Echo, Webhook
from bot.sandbox.zalo_events import SignedEvent
from bot.zalo import decode, parse
from tests.bench import load
from tests.bench.table import show
from tests.support.running import API_KEY, MAKER, TOKEN, Bot

pytestmark = pytest.mark.bench

SHARES = (0.0, 0.05, 0.5)
EVENTS = 1200
#: The vendor's own time for a picture, where times are measured.
LATENCY = 0.05
CONNECTIONS = 16
REQUESTS = 1200
BACKLOG = 10_000
ROUNDS = 2
SETTINGS = {"SEND_RATE": "10000000", "LOG_LEVEL": "ERROR"}


@pytest.fixture
def vendor() -> Iterator[SandboxVendor]:
    """A vendor that takes every right request until it is told otherwise."""
    with SandboxVendor(Account(API_KEY, TOKEN)) as sandbox:
        yield sandbox


def asks(start: int, count: int) -> list[SignedEvent]:
    """Texts of as many users, each of which gets one picture."""
    return [MAKER.text(str(start + n), "shop ơi bang gia") for n in range(count)]


def fill(url: str, start: int, count: int) -> None:
    """Put asks into the inbox."""
    database = Database(url)
    database.migrate()
    writer = GroupCommitWriter(database)
    inbox = Inbox(database, writer)
    pending = [inbox.submit(parse(decode(e.body), e.body), e.body, now=database.now()) for e in asks(start, count)]
    for one in pending:
        one.result()
    writer.stop()
    database.dispose()


def failing(share: float, count: int) -> list[Script]:
    """So many scripts, of which that share are failures: busy, a gateway that lost the answer, a cut line."""
    draw = random.Random(1)
    kinds = (answer(503), bad_gateway(takes=True), cut())
    return [draw.choice(kinds) if draw.random() < share else OK for _ in range(count)]


def rate(vendor: SandboxVendor, already: int) -> float:
    """Wait until all users are served; return how many were per second until nine tenths of them had been."""
    most = EVENTS * 9 // 10
    times = served(vendor.wait_for_taken(lambda taken: len(served(taken, already)) == EVENTS, timeout=60), already)
    return (most - 1) / (times[most - 1] - times[0])


def served(taken: Sequence[SentImage], already: int) -> list[float]:
    """Return when each user got his first picture, in order."""
    first: dict[str, float] = {}
    for one in taken[already:]:
        first.setdefault(one.message.user_id, one.at)
    return sorted(first.values())


def test_pictures_under_failures(tmp_path: Path, vendor: SandboxVendor) -> None:
    """From a full inbox: the rate at which nine tenths of the users are served, as a ratio to that without failures."""
    rates: dict[float, float] = {}
    times: dict[float, list[float]] = {}
    for number, share in enumerate(SHARES):
        directory = tmp_path / str(number)
        directory.mkdir()
        fill(f"sqlite:///{directory / 'bot.db'}", 10**6 * (number + 1), EVENTS)
        already = len(vendor.taken)
        vendor.next(*failing(share, EVENTS))
        with (
            Bot(directory, vendor.url, ready="/healthz", **SETTINGS) as bot,
            Echo(MAKER, f"{bot.url}/webhook") as echo,
        ):
            vendor.listen(echo)
            rates[share] = rate(vendor, already)
            vendor.forget()
            times[share] = times_to_picture(bot, vendor, 10**6 * (number + 5), share)
            vendor.forget()
    rows = [
        (
            f"{share:.0%}",
            f"{rates[share]:.0f}",
            f"{rates[share] / rates[0.0]:.2f}",
            *(f"{percentile(times[share], p) * 1000:.0f}" for p in (0.5, 0.99)),
        )
        for share in SHARES
    ]
    show("delivery, SQLite, 16 at a time", "failing pictures/s ratio p50-ms p99-ms", rows)
    assert rates[0.05] > 0.3 * rates[0.0]


def times_to_picture(bot: Bot, vendor: SandboxVendor, start: int, share: float, *, count: int = 100) -> list[float]:
    """Return the seconds from each event to its picture beyond the vendor's own, at thirty events a second."""
    already = len(vendor.taken)
    vendor.next(*(late(LATENCY, one) for one in failing(share, count)))
    vendor.always(late(LATENCY))
    webhook = Webhook(f"{bot.url}/webhook")
    posted = {}
    for event in asks(start, count):
        posted[str(start + len(posted))] = time.time()
        assert webhook.deliver(event).status == 200
        time.sleep(1 / 30)
    webhook.close()
    taken = vendor.wait_for_taken(lambda t: len(posted.keys() - {x.message.user_id for x in t[already:]}) == 0, 60)
    vendor.always(OK)
    first: dict[str, float] = {}
    for one in taken[already:]:
        first.setdefault(one.message.user_id, one.at)
    return sorted(first[user] - at - LATENCY for user, at in posted.items())


def percentile(times: list[float], share: float) -> float:
    return times[min(int(len(times) * share), len(times) - 1)]


def test_acknowledgements_in_an_outage(tmp_path: Path, vendor: SandboxVendor) -> None:
    """They must not be slower while the vendor is down or silent, however much waits for it."""
    url = f"sqlite:///{tmp_path / 'bot.db'}"
    ways = {"peace": OK, "refusing": answer(503), "silent": hang(takes=False)}
    measured: dict[str, list[load.Measured]] = {name: [] for name in ways}
    for turn in range(ROUNDS):
        for number, (name, script) in enumerate(ways.items()):
            start = 10**7 * (turn * len(ways) + number + 1)
            vendor.always(script)
            directory = tmp_path / f"{turn}-{name}"
            directory.mkdir()
            url = f"sqlite:///{directory / 'bot.db'}"
            if script is not OK:
                fill(url, start, BACKLOG)
            with Bot(directory, vendor.url, DATABASE_URL=url, **SETTINGS) as bot:
                requests = [load.request("/webhook", e.body, dict(e.headers)) for e in asks(start * 5, REQUESTS)]
                measured[name].append(load.run(bot.port, requests, CONNECTIONS))
                bot.kill()
    best = {name: min(several, key=lambda m: m.percentile(0.99)) for name, several in measured.items()}
    rows = [
        (
            name,
            f"{m.rate:.0f}",
            *(f"{m.percentile(p) * 1000:.1f}" for p in (0.5, 0.99)),
            f"{m.percentile(0.99) / best['peace'].percentile(0.99):.2f}",
        )
        for name, m in best.items()
    ]
    show(
        f"acknowledgements, SQLite, {CONNECTIONS} connections, {BACKLOG} waiting",
        "vendor acks/s p50-ms p99-ms ratio",
        rows,
    )
    assert all(m.failures == 0 for several in measured.values() for m in several)
    assert all(m.percentile(0.99) < 1.5 * best["peace"].percentile(0.99) for m in best.values())
