"""Run the preview of a rules file in an isolated subprocess, with limits of time and memory."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Final, Protocol

from bot import logs
from bot.analysis.preview import Preview, PreviewRequest, Progress, Report, preview
from bot.isolated_process import IsolatedProcess, asking_process, begin_isolated

log = logging.getLogger("bot.analysis")

#: The time limit of a preview, in seconds; reverse proxies usually wait for sixty.
TIMEOUT_SECONDS: Final = 50.0

#: The limit of a preview's address space, in bytes; 10,000 keywords and 2,000 messages take less than half of it.
MAX_BYTES: Final = 768 * 1024**2

# How often the watcher is asked whether it has left, in seconds.
_POLL_SECONDS: Final = 0.1
_OUT_OF_MEMORY: Final = 12


class Watcher(Protocol):
    """The client of a preview; its methods are called by the thread that runs the preview."""

    def report(self, progress: Progress) -> None:
        """Receive the progress."""

    def has_left(self) -> bool:
        """Return whether the client has disconnected, so that the preview can be stopped."""


class _Patient:
    """A watcher that never leaves."""

    def report(self, progress: Progress) -> None:
        pass

    def has_left(self) -> bool:
        return False


class PreviewRunner(Protocol):
    """A function that makes a preview: `run_in_subprocess`, or a substitute."""

    def __call__(self, request: PreviewRequest, *, log_format: str, watcher: Watcher | None = None) -> Preview:
        """Return the preview; raises the same errors as `run_in_subprocess`."""


class PreviewStopped(Exception):
    """The watcher has left; the preview was stopped."""


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
    found: Preview = ask_subprocess(
        "bot.analysis.preview_process", request, log_format=log_format, watcher=watcher, timeout=timeout
    )
    return found


def ask_subprocess(
    module: str, request: object, *, log_format: str, watcher: Watcher | None = None, timeout: float = TIMEOUT_SECONDS
) -> Any:
    """
    Return what `main` of *module* answers to *request*, by `answer_request`, in a process with low priority.

    Raises the same errors as `run_in_subprocess`.
    """
    deadline = time.monotonic() + timeout
    with IsolatedProcess(module, log_format) as process:
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


def _ask(process: IsolatedProcess, request: object, watcher: Watcher) -> object:
    process.pipe.send(request)
    while True:
        if watcher.has_left():
            raise PreviewStopped
        if process.pipe.poll(_POLL_SECONDS):
            answer: object = process.pipe.recv()
            if not isinstance(answer, Progress):
                return answer
            watcher.report(answer)


def main(log_format: str, pipe: str) -> int:
    """Read a request from the *pipe*, write its preview there; return the exit status."""
    return answer_request(log_format, pipe, preview)


def answer_request(log_format: str, pipe: str, work: Callable[[Any, Report], object]) -> int:
    """Answer the request in the *pipe* by *work*, which gets a function for its progress; return the exit status."""
    begin_isolated(cpu_seconds=TIMEOUT_SECONDS, max_bytes=MAX_BYTES)
    logs.configure("json" if log_format == "json" else "text", "INFO")
    with asking_process(pipe) as asker:
        try:
            asker.send(work(asker.recv(), asker.send))
        except MemoryError:
            return _OUT_OF_MEMORY
        except (EOFError, BrokenPipeError, ConnectionResetError):
            return 0  # the parent process has ended
        except Exception:
            log.exception("the work of an isolated process failed")
            return 1
    return 0
