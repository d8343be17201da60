"""Candidate readings of a typed word: as typed, stretched, abbreviated, glued, respelled, mistyped, undecoded Telex."""

from __future__ import annotations

from enum import IntEnum
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from bot.rules.language.common_words import COMMON_BY_LETTERS, FOREIGN_WORDS, is_word
from bot.rules.language.spelling import (
    is_one_edit_apart,
    one_letter_less,
    respellings,
    sound_alikes,
    squeezed,
    squeezed_text,
    with_other_i,
)
from bot.rules.language.syllables import is_syllable
from bot.rules.language.telex import decode
from bot.rules.language.text import WORDS, Letter, Syllable, chain, fold, letters_of, plain, syllables, words_of
from bot.rules.matching.short_forms import DOTTED, Context, likely_known

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from bot.rules.language.abbreviations import Meaning
    from bot.rules.matching.keywords import Keyword

_MIN_JOINED_LENGTH: Final = 5
_MIN_JOINED_PAIR_LENGTH: Final = 4  # within a longer keyword
_MIN_TYPO_LENGTH: Final = 5
_MIN_TYPO_LENGTH_IN_CONTEXT: Final = 4
_MAX_GUESSED_LENGTH: Final = 20
_MIN_GLUED_LENGTH: Final = 3
_MIN_SURE_LENGTH: Final = 4


class MatchKind(IntEnum):
    """How a typed word differs from a keyword's, the most certain kind first."""

    AS_TYPED = 0
    STRETCHED = 1  # giááá, shoppp
    ABBREVIATION = 2  # ko
    JOINED = 3  # banggia
    SPLIT = 4  # in box
    GLUED = 5  # size38, xingiá
    SPELLING = 6  # khôg, zá
    AMBIGUOUS = 7  # ck for chuyển khoản, where its neighbours exclude chồng (husband)
    TYPO = 8  # khuyne
    TELEX = 9  # gias
    TONE = 10  # đỗi for đổi


class Edge(IntEnum):
    """Whether a reading covers the whole typed word."""

    WHOLE = 0
    SUFFIX = 1  # a match can only begin with it
    PREFIX = 2  # a match can only end with it


class Reading(NamedTuple):
    """
    A typed word read as these words of keywords, with its marks as `chain` packs them.

    *proof*: the evidence for the match: 2 for a word that can be nothing else, 1 if its marks may be missing; negative
    if the rest of the keyword must prove it. A match counts if the sum over its words is at least 0.
    """

    letters: tuple[str, ...]
    marks: int
    typed: int
    bits: int
    kind: MatchKind
    proof: int
    edge: Edge = Edge.WHOLE
    context: Context | None = None
    """Neighbours that must confirm it if the rest of the keyword does not."""


def _reading(
    parts: Sequence[Syllable],
    kind: MatchKind,
    proof: int,
    edge: Edge = Edge.WHOLE,
    context: Context | None = None,
) -> Reading:
    marks, typed = chain(parts)
    letters = tuple([part.letters for part in parts])
    return Reading(letters, marks, typed, sum([part.bits for part in parts]), kind, proof, edge, context)


def _abbreviation(meaning: Meaning, parts: Sequence[Syllable], of_short: Sequence[Meaning]) -> Reading:
    if meaning.is_certain:
        return _reading(parts, MatchKind.ABBREVIATION, len(parts))
    context = Context.of(meaning, [other for other in of_short if other is not meaning])
    return _reading(parts, MatchKind.AMBIGUOUS, -1, context=context)


def _proof_of(parts: Sequence[Syllable]) -> int:
    return sum(2 if part.marks or not is_syllable(part.letters) else 1 for part in parts)


