"""The memory of one process of `bot serve`: once it is ready, after 1,000 messages, and after its rules changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.sandbox.send_image import Account
from bot.sandbox.vendor import SandboxVendor
from tests.bench import load
from tests.bench.processes import group_memory
from tests.bench.shop import ALL_WORDS, CHANCE, WORDS_PER_RULE, rules
from tests.bench.table import show
from tests.bench.words import message
from tests.support.running import API_KEY, MAKER, TOKEN, Bot, wait_until

pytestmark = pytest.mark.bench

#: How many keywords there are, and what a process may take beside them, in MB.
LIMITS = {1_000 * WORDS_PER_RULE: 100, len(ALL_WORDS): 150}
MESSAGES, CONNECTIONS, CHANGES = 1_000, 16, 5
# Not by the tests' fork server, whose pages a fork shares.
SETTINGS = {"WEB_CONCURRENCY": "1", "PYTHONWARNINGS": "default", "SEND_RATE": "10000000", "LOG_LEVEL": "INFO"}


def test_memory_of_a_process(tmp_path: Path) -> None:
    """Aim: less than 100 MB with 1,000 rules, and less than 150 MB with 10,000 keywords."""
    rows, found = [], {}
    for count, limit in LIMITS.items():
        figures = found[count] = measure(tmp_path / str(count), ALL_WORDS[:count])
        name = f"{count // WORDS_PER_RULE:,} rules, {count:,} keywords"
        rows.append((name, *(f"{figure:.0f}" for figure in figures), str(limit)))
    show("MB of one process, web and delivery", "rules ready messages changes limit", rows)
    assert all(max(found[count][:2]) < 1.5 * limit for count, limit in LIMITS.items())


def measure(folder: Path, words: list[str]) -> list[float]:
    """Return the MB at the start, after messages that rules answer, and after changes of the rules."""
    file = rules(words)
    with (
        SandboxVendor(Account(API_KEY, TOKEN)) as vendor,
        Bot(folder, vendor.url, rules=file, **SETTINGS) as bot,
    ):
        figures = [megabytes(bot)]
        events = (MAKER.text(str(10**6 + n), message(CHANCE, words)) for n in range(MESSAGES))
        requests = [load.request("/webhook", event.body, dict(event.headers)) for event in events]
        assert load.run(bot.port, requests, CONNECTIONS).failures == 0
        vendor.wait_for_taken(MESSAGES, timeout=120)
        figures.append(megabytes(bot))
        for n in range(CHANGES):
            changed = bot.rules.with_suffix(".new")
            changed.write_text(f"{file}# {n}\n", encoding="utf-8")
            changed.replace(bot.rules)
            wait_until(lambda n=n: bot.log_text().count("rules in force") >= n + 2, "the new rules to be in force")
        figures.append(megabytes(bot))
        assert bot.terminate() == 0
    return figures


def megabytes(bot: Bot) -> float:
    """Return what the process that answers takes, which is the largest of the group."""
    return max(group_memory(bot.process.pid)) / 10**6
