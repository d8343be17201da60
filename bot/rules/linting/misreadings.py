"""Lint keywords that will be misread: inside frequent compounds, or by an abbreviation of two rules' keywords."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final, NamedTuple

from bot.rules.engine import RuleSet, rank
from bot.rules.language.abbreviations import ABBREVIATIONS, Meaning
from bot.rules.language.text import Syllable, fold, syllables, words_of
from bot.rules.matching.keywords import Parsed, parse
from bot.rules.matching.short_forms import abbreviation_keys
from bot.rules.problem import Place, Problem
from bot.rules.reading.loader import Places

_MISLEADING: Final = ("ngân hàng", "cửa hàng", "nhà hàng")
"""Frequent compounds whose last word is the first word of keywords."""
_MAX_SENTENCES: Final = 200  # sentences tried per file
_MIN_SHARE_PERCENT: Final = 30  # percent of the uses of a short form: a rarer meaning is ignored


def _by_end(compounds: Iterable[str]) -> dict[str, list[tuple[str, Syllable]]]:
    """Return compounds with their last word, by the letters of that word."""
    by_end: dict[str, list[tuple[str, Syllable]]] = {}
    for compound in compounds:
        (end,) = syllables(compound.split()[1])
        by_end.setdefault(end.letters, []).append((compound, end))
    return by_end


def _likely(meanings: Iterable[Meaning]) -> list[str]:
    return [meaning.text for meaning in meanings if meaning.share >= _MIN_SHARE_PERCENT]


_ENDS: Final = _by_end(_MISLEADING)
_SHORTENED: Final = frozenset(
    text for meanings in ABBREVIATIONS.values() if len(meanings) > 1 for text in _likely(meanings)
)
"""The likely meanings of an ambiguous short form."""


class _Use(NamedTuple):
    """One keyword and its position."""

    rule: int
    number: int
    text: str
    parsed: Parsed

    def place(self, places: Places) -> Place:
        """Return its place in the file."""
        return places.at("rules", self.rule, "keywords", self.number, "text")


def misreadings(rules: RuleSet, places: Places) -> Iterator[Problem]:
    """Yield a problem for every keyword that matches a sentence with another meaning; the match has been tested."""
    uses = list(_uses(rules))
    yield from _in_compounds(rules, places, uses)
    yield from _short_twins(rules, places, uses)


def _uses(rules: RuleSet) -> Iterator[_Use]:
    """Yield the few keywords that can be misread at all."""
    for index, rule in enumerate(rules.file.rules):
        for number, keyword in enumerate(rule.keywords if rule.enabled and rule.on == "text" else ()):
            parsed = parse(keyword.text)
            first = parsed.syllables[0].letters if parsed.syllables else ""
            if keyword.match == "phrase" and (first in _ENDS or parsed.text in _SHORTENED):
                yield _Use(index, number, keyword.text, parsed)


def _in_compounds(rules: RuleSet, places: Places, uses: list[_Use]) -> Iterator[Problem]:
    """Yield keywords whose first word ends a compound (hàng về, in ngân hàng về), at most one for each rule."""
    warned: set[int] = set()
    for use, sentence, compound in islice(_sentences(uses), _MAX_SENTENCES):
        winner = next(iter(rank(rules, sentence).ranked), None)
        mistaken = winner is not None and winner.rule == use.rule and winner.hits[0].keyword.text == use.text
        if mistaken and use.rule not in warned:
            warned.add(use.rule)
            yield Problem.at(use.place(places), "compound-keyword", word=use.text, sentence=sentence, compound=compound)


def _sentences(uses: list[_Use]) -> Iterator[tuple[_Use, str, str]]:
    """Yield (keyword, sentence, compound): the sentence has the keyword's words, with the first in the compound."""
    for use in uses:
        parts = use.parsed.syllables
        for compound, end in _ENDS.get(parts[0].letters, ()) if len(parts) > 1 else ():
            if parts[0] == end:
                yield use, " ".join([compound, *words_of(use.text)[1:]]), compound


def _short_twins(rules: RuleSet, places: Places, uses: list[_Use]) -> Iterator[Problem]:
    """Yield keywords of two rules that share an abbreviation (đh) which the shop does not define."""
    by_text: dict[str, _Use] = {}
    for use in uses:
        by_text.setdefault(use.parsed.text, use)
    if len({use.rule for use in by_text.values()}) < 2:
        return
    listed = {key for short in rules.file.abbreviations for key in abbreviation_keys(short)}
    for short, meanings in ABBREVIATIONS.items():
        met = [by_text[text] for text in _likely(meanings) if text in by_text]
        if len({use.rule for use in met}) > 1 and short not in listed and not _has_marked_form(short):
            yield from _short_twin(rules, places, short, met)


def _has_marked_form(short: str) -> bool:
    """Return whether the list has the form with marks as well (đh for dh): one warning is enough."""
    return any(other != short and fold(other) == short for other in ABBREVIATIONS)


def _short_twin(rules: RuleSet, places: Places, short: str, met: list[_Use]) -> Iterator[Problem]:
    winner = rank(rules, short).winner
    first = next((use for use in met if use.rule == winner), None)
    for use in met:
        if first is not None and use.rule != first.rule:
            other, line = rules.file.rules[first.rule].id, places.at("rules", first.rule, "id").line
            names = {"short": short, "word": use.text, "its": first.text, "other": other}
            yield Problem.at(use.place(places), "twin-keyword/short", line=line, **names)
