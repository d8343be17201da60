"""Conflicts between rules: shadowed keywords, unmarked twins, rules that can never win."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from bot.rules.linting.keyword_index import KeywordIndex, KeywordUse, always_within, at_every_place
from bot.rules.matching.matcher import Hit, KeywordPattern, Matcher
from bot.rules.model.schema import Rule
from bot.rules.problem import Arg, Phrase, Place, Problem, phrase

_MAX_RIVALS = 20  # reported for one keyword


@dataclass(frozen=True, slots=True)
class Conflict:
    """A keyword whose messages another rule answers; *certain*: regardless of the rest of the message."""

    code: str
    shadowed: KeywordUse
    by: KeywordUse
    reason: Phrase
    certain: bool = False


def conflicts(words: KeywordIndex) -> Iterator[Problem]:
    """Yield the conflicts between keywords of different rules."""
    same = list(_same(words.keywords))
    known = {id(conflict.shadowed) for conflict in same}
    found = [*same, *_outranked(words, known)]
    dead = _dead_rules(words, found)
    for index, conflict in dead.items():
        yield _problem("never-wins", conflict, words.places.at("rules", index, "id"), word=conflict.shadowed.rule.id)
    unmarked_twins = (conflict for conflict in _unmarked_twins(words.keywords) if id(conflict.shadowed) not in known)
    for conflict in [*found, *unmarked_twins]:
        if conflict.shadowed.index not in dead:
            its = conflict.by.keyword.text
            yield _problem(
                conflict.code, conflict, conflict.shadowed.place, word=conflict.shadowed.keyword.text, its=its
            )


def _problem(code: str, conflict: Conflict, place: Place, **args: Arg) -> Problem:
    by = conflict.by
    return Problem.at(place, code, other=by.rule.id, line=by.place.line, why=conflict.reason, **args)


def _same(keywords: Iterable[KeywordUse]) -> Iterator[Conflict]:
    """Yield the keywords that a rule with precedence has as well."""
    for group in _groups(keywords, lambda word: word.words):
        ranked = sorted(group, key=lambda word: (-word.rule.priority, word.index))
        for shadowed, by in _shadowed(ranked, _covers):
            certain = not by.rule.exclude
            yield Conflict("same-keyword", shadowed, by, _why(by.rule, shadowed.rule), certain)


def _unmarked_twins(keywords: Iterable[KeywordUse]) -> Iterator[Conflict]:
    """Yield the keywords that become another rule's when customers omit the marks."""
    for group in _groups(keywords, lambda word: (word.letters, word.keyword.match)):
        ranked = sorted(group, key=lambda word: (-word.rule.priority, word.marks != 0, word.index))
        for shadowed, by in _shadowed(ranked, lambda by, shadowed: by.words != shadowed.words):
            unmarked = shadowed.marks and not by.marks and by.index > shadowed.index
            same_rank = by.rule.priority == shadowed.rule.priority
            reason = phrase("why-unmarked") if unmarked and same_rank else _why(by.rule, shadowed.rule)
            yield Conflict("twin-keyword", shadowed, by, reason)


def _groups(keywords: Iterable[KeywordUse], key: Callable[[KeywordUse], Hashable]) -> Iterator[list[KeywordUse]]:
    groups: dict[Hashable, list[KeywordUse]] = {}
    for word in keywords:
        groups.setdefault(key(word), []).append(word)
    return (group for group in groups.values() if len(group) > 1)


def _shadowed(
    ranked: list[KeywordUse], beats: Callable[[KeywordUse, KeywordUse], bool]
) -> Iterator[tuple[KeywordUse, KeywordUse]]:
    """Yield every keyword of a group with the first keyword before it that always wins."""
    for place, shadowed in enumerate(ranked):
        rivals = (word for word in ranked[:_MAX_RIVALS][:place] if word.index != shadowed.index)
        better = (word for word in rivals if active_whenever(word.rule, shadowed.rule) and beats(word, shadowed))
        if (by := next(better, None)) is not None:
            yield shadowed, by


def _covers(wide: KeywordUse, narrow: KeywordUse) -> bool:
    """Return whether *wide* matches wherever *narrow* does, and at least as well; both have the same words."""
    if "contains" in {wide.keyword.match, narrow.keyword.match}:
        return wide.keyword.match == narrow.keyword.match
    return at_every_place(wide.keyword, narrow.keyword)


def _outranked(words: KeywordIndex, known: set[int]) -> Iterator[Conflict]:
    """Yield the keywords that contain a keyword of higher priority."""
    lowest = min((rule.priority for _, rule in words.of_rules()), default=0)
    above = [word for word in words.keywords if word.rule.priority > lowest]
    if not above:
        return
    matcher = Matcher(
        [KeywordPattern(place, word.keyword.text, word.keyword.match) for place, word in enumerate(above)]
    )
    for shadowed in words.keywords:
        if id(shadowed) not in known:
            hits = matcher.hits(shadowed.keyword.text).any
            better = [(above[n], hits[n]) for n in islice(sorted(hits), _MAX_RIVALS) if _outranks(above[n], shadowed)]
            sure = [(word, hit) for word, hit in better if _is_sure(word, hit, shadowed)]
            for by, _ in (sure or better)[:1]:
                yield Conflict("losing-keyword", shadowed, by, phrase("why-priority"), certain=bool(sure))


def _is_sure(by: KeywordUse, hit: Hit, shadowed: KeywordUse) -> bool:
    return not by.rule.exclude and always_within(by, hit, shadowed)


def _outranks(by: KeywordUse, shadowed: KeywordUse) -> bool:
    return by.rule.priority > shadowed.rule.priority and active_whenever(by.rule, shadowed.rule)


def _dead_rules(words: KeywordIndex, found: Iterable[Conflict]) -> dict[int, Conflict]:
    """Return the rules that lose every keyword and match nothing else, with their first conflict."""
    lost: dict[int, dict[int, Conflict]] = {}
    for conflict in found:
        if conflict.certain:
            lost.setdefault(conflict.shadowed.index, {})[id(conflict.shadowed)] = conflict
    return {
        index: next(iter(lost[index].values()))
        for index, rule in words.of_rules()
        if index in lost and len(lost[index]) == len(rule.keywords) and not rule.all_of and rule.pattern is None
    }


def active_whenever(one: Rule, other: Rule) -> bool:
    """Return whether *one* is active, by time and OA, whenever *other* is."""
    in_time = one.active is None or one.active == other.active
    return in_time and (not one.oa or (bool(other.oa) and set(other.oa) <= set(one.oa)))


def _why(by: Rule, shadowed: Rule) -> Phrase:
    return phrase("why-priority" if by.priority > shadowed.priority else "why-first")
