"""The list of rules: search by words, sort by use or failures, and filter by state."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

from bot.config import Language
from bot.i18n import N_, translator
from bot.rules.engine import FALLBACK, RuleSet
from bot.rules.language.text import fold
from bot.rules.model.schema import Keyword, Rule

RuleSort = Literal["file", "use", "least", "failures"]
RuleState = Literal["unused", "failing", "off", "warned"]

#: Use is counted over so many days, today among them.
USE_DAYS: Final = 30
#: What the list can be sorted by; the first is how it stands in the file.
SORTS: Final[dict[RuleSort, str]] = {
    "file": N_("As in the file"),
    "use": N_("Most used first"),
    "least": N_("Least used first"),
    "failures": N_("Most failures first"),
}
#: Which rules alone can be asked for.
STATES: Final[dict[RuleState, str]] = {
    "unused": N_("Not used in 30 days"),
    "failing": N_("With a failing image"),
    "off": N_("Switched off"),
    "warned": N_("With a warning"),
}


@dataclass(frozen=True, slots=True)
class RuleUse:
    """What happened to the rules of late, by their ids, FALLBACK among them."""

    replies: Mapping[str, int]
    failures: Mapping[str, int]
    """How often its image was at fault."""
    failing: Container[str]
    """Those whose image was at fault at last."""
    warned: Container[int]
    """By index in the file."""


def sort_rules(rules: RuleSet, chosen: list[int], sort: RuleSort, use: RuleUse) -> list[int]:
    """Return the rules, by index in the file, in another order; those used as often as they stood."""
    if sort == "file":
        return chosen
    counts = use.failures if sort == "failures" else use.replies
    return sorted(chosen, key=lambda index: counts.get(rule_id(rules, index), 0), reverse=sort != "least")


def rules_in_state(rules: RuleSet, chosen: list[int], state: RuleState, use: RuleUse) -> list[int]:
    """Return those of the rules, by index in the file, that are in the state."""
    is_in: dict[RuleState, Callable[[int], bool]] = {
        "unused": lambda index: _is_on(rules, index) and not use.replies.get(rule_id(rules, index)),
        "failing": lambda index: rule_id(rules, index) in use.failing,
        "off": lambda index: not _is_on(rules, index),
        "warned": lambda index: index in use.warned,
    }
    return [index for index in chosen if is_in[state](index)]


def rule_id(rules: RuleSet, index: int) -> str:
    """Return the id of the rule at *index* in the file; past the last, the fallback's."""
    return rules.file.rules[index].id if index < len(rules.file.rules) else FALLBACK


def _is_on(rules: RuleSet, index: int) -> bool:
    return index >= len(rules.file.rules) or rules.file.rules[index].enabled


class RuleIndex:
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
