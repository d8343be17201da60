"""What acknowledgements wait for the other work that the bot has: files that are checked, and rules that are read."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest
import requests

from tests.bench import load
from tests.bench.shop import ALL_WORDS, rules
from tests.bench.table import show
from tests.support.console import PASSWORD
from tests.support.running import Bot, wait_until

pytestmark = pytest.mark.bench

CONNECTIONS, REQUESTS, TURNS = 16, 3_000, 3
LARGE = rules(ALL_WORDS)
# Between the moment at which a file is in force and the next change.
PAUSE_SECONDS = 1.0


@contextmanager
def again_and_again(work: Callable[[], None], pause: float = 0.0) -> Iterator[None]:
    """Do the work in a thread until the block ends."""
    over = threading.Event()

    def go_on() -> None:
        while not over.is_set():
            work()
            over.wait(pause)

    worker = threading.Thread(target=go_on)
    worker.start()
    try:
        time.sleep(0.5)  # it is under way
        yield
    finally:
        over.set()
        worker.join()


class Editor:
    """Somebody with a file of 10,000 keywords."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._browser = requests.Session()
        self._browser.headers["Origin"] = bot.url
        self._browser.post(f"{bot.url}/console/login", data={"password": PASSWORD}, timeout=60).raise_for_status()
        self.checked = self.saved = 0

    def check(self) -> None:
        """Have the file checked on the console's page."""
        self._browser.post(
            f"{self._bot.url}/console/check",
            files={"file": ("rules.yaml", LARGE.encode())},
            timeout=60,
        ).raise_for_status()
        self.checked += 1

    def save(self) -> None:
        """Put the file, each time with a change, in the place of the rules; wait until it is in force."""
        self.saved += 1
        other = self._bot.rules.with_suffix(".new")
        other.write_text(f"{LARGE}# {self.saved}\n", encoding="utf-8")
        other.replace(self._bot.rules)
        wait_until(lambda: self._bot.log_text().count("rules in force") > self.saved, "the new rules to be in force")


def test_acknowledgements_beside_other_work(tmp_path: Path) -> None:
    """
    Aim: p99 within 1.5 times that without the work.

    A check has a process of its own, which lets others go first; so has the reading of large rules.
    """
    found: dict[str, list[load.Measured]] = {"alone": [], "beside checks": [], "beside new rules": []}
    starts = iter(range(10**6, 10**9, 10**6))
    with Bot(tmp_path, "http://127.0.0.1:9", CONSOLE_PASSWORD=PASSWORD, LOG_LEVEL="INFO") as bot:
        editor = Editor(bot)
        for _ in range(TURNS):
            for name, work in (
                ("alone", nullcontext()),
                ("beside checks", again_and_again(editor.check)),
                ("beside new rules", again_and_again(editor.save, PAUSE_SECONDS)),
            ):
                with work:
                    found[name].append(load.run(bot.port, load.deliveries(next(starts), REQUESTS), CONNECTIONS))
    assert not any(run.failures for runs in found.values() for run in runs)
    best = {name: [min(run.percentile(share) for run in runs) for share in (0.5, 0.99)] for name, runs in found.items()}
    rows = [
        (name.replace(" ", "-"), f"{p50 * 1000:.1f}", f"{p99 * 1000:.1f}", f"{p99 / best['alone'][1]:.2f}")
        for name, (p50, p99) in best.items()
    ]
    work = f"{editor.checked} checks and {editor.saved} new files of {len(ALL_WORDS):,} keywords"
    show(f"acknowledgements, {CONNECTIONS} connections, beside {work}", "when p50-ms p99-ms p99-ratio", rows)
    assert all(p99 < 10 * best["alone"][1] for _, p99 in best.values())
