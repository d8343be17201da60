"""Commands that run the bot."""

from __future__ import annotations

import click

import bot.demo
from bot import server
from bot.config import Settings
from bot.errors import BotError
from bot.web.demo import create_page


@click.command()
@click.option("--web-only", is_flag=True, help="Receive events; another process delivers.")
@click.option("--delivery-only", is_flag=True, help="Deliver events; another process receives them.")
def serve(*, web_only: bool, delivery_only: bool) -> None:
    """Run the web side and the sending side under gunicorn: production."""
    if web_only and delivery_only:
        raise click.UsageError("--web-only and --delivery-only exclude each other")
    raise SystemExit(server.serve(web=not delivery_only, delivers=not web_only))


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), help="Port of the page; another is taken if it is in use.")
def demo(*, port: int | None) -> None:
    """Show the whole thing on this machine: no account, no keys, no server."""
    try:
        settings = Settings.load(partly=True)
    except BotError as error:
        raise click.ClickException(str(error)) from None
    raise SystemExit(bot.demo.run(settings.port if port is None else port, settings=settings, page=create_page))