class Lexicon:
    """All words of all keywords, to be recognised in what people type. Immutable."""

    def __init__(
        self,
        keywords: Iterable[Keyword],
        meanings: Mapping[str, Sequence[Meaning]],
        *,
        typos: bool,
    ) -> None:
        self._keywords = tuple({keyword.letters for keyword in keywords})
        self._words = {word for words in self._keywords for word in words}
        self._abbreviations = meanings
        self._meanings = dict(self._known_meanings(meanings))
        self._forgives_typos = typos

    # The indexes below are built at the first unknown word, so that reading a file does not wait for them.

    @cached_property
    def _joined(self) -> Mapping[str, Mapping[tuple[int, ...], int]]:
        """
        Words of keywords without the space between them: the lengths of the words, and the proof of the reading.

        The proof is 0 if only typed marks make the reading certain.
        """
        joined: dict[str, dict[tuple[int, ...], int]] = {}
        for words in self._keywords:
            together = "".join(words)
            if len(words) > 1 and len(together) >= _MIN_JOINED_PAIR_LENGTH and together.isalpha():
                clear = len(together) >= _MIN_JOINED_LENGTH or not any(map(is_word, words))
                joined.setdefault(together, {})[tuple(map(len, words))] = len(words) if clear else 0
        for words in self._keywords:
            for first, second in pairwise(words) if len(words) > 2 else ():
                together = first + second
                if len(together) >= _MIN_JOINED_PAIR_LENGTH and together.isalpha():
                    proof = 2 if len(together) >= _MIN_JOINED_LENGTH else -1
                    joined.setdefault(together, {}).setdefault((len(first), len(second)), proof)
        return joined

    @cached_property
    def _initials(self) -> Mapping[str, set[tuple[str, str]]]:
        """Pairs of neighbours in a keyword, by the first letter of the first and the whole second word."""
        initials: dict[str, set[tuple[str, str]]] = {}
        for words in self._keywords:
            for first, second in pairwise(words):
                if len(first) > 1:
                    initials.setdefault(first[0] + second, set()).add((first, second))
        return initials

    @cached_property
    def _typos(self) -> Mapping[str, Sequence[str]]:
        """The words of keywords by their deletions of one letter (symmetric delete spelling correction)."""
        typos: dict[str, list[str]] = {}
        for word in sorted(self._words) if self._forgives_typos else ():
            if len(word) >= _MIN_TYPO_LENGTH_IN_CONTEXT and word.isalpha():
                for shorter in one_letter_less(word):
                    typos.setdefault(shorter, []).append(word)
        return typos

    def _known_meanings(self, meanings: Mapping[str, Sequence[Meaning]]) -> Iterator[tuple[str, list[Reading]]]:
        """Yield the abbreviations with a meaning that consists of keywords' words."""
        for short in likely_known(meanings, self._words):
            known, of_short = [], meanings[short]
            for meaning in of_short:
                parts, words = _syllables_of(meaning.text)
                if parts and self._words >= words:
                    known.append(_abbreviation(meaning, parts, of_short))
            if known:
                yield short, known

    def has(self, word: str) -> bool:
        """Return whether a word with a slash or full stop (``đ/c``, ``b.hành``) is one abbreviation."""
        return word in self._meanings or fold(plain(word)) in self._initials

    def readings(self, word: str, parts: Sequence[Syllable]) -> tuple[Reading, ...]:
        """Return all readings of a normalised word and its syllables."""
        found: list[Reading] = []
        if self._words.issuperset([part.letters for part in parts]):
            found.append(_reading(parts, MatchKind.AS_TYPED, _proof_of(parts)))
        found += self._abbreviated(word)
        if len(parts) == 1 and parts[0].letters.isalpha():
            if len(parts[0].letters) <= _MAX_GUESSED_LENGTH:
                found += self._guessed(plain(word), parts[0])
        elif len(parts) > 1:
            found += self._beside_digits(parts)
            found += self._undecoded(word)
        if not word.isalnum() and DOTTED.fullmatch(word):
            found += self._in_pieces(word)
        return tuple(found)

    def _in_pieces(self, word: str) -> Iterator[Reading]:
        """Yield the reading of a word as the parts between its slashes or full stops."""
        pieces = [syllables(piece)[0] for piece in WORDS.findall(word)]
        for parts, edge in ((pieces, Edge.WHOLE), (pieces[-1:], Edge.SUFFIX), (pieces[:1], Edge.PREFIX)):
            if self._words.issuperset([part.letters for part in parts]):
                yield _reading(parts, MatchKind.AS_TYPED, _proof_of(parts), edge)

    def _guessed(self, word: str, typed: Syllable) -> Iterator[Reading]:
        yield from self._with_other_i(word)
        if is_syllable(typed.letters):
            if "oo" in word:  # khoong looks like a syllable, but only xoong and the like are
                yield from self._undecoded(word)
            yield from self._sound_alike(word, typed)
            yield from self._with_a_letter_lost(word, typed)
            return
        yield from self._joined_words(word, typed)
        if typed.letters in FOREIGN_WORDS:
            return
        yield from self._stretched(word, typed)
        yield from self._respelled(word, typed)
        yield from self._glued_words(word, typed)
        if decode(word):
            yield from self._undecoded(word)
        else:
            yield from self._initialled(word, typed)
            yield from self._mistyped(typed)

    def _abbreviated(self, word: str) -> Sequence[Reading]:
        short = plain(word)
        for key in (word, short):
            if key in self._meanings:
                return self._meanings[key]
        once = squeezed_text(short)  # kooo; but kkk is laughter
        return self._meanings.get(once, ()) if 1 < len(once) < len(short) else ()

    def _stretched(self, word: str, typed: Syllable) -> Iterator[Reading]:
        for syllable in squeezed(letters_of(word)):
            if syllable.letters in self._words and syllable.letters != typed.letters:
                yield _reading([syllable], MatchKind.STRETCHED, 1)

    def _with_other_i(self, word: str) -> Iterator[Reading]:
        other = with_other_i(word)
        if other is not None:
            (syllable,) = syllables(other)
            if syllable.letters in self._words:
                yield _reading([syllable], MatchKind.SPELLING, 1 if syllable.marks else -1)

    def _respelled(self, word: str, typed: Syllable) -> Iterator[Reading]:
        sure = typed.marks != 0 or len(word) >= _MIN_SURE_LENGTH
        for spelled in respellings(word):
            (syllable,) = syllables(spelled)
            if syllable.letters in self._words:
                yield _reading([syllable], MatchKind.SPELLING, 0 if sure else -1)

    def _sound_alike(self, word: str, typed: Syllable) -> Iterator[Reading]:
        if typed.marks and word not in self._abbreviations:
            for spelled in sound_alikes(word):
                (syllable,) = syllables(spelled)
                if syllable.letters in self._words:
                    yield _reading([syllable], MatchKind.SPELLING, -1)

    def _joined_words(self, word: str, typed: Syllable) -> Iterator[Reading]:
        letters = letters_of(word)
        for lengths, proof in sorted(self._joined.get(typed.letters, {}).items()):
            parts, start = [], 0
            for length in lengths:
                parts.append(Syllable.of(letters[start : start + length]))
                start += length
            yield _reading(parts, MatchKind.JOINED, proof or (len(lengths) if typed.marks else -1))

    def _initialled(self, word: str, typed: Syllable) -> Iterator[Reading]:
        """Yield two words, the first abbreviated to its first letter: ktra, bhành, đlịch."""
        if word in self._abbreviations:
            return
        for first, second in sorted(self._initials.get(typed.letters, ())):
            initial, *rest = letters_of(word)
            shape = Syllable.of([initial, *(Letter(letter, 0, 0) for letter in first[1:])])
            sure = len(second) >= _MIN_GLUED_LENGTH
            yield _reading([shape, Syllable.of(rest)], MatchKind.ABBREVIATION, 0 if sure else -1)

    def _glued_words(self, word: str, typed: Syllable) -> Iterator[Reading]:
        """Yield a keyword's word typed without the space to a neighbour: shopgiao hàng, tra đơnchưa."""
        letters = letters_of(word)
        for cut in range(1, len(letters)):
            left, right = typed.letters[:cut], typed.letters[cut:]
            if not (is_word(left) and is_word(right)):
                continue
            for part, other, edge, own in (
                (right, left, Edge.SUFFIX, letters[cut:]),
                (left, right, Edge.PREFIX, letters[:cut]),
            ):
                if part in self._words:
                    sure = len(part) >= _MIN_GLUED_LENGTH and (
                        other in COMMON_BY_LETTERS or not is_syllable(part) or _both_marked(letters, cut)
                    )
                    yield _reading([Syllable.of(own)], MatchKind.GLUED, 0 if sure else -1, edge)

    def _beside_digits(self, parts: Sequence[Syllable]) -> Iterator[Reading]:
        """Yield a word next to digits: size38, 2màu."""
        for part, edge in ((parts[0], Edge.PREFIX), (parts[-1], Edge.SUFFIX)):
            if len(part.letters) >= _MIN_GLUED_LENGTH and part.letters.isalpha() and part.letters in self._words:
                yield _reading([part], MatchKind.GLUED, 1, edge)

    def _undecoded(self, word: str) -> Iterator[Reading]:
        syllable = decode(word)
        if syllable is not None and syllable.letters in self._words:
            keys = len(plain(word)) - len(syllable.letters)
            proof = -1 if len(word) < _MIN_SURE_LENGTH else 0 if keys == 1 else 1
            yield _reading([syllable], MatchKind.TELEX, proof)

    def _with_a_letter_lost(self, word: str, typed: Syllable) -> Iterator[Reading]:
        """Yield words that lost a letter and became another syllable (khoản, khản): only next to other words."""
        letters = typed.letters
        if len(letters) < _MIN_TYPO_LENGTH - 1 or letters in COMMON_BY_LETTERS or word in self._abbreviations:
            return
        for known in self._typos.get(letters, ()):
            if len(known) > len(letters):
                yield _reading([typed.bare_shapes(known)], MatchKind.TYPO, -1 if typed.marks else -2)

    def _mistyped(self, typed: Syllable) -> Iterator[Reading]:
        """Yield the words one edit away; a short one, or another first letter, only next to other words."""
        word = typed.letters
        if len(word) < _MIN_TYPO_LENGTH_IN_CONTEXT - 1:
            return
        near = {known for shorter in one_letter_less(word) for known in self._typos.get(shorter, ())}
        for known in sorted(near):
            if is_one_edit_apart(word, known):
                foreign = len(word) >= _MIN_TYPO_LENGTH_IN_CONTEXT and not is_syllable(known)
                sure = len(known) >= _MIN_TYPO_LENGTH and (foreign or len(word) >= _MIN_TYPO_LENGTH)
                sure = sure and word[0] == known[0]
                proof = 0 if sure else -1 if typed.marks else -2
                yield _reading([typed.bare_shapes(known)], MatchKind.TYPO, proof)


@lru_cache(maxsize=2048)
def _syllables_of(meaning: str) -> tuple[tuple[Syllable, ...], frozenset[str]]:
    """Return the syllables of an abbreviation's meaning, and their letters. Cached: most are built in."""
    parts = tuple(part for word in words_of(meaning) for part in syllables(word))
    return parts, frozenset(part.letters for part in parts)


def _both_marked(letters: Sequence[Letter], cut: int) -> bool:
    """Return whether the letters before and after *cut* both have marks."""
    marked = [letter.tones or letter.shape for letter in letters]
    return any(marked[:cut]) and any(marked[cut:])
