"""Run the preview in a subprocess: own interpreter, time limit, no secrets in its environment."""

from __future__ import annotations

import logging
import os
import pickle
import resource
import subprocess
import sys
from pathlib import Path
from typing import Final

from bot import logs
from bot.analysis.preview import Preview, PreviewRequest, preview

log = logging.getLogger("bot.analysis")

#: Seconds that a preview may take; web servers in front of us wait for sixty.
TIMEOUT_SECONDS: Final = 50.0

_NICENESS = 5
_ROOT = Path(__file__).parents[2]
# It reads a file that anybody may have written, so it gets none of our secrets; and nothing is counted in it.
_INHERITED = ("PATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "TZ")


class PreviewTimeout(Exception):
    """The preview was given up."""


class PreviewFailed(RuntimeError):
    """The preview's process ended without an answer; its log lines say why."""


def run_in_subprocess(request: PreviewRequest, *, log_format: str, timeout: float = TIMEOUT_SECONDS) -> Preview:
    """
    Return `preview` of *request*, at a low priority; *timeout* in seconds.

    Raises:
        PreviewTimeout: It took longer.
        PreviewFailed: The machine has no memory left for it, or we have made a mistake.
    """
    command = [sys.executable, "-m", "bot.analysis.preview_process", log_format]
    try:
        # Without preexec_fn: with it, the hooks around a fork would stop the service.
        done = subprocess.run(  # noqa: S603  our own
            command,
            input=pickle.dumps(request),
            stdout=subprocess.PIPE,
            env=_environment(),
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise PreviewTimeout from None
    if done.returncode != 0:
        raise PreviewFailed(f"exit status {done.returncode}")
    found: Preview = pickle.loads(done.stdout)  # noqa: S301  made by our own process
    return found


def _environment() -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name in _INHERITED or name.startswith("PYTHON")}
    path = os.pathsep.join(filter(None, (str(_ROOT), inherited.get("PYTHONPATH"))))
    return inherited | {"PYTHONPATH": path}


def main() -> int:
    """Read a request from standard input, write its preview to standard output; return the exit status."""
    os.nice(_NICENESS)  # customers come first
    # If whoever asked is gone, nobody else ends it.
    resource.setrlimit(resource.RLIMIT_CPU, (round(TIMEOUT_SECONDS), round(TIMEOUT_SECONDS) + 5))
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
