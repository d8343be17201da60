"""The best match of every rule while a message is scanned, and how matches are ranked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from bot.rules.language.text import Places
from bot.rules.matching.readings import MatchKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bot.rules.matching.keywords import Keyword, MessageWord

Key: TypeAlias = tuple[int, int, int, int]
"""Words, quality, spread and letters of a match: the greater the better."""

Place: TypeAlias = tuple[int, int]
"""From and to (exclusive)."""

Found: TypeAlias = "tuple[Key, int, str, Sequence[MessageWord], Place]"
"""How good a match is, its pattern, what it bridges, and its place among words (characters, if there are none)."""


class MatchQuality(NamedTuple):
    """How near the typed words of a match are to the keyword's."""

    name: str
    rank: int
    exact: bool


_AS_TYPED = (MatchQuality("unmarked", 0, False), MatchQuality("exact", 2, True))
_BRIDGED: Final = {
    MatchKind.STRETCHED: ("stretched", -1),
    MatchKind.ABBREVIATION: ("abbreviation", -1),
    MatchKind.JOINED: ("joined", -1),
    MatchKind.SPLIT: ("split", -1),
    MatchKind.TYPO: ("typo", -2),
}
_QUALITIES: Final = [
    _AS_TYPED,
    *((MatchQuality(*of, False), MatchQuality(*of, True)) for _, of in sorted(_BRIDGED.items())),
]
_TYPO: Final = _BRIDGED[MatchKind.TYPO][0]


def quality_of(kind: MatchKind, exact: bool) -> MatchQuality:
    """Return the quality of a match read in this way; *exact*: with all marks of the keyword."""
    return _QUALITIES[kind][exact]


class BestMatches:
    """Keeps the best match of each target; of equal ones that of the earliest pattern."""

    __slots__ = ("_all_words", "_types_marks", "best", "words")

    def __init__(self, words: Sequence[MessageWord]) -> None:
        self.best: dict[int, Found] = {}
        self.words = words  # those of the trie that is being scanned
        self._all_words = words
        self._types_marks: bool | None = None

    def add(self, keyword: Keyword, quality: MatchQuality, first: int, end: int) -> None:
        """Note that the words from *first* to *end* (exclusive) match."""
        if keyword.marks_required and not quality.exact and self._bare_is_meant():
            return
        spread = 0 if first else 2 if end == len(self.words) else 1
        key = (end - first, quality.rank, spread, keyword.size)
        self._offer(keyword, key, quality.name, self.words, (first, end))

    def add_sign(self, keyword: Keyword, sign: str, text: str) -> None:
        """Look for punctuation in the text as it is."""
        at = text.find(sign)
        if at >= 0:
            stripped = text.strip()
            spread = 2 if stripped == sign else 1 if stripped.startswith(sign) else 0
            self._offer(keyword, (0, 2, spread, len(sign)), "exact", (), (at, at + len(sign)))

    def _offer(self, keyword: Keyword, key: Key, kind: str, words: Sequence[MessageWord], place: Place) -> None:
        best = self.best
        for pattern, target, least_spread, forgiving in keyword.outputs:
            if key[2] < least_spread or (kind == _TYPO and not forgiving):
                continue
            known = best.get(target)
            if known is None or key > known[0] or (key == known[0] and pattern < known[1]):
                best[target] = (key, pattern, kind, words, place)

    def _bare_is_meant(self) -> bool:
        if self._types_marks is None:
            self._types_marks = types_marks(self._all_words)
        return self._types_marks


class Spans:
    """Where the words of matches stand in the message as it was typed."""

    __slots__ = ("_clean", "_known", "_places")

    def __init__(self, text: str, normalised: str, clean: str) -> None:
        self._places = Places(text, normalised)
        self._clean = clean
        self._known: dict[int, list[Place]] = {}

    def of(self, words: Sequence[MessageWord], place: Place) -> tuple[Place, ...]:
        """Return the span of each matched word, or of the punctuation if there are no words."""
        if not words:
            return tuple(self._places.spans([place]))
        spans = self._known.get(id(words))
        if spans is None:
            spans = self._known[id(words)] = self._places.spans(self._of_words(words))
        return tuple(spans[slice(*place)])

    def _of_words(self, words: Sequence[MessageWord]) -> list[Place]:
        spans, end = [], 0
        for word in words:
            start = self._clean.index(word.text, end)  # only separators lie between two words
            end = start + len(word.text)
            spans.append((start, end))
        return spans


def types_marks(words: Iterable[MessageWord]) -> bool:
    """
    Return whether the writer of these words types marks, so that a bare word is a word without marks.

    No word may have lost its marks for certain (``nhieu``); at least a third must have some, particles aside.
    """
    alphabetic = marked = 0
    for word in words:
        if word.unmarked:
            return False
        alphabetic += word.alphabetic
        marked += word.marked
    return marked > 0 and 3 * marked >= alphabetic
