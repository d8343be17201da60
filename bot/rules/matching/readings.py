"""Candidate readings of a typed word: as typed, stretched, abbreviated, run together, split, one typo."""

from __future__ import annotations

import re
from enum import IntEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from bot.rules.language.abbreviations import ABBREVIATIONS
from bot.rules.language.syllables import is_syllable
from bot.rules.language.text import WORDS, Letter, Syllable, chain, fold, letters_of, normalise, plain, syllables

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from bot.rules.matching.keywords import Keyword

_MIN_JOINED_LENGTH: Final = 5
_MIN_TYPO_LENGTH: Final = 5
_MAX_TYPO_LENGTH: Final = 20
_REPEATED = re.compile(r"(.)\1+")


class MatchKind(IntEnum):
    """What bridges a typed word and a keyword's, the surest first."""

    AS_TYPED = 0
    STRETCHED = 1  # giááá, shoppp
    ABBREVIATION = 2  # ko
    JOINED = 3  # banggia
    SPLIT = 4  # in box
    TYPO = 5  # khuyne


class Reading(NamedTuple):
    """A typed word read as these words of keywords, its marks in the form of `chain`."""

    letters: tuple[str, ...]
    marks: int
    typed: int
    bits: int
    kind: MatchKind


def _reading(parts: Sequence[Syllable], kind: MatchKind) -> Reading:
    marks, typed = chain(parts)
    return Reading(tuple(part.letters for part in parts), marks, typed, sum(part.bits for part in parts), kind)


class Lexicon:
    """All words of all keywords, found again in what people type; never changes once made."""

    def __init__(
        self,
        keywords: Iterable[Keyword],
        abbreviations: Mapping[str, Sequence[str]],
        *,
        typos: bool,
    ) -> None:
        self._words: set[str] = set()
        self._joined: dict[str, set[tuple[int, ...]]] = {}
        for keyword in keywords:
            self._words.update(keyword.letters)
            self._learn_joined(keyword.letters)
        self._squeezed: dict[str, list[str]] = {}
        for word in sorted(self._words):
            if word.isalpha() and not is_syllable(word):
                self._squeezed.setdefault(_REPEATED.sub(r"\1", word), []).append(word)
        self._meanings = dict(self._known_meanings(abbreviations))
        self._typos: dict[str, list[str]] = {}
        for word in sorted(self._words) if typos else ():
            if len(word) >= _MIN_TYPO_LENGTH and word.isalpha():
                for shorter in _one_letter_less(word):
                    self._typos.setdefault(shorter, []).append(word)

    def _learn_joined(self, words: Sequence[str]) -> None:
        together = "".join(words)
        if len(words) > 1 and len(together) >= _MIN_JOINED_LENGTH and together.isalpha():
            self._joined.setdefault(together, set()).add(tuple(map(len, words)))

    def _known_meanings(self, abbreviations: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, list[Reading]]]:
        """Yield the abbreviations some meaning of which is made of keywords' words alone."""
        for short, meanings in abbreviations.items():
            known = [
                _reading(meaning, MatchKind.ABBREVIATION)
                for meaning, words in map(_syllables_of, meanings)
                if meaning and self._words >= words
            ]
            if known:
                yield short, known

    def readings(self, word: str, parts: Sequence[Syllable]) -> tuple[Reading, ...]:
        """
        Return every way to read one normalised word and its syllables.

        What is itself a word of some keyword is never taken for a stretched, joined or mistyped one:
        that deliberately lets one rule's keyword end another's guess.
        """
        found = list(self._abbreviated(plain(word)))
        if all(part.letters in self._words for part in parts):
            return (_reading(parts, MatchKind.AS_TYPED), *found)
        if len(parts) == 1 and parts[0].letters.isalpha():
            found = found or list(self._stretched(word, parts[0]))
            found += self._run_together(word, parts[0])
            found = found or list(self._mistyped(parts[0]))
        return tuple(found)

    def _abbreviated(self, word: str) -> Sequence[Reading]:
        if word in self._meanings or not word.isalpha():
            return self._meanings.get(word, ())
        once = _REPEATED.sub(r"\1", word)  # kooo; but kkk is laughter
        return self._meanings.get(once, ()) if len(once) > 1 else ()

    def _stretched(self, word: str, typed: Syllable) -> Iterator[Reading]:
        if is_syllable(typed.letters):
            return  # xoong is no stretched xong
        syllable = typed
        for least in (3, 2) if _REPEATED.search(typed.letters) else ():
            syllable = Syllable.of(_squeeze(letters_of(plain(word)), least))
            if syllable.letters in self._words:
                yield _reading([syllable], MatchKind.STRETCHED)
                return
        for known in self._squeezed.get(syllable.letters, ()):
            yield _reading([syllable.bare_shapes(known)], MatchKind.STRETCHED)

    def _run_together(self, word: str, typed: Syllable) -> Iterator[Reading]:
        for lengths in sorted(self._joined.get(typed.letters, ())):
            letters = letters_of(plain(word))
            parts, start = [], 0
            for length in lengths:
                parts.append(Syllable.of(letters[start : start + length]))
                start += length
            yield _reading(parts, MatchKind.JOINED)

    def _mistyped(self, typed: Syllable) -> Iterator[Reading]:
        """Yield the one word that is one edit away: not for a word that exists, and not if there are two."""
        word = typed.letters
        if not _MIN_TYPO_LENGTH <= len(word) <= _MAX_TYPO_LENGTH or is_syllable(word):
            return
        near = {
            known
            for shorter in _one_letter_less(word)
            for known in self._typos.get(shorter, ())
            if one_edit_apart(word, known)
        }
        if len(near) == 1:
            yield _reading([typed.bare_shapes(near.pop())], MatchKind.TYPO)


