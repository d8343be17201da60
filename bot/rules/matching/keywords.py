"""Keywords parsed into syllables, and the words of a message they are compared with."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from bot.rules.language.abbreviations import PARTICLES
from bot.rules.language.syllables import is_syllable, needs_no_marks
from bot.rules.language.text import WORDS_AND_SIGNS, Syllable, chain, normalise, syllables, without_urls

MAX_SYLLABLES: Final = 16
if TYPE_CHECKING:
    from collections.abc import Sequence

_MAX_REMEMBERED_LENGTH = 100


class TokenKind(Enum):
    """How a message is cut into tokens to look for a keyword."""

    WORDS = "words"  # letters and digits only: an emoji between two words is ignored
    SIGNS = "signs"  # the keyword has an emoji, %, +, $ or the like: these count as words
    RAW = "raw"  # only punctuation: searched for literally


class Output(NamedTuple):
    """A pattern that has a keyword, in the form that the scan needs."""

    pattern: int  # index among the matcher's patterns
    target: int  # patterns with the same target compete for its best hit
    least_spread: int
    forgiving: bool  # accepts a guessed typo


@dataclass(slots=True)
class Keyword:
    """One or more words, and the patterns that have them."""

    syllables: tuple[Syllable, ...]
    any_marks: bool = False
    outputs: list[Output] = field(default_factory=list)
    letters: tuple[str, ...] = field(init=False)
    """The words without marks."""
    marks: int = field(init=False)
    size: int = field(init=False)

    def __post_init__(self) -> None:
        self.letters = tuple([syllable.letters for syllable in self.syllables])
        self.marks, _ = chain(self.syllables)
        self.size = sum(map(len, self.letters))


class Piece(NamedTuple):
    """A word or sign of a keyword: as one string without marks, and as syllables."""

    text: str
    letters: str
    syllables: tuple[Syllable, ...]
    marks: int  # of the syllables, as `chain` packs them


class Parsed(NamedTuple):
    """A parsed keyword: the words and signs that count, and the normalised whole."""

    token_kind: TokenKind
    pieces: tuple[Piece, ...]
    text: str
    syllables: tuple[Syllable, ...]
    """All syllables in a row."""
    marks: int
    """The marks of all syllables, as `chain` packs them; 0 if there are none."""

    @property
    def marks_exact(self) -> bool:
        """Whether it is one syllable that is a word without marks, so that marks make it another word."""
        return len(self.syllables) == 1 and not self.marks and needs_no_marks(self.syllables[0].letters)

    @property
    def any_marks(self) -> bool:
        """Whether it was written without marks and matches its letters with any marks."""
        return not self.marks and not self.marks_exact

    @property
    def cut(self) -> bool:
        """Whether it is longer than the part that is compared."""
        return len(self.syllables) > MAX_SYLLABLES

    def keyword(self) -> Keyword:
        """Return the part that is compared."""
        return Keyword(self.syllables[:MAX_SYLLABLES], self.any_marks)


class MessageWord:
    """One word of a message: its properties that do not depend on the keywords."""

    __slots__ = ("alphabetic", "bare", "letters", "marked", "syllable", "text", "unmarked")

    def __init__(self, text: str, parts: Sequence[Syllable]) -> None:
        marks, _ = chain(parts)
        self.text = text
        self.syllable = parts[0] if len(parts) == 1 else None
        self.letters = "".join([part.letters for part in parts])
        self.alphabetic = self.letters.isalpha()
        self.marked = self.alphabetic and marks != 0 and text not in PARTICLES
        self.unmarked = not marks and is_syllable(self.letters) and not needs_no_marks(self.letters)
        self.bare = "" if marks else self.letters


def parse(text: str) -> Parsed:
    """Parse a keyword into words and syllables."""
    return _remembered(text) if len(text) <= _MAX_REMEMBERED_LENGTH else _parse(text)


def _parse(text: str) -> Parsed:
    normalised = normalise(text).strip()
    found = WORDS_AND_SIGNS.findall(without_urls(normalised))
    pieces = tuple(_piece(piece, parts) for piece in found if (parts := as_syllables(piece)))
    in_a_row = tuple(syllable for piece in pieces for syllable in piece.syllables)
    signs = any(is_sign(piece.text) for piece in pieces)
    kind = TokenKind.SIGNS if signs else TokenKind.WORDS if pieces else TokenKind.RAW
    return Parsed(kind, pieces, normalised, in_a_row, chain(in_a_row)[0])


# Cached: the checks, the matcher and the next reading of the file parse the same keywords.
_remembered = lru_cache(maxsize=16_384)(_parse)


def _piece(text: str, parts: tuple[Syllable, ...]) -> Piece:
    return Piece(text, "".join([part.letters for part in parts]), parts, chain(parts)[0])


def as_syllables(piece: str) -> tuple[Syllable, ...]:
    """Return the syllables of a word; a sign is one syllable, punctuation none."""
    if piece[0].isalnum():
        return syllables(piece)
    return (Syllable(piece, 0, 0),) if is_sign(piece) else ()


def is_sign(piece: str) -> bool:
    """Return whether a character counts as a word in the keywords that contain it: emoji, currency, %, &, +, arrows."""
    return piece in {"%", "&"} or (len(piece) == 1 and unicodedata.category(piece) in {"Sm", "Sc", "Sk", "So", "Cn"})
