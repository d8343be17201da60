"""The editor's chat with rules: which rule answers each sentence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bot.rules.engine import FALLBACK, RuleSet
from bot.rules.explain import explain
from bot.rules.model.schema import Reply


@dataclass(frozen=True, slots=True)
class ChatAnswer:
    """The answer to a sentence."""

    text: str
    pieces: tuple[tuple[str, bool], ...]
    """The sentence in pieces, each with whether a keyword of the rule matched it."""
    rule_id: str | None
    """The id of the rule, FALLBACK, or None for no answer."""
    reply: Reply | None
    is_example: bool
    """Whether the sentence is among the examples of the rule."""


def chat(rules: RuleSet, texts: Iterable[str], *, now: float) -> tuple[ChatAnswer, ...]:
    """Return the answer to each text at *now* (seconds since 1970), with the rules of all OAs."""
    return tuple(_answer(rules, text, now) for text in texts)


def _answer(rules: RuleSet, text: str, now: float) -> ChatAnswer:
    found = explain(rules, text, now=now)
    rule = found.winner.rule if found.winner else None
    return ChatAnswer(
        text=text,
        pieces=tuple((piece, matched) for piece, matched in found.pieces() if piece),
        rule_id=rule.id if rule else FALLBACK if found.reply else None,
        reply=found.reply,
        is_example=rule is not None and text in rule.examples,
    )
