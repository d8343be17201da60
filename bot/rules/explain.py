"""Explain one event: which rule answers and why, and why each other rule does not."""

from __future__ import annotations

import unicodedata
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import chain
from typing import Literal

from bot.rules.engine import (
    Candidate,
    Criterion,
    InactiveReason,
    Ranking,
    RuleSet,
    answering_kind,
    decided_by,
    has_words,
    rank,
)
from bot.rules.language.text import Fit, Token, compat, fold, normalise, plain, syllables, tokens, words_of
from bot.rules.matching.matcher import Hit, Hits, NearMiss, unmarked
from bot.rules.matching.near_misses import NEAREST_FIRST
from bot.rules.model.schema import Image, Reply, Rule, RuleFile
from bot.rules.suggest import Suggestion, suggest
from bot.rules.suggestion_checks import ChangeChecker

# Typos. The other reasons are of use only if no rule answers.
_SLIPS = frozenset({"marks", "unmarked", "place", "glued", "letter"})
_ALL = frozenset(NEAREST_FIRST)
_REWRITTEN = frozenset({"stretched", "joined", "split", "glued", "spelling", "typo", "telex", "tone"})
_SHORTEST_ONE_OFF = 5  # letters, so that "shop" is no near miss of "ship"
_MAX_NEAR = 3
_MOSTLY_KNOWN_PERCENT = 80  # of an abbreviation's uses; below it, the word itself may be meant
_MAX_NEAR_MISSES = 30


@dataclass(frozen=True, slots=True)
class Match:
    """A rule that matches the event."""

    rule: Rule
    hits: tuple[Hit, ...]
    """One keyword, or one of each group of `all_of`; empty for a pattern and for an event without words."""


@dataclass(frozen=True, slots=True)
class Outranked:
    """A rule that matches and is active, and the criterion by which it loses."""

    match: Match
    why: Criterion


@dataclass(frozen=True, slots=True)
class Excluded:
    """A rule that an `exclude` keyword keeps from matching."""

    rule: Rule
    by: Hit


@dataclass(frozen=True, slots=True)
class Inactive:
    """A rule that matches but is disabled, or not active for this time or OA."""

    match: Match
    why: InactiveReason | Literal["off"]
    would_answer: bool
    """Whether it would win if it were active."""


@dataclass(frozen=True, slots=True)
class Near:
    """A rule with a near miss."""

    rule: Rule
    miss: NearMiss


@dataclass(frozen=True, slots=True)
class Incomplete:
    """A rule that lacks one group of `all_of`."""

    rule: Rule
    hits: tuple[Hit, ...]
    missing: tuple[str, ...]
    """The keywords of the group, any of which is enough."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """The explanation of one event; each list of rules begins with the one closest to answering."""

    kind: str
    """The `on:` value: text, follow, …; text if the caption of an image or a link matched a rule for texts."""
    text: str
    understood: str
    """The text as it was understood: lower case, abbreviations and typos replaced; marks as typed."""
    winner: Match | None
    reply: Reply | None
    """The images of the winner or of the fallback; None if there is no answer."""
    cooldown: timedelta | None
    """The time in which a customer gets the reply at most once."""
    outranked: tuple[Outranked, ...]
    excluded: tuple[Excluded, ...]
    inactive: tuple[Inactive, ...]
    near: tuple[Near, ...]
    """With a winner, only typos."""
    incomplete: tuple[Incomplete, ...]
    """Empty with a winner."""
    suggestion: Suggestion | None
    """What to add to the file if nothing matches."""

    @property
    def is_matched(self) -> bool:
        """Whether a rule matches, even if it is excluded or inactive."""
        return bool(self.winner or self.excluded or self.inactive)

    @property
    def was_reread(self) -> bool:
        """Whether a word of the text was understood as another one."""
        return _letters(self.understood) != _letters(unicodedata.normalize("NFC", self.text).casefold())

    def rereadings(self) -> list[tuple[str, str]]:
        """Return (typed, understood) for the words of the winner's matches that were understood as others."""
        pairs = (pair for hit in (self.winner.hits if self.winner else ()) for pair in _rereadings(self.text, hit))
        return list(dict.fromkeys(pairs))

    def pieces(self) -> Iterator[tuple[str, bool]]:
        """Yield the text as typed in pieces, each with whether the winner matched it."""
        done = 0
        for start, end in _merged(self.winner.hits if self.winner else ()):
            yield self.text[done:start], False
            yield self.text[start:end], True
            done = end
        yield self.text[done:], False


