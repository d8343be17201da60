"""The best match of every rule while a message is scanned, and how matches are ranked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from bot.rules.language.common_words import LIKELY_MEANT, RARELY_BARE
from bot.rules.language.compounds import compound_of
from bot.rules.language.syllables import needs_no_marks
from bot.rules.language.text import SourceMap, syllables
from bot.rules.matching.readings import MatchKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bot.rules.language.text import Syllable
    from bot.rules.matching.keywords import Keyword, MessageWord
    from bot.rules.matching.short_forms import Context

Rank: TypeAlias = tuple[int, int, int, int, int]
"""Certainty, words, quality, spread and letters of a match: greater is better."""

WordSpan: TypeAlias = tuple[int, int]
"""First and end (exclusive)."""

BestMatch: TypeAlias = "tuple[Rank, int, str, Sequence[MessageWord], WordSpan]"
"""Rank, pattern, name of the difference, words, and span in words (in characters, if there are no words)."""


class MatchQuality(NamedTuple):
    """How close the typed words of a match are to the keyword's."""

    name: str
    rank: int
    exact: bool


_NAMES: Final = {kind: kind.name.lower() for kind in MatchKind}
_EXACT: Final = MatchQuality("exact", 2, True)
_UNMARKED: Final = MatchQuality("unmarked", 0, False)
_QUALITIES: Final = (
    (_UNMARKED, _EXACT),
    *(
        (MatchQuality(_NAMES[kind], -kind, False), MatchQuality(_NAMES[kind], -kind, True))
        for kind in MatchKind
        if kind
    ),
)
_SWAPPED: Final = _NAMES[MatchKind.TONE]
_GUESSES: Final = frozenset(_NAMES[kind] for kind in MatchKind if kind >= MatchKind.AMBIGUOUS)
"""Kinds of match that are guesses: an `exclude` keyword that matches so silences no rule."""
_LIKELY_MARKS: Final = {letters: syllables(LIKELY_MEANT[letters])[0].marks for letters in RARELY_BARE}
_FILLERS: Final = frozenset(
    [
        "a",
        "ad",
        "admin",
        "alo",
        "di",
        "ha",
        "hello",
        "hi",
        "k",
        "khong",
        "ko",
        "nha",
        "nhe",
        "oi",
        "shop",
        "sop",
        "the",
        "v",
        "vay",
        "voi",
        "vs",
        "z",
    ]
)
"""Words (folded) that may surround a one-word message without adding meaning."""
_STOPS: Final = ("c", "ch", "p", "t")


def quality_of(kind: MatchKind, exact: bool) -> MatchQuality:
    """Return the quality of a match of this *kind*; *exact*: with all marks of the keyword."""
    return _QUALITIES[kind][exact]


