"""Page Events: messages as a list and by customer, conversations, the timeline of one, replay of dead letters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any, Final, get_args

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from bot.inbox.conversations import MAX_MESSAGES, Conversations
from bot.inbox.period import Period, period_of
from bot.inbox.queries import MAX_EVENT_ID, MAX_SCANNED, MAX_SEARCHED, EventDetail, EventFilter, EventQueries, Listing
from bot.inbox.replay import ReplayOutcome, ReplayResult, prospect, replay
from bot.inbox.states import Status
from bot.inbox.texts import replay_text
from bot.logs import event_name
from bot.rules import explain_text as sentences
from bot.rules.engine import FALLBACK
from bot.rules.language.text import fold
from bot.runtime import Runtime
from bot.web.console import first_steps, formatting
from bot.web.console.formatting import gettext as _
from bot.web.console.messages.conversation import turns
from bot.web.console.messages.event_timeline import row, status_badge, timeline

PAGE_SIZE: Final = 50
#: Events of one customer per page, including echoes.
CONVERSATION_SIZE: Final = 60
#: How many dead letters one press replays; each is a durable transaction.
MAX_REPLAYED: Final = 500

_ONE: Final = f"/events/<int(min=1, max={MAX_EVENT_ID}):event_id>"
# The vendor's text is kept in a cookie until the next page.
_MAX_ERROR_CHARACTERS: Final = 160
_KINDS: Final[dict[ReplayOutcome, str]] = {"reopened": "good", "late": "warn", "erased": "warn"}


def add_routes(routes: Blueprint, runtime: Runtime) -> None:
    """
    Add the lists, the page of one event, and the buttons that replay.

    ``?q=`` searches; ``?status=``, ``?rule=``, ``?day=``, ``?oa=`` and ``?customer=`` filter; ``?before=`` is the next
    page. A customer is named by the id of one of their events, because the user id is personal data.
    """

    @routes.get("/events")
    def events() -> str:
        return _list_page(runtime)

    @routes.get("/events/customers", endpoint="events_customers")
    def customers() -> str:
        return _customers_page(runtime)

    @routes.get(_ONE, endpoint="events_one")
    def one(event_id: int) -> str:
        event = EventQueries(runtime.database).event(event_id) or abort(404)
        first_steps.take(runtime, "looked")
        return _event_page(runtime, event)

    @routes.get(f"{_ONE}/conversation", endpoint="events_conversation")
    def conversation(event_id: int) -> str:
        event = EventQueries(runtime.database).event(event_id)
        return _conversation_page(runtime, event) if event else abort(404)

    @routes.post(f"{_ONE}/replay", endpoint="events_replay")
    def replay_one(event_id: int) -> AnyResponse:
        done = _replay(runtime, event_id)
        if done.outcome == "absent":
            abort(404)
        result = replace(done, error=done.error[:_MAX_ERROR_CHARACTERS]) if done.error else done
        window, lang = runtime.settings.reply_window, formatting.language()
        flash(replay_text(event_id, result, window=window, lang=lang), _KINDS.get(done.outcome, ""))
        return redirect(url_for("console.events_one", event_id=event_id), 303)

    @routes.post("/events/replay-dead", endpoint="events_replay_dead")
    def replay_dead() -> AnyResponse:
        ids = _replayable(runtime)
        outcomes = Counter(_replay(runtime, event_id).outcome for event_id in ids[:MAX_REPLAYED])
        flash(_replayed_text(outcomes["reopened"], len(ids) - outcomes.total()), "good" if outcomes["reopened"] else "")
        return redirect(url_for("console.events", status="dead"), 303)


@dataclass(frozen=True, slots=True)
class EventQuery:
    """Search and filters of the list of events."""

    wanted: EventFilter
    words: str
    args: dict[str, Any]
    """The same as query parameters; None: left out."""

    def page(self, queries: EventQueries, most: int, *, before: int | None) -> Listing:
        """Return a page of the events, newest first, as `EventQueries.listing` and `search` do."""
        before = self._within(before)
        if self.words:
            return queries.search(most, _contains(self.words), self.wanted, before=before)
        return queries.listing(most, self.wanted, before=before)

    def customers(self, queries: Conversations, most: int, *, before: int | None) -> Listing:
        """Return a page of customers, each by their newest event of these, as `Conversations.latest` does."""
        fits = _contains(self.words) if self.words else None
        return queries.latest(most, self.wanted, fits, before=self._within(before))

    def _within(self, before: int | None) -> int | None:
        """Return the id before which a page begins: at most the end of the requested day."""
        if self.wanted.period is None:
            return before
        return min(self.wanted.period.last_id + 1, before or MAX_EVENT_ID)


def event_query(runtime: Runtime) -> EventQuery:
    """Return the query of this request; invalid parameters are ignored."""
    status = next((known for known in get_args(Status) if known == request.args.get("status")), None)
    oa_id = next((known for known in _accounts(runtime) if known == request.args.get("oa")), None)
    rule_id = next((known for known in _rule_ids(runtime) if known == request.args.get("rule")), None)
    customer, day = _number("customer"), _day()
    theirs = EventQueries(runtime.database).event(customer) if customer else None
    wanted = EventFilter(
        status=status,
        oa_id=oa_id,
        customer=(theirs.oa_id, theirs.user_id) if theirs else None,
        rule_id=rule_id,
        period=_period(runtime, day) if day else None,
        echoes=False,
    )
    words = request.args.get("q", "").strip()
    args = {
        "status": status, "oa": oa_id, "customer": theirs.id if theirs else None, "rule": rule_id,
        "day": day and day.isoformat(), "q": words or None,
    }  # fmt: skip
    return EventQuery(wanted, words, args)


def _list_page(runtime: Runtime) -> str:
    reports, query, before = EventQueries(runtime.database), event_query(runtime), _number("before")
    listing = query.page(reports, PAGE_SIZE, before=before)
    status, waiting = query.wanted.status, reports.counts_by_status()
    return render_template(
        "console/events.html",
        **_listed(runtime, query, listing, "console.events", MAX_SEARCHED if query.words else MAX_SCANNED),
        waiting=waiting,
        replayable=len(_replayable(runtime)) if status == "dead" and waiting["dead"] else 0,
        at_once=MAX_REPLAYED,
        window=_window(runtime),
    )


def _customers_page(runtime: Runtime) -> str:
    query, before = event_query(runtime), _number("before")
    listing = query.customers(Conversations(runtime.database), PAGE_SIZE, before=before)
    return render_template(
        "console/customers.html",
        **_listed(runtime, query, listing, "console.events_customers", MAX_MESSAGES),
        waiting=EventQueries(runtime.database).counts_by_status(),
    )


def _listed(runtime: Runtime, query: EventQuery, listing: Listing, endpoint: str, scanned: int) -> dict[str, object]:
    """Render a list; at most *scanned* events are read for a page."""
    return {
        "rows": [row(event) for event in listing.events],
        "accounts": _accounts(runtime),
        "rules": _rule_ids(runtime),
        "chosen": query.args,
        "endpoint": endpoint,
        "today": _today(runtime).isoformat(),
        "before": _number("before"),
        "next": url_for(endpoint, **query.args, before=listing.before) if listing.before else None,
        "looked_at": scanned if listing.before and len(listing.events) < PAGE_SIZE else 0,
        "statuses": {known: status_badge(known) for known in get_args(Status)},
    }


def _day() -> date | None:
    """Return the requested day; None if there is none."""
    try:
        return date.fromisoformat(request.args.get("day", ""))
    except ValueError:
        return None


def _period(runtime: Runtime, day: date) -> Period:
    """Return the day in the time zone of the rules."""
    zone = runtime.rules_reloader.rules.zone
    start, end = (datetime.combine(one, time(), zone).timestamp() for one in (day, day + timedelta(days=1)))
    return period_of(runtime.database, start, end)


def _today(runtime: Runtime) -> date:
    return datetime.fromtimestamp(runtime.database.now(), runtime.rules_reloader.rules.zone).date()


def _contains(words: str) -> Callable[[str], bool]:
    """Return a function that tells whether a text has all of the words; marks do not matter."""
    wanted = fold(words).split()
    return lambda text: all(word in folded for folded in (fold(text),) for word in wanted)


def _rule_ids(runtime: Runtime) -> list[str]:
    """Return the choices of the filter: the rules in force and the fallback."""
    file = runtime.rules_reloader.rules.file
    return [*(rule.id for rule in file.rules), *([FALLBACK] if file.fallback else [])]


def _editable(runtime: Runtime) -> set[str]:
    """Return the ids of the rules whose form can be opened."""
    return {rule.id for rule in runtime.rules_reloader.rules.file.rules} if runtime.settings.console_publish else set()


def _conversation_page(runtime: Runtime, event: EventDetail) -> str:
    """Return the conversation with the customer of that event, up to `?before=`."""
    before = _number("before")
    theirs = (event.oa_id, event.user_id)
    listing = Conversations(runtime.database).of(theirs, CONVERSATION_SIZE, before=before)
    here = partial(url_for, "console.events_conversation", event_id=event.id)
    return render_template(
        "console/conversation.html",
        turns=turns(listing.events),
        older=here(before=listing.before) if listing.before else None,
        newest=here() if before else None,
        statuses={known: status_badge(known) for known in get_args(Status)},
        fallback=FALLBACK,
        editable=_editable(runtime),
    )


def _event_page(runtime: Runtime, event: EventDetail) -> str:
    settings, now = runtime.settings, runtime.database.now()
    outcome = prospect(asdict(event), now=now, window=settings.reply_window.total_seconds())
    return render_template(
        "console/event.html",
        event=event,
        timeline=timeline(event, now=now),
        badge=status_badge(event.status),
        digest=runtime.rules_reloader.rules.digest,
        log_name=event_name(event.key),
        outcome=outcome,
        refusal=replay_text(event.id, ReplayResult(outcome), window=settings.reply_window, lang=formatting.language()),
        retention=sentences.duration(settings.retention, formatting.language()),
        editable=_editable(runtime),
    )


def _accounts(runtime: Runtime) -> list[str]:
    """Return the OAs of the filter: those of the settings, and those with calls."""
    return sorted({*runtime.settings.zalo_oa_id, *EventQueries(runtime.database).paused_accounts()})


def _number(name: str) -> int | None:
    """Return a query parameter that can be the id of an event; None if it cannot."""
    given = request.args.get(name, type=int)
    return given if given is not None and 0 < given <= MAX_EVENT_ID else None


def _window(runtime: Runtime) -> str:
    return sentences.duration(runtime.settings.reply_window, formatting.language())


def _replayable(runtime: Runtime) -> list[int]:
    since = runtime.database.now() - runtime.settings.reply_window.total_seconds()
    return EventQueries(runtime.database).replayable(since=since)


def _replay(runtime: Runtime, event_id: int) -> ReplayResult:
    database, window = runtime.database, runtime.settings.reply_window
    return replay(database, event_id, now=database.now(), window=window.total_seconds())


def _replayed_text(reopened: int, left: int) -> str:
    """Return the text after a replay of all dead letters; *left* are those for the next press."""
    if not reopened:
        return _("There was nothing to replay.")
    count, rest = formatting.format_number(reopened), formatting.format_number(left)
    text = _("{count} open again.").format(count=count)
    more = _(" {rest} are left: press once more.").format(rest=rest)
    return text + more if left else text
