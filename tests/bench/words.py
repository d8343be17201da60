"""Made-up keywords of Vietnamese syllables, and messages that hold one."""

from __future__ import annotations

import random
import re
import unicodedata

from bot.rules.language.syllables import is_syllable
from bot.rules.language.text import fold

KEYWORDS = 10_000
"""How many keywords there are."""
CHARACTERS = 60
"""How long a message is."""

INITIALS = "b c ch d đ g h kh l m n nh ph t th tr v x"
RIMES = (
    "a ai am an ang anh ao ay ăn ăng âm ân âu e em en êm ên i in inh o oa oi on ong ô ôi ôn ơ ơi ơn u ua ui ưa ương iên"
)
TONES = ["", "\u0300", "\u0301", "\u0309", "\u0303", "\u0323"]
CHAT = "shop ơi cho mình hỏi với ạ nhé còn này thì bao nhiêu vậy em muốn mua một cái được không"


def vocabulary() -> list[str]:
    """Return every syllable of some initials and rimes, in all tones."""
    bare = [
        initial + rime for initial in INITIALS.split() for rime in RIMES.split() if is_syllable(fold(initial + rime))
    ]
    return [
        unicodedata.normalize("NFC", re.sub("([aăâeêiouôơưy])", rf"\1{tone}", word, count=1))
        for word in bare
        for tone in TONES
    ]


def keywords(chance: random.Random) -> list[str]:
    """Return different phrases of one to four syllables, most of them of two."""
    words = vocabulary()
    found = dict[str, None]()
    while len(found) < KEYWORDS:
        length = chance.choices([1, 2, 3, 4], [2, 60, 28, 10])[0]
        found[" ".join(chance.choices(words, k=length))] = None
    return list(found)


def message(chance: random.Random, known: list[str]) -> str:
    """Return a sentence of chat with one of the keywords in it, half of the time without any mark."""
    words = [chance.choice(known)]
    while len(" ".join(words)) < CHARACTERS:
        words.insert(chance.randrange(len(words) + 1), chance.choice(CHAT.split()))
    text = " ".join(words)[:CHARACTERS]
    return fold(text) if chance.random() < 0.5 else text
