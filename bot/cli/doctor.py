"""The command that says what is wrong and what to do."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import click

from bot.cli.context import EXIT_PROBLEMS
from bot.config import Language, Settings
from bot.doctor.finding import SECTIONS, Finding, Level, Section, count
from bot.doctor.run import examine
from bot.doctor.texts import HERE, Texts
from bot.doctor.texts_images import PICTURES
from bot.doctor.texts_outside import OUTSIDE
from bot.doctor.texts_storage import DATABASE
from bot.errors import COULD_NOT_RUN, BotError

_ENV_FILE: Final = Path(".env")
_TEXTS: Final[Texts] = HERE | DATABASE | PICTURES | OUTSIDE
_MARKS: Final[dict[Level, tuple[str, str]]] = {
    "fine": ("✓", "green"), "warning": ("!", "yellow"), "problem": ("✗", "red"), "unchecked": ("?", "cyan"),
}  # fmt: skip
_HEADS: Final[dict[Section, tuple[str, str]]] = {
    "settings": ("Cấu hình", "Settings"),
    "clock": ("Đồng hồ", "Clock"),
    "database": ("Cơ sở dữ liệu", "Database"),
    "rules": ("Luật", "Rules"),
    "pictures": ("Ảnh", "Pictures"),
    "vendor": ("Nhà cung cấp", "Vendor"),
    "webhook": ("Webhook", "Webhook"),
    "by-hand": ("Bạn tự kiểm tra giúp (bot không xem được)", "Look at these yourself (the bot cannot)"),
}


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
    """Yield the lines that say it all, and the sum at the end."""
    for section in SECTIONS:
        mine = [finding for finding in findings if finding.section == section]
        if mine:
            yield click.style(_pick(_HEADS[section], lang), bold=True)
        for finding in mine:
            yield from _lines(finding, lang)
    problems, warnings = count(findings, "problem"), count(findings, "warning")
    yield ""
    if problems or warnings:
        yield _pick((f"{problems} lỗi, {warnings} lưu ý.", f"{problems} problem(s), {warnings} warning(s)."), lang)
    else:
        yield _pick(("Mọi thứ đã kiểm tra đều ổn.", "All that could be looked at is fine."), lang)


def _lines(finding: Finding, lang: Language) -> Iterator[str]:
    mark, colour = _MARKS[finding.level]
    words = _TEXTS[finding.code][lang]
    yield f"  {click.style(mark, fg=colour)} {words.said.format(**finding.args).rstrip()}"
    for label, text in ((("Vì sao", "Why"), words.why), (("Nên làm", "Do"), words.todo)):
        if text:
            yield f"      {_pick(label, lang)}: {text.format(**finding.args)}"


def _pick(texts: tuple[str, str], lang: Language) -> str:
    return texts[0] if lang == "vi" else texts[1]
