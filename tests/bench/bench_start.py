"""How long commands and the server take to start, beside the libraries they are made of, turn by turn in one run."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from bot.sandbox.send_image import Account
from bot.sandbox.vendor import SandboxVendor
from tests.bench import load
from tests.bench.table import show
from tests.support.running import API_KEY, MAKER, RULES, TOKEN, Bot, environment

pytestmark = pytest.mark.bench

ROUNDS = 5
CLICK = ("-c", "import click")
LIBRARIES = ("-c", "import flask, requests, pydantic, sqlalchemy")
BOT = ("-m", "bot")
#: Each command, what it is compared with, and how many times as long it may take.
COMMANDS = {
    "bot --help": ((*BOT, "--help"), "import click", 2.0),
    "bot check": ((*BOT, "check"), "import the libraries", 1.5),
    "bot try": ((*BOT, "try", "shop ơi bang gia"), "import the libraries", 1.5),
    "bot inbox": ((*BOT, "inbox"), "import the libraries", 3.0),
}
PEERS = {"import click": CLICK, "import the libraries": LIBRARIES}


def took(directory: Path, variables: dict[str, str], command: tuple[str, ...]) -> float:
    """Return the seconds that a command takes from its start to its end."""
    begun = time.perf_counter()
    subprocess.run([sys.executable, *command], cwd=directory, env=variables, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - begun


def ready_after(bot: Bot, path: str) -> float:
    """Return the seconds until a server that is started now can do its work."""
    begun = time.perf_counter()
    bot.start()
    with requests.Session() as session:
        while time.perf_counter() - begun < 60:
            with contextlib.suppress(requests.ConnectionError):
                if session.get(f"{bot.url}{path}", timeout=5).status_code < 500:
                    return time.perf_counter() - begun
            time.sleep(0.002)
    raise AssertionError(f"not ready:\n{bot.log_text()}")


def test_commands(tmp_path: Path) -> None:
    """Aim: what editors type again and again starts before a web application's libraries would be loaded."""
    variables = environment(tmp_path, "http://127.0.0.1:9", 1)
    (tmp_path / "rules.yaml").write_text(RULES, encoding="utf-8")
    with SandboxVendor(Account(API_KEY, TOKEN)) as vendor, Bot(tmp_path, vendor.url) as bot:
        bot.terminate()  # it has made the database
    asked = PEERS | {name: command for name, (command, _, _) in COMMANDS.items()}
    best = dict.fromkeys(asked, float("inf"))
    for _ in range(ROUNDS):
        for name, command in asked.items():
            best[name] = min(best[name], took(tmp_path, variables, command))
    ratios = {name: best[name] / best[peer] for name, (_, peer, _) in COMMANDS.items()}
    rows = [
        (name, f"{best[name] * 1000:.0f}", f"{ratios[name]:.2f}", f"{limit:.1f}", peer)
        for name, (_, peer, limit) in COMMANDS.items()
    ]
    rows += [(name, f"{best[name] * 1000:.0f}", "1.00", "", "") for name in PEERS]
    show("start-up of commands", "command ms ratio limit beside", rows)
    for name, (_, _, limit) in COMMANDS.items():
        assert ratios[name] < limit


def first_answer(server: Bot) -> float:
    """Return the seconds until the first event is acknowledged."""
    event, begun = MAKER.text("101", "xin chào"), time.perf_counter()
    assert server.post(event).status_code == 200
    return time.perf_counter() - begun


def test_server(tmp_path: Path) -> None:
    """Aim: ready in three times the time of a bare Flask route under the same gunicorn; then quick at once."""
    # With warnings of its own it is a new process: a fork of the tests' server has imported everything already.
    alone = {"ready": "", "WEB_CONCURRENCY": "1", "PYTHONWARNINGS": "ignore"}
    with (
        SandboxVendor(Account(API_KEY, TOKEN)) as vendor,
        Bot(tmp_path, vendor.url, command=load.BARE, **alone) as bare,
        Bot(tmp_path, vendor.url, **alone) as bot,
        Bot(tmp_path, vendor.url, command=("-m", "bot", "serve", "--web-only"), **alone) as web,
    ):
        servers = {"bare Flask": (bare, "/"), "bot serve": (bot, "/readyz"), "bot serve --web-only": (web, "/readyz")}
        ready, first = dict.fromkeys(servers, float("inf")), dict.fromkeys(servers, float("inf"))
        for _ in range(ROUNDS):
            for name, (server, path) in servers.items():
                server.kill()
                ready[name] = min(ready[name], ready_after(server, path))
                first[name] = min(first[name], first_answer(server))
                server.kill()
    ratios = {name: seconds / ready["bare Flask"] for name, seconds in ready.items()}
    rows = [
        (name, f"{ready[name] * 1000:.0f}", f"{ratio:.2f}", f"{first[name] * 1000:.0f}")
        for name, ratio in ratios.items()
    ]
    show("start-up of the server, until it can do its work", "server ms ratio first-ack-ms", rows)
    assert max(ratios.values()) < 8
