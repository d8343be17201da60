"""Index of all keywords of a rules file with their positions, for the lint."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot.rules.language.compounds import may_be_compound
from bot.rules.matching.keywords import Parsed, parse
from bot.rules.matching.matcher import Hit
from bot.rules.model.schema import Keyword, Rule, RuleFile
from bot.rules.problem import Place
from bot.rules.reading.loader import Places

_ALL_MARKS = 2


@dataclass(frozen=True, slots=True)
class KeywordUse:
    """One keyword of one rule."""

    index: int
    """Index of the rule in the file."""
    rule: Rule
    keyword: Keyword
    parsed: Parsed
    place: Place

    letters: tuple[str, ...]
    """The words without marks; for punctuation only, the text."""
    marks: int
    """All marks of the words in one number; 0 if there are none."""

    @property
    def words(self) -> tuple[tuple[str, ...], int]:
        """The words with their marks, as a key that is equal for equal words."""
        return self.letters, self.marks

    @property
    def is_guarded(self) -> bool:
        """Whether the matcher reads it as another word if the sender types marks."""
        return len(self.letters) == 1 and self.marks != 0


def always_within(inner: KeywordUse, hit: Hit, outer: KeywordUse) -> bool:
    """
    Return whether *inner*, whose match in the text of *outer* is *hit*, matches every message that has *outer*.

    Guesses (missing spaces, typos and the like) are disregarded: they may match one and not the other.
    """
    if not at_every_place(inner.keyword, outer.keyword):
        return False
    # Marks that outer leaves open, or that are uncertain in single syllables and compounds, may differ in a message.
    may_differ = outer.parsed.any_marks or (
        inner.words != outer.words and (inner.is_guarded or _is_cut_from_compound(inner.letters, outer.letters))
    )
    return inner.parsed.any_marks or (hit.quality == _ALL_MARKS and not may_differ)


def _is_cut_from_compound(inner: tuple[str, ...], outer: tuple[str, ...]) -> bool:
    """Return whether *inner* begins or ends inside a possible compound of two words in *outer*."""
    size = len(inner)
    for first in range(len(outer) - size + 1):
        if outer[first : first + size] == inner:
            edges = (first, first + size)
            if any(0 < edge < len(outer) and may_be_compound(*outer[edge - 1 : edge + 1]) for edge in edges):
                return True
    return False


def at_every_place(inner: Keyword, outer: Keyword) -> bool:
    """Return whether the match kind of *inner* allows every position that that of *outer* allows."""
    if "contains" in {inner.match, outer.match}:
        return inner.match == "contains"
    return inner.match == "phrase" or outer.match in {"exact", inner.match}


@dataclass(frozen=True, slots=True)
class KeywordIndex:
    """The keywords of the enabled rules for texts, in the order of the file."""

    file: RuleFile
    places: Places
    keywords: tuple[KeywordUse, ...]
    excludes: tuple[KeywordUse, ...]
    grouped: tuple[KeywordUse, ...]
    """The keywords in `all_of`."""

    def of_rules(self) -> Iterator[tuple[int, Rule]]:
        """Yield the enabled rules for texts with their indexes."""
        return _in_use(self.file)


def _in_use(file: RuleFile) -> Iterator[tuple[int, Rule]]:
    return ((index, rule) for index, rule in enumerate(file.rules) if rule.enabled and rule.on == "text")


def index_keywords(file: RuleFile, places: Places) -> KeywordIndex:
    """Parse every keyword, once for all checks."""
    keywords: list[KeywordUse] = []
    excludes: list[KeywordUse] = []
    grouped: list[KeywordUse] = []
    for index, rule in _in_use(file):
        lists: list[tuple[list[KeywordUse], tuple[Keyword, ...], tuple[str | int, ...]]]
        lists = [(keywords, rule.keywords, ("keywords",)), (excludes, rule.exclude, ("exclude",))]
        lists += [(grouped, group, ("all_of", number)) for number, group in enumerate(rule.all_of)]
        for target, of_rule, path in lists:
            there = places.under("rules", index, *path) if of_rule else places
            target.extend(_keyword_use(index, rule, k, there.at(number, "text")) for number, k in enumerate(of_rule))
    return KeywordIndex(file, places, tuple(keywords), tuple(excludes), tuple(grouped))


def _keyword_use(index: int, rule: Rule, keyword: Keyword, place: Place) -> KeywordUse:
    parsed = parse(keyword.text)
    letters = tuple([syllable.letters for syllable in parsed.syllables]) or (parsed.text,)
    return KeywordUse(index, rule, keyword, parsed, place, letters, parsed.marks)