def explain(
    rules: RuleSet, text: str, *, kind: str = "text", oa_id: str | None = None, now: float | None = None
) -> Explanation:
    """
    Return the explanation of an event, with a suggestion if nothing matches.

    Without *oa_id* or *now* (seconds since 1970), rules are active for any OA or time. Takes some milliseconds, more at
    the first call: it is for people, not for answering messages.
    """
    found = explain_answer(rules, text, kind=kind, oa_id=oa_id, now=now)
    if found.is_matched:
        return found
    suggestion = suggest(
        ChangeChecker(rules),
        text,
        found.kind,
        [near.miss for near in found.near],
        lambda r: bool(rank(r, text, kind=found.kind, oa_id=oa_id, now=now).ranked),
    )
    return replace(found, suggestion=suggestion)


def explain_answer(
    rules: RuleSet, text: str, *, kind: str = "text", oa_id: str | None = None, now: float | None = None
) -> Explanation:
    """Return the same as `explain` without a suggestion."""
    file = rules.file
    answers_words = has_words(kind, text)
    kind = answering_kind(rules, text, kind, oa_id=oa_id, now=now)
    ranking = rank(rules, text, kind=kind, oa_id=oa_id, now=now)
    hits = rules.matcher.hits(text) if kind == "text" else Hits({}, {}, {})
    best = ranking.ranked[0] if ranking.ranked else None
    winner = _match(file, best) if best else None
    reply, cooldown = _answer(file, winner, answers_words=answers_words)
    inactive = tuple(_inactive(rules, ranking, text, kind))
    listed = {c.rule for c in ranking.ranked} | ranking.excluded.keys() | ranking.inactive.keys()
    near = tuple(_near(rules, text, hits, listed, _SLIPS if winner else _ALL)) if kind == "text" else ()
    return Explanation(
        kind=kind,
        text=text,
        understood=_understood(rules, text, hits, winner),
        winner=winner,
        reply=reply,
        cooldown=cooldown,
        outranked=tuple(Outranked(_match(file, c), decided_by(ranking.ranked[0], c)) for c in ranking.ranked[1:]),
        excluded=tuple(Excluded(file.rules[index], hit) for index, hit in sorted(ranking.excluded.items())),
        inactive=inactive,
        near=near,
        incomplete=() if winner else tuple(_incomplete(file, hits, listed | {n.miss.keyword.rule for n in near})),
        suggestion=None,
    )


def shares(reply: Reply) -> tuple[tuple[Image, float], ...]:
    """Return the images of a reply, each with the share of events that get it (1 is all)."""
    total = sum(image.weight for image in reply.images)
    return tuple((image, image.weight / total if reply.one_of else 1.0) for image in reply.images)


def _answer(file: RuleFile, winner: Match | None, *, answers_words: bool) -> tuple[Reply | None, timedelta | None]:
    if winner:
        return winner.rule.reply, winner.rule.cooldown
    if file.fallback and answers_words:
        return file.fallback.reply, file.fallback.every
    return None, None


def _match(file: RuleFile, candidate: Candidate) -> Match:
    return Match(file.rules[candidate.rule], candidate.hits)


def _inactive(rules: RuleSet, ranking: Ranking, text: str, kind: str) -> Iterator[Inactive]:
    """Yield the rules that would match at another time, for another OA, or if enabled."""
    least = ranking.ranked[0].score if ranking.ranked else ()
    for candidate in rank(rules, text, kind=kind).ranked if ranking.inactive else ():
        why = ranking.inactive.get(candidate.rule)
        if why is not None:
            yield Inactive(_match(rules.file, candidate), why, candidate.score > least)
    for candidate in rank(rules.switched_off, text, kind=kind).ranked if rules.switched_off else ():
        yield Inactive(_match(rules.file, candidate), "off", candidate.score > least)


def _near(rules: RuleSet, text: str, hits: Hits, listed: Container[int], reasons: Container[str]) -> Iterator[Near]:
    """Yield the rules with near misses, at most `_MAX_NEAR`."""
    found: dict[int, NearMiss] = {}
    for miss in rules.matcher.near_misses(text, most=_MAX_NEAR_MISSES, hits=hits):
        index = miss.keyword.rule
        if index in listed or miss.reason not in reasons:
            continue
        if _is_near(miss, _unmet(rules.file.rules[index], index, hits)):
            found.setdefault(index, miss)
    for index, miss in list(found.items())[:_MAX_NEAR]:
        yield Near(rules.file.rules[index], miss)


