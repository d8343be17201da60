"""Validate large rules files in an isolated subprocess, so that the threads that answer customers are not blocked."""

from __future__ import annotations

import gc
import io
import logging
import pickle
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from typing import Final

from bot.isolated_process import begin_isolated, run_isolated
from bot.rules.validate import ValidationResult, gc_paused, validate

log = logging.getLogger(__name__)

#: Smaller files take less than 50 ms; starting a subprocess takes several times as long.
LARGE_BYTES: Final = 32 * 1024

_TIMEOUT_SECONDS: Final = 120.0
#: The limit of the address space, in bytes: the largest allowed file (16 MB) needs less.
_MAX_BYTES: Final = 3 * 1024**3
_PAUSE_SECONDS: Final = 0.002


def validate_aside(data: bytes, *, today: date, folder: Path) -> ValidationResult:
    """Return the result of `validate`, computed in a subprocess if the file is large."""
    if len(data) < LARGE_BYTES:
        return validate(data, today=today, folder=folder)
    try:
        done = run_isolated(__name__, request=(data, today, folder), timeout=_TIMEOUT_SECONDS)
        if done.returncode == 0:
            return _read(done.stdout)
        trouble = f"exit status {done.returncode}"
    except (OSError, subprocess.TimeoutExpired) as error:
        trouble = type(error).__name__
    log.warning("no subprocess can validate the rules file; it is done here", extra={"trouble": trouble})
    return validate(data, today=today, folder=folder)


class _PausingReader(io.BytesIO):
    """
    Sleeps before each read, so that other threads can run.

    `pickle` reads 64 KiB at a time and holds the GIL for 2 ms while it creates the objects.
    """

    def read(self, size: int | None = -1, /) -> bytes:
        """Sleep, then read."""
        time.sleep(_PAUSE_SECONDS)
        return super().read(size)


def _read(answer: bytes) -> ValidationResult:
    """
    Return the result, and exempt it from garbage collection.

    Each full collection would scan 10,000 keywords for 0.1 s, with all threads stopped. Without reference cycles, they
    are freed as ever when others replace them.
    """
    gc.collect()  # present garbage would be exempt, too, and stay for ever; this is short, as former rules are exempt
    with gc_paused():
        result: ValidationResult = pickle.load(_PausingReader(answer))  # noqa: S301  made by our own process
        gc.freeze()
    return result


def main() -> int:
    """Read the arguments of `validate` from standard input, write its result to standard output."""
    begin_isolated(cpu_seconds=_TIMEOUT_SECONDS, max_bytes=_MAX_BYTES)
    data, today, folder = pickle.load(sys.stdin.buffer)  # noqa: S301  from our own process
    pickle.dump(validate(data, today=today, folder=folder), sys.stdout.buffer)
    return 0
