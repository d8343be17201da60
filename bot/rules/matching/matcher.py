"""The matcher: find all keywords of all rules in a message in one pass, and keep the best match of each rule."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from operator import itemgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from bot.rules.language.text import normalise, plain, tokens, without_urls
from bot.rules.matching import keywords as kw
from bot.rules.matching.best_matches import BestMatch, BestMatches, TypedSpans, quality_of
from bot.rules.matching.keywords import Keyword, Output, Parsed, TokenKind, parse
from bot.rules.matching.near_misses import MAX_WORDS, NEAREST_FIRST, Difference, NearMissIndex, difference, positions
from bot.rules.matching.readings import Lexicon, MatchKind
from bot.rules.matching.short_forms import meanings_of
from bot.rules.matching.substrings import Substrings
from bot.rules.matching.trie import KeywordTrie

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bot.rules.language.abbreviations import Meaning
    from bot.rules.language.text import Token

MatchMode: TypeAlias = Literal["phrase", "exact", "prefix", "contains"]
Role: TypeAlias = Literal["any", "exclude", "all_of"]

MAX_SYLLABLES: Final = kw.MAX_SYLLABLES
"""Only the first syllables of a longer keyword are compared, and its `exact` becomes `prefix`."""


@dataclass(frozen=True, slots=True)
class KeywordPattern:
    """One keyword of one rule, with its role in the rule."""

    rule: int
    text: str
    match: MatchMode = "phrase"
    role: Role = "any"
    group: int = 0


@dataclass(frozen=True, slots=True)
class Hit:
    """
    A keyword found in a message.

    *words*: number of words of the keyword, cut where letters meet digits; 0 for punctuation. *quality*: 2 with all
    marks, 0 with marks omitted, negative for other differences, one number for each kind. *spread*: 2 if it is the
    whole message, 1 at its beginning, 0 elsewhere. *letters*: number of letters of the keyword. *spans*: the matched
    words in the message as typed. *kind*: the greatest difference: "exact", "unmarked", or a `MatchKind` in lower case.
    *is_certain*: false if marks are missing although the sender types marks, and the words are correct without them.
    """

    keyword: KeywordPattern
    words: int
    quality: int
    spread: int
    letters: int
    spans: tuple[tuple[int, int], ...]
    kind: str
    is_certain: bool = True


@dataclass(frozen=True, slots=True)
class Hits:
    """The best hit of each rule, of each rule's `exclude`, and of each (rule, group) of `all_of`."""

    any: dict[int, Hit]
    excluded: dict[int, Hit]
    all_of: dict[tuple[int, int], Hit]


@dataclass(frozen=True, slots=True)
class NearMiss:
    """
    A keyword that a message almost has.

    *reason*: "marks" (*typed* contradicts *wanted*), "unmarked" (*typed* is a word of its own without marks),
    "ambiguous" (*typed* abbreviates *wanted* and other words), "place" (it is there, but not at the beginning, or not
    the whole message), "glued" (it is part of a longer word), "letter" (one letter differs), "between" (*typed* is
    between its words), "missing" (*wanted* is missing), "word" (one word differs). *span*: the place of *typed* in the
    message as typed.
    """

    keyword: KeywordPattern
    reason: str
    typed: str
    wanted: str
    span: tuple[int, int]


