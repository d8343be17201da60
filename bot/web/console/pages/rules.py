"""Page Rules: every rule as a card, with its use, its last failure and its problems."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from flask import Blueprint, render_template, request, url_for

from bot.inbox.failures import is_about_rule
from bot.inbox.queries import EventQueries, EventRow
from bot.inbox.rule_statistics import RuleCounts, rule_counts
from bot.inbox.statistics import DAY_SECONDS
from bot.rules import explain_text as sentences
from bot.rules.engine import FALLBACK, RuleSet
from bot.rules.model.schema import Fallback, Reply, Rule
from bot.runtime import Runtime
from bot.web.console import formatting
from bot.web.console.check_session import MAX_REFRESHES, CheckSession
from bot.web.console.problem_view import Finding, GroupedFindings, by_rule
from bot.web.console.rule_list import SORTS, STATES, USE_DAYS, RuleIndex, RuleSort, RuleUse, rules_in_state, sort_rules

#: Cards a page.
PAGE_SIZE: Final = 50

_MOST_FAILURES = 500


@dataclass(frozen=True, slots=True)
class RuleCard:
    """A rule, or the fallback."""

    id: str
    reply: Reply
    rule: Rule | None
    """None: the fallback."""
    line: int | None
    """Where it begins in the file; None while the file holds other rules than those in force."""
    schedule: str
    pause: str
    answers: int
    """In the last USE_DAYS."""
    failure: EventRow | None
    findings: list[Finding]


def add_routes(routes: Blueprint, runtime: Runtime) -> None:
    """
    Add the page; ``?q=`` searches, ``?sort=`` and ``?show=`` sort and filter, ``?page=`` turns over.

    After a publication ``?published=`` is how often the page has been shown while the bot had not taken the file yet.
    """
    index, session = RuleIndex(), CheckSession(runtime)

    @routes.get("/rules")
    def rules() -> str:
        return _page(runtime, index, session)


def _page(runtime: Runtime, index: RuleIndex, session: CheckSession) -> str:
    rules, validation = runtime.watch.rules, runtime.watch.last_validation
    asked = request.args.get("q", "").strip()
    sort: RuleSort = next((known for known in SORTS if known == request.args.get("sort")), "file")
    state = next((known for known in STATES if known == request.args.get("show")), None)
    grouped = by_rule(validation, rules, formatting.language())
    counts, failures = _counts(runtime), _failures(runtime)
    use = RuleUse(counts.replies, counts.failures, failures, grouped.by_rule)
    chosen = sort_rules(rules, index.matching(rules, asked), sort, use)
    if state:
        chosen = rules_in_state(rules, chosen, state, use)
    last = max(0, (len(chosen) - 1) // PAGE_SIZE)
    page = min(max(0, request.args.get("page", 1, type=int) - 1), last)
    published = request.args.get("published", 0, type=int)
    file_state = session.file_state() if published else None
    here: dict[str, Any] = {"q": asked or None, "sort": sort if sort != "file" else None, "show": state}
    return render_template(
        "console/rules.html",
        asked=asked,
        sort=sort,
        state=state,
        sorts=SORTS,
        states=STATES,
        cards=list(_cards(rules, chosen[page * PAGE_SIZE : (page + 1) * PAGE_SIZE], grouped, counts.replies, failures)),
        found=len(chosen),
        total=len(rules.file.rules),
        page=page,
        pages_in_all=last + 1,
        previous=url_for("console.rules", **here, page=page) if page else None,
        next=url_for("console.rules", **here, page=page + 2) if page < last else None,
        file=runtime.settings.rules_file.name,
        publishes=runtime.settings.console_publish,
        file_state=file_state,
        refresh=published + 1 if file_state == "pending" and published < MAX_REFRESHES else 0,
        trouble=runtime.watch.error,
        is_readable=validation is not None,
        findings=grouped.rest,
        events=formatting.event_names(formatting.language()),
        fallback=FALLBACK,
    )


def _counts(runtime: Runtime) -> RuleCounts:
    now = runtime.database.now()
    return rule_counts(runtime.database, now - (USE_DAYS - 1) * DAY_SECONDS, now=now)


def _failures(runtime: Runtime) -> Mapping[str, EventRow]:
    return EventQueries(runtime.database).last_failure_by_rule(_MOST_FAILURES, counts=is_about_rule)


def _cards(
    rules: RuleSet,
    chosen: Iterable[int],
    grouped: GroupedFindings,
    answers: Mapping[str, int],
    failures: Mapping[str, EventRow],
) -> Iterator[RuleCard]:
    for index in chosen:
        if index < len(rules.file.rules):
            line = grouped.lines[index] if grouped.lines else None
            yield _rule_card(rules.file.rules[index], line, answers, failures, grouped.by_rule.get(index, []))
        elif rules.file.fallback:
            yield _fallback_card(rules.file.fallback, answers, failures)


def _rule_card(
    rule: Rule, line: int | None, answers: Mapping[str, int], failures: Mapping[str, EventRow], found: list[Finding]
) -> RuleCard:
    lang = formatting.language()
    return RuleCard(
        id=rule.id,
        reply=rule.reply,
        rule=rule,
        line=line,
        schedule=sentences.schedule(rule.active, lang) if rule.active else "",
        pause=sentences.duration(rule.cooldown, lang) if rule.cooldown else "",
        answers=answers.get(rule.id, 0),
        failure=failures.get(rule.id),
        findings=found,
    )


def _fallback_card(fallback: Fallback, answers: Mapping[str, int], failures: Mapping[str, EventRow]) -> RuleCard:
    pause = sentences.duration(fallback.every, formatting.language()) if fallback.every else ""
    return RuleCard(
        "fallback", fallback.reply, None, None, "", pause, answers.get(FALLBACK, 0), failures.get(FALLBACK), []
    )
