"""The threads of delivery under faults."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.cpaas import CpaasClient, Receipt
from bot.inbox.database import Database
from bot.inbox.queue import Inbox
from bot.inbox.states import SaveResult, StateChange
from bot.inbox.tables import events
from bot.sandbox.script import answer, hang, late
from bot.sandbox.vendor import SandboxVendor
from bot.sandbox.zalo_events import EventMaker
from tests.support.delivering import Deliverer
from tests.support.running import APP_ID, MAKER, OA_SECRET, wait_until


class _Faulty(CpaasClient):
    """Fails in a way that nobody has thought of, for one user."""

    def send_image(self, *, oa_id: str, user_id: str, image: Mapping[str, str]) -> Receipt:
        if user_id == "666":
            raise ZeroDivisionError
        return super().send_image(oa_id=oa_id, user_id=user_id, image=image)


def test_a_fault_of_ours_does_not_end_a_sender(
    tmp_path: Path, vendor: SandboxVendor, caplog: pytest.LogCaptureFixture
) -> None:
    """The event waits as after any call without an outcome; the only sender goes on with the next."""
    url = f"sqlite:///{tmp_path / 'bot.db'}"
    with Deliverer(url, vendor, concurrency=1, client=_Faulty) as deliverer:
        deliverer.put(MAKER.text("666", "bảng giá"), MAKER.text("101", "bảng giá"))
        vendor.wait_for_taken(1)
        wait_until(lambda: deliverer.statuses() == {"open": 1, "sent": 1}, "the other event to be settled")
    assert "ZeroDivisionError" in caplog.text


def test_failures_among_successes_close_no_account(
    tmp_path: Path, vendor: SandboxVendor, caplog: pytest.LogCaptureFixture
) -> None:
    """Of calls that began together some succeed: the next failure begins a new row, which is short."""
    for n in range(12):
        busy = [late(1.2, answer(503))] if n in {0, 1, 2, 3, 8} else []
        vendor.next(*busy, late(1.5), user_id=str(100 + n))
    with Deliverer(f"sqlite:///{tmp_path / 'bot.db'}", vendor) as deliverer:
        deliverer.put(*(MAKER.text(str(100 + n), "bảng giá") for n in range(12)))
        wait_until(lambda: deliverer.statuses() == {"sent": 12}, "all to be settled")
    failed = [vars(record)["account"] for record in caplog.records if record.message == "not sent"]
    assert failed == ["open"] * 5


def test_it_stops_although_the_database_is_away(
    tmp_path: Path, vendor: SandboxVendor, caplog: pytest.LogCaptureFixture
) -> None:
    """What waits for a sender cannot be given back; its leases end by themselves."""
    vendor.always(late(1.0))
    with Deliverer(f"sqlite:///{tmp_path / 'bot.db'}", vendor, concurrency=1, stop_seconds=3.0) as deliverer:
        deliverer.put(*(MAKER.text(f"10{n}", "bảng giá") for n in range(4)))
        vendor.wait_for(1)
        with deliverer.database.write() as connection:
            connection.execute(sa.text("ALTER TABLE events RENAME TO elsewhere"))
    said = [record.message for record in caplog.records if record.levelno >= logging.ERROR]
    assert "cannot give back events" in said


def test_a_process_that_stalled_before_sending_does_not_send(
    tmp_path: Path, vendor: SandboxVendor, caplog: pytest.LogCaptureFixture
) -> None:
    """The event was begun, then the process did not run for long: it looks again whether the event is still its own."""

    class Interrupted(Inbox):
        """Whoever begins an event stands still until another process has dealt with it."""

        def save(self, changes: Sequence[StateChange]) -> list[SaveResult]:
            outcomes = super().save(changes)
            if any(change.leased for change in changes):
                with self._database.write() as connection:
                    elsewhere = {"status": "sent", "leased": False, "fence": events.c.fence + 1}
                    connection.execute(sa.update(events).values(elsewhere))
                deliverer.clock.ahead = 60.0
            return outcomes

    with Deliverer(f"sqlite:///{tmp_path / 'bot.db'}", vendor, inbox=Interrupted) as deliverer:
        deliverer.put(MAKER.text("101", "bảng giá"))
        wait_until(lambda: "lease lost before sending" in caplog.text, "it to notice")
    assert vendor.received == []


def test_a_fault_in_storing_does_not_end_a_sender(
    tmp_path: Path, vendor: SandboxVendor, caplog: pytest.LogCaptureFixture
) -> None:
    """The only sender lives, and the event is taken up again once its lease stands still."""

    class Faulty(Inbox):
        faults = 1

        def save(self, changes: Sequence[StateChange]) -> list[SaveResult]:
            if any(change.leased for change in changes) and self.faults:
                self.faults -= 1
                raise ZeroDivisionError
            return super().save(changes)

    with Deliverer(f"sqlite:///{tmp_path / 'bot.db'}", vendor, concurrency=1, inbox=Faulty) as deliverer:
        deliverer.put(MAKER.text("101", "bảng giá"), MAKER.text("102", "bảng giá"))
        wait_until(lambda: deliverer.statuses() == {"sent": 2}, "both to be settled")
    assert "cannot deliver" in caplog.text
    assert len(vendor.taken) == 2


def test_outcomes_are_kept_until_the_database_is_back(tmp_path: Path, vendor: SandboxVendor) -> None:
    """It is away when the bot is told to stop: what went out meanwhile is not sent again after the next start."""
    url = f"sqlite:///{tmp_path / 'bot.db'}"
    vendor.always(late(1.0))
    with Deliverer(url, vendor) as deliverer:
        deliverer.put(*(MAKER.text(f"10{n}", "bảng giá") for n in range(4)))
        vendor.wait_for(4)
        with deliverer.database.write() as connection:
            connection.execute(sa.text("ALTER TABLE events RENAME TO elsewhere"))
        vendor.wait_for_taken(4)
        back = threading.Timer(2.0, lambda: _rename_back(url))
        back.start()
    back.join()
    with Deliverer(url, vendor) as deliverer:
        assert deliverer.statuses() == {"sent": 4}


def _rename_back(url: str) -> None:
    database = Database(url)
    with database.write() as connection:
        connection.execute(sa.text("ALTER TABLE elsewhere RENAME TO events"))
    database.dispose()


def test_an_oa_whose_calls_hang_leaves_senders_to_others(
    tmp_path: Path, vendor: SandboxVendor, caplog: pytest.LogCaptureFixture
) -> None:
    """And is paused while they are out, before more of its events begin."""
    other = EventMaker(APP_ID, OA_SECRET, "999")
    for n in range(20):
        vendor.next(hang(takes=False), user_id=str(100 + n))
    with Deliverer(f"sqlite:///{tmp_path / 'bot.db'}", vendor) as deliverer:
        deliverer.put(*(MAKER.text(str(100 + n), "bảng giá") for n in range(20)))
        vendor.wait_for(6)
        deliverer.put(other.text("200", "bảng giá"))
        assert vendor.wait_for_taken(1)[0].message.user_id == "200"
        wait_until(lambda: "calls hang" in caplog.text, "it to be noticed")
        assert len(vendor.received) == 7
        vendor.release()
