"""Durable acknowledgements beside a bare Flask route, Huey and a synchronous handler, turn by turn in one run."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from statistics import median

import pytest

from bot.sandbox.script import late
from bot.sandbox.send_image import Account
from bot.sandbox.vendor import SandboxVendor
from tests.bench import load
from tests.bench.table import show
from tests.support.running import API_KEY, TOKEN, Bot

pytestmark = pytest.mark.bench

CONNECTIONS = 32
REQUESTS = 1500
# The synchronous handler takes the vendor's time for each.
SYNCHRONOUS_REQUESTS = 320
VENDOR_SECONDS = 0.1
ROUNDS = 10
#: Of one server: what was measured and the CPU seconds that a request took, round by round.
Rounds = list[tuple[load.Measured, float]]


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_durable_acknowledgements(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """
    Aim: 0.75 of the bare route's rate on SQLite, 0.6 on PostgreSQL, and 1.5 of its p99; better than Huey.

    On a machine that does other things too, only the ratios and the CPU time mean something: medians over short rounds.
    """
    url, workers = f"sqlite:///{tmp_path / 'bot.db'}", "1"
    if kind == "postgres":
        url, workers = request.getfixturevalue("postgres_url"), "2"
    with (
        SandboxVendor(Account(API_KEY, TOKEN)) as vendor,
        Bot(tmp_path, vendor.url, DATABASE_URL=url, WEB_CONCURRENCY=workers) as bot,
        Bot(tmp_path, vendor.url, command=load.BARE, ready="/", WEB_CONCURRENCY=workers) as bare,
        Bot(
            tmp_path,
            vendor.url,
            command=load.gunicorn("peer_huey"),
            ready="/",
            WEB_CONCURRENCY=workers,
            HUEY_FILE=str(tmp_path / "huey.db"),
            PYTHONWARNINGS="",  # Huey leaves its connections to the garbage collector
        ) as huey,
        Bot(
            tmp_path, vendor.url, command=load.gunicorn("peer_synchronous"), ready="/", WEB_CONCURRENCY=workers
        ) as synchronous,
    ):
        vendor.always(late(VENDOR_SECONDS))
        servers = {"bare Flask": bare, "bot": bot, "Huey": huey, "synchronous": synchronous}
        rounds: dict[str, Rounds] = {name: [] for name in servers}
        for turn in range(ROUNDS):
            for name, server in servers.items():
                requests = SYNCHRONOUS_REQUESTS if server is synchronous else REQUESTS
                rounds[name].append(measure(server, 10**6 * (turn + 1), requests))
        bot.terminate()
    show(
        f"acknowledgements, {kind}, {workers} process(es), {CONNECTIONS} connections, medians of {ROUNDS} rounds",
        "server acks/s ratio cpu-us p50-ms p99-ms",
        [row(name, rounds[name], rounds["bare Flask"]) for name in servers],
    )
    assert median_ratio(rounds["bot"], rounds["bare Flask"]) > 0.15


def measure(server: Bot, first_user: int, requests: int) -> tuple[load.Measured, float]:
    """Return what one round shows, and the CPU seconds that the server's processes took for a request."""
    before = cpu_seconds(server.process.pid)
    measured = load.run(server.port, load.deliveries(first_user, requests), CONNECTIONS)
    assert measured.failures == 0
    return measured, (cpu_seconds(server.process.pid) - before) / requests


def cpu_seconds(group: int) -> float:
    """Return what the processes of a process group have used, user and system."""
    ticks = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended
            fields = path.read_text().rpartition(")")[2].split()
            if int(fields[2]) == group:
                ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def median_ratio(rounds: Rounds, peer: Rounds) -> float:
    """Return how the rates compare, round by round."""
    return median(ours.rate / theirs.rate for (ours, _), (theirs, _) in zip(rounds, peer, strict=True))


def row(name: str, rounds: Rounds, peer: Rounds) -> tuple[str, ...]:
    """Return a server's line of the table."""
    return (
        name,
        f"{median(measured.rate for measured, _ in rounds):.0f}",
        f"{median_ratio(rounds, peer):.2f}",
        f"{median(seconds for _, seconds in rounds) * 1e6:.0f}",
        *(f"{median(measured.percentile(p) for measured, _ in rounds) * 1000:.1f}" for p in (0.5, 0.99)),
    )
