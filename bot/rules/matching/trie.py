"""A trie of all keywords without marks, walked along a message; marks are verified at the end of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from bot.rules.language.syllables import is_syllable
from bot.rules.language.text import WORDS, WORDS_AND_SIGNS, hook_or_tilde
from bot.rules.matching.best_matches import quality_of
from bot.rules.matching.keywords import MessageWord, as_syllables
from bot.rules.matching.readings import Edge, MatchKind
from bot.rules.matching.short_forms import DOTTED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from bot.rules.language.text import Syllable
    from bot.rules.matching.best_matches import BestMatches, MatchQuality
    from bot.rules.matching.keywords import Keyword
    from bot.rules.matching.readings import Lexicon, Reading
    from bot.rules.matching.short_forms import Context

_MAX_REMEMBERED: Final = 50_000  # distinct words, about 20 MB
_MAX_REMEMBERED_LENGTH: Final = 40
_MIN_SPLIT_LENGTH: Final = 4
_MAX_PATHS: Final = 8  # combinations of readings of consecutive words
_MAX_STEPS: Final = 12_000  # steps of one scan; an ordinary message takes some hundred


class TrieNode:
    """A node of the trie: its children by word, and the keywords that end here."""

    __slots__ = ("ends", "next")

    def __init__(self) -> None:
        self.next: dict[str, TrieNode] = {}
        self.ends: tuple[Keyword, ...] = ()

    def add(self, keyword: Keyword) -> None:
        node = self
        for letters in keyword.letters:
            further = node.next.get(letters)
            if further is None:
                further = node.next[letters] = TrieNode()
            node = further
        node.ends += (keyword,)


TriePath: TypeAlias = "tuple[dict[str, TrieNode], int, int, MatchKind, int]"
"""State of a walk: the children, the marks and typed places so far, the least certain kind, the proof."""


class _IndexedWord(MessageWord):
    """A typed word with its readings and the nodes they lead to; independent of its neighbours."""

    __slots__ = ("heads", "hits", "pairs", "readings", "starts")

    def __init__(self, text: str, parts: Sequence[Syllable], readings: Sequence[Reading]) -> None:
        super().__init__(text, parts)
        self.readings = tuple(reading for reading in readings if reading.edge is not Edge.SUFFIX)
        self.heads = tuple({reading.letters[0] for reading in self.readings})
        self.hits: tuple[tuple[Keyword, MatchQuality, Context | None], ...] = ()
        self.starts: tuple[TriePath, ...] = ()
        self.pairs: Mapping[str, list[Keyword]] = {}


class KeywordTrie:
    """
    Finds the keywords of one kind in a message at a cost that hardly depends on their number.

    With *signs*, emoji, %, + and the like count as words; otherwise they are ignored. Immutable but for the cache of
    words seen before, which threads may share: its entries are immutable, and writing one twice does no harm.
    """

    def __init__(self, keywords: Sequence[Keyword], lexicon: Lexicon, *, signs: bool) -> None:
        self._lexicon = lexicon
        self._signs = signs
        self._pieces = (WORDS_AND_SIGNS if signs else WORDS).findall
        self._memory: dict[str, _IndexedWord] = {}
        self._root = TrieNode()
        self._pairs: dict[str, dict[str, list[Keyword]]] = {}
        for keyword in keywords:
            self._root.add(keyword)
            self._add_pairs(keyword)

    def _add_pairs(self, keyword: Keyword) -> None:
        """Add a foreign word also as two words, as people type it: ``in box``, ``wi-fi``."""
        word = keyword.letters[0]
        if len(keyword.syllables) > 1 or len(word) < _MIN_SPLIT_LENGTH or not word.isalpha() or is_syllable(word):
            return
        for cut in range(1, len(word)):
            self._pairs.setdefault(word[:cut], {}).setdefault(word[cut:], []).append(keyword)

    def read(self, text: str) -> list[_IndexedWord]:
        """Return the words of a normalised text without URLs, including signs if the keywords have any."""
        known = self._memory.get
        pieces = self._with_dotted(text) if "/" in text or "." in text else self._pieces(text)
        words = [known(piece) or self._learn(piece) for piece in pieces]
        return [word for word in words if word.letters] if self._signs else words

    def _with_dotted(self, text: str) -> list[str]:
        """Return the pieces of a text, keeping known abbreviations with a slash or full stop whole."""
        pieces: list[str] = []
        done = 0
        for dotted in DOTTED.finditer(text):
            if self._lexicon.has(dotted[0]):
                pieces += [*self._pieces(text[done : dotted.start()]), dotted[0]]
                done = dotted.end()
        return pieces + self._pieces(text[done:])

    def _learn(self, piece: str) -> _IndexedWord:
        parts = as_syllables(piece)
        readings = self._lexicon.readings(piece, parts) if parts else ()
        word = _IndexedWord(piece, parts, readings)
        hits: list[tuple[Keyword, MatchQuality, Context | None]] = []
        starts: list[TriePath] = []
        for reading in readings:
            node = _follow(self._root.next, reading.letters)
            if node is None:
                continue
            path = (node.next, reading.marks, reading.typed, reading.kind, reading.proof)
            if reading.context is not None:
                hits += [(*found, reading.context) for found in _verified(node.ends, *path[1:4], 0)]
            else:
                hits += [(*found, None) for found in _verified(node.ends, *path[1:])]
            if node.next and reading.edge is not Edge.PREFIX:
                starts.append(path)
        word.hits, word.starts = tuple(hits), tuple(starts)
        word.pairs = self._pairs.get(word.bare, {})
        if len(piece) <= _MAX_REMEMBERED_LENGTH:
            if len(self._memory) >= _MAX_REMEMBERED:
                self._memory.clear()
            self._memory[piece] = word
        return word

    def scan(self, words: Sequence[_IndexedWord], matches: BestMatches) -> None:
        """Add every keyword in the message to *matches*."""
        last = len(words) - 1
        steps = 0
        for first, word in enumerate(words):
            for keyword, quality, context in word.hits:
                matches.add(keyword, quality, first, first + 1, context)
            if first == last:
                return
            heads = words[first + 1].heads
            paths = [path for path in word.starts for head in heads if head in path[0]]
            if paths and steps < _MAX_STEPS:
                steps += _walk(words, first, paths, matches)
            if word.pairs:
                for keyword in word.pairs.get(words[first + 1].bare, ()):
                    matches.add(keyword, quality_of(MatchKind.SPLIT, not keyword.marks), first, first + 2)


def _walk(words: Sequence[_IndexedWord], first: int, paths: list[TriePath], matches: BestMatches) -> int:
    """Follow all readings of the words after *first* while some keyword continues; return the number of steps."""
    steps = 0
    for end in range(first + 1, len(words)):
        further: list[TriePath] = []
        readings = words[end].readings
        steps += len(paths) * len(readings)
        for branches, marks, typed, kind, proof in paths:
            for reading in readings:
                letters, its_marks, its_typed, bits, its_kind, its_proof, edge, _ = reading
                node = branches.get(letters[0]) if len(letters) == 1 else _follow(branches, letters)
                if node is None:
                    continue
                state = (marks << bits | its_marks, typed << bits | its_typed, max(kind, its_kind), proof + its_proof)
                for keyword, quality in _verified(node.ends, *state) if node.ends else ():
                    matches.add(keyword, quality, first, end + 1)
                if node.next and edge is not Edge.PREFIX:
                    further.append((node.next, *state))
        if not further:
            break
        paths = further if len(further) <= _MAX_PATHS else sorted(further, key=_sureness)[:_MAX_PATHS]
    return steps


def _sureness(path: TriePath) -> tuple[int, int]:
    return path[3], -path[4]


def _follow(branches: dict[str, TrieNode], words: tuple[str, ...]) -> TrieNode | None:
    """Return the node that *words* lead to."""
    node = branches.get(words[0])
    for letters in words[1:]:
        if node is None:
            break
        node = node.next.get(letters)
    return node


def _verified(
    keywords: Iterable[Keyword], marks: int, typed: int, kind: MatchKind, proof: int
) -> Iterator[tuple[Keyword, MatchQuality]]:
    """Yield the keywords whose marks are compatible with the typed ones, and the quality of the match."""
    for keyword in keywords:
        contradicted = (marks ^ keyword.marks) & typed
        if marks == keyword.marks:
            # Undecoded keystrokes that give exactly these marks, in every word, confirm one another.
            if proof >= 0 or (kind is MatchKind.TELEX and proof > -len(keyword.syllables)):
                yield keyword, quality_of(kind, True)
        elif proof < 0 or (kind is MatchKind.TELEX and not proof):
            continue
        elif keyword.any_marks or not contradicted:
            yield keyword, quality_of(kind, False)
        elif kind in _TONES_SWAPPED and _is_one_tone(contradicted, keyword):
            yield keyword, quality_of(MatchKind.TONE, False)


_TONES_SWAPPED: Final = frozenset({MatchKind.AS_TYPED, MatchKind.ABBREVIATION})
"""Kinds in which hỏi and ngã may be swapped: nothing else is guessed."""


def _is_one_tone(contradicted: int, keyword: Keyword) -> bool:
    """Return whether the contradiction is hỏi for ngã, or the reverse, in one of several syllables."""
    return (
        contradicted.bit_count() == 2
        and len(keyword.syllables) > 1
        and not contradicted & ~hook_or_tilde(keyword.syllables)
    )
