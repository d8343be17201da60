"""The log of a running bot: every event can be followed, and no secret or customer's text appears."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
import sqlalchemy as sa

from bot.inbox.database import Database
from bot.sandbox.script import answer, cut, vendor_code
from bot.sandbox.vendor import SandboxVendor
from bot.sandbox.zalo_events import SignedEvent
from tests.support.commands import printed
from tests.support.events import ASK, rows, settled
from tests.support.running import API_KEY, MAKER, OA_SECRET, PATIENCE, TOKEN, Bot, wait_until

PRIVATE = "lời riêng tư"
PASSWORD = "seven-quiet-herons"
SECRETS = (API_KEY, TOKEN, OA_SECRET, PASSWORD)

Line = dict[str, Any]


def lines(bot: Bot) -> list[Line]:
    """Return the log, given as JSON; every line of it is."""
    return [json.loads(line) for line in bot.log_text().splitlines()]


@contextmanager
def nothing_is_stored(bot: Bot) -> Iterator[None]:
    """Have the database refuse every event, and say why as it does: PostgreSQL quotes the row."""
    database = Database(bot.environment["DATABASE_URL"])
    on = "CREATE TRIGGER no BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'no room'); END"
    off = "DROP TRIGGER no"
    if not database.is_sqlite:
        on = "ALTER TABLE events ADD CONSTRAINT no_room CHECK (id < 0) NOT VALID"
        off = "ALTER TABLE events DROP CONSTRAINT no_room"
    with database.write() as connection:
        connection.execute(sa.text(on))
    yield
    with database.write() as connection:
        connection.execute(sa.text(off))
    database.dispose()


def written(bot: Bot) -> str:
    """Return all that the bot has written, but for the database: that is where customers' words belong."""
    ours = {"rules.yaml", ".env"}
    files = [file for file in bot.directory.rglob("*") if file.is_file() and not file.name.startswith("bot.db")]
    return "\n".join(file.read_bytes().decode(errors="replace") for file in files if file.name not in ours)


def start(bot: Bot, **settings: str) -> None:
    """Start it anew, with a new log, at the most talkative level."""
    bot.kill()
    bot.log.unlink()
    bot.environment |= {"LOG_LEVEL": "DEBUG", "WEB_CONCURRENCY": "1", **settings}
    bot.start()


@pytest.mark.parametrize("kind_of_database", ["postgres"])
def test_one_name_leads_through_all_lines_of_an_event(bot: Bot, vendor: SandboxVendor) -> None:
    """Not stored, stored, failed, failed for good, replayed, sent: each line tells which event, and nothing more."""
    start(bot, LOG_FORMAT="json")
    event, other = MAKER.text("101", ASK), MAKER.text("102", ASK)
    with nothing_is_stored(bot):
        assert bot.post(event).status_code == 503
    vendor.next(answer(500), vendor_code(-201, "the picture is no picture"), user_id="101")
    for delivery in (event, other):
        assert bot.post(delivery).status_code == 200
    wait_until(lambda: settled(bot), "both events to be settled")
    number = str(rows(bot)[0]["id"])
    printed(bot, "replay", number)
    wait_until(lambda: [row["status"] for row in rows(bot)] == ["sent", "sent"], "the replay")
    wait_until(lambda: sum(line["message"] == "settled" for line in lines(bot)) == 3, "the last end")
    assert bot.post(event).status_code == 200
    said = lines(bot)
    name = next(line["event"] for line in said if line["message"] == "an event could not be stored")
    assert [line["message"] for line in said if line.get("event") == name] == [
        "an event could not be stored", "received", "not sent", "not sent", "settled",
        "sent", "settled", "received again",
    ]  # fmt: skip
    assert {line["event"] for line in said if str(line.get("id")) == number} == {name}
    assert name in printed(bot, "inbox", number)
    dead = next(line for line in said if line.get("status") == "dead")
    assert (dead["level"], dead["reason"], dead["attempts"]) == ("WARNING", "refused", 0)  # the 500 may be an outage
    names = {line["event"] for line in said if "event" in line}
    assert len(names) == 2
    assert not [line for line in said if line["level"] in {"WARNING", "ERROR"} and "event" not in line]


def private_events() -> list[SignedEvent]:
    """Return events in which a customer says something that concerns nobody else."""
    return [
        *(MAKER.text(f"10{user}", f"{ASK} {PRIVATE}") for user in range(4)),
        MAKER.text("109", f"{PRIVATE} không ai trả lời"),
        MAKER.text("110", f"hai ảnh {PRIVATE}"),
    ]


@pytest.mark.parametrize(("kind_of_database", "form"), [("sqlite", "json"), ("postgres", "text")])
def test_no_secret_and_no_message_is_ever_written(
    tmp_path: Path, vendor: SandboxVendor, database_url: str, form: str
) -> None:
    """Through successes, refusals, retries, an outage of the database and bad deliveries; in pages and files too."""
    settings = {"DATABASE_URL": database_url, "CONSOLE_PASSWORD": PASSWORD}
    with Bot(tmp_path, vendor.url, LOG_FORMAT=form, LOG_LEVEL="DEBUG", **settings) as bot:
        vendor.next(answer(500), cut(), vendor_code(-201, f"{API_KEY} is bad"), answer(400, {"msg": f"no {TOKEN}"}))
        told = []
        with nothing_is_stored(bot):
            told += [bot.post(event) for event in private_events()[:2]]
        told += [bot.post(event) for event in private_events()]
        told += bad_deliveries(bot)
        assert {response.status_code for response in told} >= {200, 400, 401, 503}
        seldom_open: Callable[[], bool] = lambda: sum(row["status"] == "open" for row in rows(bot)) <= 1  # noqa: E731
        wait_until(seldom_open, "all but the one in doubt to be settled")
        told += [bot.get(page) for page in ("/metrics", "/readyz", "/healthz", "/none")]
        printed(bot, "inbox")
        assert bot.terminate() == 0
        everything = written(bot) + "\n".join(response.text for response in told)
        for secret in SECRETS:
            assert secret not in everything
        for words in (PRIVATE, json.dumps(PRIVATE)[1:-1], "riêng", ASK):
            assert words not in everything
        assert "an event could not be stored" in everything
        assert "no_room" in everything or "no room" in everything
        assert "zalo_bot_replies_total" in everything


def bad_deliveries(bot: Bot) -> list[requests.Response]:
    """Deliver what is refused: unsigned, no JSON, not even text."""
    event = private_events()[0]
    bodies = (event.body, f'{{"message": "{PRIVATE}"}}'.encode(), PRIVATE.encode(), PRIVATE.encode("utf-16"))
    return [requests.post(f"{bot.url}/webhook", data=body, timeout=PATIENCE) for body in bodies]


def test_the_token_in_the_webhooks_address_is_not_written(tmp_path: Path, vendor: SandboxVendor) -> None:
    """Not by the development server either, which logs every address."""
    way = ("-m", "flask", "--app", str(Path(__file__).parents[2] / "app.py"), "run", "--port", "{port}")
    settings = {"WEBHOOK_AUTH": "token", "WEBHOOK_TOKEN": PASSWORD, "PYTHONWARNINGS": "default"}
    with Bot(tmp_path, vendor.url, command=way, **settings) as bot:
        body = MAKER.text("101", ASK).body
        assert requests.post(f"{bot.url}/webhook/{PASSWORD}", data=body, timeout=PATIENCE).status_code == 200
        vendor.wait_for_taken(1)
        assert "POST /webhook/…" in bot.log_text()
        assert PASSWORD not in bot.log_text()
