"""Page Try: which rule answers a message, and why; nothing is sent or stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from flask import Blueprint, render_template, request
from werkzeug.datastructures import MultiDict

from bot.inbox.queries import EventQueries
from bot.rules import explain_text as sentences
from bot.rules.engine import RuleSet, first_examples
from bot.rules.explain import Explanation, explain, shares
from bot.rules.model.schema import Image
from bot.runtime import Runtime
from bot.web.console import formatting
from bot.zalo import EVENT_KINDS, MAX_TEXT_CHARACTERS, message_text

_MAX_SAMPLES = 8
_PLAUSIBLE_YEARS = range(2000, 2100)


@dataclass(frozen=True, slots=True)
class TryQuery:
    """The fields of the form."""

    text: str = ""
    kind: str = "text"
    oa_id: str = ""
    """Empty: rules of all OAs count."""
    at: str = ""
    """A local time in the time zone of the rules, as browsers send it; empty: now."""


@dataclass(frozen=True, slots=True)
class TryResult:
    """An explanation in the reader's language."""

    found: Explanation
    winner: str
    at: str
    """The requested time in words; empty if it is now."""
    pictures: tuple[tuple[Image, float], ...]
    notes: list[str]
    others: list[tuple[str, str]]
    near: list[tuple[str, str]]
    advice: str


def add_routes(routes: Blueprint, runtime: Runtime) -> None:
    """Add the page; messages are sent by POST, because customers' texts must not be in a URL."""

    @routes.get("/try", endpoint="try")
    def show() -> str:
        return _page(runtime, TryQuery())

    @routes.post("/try", endpoint="try_ask")
    def ask() -> tuple[str, int]:
        question = _question(request.form, _accounts(runtime))
        moment = _parse_time(question.at, runtime.rules_reloader.rules.zone)
        if moment is None:
            return _page(runtime, question, wrong="at"), 400
        if question.kind == "text" and not question.text:
            return _page(runtime, question, wrong="text"), 400
        now = moment.timestamp() if question.at else runtime.database.now()
        return _page(runtime, question, answer=_answer(runtime.rules_reloader.rules, question, now, moment)), 200


def _page(runtime: Runtime, question: TryQuery, *, answer: TryResult | None = None, wrong: str = "") -> str:
    rules = runtime.rules_reloader.rules
    return render_template(
        "console/try.html",
        question=question,
        answer=answer,
        wrong=wrong,
        events=formatting.event_names(formatting.language()),
        accounts=_accounts(runtime),
        zone=formatting.format_zone(rules.file.timezone),
        samples=first_examples(rules.file, _MAX_SAMPLES),
        longest=MAX_TEXT_CHARACTERS,
    )


def _question(form: MultiDict[str, str], accounts: list[str]) -> TryQuery:
    """Return the fields of the form; an unknown choice becomes the first one."""
    text = form.get("sample") or form.get("text", "")
    kind, oa_id = form.get("event", ""), form.get("oa", "")
    return TryQuery(
        text=message_text(text),
        kind=kind if kind in EVENT_KINDS and not form.get("sample") else "text",
        oa_id=oa_id if oa_id in accounts else "",
        at=form.get("at", ""),
    )


def _accounts(runtime: Runtime) -> list[str]:
    """Return the ids of the OAs in the rules, the settings and the database."""
    named = {oa_id for rule in runtime.rules_reloader.rules.file.rules for oa_id in rule.oa}
    return sorted(named.union(runtime.settings.zalo_oa_id, EventQueries(runtime.database).paused_accounts()))


def _parse_time(given: str, zone: ZoneInfo) -> datetime | None:
    """Parse a local time of *zone*; empty is now. None: it is not a time, or not of this century."""
    if not given:
        return datetime.now(zone)
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:
        return None
    return moment.replace(tzinfo=zone) if moment.tzinfo is None and moment.year in _PLAUSIBLE_YEARS else None


def _answer(rules: RuleSet, question: TryQuery, now: float, moment: datetime) -> TryResult:
    lang = formatting.language()
    text = question.text if question.kind == "text" else ""
    found = explain(rules, text, kind=question.kind, oa_id=question.oa_id or None, now=now)
    return TryResult(
        found=found,
        winner=sentences.winner_text(found, lang),
        at=f"{sentences.weekday(moment.weekday(), lang)}, {formatting.format_time(now, rules.zone, year=True)}"
        if question.at
        else "",
        pictures=shares(found.reply) if found.reply else (),
        notes=sentences.notes(found, lang),
        others=list(sentences.other_rules(found, lang)),
        near=list(sentences.near_misses(found, lang)),
        advice=sentences.suggestion_text(found.suggestion, lang) if found.suggestion else "",
    )