def _is_near(miss: NearMiss, unmet: list[int]) -> bool:
    if miss.reason == "letter" and len(unmarked(miss.keyword.text)) < _SHORTEST_ONE_OFF:
        return False
    return miss.keyword.role != "all_of" or unmet == [miss.keyword.group]


def _unmet(rule: Rule, index: int, hits: Hits) -> list[int]:
    """Return the groups of the rule's `all_of` without a hit."""
    return [group for group in range(len(rule.all_of)) if (index, group) not in hits.all_of]


def _incomplete(file: RuleFile, hits: Hits, listed: Iterable[int]) -> Iterator[Incomplete]:
    begun = sorted({index for index, _ in hits.all_of}.difference(listed))
    for index in begun:
        rule = file.rules[index]
        unmet = _unmet(rule, index, hits)
        if len(unmet) == 1:
            met = tuple(hits.all_of[index, group] for group in range(len(rule.all_of)) if group not in unmet)
            yield Incomplete(rule, met, tuple(keyword.text for keyword in rule.all_of[unmet[0]]))


def _understood(rules: RuleSet, text: str, hits: Hits, winner: Match | None) -> str:
    """Return the text with reread words replaced by what they were read as."""
    found = [*(winner.hits if winner else ()), *hits.any.values(), *hits.all_of.values(), *hits.excluded.values()]
    read: list[tuple[int, int, str]] = []
    mended = ((h.spans[0][0], h.spans[-1][1], h.keyword.text) for h in found if h.kind in _REWRITTEN)
    for start, end, meant in chain(mended, _written_out(rules, text, found)):
        if all(end <= other[0] or start >= other[1] for other in read):
            read.append((start, end, meant))
    whole, done = "", 0
    for start, end, meant in sorted(read):
        whole, done = whole + text[done:start] + meant, end
    return " ".join(normalise(whole + text[done:]).split())


def _written_out(rules: RuleSet, text: str, hits: Iterable[Hit]) -> Iterator[tuple[int, int, str]]:
    """Yield the abbreviations with their meanings; of several, the one of a matched keyword."""
    for token in tokens(text):
        meanings = rules.matcher.short_forms.get(plain(normalise(text[token.start : token.end])), ())
        wanted = [meaning.text for meaning in meanings if any(_is_part(meaning.text, token, hit) for hit in hits)]
        if wanted or sum(meaning.share for meaning in meanings) >= _MOSTLY_KNOWN_PERCENT:
            certain = [meaning.text for meaning in meanings if meaning.is_certain]
            everything = [meaning.text for meaning in meanings]
            yield token.start, token.end, "/".join(wanted or certain or everything)


def _is_part(meaning: str, token: Token, hit: Hit) -> bool:
    inside = hit.spans[0][0] <= token.start and token.end <= hit.spans[-1][1]
    return inside and f" {unmarked(meaning)} " in f" {unmarked(hit.keyword.text)} "


def _rereadings(text: str, hit: Hit) -> Iterator[tuple[str, str]]:
    """Yield (typed, keyword) for words that differ, one by one if both have the same number of words."""
    if hit.kind in {"exact", "unmarked"} or not hit.words:
        return
    typed = [normalise(text[start:end]) for start, end in hit.spans]
    wanted = words_of(hit.keyword.text)
    while typed and wanted and _is_same(typed[0], wanted[0]):
        typed, wanted = typed[1:], wanted[1:]
    while typed and wanted and _is_same(typed[-1], wanted[-1]):
        typed, wanted = typed[:-1], wanted[:-1]
    if len(typed) == len(wanted):
        yield from ((one, other) for one, other in zip(typed, wanted, strict=True) if not _is_same(one, other))
    elif typed:
        yield " ".join(typed), " ".join(wanted)


def _is_same(typed: str, wanted: str) -> bool:
    """Return whether a word is the keyword's, with or without its marks."""
    fits = [compat(one, other) for one, other in zip(syllables(typed), syllables(wanted), strict=False)]
    return Fit.NO not in fits and fold(plain(typed)) == fold(plain(wanted))


def _letters(text: str) -> list[str]:
    return [character for character in text if character.isalnum()]


def _merged(hits: Iterable[Hit]) -> list[tuple[int, int]]:
    """Return the spans of text that the hits cover, merged and in order."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted((hit.spans[0][0], hit.spans[-1][1]) for hit in hits):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged
