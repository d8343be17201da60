"""Previews in a process of their own: it shares no interpreter with the webhook, and can be ended."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Final

from bot.preview.preview import Order, Preview

#: Seconds that a preview may take; web servers in front of us wait for sixty.
LONGEST: Final = 50.0

_ROOT = Path(__file__).parents[2]
# It reads a file that anybody may have written, so it gets none of our secrets; and nothing is counted in it.
_INHERITED = ("PATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "TZ")


class TookTooLong(Exception):
    """The preview was given up."""


class PreviewFailed(RuntimeError):
    """The preview's process ended without an answer; its log lines say why."""


def preview_apart(order: Order, *, log_format: str, longest: float = LONGEST) -> Preview:
    """
    Return `preview` of *order*, at a low priority; *longest* in seconds.

    Raises:
        TookTooLong: It took longer.
        PreviewFailed: The machine has no memory left for it, or we have made a mistake.
    """
    command = [sys.executable, "-m", "bot.preview", log_format]
    try:
        # Without preexec_fn: with it, the hooks around a fork would stop the service.
        done = subprocess.run(  # noqa: S603  our own
            command, input=pickle.dumps(order), stdout=subprocess.PIPE, env=_environment(), timeout=longest, check=False
        )
    except subprocess.TimeoutExpired:
        raise TookTooLong from None
    if done.returncode != 0:
        raise PreviewFailed(f"exit status {done.returncode}")
    found: Preview = pickle.loads(done.stdout)  # noqa: S301  made by our own process
    return found


def _environment() -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name in _INHERITED or name.startswith("PYTHON")}
    path = os.pathsep.join(filter(None, (str(_ROOT), inherited.get("PYTHONPATH"))))
    return inherited | {"PYTHONPATH": path}
