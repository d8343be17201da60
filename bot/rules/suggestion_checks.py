"""Test a suggested keyword before it is shown: against the lint, the file's examples and recent messages."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Final, NamedTuple

from bot.rules.engine import Candidate, RuleSet, compile_rules, rank
from bot.rules.keyword_index import keyword_index
from bot.rules.language.abbreviations import ABBREVIATIONS
from bot.rules.language.syllables import is_syllable, needs_no_marks
from bot.rules.language.text import fold
from bot.rules.linting.lint import check
from bot.rules.linting.misreadings import misreadings
from bot.rules.matching.keywords import parse
from bot.rules.matching.matcher import KeywordPattern, Matcher
from bot.rules.model.schema import Image, Reply, Rule, RuleFile
from bot.rules.problem import Phrase
from bot.rules.reading.loader import Loaded, Places, load

_ANY_REPLY: Final = Reply(images=(Image(image_url="https://shop.vn/1.jpg"),))
_PLAIN_YAML: Final = re.compile(r"\w(?:[\w .%/+-]*[\w%+])?")


class AnsweredMessage(NamedTuple):
    """A message that the rules answer, at its OA and time (seconds since 1970)."""

    text: str
    oa_id: str
    at: float


@dataclass(frozen=True, slots=True)
class Change:
    """A rule with an additional keyword, or a new rule with one keyword."""

    rule: Rule
    index: int | None
    """The index of the rule in the file; None for a new rule."""

    @property
    def keyword(self) -> str:
        """The new keyword."""
        return self.rule.keywords[-1].text

    @property
    def checked(self) -> Rule:
        """The rule as it is checked: a new rule has a placeholder image, because the editor chooses the image."""
        return self.rule if self.index is not None else self.rule.model_copy(update={"reply": _ANY_REPLY})

    def place_in(self, file: RuleFile) -> int:
        """Return the index of the rule in the changed file."""
        return len(file.rules) if self.index is None else self.index


@dataclass(frozen=True)
class ChangeChecker:
    """Tests whether a change of *rules* does harm."""

    rules: RuleSet
    answered: Sequence[AnsweredMessage] = field(default=(), repr=False)
    """Recent messages whose answers must stay the same."""

    def is_harmless(self, change: Change, alone: RuleSet) -> bool:
        """
        Return whether there is no new problem, and all examples and answered messages keep their rules.

        *alone*: the changed rule, compiled alone.
        """
        return not (
            is_doubted(change.keyword)
            or self._is_elsewhere(change)
            or self._takes_example(change)
            or self._draws_problem(change)
            or self._takes_answer(change, alone)
        )

    def _is_elsewhere(self, change: Change) -> bool:
        """Return whether another rule has the keyword, with any match kind, or one that differs by one letter."""
        return bool(keyword_index(self.rules).triggers_like(change.keyword) - {change.index})

    def _takes_example(self, change: Change) -> bool:
        """Return whether an example of another rule, or a `not_examples` sentence of this one, has the keyword."""
        rules = self.rules.file.rules
        texts = (r.not_examples if index == change.index else r.examples for index, r in enumerate(rules))
        return _hits_any(change.keyword, (text for of_rule in texts for text in of_rule))

    def _draws_problem(self, change: Change) -> bool:
        """Return whether the lint finds a new problem in the changed file, among the rules that may be affected."""
        file = self.rules.file
        alike = _shortened_alike(parse(change.keyword).text)
        indexes = sorted({*keyword_index(self.rules).rules_with(change.keyword, alike), change.place_in(file)})
        kept = tuple(file.rules[index] for index in indexes if index < len(file.rules))
        changed = tuple(change.checked if index == change.place_in(file) else file.rules[index] for index in indexes)
        before = _findings(file.model_copy(update={"rules": kept})) if kept else Counter[Phrase]()
        return bool(_findings(file.model_copy(update={"rules": changed})) - before)

    def _takes_answer(self, change: Change, alone: RuleSet) -> bool:
        """Return whether the rule would win a message that another rule answers."""
        place = change.place_in(self.rules.file)
        has_keyword = _finder_of(change.keyword)
        for message in self.answered:
            if not has_keyword(message.text):
                continue
            winners = rank(self.rules, message.text, oa_id=message.oa_id, now=message.at).ranked[:1]
            rivals = rank(alone, message.text, oa_id=message.oa_id, now=message.at).ranked[:1]
            if winners and rivals and winners[0].rule != place and _beats(rivals[0], place, winners[0]):
                return True
        return False


def _beats(candidate: Candidate, place: int, winner: Candidate) -> bool:
    """Return whether a candidate whose rule has the index *place* would beat the winner."""
    return candidate.score._replace(first=-place) > winner.score


@lru_cache(maxsize=4096)
def is_doubted(keyword: str) -> bool:
    """Return whether the keyword lacks its marks, or a rule with only this keyword has a problem."""
    letters = [piece.letters for piece in parse(keyword).pieces]
    if len(letters) == 1 and keyword == letters[0] and is_syllable(keyword) and not needs_no_marks(keyword):
        return True
    written = f'rules: [{{id: a, keywords: [{quoted(keyword)}], reply: {{image_url: "https://a.vn/a.jpg"}}}}]'
    loaded = load(written.encode())
    return loaded.file is None or bool(loaded.problems) or bool(_findings(loaded.file))


def quoted(text: str) -> str:
    """Return a keyword as a YAML list item, quoted if necessary."""
    return text if _PLAIN_YAML.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def _findings(file: RuleFile) -> Counter[Phrase]:
    """Return the lint problems of the rules without their positions; dates are ignored."""
    loaded = Loaded(file, (), "", file, Places.nowhere(len(file.rules)))
    found = [*check(loaded, today=date.min), *misreadings(compile_rules(file, digest=""), loaded.places)]
    return Counter(problem.phrase for problem in found)


@lru_cache(maxsize=4096)
def _shortened_alike(text: str) -> set[str]:
    """Return the other meanings of the abbreviations of *text*."""
    alike = ({meaning.text for meaning in meanings} for meanings in ABBREVIATIONS.values())
    return {other for texts in alike if text in texts for other in texts}


@lru_cache(maxsize=256)
def _matcher_of(keyword: str) -> Matcher:
    return Matcher([KeywordPattern(0, keyword, "phrase")])


def _hits_any(keyword: str, texts: Iterable[str]) -> bool:
    return any(map(_finder_of(keyword), texts))


def _finder_of(keyword: str) -> Callable[[str], bool]:
    """Return a function that tells whether a text has the keyword."""
    pieces = [piece.letters for piece in parse(keyword).pieces]
    matcher = _matcher_of(keyword)
    return lambda text: _may_have(pieces, _folded(text)) and bool(matcher.hits(text).any)


def _may_have(pieces: Sequence[str], folded: str) -> bool:
    """Return whether a text contains at least half of the words unchanged; a fast test that saves most matching."""
    return 2 * sum(letters in folded for letters in pieces) >= len(pieces)


@lru_cache(maxsize=16_384)
def _folded(text: str) -> str:
    return fold(text)