class BestMatches:
    """Keeps the best match of each target; of equal matches, that of the earliest pattern."""

    __slots__ = ("_all_words", "_exact", "_swapped", "_types_marks", "best", "words")

    def __init__(self, words: Sequence[MessageWord]) -> None:
        self.best: dict[int, BestMatch] = {}
        self.words = words  # the words of the trie in use
        self._all_words = words
        self._types_marks: bool | None = None
        self._exact: list[WordSpan] = []
        self._swapped: list[tuple[Keyword, Rank, WordSpan]] = []

    def add(
        self,
        keyword: Keyword,
        quality: MatchQuality,
        first: int,
        end: int,
        context: Context | None = None,
    ) -> None:
        """
        Note that the words from *first* to *end* (exclusive) match.

        *context*: words that must be next to the match, unless the message says nothing else.
        """
        if context is not None and not self._is_confirmed(context, first, end):
            return
        certain = 1
        if quality.exact:
            self._exact.append((first, end))
        elif keyword.marks:
            if self._is_another_word(keyword, quality, first, end):
                return
            certain = not (quality is _UNMARKED and self._is_doubtful(keyword, first, end))
        spread = 0 if first else 2 if end == len(self.words) else 1
        rank = (certain, len(keyword.syllables), quality.rank, spread, keyword.size)
        if quality.name == _SWAPPED:
            self._swapped.append((keyword, rank, (first, end)))
        else:
            self._offer(keyword, rank, quality.name, self.words, (first, end))

    def finish_scan(self) -> None:
        """Count the matches with hỏi and ngã swapped, unless another keyword matches there exactly."""
        for keyword, rank, (first, end) in self._swapped:
            if not any(start <= first and end <= stop for start, stop in self._exact):
                self._offer(keyword, rank, _SWAPPED, self.words, (first, end))
        self._exact, self._swapped = [], []

    def add_sign(self, keyword: Keyword, sign: str, text: str) -> None:
        """Look for punctuation in the text as it is."""
        at = text.find(sign)
        if at >= 0:
            stripped = text.strip()
            spread = 2 if stripped == sign else 1 if stripped.startswith(sign) else 0
            self._offer(keyword, (1, 0, 2, spread, len(sign)), "exact", (), (at, at + len(sign)))

    def _offer(self, keyword: Keyword, rank: Rank, kind: str, words: Sequence[MessageWord], span: WordSpan) -> None:
        best = self.best
        for pattern, target, least_spread, guess_will_do in keyword.outputs:
            if rank[3] < least_spread or (kind in _GUESSES and not guess_will_do):
                continue
            known = best.get(target)
            if known is None or rank > known[0] or (rank == known[0] and pattern < known[1]):
                best[target] = (rank, pattern, kind, words, span)

    def _is_confirmed(self, context: Context, first: int, end: int) -> bool:
        """Return whether a neighbour, or being alone, confirms this meaning of an ambiguous abbreviation."""
        words = self.words
        before = words[first - 1].letters if first else ""
        after = words[end].letters if end < len(words) else ""
        if before in context.not_before or after in context.not_after:
            return False
        if before in context.before or after in context.after:
            return True
        return all(word.letters in _FILLERS for word in (*words[:first], *words[end:]))

    def _is_another_word(self, keyword: Keyword, quality: MatchQuality, first: int, end: int) -> bool:
        """Return whether a word at the edge of the match, typed without the keyword's marks, is another word."""
        words, wanted = self.words, keyword.syllables
        if first and self._is_in_compound(words[first - 1], words[first], 1, wanted[0]):
            return True
        if end < len(words) and self._is_in_compound(words[end - 1], words[end], 0, wanted[-1]):
            return True
        if len(wanted) > 1 or quality is not _UNMARKED or not self._writer_types_marks():
            return False
        word = words[first]
        return word.letters != wanted[0].letters or word.text != word.letters or not _is_likely(word, wanted[0])

    def _is_in_compound(self, one: MessageWord, other: MessageWord, which: int, wanted: Syllable) -> bool:
        if one.syllable is None or other.syllable is None:
            return False
        typed = (one.syllable, other.syllable)
        if typed[which].letters != wanted.letters or typed[which].marks == wanted.marks:
            return False
        compound = compound_of(*typed, types_marks=self._writer_types_marks)
        return compound is not None and compound[which].marks != wanted.marks

    def _is_doubtful(self, keyword: Keyword, first: int, end: int) -> bool:
        """Return whether a bare word among marked words may be meant without marks: ``qua`` in ``qua tặng``."""
        if len(keyword.syllables) == 1 or end - first != len(keyword.syllables) or not self._writer_types_marks():
            return False
        pairs = list(zip(self.words[first:end], keyword.syllables, strict=True))
        if not any(word.syllable and word.syllable.marks == wanted.marks != 0 for word, wanted in pairs):
            return False
        return any(
            word.syllable is not None
            and word.syllable.marks != wanted.marks
            and _is_complete(word.syllable)
            and not _is_likely(word, wanted)
            for word, wanted in pairs
        )

    def _writer_types_marks(self) -> bool:
        if self._types_marks is None:
            self._types_marks = types_marks(self._all_words)
        return self._types_marks


def _is_likely(word: MessageWord, wanted: Syllable) -> bool:
    """Return whether *wanted* is the most likely word if marks were left out."""
    return _LIKELY_MARKS.get(word.letters) == wanted.marks


def _is_complete(typed: Syllable) -> bool:
    """Return whether a syllable can be correct as typed."""
    return not typed.letters.endswith(_STOPS) if typed.marks else needs_no_marks(typed.letters)


class TypedSpans:
    """The spans of matched words in the message as typed."""

    __slots__ = ("_clean", "_known", "_source_map")

    def __init__(self, text: str, normalised: str, clean: str) -> None:
        self._source_map = SourceMap(text, normalised)
        self._clean = clean
        self._known: dict[int, list[WordSpan]] = {}

    def of(self, words: Sequence[MessageWord], span: WordSpan) -> tuple[WordSpan, ...]:
        """Return the span of each matched word, or of the punctuation if there are no words."""
        if not words:
            return tuple(self._source_map.spans([span]))
        spans = self._known.get(id(words))
        if spans is None:
            spans = self._known[id(words)] = self._source_map.spans(self._of_words(words))
        return tuple(spans[slice(*span)])

    def _of_words(self, words: Sequence[MessageWord]) -> list[WordSpan]:
        spans, end = [], 0
        for word in words:
            start = self._clean.index(word.text, end)  # there are only separators between two words
            end = start + len(word.text)
            spans.append((start, end))
        return spans


def types_marks(words: Iterable[MessageWord]) -> bool:
    """
    Return whether the sender types marks, so that a bare word is a word without marks.

    No word may certainly lack its marks (``nhieu``), and at least a third, particles aside, must have marks.
    """
    alphabetic = marked = 0
    for word in words:
        if word.unmarked:
            return False
        alphabetic += word.alphabetic
        marked += word.marked
    return marked > 0 and 3 * marked >= alphabetic
