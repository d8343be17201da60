"""Unmatched messages as topics, by number of customers, each with the nearest rule and suggested keywords."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from bot.analysis.topics import Question, QuestionGroup, Topic, find_topics, sort_by_people
from bot.inbox.messages import Message
from bot.logs import MASK, redact
from bot.rules.engine import RuleSet, rank
from bot.rules.explain import Explanation, explain_answer
from bot.rules.matching.phrases import says_little
from bot.rules.suggest import Suggestion, own_keywords, suggestions
from bot.rules.suggestion_checks import AnsweredMessage, ChangeChecker


@dataclass(frozen=True, slots=True)
class Advice:
    """A suggestion and its benefit."""

    suggestion: Suggestion
    wins: int
    """The number of the topic's messages that it would answer."""
    example: str
    """One of these messages; redacted."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A topic that the rules do not answer, with suggestions."""

    topic: Topic
    explanation: Explanation
    advice: tuple[Advice, ...]
    """Alternative suggestions: for the nearest rule, if one is near enough, or for a new rule."""
    follows: bool
    """Whether an earlier gap has advice for the same rule, which may answer this one too: then there is none here."""

    @property
    def question(self) -> Question:
        """The question that represents the topic."""
        return self.topic.question


def split_small_talk(messages: Iterable[Message]) -> tuple[list[Message], list[Message]]:
    """Return the messages with a question, and the small talk."""
    topics: list[Message] = []
    small_talk: list[Message] = []
    for message in messages:
        (small_talk if says_little(message.text) else topics).append(message)
    return topics, small_talk


def unanswered_topics(groups: Collection[QuestionGroup], rules: RuleSet, *, now: float) -> Iterator[Topic]:
    """Yield the topics that *rules* do not answer, those of most customers first; they may answer some by now."""
    return find_topics(groups, lambda group: not _answers(rules, group, now))


def unanswered_questions(groups: Iterable[QuestionGroup], rules: RuleSet, *, now: float) -> Iterator[Question]:
    """Yield the questions that *rules* do not answer, those of most customers first."""
    return (group.question() for group in sort_by_people(groups) if not _answers(rules, group, now))


def find_gaps(topics: Iterable[Topic], rules: RuleSet, *, now: float, answered: Sequence[Message] = ()) -> list[Gap]:
    """Return a gap for each topic; no suggestion changes the answer to a message that was *answered*."""
    checker = ChangeChecker(rules, tuple(AnsweredMessage(one.text, one.oa_id, one.happened_at) for one in answered))
    found = []
    advised: set[str] = set()
    for topic in topics:
        explanation = _explain(topic, rules, now)
        pieces = list(_advice(topic, explanation, checker, now))
        ids = [piece.suggestion.rule_id for piece in pieces]
        follows = bool(ids) and ids[0] in advised
        fresh = () if follows else tuple(p for p in pieces if p.suggestion.rule_id not in advised)
        advised.update(piece.suggestion.rule_id for piece in fresh)
        found.append(Gap(topic, explanation, fresh, follows))
    return found


def _answers(rules: RuleSet, group: QuestionGroup, now: float) -> bool:
    return rank(rules, group.typical, oa_id=group.messages[0].oa_id, now=now).winner is not None


def _explain(topic: Topic, rules: RuleSet, now: float) -> Explanation:
    """Return why no rule answers; words on both sides of a redacted part are not adjacent."""
    text = max(topic.question.text.split(MASK), key=len).strip()
    return explain_answer(rules, text, oa_id=topic.question.oa_id, now=now)


def _advice(topic: Topic, explanation: Explanation, checker: ChangeChecker, now: float) -> Iterator[Advice]:
    """Yield suggestions for the nearest rule or a new rule; each was verified."""
    if explanation.is_matched:
        return
    texts = [redact(message.text) for message in topic.messages]
    spellings = list(dict.fromkeys(texts))
    oa_id = topic.question.oa_id

    def wins(rule: RuleSet, text: str) -> bool:
        return bool(rank(rule, text, oa_id=oa_id, now=now).ranked)

    shared = [" ".join(topic.phrase)] if all(topic.phrase) and topic.phrase else []
    keywords = shared or own_keywords(explanation.text)
    misses = [near.miss for near in explanation.near]
    found = suggestions(
        checker, explanation.text, misses, keywords, lambda rule: any(wins(rule, text) for text in spellings)
    )
    for suggestion, rule in found:
        is_won = {text: wins(rule, text) for text in spellings}
        texts_won = [text for text in texts if is_won[text]]
        example = topic.question.text if topic.question.text in texts_won else texts_won[0]
        yield Advice(suggestion, len(texts_won), example)
