"""
A fork server: runs `python -m bot` in forks of a process that has imported the bot's modules.

Imports take most of a start's CPU time, and the tests start the bot hundreds of times. All else is as in a separate
process: session, environment, working directory, standard output, exit status. Each fork imports gunicorn itself,
because gunicorn reads the environment at import.
"""

from __future__ import annotations

import atexit
import functools
import gc
import json
import os
import runpy
import select
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path

_IMPORTED = (
    "alembic.command",
    "psycopg",
    *(f"bot.cli.{name}" for name in ("doctor", "events", "main", "messages", "rules")),
    "bot.runtime",
    "bot.sandbox.demo",
    "bot.web.app",
)
_INTERPRETERS_OWN = ("LANG", "LC_", "LD_", "PYTHON", "TZ")
_MAX_REQUEST_BYTES = 100_000
_NUMBER = struct.Struct("q")


class ForkedProcess:
    """A running fork, with as much of `subprocess.Popen` as the tests use."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        stdin: int,
        stdout: int,
        stderr: int,
    ) -> None:
        """Start the command; the streams are open files, which stay open in the caller."""
        self.args = command
        self.returncode: int | None = None
        self._news, theirs = os.pipe()
        request = json.dumps([command[3:], str(cwd), dict(env)]).encode()
        server = _server(_of_interpreter(env))
        with Path(os.devnull).open("rb") as nothing:
            streams = [nothing.fileno() if stdin == subprocess.DEVNULL else stdin, stdout]
            streams.append(stdout if stderr == subprocess.STDOUT else stderr)
            socket.send_fds(server, [request], [*streams, theirs])
        os.close(theirs)
        self.pid = self._read()

    def poll(self) -> int | None:
        """Return the exit status; None while the process runs."""
        if self.returncode is None and select.select([self._news], [], [], 0)[0]:
            self.returncode = os.waitstatus_to_exitcode(self._read())
            os.close(self._news)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end and return the exit status; raise TimeoutExpired after *timeout* seconds."""
        if self.returncode is None:
            select.select([self._news], [], [], timeout)
        status = self.poll()
        if status is None:
            assert timeout is not None
            raise subprocess.TimeoutExpired(self.args, timeout)
        return status

    def send_signal(self, number: int) -> None:
        """Send a signal, if the process has not ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Send SIGTERM, if the process has not ended."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL, if the process has not ended."""
        self.send_signal(signal.SIGKILL)

    def _read(self) -> int:
        status = os.read(self._news, _NUMBER.size)
        if not status:
            raise RuntimeError("the fork server has ended")
        number: int = _NUMBER.unpack(status)[0]
        return number


def start_process(
    command: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    stdin: int = subprocess.DEVNULL,
    stdout: int,
    stderr: int = subprocess.STDOUT,
) -> subprocess.Popen[bytes] | ForkedProcess:
    """Start a process in its own session: a fork for the bot's command, else a new process."""
    if list(command[:3]) == [sys.executable, "-m", "bot"] and env.get("PYTHONWARNINGS") == "error":
        return ForkedProcess(command, cwd=cwd, env=env, stdin=stdin, stdout=stdout, stderr=stderr)
    return subprocess.Popen(
        command, cwd=cwd, env=env, stdin=stdin, stdout=stdout, stderr=stderr, start_new_session=True
    )


def _of_interpreter(env: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return the variables that Python or its libraries read at start; forks have those of their server."""
    return tuple(sorted((name, value) for name, value in env.items() if name.startswith(_INTERPRETERS_OWN)))


@functools.cache
def _server(variables: tuple[tuple[str, str], ...]) -> socket.socket:
    """Start the server whose forks have *variables*; return the socket for requests."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    command = [sys.executable, "-m", "tests.support.forkserver", str(theirs.fileno())]
    environment = {"PATH": os.environ["PATH"], **dict(variables)}
    process = subprocess.Popen(
        command, env=environment, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    theirs.close()

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours


class _Server:
    """Forks for each request; sends the process id and later the exit status through the request's pipe."""

    def __init__(self, requests: int) -> None:
        self._requests = socket.socket(fileno=requests)
        self._wakeup, writes = os.pipe()
        for end in (self._wakeup, writes):
            os.set_blocking(end, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(writes)
        self._pipes: dict[int, int] = {}

    def next(self) -> list[str] | None:
        """Return the arguments of the command in a fork; None in the server, after the last client has left."""
        while True:
            readable, _, _ = select.select([self._requests.fileno(), self._wakeup], [], [])
            if self._wakeup in readable:
                os.read(self._wakeup, 1000)
                self._tell_ends()
            if self._requests.fileno() in readable:
                request, fds, _, _ = socket.recv_fds(self._requests, _MAX_REQUEST_BYTES, 4)
                if not request:
                    self._requests.close()
                    return None
                arguments, folder, environment = json.loads(request)
                *streams, pipe = fds
                if pid := os.fork():
                    for stream in streams:
                        os.close(stream)
                    self._pipes[pid] = pipe
                    os.write(pipe, _NUMBER.pack(pid))
                else:
                    self._become(folder, environment, streams)
                    return [str(argument) for argument in arguments]

    def _tell_ends(self) -> None:
        while self._pipes:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                break
            pipe = self._pipes.pop(pid)
            os.write(pipe, _NUMBER.pack(status))
            os.close(pipe)

    def _become(self, folder: str, environment: dict[str, str], streams: list[int]) -> None:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        for number, (stream, name) in enumerate(zip(streams, ("stdin", "stdout", "stderr"), strict=True)):
            os.dup2(stream, number)
            _open_again(name, number)
        self._requests.detach()
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        sys.path[0] = folder


def _open_again(name: str, number: int) -> None:
    """Create the stream object again: the server's assumes a seekable file, as its own was."""
    old: TextIOWrapper = getattr(sys, name)
    new = os.fdopen(number, old.mode, encoding=old.encoding, errors=old.errors, closefd=False)
    new.reconfigure(line_buffering=old.line_buffering)
    setattr(sys, name, new)
    setattr(sys, f"__{name}__", new)


def main() -> None:
    """Serve requests from the socket whose descriptor is the argument."""
    for name in _IMPORTED:
        import_module(name)
    assert "gunicorn" not in sys.modules, "gunicorn would have the server's environment, not the fork's"
    # Imported objects are never garbage; without this each fork searches them at its end for a third of a second.
    gc.freeze()
    arguments = _Server(int(sys.argv[1])).next()
    if arguments is not None:
        sys.argv = ["bot", *arguments]
        runpy.run_module("bot", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
