"""The database of a running or stopped bot, opened for a command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import click
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import SQLAlchemyError

from bot.cli.events_output import say
from bot.config import Settings
from bot.errors import COULD_NOT_RUN
from bot.inbox.database import Database


@contextmanager
def opened(settings: Settings, *, writes: bool = False) -> Iterator[Database]:
    """
    Open the database that the settings name; without *writes* nothing in it can be changed.

    It is never created. Where it is missing or fails within the block, the command ends and says so.
    """
    lang = settings.bot_lang
    try:
        url = make_url(settings.database_url.get_secret_value())
        if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
            click.echo(say("no-database", lang, path=url.database or ""), err=True)
            raise SystemExit(COULD_NOT_RUN)
        database = Database((url if writes else _read_only(url)).render_as_string(hide_password=False))
        try:
            yield database
        finally:
            database.dispose()
    except (SQLAlchemyError, PermissionError) as error:
        # Its own words hold the query, and where the server is.
        click.echo(say("database-fails", lang, kind=type(error).__name__), err=True)
        raise SystemExit(COULD_NOT_RUN) from None


def _read_only(url: URL) -> URL:
    """Return the URL by which a SQLite file is opened for reading; PostgreSQL's is the same."""
    if url.get_backend_name() != "sqlite":
        return url
    return URL.create("sqlite", database=f"file:{quote(url.database or '')}", query={"mode": "ro", "uri": "true"})
