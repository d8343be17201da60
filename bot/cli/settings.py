"""The settings for a command; apart from `opening`, so that the editors' commands need not wait for a database."""

from __future__ import annotations

import click

from bot.config import Settings
from bot.errors import COULD_NOT_RUN, BotError


def load_settings() -> Settings:
    """Return the settings, or end the command with what is wrong with them."""
    try:
        return Settings.load(partly=True)
    except BotError as error:
        click.echo(error, err=True)
    raise SystemExit(COULD_NOT_RUN)
