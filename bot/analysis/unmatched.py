"""Unmatched messages grouped into questions, by how many people ask, each with advice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain, islice
from typing import Final

from bot.config import Language
from bot.inbox.messages import Message
from bot.logs import MASK, redact
from bot.rules.engine import RuleSet, rank
from bot.rules.explain import Explanation, explain
from bot.rules.explain_text import near_misses, other_rules
from bot.rules.language.small_talk import is_small_talk
from bot.rules.language.text import WORDS, fold, letters_of, normalise, plain, without_urls
from bot.rules.suggest import Suggestion, suggest

_MAX_VARIANTS: Final = 8


@dataclass(frozen=True, slots=True)
class Question:
    """Messages that differ only in marks, punctuation and numbers."""

    text: str
    """The most typical spelling, with marks if anybody typed them; redacted."""
    people: int
    times: int
    oa_id: str
    """The OA of the newest message."""
    variants: tuple[str, ...] = ()
    """Other spellings, the most frequent first; limited in number; redacted."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A question that the rules do not answer, and suggestions that would."""

    question: Question
    explanation: Explanation
    advice: tuple[Suggestion, ...]
    """What to write, any of it will do: into the nearest rule, if one is near enough, or a rule of its own."""
    follows: bool
    """Whether an earlier gap has advice for the same rule, which is left out here: it may answer this one too."""

    def obstacles(self, lang: Language) -> Iterator[tuple[str, str]]:
        """Yield the rules that nearly match, the nearest first, each with the obstacle."""
        return chain(other_rules(self.explanation, lang), near_misses(self.explanation, lang))


@dataclass(slots=True)
class _QuestionGroup:
    oa_id: str
    people: set[str] = field(default_factory=set)
    spellings: list[str] = field(default_factory=list)


def group_questions(messages: Iterable[Message]) -> Iterator[Question]:
    """Yield the questions in *messages* (newest first), the most frequent first."""
    groups: dict[str, _QuestionGroup] = {}
    for message in messages:
        spelling, key = _spelling_and_key(message.text)
        group = groups.setdefault(key, _QuestionGroup(message.oa_id))
        group.people.add(message.user_id)
        group.spellings.append(spelling)
    yield from map(_question, sorted(groups.values(), key=lambda group: (-len(group.people), -len(group.spellings))))


def still_unanswered(questions: Iterable[Question], rules: RuleSet, *, now: float) -> Iterator[Question]:
    """Yield the questions to which *rules* have no answer now either; they may have been mended since."""
    for question in questions:
        if rank(rules, question.text, oa_id=question.oa_id, now=now).winner is None:
            yield question


def split_small_talk(messages: Iterable[Message]) -> tuple[list[Message], list[Message]]:
    """Return the messages that ask something, and small talk."""
    topics: list[Message] = []
    small_talk: list[Message] = []
    for message in messages:
        (small_talk if is_small_talk(message.text) else topics).append(message)
    return topics, small_talk


def find_gaps(messages: Iterable[Message], rules: RuleSet, *, now: float, most: int, skip: int = 0) -> list[Gap]:
    """Return *most* questions in *messages* (newest first) that *rules* do not answer now, past the first *skip*."""
    found = []
    advised: set[str] = set()
    for question in islice(still_unanswered(group_questions(messages), rules, now=now), skip, skip + most):
        explanation = explain(rules, question.text, oa_id=question.oa_id, now=now)
        pieces = _advice(question, explanation, rules, now=now)
        follows = bool(pieces) and pieces[0].rule_id in advised
        fresh = () if follows else tuple(advice for advice in pieces if advice.rule_id not in advised)
        advised.update(advice.rule_id for advice in fresh)
        found.append(Gap(question, explanation, fresh, follows))
    return found


def _advice(question: Question, explanation: Explanation, rules: RuleSet, *, now: float) -> list[Suggestion]:
    """Return what to write: into the nearest rule, or a rule of its own. Each has been tried."""
    text, oa_id, advice = question.text, question.oa_id, explanation.suggestion
    if advice is not None and MASK in text:
        # Words on either side of what was masked stand apart in the real message.
        text = max(text.split(MASK), key=len).strip()
        advice = explain(rules, text, oa_id=oa_id, now=now).suggestion
    if advice is None or advice.is_new:
        return [advice] if advice else []
    own = suggest(rules.file, text, "text", (), lambda r: bool(rank(r, text, oa_id=oa_id, now=now).ranked))
    return [advice, own] if own else [advice]


@lru_cache(maxsize=8192)
def _spelling_and_key(text: str) -> tuple[str, str]:
    """Return the message as it is shown, and what all its spellings have in common."""
    spelling = redact(text)
    folded = fold(spelling)
    words = " ".join(plain(word) for word in WORDS.findall(without_urls(folded)))
    return spelling, words or "".join(folded.split())


def _question(group: _QuestionGroup) -> Question:
    spellings = Counter(group.spellings)
    typical = _typical(spellings)
    others = (spelling for spelling, _ in spellings.most_common(_MAX_VARIANTS + 1) if spelling != typical)
    variants = tuple(islice(others, _MAX_VARIANTS))
    return Question(typical, len(group.people), spellings.total(), group.oa_id, variants)


def _typical(spellings: Counter[str]) -> str:
    """Return the most frequent spelling with marks, else of all; among equals, the one with most marks."""
    if len(spellings) == 1:
        return next(iter(spellings))
    marks = {spelling: _marks(spelling) for spelling in spellings}
    return max(spellings, key=lambda spelling: (marks[spelling] > 0, spellings[spelling], marks[spelling], spelling))


def _marks(text: str) -> int:
    """Return the number of letters with marks."""
    return sum(bool(letter.tones or letter.shape) for letter in letters_of(normalise(text)))
