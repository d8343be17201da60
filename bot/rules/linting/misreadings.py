"""Sentences that rules will misread: keywords inside frequent compounds, short forms that two rules' keywords share."""

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
"""Frequent compounds that end in a word which keywords begin with."""
_MAX_SENTENCES: Final = 200  # of one file are tried: whoever has more has heard enough
_MIN_SHARE_PERCENT: Final = 30  # of the uses of a short form: what is meant less often is no twin


def _by_end(compounds: Iterable[str]) -> dict[str, list[tuple[str, Syllable]]]:
    """Return compounds with their last words, by the letters of these."""
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
"""What a short form with several meanings may well stand for."""


class _Use(NamedTuple):
    """One keyword and where it stands."""

    rule: int
    number: int
    text: str
    parsed: Parsed

    def place(self, places: Places) -> Place:
        """Return where it stands in the file."""
        return places.at("rules", self.rule, "keywords", self.number, "text")


def misreadings(rules: RuleSet, places: Places) -> Iterator[Problem]:
    """Yield a problem for every keyword that a sentence shows to be misread; the sentence has been tried."""
    uses = list(_uses(rules))
    yield from _in_compounds(rules, places, uses)
    yield from _short_twins(rules, places, uses)


def _uses(rules: RuleSet) -> Iterator[_Use]:
    """Yield the keywords that may be misread at all: few of them."""
    for index, rule in enumerate(rules.file.rules):
        for number, keyword in enumerate(rule.keywords if rule.enabled and rule.on == "text" else ()):
            parsed = parse(keyword.text)
            first = parsed.syllables[0].letters if parsed.syllables else ""
            if keyword.match == "phrase" and (first in _ENDS or parsed.text in _SHORTENED):
                yield _Use(index, number, keyword.text, parsed)


def _in_compounds(rules: RuleSet, places: Places, uses: list[_Use]) -> Iterator[Problem]:
    """A keyword the first word of which is the end of a compound: hàng về, in ngân hàng về; one for each rule."""
    warned: set[int] = set()
    for use, sentence, compound in islice(_sentences(uses), _MAX_SENTENCES):
        winner = next(iter(rank(rules, sentence).ranked), None)
        mistaken = winner is not None and winner.rule == use.rule and winner.hits[0].keyword.text == use.text
        if mistaken and use.rule not in warned:
            warned.add(use.rule)
            yield Problem.at(use.place(places), "compound-keyword", word=use.text, sentence=sentence, compound=compound)


def _sentences(uses: list[_Use]) -> Iterator[tuple[_Use, str, str]]:
    """Yield keywords of two words or more, each with a sentence that has them otherwise, and the compound in that."""
    for use in uses:
        parts = use.parsed.syllables
        for compound, end in _ENDS.get(parts[0].letters, ()) if len(parts) > 1 else ():
            if parts[0] == end:
                yield use, " ".join([compound, *words_of(use.text)[1:]]), compound


def _short_twins(rules: RuleSet, places: Places, uses: list[_Use]) -> Iterator[Problem]:
    """Keywords of two rules that customers shorten alike (đh), where the shop does not say what it means."""
    by_text: dict[str, _Use] = {}
    for use in uses:
        by_text.setdefault(use.parsed.text, use)
    listed = {key for short in rules.file.abbreviations for key in abbreviation_keys(short)}
    for short, meanings in ABBREVIATIONS.items():
        met = [by_text[text] for text in _likely(meanings) if text in by_text]
        if len({use.rule for use in met}) > 1 and short not in listed and not _has_marked_form(short):
            yield from _short_twin(rules, places, short, met)


def _has_marked_form(short: str) -> bool:
    """Return whether the form is in the list with marks too (đh for dh): one warning will do."""
    return any(other != short and fold(other) == short for other in ABBREVIATIONS)


def _short_twin(rules: RuleSet, places: Places, short: str, met: list[_Use]) -> Iterator[Problem]:
    winner = rank(rules, short).winner
    first = next((use for use in met if use.rule == winner), None)
    for use in met:
        if first is not None and use.rule != first.rule:
            other, line = rules.file.rules[first.rule].id, places.at("rules", first.rule, "id").line
            names = {"short": short, "word": use.text, "its": first.text, "other": other}
            yield Problem.at(use.place(places), "twin-keyword/short", line=line, **names)
