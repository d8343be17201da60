"""Metrics as Prometheus scrapes them: one answer for all worker processes."""

from __future__ import annotations

import os
import re
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from bot.sandbox.script import OK, answer, vendor_code
from bot.sandbox.vendor import SandboxVendor
from tests.support.events import ASK
from tests.support.metrics import scrape, scraped
from tests.support.running import MAKER, OA_ID, PATIENCE, RULES, Bot, wait_until

ROOT = Path(__file__).parents[2]
WAYS = {
    "bot serve": "-m bot serve",
    "gunicorn": f"-m gunicorn --chdir {ROOT} --workers 2 --threads 8 --bind 127.0.0.1:{{port}} app:app",
    "gunicorn, loaded before the fork": (
        f"-m gunicorn --preload --chdir {ROOT} --workers 2 --threads 8 --bind 127.0.0.1:{{port}} app:app"
    ),
}


def workers(bot: Bot) -> set[int]:
    """Return the ids of the worker processes."""
    children = Path(f"/proc/{bot.process.pid}/task/{bot.process.pid}/children").read_text(encoding="ascii")
    return {int(number) for number in children.split()}


@pytest.mark.parametrize("way", WAYS)
def test_counts_are_of_all_processes_however_it_is_started(
    tmp_path: Path, vendor: SandboxVendor, way: str, empty_database_url: str
) -> None:
    """Events, redeliveries, refusals, replies: each is counted once, and every scrape says the same."""
    variables = {"WEB_CONCURRENCY": "2", "TMPDIR": str(tmp_path), "PYTHONWARNINGS": "default"}
    variables["DATABASE_URL"] = empty_database_url
    made = [MAKER.text(f"2{number:02}", ASK) for number in range(30)]
    with Bot(tmp_path, vendor.url, command=WAYS[way].split(), **variables) as bot:
        # One worker answers; the other may still be starting, and would ask for a redelivery.
        started = 2 if way == "gunicorn" else 3  # with a master that has tried the rules before
        wait_until(lambda: bot.log_text().count("rules in force") >= started, "both workers to have started")
        with ThreadPoolExecutor(16) as pool:
            assert {answer.status_code for answer in pool.map(bot.post, made + made[:10])} == {200}
        bot.deliver(MAKER.text("301", "xin chào"))
        bot.deliver(MAKER.oa_sent_text("302", ASK))
        for body, headers in ((made[0].body, {}), (b"[]", {}), (b"{}", {}), (b"x" * 300_000, {})):
            requests.post(f"{bot.url}/webhook", data=body, headers=headers, timeout=PATIENCE)
        vendor.wait_for_taken(30)
        expected = {
            "events_total{kind=text}": 31.0,
            "events_total{kind=other}": 1.0,
            "redeliveries_total{kind=text}": 10.0,
            "acknowledgement_seconds_count{status=200}": 43.0,
            "acknowledgement_seconds_bucket{le=+Inf,status=200}": 43.0,
            "acknowledgement_seconds_count{status=401}": 1.0,
            "acknowledgement_seconds_count{status=400}": 1.0,
            "acknowledgement_seconds_count{status=413}": 1.0,
            "send_seconds_count{outcome=Taken}": 30.0,
            "replies_total{rule=bang-gia}": 30.0,
            "settled_total{kind=text,reason=rule,status=sent}": 30.0,
            "settled_total{kind=text,reason=no-match,status=ignored}": 1.0,
            "unmatched_total{kind=text}": 1.0,
            f"account_closed{{oa_id={OA_ID}}}": 0.0,
            "open_events{}": 0.0,
            "ready{}": 1.0,
            "rules{}": 2.0,
        }
        wait_until(scraped(bot, **expected), f"{expected}, got {scrape(bot)}")
        assert len(workers(bot)) == 2
        with ThreadPoolExecutor(8) as pool:
            for samples in pool.map(scrape, [bot] * 24):
                assert expected.items() <= samples.items()
        assert not re.search(r"\b(2\d\d|30[12])\b=|bang gia", "".join(scrape(bot)))


def test_a_worker_that_dies_takes_no_count_along(tmp_path: Path, vendor: SandboxVendor) -> None:
    """A counter never goes down while the bot runs; what a start left behind is gone with the end."""
    left = tmp_path / "temporary"
    left.mkdir()
    with Bot(tmp_path, vendor.url, WEB_CONCURRENCY="2", TMPDIR=str(left)) as bot:
        bot.deliver(MAKER.text("101", ASK))
        wait_until(scraped(bot, **{"replies_total{rule=bang-gia}": 1.0}), "the reply")
        before = workers(bot)
        for worker in before:
            os.kill(worker, signal.SIGKILL)
        wait_until(lambda: len(workers(bot)) == 2 and not workers(bot) & before, "two new workers")
        wait_until(lambda: bot.get("/readyz").ok, "readiness")
        bot.deliver(MAKER.text("102", ASK))
        wait_until(scraped(bot, **{"replies_total{rule=bang-gia}": 2.0}), "the second reply")
        assert bot.terminate() == 0
        assert not list(left.glob("zalo-bot-metrics-*"))


