"""Page Rules: every rule as a card, with its use, its last failure and its problems."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, get_args

from flask import Blueprint, render_template, request, url_for

from bot.config import Language
from bot.i18n import translator
from bot.inbox.failures import is_about_rule
from bot.inbox.queries import EventQueries, EventRow
from bot.rules import explain_text as sentences
from bot.rules.engine import FALLBACK, RuleSet
from bot.rules.language.text import fold
from bot.rules.model.schema import Fallback, Keyword, Reply, Rule
from bot.runtime import Runtime
from bot.web.console import formatting
from bot.web.console.check_session import MAX_REFRESHES, CheckSession
from bot.web.console.problem_view import Finding, GroupedFindings, by_rule

#: Cards a page.
PAGE_SIZE: Final = 50

_WEEK = 7 * 24 * 3600.0
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
    """In the last seven days."""
    failure: EventRow | None
    findings: list[Finding]


def add_routes(routes: Blueprint, runtime: Runtime) -> None:
    """
    Add the page; ``?q=`` searches, ``?page=`` turns over.

    After a publication ``?published=`` is how often the page has been shown while the bot had not taken the file yet.
    """
    index, session = _Index(), CheckSession(runtime)

    @routes.get("/rules")
    def rules() -> str:
        rules, validation = runtime.watch.rules, runtime.watch.last_validation
        asked = request.args.get("q", "").strip()
        chosen = index.matching(rules, asked)
        last = max(0, (len(chosen) - 1) // PAGE_SIZE)
        page = min(max(0, request.args.get("page", 1, type=int) - 1), last)
        grouped = by_rule(validation, rules, formatting.language())
        published = request.args.get("published", 0, type=int)
        file_state = session.file_state() if published else None
        cards = list(_cards(runtime, rules, chosen[page * PAGE_SIZE : (page + 1) * PAGE_SIZE], grouped))
        return render_template(
            "console/rules.html",
            asked=asked,
            cards=cards,
            found=len(chosen),
            total=len(rules.file.rules),
            page=page,
            pages_in_all=last + 1,
            previous=url_for("console.rules", q=asked or None, page=page) if page else None,
            next=url_for("console.rules", q=asked or None, page=page + 2) if page < last else None,
            file=runtime.settings.rules_file.name,
            publishes=runtime.settings.console_publish,
            file_state=file_state,
            refresh=published + 1 if file_state == "pending" and published < MAX_REFRESHES else 0,
            trouble=runtime.watch.error,
            is_readable=validation is not None,
            findings=grouped.rest,
            events=formatting.event_names(formatting.language()),
        )


class _Index:
    """The words of the rules, without marks, by which they are searched; made anew for other rules."""

    def __init__(self) -> None:
        self._of: tuple[RuleSet | None, list[str]] = None, []

    def matching(self, rules: RuleSet, asked: str) -> list[int]:
        """
        Return the rules that have all the words asked for, by index in the file; past them, the fallback.

        The rule that is called so comes first, the others as they stand in the file.
        """
        count = len(rules.file.rules) + (rules.file.fallback is not None)
        wanted = fold(asked).split()
        if not wanted:
            return list(range(count))
        held, texts = self._of
        if held is not rules:
            texts = [fold("\n".join(_words(rule))) for rule in rules.file.rules]
            names = ["fallback", *(translator(lang).gettext("The fallback") for lang in get_args(Language))]
            texts += [fold("\n".join(names))] * (rules.file.fallback is not None)
            self._of = rules, texts
        found = [index for index, text in enumerate(texts) if all(word in text for word in wanted)]
        return sorted(found, key=lambda index: texts[index].partition("\n")[0] != fold(asked))


def _words(rule: Rule) -> Iterator[str]:
    yield rule.id
    yield rule.on
    yield rule.pattern or ""
    for keyword in _keywords(rule):
        yield keyword.text
    yield from rule.examples
    for image in rule.reply.images:
        yield image.image_url or image.file or image.attachment_id or ""


def _keywords(rule: Rule) -> Iterator[Keyword]:
    yield from rule.keywords
    yield from rule.exclude
    for group in rule.all_of:
        yield from group


def _cards(runtime: Runtime, rules: RuleSet, chosen: Iterable[int], grouped: GroupedFindings) -> Iterator[RuleCard]:
    reports = EventQueries(runtime.database)
    answers = reports.replies_by_rule(since=runtime.database.now() - _WEEK)
    failures = reports.last_failure_by_rule(_MOST_FAILURES, counts=is_about_rule)
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
