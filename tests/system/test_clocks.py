"""Clocks that jump or differ: nothing is lost, nothing comes twice, nobody waits for hours."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from bot.inbox.database import Database
from bot.inbox.tables import events
from bot.sandbox.script import OK, answer, late
from bot.sandbox.vendor import SandboxVendor
from bot.sandbox.zalo_events import SignedEvent
from tests.support.delivering import HOUR, Deliverer
from tests.support.running import MAKER, Bot, wait_until


def users(first: int, count: int) -> list[str]:
    return [str(first + n) for n in range(count)]


def asked(names: Sequence[str]) -> list[SignedEvent]:
    return [MAKER.text(user, "bảng giá") for user in names]


def test_a_clock_that_jumps_gives_nobodys_work_to_another(tmp_path: Path, vendor: SandboxVendor) -> None:
    """One process reads the new time before the other: the other's leases look long over, and are not."""
    url = f"sqlite:///{tmp_path / 'bot.db'}"
    vendor.always(late(4.0))
    with Deliverer(url, vendor) as first, Deliverer(url, vendor) as second:
        first.put(*asked(users(100, 8)))
        vendor.wait_for(8)
        second.clock.ahead = 2 * HOUR
        second.put(*asked(users(200, 8)))
        vendor.wait_for(16)
        first.clock.ahead = -2 * HOUR
        wait_until(lambda: first.statuses() == {"sent": 16}, "all to be settled")
    assert Counter(taken.message.user_id for taken in vendor.taken) == dict.fromkeys(users(100, 8) + users(200, 8), 1)


def test_a_clock_that_is_set_makes_nobody_wait(tmp_path: Path, vendor: SandboxVendor) -> None:
    """Neither for the next attempt, nor for the account or the rate, whose times the old clock has set."""
    url = f"sqlite:///{tmp_path / 'bot.db'}"
    vendor.next(answer(503), answer(503), user_id="100")
    vendor.next(OK, OK, OK, OK, answer(401))
    with Deliverer(url, vendor, send_rate=100) as deliverer:
        deliverer.put(*asked(users(100, 8) * 2))
        vendor.wait_for(6)
        deliverer.clock.ahead = -2 * HOUR
        deliverer.put(*asked(users(200, 2) * 2), MAKER.text("100", "hai ảnh"))
        vendor.wait_for_taken(13)
        deliverer.clock.ahead = HOUR
        wait_until(lambda: deliverer.statuses() == {"sent": 21}, "all to be settled")
    taken = vendor.taken
    wanted = dict.fromkeys([*users(100, 8), *users(200, 2)], 2) | {"100": 4}
    assert Counter(t.message.user_id for t in taken) == wanted
    mine = [t.message.image.rpartition("/")[2] for t in taken if t.message.user_id == "100"]
    assert mine == ["bang-gia.jpg", "bang-gia.jpg", "1.jpg", "2.jpg"]


def wrong_clock(directory: Path, ahead: float) -> dict[str, str]:
    """Return the settings of a bot on a machine whose clock is wrong by so many seconds."""
    shift = f"import time\n_right = time.time\ntime.time = lambda: _right() + {ahead}\n"
    (directory / "sitecustomize.py").write_text(shift, encoding="utf-8")
    return {"PYTHONPATH": f"{directory}:{Path(__file__).parents[2]}"}


def test_machines_whose_clocks_differ_share_one_database(
    tmp_path: Path, vendor: SandboxVendor, postgres_url: str
) -> None:
    """Only the database's clock counts, whichever machine receives an event and whichever answers it."""
    database = Database(postgres_url)
    begun, names, bots = database.now(), users(100, 20), []
    with ExitStack() as stack:
        stack.callback(database.dispose)
        for ahead in (-50, 50):
            directory = tmp_path / str(ahead)
            directory.mkdir()
            settings = wrong_clock(directory, ahead) | {
                "DATABASE_URL": postgres_url,
                "WEB_CONCURRENCY": "1",
                "LOG_FORMAT": "json",
            }
            bots.append(stack.enter_context(Bot(directory, vendor.url, **settings)))
        for number, user in enumerate(names):
            for text in ("bảng giá", "hai ảnh"):
                bots[number % 2].deliver(MAKER.text(user, text))
        vendor.wait_for_taken(3 * len(names))
        assert [bot.terminate() for bot in bots] == [0, 0]
        with database.read() as connection:
            times = connection.scalars(sa.select(events.c.received_at)).all()
        assert begun <= min(times) <= max(times) <= database.now()
    for user in names:
        mine = [t.message.image.rpartition("/")[2] for t in vendor.taken if t.message.user_id == user]
        assert mine == ["bang-gia.jpg", "1.jpg", "2.jpg"]
    logged = [datetime.fromisoformat(json.loads(bot.log_text().splitlines()[-1])["time"]) for bot in bots]
    assert logged[1] - logged[0] > timedelta(seconds=50), "the clocks were not as wrong as they should have been"
