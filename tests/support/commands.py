"""Run the bot's commands, in this process or in a process of their own."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryFile
from typing import NamedTuple

from click.testing import CliRunner

from bot.cli.main import main
from tests.support.forkserver import start_process
from tests.support.running import API_KEY, OA_SECRET, PATIENCE, TOKEN, Bot

_ROOT = Path(__file__).parents[2]


class Output(NamedTuple):
    """The output of a command."""

    status: int
    """Its exit status."""
    out: str
    err: str


def editors_environment(lang: str, **more: str) -> dict[str, str]:
    """Return an environment without the settings of this machine."""
    inherited = {"PATH": os.environ["PATH"], "PYTHONPATH": str(_ROOT), "PYTHONWARNINGS": "error"}
    return inherited | {"LANG": "C.UTF-8", "BOT_LANG": lang, **more}


def call(directory: Path, variables: Mapping[str, str], *arguments: str, typed: str = "") -> Output:
    """Call a command in this process with only these variables; a hundred times faster than a new process."""
    # The runner removes the variables that are None.
    environment: dict[str, str | None] = {**dict.fromkeys(os.environ), **variables}
    with contextlib.chdir(directory):
        done = CliRunner().invoke(main, arguments, input=typed, env=environment)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return Output(done.exit_code, done.stdout, done.stderr)


def run(directory: Path, variables: Mapping[str, str], *arguments: str, typed: str = "") -> Output:
    """Run a command in a process of its own."""
    command = [sys.executable, "-m", "bot", *arguments]
    with TemporaryFile() as stdin, TemporaryFile() as stdout, TemporaryFile() as stderr:
        stdin.write(typed.encode())
        stdin.seek(0)
        streams = {"stdin": stdin.fileno(), "stdout": stdout.fileno(), "stderr": stderr.fileno()}
        status = start_process(command, cwd=directory, env=variables, **streams).wait(timeout=PATIENCE)
        stdout.seek(0)
        stderr.seek(0)
        return Output(status, stdout.read().decode(), stderr.read().decode())


def printed(bot: Bot, *arguments: str) -> str:
    """Run a command with the bot's settings; it must succeed. Return its output."""
    done = run(bot.directory, bot.environment, *arguments)
    assert done.status == 0, done
    return done.out


def doctor(directory: Path, variables: Mapping[str, str], *arguments: str) -> tuple[int, str]:
    """Return the exit status and the output of `bot doctor`; fail if the output has a secret."""
    status, out, err = call(directory, variables, "doctor", *arguments)
    for secret in (API_KEY, TOKEN, OA_SECRET, "hush"):
        assert secret not in out + err
    return status, out + err
