"""Load the settings, the rules file and the database for a command, or end it with the reason and an exit status."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from bot.cli.rules_output import unreadable
from bot.config import Settings
from bot.errors import COULD_NOT_RUN, BotError, ConfigError, StorageError
from bot.files import read_plain_file
from bot.i18n import Language, translator
from bot.rules.problem import render, text_of
from bot.rules.validate import ValidationResult, validate

if TYPE_CHECKING:
    from bot.inbox.database import Database

#: Exit status: problems were found, or the requested thing does not exist.
EXIT_PROBLEMS: Final = 1


def load_settings() -> Settings:
    """Return the settings, or end the command with their errors."""
    try:
        return Settings.load(partly=True)
    except BotError as error:
        click.echo(error, err=True)
    raise SystemExit(COULD_NOT_RUN)


def load_rules_file(path: Path, lang: Language) -> tuple[bytes, ValidationResult]:
    """Return the file and its validation; if it cannot be read, end the command with the reason."""
    try:
        data = read_plain_file(path)
    except OSError as error:
        click.echo(unreadable(path, error, lang), err=True)
        raise SystemExit(COULD_NOT_RUN) from None
    return data, validate(data, today=today(), folder=path.parent)


def print_problems(result: ValidationResult, path: Path, data: bytes, lang: Language) -> None:
    """Print each problem with its line, then an empty line."""
    source = text_of(data)
    for problem in result.problems:
        click.echo(render(problem, path=str(path), source=source, lang=lang))
    if result.problems:
        click.echo()


def today() -> date:
    """Return today's date in this machine's time zone."""
    return datetime.now().astimezone().date()


@contextmanager
def open_database(settings: Settings, *, writes: bool = False) -> Iterator[Database]:
    """
    Open the database that the settings name, read-only unless *writes*.

    It is never created. If it is missing, or fails within the block, the command ends with a message.
    """
    # Imported here: `bot check` and `bot try` need no database, and its libraries lengthen their start by half.
    from bot.inbox.database import Database  # noqa: PLC0415
    from bot.inbox.sql.engine import read_only, sqlite_file  # noqa: PLC0415

    _ = translator(settings.bot_lang).gettext
    try:
        url = settings.database_url.get_secret_value()
        file = sqlite_file(url)
        if file is not None and not file.is_file():
            text = _("there is no database {path}; run this in the bot's directory, or set DATABASE_URL")
            click.echo(text.format(path=file), err=True)
            raise SystemExit(COULD_NOT_RUN)
        database = Database(url if writes else read_only(url))
        try:
            yield database
        finally:
            database.dispose()
    except ConfigError as error:
        click.echo(error, err=True)
        raise SystemExit(COULD_NOT_RUN) from None
    except (StorageError, PermissionError) as error:
        # The driver's message contains the query and the server's address.
        text = _("the database cannot be used ({kind}); has the bot run with this DATABASE_URL?")
        click.echo(text.format(kind=error if isinstance(error, StorageError) else type(error).__name__), err=True)
        raise SystemExit(COULD_NOT_RUN) from None
