"""The commands: arguments and printing only."""

from __future__ import annotations

import click

from bot import server
from bot.errors import BotError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Answer the customers of a Zalo Official Account with pictures, from one YAML file."""


@main.command()
@click.option("--web-only", is_flag=True, help="Receive events; another process delivers.")
@click.option("--delivery-only", is_flag=True, help="Deliver events; another process receives them.")
def serve(*, web_only: bool, delivery_only: bool) -> None:
    """Run the web side and the sending side under gunicorn: production."""
    if web_only and delivery_only:
        raise click.UsageError("--web-only and --delivery-only exclude each other")
    try:
        raise SystemExit(server.serve(web=not delivery_only, delivers=not web_only))
    except BotError as error:
        click.echo(error, err=True)
    raise SystemExit(server.COULD_NOT_RUN)