@lru_cache(maxsize=1024)
def _syllables_of(meaning: str) -> tuple[tuple[Syllable, ...], frozenset[str]]:
    """Return the syllables, and their letters, of what an abbreviation stands for: most do so for all rules."""
    parts = tuple(part for word in words_of(meaning) for part in syllables(word))
    return parts, frozenset(part.letters for part in parts)


def words_of(text: str) -> list[str]:
    """Return the words of *text*, each normalised."""
    return WORDS.findall(normalise(text))


def abbreviation_keys(text: str) -> tuple[str, ...]:
    """
    Return what customers may type for a shop's own abbreviation, with its marks and without.

    Empty if *text* is not one word (``đ/c``): then it can never be met.

    >>> abbreviation_keys("SĐT"), abbreviation_keys("đ/c")
    (('sđt', 'sdt'), ())
    """
    words = words_of(text)
    if len(words) != 1 or words[0] != normalise(text).strip():
        return ()
    return tuple(dict.fromkeys((plain(words[0]), plain(fold(words[0])))))


def meanings_of(abbreviations: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Return what short words may stand for: the shop's own, typed with or without marks, and the built-in ones."""
    meanings = dict(ABBREVIATIONS)
    for short, meaning in abbreviations.items():
        for key in abbreviation_keys(short):
            meanings[key] = tuple(dict.fromkeys((meaning, *meanings.get(key, ()))))
    return meanings


def _squeeze(letters: list[Letter], least: int) -> list[Letter]:
    """Return the letters with each run of *least* or more equal ones made one letter, with the marks of all."""
    squeezed: list[Letter] = []
    start = 0
    for end in range(1, len(letters) + 1):
        if end < len(letters) and letters[end].base == letters[start].base:
            continue
        run = letters[start:end]
        squeezed += [_merged(run)] if len(run) >= least else run
        start = end
    return squeezed


def _merged(run: list[Letter]) -> Letter:
    tones = shape = 0
    for letter in run:
        tones |= letter.tones
        shape |= letter.shape
    return Letter(run[0].base, tones, shape)


def _one_letter_less(word: str) -> set[str]:
    """Return the word and all that is left of it without one letter; the first letter is never in doubt."""
    return {word} | {word[:i] + word[i + 1 :] for i in range(1, len(word))}


def one_edit_apart(one: str, other: str) -> bool:
    """
    Return whether one letter more, less or other, or two neighbours swapped, makes one word of the other.

    >>> one_edit_apart("khuyne", "khuyen"), one_edit_apart("gia", "gai"), one_edit_apart("gia", "gioi")
    (True, True, False)
    """
    start, end = 0, 0
    shorter = min(len(one), len(other))
    while start < shorter and one[start] == other[start]:
        start += 1
    while end < shorter - start and one[-1 - end] == other[-1 - end]:
        end += 1
    left, right = one[start : len(one) - end], other[start : len(other) - end]
    return max(len(left), len(right)) == 1 or (len(left) == 2 and left == right[::-1])
