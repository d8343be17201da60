"""
Run the preview in a subprocess: own interpreter, safe import path, bare environment, limits of time and memory.

It reads a file that anybody may have written, beside files that anybody may have put there. So nothing is imported from
the working directory or from beside the rules, and none of the bot's settings are in its environment.
"""

from __future__ import annotations

import logging
import os
import pickle
import resource
import subprocess
import sys
from pathlib import Path
from typing import Final, Protocol

from bot import logs
from bot.analysis.preview import Preview, PreviewRequest, preview

log = logging.getLogger("bot.analysis")

#: Seconds that a preview may take; web servers in front of us wait for sixty.
TIMEOUT_SECONDS: Final = 50.0

#: Address space that a preview may take, in bytes: 10,000 keywords and 2,000 messages take less than half of it.
MAX_BYTES: Final = 768 * 1024**2

_NICENESS = 5
_OUT_OF_MEMORY: Final = 12
_INHERITED = ("LANG", "LC_ALL", "TZ", "HOME")
_PATHS = ("LD_LIBRARY_PATH", "PYTHONPATH")
# -P keeps the working directory off the import path; a checkout that is not installed is found by its place alone, as
# its folder, too, may hold files that somebody put beside the rules.
_BOOT: Final = """\
import sys
from importlib.util import module_from_spec, spec_from_file_location
spec = spec_from_file_location("bot", sys.argv[1] + "/__init__.py", submodule_search_locations=[sys.argv[1]])
sys.modules["bot"] = module_from_spec(spec)
spec.loader.exec_module(sys.modules["bot"])
from bot.analysis.preview_process import main
sys.exit(main(sys.argv[2]))
"""


class PreviewRunner(Protocol):
    """What makes a preview: `run_in_subprocess`, or a function that takes its place."""

    def __call__(self, request: PreviewRequest, *, log_format: str) -> Preview:
        """Return the preview, or raise what `run_in_subprocess` does."""


class PreviewTimeout(Exception):
    """The preview was given up."""


class PreviewTooLarge(Exception):
    """The preview needed more memory than it may take."""


class PreviewFailed(RuntimeError):
    """The preview's process ended without an answer; its log lines say why."""


def run_in_subprocess(request: PreviewRequest, *, log_format: str, timeout: float = TIMEOUT_SECONDS) -> Preview:
    """
    Return `preview` of *request*, at a low priority; *timeout* in seconds.

    Raises:
        PreviewTimeout: It took longer.
        PreviewTooLarge: It took more memory than `MAX_BYTES`.
        PreviewFailed: The machine has no memory left for it, or we have made a mistake.
    """
    command = [sys.executable, "-P", "-c", _BOOT, str(Path(__file__).parents[1]), log_format]
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
    if done.returncode == _OUT_OF_MEMORY:
        raise PreviewTooLarge
    if done.returncode != 0:
        raise PreviewFailed(f"exit status {done.returncode}")
    found: Preview = pickle.loads(done.stdout)  # noqa: S301  made by our own process
    return found


def _environment() -> dict[str, str]:
    """Return what is needed to find the libraries; of paths only what is absolute, not the folder that we are in."""
    kept = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    for name in _PATHS:
        parts = [part for part in os.environ.get(name, "").split(os.pathsep) if Path(part).is_absolute()]
        if parts:
            kept[name] = os.pathsep.join(parts)
    return kept


def _limit(kind: int, soft: int, hard: int) -> None:
    """Set a limit of this process, or keep the one of the machine if that is lower."""
    _, most = resource.getrlimit(kind)
    if most != resource.RLIM_INFINITY:
        soft, hard = min(soft, most), min(hard, most)
    resource.setrlimit(kind, (soft, hard))


def main(log_format: str) -> int:
    """Read a request from standard input, write its preview to standard output; return the exit status."""
    os.nice(_NICENESS)  # customers come first
    # If whoever asked is gone, nobody else ends it.
    seconds = round(TIMEOUT_SECONDS)
    _limit(resource.RLIMIT_CPU, seconds, seconds + 5)
    _limit(resource.RLIMIT_AS, MAX_BYTES, MAX_BYTES)
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
