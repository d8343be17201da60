"""The `bot demo` command; separate from `serve`, because production does not need the sandbox."""

from __future__ import annotations

import click

from bot.config import Settings
from bot.errors import COULD_NOT_RUN, BotError
from bot.sandbox.demo import run
from bot.web.demo import create_page


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), help="Port of the page; another is taken if it is in use.")
@click.option("--in-place", is_flag=True, help="Let the console change rules.yaml itself, not a copy of it.")
def demo(*, port: int | None, in_place: bool) -> None:
    """Show the whole thing on this machine: no account, no keys, no server."""
    try:
        settings = Settings.load(partly=True)
    except BotError as error:
        raise click.ClickException(str(error)) from None
    port = settings.port if port is None else port
    if not run(port, settings=settings, in_place=in_place, page=create_page):
        raise SystemExit(COULD_NOT_RUN)
