"""CSV downloads of the lists: messages, unanswered questions, rules with their use, images, the overview."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Final

from flask import Blueprint, Response, abort, request

from bot.analysis.topics import group_by_words, split_ignored
from bot.analysis.unmatched import split_small_talk, unanswered_questions
from bot.image_health.report import ImageReports
from bot.image_health.texts import explain as explain_check
from bot.inbox.editing.ignored_topics import IgnoredTopics
from bot.inbox.failures import explain as explain_failure
from bot.inbox.queries import EventQueries
from bot.inbox.statistics.rollup import Statistics
from bot.rules.engine import replies_of
from bot.rules.model.schema import Keyword, Reply, Rule
from bot.runtime import Runtime
from bot.web.console import formatting
from bot.web.console.formatting import gettext as _
from bot.web.console.images import images_page
from bot.web.console.images.image_cards import card_of, sort_worst_first, status_of
from bot.web.console.messages import event_timeline, events_page, overview_page, unanswered_page
from bot.web.console.problem_view import by_rule
from bot.web.console.rules.rule_list import (
    USE_DAYS,
    RuleIndex,
    RuleQuery,
    rule_id,
    rule_use,
    select_rules,
)
from bot.web.console.tables.csv_file import MAX_ROWS, csv_response

Rows = Iterator[list[object]]

# Events that are read by one query.
_EVENTS_A_QUERY: Final = 500
_BETWEEN: Final = "; "


def add_routes(routes: Blueprint, runtime: Runtime) -> None:
    """Add a download for each list; it takes the same query parameters. That of the overview also names a table."""
    index = RuleIndex()

    @routes.get("/events.csv", endpoint="events_csv")
    def events_csv() -> Response:
        return _events(runtime)

    @routes.get("/unanswered.csv", endpoint="unanswered_csv")
    def unanswered_csv() -> Response:
        return _unanswered(runtime)

    @routes.get("/rules.csv", endpoint="rules_csv")
    def rules_csv() -> Response:
        return _rules(runtime, index)

    @routes.get("/pictures.csv", endpoint="pictures_csv")
    def pictures_csv() -> Response:
        return _images(runtime)

    @routes.get("/overview.csv", endpoint="overview_csv")
    def overview_csv() -> Response:
        return _overview(runtime)


def _events(runtime: Runtime) -> Response:
    query = events_page.event_query(runtime)
    heading = [
        _("Time"), _("What came in"), _("Text"), _("Status"), _("Why"), _("Rule"), _("Pictures sent"),
        _("Pictures to send"), _("Failure"), _("Original words"),
    ]  # fmt: skip

    def rows() -> Rows:
        before, found = None, 0
        while found <= MAX_ROWS:
            listing = query.page(EventQueries(runtime.database), _EVENTS_A_QUERY, before=before)
            for item in listing.events:
                row = event_timeline.row(item)
                failure = str(explain_failure(row.vendor, formatting.language())) if row.vendor else ""
                yield [
                    _time(item.received_at, runtime), row.what, row.excerpt,
                    event_timeline.status_badge(item.status)[0], row.why,
                    formatting.rule_name(item.rule_id) if item.rule_id else "", item.progress,
                    len(item.images or ()), failure, row.vendor,
                ]  # fmt: skip
            found += len(listing.events)
            if listing.before is None:
                return
            before = listing.before

    return csv_response(_file_name("messages", runtime), heading, rows())


def _unanswered(runtime: Runtime) -> Response:
    heading = [_("Question"), _("People"), _("Times"), _("Other spellings")]
    now = runtime.database.now()
    messages = EventQueries(runtime.database).unmatched(
        unanswered_page.MAX_MESSAGES, since=unanswered_page.chosen_since(now)
    )
    asking, _small_talk = split_small_talk(messages)
    names = [topic.name for topic in IgnoredTopics(runtime.database).all()]
    groups, _ignored = split_ignored(group_by_words(asking), names)
    questions = unanswered_questions(groups, runtime.rules_reloader.rules, now=now)
    rows = ([one.text, one.people, one.times, _BETWEEN.join(one.variants)] for one in questions)
    return csv_response(_file_name("unanswered", runtime), heading, rows)


def _rules(runtime: Runtime, index: RuleIndex) -> Response:
    heading = [
        _("Rule"), _("Line"), _("On"), _("Switched on"), _("Keywords"), _("One of each"), _("Unless"), _("Pictures"),
        _("Priority"), _("Answers in {days} days").format(days=USE_DAYS),
        _("Failures of the image in {days} days").format(days=USE_DAYS),
    ]  # fmt: skip
    rules, use = runtime.rules_reloader.rules, rule_use(runtime.database)
    grouped = by_rule(runtime.rules_reloader.last_validation, rules, formatting.language())
    replies = replies_of(rules.file)

    def rows() -> Rows:
        for number in select_rules(rules, index, RuleQuery.of(request.args), use, warned=grouped.by_rule):
            name = rule_id(rules, number)
            rule = rules.file.rules[number] if number < len(rules.file.rules) else None
            line = grouped.lines[number] if rule and grouped.lines else None
            yield [
                formatting.rule_name(name), line, *_rule_cells(rule), _images_text(replies[name]),
                rule.priority if rule else None, use.replies.get(name, 0), use.failures.get(name, 0),
            ]  # fmt: skip

    return csv_response(_file_name("rules", runtime), heading, rows())


def _rule_cells(rule: Rule | None) -> list[object]:
    if rule is None:
        return [_("when no rule matches"), _("yes"), "", "", ""]
    return [
        formatting.event_name(rule.on, formatting.language()),
        _("yes") if rule.enabled else _("no"),
        _texts(rule.keywords),
        " + ".join(f"({_texts(group)})" for group in rule.all_of),
        _texts(rule.exclude),
    ]


def _texts(keywords: tuple[Keyword, ...]) -> str:
    return _BETWEEN.join(keyword.text for keyword in keywords)


def _images_text(reply: Reply) -> str:
    return _BETWEEN.join(image.image_url or image.file or image.attachment_id or "" for image in reply.images)


def _images(runtime: Runtime) -> Response:
    heading = [
        _("Picture"), _("Kind"), _("State"), _("What was found"), _("What to do"), _("Rules"), _("Last checked"),
    ]  # fmt: skip
    lang, chosen = formatting.language(), images_page.chosen_status(request.args.get("show"))
    known = sort_worst_first(
        ImageReports(runtime.database).images(runtime.rules_reloader.rules, now=runtime.database.now())
    )

    def rows() -> Rows:
        for health in known:
            if chosen in {None, status_of(health)}:
                words = explain_check(health.result, lang)
                checked = _time(health.checked_at, runtime) if health.checked_at is not None else ""
                yield [
                    health.image.reference, health.image.kind, words.label, card_of(health, frozenset(), lang).verdict,
                    words.todo, _BETWEEN.join(map(formatting.rule_name, health.image.rules)), checked,
                ]  # fmt: skip

    return csv_response(_file_name("pictures", runtime), heading, rows())


def _overview(runtime: Runtime) -> Response:
    """Return a table of the overview: ``?table=`` is the number of a chart, ``rules`` or ``questions``."""
    name, since, now = overview_page.chosen_period(runtime)
    table = request.args.get("table", "1")
    file_name = _file_name(f"overview-{name}-{table}", runtime)
    if table == "questions":
        questions = overview_page.top_questions(runtime, since, now)
        return csv_response(file_name, [_("Question"), _("People")], ([one.text, one.people] for one in questions))
    period = Statistics(runtime.database).period(since, now=now)
    if table == "rules":
        ranking = ([formatting.rule_name(rule), n] for rule, n in period.by_rule.most_common())
        return csv_response(file_name, [_("Rule"), _("Answers")], ranking)
    found = list(islice(overview_page.charts_of(period, name, since, now), 2))
    number = request.args.get("table", 1, type=int)
    if not 0 < number <= len(found):
        abort(404)
    _title, head, chart = found[number - 1]
    heading = [head, _("Messages"), *(_(label) for label, _outcomes in overview_page.SERIES.values())]
    rows = (
        [bar.column.title, bar.total, *(bar.column.counts[of] for of in overview_page.SERIES)] for bar in chart.bars
    )
    return csv_response(file_name, heading, rows)


def _time(seconds: float, runtime: Runtime) -> str:
    """Return a time in the time zone of the rules, in a format that all spreadsheets read: 2026-09-21 21:13."""
    return f"{datetime.fromtimestamp(seconds, runtime.rules_reloader.rules.zone):%Y-%m-%d %H:%M:%S}"


def _file_name(of: str, runtime: Runtime) -> str:
    return f"{of}-{datetime.fromtimestamp(runtime.database.now(), runtime.rules_reloader.rules.zone):%Y-%m-%d}"
