"""What customers asked that no rule answered: the same question in its many spellings, counted by people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from bot.masking import masked
from bot.reports import Message
from bot.rules.engine import RuleSet, rank
from bot.rules.text import WORDS, fold, letters_of, normalise, plain, without_urls


@dataclass(frozen=True, slots=True)
class Question:
    """Messages that differ in marks, signs and numbers at most."""

    text: str
    """The most typical spelling, with marks if anybody typed them; masked."""
    people: int
    times: int
    oa_id: str
    """The OA that was asked last."""


@dataclass(slots=True)
class _Pile:
    oa_id: str
    people: set[str] = field(default_factory=set)
    spellings: Counter[str] = field(default_factory=Counter)


def grouped(messages: Iterable[Message]) -> list[Question]:
    """Return the questions in *messages* (newest first), those that most people ask first."""
    piles: dict[str, _Pile] = {}
    for message in messages:
        spelling, key = _seen(message.text)
        pile = piles.setdefault(key, _Pile(message.oa_id))
        pile.people.add(message.user_id)
        pile.spellings[spelling] += 1
    questions = [
        Question(_typical(pile.spellings), len(pile.people), pile.spellings.total(), pile.oa_id)
        for pile in piles.values()
    ]
    return sorted(questions, key=lambda question: (-question.people, -question.times))


def unanswered(questions: Iterable[Question], rules: RuleSet, *, now: float) -> Iterator[Question]:
    """Yield the questions to which *rules* have no answer now either; they may have been mended since."""
    for question in questions:
        if rank(rules, question.text, oa_id=question.oa_id, now=now).winner is None:
            yield question


@lru_cache(maxsize=4096)
def _seen(text: str) -> tuple[str, str]:
    """Return the message as it is shown, and what all its spellings have in common."""
    spelling = masked(text)
    folded = fold(spelling)
    words = " ".join(plain(word) for word in WORDS.findall(without_urls(folded)))
    return spelling, words or "".join(folded.split())


def _typical(spellings: Counter[str]) -> str:
    """Return the most frequent spelling of those with marks, else of all; of equal ones that with most marks."""
    marks = {spelling: _marks(spelling) for spelling in spellings}
    return max(spellings, key=lambda spelling: (marks[spelling] > 0, spellings[spelling], marks[spelling], spelling))


def _marks(text: str) -> int:
    """Return how many letters have marks."""
    return sum(bool(letter.tones or letter.shape) for letter in letters_of(normalise(text)))
