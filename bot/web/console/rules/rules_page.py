"""Page Rules: every rule as a card, with its use, its last failure and its problems."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from flask import Blueprint, render_template, request, url_for

from bot.inbox.queries import EventRow
from bot.rules import explain_text as sentences
from bot.rules.engine import FALLBACK, RuleSet
from bot.rules.model.schema import Fallback, Reply, Rule
from bot.runtime import Runtime
from bot.web.console import first_steps, formatting
from bot.web.console.problem_view import Finding, GroupedFindings, by_rule
from bot.web.console.publishing.check_session import MAX_REFRESHES, CheckSession
from bot.web.console.rules.rule_list import (
    SORTS,
    STATES,
    RuleIndex,
    RuleQuery,
    RuleUse,
    rule_use,
    select_rules,
)

#: Rules per page.
PAGE_SIZE: Final = 50


@dataclass(frozen=True, slots=True)
class RuleCard:
    """A rule, or the fallback."""

    id: str
    reply: Reply
    rule: Rule | None
    """None: the fallback."""
    line: int | None
    """Its first line in the file; None if the file's rules are not the ones in force."""
    schedule: str
    pause: str
    answers: int
    """Answers in the last USE_DAYS."""
    failure: EventRow | None
    findings: list[Finding]


def add_routes(routes: Blueprint, runtime: Runtime) -> None:
    """
    Add the page; ``?q=`` searches, ``?sort=`` and ``?show=`` sort and filter, ``?page=`` is the page number.

    After a publication, ``?published=`` counts the reloads until the bot has loaded the file.
    """
    index, session = RuleIndex(), CheckSession(runtime)

    @routes.get("/rules")
    def rules() -> str:
        return _page(runtime, index, session)


def _page(runtime: Runtime, index: RuleIndex, session: CheckSession) -> str:
    published = request.args.get("published", 0, type=int)
    # Before the rules, which may be loaded meanwhile: a page that says "in force" must show them.
    file_state = session.file_state() if published else None
    rules, validation = runtime.rules_reloader.rules, runtime.rules_reloader.last_validation
    query, use = RuleQuery.of(request.args), rule_use(runtime.database)
    grouped = by_rule(validation, rules, formatting.language())
    chosen = select_rules(rules, index, query, use, warned=grouped.by_rule)
    if any(rule.id == query.words for rule in rules.file.rules):  # the demo's chat leads so to the rule of an answer
        first_steps.take(runtime, "looked")
    last = max(0, (len(chosen) - 1) // PAGE_SIZE)
    page = min(max(0, request.args.get("page", 1, type=int) - 1), last)
    return render_template(
        "console/rules.html",
        asked=query.words,
        sort=query.sort,
        state=query.state,
        sorts=SORTS,
        states=STATES,
        cards=list(_cards(rules, chosen[page * PAGE_SIZE : (page + 1) * PAGE_SIZE], grouped, use)),
        found=len(chosen),
        total=len(rules.file.rules),
        page=page,
        pages_in_all=last + 1,
        previous=url_for("console.rules", **query.args, page=page) if page else None,
        next=url_for("console.rules", **query.args, page=page + 2) if page < last else None,
        file=runtime.settings.rules_file.name,
        publishes=runtime.settings.console_publish,
        file_state=file_state,
        refresh=published + 1 if file_state == "pending" and published < MAX_REFRESHES else 0,
        trouble=runtime.rules_reloader.error,
        is_readable=validation is not None,
        findings=grouped.rest,
        events=formatting.event_names(formatting.language()),
        fallback=FALLBACK,
    )


def _cards(rules: RuleSet, chosen: Iterable[int], grouped: GroupedFindings, use: RuleUse) -> Iterator[RuleCard]:
    for index in chosen:
        if index < len(rules.file.rules):
            line = grouped.lines[index] if grouped.lines else None
            yield _rule_card(rules.file.rules[index], line, use, grouped.by_rule.get(index, []))
        elif rules.file.fallback:
            yield _fallback_card(rules.file.fallback, use)


def _rule_card(rule: Rule, line: int | None, use: RuleUse, found: list[Finding]) -> RuleCard:
    lang = formatting.language()
    return RuleCard(
        id=rule.id,
        reply=rule.reply,
        rule=rule,
        line=line,
        schedule=sentences.schedule(rule.active, lang) if rule.active else "",
        pause=sentences.duration(rule.cooldown, lang) if rule.cooldown else "",
        answers=use.replies.get(rule.id, 0),
        failure=use.last_failure.get(rule.id),
        findings=found,
    )


def _fallback_card(fallback: Fallback, use: RuleUse) -> RuleCard:
    pause = sentences.duration(fallback.every, formatting.language()) if fallback.every else ""
    return RuleCard(
        "fallback",
        fallback.reply,
        None,
        None,
        "",
        pause,
        use.replies.get(FALLBACK, 0),
        use.last_failure.get(FALLBACK),
        [],
    )
