"""Commands for operators: what became of events, and to try again what failed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

import click

from bot.cli.context import opened
from bot.cli.events_output import moment, say, table
from bot.cli.settings import load_settings
from bot.config import Language
from bot.inbox.queries import Reports, Summary, Whole
from bot.inbox.queue import Status
from bot.inbox.replay import replay
from bot.inbox.replay_texts import replay_text
from bot.inbox.texts import reason_text
from bot.logs import event_name
from bot.redaction import one_line

_FAILED = 1
_MOST_LETTERS = 80
_NUMBER = click.IntRange(1, 2**63 - 1)
_HEAD = ("id", "when", "oa", "kind", "status", "reason", "rule", "attempts", "error")


@click.command()
@click.argument("event_id", metavar="[ID]", required=False, type=_NUMBER)
@click.option("--status", type=click.Choice(get_args(Status)), help="Only events in this status.")
@click.option("--oa", help="Only events of the OA with this id.")
@click.option(
    "--limit", type=click.IntRange(1, 100_000), default=20, show_default=True, help="At most so many, newest first."
)
def inbox(*, event_id: int | None, status: Status | None, oa: str | None, limit: int) -> None:
    """
    Show the newest events and what became of them, or all about the one with this ID.

    What customers wrote is never shown.

    \b
    open     waits to be sent
    sent     answered
    ignored  not to be answered; the reason says why
    dead     given up: see bot replay
    parked   nobody knows whether the picture went out; no echo of it came

    Exit status: 0 fine, 1 there is no such event, 2 usage, 3 could not run.
    """
    settings = load_settings()
    lang = settings.bot_lang
    with opened(settings) as database:
        reports = Reports(database)
        if event_id is None:
            events, waiting = reports.recent(limit, status=status, oa_id=oa), reports.waiting()
            rows = [_row(event) for event in events]
            lines = table([say(name, lang) for name in _HEAD], rows) if rows else [say("no-events", lang)]
            click.echo("\n".join([*lines, "", say("waiting", lang, **waiting)]))
            return
        event = reports.event(event_id)
    if event is None:
        click.echo(say("no-event", lang, id=event_id), err=True)
        raise SystemExit(_FAILED)
    pairs = list(_about(event, lang))
    width = max(len(label) for label, _ in pairs) + 2
    for label, value in pairs:
        click.echo(f"{label + ':':<{width}}{one_line(value)}")


@click.command("replay")
@click.argument("event_ids", metavar="[ID]...", nargs=-1, type=_NUMBER)
@click.option("--dead", is_flag=True, help="All dead letters. Parked events are replayed one by one, by their IDs.")
def replay_(*, event_ids: tuple[int, ...], dead: bool) -> None:
    """
    Try dead or parked events again; a running bot sends them within a second.

    A dead letter of which nothing went out is decided anew by the rules in force: mend the rule first. Any other goes
    on with the pictures it was to get; what went out is not sent again, but of a parked event nobody knows, so the
    customer may get that picture twice. Events older than REPLY_WINDOW are refused: a reply to them is billed.

    Each event is a change of its own: interrupt the command or repeat it as you like.

    Exit status: 0 fine, 1 an ID cannot be replayed, 2 usage, 3 could not run.
    """
    if dead == bool(event_ids):
        raise click.UsageError("give the IDs of events, or --dead")
    settings = load_settings()
    lang, window = settings.bot_lang, settings.reply_window
    refused = False
    with opened(settings, writes=True) as database:
        chosen = Reports(database).dead_ids() if dead else list(dict.fromkeys(event_ids))
        for event_id in chosen:
            done = replay(database, event_id, now=database.now(), window=window.total_seconds())
            refused |= done.outcome in {"absent", "late", "erased"}
            click.echo(replay_text(event_id, done, window=window, lang=lang))
    if not chosen:
        click.echo(say("nothing-dead", lang))
    raise SystemExit(_FAILED if refused and not dead else 0)


def _row(event: Summary) -> list[str]:
    cells = (
        event.id,
        moment(event.received_at),
        event.oa_id,
        event.kind or event.name,
        event.status,
        event.reason,
        event.rule_id,
        event.attempts or None,
        event.error,
    )
    return [_short(one_line(str(cell))) if cell is not None else "" for cell in cells]


def _short(text: str) -> str:
    return text if len(text) <= _MOST_LETTERS else text[: _MOST_LETTERS - 1] + "…"


def _about(event: Whole, lang: Language) -> Iterator[tuple[str, str]]:
    """Yield what is known of the event, label and value; not the customer's words."""
    reason = f"{event.reason} ({reason_text(event.reason, lang)})" if event.reason else None
    values = {
        "id": event.id,
        "kind": f"{event.kind} ({event.name})" if event.kind else event.name,
        "status": event.status,
        "reason": reason,
        "rule": event.rule_id,
        "rules-hash": event.rules_hash[:12] if event.rules_hash else None,
        "attempts": event.attempts,
        "error": event.error,
        "oa": event.oa_id,
        "log-name": event_name(event.key),
        "user": event.user_id,
        "message": event.msg_id or None,
        "sent-at": _moment(event.sent_at),
        "received-at": moment(event.received_at),
        "due-at": moment(event.due_at) if event.status == "open" else None,
        "attempted-at": _moment(event.attempted_at),
        "replied-at": _moment(event.replied_at),
        "settled-at": _moment(event.settled_at),
        "vendor-ids": "; ".join(" ".join(filter(None, ids.values())) for ids in event.vendor_ids or ()) or None,
    }
    yield from ((say(key, lang), str(value)) for key, value in values.items() if value is not None)
    for number, image in enumerate(event.images or (), start=1):
        fate = say(f"picture-{event.fate(number)}", lang)
        yield say("picture", lang, number=number), f"{fate}: {next(iter(image.values()), '')}"


def _moment(seconds: float | None) -> str | None:
    return None if seconds is None else moment(seconds)
