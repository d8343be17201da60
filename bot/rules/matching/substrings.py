"""Substring search for keywords with `match: contains` and keywords of punctuation only."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate, islice
from typing import TYPE_CHECKING, Final, NamedTuple

from bot.rules.language.text import Letter, Syllable, chain, letters_of, plain, without_urls
from bot.rules.matching.keywords import Keyword, Output, Parsed, TokenKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bot.rules.matching.keywords import MessageWord


_SPACE: Final = Letter(" ", 0, 0)
_MAX_OCCURRENCES: Final = 100  # of one keyword's letters in a message


class Part(NamedTuple):
    """An occurrence of a keyword's letters in the words from *first* to *end* (exclusive)."""

    keyword: Keyword
    exact: bool
    first: int
    end: int


class Substrings:
    """Searches for one keyword after the other while there are few. Immutable after the last `add`."""

    def __init__(self) -> None:
        self.signs: dict[str, Keyword] = {}
        self.urls: dict[str, Keyword] = {}
        self._parts: dict[str, dict[int, Keyword]] = {}
        self._sizes: set[int] = set()

    def add(self, parsed: Parsed, output: Output) -> None:
        """Add a keyword; an empty one never matches."""
        if parsed.token_kind is TokenKind.WORDS:
            words = tuple(Syllable.of(letters_of(plain(piece.text))) for piece in parsed.pieces)
            keyword = Keyword(words, parsed.any_marks)
            wanted = " ".join(keyword.letters)
            self._sizes.add(len(wanted))
            spellings = self._parts.setdefault(wanted, {})
            spellings.setdefault(keyword.marks, keyword).outputs.append(output)
        elif parsed.text:
            same = self.urls if without_urls(parsed.text) != parsed.text else self.signs
            same.setdefault(parsed.text, Keyword(())).outputs.append(output)

    def parts(self, words: Sequence[MessageWord]) -> Iterator[Part]:
        """Yield the keywords whose letters are in the words and whose marks fit, each at its best place."""
        if not self._parts:
            return
        text = " ".join(word.letters for word in words)
        starts = [0, *accumulate(len(word.letters) + 1 for word in words)]
        letters: list[Letter] = []
        for wanted in self._within(text):
            letters = letters or [letter for word in words for letter in (*letters_of(plain(word.text)), _SPACE)]
            found = [(at, *_typed(letters, at, wanted)) for at in islice(_occurrences(text, wanted), _MAX_OCCURRENCES)]
            for keyword in self._parts[wanted].values():
                fits = [
                    (marks == keyword.marks, -at)
                    for at, marks, typed in found
                    if keyword.any_marks or not (marks ^ keyword.marks) & typed
                ]
                if fits:
                    exact, at = max(fits)
                    yield Part(
                        keyword,
                        exact,
                        bisect_right(starts, -at) - 1,
                        bisect_right(starts, -at + len(wanted) - 1),
                    )

    def _within(self, text: str) -> Iterable[str]:
        """Return the keywords' letters that are in the text, by the faster of two searches."""
        if len(self._parts) <= len(self._sizes) * len(text):
            return (wanted for wanted in self._parts if wanted in text)
        return self._parts.keys() & {text[at : at + size] for size in self._sizes for at in range(len(text))}


def _occurrences(text: str, wanted: str) -> Iterator[int]:
    at = text.find(wanted)
    while at >= 0:
        yield at
        at = text.find(wanted, at + 1)


def _typed(letters: Sequence[Letter], at: int, wanted: str) -> tuple[int, int]:
    """Return the marks typed on the letters of *wanted*, word by word."""
    words = []
    for word in wanted.split(" "):
        words.append(Syllable.of(letters[at : at + len(word)]))
        at += len(word) + 1
    return chain(words)
