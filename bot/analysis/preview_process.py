"""Make the preview of a rules file in an isolated subprocess, with limits of time and memory."""

from __future__ import annotations

import logging
import threading
import time
from typing import Final, Protocol

from bot import logs
from bot.analysis.preview import Preview, PreviewRequest, Progress, preview
from bot.isolated_process import IsolatedProcess, asking_process, begin_isolated

log = logging.getLogger("bot.analysis")

#: The time limit of a preview, in seconds; proxies in front of us wait for sixty.
TIMEOUT_SECONDS: Final = 50.0

#: The limit of a preview's address space, in bytes; 10,000 keywords and 2,000 messages take less than half of it.
MAX_BYTES: Final = 768 * 1024**2

# How soon it is stopped when nobody waits for it any more.
_POLL_SECONDS: Final = 0.1
_OUT_OF_MEMORY: Final = 12


class Watcher(Protocol):
    """Who waits for a preview; called by the thread that makes it."""

    def report(self, progress: Progress) -> None:
        """Take in how far it is."""

    def has_left(self) -> bool:
        """Return whether nobody waits any more."""


class _Patient:
    """Waits to the end."""

    def report(self, progress: Progress) -> None:
        pass

    def has_left(self) -> bool:
        return False


class PreviewRunner(Protocol):
    """A function that makes a preview: `run_in_subprocess`, or another one in its place."""

    def __call__(self, request: PreviewRequest, *, log_format: str, watcher: Watcher | None = None) -> Preview:
        """Return the preview; raises the same errors as `run_in_subprocess`."""


class PreviewStopped(Exception):
    """Nobody waits for the preview any more."""


class PreviewTimeout(Exception):
    """The preview exceeded its time limit."""


class PreviewTooLarge(Exception):
    """The preview exceeded its memory limit."""


class PreviewFailed(RuntimeError):
    """The preview's process ended without a result; its log says why."""


def run_in_subprocess(
    request: PreviewRequest, *, log_format: str, watcher: Watcher | None = None, timeout: float = TIMEOUT_SECONDS
) -> Preview:
    """
    Return `preview` of *request*, made in a process with low priority; *timeout* in seconds.

    Raises:
        PreviewTimeout: It took longer.
        PreviewTooLarge: It took more memory than `MAX_BYTES`.
        PreviewStopped: *watcher* has left.
        PreviewFailed: The machine has no memory left, or there is a bug.
    """
    deadline = time.monotonic() + timeout
    with IsolatedProcess("bot.analysis.preview_process", log_format) as process:
        killer = threading.Timer(timeout, process.kill)
        killer.start()
        try:
            return _ask(process, request, watcher or _Patient())
        except (EOFError, OSError):
            status = process.wait()
        finally:
            killer.cancel()
    if time.monotonic() >= deadline:
        raise PreviewTimeout
    if status == _OUT_OF_MEMORY:
        raise PreviewTooLarge
    raise PreviewFailed(f"exit status {status}")


def _ask(process: IsolatedProcess, request: PreviewRequest, watcher: Watcher) -> Preview:
    process.pipe.send(request)
    while True:
        if watcher.has_left():
            raise PreviewStopped
        if process.pipe.poll(_POLL_SECONDS):
            answer: Progress | Preview = process.pipe.recv()
            if isinstance(answer, Preview):
                return answer
            watcher.report(answer)


def main(log_format: str, pipe: str) -> int:
    """Read a request from the *pipe*, write its preview there; return the exit status."""
    begin_isolated(cpu_seconds=TIMEOUT_SECONDS, max_bytes=MAX_BYTES)
    logs.configure("json" if log_format == "json" else "text", "INFO")
    with asking_process(pipe) as asker:
        try:
            asker.send(preview(asker.recv(), asker.send))
        except MemoryError:
            return _OUT_OF_MEMORY
        except (EOFError, BrokenPipeError, ConnectionResetError):
            return 0  # whoever asked is gone
        except Exception:
            log.exception("the preview of a rules file failed")
            return 1
    return 0
