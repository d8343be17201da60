"""What a keyword asks for: its words, how strictly its marks count, and which needles share it."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, NamedTuple

from bot.rules.syllables import needs_no_marks
from bot.rules.text import WORDS_AND_SIGNS, Syllable, chain, normalise, syllables, without_urls

MAX_SYLLABLES: Final = 16


class Stream(Enum):
    """As what a message is looked at for a keyword."""

    WORDS = "words"  # letters and digits only: an emoji between two words separates nothing
    SIGNS = "signs"  # the keyword has an emoji, %, +, $ or the like: then these count as words too
    RAW = "raw"  # nothing but punctuation: looked for as it is


class Target(NamedTuple):
    """A needle that wants a keyword, as the scan needs it."""

    needle: int  # its place among the matcher's needles
    slot: int  # what competes for the same best hit
    least_spread: int
    forgiving: bool  # a guessed typo will do


@dataclass(slots=True)
class Keyword:
    """One or more words, and everybody who looks for them."""

    syllables: tuple[Syllable, ...]
    any_marks: bool = False
    targets: list[Target] = field(default_factory=list)
    marks: int = field(init=False)
    size: int = field(init=False)
    guarded: bool = field(init=False)

    def __post_init__(self) -> None:
        self.marks, _ = chain(self.syllables)
        self.size = sum(len(syllable.letters) for syllable in self.syllables)
        self.guarded = len(self.syllables) == 1 and self.marks != 0

    @property
    def letters(self) -> tuple[str, ...]:
        """The words without marks."""
        return tuple(syllable.letters for syllable in self.syllables)


class Piece(NamedTuple):
    """A word or sign of a keyword, as one string without marks and as the syllables it is cut into."""

    text: str
    letters: str
    syllables: tuple[Syllable, ...]


class Parsed(NamedTuple):
    """A keyword as written, taken apart: the words and signs that count, and the whole of it normalised."""

    stream: Stream
    pieces: tuple[Piece, ...]
    text: str

    @property
    def syllables(self) -> tuple[Syllable, ...]:
        """All syllables in a row."""
        return tuple(syllable for piece in self.pieces for syllable in piece.syllables)

    @property
    def literal(self) -> bool:
        """Whether it is one syllable that is correct without marks, so that marks make another word of it."""
        parts = self.syllables
        return len(parts) == 1 and not parts[0].marks and needs_no_marks(parts[0].letters)

    @property
    def any_marks(self) -> bool:
        """Whether it was written without marks and stands for its letters with whatever marks."""
        return not chain(self.syllables)[0] and not self.literal

    @property
    def cut(self) -> bool:
        """Whether it is longer than what is compared."""
        return len(self.syllables) > MAX_SYLLABLES

    def keyword(self) -> Keyword:
        """Return what is compared of it."""
        return Keyword(self.syllables[:MAX_SYLLABLES], self.any_marks)


def parse(text: str) -> Parsed:
    """Take a keyword apart."""
    normalised = normalise(text).strip()
    found = [(piece, as_syllables(piece)) for piece in WORDS_AND_SIGNS.findall(without_urls(normalised))]
    pieces = tuple(Piece(piece, "".join(part.letters for part in parts), parts) for piece, parts in found if parts)
    signs = any(is_sign(piece.text) for piece in pieces)
    return Parsed(Stream.SIGNS if signs else Stream.WORDS if pieces else Stream.RAW, pieces, normalised)


def as_syllables(piece: str) -> tuple[Syllable, ...]:
    """Return the syllables of a word, a sign as the one syllable that it is, nothing for punctuation."""
    if piece[0].isalnum():
        return syllables(piece)
    return (Syllable(piece, 0, 0),) if is_sign(piece) else ()


def is_sign(piece: str) -> bool:
    """Return whether one character counts as a word in keywords that have it: emoji, currency, %, &, +, arrows."""
    return piece in {"%", "&"} or (len(piece) == 1 and unicodedata.category(piece) in {"Sm", "Sc", "Sk", "So", "Cn"})
