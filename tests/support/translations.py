"""
Extract the texts of the code and update their translations.

``python -m tests.support.translations`` updates bot.po: new texts are empty, changed ones fuzzy with the old
translation, and removed ones are dropped. Fill in and check the entries that it names.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import click
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from bot.cli.localized import paragraphs
from bot.cli.main import main as main_command

ROOT = Path(__file__).parents[2]
PO = ROOT / "bot" / "locale" / "vi" / "LC_MESSAGES" / "bot.po"
EDITORS_COMMANDS = ("demo", "check", "try", "schema", "unmatched", "backtest")
METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2.ext:babel_extract")]
KEYWORDS = {
    "_": None,
    "N_": None,
    "NN_": (1, 2),
    "gettext": None,
    "ngettext": (1, 2),
    "P": ((1, "c"), 2),
    "pgettext": ((1, "c"), 2),
}
HEADER = r"""# Vietnamese. How to change a text: README, "Development".
msgid ""
msgstr ""
"Language: vi\n"
"Plural-Forms: nplurals=1; plural=0;\n"
"MIME-Version: 1.0\n"
"Content-Type: text/plain; charset=utf-8\n"
"Content-Transfer-Encoding: 8bit\n"

"""


def extracted() -> Catalog:
    """Return the texts of the code."""
    catalog = Catalog()
    for name, _, message, _, context in extract_from_dir(ROOT / "bot", METHODS, keywords=KEYWORDS):
        catalog.add(message, locations=[(f"bot/{name}", 1)], context=context)
    for text in _help_texts():
        catalog.add(text, locations=[("bot/cli/main.py", 1)])
    return catalog


def _help_texts() -> Iterator[str]:
    """Yield the help texts of the bot, of the editors' commands and of their options."""
    context = click.Context(main_command)
    for command in (main_command, *(main_command.get_command(context, name) for name in EDITORS_COMMANDS)):
        assert command
        yield from paragraphs(command)
        yield from filter(None, (getattr(param, "help", None) for param in command.params))


def translated() -> Catalog:
    """Return the texts of bot.po."""
    with PO.open("rb") as file:
        return read_po(file, locale="vi")


def messages(catalog: Catalog) -> list[Message]:
    """Return the messages without the header."""
    return [message for message in catalog if message.id]


def english(message: Message) -> tuple[str, ...]:
    """Return the English text, or singular and plural."""
    return message.id if isinstance(message.id, tuple) else (message.id,)


def vietnamese(message: Message) -> str:
    """Return the translation."""
    return message.string if isinstance(message.string, str) else message.string[0]


def update() -> Catalog:
    """Update bot.po from the code, and return the new catalogue."""
    catalog = translated() if PO.exists() else Catalog(locale="vi")
    catalog.update(extracted())
    write(catalog)
    return catalog


def write(catalog: Catalog) -> None:
    """Write bot.po in the order of the files, without line numbers and dates."""
    PO.parent.mkdir(parents=True, exist_ok=True)
    file = io.BytesIO()
    write_po(file, catalog, width=120, omit_header=True, sort_by_file=True, ignore_obsolete=True, include_lineno=False)
    PO.write_text(HEADER + file.getvalue().decode().strip() + "\n", encoding="utf-8")


def main() -> None:
    """Update bot.po and list the entries to translate."""
    for message in messages(update()):
        if message.fuzzy or not message.string:
            print("fuzzy" if message.fuzzy else "empty", message.context or "", repr(message.id))


if __name__ == "__main__":
    main()
