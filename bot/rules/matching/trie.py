"""All keywords at once: a trie of their words without marks, walked along a message, the marks verified at its ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from bot.rules.matching.abbreviations import PARTICLES
from bot.rules.matching.best_matches import grade
from bot.rules.matching.keywords import as_syllables
from bot.rules.matching.readings import How
from bot.rules.matching.syllables import is_syllable, needs_no_marks
from bot.rules.matching.text import WORDS, WORDS_AND_SIGNS, chain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from bot.rules.matching.best_matches import Grade, Tally
    from bot.rules.matching.keywords import Keyword
    from bot.rules.matching.readings import Lexicon, Reading
    from bot.rules.matching.text import Syllable

_MOST_REMEMBERED: Final = 50_000  # different words; some 20 MB
_LONGEST_REMEMBERED: Final = 40
_SHORTEST_SPLIT: Final = 4
_MOST_STEPS: Final = 4  # that many ways to read a row of abbreviations with two meanings each


class Node:
    """A place in the trie: where the next word leads, and the keywords that end here."""

    __slots__ = ("ends", "next")

    def __init__(self) -> None:
        self.next: dict[str, Node] = {}
        self.ends: tuple[Keyword, ...] = ()

    def add(self, keyword: Keyword) -> None:
        node = self
        for letters in keyword.letters:
            further = node.next.get(letters)
            if further is None:
                further = node.next[letters] = Node()
            node = further
        node.ends += (keyword,)


Step: TypeAlias = tuple[dict[str, Node], int, int, How]
"""How far a walk has come: where it may go on, the marks and typed places so far, the least sure reading."""


class Word:
    """Everything about one typed word that does not depend on the words around it."""

    __slots__ = (
        "alphabetic",
        "bare",
        "heads",
        "hits",
        "letters",
        "marked",
        "pairs",
        "readings",
        "starts",
        "text",
        "unmarked",
    )

    def __init__(self, text: str, parts: Sequence[Syllable], readings: tuple[Reading, ...]) -> None:
        marks, _ = chain(parts)
        self.text = text
        self.letters = "".join([part.letters for part in parts])
        self.alphabetic = self.letters.isalpha()
        self.marked = self.alphabetic and marks != 0 and text not in PARTICLES
        self.unmarked = not marks and is_syllable(self.letters) and not needs_no_marks(self.letters)
        self.bare = "" if marks else self.letters
        self.readings = readings
        self.heads = tuple({reading.letters[0] for reading in readings})
        self.hits: tuple[tuple[Keyword, Grade], ...] = ()
        self.starts: tuple[Step, ...] = ()
        self.pairs: Mapping[str, list[Keyword]] = {}


class Index:
    """
    The keywords of one stream; finds all of them in a message at a cost that hardly depends on their number.

    With *signs*, emoji, %, + and the like are words as any other; otherwise they separate nothing.
    Never changes once made but for what it remembers of words seen before, which threads may share: entries
    are immutable, and writing one twice does no harm.
    """

    def __init__(self, keywords: Sequence[Keyword], lexicon: Lexicon, *, signs: bool) -> None:
        self._lexicon = lexicon
        self._signs = signs
        self._pieces = (WORDS_AND_SIGNS if signs else WORDS).findall
        self._memory: dict[str, Word] = {}
        self._root = Node()
        self._pairs: dict[str, dict[str, list[Keyword]]] = {}
        for keyword in keywords:
            self._root.add(keyword)
            self._add_pairs(keyword)

    def _add_pairs(self, keyword: Keyword) -> None:
        """Let a foreign word be found when it is typed as two: ``in box``, ``wi-fi``."""
        word = keyword.letters[0]
        if len(keyword.syllables) > 1 or len(word) < _SHORTEST_SPLIT or not word.isalpha() or is_syllable(word):
            return
        for cut in range(1, len(word)):
            self._pairs.setdefault(word[:cut], {}).setdefault(word[cut:], []).append(keyword)

    def read(self, text: str) -> list[Word]:
        """Return the words of a normalised text without URLs, signs among them if the keywords have such."""
        known = self._memory.get
        words = [known(piece) or self._learn(piece) for piece in self._pieces(text)]
        return [word for word in words if word.letters] if self._signs else words

    def _learn(self, piece: str) -> Word:
        parts = as_syllables(piece)
        word = Word(piece, parts, self._lexicon.readings(piece, parts) if parts else ())
        hits: list[tuple[Keyword, Grade]] = []
        starts: list[Step] = []
        for reading in word.readings:
            node = _follow(self._root.next, reading.letters)
            if node is None:
                continue
            hits += _verified(node.ends, reading.marks, reading.typed, reading.how)
            if node.next:
                starts.append((node.next, reading.marks, reading.typed, reading.how))
        word.hits, word.starts = tuple(hits), tuple(starts)
        word.pairs = self._pairs.get(word.bare, {})
        if len(piece) <= _LONGEST_REMEMBERED:
            if len(self._memory) >= _MOST_REMEMBERED:
                self._memory.clear()
            self._memory[piece] = word
        return word

    def scan(self, words: Sequence[Word], tally: Tally) -> None:
        """Tell *tally* of every keyword in the message."""
        last = len(words) - 1
        for first, word in enumerate(words):
            for keyword, graded in word.hits:
                tally.add(keyword, graded, first, first + 1)
            if first == last:
                return
            for step in word.starts:
                for head in words[first + 1].heads:
                    if head in step[0]:
                        _walk(words, first, step, tally)
                        break
            if word.pairs:
                for keyword in word.pairs.get(words[first + 1].bare, ()):
                    tally.add(keyword, grade(How.SPLIT, not keyword.marks), first, first + 2)


def _walk(words: Sequence[Word], first: int, start: Step, tally: Tally) -> None:
    """Follow all readings of the words after *first* as long as some keyword goes on."""
    steps = [start]
    for end in range(first + 1, len(words)):
        further: list[Step] = []
        for branches, marks, typed, how in steps:
            for letters, its_marks, its_typed, bits, its_how in words[end].readings:
                node = branches.get(letters[0]) if len(letters) == 1 else _follow(branches, letters)
                if node is None:
                    continue
                step = (node.next, marks << bits | its_marks, typed << bits | its_typed, max(how, its_how))
                for keyword, graded in _verified(node.ends, *step[1:]) if node.ends else ():
                    tally.add(keyword, graded, first, end + 1)
                if node.next:
                    further.append(step)
        if not further:
            return
        steps = further[:_MOST_STEPS]


def _follow(branches: dict[str, Node], words: tuple[str, ...]) -> Node | None:
    """Return where *words* lead from here."""
    node = branches.get(words[0])
    for letters in words[1:]:
        if node is None:
            break
        node = node.next.get(letters)
    return node


def _verified(keywords: Iterable[Keyword], marks: int, typed: int, how: How) -> Iterator[tuple[Keyword, Grade]]:
    """Yield those of the keywords whose marks the typed ones do not contradict, and how well they fit."""
    for keyword in keywords:
        if marks == keyword.marks:
            yield keyword, grade(how, True)
        elif keyword.any_marks or not (marks ^ keyword.marks) & typed:
            yield keyword, grade(how, False)
