"""Words that say nothing about what a customer wants: greetings, thanks, laughter, numbers, everyday words."""

from __future__ import annotations

from typing import Final

from bot.rules.language.abbreviations import ABBREVIATIONS
from bot.rules.language.common_words import COMMON_BY_LETTERS, COMMON_WORDS
from bot.rules.language.text import Token, normalise

PLEASANTRIES: Final = frozenset({
    "ad", "admin", "alo", "bye", "chao", "haha", "hehe", "hello", "hey", "hi", "hic", "hihi", "huhu", "kk", "oh", "ok",
    "okay", "oke", "okela", "okie", "thank", "thanks", "tks", "uh", "uhm", "um", "vang", "yes", "you",
})  # fmt: skip
"""Greetings, thanks and laughter, by their letters."""


def is_meaningless(word: Token, text: str) -> bool:
    """Return whether it is a number, or a word that nearly every message has, typed with or without its marks."""
    typed = normalise(text[word.start : word.end])
    meant = [meaning.text for meaning in ABBREVIATIONS.get(typed, ())] or [typed]
    return typed.isdigit() or COMMON_WORDS.issuperset(meant) or (typed == word.folded and typed in COMMON_BY_LETTERS)
