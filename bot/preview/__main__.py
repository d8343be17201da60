"""The process that makes one preview: an order comes in by standard input, the preview goes out by standard output."""

from __future__ import annotations

import logging
import os
import pickle
import resource
import sys

from bot import logs
from bot.preview.apart import LONGEST
from bot.preview.preview import preview

log = logging.getLogger("bot.preview")

_NICENESS = 5


def main() -> int:
    """Make the preview, with less right to the processor than whoever answers customers; return the exit status."""
    os.nice(_NICENESS)
    # If whoever asked is gone, nobody else ends it.
    resource.setrlimit(resource.RLIMIT_CPU, (round(LONGEST), round(LONGEST) + 5))
    logs.configure("json" if "json" in sys.argv else "text", "INFO")
    try:
        answer = pickle.dumps(preview(pickle.load(sys.stdin.buffer)))  # noqa: S301  from our own process
    except Exception:
        log.exception("the preview of a rules file failed")
        return 1
    sys.stdout.buffer.write(answer)
    return 0


if __name__ == "__main__":
    sys.exit(main())
