"""Near misses: keywords that differ from a message by one word, letter or mark; for explanations, not for speed."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

from bot.rules.language.spelling import is_one_edit_apart
from bot.rules.language.text import chain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from bot.rules.language.text import Token
    from bot.rules.matching.keywords import Parsed, Piece

MissReason: TypeAlias = Literal[
    "marks", "unmarked", "ambiguous", "place", "glued", "letter", "between", "missing", "word"
]
"""Reasons for a miss, the nearest first."""

NEAREST_FIRST: Final = ("marks", "unmarked", "ambiguous", "place", "glued", "letter", "between", "missing", "word")
MAX_WORDS: Final = 60
"""Words of a message that are compared; the rest is ignored."""

_MIN_ONE_OFF_LENGTH = 3


class Difference(NamedTuple):
    """The difference between a message and a keyword, in the words *first* to *end* (exclusive) of the message."""

    reason: MissReason
    first: int
    end: int
    wanted: str


def positions(tokens: Sequence[Token]) -> dict[str, list[int]]:
    """Return the indices of each word of a message, by its letters without marks."""
    places: dict[str, list[int]] = {}
    for place, token in enumerate(tokens):
        places.setdefault(token.folded, []).append(place)
    return places


class NearMissIndex:
    """Preselects the keywords that can be near a message at all. Immutable."""

    def __init__(self, keywords: Iterable[tuple[int, Parsed]]) -> None:
        self._sizes: dict[int, int] = {}
        self._with_word: dict[str, list[int]] = {}
        self._shapes: dict[tuple[str, int], list[str]] = {}
        self._single: dict[str, list[int]] = {}
        for number, parsed in keywords:
            if len(parsed.pieces) == 1:
                self._single.setdefault(parsed.pieces[0].letters, []).append(number)
            else:
                self._sizes[number] = len(parsed.pieces)
                for piece in parsed.pieces:
                    self._with_word.setdefault(piece.letters, []).append(number)
        for letters in self._single:
            if len(letters) >= _MIN_ONE_OFF_LENGTH:
                self._shapes.setdefault((letters[0], len(letters)), []).append(letters)

    def of(self, tokens: Sequence[Token], places: Mapping[str, Sequence[int]]) -> list[int]:
        """Return the keywords, in order, of which a message lacks one word; *places* is `positions(tokens)`."""
        there = Counter(number for letters in places for number in self._with_word.get(letters, ()))
        several = (number for number, words in there.items() if words >= self._sizes[number] - 1)
        typed = {*places, *(part.letters for token in tokens for part in token.syllables)}
        alike = (letters for word in places for letters in self._one_off(word))
        single = (number for letters in {*typed, *alike} for number in self._single.get(letters, ()))
        return sorted({*several, *single})

    def _one_off(self, word: str) -> Iterator[str]:
        """Yield the one-word keywords that differ by one letter."""
        for size in range(len(word) - 1, len(word) + 2):
            for letters in self._shapes.get((word[0], size), ()):
                if is_one_edit_apart(word, letters):
                    yield letters


def difference(tokens: Sequence[Token], places: Mapping[str, Sequence[int]], parsed: Parsed) -> Difference | None:
    """
    Return the smallest difference between the keyword and any place in the message; None if all are too large.

    *places* is `positions(tokens)`.
    """
    if len(parsed.pieces) == 1:
        found = [found for first in range(len(tokens)) for found in _one_word(tokens, first, parsed)]
    else:
        found = [
            found for first in _beginnings(places, parsed.pieces) for found in _several_words(tokens, first, parsed)
        ]
    return min(found, key=lambda found: NEAREST_FIRST.index(found.reason), default=None)


def _beginnings(places: Mapping[str, Sequence[int]], pieces: Sequence[Piece]) -> list[int]:
    """Return where a keyword of several words may begin: all words but one are at their places, at most one off."""
    votes = Counter(place - n for n, piece in enumerate(pieces) for place in places.get(piece.letters, ()))
    firsts = {*votes, *(first + 1 for first in votes)} if len(pieces) > 2 else votes  # the first word may be missing
    enough = len(pieces) - 1
    return sorted(
        first for first in firsts if first >= 0 and votes[first] + max(votes[first - 1], votes[first + 1]) >= enough
    )


def _one_word(tokens: Sequence[Token], first: int, parsed: Parsed) -> Iterator[Difference]:
    token, piece = tokens[first], parsed.pieces[0]
    if token.folded == piece.letters:
        yield Difference("place" if _allows(parsed, piece, token) else "marks", first, first + 1, piece.text)
    elif len(token.syllables) > 1 and piece.letters in {part.letters for part in token.syllables}:
        yield Difference("glued", first, first + 1, piece.text)
    elif _one_off(token, piece):
        yield Difference("letter", first, first + 1, piece.text)


def _several_words(tokens: Sequence[Token], first: int, parsed: Parsed) -> Iterator[Difference]:
    pieces = parsed.pieces
    yield from _row(tokens[first : first + len(pieces)], first, parsed)
    row = tokens[first : first + len(pieces) + 1]
    may_be_between = len(row) > len(pieces) and row[-1].folded == pieces[-1].letters
    for extra in range(1, len(pieces)) if may_be_between else ():
        if _fit(parsed, [*row[:extra], *row[extra + 1 :]], pieces):
            yield Difference("between", first + extra, first + extra + 1, "")
    row = tokens[first : first + len(pieces) - 1]
    for missing, piece in enumerate(pieces) if len(pieces) > 2 else ():
        if _fit(parsed, row, [*pieces[:missing], *pieces[missing + 1 :]]):
            yield Difference("missing", first, first + len(row), piece.text)


def _row(row: Sequence[Token], first: int, parsed: Parsed) -> Iterator[Difference]:
    """Compare word by word: one word may have other letters, or any word other marks."""
    pieces = parsed.pieces
    if len(row) < len(pieces):
        return
    others = [n for n, (token, piece) in enumerate(zip(row, pieces, strict=True)) if token.folded != piece.letters]
    if len(others) > 1:
        return
    wrong = [n for n, token in enumerate(row) if n not in others and not _allows(parsed, pieces[n], token)]
    if wrong and not others:
        at = first + wrong[0]
        yield Difference("marks", at, at + 1, pieces[wrong[0]].text)
    elif not wrong and not others:
        yield Difference("place", first, first + len(row), " ".join(piece.text for piece in pieces))
    elif not wrong:
        at, token, piece = first + others[0], row[others[0]], pieces[others[0]]
        if _one_off(token, piece):
            yield Difference("letter", at, at + 1, piece.text)
        elif len(row) > 2:
            yield Difference("word", at, at + 1, piece.text)


def _allows(parsed: Parsed, piece: Piece, token: Token) -> bool:
    """Return whether the marks of a token with the same letters are compatible with those of *piece*."""
    marks, typed = chain(token.syllables)
    return parsed.any_marks or not (marks ^ piece.marks) & typed


def _fit(parsed: Parsed, tokens: Sequence[Token], pieces: Sequence[Piece]) -> bool:
    return len(tokens) == len(pieces) and all(
        token.folded == piece.letters and _allows(parsed, piece, token)
        for token, piece in zip(tokens, pieces, strict=True)
    )


def _one_off(token: Token, piece: Piece) -> bool:
    typed, wanted = token.folded, piece.letters
    return (
        typed[0] == wanted[0]
        and abs(len(typed) - len(wanted)) < 2
        and len(wanted) >= _MIN_ONE_OFF_LENGTH
        and is_one_edit_apart(typed, wanted)
    )
