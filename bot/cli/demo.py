"""The command that shows the whole thing; apart from `run`, for production needs no sandbox."""

from __future__ import annotations

import click

from bot.config import Settings
from bot.errors import BotError
from bot.sandbox.demo import run
from bot.web.demo import create_page


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), help="Port of the page; another is taken if it is in use.")
def demo(*, port: int | None) -> None:
    """Show the whole thing on this machine: no account, no keys, no server."""
    try:
        settings = Settings.load(partly=True)
    except BotError as error:
        raise click.ClickException(str(error)) from None
    raise SystemExit(run(settings.port if port is None else port, settings=settings, page=create_page))
