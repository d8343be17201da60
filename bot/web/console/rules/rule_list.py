"""The list of rules: search by words, sort by use or failures, and filter by state."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from bot.i18n import N_, Language, translator
from bot.inbox.database import Database
from bot.inbox.failures import is_about_rule
from bot.inbox.queries import EventQueries, EventRow
from bot.inbox.statistics.rollup import DAY_SECONDS
from bot.inbox.statistics.rule_statistics import rule_counts
from bot.rules.engine import FALLBACK, RuleSet
from bot.rules.language.text import fold
from bot.rules.model.schema import Keyword, Rule

RuleSort = Literal["file", "use", "least", "failures"]
RuleState = Literal["unused", "failing", "off", "warned"]

#: Use is counted over this many days, including today.
USE_DAYS: Final = 30
#: The orders of the list; the first is that of the file.
SORTS: Final[dict[RuleSort, str]] = {
    "file": N_("As in the file"),
    "use": N_("Most used first"),
    "least": N_("Least used first"),
    "failures": N_("Most failures first"),
}
#: The states that the list can be filtered by.
STATES: Final[dict[RuleState, str]] = {
    "unused": N_("Not used in 30 days"),
    "failing": N_("With a failing image"),
    "off": N_("Switched off"),
    "warned": N_("With a warning"),
}

_MAX_FAILURES: Final = 500


@dataclass(frozen=True, slots=True)
class RuleQuery:
    """Search, order and filter of the list."""

    words: str
    sort: RuleSort
    state: RuleState | None
    """None: no filter."""

    @classmethod
    def of(cls, args: Mapping[str, str]) -> RuleQuery:
        """Return the query of a URL: ``?q=``, ``?sort=``, ``?show=``."""
        sort: RuleSort = next((known for known in SORTS if known == args.get("sort")), "file")
        state = next((known for known in STATES if known == args.get("show")), None)
        return cls(args.get("q", "").strip(), sort, state)

    @property
    def args(self) -> dict[str, Any]:
        """The same as query parameters; None: left out."""
        return {"q": self.words or None, "sort": self.sort if self.sort != "file" else None, "show": self.state}


@dataclass(frozen=True, slots=True)
class RuleUse:
    """Recent answers and failures of rules and FALLBACK, by rule id."""

    replies: Mapping[str, int]
    failures: Mapping[str, int]
    """How often the rule's image was at fault."""
    last_failure: Mapping[str, EventRow]
    """The latest event whose image was at fault."""


def rule_use(database: Database) -> RuleUse:
    """Return the answers and failures of the last USE_DAYS."""
    now = database.now()
    counts = rule_counts(database, now - (USE_DAYS - 1) * DAY_SECONDS, now=now)
    last_failure = EventQueries(database).last_failure_by_rule(_MAX_FAILURES, counts=is_about_rule)
    return RuleUse(counts.replies, counts.failures, last_failure)


def select_rules(
    rules: RuleSet, index: RuleIndex, query: RuleQuery, use: RuleUse, *, warned: Container[int]
) -> list[int]:
    """
    Return the indexes of the rules that match the query; the index after the last rule is the fallback's.

    *warned* are the rules with a warning. Rules that are equal in the chosen order stay in the order of the file.
    """
    chosen = index.matching(rules, query.words)
    is_in: dict[RuleState, Callable[[int], bool]] = {
        "unused": lambda index: _is_on(rules, index) and not use.replies.get(rule_id(rules, index)),
        "failing": lambda index: rule_id(rules, index) in use.last_failure,
        "off": lambda index: not _is_on(rules, index),
        "warned": lambda index: index in warned,
    }
    if query.state:
        chosen = [index for index in chosen if is_in[query.state](index)]
    if query.sort == "file":
        return chosen
    counts = use.failures if query.sort == "failures" else use.replies
    return sorted(chosen, key=lambda index: counts.get(rule_id(rules, index), 0), reverse=query.sort != "least")


def rule_id(rules: RuleSet, index: int) -> str:
    """Return the id of the rule at *index*; FALLBACK for the index after the last rule."""
    return rules.file.rules[index].id if index < len(rules.file.rules) else FALLBACK


def _is_on(rules: RuleSet, index: int) -> bool:
    return index >= len(rules.file.rules) or rules.file.rules[index].enabled


class RuleIndex:
    """The words of the rules without marks, for the search; computed again when the rules change."""

    def __init__(self) -> None:
        self._of: tuple[RuleSet | None, list[str]] = None, []

    def matching(self, rules: RuleSet, query: str) -> list[int]:
        """
        Return the indexes of the rules that have all of the words; the index after the last rule is the fallback's.

        A rule whose id equals the words comes first, the others in the order of the file.
        """
        count = len(rules.file.rules) + (rules.file.fallback is not None)
        wanted = fold(query).split()
        if not wanted:
            return list(range(count))
        cached_for, texts = self._of
        if cached_for is not rules:
            texts = [fold("\n".join(_words(rule))) for rule in rules.file.rules]
            names = ["fallback", *(translator(lang).gettext("The fallback") for lang in get_args(Language))]
            texts += [fold("\n".join(names))] * (rules.file.fallback is not None)
            self._of = rules, texts
        found = [index for index, text in enumerate(texts) if all(word in text for word in wanted)]
        return sorted(found, key=lambda index: texts[index].partition("\n")[0] != fold(query))


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