class Matcher:
    """
    Finds all patterns in a message in one pass; thread-safe.

    Args:
        patterns: In the order of the file: of equal hits, that of the earlier pattern counts.
        abbreviations: The shop's own, in addition to the built-in ones; each key is one word.
        typos: Whether to accept one wrong letter in long words.
    """

    def __init__(
        self,
        patterns: Sequence[KeywordPattern],
        *,
        abbreviations: Mapping[str, str] = MappingProxyType({}),
        typos: bool = True,
    ) -> None:
        self._patterns = tuple(patterns)
        self._parsed = tuple(parse(pattern.text) for pattern in patterns)
        self._targets: list[tuple[Role, int, int]] = []
        self._substrings = Substrings()
        by_kind = self._sort()
        self.short_forms: Mapping[str, Sequence[Meaning]] = meanings_of(abbreviations)
        """The meanings of abbreviations."""
        words, signs = by_kind[TokenKind.WORDS], by_kind[TokenKind.SIGNS]
        self._words = KeywordTrie(words, Lexicon(words, self.short_forms, typos=typos), signs=False)
        self._signs = KeywordTrie(signs, Lexicon(signs, self.short_forms, typos=typos), signs=True) if signs else None

    def _sort(self) -> dict[TokenKind, list[Keyword]]:
        """Return the distinct keywords of whole words with their outputs; add the others to the substrings."""
        keywords: dict[tuple[TokenKind, tuple[str, ...], int], Keyword] = {}
        targets: dict[tuple[Role, int, int], int] = {}
        for number, (pattern, parsed) in enumerate(zip(self._patterns, self._parsed, strict=True)):
            target = targets.setdefault(_target_of(pattern), len(targets))
            output = Output(number, target, _least_spread(pattern, parsed), pattern.role != "exclude")
            if pattern.match == "contains" or parsed.token_kind is TokenKind.RAW:
                self._substrings.add(parsed, output)
            else:
                keyword = parsed.keyword()
                keyword = keywords.setdefault((parsed.token_kind, keyword.letters, keyword.marks), keyword)
                keyword.outputs.append(output)
        self._targets = list(targets)
        return {kind: [keyword for (of, _, _), keyword in keywords.items() if of is kind] for kind in TokenKind}

    def hits(self, text: str) -> Hits:
        """Return the best hits of every rule in *text*."""
        normalised = normalise(text)
        clean = without_urls(normalised)
        words = self._words.read(clean)
        matches = BestMatches(words)
        self._words.scan(words, matches)
        for part in self._substrings.parts(words):
            matches.add(part.keyword, quality_of(MatchKind.AS_TYPED, part.exact), part.first, part.end)
        for sign, keyword in self._substrings.signs.items():
            matches.add_sign(keyword, sign, clean)
        for url, keyword in self._substrings.urls.items():
            matches.add_sign(keyword, url, normalised)
        matches.finish_scan()
        if self._signs is not None:
            matches.words = self._signs.read(clean)
            self._signs.scan(matches.words, matches)
            matches.finish_scan()
        return self._report(matches.best, TypedSpans(text, normalised, clean)) if matches.best else Hits({}, {}, {})

    def _report(self, best: Mapping[int, BestMatch], spans: TypedSpans) -> Hits:
        hits = Hits({}, {}, {})
        for target, (rank, pattern, kind, words, span) in best.items():
            role, rule, group = self._targets[target]
            hit = Hit(self._patterns[pattern], *rank[1:], spans.of(words, span), kind, bool(rank[0]))
            if role == "any":
                hits.any[rule] = hit
            elif role == "exclude":
                hits.excluded[rule] = hit
            else:
                hits.all_of[rule, group] = hit
        return hits

    @cached_property
    def _near_miss_index(self) -> NearMissIndex:
        """The index of near misses, built on first use: answering messages does not need it."""
        patterns = zip(self._patterns, self._parsed, strict=True)
        return NearMissIndex((n, parsed) for n, (pattern, parsed) in enumerate(patterns) if pattern.role != "exclude")

    def near_misses(self, text: str, *, most: int = 5, hits: Hits | None = None) -> list[NearMiss]:
        """
        Return keywords that *text* almost has, the nearest first, at most one for each target.

        `exclude` keywords and targets that have a hit are left out. *hits*: those of *text*, if known.
        """
        words = tokens(text)[:MAX_WORDS]
        places = positions(words)
        hits = hits or self.hits(text)
        nearest: dict[tuple[Role, int, int], tuple[tuple[int, int], NearMiss]] = {}
        by_letters = ((n, difference(words, places, self._parsed[n])) for n in self._near_miss_index.of(words, places))
        for number, found in chain(by_letters, self._unconfirmed(words, text)):
            pattern, parsed = self._patterns[number], self._parsed[number]
            near = _explained(found, pattern)
            if near is not None and not _is_met(pattern, hits):
                rank = (NEAREST_FIRST.index(near.reason), -len(parsed.text))
                typed = (words[near.first].start, words[near.end - 1].end)
                miss = NearMiss(pattern, near.reason, text[slice(*typed)], near.wanted, typed)
                nearest[_target_of(pattern)] = min(
                    nearest.get(_target_of(pattern), (rank, miss)), (rank, miss), key=itemgetter(0)
                )
        return [miss for _, miss in sorted(nearest.values(), key=itemgetter(0))[:most]]

    @cached_property
    def _by_words(self) -> Mapping[str, list[int]]:
        """Indices of the patterns by the words of their keywords."""
        by_words: dict[str, list[int]] = {}
        for number, (pattern, parsed) in enumerate(zip(self._patterns, self._parsed, strict=True)):
            if pattern.role != "exclude":
                by_words.setdefault(" ".join([piece.text for piece in parsed.pieces]), []).append(number)
        return by_words

    def _unconfirmed(self, words: Sequence[Token], text: str) -> Iterator[tuple[int, Difference]]:
        """Yield the patterns whose keyword an ambiguous abbreviation may mean."""
        for first, word in enumerate(words):
            short = plain(normalise(text[word.start : word.end]))
            for meaning in self.short_forms.get(short, ()):
                for number in self._by_words.get(meaning.text, ()) if not meaning.is_certain else ():
                    yield number, Difference("ambiguous", first, first + 1, self._patterns[number].text)


def _is_met(pattern: KeywordPattern, hits: Hits) -> bool:
    return pattern.rule in hits.any if pattern.role == "any" else (pattern.rule, pattern.group) in hits.all_of


def _explained(near: Difference | None, pattern: KeywordPattern) -> Difference | None:
    """Return why a keyword that is in the message does not match."""
    if near is None or near.reason != "place" or pattern.match in {"exact", "prefix"}:
        return near
    return near._replace(reason="unmarked")


def _target_of(pattern: KeywordPattern) -> tuple[Role, int, int]:
    """Return the target of the pattern: the best hit of a rule, or of one of its groups."""
    return pattern.role, pattern.rule, pattern.group if pattern.role == "all_of" else 0


def _least_spread(pattern: KeywordPattern, parsed: Parsed) -> int:
    if pattern.match == "exact":
        return 1 if parsed.cut else 2
    return 1 if pattern.match == "prefix" else 0


def unmarked(text: str) -> str:
    """
    Return the words of a keyword without marks: two keywords have the same letters if these are equal.

    A keyword of punctuation only has no letters: the result is empty.

    >>> unmarked("Bán"), unmarked("SP-001")
    ('ban', 'sp 001')
    """
    return " ".join(syllable.letters for syllable in parse(text).syllables)