def test_what_waits_and_what_failed_is_seen(bot: Bot, vendor: SandboxVendor) -> None:
    """A refused account, what piles up behind it, a dead letter, and that all is well again."""
    vendor.next(vendor_code(-213, "User has not followed OA"))
    bot.deliver(MAKER.text("101", ASK))
    dead = {"dead_events{}": 1.0, "settled_total{kind=text,reason=refused,status=dead}": 1.0}
    wait_until(scraped(bot, **dead), "the dead letter")
    vendor.always(answer(401))
    for user in range(3):
        bot.deliver(MAKER.text(f"20{user}", ASK))
    closed = f"account_closed{{oa_id={OA_ID}}}"
    wait_until(scraped(bot, **{closed: 1.0, "open_events{}": 3.0}), "the closed account")
    wait_until(lambda: scrape(bot)["oldest_open_event_seconds{}"] > 0.5, "the oldest to have waited")
    assert scrape(bot)["send_seconds_count{outcome=Misconfigured}"] >= 1
    vendor.always(OK)
    vendor.wait_for_taken(3)
    wait_until(scraped(bot, **{"open_events{}": 0.0, "oldest_open_event_seconds{}": 0.0}), "an empty queue")
    assert scrape(bot)[closed] == 0


def test_what_is_left_of_the_quota_is_seen(tmp_path: Path, vendor: SandboxVendor) -> None:
    """Where the vendor tells it: beside the picture's id or in the vendor's envelope; the latest word counts."""
    sub_quota = {"quota_type": "sub_quota", "remain": 41, "total": "500", "owner_type": "OA", "owner_id": OA_ID}
    envelope = {"code": 0, "data": {"msg_id": "m1", "quota": sub_quota}, "message": "Success", "referentId": "r1"}
    vendor.next(answer(200, envelope), answer(200, {"msg_id": "m2", "quota": sub_quota | {"remain": 40}}), OK)
    left, limit = (f"quota_{name}{{oa_id={OA_ID},quota_type=sub_quota}}" for name in ("remaining", "limit"))
    with Bot(tmp_path, vendor.url, WEB_CONCURRENCY="2") as bot:
        assert left not in scrape(bot)
        for user, expected in (("101", 41.0), ("102", 40.0), ("103", 40.0)):
            bot.deliver(MAKER.text(user, ASK))
            vendor.wait_for_taken(int(user) - 100)
            wait_until(scraped(bot, **{left: expected, limit: 500.0}), f"{expected} to be left")


def test_the_fallback_answers_what_no_rule_matched(tmp_path: Path, vendor: SandboxVendor) -> None:
    """It counts as a reply and as unmatched; so does the silence until the fallback may speak again."""
    fallback = 'fallback:\n  reply: {image_url: "https://shop.example/menu.jpg"}\n  every: 24h\n'
    with Bot(tmp_path, vendor.url, rules=RULES + fallback) as bot:
        bot.deliver(MAKER.text("101", "xin chào"))
        vendor.wait_for_taken(1)
        bot.deliver(MAKER.text("101", "có ai không"))
        bot.deliver(MAKER.text("101", ASK))
        vendor.wait_for_taken(2)
        expected = {
            "unmatched_total{kind=text}": 2.0,
            "replies_total{rule=(fallback)}": 1.0,
            "replies_total{rule=bang-gia}": 1.0,
            "settled_total{kind=text,reason=fallback-cooldown,status=ignored}": 1.0,
        }
        wait_until(scraped(bot, **expected), f"{expected}")


def test_a_rules_file_that_is_not_usable_is_seen(tmp_path: Path, vendor: SandboxVendor) -> None:
    """And when the last good one was taken."""
    with Bot(tmp_path, vendor.url) as bot:
        before = scrape(bot)
        assert before["rules_last_reload_successful{}"] == 1
        good = bot.rules.read_text(encoding="utf-8")
        bot.rules.write_text("rules: [", encoding="utf-8")
        wait_until(scraped(bot, **{"rules_last_reload_successful{}": 0.0, "rules{}": 2.0}), "the trouble")
        taken_at = "rules_last_reload_success_timestamp_seconds{}"
        assert scrape(bot)[taken_at] == before[taken_at]
        bot.rules.write_text(good + "# mended\n", encoding="utf-8")
        wait_until(lambda: scrape(bot)[taken_at] > before[taken_at], "the mended file")
        assert scrape(bot)["rules_last_reload_successful{}"] == 1
