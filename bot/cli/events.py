"""Commands for operators: list events and replay those that failed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, get_args

import click

from bot.cli.context import EXIT_PROBLEMS, load_settings, open_database
from bot.cli.events_output import moment, table
from bot.i18n import N_, Language, translator
from bot.inbox.failures import explain
from bot.inbox.queries import EventDetail, EventQueries, EventRow, ImageStatus
from bot.inbox.replay import replay
from bot.inbox.states import Status
from bot.inbox.texts import reason_text, replay_text
from bot.logs import event_name, single_line

_MAX_LETTERS = 80
_NUMBER = click.IntRange(1, 2**63 - 1)
_HEAD = (N_("id"), N_("when"), N_("OA"), N_("kind"), N_("status"), N_("reason"), N_("rule"), N_("attempts"),
         N_("failure"))  # fmt: skip
_STATUS_TEXTS: Final[dict[ImageStatus, str]] = {
    "sent": N_("sent"),
    "doubtful": N_("outcome unknown"),
    "unsent": N_("not sent"),
}


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
    _ = translator(lang).gettext
    with open_database(settings) as database:
        reports = EventQueries(database)
        if event_id is None:
            events, waiting = reports.recent(limit, status=status, oa_id=oa), reports.counts_by_status()
            rows = [_row(event, lang) for event in events]
            lines = table([_(name) for name in _HEAD], rows) if rows else [_("There are no events.")]
            counts = _(
                "waiting to be sent (open): {open} · dead letters (dead): {dead} · outcome unknown (parked): {parked}"
            )
            click.echo("\n".join([*lines, "", counts.format(**waiting)]))
            return
        event = reports.event(event_id)
    if event is None:
        click.echo(_("there is no event {id}").format(id=event_id), err=True)
        raise SystemExit(EXIT_PROBLEMS)
    pairs = list(_about(event, lang))
    width = max(len(label) for label, _ in pairs) + 2
    for label, value in pairs:
        click.echo(f"{label + ':':<{width}}{single_line(value)}")


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
    _ = translator(lang).gettext
    refused = False
    with open_database(settings, writes=True) as database:
        chosen = EventQueries(database).dead_ids() if dead else list(dict.fromkeys(event_ids))
        for event_id in chosen:
            done = replay(database, event_id, now=database.now(), window=window.total_seconds())
            refused |= done.outcome in {"absent", "late", "erased"}
            click.echo(replay_text(event_id, done, window=window, lang=lang))
    if not chosen:
        click.echo(_("There are no dead letters."))
    raise SystemExit(EXIT_PROBLEMS if refused and not dead else 0)


def _row(event: EventRow, lang: Language) -> list[str]:
    cells = (
        event.id,
        moment(event.received_at, lang),
        event.oa_id,
        event.kind or event.name,
        event.status,
        event.reason,
        event.rule_id,
        event.attempts or None,
        explain(event.error, lang).what if event.error else None,
    )
    return [_short(single_line(str(cell))) if cell is not None else "" for cell in cells]


def _short(text: str) -> str:
    return text if len(text) <= _MAX_LETTERS else text[: _MAX_LETTERS - 1] + "…"


def _about(event: EventDetail, lang: Language) -> Iterator[tuple[str, str]]:
    """Yield label and value of everything known about the event, except the customer's words."""
    _ = translator(lang).gettext
    reason = f"{event.reason} ({reason_text(event.reason, lang)})" if event.reason else None
    values = (
        (_("id"), event.id),
        (_("kind"), f"{event.kind} ({event.name})" if event.kind else event.name),
        (_("status"), event.status),
        (_("reason"), reason),
        (_("rule"), event.rule_id),
        (_("rules version"), event.rules_hash[:12] if event.rules_hash else None),
        (_("attempts"), event.attempts),
        (_("failure"), str(explain(event.error, lang)) if event.error else None),
        (_("vendor said"), event.error),
        (_("OA"), event.oa_id),
        (_("name in the log"), event_name(event.key)),
        (_("user id"), event.user_id),
        (_("message id"), event.msg_id or None),
        (_("happened"), _moment(event.sent_at, lang)),
        (_("received"), moment(event.received_at, lang)),
        (_("due"), moment(event.due_at, lang) if event.status == "open" else None),
        (_("call without answer"), _moment(event.attempted_at, lang)),
        (_("first picture sent"), _moment(event.replied_at, lang)),
        (_("settled"), _moment(event.settled_at, lang)),
        (_("vendor's ids"), "; ".join(" ".join(filter(None, ids.values())) for ids in event.vendor_ids or ()) or None),
    )
    yield from ((label, str(value)) for label, value in values if value is not None)
    for number, image in enumerate(event.images or (), start=1):
        status_text = _(_STATUS_TEXTS[event.image_status(number)])
        yield _("picture {number}").format(number=number), f"{status_text}: {next(iter(image.values()), '')}"


def _moment(seconds: float | None, lang: Language) -> str | None:
    return None if seconds is None else moment(seconds, lang)
