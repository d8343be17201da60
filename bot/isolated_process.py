"""
Run a module's `main` in an isolated Python subprocess: own interpreter, safe import path, bare environment.

The process reads untrusted files in folders with other untrusted files. So nothing is imported from the working
directory or from the folder of the rules, and none of the bot's settings are in its environment.
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
# -P keeps the working directory off the import path. The package `bot` is loaded by its path only, because the folder
# of a checkout may have untrusted files beside the rules.
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

    Return its exit status and its standard output; *timeout* in seconds.

    Raises:
        subprocess.TimeoutExpired: It took longer, and was killed.
        OSError: It could not be started.
    """
    # Without preexec_fn: with it, subprocess forks and runs the fork hooks, which would stop the service.
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
    Runs ``main(*arguments, pipe)`` of a module; `pipe` connects to it. It is killed at the end of the ``with`` block.

    The process opens its end with `asking_process`. After it has ended, the pipe raises EOFError or OSError.
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
        """Kill the process."""
        self._process.kill()

    def wait(self) -> int:
        """Wait until the process has ended; return its exit status."""
        return self._process.wait()


def asking_process(pipe: str) -> Connection[Any, Any]:
    """Return this subprocess's end of the *pipe* that `IsolatedProcess` gave to its ``main``."""
    return Connection(int(pipe))


def begin_isolated(*, cpu_seconds: float, max_bytes: int) -> None:
    """Lower the priority and set the limits of this subprocess, because nothing else ends it if its parent has died."""
    os.nice(_NICENESS)  # customers come first
    seconds = round(cpu_seconds)
    _limit(resource.RLIMIT_CPU, seconds, seconds + 5)
    _limit(resource.RLIMIT_AS, max_bytes, max_bytes)
    _limit(resource.RLIMIT_CORE, 0, 0)  # no core dump: it could contain customers' messages


def _command(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-P", "-c", _BOOT, str(Path(__file__).parent), module, *arguments]


def _environment() -> dict[str, str]:
    """Return the variables that are needed to find libraries; only absolute paths outside the working directory."""
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
