"""The abbreviations that a matcher knows: built-in ones and the shop's own, and the context of ambiguous ones."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from bot.rules.language.abbreviations import ABBREVIATIONS, Meaning
from bot.rules.language.common_words import COMMON_BY_LETTERS
from bot.rules.language.syllables import is_syllable
from bot.rules.language.text import WORDS, fold, normalise, plain, syllables, words_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

_BARE_SHARE: Final = 50  # percent: below it, no meaning is certain

DOTTED: Final = re.compile(r"(?<![^\W_])(?:[bcdđghklmnpqrstvx]{1,2}[/.])+[^\W\d_]+(?![^\W_])")
"""A word with slashes or full stops after initial consonants: đ/c, b.hành, s/đ/t."""


class Context(NamedTuple):
    """Words (folded) next to an ambiguous abbreviation that speak for one meaning, and against it."""

    before: frozenset[str]
    after: frozenset[str]
    not_before: frozenset[str]
    not_after: frozenset[str]

    @classmethod
    def of(cls, meaning: Meaning, others: Sequence[Meaning]) -> Context:
        """Return the context; words that confirm another meaning speak against this one, unless they confirm both."""
        not_before = frozenset().union(*(other.before for other in others)) - meaning.before
        not_after = frozenset().union(*(other.after for other in others)) - meaning.after
        return cls(meaning.before, meaning.after, not_before, not_after)


def abbreviation_keys(text: str) -> tuple[str, ...]:
    """
    Return what customers may type for a shop's own abbreviation, with and without its marks.

    Empty if *text* is not one word, because it can then never be found. Slashes and full stops after one or two
    consonants do not end a word.

    >>> abbreviation_keys("SĐT"), abbreviation_keys("đ/c"), abbreviation_keys("a b")
    (('sđt', 'sdt'), ('đ/c', 'd/c'), ())
    """
    normalised = normalise(text).strip()
    words = WORDS.findall(normalised)
    if DOTTED.fullmatch(normalised):
        return tuple(dict.fromkeys((normalised, fold(normalised))))
    if len(words) != 1 or words[0] != normalised:
        return ()
    return tuple(dict.fromkeys((plain(words[0]), plain(fold(words[0])))))


def meanings_of(abbreviations: Mapping[str, str]) -> Mapping[str, tuple[Meaning, ...]]:
    """Return the meanings of the shop's own abbreviations, with and without marks, and of the built-in ones."""
    if not abbreviations:
        return _built_in()
    meanings = dict(_built_in())
    for short, text in abbreviations.items():
        for key in abbreviation_keys(short):
            others = (meaning for meaning in meanings.get(key, ()) if meaning.text != text)
            meanings[key] = (Meaning(text, 100), *others)
    return meanings


def likely_known(meanings: Mapping[str, Sequence[Meaning]], words: Collection[str]) -> Iterable[str]:
    """
    Return those of the abbreviations that may have a meaning of these words (folded); some may have none.

    Far fewer than all for a rule or two; for a large file all are as good.
    """
    if len(words) >= len(meanings):
        return meanings
    built_in, by_word = _built_in(), _built_in_by_word()
    own = [] if meanings is built_in else [short for short, of in meanings.items() if of is not built_in.get(short)]
    return {short for word in words for short in by_word.get(word, ())}.union(own)


@lru_cache(maxsize=1)
def _built_in_by_word() -> Mapping[str, set[str]]:
    """Return the built-in abbreviations by the words of their meanings, folded."""
    by_word: dict[str, set[str]] = {}
    for short, meanings in _built_in().items():
        for meaning in meanings:
            for word in words_of(meaning.text):
                for syllable in syllables(word):
                    by_word.setdefault(syllable.letters, set()).add(short)
    return by_word


@lru_cache(maxsize=1)
def _built_in() -> Mapping[str, tuple[Meaning, ...]]:
    """
    Return the built-in abbreviations, those with marks also without them.

    If the bare form is another word (xien for xiền), the rest of a keyword must confirm it.
    """
    meanings = dict(ABBREVIATIONS)
    for short, of_short in ABBREVIATIONS.items():
        bare = short if short.isascii() else fold(short)
        if bare in meanings or bare in COMMON_BY_LETTERS:
            continue
        if not is_syllable(bare):
            meanings[bare] = of_short
        elif certain := tuple(Meaning(meaning.text, _BARE_SHARE) for meaning in of_short if meaning.is_certain):
            meanings[bare] = certain
    return meanings
