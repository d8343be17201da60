"""Commands for the editors of a rules file."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import click

from bot import zalo
from bot.cli.context import EXIT_PROBLEMS, load_rules_file, load_settings, print_problems
from bot.cli.rules_output import as_annotation, as_object, explanation_lines
from bot.files import format_size
from bot.i18n import Language, translator
from bot.images.resize import ResizeError, ResizeResult, resize_to_fit
from bot.rules.engine import RuleSet
from bot.rules.explain import explain
from bot.rules.model.json_schema import json_schema
from bot.rules.model.synonyms import closest
from bot.rules.validate import ValidationResult, summarized, summary_text
from bot.zalo import EVENT_KINDS

_KINDS = {**{kind: kind for kind in EVENT_KINDS}, **zalo.ANSWERABLE}


@dataclass(frozen=True, slots=True)
class _Question:
    """The options of `bot try` other than the text."""

    kind: str
    oa_id: str | None
    at: datetime | time | None
    """In the time zone of the rules file, which is read later."""
    lang: Language


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice(["text", "json", "github"]), default="text", show_default=True,
              help="For people, for programs, or as annotations of a GitHub pull request.")  # fmt: skip
@click.option("--fix", is_flag=True, help="Make pictures over 1 MB beside the file smaller; the originals are kept.")
def check(*, file: Path | None, form: Literal["text", "json", "github"], fix: bool) -> None:
    """
    Find every mistake in a rules FILE.

    Without FILE it is RULES_FILE. The examples in it are tried too.

    Exit status: 0 fine, 1 problems, 2 usage, 3 could not run.
    """
    settings = load_settings()
    path, lang = file or settings.rules_file, settings.bot_lang
    data, result = load_rules_file(path, lang)
    if fix:
        _fix_images(result, path, lang, to_stderr=form != "text")
        data, result = load_rules_file(path, lang)
    if form == "text":
        _print_result(result, path, data, lang)
    elif form == "json":
        problems = [as_object(problem, lang) for problem in result.problems]
        click.echo(json.dumps(problems, ensure_ascii=False, indent=2))
    else:
        for problem in result.problems:
            click.echo(as_annotation(problem, path, lang))
    raise SystemExit(0 if result.rules else EXIT_PROBLEMS)


@click.command("try")
@click.argument("text", required=False)
@click.option("--event", default="text", help="What the customer does: text, follow, sticker…, or Zalo's name for it.")
@click.option("--oa", help="Id of the OA that is written to; without it, the rules of all OAs count.")
@click.option("--at", help='When: "2027-01-24 22:00", or "22:00" for today, in the time zone of the file; default now.')
@click.option("--rules", "file", type=click.Path(path_type=Path), help="The rules file; default RULES_FILE.")
def try_(*, text: str | None, event: str, oa: str | None, at: str | None, file: Path | None) -> None:
    """
    Show which rule answers TEXT, and why.

    Also what is sent, and what stood in the way of the other rules.

    Without TEXT: asks for messages until the input ends, and reads the rules anew for each.

    Exit status: 0 fine, 1 the rules file has errors, 2 usage, 3 could not run.
    """
    settings = load_settings()
    path, lang = file or settings.rules_file, settings.bot_lang
    question = _Question(_kind(event, lang), oa, _at(at, lang), lang)
    rules = _rules(path, lang)
    if rules is None:
        raise SystemExit(EXIT_PROBLEMS)
    if text is not None or question.kind != "text":
        _show(rules, text or "", question)
        return
    for line in _typed_lines(lang):
        current = _rules(path, lang)
        if current is not None:
            _show(current, line, question)
        click.echo()


@click.command()
def schema() -> None:
    """Print the JSON Schema of rules.yaml."""
    click.echo(json.dumps(json_schema(), ensure_ascii=False, indent=2))


def _show(rules: RuleSet, text: str, question: _Question) -> None:
    moment = _in_zone(question.at, rules.zone)
    # Undecodable bytes from the terminal or a pipe could not be printed.
    text = text.encode(errors="replace").decode()
    found = explain(rules, text, kind=question.kind, oa_id=question.oa_id, now=moment.timestamp())
    for line in explanation_lines(found, question.lang, at=moment if question.at else None):
        click.echo(line)


def _typed_lines(lang: Language) -> Iterator[str]:
    """Yield the lines of standard input; on a terminal, with a prompt."""
    _ = translator(lang).gettext
    prompt = "> " if sys.stdin.isatty() else ""
    if prompt:
        click.echo(_("Type a message as a customer would and press Enter; Ctrl+D ends."))
    with contextlib.suppress(KeyboardInterrupt):
        click.echo(prompt, nl=False)
        for line in iter(sys.stdin.buffer.readline, b""):
            if line.strip():
                yield line.decode(errors="replace").rstrip("\r\n")
            click.echo(prompt, nl=False)


def _kind(event: str, lang: Language) -> str:
    """Return the `on:` value of an event named by it or by Zalo's event name."""
    _ = translator(lang).gettext
    if event in _KINDS:
        return _KINDS[event]
    near = closest(event, EVENT_KINDS, "event")
    if near:
        raise click.UsageError(_('unknown event "{word}"; did you mean "{near}"?').format(word=event, near=near))
    raise click.UsageError(
        _('unknown event "{word}"; the events are {known}').format(word=event, known=", ".join(EVENT_KINDS))
    )


