"""Page with the statistics of one rule: answers by day, messages that led to them, overlaps with other rules."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Final

from flask import Blueprint, abort, render_template

from bot.analysis.topics import group_questions
from bot.i18n import N_
from bot.inbox.queries import EventQueries
from bot.inbox.statistics.rollup import DAY_SECONDS, UTC_OFFSET_SECONDS, start_of_day
from bot.inbox.statistics.rule_statistics import RuleStatistics, rule_statistics
from bot.rules.engine import FALLBACK, RuleSet
from bot.rules.model.schema import Rule
from bot.runtime import Runtime
from bot.web.console import charts, formatting
from bot.web.console.rules.rule_list import USE_DAYS

#: The series of the chart from the bottom up: name and outcomes.
SERIES: Final = {
    "answered": (N_("Answered"), ("answered",)),
    "failed": (N_("Its image is at fault"), ("failed",)),
    "undelivered": (N_("Not delivered for another reason"), ("undelivered",)),
}
_MAX_KEYWORDS: Final = 20
_MAX_UNUSED: Final = 60
_MAX_SENTENCES: Final = 15
_MAX_OTHERS: Final = 8
# How many of the latest messages are grouped into sentences.
_MAX_READ: Final = 300


@dataclass(frozen=True, slots=True)
class KeywordUse:
    """Answers of the rule by keyword."""

    used: list[tuple[str, int]]
    unused: list[str]
    """Keywords of the present rule without an answer."""
    more_unused: int
    unknown: int
    """Answers without a recorded keyword: old ones, by a pattern, or to events without text."""


def add_routes(routes: Blueprint, runtime: Runtime) -> None:
    """Add the page; its rule may be FALLBACK."""

    @routes.get("/rules/<rule_id>/statistics", endpoint="rule_statistics")
    def page(rule_id: str) -> str:
        return _page(runtime, rule_id)


def _page(runtime: Runtime, rule_id: str) -> str:
    database, rules = runtime.database, runtime.rules_reloader.rules
    now = database.now()
    since = start_of_day(now) - (USE_DAYS - 1) * DAY_SECONDS
    found = rule_statistics(database, rule_id, since, now=now)
    rule = next((rule for rule in rules.file.rules if rule.id == rule_id), None)
    is_in_force = rule is not None or (rule_id == FALLBACK and rules.file.fallback is not None)
    if not is_in_force and not found.outcomes:
        abort(404)
    messages = EventQueries(database).answered_by(rule_id, _MAX_READ, since=since)
    return render_template(
        "console/rule_statistics.html",
        rule_id=rule_id,
        rule=rule,
        is_in_force=is_in_force,
        days=USE_DAYS,
        outcomes=found.outcomes,
        chart=_chart(found, since, now),
        series=SERIES,
        keywords=_keyword_use(rule, found.keywords),
        sentences=list(islice(group_questions(messages), _MAX_SENTENCES)),
        read=len(messages),
        is_all_read=len(messages) < _MAX_READ,
        taken=found.runners_up.most_common(_MAX_OTHERS),
        lost=found.winners.most_common(_MAX_OTHERS),
        taken_in_all=found.runners_up.total(),
        lost_in_all=found.winners.total(),
        known=_rule_ids(rules),
        publishes=runtime.settings.console_publish,
        fallback=FALLBACK,
    )


def _rule_ids(rules: RuleSet) -> set[str]:
    return {rule.id for rule in rules.file.rules}


def _chart(found: RuleStatistics, since: int, now: float) -> charts.Chart:
    days = (datetime.fromtimestamp(start + UTC_OFFSET_SECONDS, UTC).date() for start in _days(since, now))
    columns = [
        charts.Column(formatting.format_day(day), formatting.format_weekday(day), found.by_day.get(start, Counter()))
        for start, day in zip(_days(since, now), days, strict=True)
    ]
    return charts.stacked(columns, list(SERIES), label_every=5, from_last=True)


def _days(since: int, now: float) -> range:
    return range(since, int(now) + 1, DAY_SECONDS)


def _keyword_use(rule: Rule | None, counts: Counter[str]) -> KeywordUse:
    used = Counter({text: n for text, n in counts.items() if text})
    unused = [keyword.text for keyword in rule.keywords if keyword.text not in used] if rule else []
    more = max(0, len(unused) - _MAX_UNUSED)
    return KeywordUse(used.most_common(_MAX_KEYWORDS), unused[:_MAX_UNUSED], more, counts[""])
