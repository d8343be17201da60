"""The `bot` command."""

from __future__ import annotations

import click

from bot.commands import doctor, editor, history, inbox, run


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Answer the customers of a Zalo Official Account with pictures, from one YAML file."""


for command in (
    run.serve,
    run.demo,
    editor.check,
    editor.try_,
    editor.schema,
    inbox.inbox,
    inbox.replay_,
    history.unmatched,
    history.backtest,
    doctor.doctor,
):
    main.add_command(command)
