"""Suggest a keyword or a new rule, as YAML, for a message that nobody answers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError

from bot.rules.engine import RuleSet, compile_rules
from bot.rules.language.common_words import PUNCTUATION
from bot.rules.language.slug import slug
from bot.rules.language.small_talk import is_meaningless
from bot.rules.language.text import Token, normalise, tokens
from bot.rules.matching.keywords import parse
from bot.rules.matching.matcher import NearMiss
from bot.rules.model.schema import Image, Keyword, Reply, Rule, RuleFile

# The other reasons are doubts that the message means the rule at all.
_SAME_MEANING: Final = frozenset({"marks", "letter", "between", "missing", "place"})
_MOST_WORDS = 6
_LONGEST_ID = 40
_PLAIN_YAML = re.compile(r"\w(?:[\w .%/+-]*[\w%+])?")
_NO_NAME = "luat-moi"
_PICTURE = "https://…/{id}.jpg"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """
    A piece of YAML to paste: the new `keywords` line of a rule, or a whole new rule.

    It has been tried: with it, the rule answers the event.
    """

    rule_id: str
    is_new: bool
    yaml: str
    keyword: str
    """What the rule gets; empty for a new rule of an event without words."""


def suggest(
    file: RuleFile, text: str, kind: str, near: Sequence[NearMiss], answers: Callable[[RuleSet], bool]
) -> Suggestion | None:
    """
    Return the smallest change that makes a rule answer the event, None if no keyword can be made of it.

    *answers* tells whether rules answer it.
    """
    for index, rule in _changed(file, text, kind, near):
        alone = file.model_copy(update={"rules": (rule,)})
        if answers(compile_rules(alone, digest="")):
            yaml = _rule_line(rule) if index is not None else _whole_rule(rule)
            keyword = rule.keywords[-1].text if rule.keywords else ""
            return Suggestion(rule.id, index is None, yaml, keyword)
    return None


def _changed(file: RuleFile, text: str, kind: str, near: Sequence[NearMiss]) -> Iterator[tuple[int | None, Rule]]:
    """Yield rules that may answer the event: old ones with a keyword more, by index, then a new one."""
    words = tokens(text)
    for miss in near:
        index, typed_words = miss.keyword.rule, _keyword_as_typed(miss, words, text)
        rule = file.rules[index]
        if _can_be_keyword(typed_words) and miss.reason in _SAME_MEANING:
            yield index, rule.model_copy(update={"keywords": (*rule.keywords, Keyword(text=typed_words))})
    if kind != "text":
        yield None, _new_rule(file, kind, kind, ())
    elif _can_be_keyword(keyword := _key_phrase(words, text)):
        yield None, _new_rule(file, kind, keyword, (Keyword(text=keyword),))


def _can_be_keyword(text: str) -> bool:
    """Return whether a keyword may say so; punctuation alone stands in too many messages."""
    if PUNCTUATION.issuperset(text):
        return False
    try:
        Keyword(text=text)
    except ValidationError:  # too long, damaged
        return False
    return True


def _new_rule(file: RuleFile, kind: str, name: str, keywords: tuple[Keyword, ...]) -> Rule:
    name = slug(name)[:_LONGEST_ID].strip("-") or _NO_NAME
    taken = {rule.id for rule in file.rules}
    ids = (name if number == 1 else f"{name}-{number}" for number in range(1, len(taken) + 2))
    rule_id = next(candidate for candidate in ids if candidate not in taken)
    reply = Reply(images=(Image(image_url=_PICTURE.format(id=rule_id)),))
    return Rule(id=rule_id, on=kind, reply=reply).model_copy(update={"keywords": keywords})


def _keyword_as_typed(miss: NearMiss, words: Sequence[Token], text: str) -> str:
    """Return the near keyword in the customer's words; empty if it cannot be told."""
    pieces = parse(miss.keyword.text).pieces
    inside = [n for n, word in enumerate(words) if miss.span[0] <= word.start and word.end <= miss.span[1]]
    if not inside:
        return ""
    first, size = inside[0], len(pieces)
    if miss.reason == "missing":
        size = len(inside)
    elif miss.reason == "between":
        size += 1
        first -= next((n for n in range(1, size) if words[first - n].folded == pieces[0].letters), 0)
    elif miss.reason != "place":
        first -= next((n for n, piece in enumerate(pieces) if piece.text == miss.wanted), 0)
    return _as_typed(words[max(first, 0) : first + size], text)


def _key_phrase(words: Sequence[Token], text: str) -> str:
    """Return the first words of the message that say something; a message without words as it is."""
    if not words:
        bare = normalise(text).strip()
        return bare if bare.isprintable() else ""
    first, last = 0, len(words) - 1
    while first < last and is_meaningless(words[first], text):
        first += 1
    last = min(last, first + _MOST_WORDS - 1)
    while last > first and is_meaningless(words[last], text):
        last -= 1
    return _as_typed(words[first : last + 1], text)


def _as_typed(words: Sequence[Token], text: str) -> str:
    return " ".join(normalise(text[word.start : word.end]) for word in words)


def _rule_line(rule: Rule) -> str:
    return f"  - id: {rule.id}\n    {_keywords(rule)}"


def _whole_rule(rule: Rule) -> str:
    wants = _keywords(rule) if rule.keywords else f"on: {rule.on}"
    return f'  - id: {rule.id}\n    {wants}\n    reply: {{image_url: "{rule.reply.images[0].image_url}"}}'


def _keywords(rule: Rule) -> str:
    return f"keywords: [{', '.join(map(_keyword, rule.keywords))}]"


def _keyword(keyword: Keyword) -> str:
    text = keyword.text if _PLAIN_YAML.fullmatch(keyword.text) else json.dumps(keyword.text, ensure_ascii=False)
    return text if keyword.match == "phrase" else f"{{text: {text}, match: {keyword.match}}}"