def _at(given: str | None, lang: Language) -> datetime | time | None:
    """Return the moment or time of day given by --at; its time zone is the file's."""
    _ = translator(lang).gettext
    if given is None:
        return None
    with contextlib.suppress(ValueError):
        return time.fromisoformat(given.strip()).replace(tzinfo=None)
    with contextlib.suppress(ValueError):
        return datetime.strptime(given.strip(), "%Y-%m-%d %H:%M")  # noqa: DTZ007  the zone is the file's
    raise click.UsageError(
        _('the time "{word}" cannot be read; write it as "2027-01-24 22:00" or "22:00"').format(word=given)
    )


def _in_zone(at: datetime | time | None, zone: ZoneInfo) -> datetime:
    if isinstance(at, datetime):
        return at.replace(tzinfo=zone)
    now = datetime.now(zone)
    return datetime.combine(now.date(), at, zone) if at else now


def _rules(path: Path, lang: Language) -> RuleSet | None:
    """Return the rules; if they have errors, print them and return None."""
    data, result = load_rules_file(path, lang)
    if result.rules is None:
        _print_result(result, path, data, lang)
    return result.rules


def _print_result(result: ValidationResult, path: Path, data: bytes, lang: Language) -> None:
    print_problems(result, path, data, lang)
    click.echo(summary_text(summarized(result), path, lang))


def _fix_images(result: ValidationResult, path: Path, lang: Language, *, to_stderr: bool) -> None:
    """
    Resize the images beside the rules file at *path* that *result* reports as too big, and print what was done.

    *to_stderr*: print to standard error, because standard output is for programs.
    """
    _ = translator(lang).gettext
    names = [name for name, image in result.image_files.items() if image.fault and image.fault.code == "file-too-big"]
    for name in names:
        try:
            message = _resize_message(resize_to_fit(path.parent, name), lang)
        except ResizeError:
            message = _("{name}: cannot be made smaller and is as it was; open the picture and save it smaller")
            message = message.format(name=name)
        click.echo(message, err=to_stderr)
    if names:
        click.echo(err=to_stderr)


def _resize_message(shrunk: ResizeResult, lang: Language) -> str:
    _ = translator(lang).gettext
    old_size, new_size = (format_size(size, lang) for size in shrunk.size)
    old_sides, new_sides = (f"{width}×{height}" for width, height in shrunk.sides)
    text = _(
        "{name}: made smaller, from {old_size} ({old_sides}) to {new_size} ({new_sides}{colours}). "
        "The original is kept: {kept}"
    )
    return text.format(
        name=shrunk.name,
        kept=shrunk.kept_as,
        old_size=old_size,
        new_size=new_size,
        old_sides=old_sides,
        new_sides=new_sides,
        colours=_(", 256 colours") if shrunk.fewer_colours else "",
    )
