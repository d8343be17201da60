"""Rules that take each other's messages, found before customers find them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from bot.rules.linting.keyword_index import Vocabulary, Word, always_within, at_every_place
from bot.rules.matching.matcher import Hit, Matcher, Needle
from bot.rules.model.schema import Rule
from bot.rules.problem import Arg, Phrase, Place, Problem, phrase

_MOST_RIVALS = 20  # of one keyword; whoever has more has heard enough


@dataclass(frozen=True, slots=True)
class _Loss:
    """A keyword whose messages another rule answers; *proven*: whatever else a message says."""

    code: str
    loser: Word
    winner: Word
    why: Phrase
    proven: bool = False


def clashes(words: Vocabulary) -> Iterator[Problem]:
    """Yield what is wrong between the keywords of different rules."""
    same = list(_same(words.keywords))
    known = {id(loss.loser) for loss in same}
    losses = [*same, *_outranked(words, known)]
    dead = _dead_rules(words, losses)
    for index, loss in dead.items():
        yield _problem("never-wins", loss, words.places.at("rules", index, "id"), word=loss.loser.rule.id)
    twins = (loss for loss in _twins(words.keywords) if id(loss.loser) not in known)
    for loss in [*losses, *twins]:
        if loss.loser.index not in dead:
            its = loss.winner.keyword.text
            yield _problem(loss.code, loss, loss.loser.place, word=loss.loser.keyword.text, its=its)


def _problem(code: str, loss: _Loss, place: Place, **args: Arg) -> Problem:
    winner = loss.winner
    return Problem.at(place, code, other=winner.rule.id, line=winner.place.line, why=loss.why, **args)


def _same(keywords: Iterable[Word]) -> Iterator[_Loss]:
    """Yield the keywords that a better placed rule has too."""
    for group in _groups(keywords, lambda word: word.words):
        ranked = sorted(group, key=lambda word: (-word.rule.priority, word.index))
        for loser, winner in _losers(ranked, _covers):
            proven = not winner.rule.exclude
            yield _Loss("same-keyword", loser, winner, _why(winner.rule, loser.rule), proven)


def _twins(keywords: Iterable[Word]) -> Iterator[_Loss]:
    """Yield the keywords that are another rule's once the customer leaves the marks out."""
    for group in _groups(keywords, lambda word: (word.letters, word.keyword.match)):
        ranked = sorted(group, key=lambda word: (-word.rule.priority, word.marks != 0, word.index))
        for loser, winner in _losers(ranked, lambda winner, loser: winner.words != loser.words):
            unmarked = loser.marks and not winner.marks and winner.index > loser.index
            same_rank = winner.rule.priority == loser.rule.priority
            why = phrase("why-unmarked") if unmarked and same_rank else _why(winner.rule, loser.rule)
            yield _Loss("twin-keyword", loser, winner, why)


def _groups(keywords: Iterable[Word], key: Callable[[Word], Hashable]) -> Iterator[list[Word]]:
    groups: dict[Hashable, list[Word]] = {}
    for word in keywords:
        groups.setdefault(key(word), []).append(word)
    return (group for group in groups.values() if len(group) > 1)


def _losers(ranked: list[Word], beats: Callable[[Word, Word], bool]) -> Iterator[tuple[Word, Word]]:
    """Yield every keyword of a group with the first of those before it that always beats it."""
    for place, loser in enumerate(ranked):
        rivals = (word for word in ranked[:_MOST_RIVALS][:place] if word.index != loser.index)
        better = (word for word in rivals if always_beside(word.rule, loser.rule) and beats(word, loser))
        if (winner := next(better, None)) is not None:
            yield loser, winner


def _covers(wide: Word, narrow: Word) -> bool:
    """Return whether, of two keywords with the same words, one matches wherever the other does, and as well."""
    if "contains" in {wide.keyword.match, narrow.keyword.match}:
        return wide.keyword.match == narrow.keyword.match
    return at_every_place(wide.keyword, narrow.keyword)


def _outranked(words: Vocabulary, known: set[int]) -> Iterator[_Loss]:
    """Yield the keywords that have a keyword of higher priority within them."""
    lowest = min((rule.priority for _, rule in words.of_rules()), default=0)
    above = [word for word in words.keywords if word.rule.priority > lowest]
    if not above:
        return
    matcher = Matcher([Needle(place, word.keyword.text, word.keyword.match) for place, word in enumerate(above)])
    for loser in words.keywords:
        if id(loser) not in known:
            hits = matcher.hits(loser.keyword.text).any
            better = [(above[n], hits[n]) for n in islice(sorted(hits), _MOST_RIVALS) if _outranks(above[n], loser)]
            sure = [(word, hit) for word, hit in better if _is_sure(word, hit, loser)]
            for winner, _ in (sure or better)[:1]:
                yield _Loss("losing-keyword", loser, winner, phrase("why-priority"), proven=bool(sure))


def _is_sure(winner: Word, hit: Hit, loser: Word) -> bool:
    return not winner.rule.exclude and always_within(winner, hit, loser)


def _outranks(winner: Word, loser: Word) -> bool:
    return winner.rule.priority > loser.rule.priority and always_beside(winner.rule, loser.rule)


def _dead_rules(words: Vocabulary, losses: Iterable[_Loss]) -> dict[int, _Loss]:
    """Return the rules that lose every keyword, and have no other way to match, with their first loss."""
    lost: dict[int, dict[int, _Loss]] = {}
    for loss in losses:
        if loss.proven:
            lost.setdefault(loss.loser.index, {})[id(loss.loser)] = loss
    return {
        index: next(iter(lost[index].values()))
        for index, rule in words.of_rules()
        if index in lost and len(lost[index]) == len(rule.keywords) and not rule.all_of and rule.pattern is None
    }


def always_beside(one: Rule, other: Rule) -> bool:
    """Return whether *one* is in play, by time and OA, whenever *other* is."""
    in_time = one.active is None or one.active == other.active
    return in_time and (not one.oa or (bool(other.oa) and set(other.oa) <= set(one.oa)))


def _why(winner: Rule, loser: Rule) -> Phrase:
    return phrase("why-priority" if winner.priority > loser.priority else "why-first")
