"""Small talk: messages such as «ok shop» and «dạ vâng ạ», with fewer than two words that mean something."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from bot.rules.language.abbreviations import ABBREVIATIONS
from bot.rules.language.common_words import COMMON_BY_LETTERS, COMMON_WORDS
from bot.rules.language.text import Token, normalise, tokens

_FEWEST_WORDS: Final = 2
# By their letters.
_PLEASANTRIES: Final = frozenset({
    "ad", "admin", "alo", "bye", "chao", "haha", "hehe", "hello", "hey", "hi", "hic", "hihi", "huhu", "kk", "oh", "ok",
    "okay", "oke", "okela", "okie", "thank", "thanks", "tks", "uh", "uhm", "um", "vang", "yes", "you",
})  # fmt: skip
_THANKS: Final = ("cam on", "cam onn")


@lru_cache(maxsize=8192)
def is_small_talk(text: str) -> bool:
    """
    Return whether a message asks nothing that one could tell; a single word may still be a question, as «menu».

    >>> is_small_talk("dạ cảm ơn shop ạ"), is_small_talk("có giao về Huế không")
    (True, False)
    """
    words = [word for word in tokens(text) if not is_meaningless(word, text) and word.folded not in _PLEASANTRIES]
    said = " ".join(word.folded for word in words)
    for thanks in _THANKS:
        said = said.replace(thanks, "")
    return len(said.split()) < _FEWEST_WORDS


def is_meaningless(word: Token, text: str) -> bool:
    """Return whether it is a number, or a word that nearly every message has, typed with or without its marks."""
    typed = normalise(text[word.start : word.end])
    meant = [meaning.text for meaning in ABBREVIATIONS.get(typed, ())] or [typed]
    return typed.isdigit() or COMMON_WORDS.issuperset(meant) or (typed == word.folded and typed in COMMON_BY_LETTERS)
