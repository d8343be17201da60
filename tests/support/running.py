"""A real bot: gunicorn in a process group of its own, on a free port, with a sandbox vendor."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import requests

from bot.sandbox import vendor as sandbox
from bot.sandbox.zalo_events import EventMaker, SignedEvent
from tests.support.forkserver import start_process
from tests.support.ports import free_port
from tests.support.sqlite import new_sqlite_database

APP_ID, OA_SECRET, OA_ID = "360846524940903967", "test-oa-secret", "388613280878808645"
API_KEY, TOKEN = "test-api-key", "test-access-token"
RULES = """\
version: 1
rules:
  - id: bang-gia
    keywords: [bảng giá]
    reply: {image_url: "https://shop.example/bang-gia.jpg"}
  - id: hai-anh
    keywords: [hai ảnh]
    reply: [{image_url: "https://shop.example/1.jpg"}, {image_url: "https://shop.example/2.jpg"}]
"""

#: How long to wait, in seconds, for what takes a moment on an idle machine.
PATIENCE = sandbox.PATIENCE

MAKER = EventMaker(APP_ID, OA_SECRET, OA_ID)


class Bot:
    """The bot as an operator starts it, on a migrated database; ready when the constructor returns."""

    def __init__(
        self,
        directory: Path,
        vendor_url: str,
        *,
        command: Sequence[str] = ("-m", "bot", "serve"),
        rules: str = RULES,
        ready: str = "/readyz",
        **settings: str,
    ) -> None:
        self.directory = directory
        directory.mkdir(exist_ok=True)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.rules = directory / "rules.yaml"
        if not self.rules.exists():
            self.rules.write_text(rules, encoding="utf-8")
        self.environment = environment(directory, vendor_url, self.port) | settings
        if "DATABASE_URL" not in settings:
            new_sqlite_database(directory / "bot.db")
        self._command = [sys.executable, *(part.replace("{port}", str(self.port)) for part in command)]
        self._ready = "" if "--delivery-only" in command else ready
        self.log = directory / f"bot-{self.port}.log"
        self.start()

    def start(self) -> None:
        """Start the process group and wait until it answers."""
        with self.log.open("ab") as log:
            self.process = start_process(self._command, cwd=self.directory, env=self.environment, stdout=log.fileno())
        if self._ready:
            self._wait_until_ready()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(f"the bot ended with {self.process.returncode}:\n{self.log_text()}")
            with contextlib.suppress(requests.RequestException):
                if requests.get(f"{self.url}{self._ready}", timeout=5).status_code < 500:
                    return
            time.sleep(0.05)
        raise AssertionError(f"the bot did not get ready:\n{self.log_text()}")

    def log_text(self) -> str:
        """Return the bot's log."""
        return self.log.read_text(encoding="utf-8")

    def post(self, event: SignedEvent, timeout: float = PATIENCE, **headers: str) -> requests.Response:
        """Deliver the event once."""
        given = {**event.headers, **headers}
        return requests.post(f"{self.url}/webhook", data=event.body, headers=given, timeout=timeout)

    def deliver(self, event: SignedEvent) -> None:
        """Post the event until it is acknowledged, as Zalo does after an error, a reset or a time-out."""

        def is_acknowledged() -> bool:
            try:
                return self.post(event, timeout=10).status_code == 200
            except requests.RequestException:
                return False

        wait_until(is_acknowledged, "the event to be acknowledged")

    def get(self, path: str) -> requests.Response:
        """Get a public page."""
        return requests.get(f"{self.url}{path}", timeout=PATIENCE)

    def kill(self) -> None:
        """Kill master and workers (SIGKILL)."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def terminate(self, timeout: float = PATIENCE) -> int:
        """Terminate the master (SIGTERM); return its exit status."""
        self.process.terminate()
        return self.process.wait(timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()


def environment(directory: Path, vendor_url: str, port: int) -> dict[str, str]:
    """Return the environment of a bot with valid settings."""
    root = str(Path(__file__).parents[2])
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH") if name in os.environ}
    return inherited | {
        "PYTHONPATH": root,
        "PYTHONWARNINGS": "error",
        "CPAAS_BASE_URL": vendor_url,
        "CPAAS_API_KEY": API_KEY,
        "CPAAS_ACCESS_TOKEN": TOKEN,
        "ZALO_APP_ID": APP_ID,
        "ZALO_OA_SECRET_KEY": OA_SECRET,
        "RULES_FILE": str(directory / "rules.yaml"),
        "DATABASE_URL": f"sqlite:///{directory / 'bot.db'}",
        "PORT": str(port),
        "TMPDIR": str(directory),
        "BOT_LANG": "en",
    }


def wait_until(condition: Callable[[], object], what: str, timeout: float = PATIENCE) -> None:
    """Return once *condition* holds; fail with *what* if it never does."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout} s for {what}")
        time.sleep(0.02)
