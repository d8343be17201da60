"""Make the preview of a rules file in an isolated subprocess, with limits of time and memory."""

from __future__ import annotations

import logging
import pickle
import subprocess
import sys
from typing import Final, Protocol

from bot import logs
from bot.analysis.preview import Preview, PreviewRequest, preview
from bot.isolated_process import begin_isolated, run_isolated

log = logging.getLogger("bot.analysis")

#: The time limit of a preview, in seconds; proxies in front of us wait for sixty.
TIMEOUT_SECONDS: Final = 50.0

#: The limit of a preview's address space, in bytes; 10,000 keywords and 2,000 messages take less than half of it.
MAX_BYTES: Final = 768 * 1024**2

_OUT_OF_MEMORY: Final = 12


class PreviewRunner(Protocol):
    """A function that makes a preview: `run_in_subprocess`, or another one in its place."""

    def __call__(self, request: PreviewRequest, *, log_format: str) -> Preview:
        """Return the preview; raises the same errors as `run_in_subprocess`."""


class PreviewTimeout(Exception):
    """The preview exceeded its time limit."""


class PreviewTooLarge(Exception):
    """The preview exceeded its memory limit."""


class PreviewFailed(RuntimeError):
    """The preview's process ended without a result; its log says why."""


def run_in_subprocess(request: PreviewRequest, *, log_format: str, timeout: float = TIMEOUT_SECONDS) -> Preview:
    """
    Return `preview` of *request*, made in a process with low priority; *timeout* in seconds.

    Raises:
        PreviewTimeout: It took longer.
        PreviewTooLarge: It took more memory than `MAX_BYTES`.
        PreviewFailed: The machine has no memory left, or there is a bug.
    """
    try:
        done = run_isolated("bot.analysis.preview_process", log_format, request=request, timeout=timeout)
    except subprocess.TimeoutExpired:
        raise PreviewTimeout from None
    if done.returncode == _OUT_OF_MEMORY:
        raise PreviewTooLarge
    if done.returncode != 0:
        raise PreviewFailed(f"exit status {done.returncode}")
    found: Preview = pickle.loads(done.stdout)  # noqa: S301  made by our own process
    return found


def main(log_format: str) -> int:
    """Read a request from standard input, write its preview to standard output; return the exit status."""
    begin_isolated(cpu_seconds=TIMEOUT_SECONDS, max_bytes=MAX_BYTES)
    logs.configure("json" if log_format == "json" else "text", "INFO")
    try:
        answer = pickle.dumps(preview(pickle.load(sys.stdin.buffer)))  # noqa: S301  from our own process
    except MemoryError:
        return _OUT_OF_MEMORY
    except Exception:
        log.exception("the preview of a rules file failed")
        return 1
    sys.stdout.buffer.write(answer)
    return 0
