"""Suggestions for real customers' sentences in each starter: none is refused, doubted, or takes another's message."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date

import pytest

from bot.analysis.topics import Topic, group_by_words
from bot.analysis.unmatched import find_gaps, split_small_talk, unanswered_topics
from bot.inbox.messages import Message
from bot.logs import redact
from bot.rules.engine import RuleSet, rank
from bot.rules.explain import explain
from bot.rules.language.text import fold
from bot.rules.publishing import edit
from bot.rules.starters import STARTERS, starter
from bot.rules.suggest import Suggestion
from bot.rules.validate import validate
from tests.support import real_text
from tests.support.clock import NOW

TODAY = date(2026, 9, 21)
SAMPLE = 50
ANSWERED = 200
# The starters' names for an intent of the corpus, where they differ.
NAMES = {"uu-dai": "khuyen-mai", "bang-size": "size", "lich-hoc": "gio-mo-cua"}


def corpus() -> dict[str, str]:
    """Return every sentence with its intent, with and without marks; `-` if it wants no answer."""
    found = {}
    for sentence in real_text.sentences():
        found[sentence.text] = found[fold(sentence.text)] = sentence.intent
    found.update({text: intent for intent, text in real_text.sentences_as_typed()})
    return {**found, **{text: "-" for _kind, text in real_text.sentences_without_answer()}}


def message(number: int, text: str) -> Message:
    return Message(number, text, "oa1", f"u{number}", NOW, None)


def content_with(content: bytes, rules: RuleSet, suggestion: Suggestion) -> bytes:
    """Return the rules file after its editor has applied the suggestion, with an image for a new rule."""
    if suggestion.is_new:
        link = {"image_url": "https://shop.vn/moi.jpg"}
        return edit.add_rule(content, {"id": suggestion.rule_id, "keywords": [suggestion.keyword], "reply": link})
    index = next(n for n, rule in enumerate(rules.file.rules) if rule.id == suggestion.rule_id)
    before = [keyword.model_dump(exclude_defaults=True) for keyword in rules.file.rules[index].keywords]
    keywords = [one["text"] if len(one) == 1 else one for one in before]
    return edit.change_rule(content, index, {"keywords": [*keywords, suggestion.keyword]})


@pytest.fixture(params=STARTERS)
def shop(request: pytest.FixtureRequest) -> tuple[bytes, RuleSet]:
    """A starter, its bytes and its rules."""
    content = starter(request.param)
    assert content
    rules = validate(content, today=TODAY).rules
    assert rules
    return content, rules


def sample(rules: RuleSet) -> Iterator[tuple[str, list[Topic]]]:
    """Yield some sentences that the rules do not answer, each with its topic alone."""
    texts = [text for text in corpus() if rank(rules, text).winner is None]
    for text in random.Random(16).sample(texts, SAMPLE):
        asking, _small_talk = split_small_talk([message(0, text)])
        topics = list(unanswered_topics(group_by_words(asking), rules, now=NOW))
        if topics:
            yield text, topics


def test_no_suggestion_is_wrong(shop: tuple[bytes, RuleSet]) -> None:
    """The check finds nothing, the file's examples hold, answered messages keep their rule, and the intent is right."""
    content, rules = shop
    intents = corpus()
    answered = [message(n, text) for n, text in enumerate(intents) if rank(rules, text).winner is not None][:ANSWERED]
    seen = 0
    for text, topics in sample(rules):
        for advice in find_gaps(topics, rules, now=NOW, answered=answered)[0].advice:
            seen += 1
            suggestion = advice.suggestion
            found = validate(content_with(content, rules, suggestion), today=TODAY)
            assert (found.problems, found.rules is None) == ((), False), (text, suggestion)
            assert found.rules
            assert rank(found.rules, advice.example, now=NOW).winner is not None
            moved = [one.text for one in answered if winner(found.rules, one.text) != winner(rules, one.text)]
            assert not moved, (text, suggestion)
            if not suggestion.is_new:
                assert NAMES.get(suggestion.rule_id, suggestion.rule_id) == intents[text], (text, suggestion)
    assert seen > SAMPLE // 5


def winner(rules: RuleSet, text: str) -> str:
    number = rank(rules, text, oa_id="oa1", now=NOW).winner
    return "" if number is None else rules.file.rules[number].id


def test_try_and_unmatched_suggest_the_same(shop: tuple[bytes, RuleSet]) -> None:
    """`bot try` and `bot unmatched` print the same YAML for a single message."""
    _content, rules = shop
    compared = 0
    for text, topics in sample(rules):
        [gap] = find_gaps(topics, rules, now=NOW)
        tried = explain(rules, redact(text), oa_id="oa1", now=NOW).suggestion
        assert (gap.advice[0].suggestion if gap.advice else None) == tried
        compared += tried is not None
    assert compared > SAMPLE // 5
