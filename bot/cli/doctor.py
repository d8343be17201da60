"""The `bot doctor` command: every check, printed by topic."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import click

from bot.cli.context import EXIT_PROBLEMS
from bot.config import Settings
from bot.doctor.finding import SECTIONS, Finding, Level, count
from bot.doctor.run import TEXTS, examine
from bot.errors import COULD_NOT_RUN, BotError
from bot.i18n import Language, P, translator
from bot.logs import single_line

_ENV_FILE: Final = Path(".env")
_MARKS: Final[dict[Level, tuple[str, str]]] = {
    "fine": ("✓", "green"), "warning": ("!", "yellow"), "problem": ("✗", "red"), "unchecked": ("?", "cyan"),
}  # fmt: skip
_HEADS: Final = dict(
    (
        P("settings", "Settings"),
        P("clock", "Clock"),
        P("database", "Database"),
        P("rules", "Rules"),
        P("pictures", "Pictures"),
        P("vendor", "Vendor"),
        P("webhook", "Webhook"),
        P("by-hand", "Look at these yourself (the bot cannot)"),
    )
)


def _web_address(_context: click.Context, _option: click.Parameter, url: str | None) -> str | None:
    if url is None:
        return None
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise click.BadParameter("a web address is expected, as in https://bot.shop.example/webhook")
    return url


@click.command()
@click.option("--url", callback=_web_address, help="The webhook's address as it was given to Zalo; it is tried out.")
def doctor(*, url: str | None) -> None:
    """
    Say what is wrong with settings, database, rules, pictures, vendor and webhook, and what to do.

    Nothing is changed and no picture is sent.

    Exit status: 0 fine (there may be warnings), 1 problems, 2 usage, 3 could not run.
    """
    try:
        lang = Settings.examine(_ENV_FILE)[0].bot_lang
        findings = list(examine(_ENV_FILE, url=url, now=time.time()))
    except BotError as error:
        click.echo(error, err=True)
        raise SystemExit(COULD_NOT_RUN) from None
    for line in report(findings, lang):
        click.echo(line)
    raise SystemExit(EXIT_PROBLEMS if count(findings, "problem") else 0)


def report(findings: Sequence[Finding], lang: Language) -> Iterator[str]:
    """Yield the lines of the report, and the totals at the end."""
    translations = translator(lang)
    for section in SECTIONS:
        mine = [finding for finding in findings if finding.section == section]
        if mine:
            yield click.style(translations.pgettext(section, _HEADS[section]), bold=True)
        for finding in mine:
            yield from _lines(finding, lang)
    yield ""
    problems, warnings = count(findings, "problem"), count(findings, "warning")
    if problems or warnings:
        texts = (
            translations.ngettext("{count} problem", "{count} problems", problems).format(count=problems),
            translations.ngettext("{count} warning", "{count} warnings", warnings).format(count=warnings),
        )
        yield ", ".join(texts) + "."
    else:
        yield translations.gettext("All that could be looked at is fine.")


def _lines(finding: Finding, lang: Language) -> Iterator[str]:
    _ = translator(lang).gettext
    mark, colour = _MARKS[finding.level]
    message, why, todo = TEXTS[finding.code].filled(finding, lang)
    # Words of the vendor or of a file must neither forge a line of ours nor steer the terminal.
    yield f"  {click.style(mark, fg=colour)} {single_line(message)}"
    for label, text in ((_("Why"), why), (_("Do"), todo)):
        if text:
            yield f"      {label}: {single_line(text)}"
