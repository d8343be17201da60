"""Suggest a keyword or a new rule, as YAML, for a message that no rule answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError

from bot.rules.engine import RuleSet, compile_rules
from bot.rules.language.common_words import PUNCTUATION
from bot.rules.language.slug import slug
from bot.rules.language.small_talk import is_meaningless
from bot.rules.language.syllables import is_syllable
from bot.rules.language.text import Token, normalise, tokens
from bot.rules.matching.keywords import parse
from bot.rules.matching.matcher import MatchMode, NearMiss
from bot.rules.matching.near_misses import MissReason
from bot.rules.matching.phrases import kind_of, topic_phrases, writer_types_marks
from bot.rules.model.schema import Image, Keyword, Reply, Rule, RuleFile
from bot.rules.suggestion_checks import Change, ChangeChecker, quoted

# By the keyword's match. With the other reasons it is doubtful that the message is meant for the rule.
_SAME_MEANING: Final[Mapping[MatchMode, tuple[MissReason, ...]]] = {
    "phrase": ("marks", "between", "missing"), "exact": ("place",)
}  # fmt: skip
_SAYS_LITTLE: Final = frozenset({"noise", "function"})
_LEFT_OUT: Final = "bao"  # «nhiêu tiền» for «bao nhiêu tiền»
_FEWEST_WORDS_LEFT = 2
_LONGEST_ID = 40
_NO_NAME = "luat-moi"
_PICTURE = "https://…/{id}.jpg"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """
    A piece of YAML to paste: the new `keywords` line of a rule, or a whole new rule.

    It was tested: with it, the rule answers the event, and `ChangeChecker` finds no harm.
    """

    rule_id: str
    is_new: bool
    yaml: str
    keyword: str
    """The new keyword; empty for a new rule for an event without words."""


def suggest(
    checker: ChangeChecker, text: str, kind: str, near: Sequence[NearMiss], answers: Callable[[RuleSet], bool]
) -> Suggestion | None:
    """
    Return the smallest change that makes a rule answer the event; None if none is harmless, or the marks are unknown.

    *answers* returns whether given rules answer it.
    """
    if kind != "text":
        rule = _new_rule(checker.rules.file, kind, kind, ())
        return _suggestion(Change(rule, None))
    found = suggestions(checker, text, near, own_keywords(text), answers)
    return next((suggestion for suggestion, _ in found), None)


def suggestions(
    checker: ChangeChecker,
    text: str,
    near: Sequence[NearMiss],
    keywords: Sequence[str],
    answers: Callable[[RuleSet], bool],
) -> Iterator[tuple[Suggestion, RuleSet]]:
    """
    Yield harmless changes that make a rule answer a text: one of a rule that nearly matches, then a new rule.

    Each comes with the changed rule, compiled alone. *keywords* are those for a new rule, the likeliest first.
    """
    for changes in (_changed(checker.rules.file, text, near), _added(checker.rules.file, keywords)):
        for change in changes:
            alone = compile_rules(checker.rules.file.model_copy(update={"rules": (change.rule,)}), digest="")
            if answers(alone) and checker.is_harmless(change, alone):
                yield _suggestion(change), alone
                break


def own_keywords(text: str) -> list[str]:
    """
    Return possible keywords of a new rule for this text, the likeliest first.

    Only complete phrases with known marks: no keyword is better than half of a compound.
    """
    found = [" ".join(phrase.words) for phrase in topic_phrases(text) if phrase.is_whole and all(phrase.words)]
    return found or _lone_keyword(text)


def _lone_keyword(text: str) -> list[str]:
    """Return the only meaningful word of a text if it is unambiguous; the text itself if it has no words."""
    words = tokens(text)
    if not words:
        bare = normalise(text).strip()
        return [bare] if bare.isprintable() else []
    meant = [word for word in words if not is_meaningless(word, text)]
    alone = len(meant) == 1 and not is_syllable(meant[0].folded)
    return [_as_typed(meant, text)] if alone else []


def _changed(file: RuleFile, text: str, near: Sequence[NearMiss]) -> Iterator[Change]:
    """Yield the rules that nearly match, each with the typed words as an additional keyword."""
    words = tokens(text)
    for miss in near:
        index, typed_words = miss.keyword.rule, _keyword_as_typed(miss, words, text)
        rule = file.rules[index]
        is_sure = miss.reason in _SAME_MEANING.get(miss.keyword.match, ()) and miss.keyword.role == "any"
        if is_sure and not _changes_meaning(miss, words, typed_words, text) and _can_be_keyword(typed_words):
            more = rule.model_copy(update={"keywords": (*rule.keywords, Keyword(text=typed_words))})
            yield Change(more, index)


def _added(file: RuleFile, keywords: Sequence[str]) -> Iterator[Change]:
    for keyword in keywords:
        if _can_be_keyword(keyword):
            yield Change(_new_rule(file, "text", keyword, (Keyword(text=keyword),)), None)


def _suggestion(change: Change) -> Suggestion:
    rule, is_new = change.rule, change.index is None
    yaml = _whole_rule(rule) if is_new else _rule_line(rule)
    return Suggestion(rule.id, is_new, yaml, change.keyword if rule.keywords else "")


def _changes_meaning(miss: NearMiss, words: Sequence[Token], keyword: str, text: str) -> bool:
    """
    Return whether the customer may mean something other than the keyword of the rule.

    «có bánh» is no typo of «cỡ bánh», «người ăn» is not «mấy người ăn», and «có bánh» is not «có bánh gì».
    """
    if miss.reason == "missing":
        asks = parse(miss.keyword.text).pieces[0].text == miss.wanted and miss.wanted != _LEFT_OUT
        meant = [word for word in tokens(keyword) if not is_meaningless(word, keyword)]
        return asks or kind_of(miss.wanted) not in _SAYS_LITTLE or len(meant) < _FEWEST_WORDS_LEFT
    typed = next((word for word in words if text[word.start : word.end] == miss.typed), None)
    if miss.reason == "place":
        return False
    if miss.reason == "between":
        return typed is None or kind_of(normalise(miss.typed)) not in _SAYS_LITTLE
    return typed is None or is_meaningless(typed, text)


def _can_be_keyword(text: str) -> bool:
    """Return whether the text is a valid keyword; punctuation alone is not, because too many messages have it."""
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
    """Return the nearly matching keyword as the customer typed it; empty if it or its marks are uncertain."""
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
    return _with_marks(words[max(first, 0) : first + size], miss, text)


def _with_marks(words: Sequence[Token], miss: NearMiss, text: str) -> str:
    """Return the words, those without marks with the keyword's marks; empty if the marks of a word are unknown."""
    of_keyword = {piece.letters: piece.text for piece in parse(miss.keyword.text).pieces}
    spelled = []
    for word in words:
        typed = _as_typed([word], text)
        is_bare = typed == word.folded
        if is_bare and word.folded in of_keyword:
            typed = of_keyword[word.folded]
        elif is_bare and is_syllable(word.folded) and not writer_types_marks(text):
            return ""
        spelled.append(typed)
    return " ".join(spelled)


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
    text = quoted(keyword.text)
    return text if keyword.match == "phrase" else f"{{text: {text}, match: {keyword.match}}}"
