"""The `bot` command."""

from __future__ import annotations

import gc
import sys
from collections.abc import Mapping
from importlib import import_module
from io import TextIOWrapper
from types import ModuleType
from typing import Any, Final

import click

from bot.cli.localized import language, localize_click, localized
from bot.i18n import N_, translator

#: Module and short help of each command; the module is imported only when the command runs.
_COMMANDS: Final[Mapping[str, tuple[str, str]]] = {
    "serve": ("serve:serve", N_("Run the web side and the sending side under gunicorn: production.")),
    "demo": ("demo:demo", N_("Show the whole thing on this machine: no account, no keys, no server.")),
    "check": ("rules:check", N_("Find every mistake in a rules FILE.")),
    "try": ("rules:try_", N_("Show which rule answers TEXT, and why.")),
    "schema": ("rules:schema", N_("Print the JSON Schema of rules.yaml.")),
    "inbox": ("events:inbox", N_("Show the newest events and what became of them, or all about the one with this ID.")),
    "replay": ("events:replay_", N_("Try dead or parked events again; a running bot sends them within a second.")),
    "unmatched": (
        "messages:unmatched",
        N_("Show what customers asked and no rule answered, what most of them asked first."),
    ),
    "backtest": (
        "messages:backtest",
        N_("Show which recent real messages the rules in FILE would have answered differently."),
    ),
    "doctor": (
        "doctor:doctor",
        N_("Say what is wrong with settings, database, rules, pictures, vendor and webhook, and what to do."),
    ),
}


def _load(module: str) -> ModuleType:
    """Import a module with the garbage collector paused: it takes a fifth of the time and finds nothing."""
    gc.disable()
    try:
        return import_module(module)
    finally:
        gc.freeze()  # modules are never freed
        gc.enable()


class _Commands(click.Group):
    """The commands, each imported when it runs: a bare `bot --help` needs no libraries."""

    def main(self, *args: Any, **more: Any) -> Any:
        """Run a command; characters that the terminal cannot encode are printed as question marks."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, TextIOWrapper):
                stream.reconfigure(errors="replace")
        localize_click(language())
        return super().main(*args, **more)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order in which a new user needs them."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of that name, or None."""
        if cmd_name not in _COMMANDS:
            return None
        module, _, attribute = _COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(_load(f"bot.cli.{module}"), attribute)
        return localized(command, language())

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the description of the bot."""
        click.Group.format_help_text(localized(self, language()), ctx, formatter)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands."""
        gettext = translator(language()).gettext
        with formatter.section(gettext("Commands")):
            formatter.write_dl([(name, gettext(words)) for name, (_, words) in _COMMANDS.items()])


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Answer the customers of a Zalo Official Account with pictures, from one YAML file."""
