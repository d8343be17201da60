"""Rules files as the commands read them, and what is printed of them."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import click

from bot.cli.rules_output import unreadable
from bot.config import Language
from bot.errors import COULD_NOT_RUN
from bot.rules.problem import render, text_of
from bot.rules.validate import Verdict, validate


def judged(path: Path, lang: Language) -> tuple[bytes, Verdict]:
    """Return the file and what is to be said of it; if it cannot be read, end the command with the reason."""
    try:
        data = path.read_bytes()
    except OSError as error:
        click.echo(unreadable(path, error, lang), err=True)
        raise SystemExit(COULD_NOT_RUN) from None
    return data, validate(data, today=today(), folder=path.parent)


def print_problems(verdict: Verdict, path: Path, data: bytes, lang: Language) -> None:
    """Print each problem with its line, and an empty line below them."""
    source = text_of(data)
    for problem in verdict.problems:
        click.echo(render(problem, path=str(path), source=source, lang=lang))
    if verdict.problems:
        click.echo()


def today() -> date:
    """Return the day on this machine's calendar."""
    return datetime.now().astimezone().date()
