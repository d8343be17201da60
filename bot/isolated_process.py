"""
Run a module's `main` in an isolated Python subprocess: own interpreter, safe import path, bare environment.

It reads files that anybody may have written, beside files that anybody may have put there. So nothing is imported from
the working directory or from beside the rules, and none of the bot's settings are in its environment.
"""

from __future__ import annotations

import os
import pickle
import resource
import subprocess
import sys
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import Any, Final

_NICENESS: Final = 5
_INHERITED: Final = ("LANG", "LC_ALL", "TZ", "HOME")
_PATHS: Final = ("LD_LIBRARY_PATH", "PYTHONPATH")
# -P keeps the working directory off the import path; a checkout that is not installed is found by its place alone, as
# its folder, too, may hold files that somebody put beside the rules.
_BOOT: Final = """\
import sys
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
spec = spec_from_file_location("bot", sys.argv[1] + "/__init__.py", submodule_search_locations=[sys.argv[1]])
sys.modules["bot"] = module_from_spec(spec)
spec.loader.exec_module(sys.modules["bot"])
sys.exit(import_module(sys.argv[2]).main(*sys.argv[3:]))
"""


def run_isolated(module: str, *arguments: str, request: object, timeout: float) -> subprocess.CompletedProcess[bytes]:
    """
    Run ``main(*arguments)`` of the *module*, which reads the pickled *request* from standard input.

    Return its exit status, and what it wrote to standard output; *timeout* in seconds.

    Raises:
        subprocess.TimeoutExpired: It took longer, and is gone.
        OSError: It could not be started.
    """
    # Without preexec_fn: with it, the hooks around a fork would stop the service.
    return subprocess.run(  # noqa: S603  our own
        _command(module, *arguments),
        input=pickle.dumps(request),
        stdout=subprocess.PIPE,
        env=_environment(),
        timeout=timeout,
        check=False,
    )


class IsolatedProcess:
    """
    Runs ``main(*arguments, pipe)`` of a module, with which it talks by `pipe`; it is killed with the ``with`` block.

    The process gets its end by `asking_process`. Where it has ended, the pipe raises EOFError or OSError.
    """

    def __init__(self, module: str, *arguments: str) -> None:
        self.pipe, theirs = Pipe()
        descriptor = theirs.fileno()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603  our own; as above, without preexec_fn
                _command(module, *arguments, str(descriptor)),
                stdin=subprocess.DEVNULL,
                env=_environment(),
                pass_fds=[descriptor],
            )

    def __enter__(self) -> IsolatedProcess:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.pipe.close()
        self.kill()
        self.wait()

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()

    def wait(self) -> int:
        """Wait for its end; return its exit status."""
        return self._process.wait()


def asking_process(pipe: str) -> Connection[Any, Any]:
    """Return this subprocess's end of the *pipe* that `IsolatedProcess` gave to its ``main``."""
    return Connection(int(pipe))


def begin_isolated(*, cpu_seconds: float, max_bytes: int) -> None:
    """Lower the priority and the limits of this subprocess: if whoever asked is gone, nobody else ends it."""
    os.nice(_NICENESS)  # customers come first
    seconds = round(cpu_seconds)
    _limit(resource.RLIMIT_CPU, seconds, seconds + 5)
    _limit(resource.RLIMIT_AS, max_bytes, max_bytes)
    _limit(resource.RLIMIT_CORE, 0, 0)  # what it was given is not written to the disk where it crashes


def _command(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-P", "-c", _BOOT, str(Path(__file__).parent), module, *arguments]


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
