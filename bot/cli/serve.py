"""The `bot serve` command."""

from __future__ import annotations

import click

from bot.web import server


@click.command()
@click.option("--web-only", is_flag=True, help="Receive events; another process delivers.")
@click.option("--delivery-only", is_flag=True, help="Deliver events; another process receives them.")
def serve(*, web_only: bool, delivery_only: bool) -> None:
    """Run the web side and the sending side under gunicorn: production."""
    if web_only and delivery_only:
        raise click.UsageError("--web-only and --delivery-only exclude each other")
    raise SystemExit(server.serve(web=not delivery_only, delivers=not web_only))
