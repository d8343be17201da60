"""Suggest a keyword or a new rule, as YAML, for a message that nobody answers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import chain
from typing import Final

from pydantic import ValidationError

from bot.rules.engine import RuleSet, compile_rules
from bot.rules.language.common_words import PUNCTUATION, is_word
from bot.rules.language.slug import slug
from bot.rules.language.small_talk import is_meaningless
from bot.rules.language.syllables import is_syllable, needs_no_marks
from bot.rules.language.text import Token, fold, normalise, tokens
from bot.rules.linting.lint import check
from bot.rules.linting.misreadings import misreadings
from bot.rules.matching.keywords import parse
from bot.rules.matching.matcher import KeywordPattern, Matcher, NearMiss
from bot.rules.model.schema import Image, Keyword, Reply, Rule, RuleFile
from bot.rules.reading.loader import load

# The other reasons are doubts that the message means the rule at all.
_SAME_MEANING: Final = frozenset({"marks", "letter", "between", "missing", "place"})
_MOST_WORDS = 6
_FEWEST_WORDS_LEFT = 2
_LONGEST_ID = 40
_PLAIN_YAML = re.compile(r"\w(?:[\w .%/+-]*[\w%+])?")
_NO_NAME = "luat-moi"
_PICTURE = "https://…/{id}.jpg"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """
    A piece of YAML to paste: the new `keywords` line of a rule, or a whole new rule.

    It has been tried: with it, the rule answers the event, the check of rules files says nothing about the keyword, and
    no example of another rule has it.
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
        compiled = compile_rules(alone, digest="")
        keyword = rule.keywords[-1].text if rule.keywords else ""
        if answers(compiled) and not (keyword and (_is_doubted(keyword) or _takes_example(file, rule, keyword))):
            yaml = _rule_line(rule) if index is not None else _whole_rule(rule)
            return Suggestion(rule.id, index is None, yaml, keyword)
    return None


def _changed(file: RuleFile, text: str, kind: str, near: Sequence[NearMiss]) -> Iterator[tuple[int | None, Rule]]:
    """Yield rules that may answer the event: old ones with a keyword more, by index, then a new one."""
    words = tokens(text)
    for miss in near:
        index, typed_words = miss.keyword.rule, _keyword_as_typed(miss, words, text)
        rule = file.rules[index]
        if miss.reason not in _SAME_MEANING or _is_another_word(miss, words, text) or _is_too_wide(miss, typed_words):
            continue
        if _can_be_keyword(typed_words):
            yield index, rule.model_copy(update={"keywords": (*rule.keywords, Keyword(text=typed_words))})
    if kind != "text":
        yield None, _new_rule(file, kind, kind, ())
    elif _can_be_keyword(keyword := _key_phrase(words, text)):
        yield None, _new_rule(file, kind, keyword, (Keyword(text=keyword),))


def _is_another_word(miss: NearMiss, words: Sequence[Token], text: str) -> bool:
    """Return whether the customer most likely meant what was typed: «có bánh» is no slip for «cỡ bánh»."""
    typed = next((word for word in words if text[word.start : word.end] == miss.typed), None)
    if typed is None or miss.reason not in {"marks", "letter"}:
        return False
    is_bare = normalise(miss.typed) == typed.folded
    return is_meaningless(typed, text) or (miss.reason == "letter" and is_bare and is_word(typed.folded))


def _is_too_wide(miss: NearMiss, keyword: str) -> bool:
    """Return whether little is left of a keyword without the word that the message lacks: «có bánh» of «có bánh gì»."""
    meant = [word for word in tokens(keyword) if not is_meaningless(word, keyword)]
    return miss.reason == "missing" and len(meant) < _FEWEST_WORDS_LEFT


@lru_cache(maxsize=4096)
def _is_doubted(keyword: str) -> bool:
    """Return whether the keyword lacks its marks, or the check of rules files says anything about it by itself."""
    letters = [piece.letters for piece in parse(keyword).pieces]
    if len(letters) == 1 and keyword == letters[0] and is_syllable(keyword) and not needs_no_marks(keyword):
        return True
    written = f'rules: [{{id: a, keywords: [{_quoted(keyword)}], reply: {{image_url: "https://a.vn/a.jpg"}}}}]'
    loaded = load(written.encode())
    if loaded.file is None or loaded.problems or check(loaded, today=date.min):
        return True
    return any(misreadings(compile_rules(loaded.file, digest=""), loaded.places))


def _takes_example(file: RuleFile, rule: Rule, keyword: str) -> bool:
    """Return whether an example of another rule, or what this rule must not answer, has the keyword."""
    texts = (other.not_examples if other.id == rule.id else other.examples for other in file.rules)
    return _is_in_any(keyword, tuple(chain.from_iterable(texts)))


@lru_cache(maxsize=256)
def _is_in_any(keyword: str, texts: tuple[str, ...]) -> bool:
    pieces = [piece.letters for piece in parse(keyword).pieces]
    matcher = Matcher([KeywordPattern(0, keyword, "phrase")])
    return any(matcher.hits(text).any for text in texts if _may_have(pieces, _folded(text)))


def _may_have(pieces: Sequence[str], folded: str) -> bool:
    """Return whether half of the words stand there as they are; the others may be shortened. It saves most matching."""
    return 2 * sum(letters in folded for letters in pieces) >= len(pieces)


@lru_cache(maxsize=16_384)
def _folded(text: str) -> str:
    return fold(text)


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
    text = _quoted(keyword.text)
    return text if keyword.match == "phrase" else f"{{text: {text}, match: {keyword.match}}}"


def _quoted(text: str) -> str:
    return text if _PLAIN_YAML.fullmatch(text) else json.dumps(text, ensure_ascii=False)
