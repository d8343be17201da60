"""Page Unanswered: topics that no rule answers, each with the nearest rule and suggestions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from itertools import islice
from typing import Final

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug import Response

from bot.analysis.topics import Question, QuestionGroup, group_by_words, split_ignored
from bot.analysis.unmatched import find_gaps, split_small_talk, unanswered_questions, unanswered_topics
from bot.errors import UnstorableValue
from bot.inbox.editing.ignored_topics import IgnoredTopic, IgnoredTopics
from bot.inbox.messages import Message
from bot.inbox.queries import EventQueries
from bot.logs import MASK
from bot.rules import explain_text as sentences
from bot.rules.engine import RuleSet
from bot.runtime import Runtime
from bot.web.console import formatting
from bot.web.console.formatting import gettext

#: Topics per page; those of most customers come first.
PAGE_SIZE: Final = 10
#: How many unanswered messages are grouped; with more, the page would take seconds.
MAX_MESSAGES: Final = 3_000
#: How many of the latest answered messages every suggestion must leave unchanged.
MAX_ANSWERED: Final = 500
#: How many messages of small talk are named below the last topic.
MAX_SMALL_TALK: Final = 30

#: The periods by the value of ``?period=``.
_PERIODS: Final = {"24h": timedelta(days=1), "7d": timedelta(days=7), "30d": timedelta(days=30)}
_USUAL: Final = "7d"
_WEEK: Final = timedelta(days=7)


def add_routes(routes: Blueprint, runtime: Runtime) -> None:
    """Add the page; ``?period=`` is 24h, 7d or 30d, ``?page=`` is the page number."""

    routes.get("/unanswered", endpoint="unanswered")(lambda: _show(runtime))

    @routes.post("/unanswered/ignore")
    def unanswered_ignore() -> Response:
        topic = IgnoredTopic(request.form.get("name", ""), request.form.get("label", ""))
        try:
            IgnoredTopics(runtime.database).add(topic)
        except (ValueError, UnstorableValue):
            abort(400)
        flash(
            gettext("“{topic}” is ignored. It stays at the end of this page, to be taken back.").format(
                topic=topic.label
            )
        )
        return _back_to_list()

    @routes.post("/unanswered/take-back")
    def unanswered_take_back() -> Response:
        try:
            IgnoredTopics(runtime.database).take_back(request.form.get("name", ""))
        except UnstorableValue:
            abort(400)
        return _back_to_list()


def _back_to_list() -> Response:
    """Redirect to the page of the list that had the button."""
    page = request.form.get("page", 1, type=int)
    return redirect(
        url_for("console.unanswered", period=_chosen_period(request.form), page=page if page > 1 else None), 303
    )


def _chosen_period(query: Mapping[str, str]) -> str:
    """Return the name of the requested period, or of the default."""
    period = query.get("period", "")
    return period if period in _PERIODS else _USUAL


def _show(runtime: Runtime) -> str | Response:
    period = _chosen_period(request.args)
    lang, rules, now = formatting.language(), runtime.rules_reloader.rules, runtime.database.now()
    messages = EventQueries(runtime.database).unmatched(MAX_MESSAGES, since=now - _PERIODS[period].total_seconds())
    asking, small_talk = split_small_talk(messages)
    ignored = IgnoredTopics(runtime.database).all()
    groups, hidden = split_ignored(group_by_words(asking), [topic.name for topic in ignored])
    page = max(0, request.args.get("page", 1, type=int) - 1)
    topics = list(islice(unanswered_topics(groups, rules, now=now), page * PAGE_SIZE, page * PAGE_SIZE + PAGE_SIZE + 1))
    if page and not topics:  # there were more topics when the page was opened
        return redirect(url_for("console.unanswered", period=period))
    answered = EventQueries(runtime.database).messages(MAX_ANSWERED)
    found = find_gaps(topics[:PAGE_SIZE], rules, now=now, answered=answered)
    retention = runtime.settings.retention
    return render_template(
        "console/unanswered.html",
        period=period,
        weeks=_weeks(messages, _PERIODS[period], now),
        periods={name: sentences.duration(length, lang) for name, length in _PERIODS.items()},
        gaps=found,
        page=page,
        previous=url_for("console.unanswered", period=period, page=page) if page else None,
        next=url_for("console.unanswered", period=period, page=page + 2) if len(topics) > PAGE_SIZE else None,
        since=messages[-1].happened_at if len(messages) == MAX_MESSAGES else None,
        obstacles=[list(sentences.obstacles(gap.explanation, lang)) for gap in found],
        advice=[[(sentences.suggestion_text(a.suggestion, lang), a) for a in gap.advice] for gap in found],
        small_talk=_most_frequent(small_talk, rules, now) if len(topics) <= PAGE_SIZE else [],
        ignored=[(topic, _people(hidden[topic.name])) for topic in ignored],
        mask=MASK,
        publishes=runtime.settings.console_publish,
        rule_ids=[rule.id for rule in rules.file.rules if rule.on == "text"],
        kept=sentences.duration(retention, lang) if retention < _PERIODS[period] else "",
        trouble=runtime.rules_reloader.error,
    )


def _people(groups: Iterable[QuestionGroup]) -> int:
    return len(set().union(*(group.people for group in groups)))


def _weeks(messages: Sequence[Message], period: timedelta, now: float) -> float:
    """Return how many weeks the messages (newest first) span, at least one; 0 if the period is shorter."""
    if period < _WEEK:
        return 0
    covered = now - messages[-1].happened_at if messages else 0
    return max(1.0, covered / _WEEK.total_seconds())


def _most_frequent(small_talk: Sequence[Message], rules: RuleSet, now: float) -> list[Question]:
    """Return the small talk that is named in one line, that of most customers first."""
    return list(islice(unanswered_questions(group_by_words(small_talk), rules, now=now), MAX_SMALL_TALK))


def chosen_since(now: float) -> float:
    """Return the start of the requested period, in seconds since 1970."""
    return now - _PERIODS[_chosen_period(request.args)].total_seconds()
