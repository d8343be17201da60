"""The best match of every rule while a message is scanned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from bot.rules.matching.readings import How
from bot.rules.matching.text import Places

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bot.rules.matching.keywords import Keyword
    from bot.rules.matching.trie import Word

Key: TypeAlias = tuple[int, int, int, int]
"""Words, quality, spread and letters of a match: the greater the better."""

Place: TypeAlias = tuple[int, int]
"""From and to (exclusive)."""

Found: TypeAlias = "tuple[Key, int, str, Sequence[Word], Place]"
"""How good a match is, its needle, what it bridges, and its place among words (characters, if there are none)."""


class Grade(NamedTuple):
    """How near the typed words of a match are to the keyword's."""

    name: str
    quality: int
    exact: bool


_AS_TYPED = (Grade("unmarked", 0, False), Grade("exact", 2, True))
_BRIDGED: Final = {
    How.STRETCHED: ("stretched", -1),
    How.ABBREVIATION: ("abbreviation", -1),
    How.JOINED: ("joined", -1),
    How.SPLIT: ("split", -1),
    How.TYPO: ("typo", -2),
}
_GRADES: Final = [_AS_TYPED, *((Grade(*of, False), Grade(*of, True)) for _, of in sorted(_BRIDGED.items()))]
_TYPO: Final = _BRIDGED[How.TYPO][0]


def grade(how: How, exact: bool) -> Grade:
    """Return the grade of a match read in this way; *exact*: with all marks of the keyword."""
    return _GRADES[how][exact]


class Tally:
    """Keeps the best match of each slot; of equal ones that of the earliest needle."""

    __slots__ = ("_all_words", "_types_marks", "best", "words")

    def __init__(self, words: Sequence[Word]) -> None:
        self.best: dict[int, Found] = {}
        self.words = words  # those of the stream that is being scanned
        self._all_words = words
        self._types_marks: bool | None = None

    def add(self, keyword: Keyword, grade: Grade, first: int, end: int) -> None:
        """Note that the words from *first* to *end* (exclusive) match."""
        if keyword.guarded and not grade.exact and self._bare_is_meant():
            return
        spread = 0 if first else 2 if end == len(self.words) else 1
        key = (end - first, grade.quality, spread, keyword.size)
        self._offer(keyword, key, grade.name, self.words, (first, end))

    def add_sign(self, keyword: Keyword, sign: str, text: str) -> None:
        """Look for punctuation in the text as it is."""
        at = text.find(sign)
        if at >= 0:
            stripped = text.strip()
            spread = 2 if stripped == sign else 1 if stripped.startswith(sign) else 0
            self._offer(keyword, (0, 2, spread, len(sign)), "exact", (), (at, at + len(sign)))

    def _offer(self, keyword: Keyword, key: Key, how: str, words: Sequence[Word], place: Place) -> None:
        best = self.best
        for needle, slot, least_spread, forgiving in keyword.targets:
            if key[2] < least_spread or (how == _TYPO and not forgiving):
                continue
            known = best.get(slot)
            if known is None or key > known[0] or (key == known[0] and needle < known[1]):
                best[slot] = (key, needle, how, words, place)

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

    def of(self, words: Sequence[Word], place: Place) -> tuple[Place, ...]:
        """Return the span of each matched word, or of the punctuation if there are no words."""
        if not words:
            return tuple(self._places.spans([place]))
        spans = self._known.get(id(words))
        if spans is None:
            spans = self._known[id(words)] = self._places.spans(self._of_words(words))
        return tuple(spans[slice(*place)])

    def _of_words(self, words: Sequence[Word]) -> list[Place]:
        spans, end = [], 0
        for word in words:
            start = self._clean.index(word.text, end)  # only separators lie between two words
            end = start + len(word.text)
            spans.append((start, end))
        return spans


def types_marks(words: Iterable[Word]) -> bool:
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
