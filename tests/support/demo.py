"""A running `bot demo`, as a process."""

from __future__ import annotations

import os
import queue
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from tests.support.forkserver import ForkedProcess, start_process
from tests.support.running import PATIENCE

CUSTOMER = "246845883529197922"


@dataclass
class Demo:
    """A running demo."""

    process: subprocess.Popen[bytes] | ForkedProcess
    url: str
    printed: list[str]

    def say(self, text: str = "", *, customer: str = CUSTOMER, **more: str) -> requests.Response:
        message = {"customer": customer, "kind": "text", "text": text, **more}
        return requests.post(f"{self.url}/messages", json=message, timeout=PATIENCE)

    def pieces(self, until: str, *, customer: str = CUSTOMER, after: int = 0) -> str:
        """Return the pieces of the page that came for the customer, up to the event that has *until* in it."""
        seen = ""
        headers = {"Last-Event-ID": str(after)}
        deadline = time.monotonic() + PATIENCE
        with requests.get(
            f"{self.url}/changes?customer={customer}", headers=headers, stream=True, timeout=PATIENCE
        ) as stream:
            for line in stream.iter_lines(decode_unicode=True):
                seen += f"{line}\n"
                if not line and until in seen:
                    return seen
                if time.monotonic() > deadline:
                    break
        raise AssertionError(f"no {until!r}:\n{seen}")


@contextmanager
def running(folder: Path, *, port: int = 0, lang: str = "vi") -> Iterator[Demo]:
    """Run the demo in *folder*; say what it printed if it does not come up."""
    path = os.pathsep.join(filter(None, (str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH"))))
    own = {"PORT": str(port), "BOT_LANG": lang, "PYTHONPATH": path, "PYTHONWARNINGS": "error", "TMPDIR": str(folder)}
    ours, theirs = os.pipe()
    command = [sys.executable, "-m", "bot", "demo"]
    process = start_process(command, cwd=folder, env={**os.environ, **own}, stdout=theirs)
    os.close(theirs)
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    printed: list[str] = []

    def read() -> None:
        with os.fdopen(ours, encoding="utf-8") as output:
            for line in output:
                printed.append(line)
                lines.put(line)
        lines.put(None)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield Demo(process, _address(lines, printed), printed)
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        finally:
            process.kill()
            process.wait()
            reader.join()


def _address(lines: queue.SimpleQueue[str | None], printed: list[str]) -> str:
    deadline = time.monotonic() + PATIENCE
    while line := lines.get(timeout=max(deadline - time.monotonic(), 0.01)):
        if found := re.search(r"http://127\.0\.0\.1:\d+/demo", line):
            return found[0]
    raise AssertionError("no address was printed:\n" + "".join(printed))
