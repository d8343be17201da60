"""Group unanswered messages into topics: messages that share a phrase."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from typing import Final

from bot.inbox.messages import MAX_TOPIC_CHARACTERS, Message
from bot.logs import redact
from bot.rules.language.text import WORDS, fold, letters_of, normalise, plain, without_urls
from bot.rules.matching.phrases import Phrase, topic_phrases

_MAX_VARIANTS: Final = 8


@dataclass(frozen=True, slots=True)
class Question:
    """Messages that differ only in marks, punctuation and numbers, or that share a phrase."""

    text: str
    """The most typical spelling, with marks if anybody typed them; redacted."""
    people: int
    times: int
    oa_id: str
    """The OA of the latest message."""
    variants: tuple[str, ...] = ()
    """Other spellings, the most frequent first, up to a limit; redacted."""


@dataclass(frozen=True, slots=True)
class Topic:
    """Messages of customers about the same thing."""

    key: str
    """The shared phrase without marks; for a single question, its words."""
    phrase: tuple[str, ...]
    """The same as words with marks, "" for a word that nobody typed with marks; empty for a single question."""
    question: Question
    messages: tuple[Message, ...] = field(repr=False)
    name: str = ""
    """A lasting name, independent of the stored messages: the phrase that they share."""

    @property
    def label(self) -> str:
        """The name with marks, as far as they are known."""
        words = self.name.split()
        spelled = spelled_phrase(self.name, [redact(message.text) for message in self.messages])
        if len(spelled) != len(words):
            return self.name
        return " ".join(typed or word for typed, word in zip(spelled, words, strict=True))


@dataclass(slots=True)
class QuestionGroup:
    """The messages of one question, newest first."""

    key: str
    messages: list[Message] = field(default_factory=list)
    people: set[str] = field(default_factory=set)
    spellings: list[str] = field(default_factory=list)

    @property
    def typical(self) -> str:
        """The message as most people write it; redacted."""
        return _typical(Counter(self.spellings))

    def phrases(self) -> tuple[Phrase, ...]:
        """Return the phrases that may be its topic; without any, its words."""
        words = self.key[:MAX_TOPIC_CHARACTERS]
        return topic_phrases(self.typical) or (Phrase(words, (), 0, is_whole=True),)

    def question(self) -> Question:
        """Return the question for pages."""
        spellings = Counter(self.spellings)
        typical = _typical(spellings)
        others = (spelling for spelling, _ in spellings.most_common(_MAX_VARIANTS + 1) if spelling != typical)
        variants = tuple(islice(others, _MAX_VARIANTS))
        return Question(typical, len(self.people), spellings.total(), self.messages[0].oa_id, variants)


def group_by_words(messages: Iterable[Message]) -> list[QuestionGroup]:
    """Group *messages* (newest first) by their words; marks, punctuation and numbers do not matter."""
    groups: dict[str, QuestionGroup] = {}
    for message in messages:
        spelling, key = _spelling_and_key(message.text)
        group = groups.setdefault(key, QuestionGroup(key))
        group.messages.append(message)
        group.people.add(message.user_id)
        group.spellings.append(spelling)
    return list(groups.values())


def group_questions(messages: Iterable[Message]) -> Iterator[Question]:
    """Yield the questions in *messages* (newest first), those of most customers first."""
    return (group.question() for group in sort_by_people(group_by_words(messages)))


def sort_by_people(groups: Iterable[QuestionGroup]) -> list[QuestionGroup]:
    """Return the groups, those of most customers first."""
    return sorted(groups, key=lambda group: (-len(group.people), -len(group.messages)))


def split_ignored(
    groups: Iterable[QuestionGroup], names: Collection[str]
) -> tuple[list[QuestionGroup], dict[str, list[QuestionGroup]]]:
    """Return the groups without any of these topics, and the groups by topic; each group is in at most one."""
    ignored: dict[str, list[QuestionGroup]] = {name: [] for name in names}
    left: list[QuestionGroup] = []
    for group in groups:
        name = (
            next((phrase.letters for phrase in group.phrases() if phrase.letters in ignored), None) if names else None
        )
        (left if name is None else ignored[name]).append(group)
    return left, ignored


def find_topics(groups: Collection[QuestionGroup], is_open: Callable[[QuestionGroup], bool]) -> Iterator[Topic]:
    """
    Yield the topics of the open groups, those of most customers first; each group is in one topic.

    The phrase of most customers becomes the first topic, the next one is found in the remaining groups, and so on.
    *is_open* is called as late as possible, once per group.
    """
    return _Cover(groups, is_open).topics()


class _Cover:
    """The groups by phrase, and which of them are in no topic yet."""

    def __init__(self, groups: Collection[QuestionGroup], is_open: Callable[[QuestionGroup], bool]) -> None:
        self._left = {group.key: group for group in groups}
        self._is_open = is_open
        self._open: dict[str, bool] = {}
        self._by_phrase: dict[str, list[QuestionGroup]] = {}
        self._sizes: dict[str, int] = {}
        for group in groups:
            for phrase in group.phrases():
                self._by_phrase.setdefault(phrase.letters, []).append(group)
                self._sizes[phrase.letters] = phrase.size

    def topics(self) -> Iterator[Topic]:
        heap = [self._rank(key, groups) for key, groups in self._candidates()]
        heapq.heapify(heap)
        while heap:
            rank = heapq.heappop(heap)
            found = self._members(rank[-1])
            if not found:
                continue
            now = self._rank(rank[-1], found)
            if now > rank:
                heapq.heappush(heap, now)
            else:
                yield self._take(rank[-1], found)

    def _candidates(self) -> Iterator[tuple[str, list[QuestionGroup]]]:
        shared = ((key, groups) for key, groups in self._by_phrase.items() if len(groups) > 1)
        yield from shared
        yield from ((key, [group]) for key, group in self._left.items() if len(self._by_phrase.get(key, ())) < 2)

    def _rank(self, key: str, groups: Collection[QuestionGroup]) -> tuple[int, int, int, str]:
        """Return the sort key of a topic: most customers, most messages, longest phrase."""
        people = len(set().union(*(group.people for group in groups)))
        return -people, -sum(len(group.messages) for group in groups), -self._sizes.get(key, 0), key

    def _members(self, key: str) -> list[QuestionGroup]:
        """Return the open groups with the phrase or the words *key* that are in no topic yet."""
        own = [self._left[key]] if key in self._left else []
        groups = self._by_phrase.get(key) or own
        return [group for group in groups if group.key in self._left and self._is_unanswered(group)]

    def _is_unanswered(self, group: QuestionGroup) -> bool:
        known = self._open.get(group.key)
        if known is None:
            known = self._open[group.key] = self._is_open(group)
            if not known:
                del self._left[group.key]
        return known

    def _take(self, key: str, groups: list[QuestionGroup]) -> Topic:
        for group in groups:
            del self._left[group.key]
        shared = [text for group in groups for text in group.spellings] if len(groups) > 1 else []
        phrase = spelled_phrase(key, shared)
        messages = tuple(message for group in groups for message in group.messages)
        return Topic(key, phrase, _question_of(groups), messages, self._name(key, groups))

    def _name(self, key: str, groups: Sequence[QuestionGroup]) -> str:
        """Return the shared phrase; for a single question, its longest complete phrase, else its longest."""
        if len(self._by_phrase.get(key, ())) > 1:
            return key
        phrases = groups[0].phrases()
        return next((phrase.letters for phrase in phrases if phrase.is_whole), phrases[0].letters)


def spelled_phrase(key: str, texts: Iterable[str]) -> tuple[str, ...]:
    """Return the words of a phrase with the marks that most writers used; empty if no text has the phrase."""
    found = [phrase.words for text in texts for phrase in topic_phrases(text) if phrase.letters == key]
    same_size = [words for words in found if len(words) == len(found[0])]
    return tuple(_most_typed(column) for column in zip(*same_size, strict=True))


def _most_typed(words: Iterable[str]) -> str:
    typed = Counter(word for word in words if word)
    return typed.most_common(1)[0][0] if typed else ""


def _question_of(groups: Collection[QuestionGroup]) -> Question:
    """Return the question that represents the groups: that of most customers."""
    first, *others = sort_by_people(groups)
    question = first.question()
    texts = [*(group.typical for group in others), *question.variants]
    return Question(
        question.text,
        len(set().union(*(group.people for group in groups))),
        sum(len(group.messages) for group in groups),
        question.oa_id,
        tuple(dict.fromkeys(texts))[:_MAX_VARIANTS],
    )


@lru_cache(maxsize=16_384)
def _spelling_and_key(text: str) -> tuple[str, str]:
    """Return the message for pages, and the key that all its spellings share."""
    spelling = redact(text)
    folded = fold(spelling)
    words = " ".join(plain(word) for word in WORDS.findall(without_urls(folded)))
    return spelling, words or "".join(folded.split())


def _typical(spellings: Counter[str]) -> str:
    """Return the most frequent spelling with marks, or else of all; of equally frequent ones, that with most marks."""
    if len(spellings) == 1:
        return next(iter(spellings))
    marks = {spelling: _marks(spelling) for spelling in spellings}
    return max(spellings, key=lambda spelling: (marks[spelling] > 0, spellings[spelling], marks[spelling], spelling))


def _marks(text: str) -> int:
    """Return how many letters have marks."""
    return sum(bool(letter.tones or letter.shape) for letter in letters_of(normalise(text)))
