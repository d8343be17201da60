"""
Help and usage errors of the commands in the language of BOT_LANG.

click would ask gettext for a compiled catalogue of its texts; the bot keeps their translations in its own bot.po.
"""

from __future__ import annotations

import contextlib
import os
import re
from copy import copy
from inspect import cleandoc
from pathlib import Path
from typing import Final

import click
from click import core, decorators, exceptions, formatting, parser, types

from bot.i18n import N_, NN_, system_language, translator

_MODULES: Final = (core, decorators, exceptions, formatting, parser, types)

_IN_ENV_FILE: Final = re.compile(r"""^\s*(?:export\s+)?BOT_LANG\s*=\s*["']?(vi|en)\b""", re.MULTILINE)

#: Texts of click itself, marked here because the extraction reads only the bot's own code.
CLICK_TEXTS: Final = (
    N_("Usage:"),
    N_("Options"),
    N_("Commands"),
    N_("Show this message and exit."),
    N_("default: {default}"),
    N_("Aborted!"),
    N_("Error: {message}"),
    N_("Try '{command} {option}' for help."),
    N_("Missing command."),
    N_("Missing argument"),
    N_("Missing option"),
    N_("No such command {name!r}."),
    N_("No such option {name!r}."),
    NN_("Did you mean {possibility}?", "(Did you mean one of: {possibilities}?)"),
    NN_("Got unexpected extra argument ({args})", "Got unexpected extra arguments ({args})"),
    NN_("Option {name!r} requires an argument.", "Option {name!r} requires {nargs} arguments."),
    N_("Option {name!r} does not take a value."),
    N_("Invalid value: {message}"),
    N_("Invalid value for {param_hint}: {message}"),
    N_("{value!r} is not a valid {number_type}."),
    N_("integer range"),
    N_("[OPTIONS]"),
    N_("{value} is not in the range {range}."),
    NN_("{value!r} is not {choice}.", "{value!r} is not one of {choices}."),
)


def language() -> str:
    """Return BOT_LANG of the environment or .env, else the system's language, without reading other settings."""
    setting = os.environ.get("BOT_LANG")
    if not setting:
        # The command itself reports a file that cannot be read.
        with contextlib.suppress(OSError, UnicodeDecodeError):
            found = _IN_ENV_FILE.search(Path(".env").read_text(encoding="utf-8"))
            setting = found[1] if found else None
    return setting if setting in {"vi", "en"} else system_language()


def localize_click(lang: str) -> None:
    """Translate click's own texts into *lang* from now on."""
    texts = translator(lang)
    for module in _MODULES:
        vars(module).update(_=texts.gettext, ngettext=texts.ngettext)


def paragraphs(command: click.Command) -> list[str]:
    """Return the help as paragraphs to translate, each on one line unless its line breaks must stay (\\b)."""
    parts = cleandoc(command.help or "").split("\n\n")
    return [part if part.startswith("\b") else " ".join(part.split()) for part in parts if part]


def localized(command: click.Command, lang: str) -> click.Command:
    """Return the command with its help and its options' help in *lang*."""
    gettext = translator(lang).gettext
    own = copy(command)
    own.help = "\n\n".join(gettext(paragraph) for paragraph in paragraphs(command)) or None
    if own.options_metavar:
        own.options_metavar = gettext(own.options_metavar)
    own.params = [copy(parameter) for parameter in command.params]
    for parameter in own.params:
        if isinstance(parameter.type, click.IntRange):
            parameter.type = copy(parameter.type)
            parameter.type.name = gettext(parameter.type.name)
        if isinstance(parameter, click.Option) and parameter.help:
            parameter.help = gettext(parameter.help)
    return own
