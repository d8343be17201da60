"""Overview page: figures and charts of a period, and what needs attention."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Final

from flask import Blueprint, render_template, request

from bot.analysis.topics import Question, group_by_words, split_ignored
from bot.analysis.unmatched import split_small_talk, unanswered_topics
from bot.i18n import N_
from bot.inbox.editing.ignored_topics import IgnoredTopics
from bot.inbox.queries import EventQueries
from bot.inbox.statistics.hour_counts import HOUR_SECONDS
from bot.inbox.statistics.quotas import quotas_left
from bot.inbox.statistics.rollup import DAY_SECONDS, UTC_OFFSET_SECONDS, Period, Statistics, start_of_day
from bot.rules.engine import FALLBACK
from bot.runtime import Runtime
from bot.web.console import charts, formatting
from bot.web.console.first_steps import checklist
from bot.web.console.formatting import gettext

#: The periods by the value of ``?period=``: number of days including today, and name.
PERIODS: Final = {"today": (1, N_("Today")), "7d": (7, N_("7 days")), "30d": (30, N_("30 days"))}
_DEFAULT_PERIOD: Final = "7d"

#: The series of the charts from the bottom up: name and outcomes.
SERIES: Final = {
    "answered": (N_("By a rule"), ("answered",)),
    "fallback": (N_("By the fallback"), ("fallback",)),
    "unanswered": (N_("No answer yet"), ("unanswered",)),
    "failed": (N_("Failed"), ("failed", "unclear")),
    "silent": (N_("No answer needed"), ("silent", "waiting")),
}
_LABEL_EVERY: Final = {"7d": 1, "30d": 5}
_MAX_RULES: Final = 8
_MAX_QUESTIONS: Final = 6
# How many of the latest unanswered messages are grouped.
_MAX_READ: Final = 500


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures at the top of the page."""

    messages: int
    answered: int
    fallback: int
    unanswered: int
    failed: int
    waiting: int
    median_delay: float | None

    @property
    def answered_percent(self) -> int | None:
        """The percentage of messages to be answered that got an image; None without such messages."""
        total = self.answered + self.fallback + self.unanswered + self.failed
        return round(100 * (self.answered + self.fallback) / total) if total else None


def add_routes(routes: Blueprint, runtime: Runtime) -> None:
    """Add the page; ``?period=`` is today, 7d or 30d."""

    @routes.get("/overview")
    def overview() -> str:
        name, since, now = chosen_period(runtime)
        statistics = Statistics(runtime.database)
        period = statistics.period(since, now=now)
        return render_template(
            "console/overview.html",
            steps=checklist(runtime),
            period=name,
            periods=PERIODS,
            figures=figures(period.outcomes, period.median_delay),
            quotas=quotas_left(runtime.database),
            charts=list(charts_of(period, name, since, now)),
            series=SERIES,
            rules=period.by_rule.most_common(_MAX_RULES),
            questions=top_questions(runtime, since, now),
            fallback=FALLBACK,
            is_new=statistics.last_received() is None,
            format_delay=formatting.format_delay,
        )


def chosen_period(runtime: Runtime) -> tuple[str, int, float]:
    """Return the name of the requested period, its start, and the time now."""
    name = request.args.get("period", "")
    name = name if name in PERIODS else _DEFAULT_PERIOD
    now = runtime.database.now()
    return name, start_of_day(now) - (PERIODS[name][0] - 1) * DAY_SECONDS, now


def figures(outcomes: Counter[str], median_delay: float | None) -> Figures:
    """Return the figures of these outcomes."""
    return Figures(
        messages=outcomes.total(),
        answered=outcomes["answered"],
        fallback=outcomes["fallback"],
        unanswered=outcomes["unanswered"],
        failed=outcomes["failed"] + outcomes["unclear"],
        waiting=outcomes["waiting"],
        median_delay=median_delay,
    )


def charts_of(period: Period, name: str, since: int, now: float) -> Iterable[tuple[str, str, charts.Chart]]:
    """Yield the charts: title, heading of the first column of its table, chart."""
    if not period.outcomes.total():
        return
    if name == "today":
        hours = range(since, since + DAY_SECONDS, HOUR_SECONDS)
        by_hour = [_column(_hour(start), _hours(start), period.by_hour.get(start, Counter())) for start in hours]
        yield gettext("Messages per hour"), gettext("Hour"), charts.stacked(by_hour, list(SERIES), label_every=3)
        return
    days: dict[int, Counter[str]] = {start: Counter() for start in range(since, int(now) + 1, DAY_SECONDS)}
    hours_of_day: list[Counter[str]] = [Counter() for _ in range(24)]
    for start, outcomes in period.by_hour.items():
        days[start_of_day(start)] += outcomes
        hours_of_day[(start + UTC_OFFSET_SECONDS) // HOUR_SECONDS % 24] += outcomes
    by_day = [_column(_day(start), _weekday(start), outcomes) for start, outcomes in days.items()]
    chart = charts.stacked(by_day, list(SERIES), label_every=_LABEL_EVERY[name], from_last=True)
    yield gettext("Messages per day"), gettext("Day"), chart
    by_hour = [
        _column(str(hour), _hours(hour * HOUR_SECONDS - UTC_OFFSET_SECONDS), outcomes)
        for hour, outcomes in enumerate(hours_of_day)
    ]
    chart = charts.stacked(by_hour, list(SERIES), label_every=3)
    yield gettext("Messages by the hour of the day"), gettext("Hour"), chart


def _column(label: str, title: str, outcomes: Counter[str]) -> charts.Column:
    return charts.Column(label, title, {name: sum(outcomes[one] for one in of) for name, (_, of) in SERIES.items()})


def _local(start: int) -> datetime:
    """Return a time in the time zone of Vietnam."""
    return datetime.fromtimestamp(start + UTC_OFFSET_SECONDS, UTC)


def _hour(start: int) -> str:
    return str(_local(start).hour)


def _hours(start: int) -> str:
    hour = _local(start).hour
    return f"{hour}:00–{hour + 1}:00"


def _day(start: int) -> str:
    return formatting.format_day(_local(start).date())


def _weekday(start: int) -> str:
    return formatting.format_weekday(_local(start).date())


def top_questions(runtime: Runtime, since: float, now: float) -> list[Question]:
    """Return the unanswered questions of most customers that the present rules do not answer either."""
    messages = EventQueries(runtime.database).unmatched(_MAX_READ, since=since)
    asking, _small_talk = split_small_talk(messages)
    names = [topic.name for topic in IgnoredTopics(runtime.database).all()]
    groups, _ignored = split_ignored(group_by_words(asking), names)
    topics = unanswered_topics(groups, runtime.rules_reloader.rules, now=now)
    return [topic.question for topic in islice(topics, _MAX_QUESTIONS)]
