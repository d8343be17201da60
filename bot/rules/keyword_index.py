"""Index of a rules file's keywords by their words, to find rules with a similar keyword."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Final, NamedTuple
from weakref import WeakKeyDictionary

from bot.rules.engine import RuleSet
from bot.rules.language.spelling import is_one_edit_apart
from bot.rules.matching.keywords import parse
from bot.rules.model.schema import Rule

_Gap = tuple[int, tuple[str, ...]]


class _Use(NamedTuple):
    """A keyword of a rule, in any role."""

    rule: int
    is_trigger: bool
    """Whether it is one of `keywords`, not of `exclude` or `all_of`."""
    letters: tuple[str, ...]
    words: frozenset[str]
    text: str


class KeywordIndex:
    """The keywords of one rules file, parsed once."""

    def __init__(self, rules: RuleSet) -> None:
        self._by_gap: dict[_Gap, list[tuple[str, int]]] = {}
        self._by_word: dict[str, list[_Use]] = {}
        self._by_text: dict[str, list[_Use]] = {}
        for index, rule in enumerate(rules.file.rules):
            for use in _uses_of(index, rule):
                self._add(use)

    def _add(self, use: _Use) -> None:
        self._by_text.setdefault(use.text, []).append(use)
        for word in use.words:
            self._by_word.setdefault(word, []).append(use)
        for word, gap in _gaps(use.letters) if use.is_trigger else ():
            self._by_gap.setdefault(gap, []).append((word, use.rule))

    def triggers_like(self, keyword: str) -> set[int]:
        """
        Return the rules that have this keyword, or one that differs by one letter of one word, in `keywords`.

        «bản giá» is found for «bảng giá».
        """
        found = {use.rule for use in self._by_text.get(parse(keyword).text, ()) if use.is_trigger}
        for word, gap in _gaps(_letters(keyword)):
            others = self._by_gap.get(gap, ())
            found.update(rule for other, rule in others if other == word or is_one_edit_apart(word, other))
        return found

    def rules_with(self, keyword: str, others: Collection[str]) -> set[int]:
        """Return the rules with a keyword that contains this one, is contained in it, or is one of the *others*."""
        words = frozenset(_letters(keyword))
        near = (use for word in words for use in self._by_word.get(word, ()))
        found = {use.rule for use in near if use.words <= words or words <= use.words}
        same = (use for text in (parse(keyword).text, *others) for use in self._by_text.get(text, ()))
        return found | {use.rule for use in same}


_INDEXES: Final[WeakKeyDictionary[RuleSet, KeywordIndex]] = WeakKeyDictionary()


def keyword_index(rules: RuleSet) -> KeywordIndex:
    """Return the index of the rules; it is cached as long as they exist."""
    index = _INDEXES.get(rules)
    if index is None:
        index = _INDEXES[rules] = KeywordIndex(rules)
    return index


def _uses_of(index: int, rule: Rule) -> Iterator[_Use]:
    for number, keywords in enumerate((rule.keywords, rule.exclude, *rule.all_of)):
        for keyword in keywords:
            letters = _letters(keyword.text)
            yield _Use(index, number == 0, letters, frozenset(letters), parse(keyword.text).text)


def _letters(keyword: str) -> tuple[str, ...]:
    return tuple(syllable.letters for syllable in parse(keyword).syllables)


def _gaps(letters: Sequence[str]) -> Iterator[tuple[str, _Gap]]:
    """Yield each word with its position and the other words."""
    for place, word in enumerate(letters):
        yield word, (place, (*letters[:place], *letters[place + 1 :]))
