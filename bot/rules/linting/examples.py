"""Run the examples of a rules file against its rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial

from bot.rules.engine import Candidate, RuleSet, decided_by, rank
from bot.rules.linting.conflicts import active_whenever
from bot.rules.matching.matcher import Hit, KeywordPattern, Matcher
from bot.rules.model.schema import Rule
from bot.rules.problem import Arg, Phrase, Problem, phrase
from bot.rules.reading.loader import Places


def failing_examples(rules: RuleSet, places: Places) -> Iterator[Problem]:
    """Yield a problem for every example that its rule does not answer, and every counter-example that it does."""
    for index, rule in enumerate(rules.file.rules):
        if rule.enabled:
            own_words = cache(partial(_matcher_of, rule))  # created for the first example that fails
            for number in range(len(rule.examples)):
                yield from _missed(rules, places, index, number, own_words)
            for number, text in enumerate(rule.not_examples):
                yield from _answered(rules, places, index, number, text)


def _missed(
    rules: RuleSet, places: Places, index: int, number: int, own_words: Callable[[], Matcher]
) -> Iterator[Problem]:
    text = rules.file.rules[index].examples[number]
    ranking = rank(rules, text)
    winner = _winner(rules, ranking.ranked, index)
    if winner is not None and winner.rule == index:
        return
    place = places.at("rules", index, "examples", number)
    own = next((candidate for candidate in ranking.ranked if candidate.rule == index), None)
    theirs = _about(rules, places, winner)
    if winner is not None and own is not None:
        yield Problem.at(place, "example-fails", word=text, why=_why(winner, own), **theirs)
    elif index in ranking.excluded:
        hit = ranking.excluded[index]
        line = places.at("rules", index, "exclude", _position(rules.file.rules[index], hit)).line
        yield Problem.at(place, "example-fails/excluded", word=text, part=hit.keyword.text, line=line)
    elif winner is not None:
        near = _nearest(own_words(), text)
        yield Problem.at(place, "example-fails/other", word=text, near=near, part=_parts(winner), **theirs)
    else:
        yield Problem.at(place, "example-fails/nothing", word=text, near=_nearest(own_words(), text))


def _answered(rules: RuleSet, places: Places, index: int, number: int, text: str) -> Iterator[Problem]:
    winner = _winner(rules, rank(rules, text).ranked, index)
    if winner is not None and winner.rule == index:
        place = places.at("rules", index, "not_examples", number)
        yield Problem.at(place, "not-example-fails", word=text, part=_parts(winner))


def _winner(rules: RuleSet, ranked: tuple[Candidate, ...], index: int) -> Candidate | None:
    """Return the winner at a time when the rule *index* is active, even if that is the only one."""
    rule = rules.file.rules[index]
    others = (c for c in ranked if c.rule == index or active_whenever(rules.file.rules[c.rule], rule))
    return next(others, None)


def _about(rules: RuleSet, places: Places, winner: Candidate | None) -> dict[str, Arg]:
    if winner is None:
        return {}
    other = rules.file.rules[winner.rule].id
    return {"other": other, "line": places.at("rules", winner.rule, "id").line}


def _why(winner: Candidate, own: Candidate) -> Phrase:
    criterion = decided_by(winner, own)
    if criterion == "priority":
        return phrase("beaten-priority", theirs=winner.score.priority, ours=own.score.priority)
    return phrase(f"beaten-{criterion}", theirs=_parts(winner), ours=_parts(own))


def _parts(candidate: Candidate) -> Arg:
    """Return the keywords that matched, for a message."""
    return tuple(hit.keyword.text for hit in candidate.hits) or phrase("a-pattern")


def _position(rule: Rule, hit: Hit) -> int:
    texts = [(keyword.text, keyword.match) for keyword in rule.exclude]
    return texts.index((hit.keyword.text, hit.keyword.match))


def _matcher_of(rule: Rule) -> Matcher:
    """Return a matcher of only this rule's keywords."""
    keywords = [*rule.keywords, *(keyword for group in rule.all_of for keyword in group)]
    return Matcher([KeywordPattern(n, keyword.text, keyword.match) for n, keyword in enumerate(keywords)])


def _nearest(matcher: Matcher, text: str) -> Phrase | str:
    """Return the rule's keyword that the text almost has; "" if there is none."""
    miss = next(iter(matcher.near_misses(text, most=1)), None)
    if miss is None:
        return ""
    if miss.reason == "marks":
        return phrase("near-keyword/marks", word=miss.keyword.text, typed=miss.typed)
    return phrase("near-keyword", word=miss.keyword.text)
