"""Events delivered per second against bare pooled `requests` at the same concurrency, turn by turn in one run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bot.cpaas import SEND_IMAGE_PATH
from bot.inbox.database import Database
from bot.inbox.queue import Inbox
from bot.inbox.sql.group_commit import GroupCommitWriter
from bot.sandbox.send_image import Account
from bot.sandbox.vendor import SandboxVendor
from bot.zalo import decode, parse
from tests.bench.table import show
from tests.support.running import API_KEY, MAKER, OA_ID, TOKEN, Bot

pytestmark = pytest.mark.bench

EVENTS = 3000
CONCURRENCY = 16
ROUNDS = 3
DELIVER = ("-m", "bot", "serve", "--delivery-only")


def fill(url: str, start: int) -> None:
    """Put events of as many users into the inbox, each of which gets one picture."""
    database = Database(url)
    database.migrate()
    writer = GroupCommitWriter(database)
    inbox = Inbox(database, writer)
    for number in range(EVENTS):
        body = MAKER.text(str(start + number), "shop ơi bang gia").body
        inbox.put(parse(decode(body), body), body, now=database.now())
    writer.stop()
    database.dispose()


def rate(vendor: SandboxVendor, already: int) -> float:
    """Return the pictures per second that went out since there were *already* so many."""
    times = [taken.at for taken in vendor.wait_for_taken(already + EVENTS, timeout=120)[already:]]
    return (len(times) - 1) / (times[-1] - times[0])


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_events_delivered(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Aim: at least 0.9 of bare `requests`."""
    url = f"sqlite:///{tmp_path / 'bot.db'}"
    if kind == "postgres":
        url = request.getfixturevalue("postgres_url")
    best = {"bare requests": 0.0, "bot": 0.0}
    account = Account(API_KEY, TOKEN)
    with SandboxVendor(account) as vendor:
        arguments = [vendor.url + SEND_IMAGE_PATH, str(EVENTS), str(CONCURRENCY), json.dumps(account.headers)]
        for turn in range(ROUNDS):
            already = len(vendor.taken)
            subprocess.run([sys.executable, "-m", "tests.bench.bare_sender", *arguments], check=True)
            best["bare requests"] = max(best["bare requests"], rate(vendor, already))
            already = len(vendor.taken)
            fill(url, 10**6 * (turn + 1))
            # With the OA named, it may have all senders: as many calls at a time as the yardstick makes.
            settings = {"DATABASE_URL": url, "SEND_RATE": "10000000", "LOG_LEVEL": "WARNING", "ZALO_OA_ID": OA_ID}
            with Bot(tmp_path, vendor.url, command=DELIVER, **settings) as bot:
                best["bot"] = max(best["bot"], rate(vendor, already))
                bot.terminate()
    rows = [(name, f"{value:.0f}", f"{value / best['bare requests']:.2f}") for name, value in best.items()]
    show(f"delivery, {kind}, {CONCURRENCY} at a time", "sender pictures/s ratio", rows)
    assert best["bot"] > 0.3 * best["bare requests"]
