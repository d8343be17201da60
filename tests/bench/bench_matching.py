"""The matcher beside other ways to find keywords, message by message in turn, and against messages made to hurt it."""

from __future__ import annotations

import itertools
import random
import re
import unicodedata
from collections.abc import Callable
from statistics import mean, median
from time import perf_counter_ns

import pytest
from hassil import Intents, recognize
from rivescript import RiveScript

from bot.rules.language.text import MAX_LENGTH, fold
from bot.rules.matching.matcher import KeywordPattern, Matcher
from tests.bench.table import show
from tests.bench.words import CHARACTERS, KEYWORDS, keywords, message

pytestmark = pytest.mark.bench

SIZES = (10, 1_000, KEYWORDS)
MESSAGES = 100
ROUNDS = 15
SLOW = {"hassil": (1_000, 5), "rivescript": (1_000, 5)}
"""Engines that get no more keywords than this, and no more messages per round."""

Engine = Callable[[str], object]


def naive(known: list[str]) -> Engine:
    return lambda text: [keyword for keyword in known if keyword in text]


def alternation(known: list[str]) -> Engine:
    return re.compile("|".join(map(re.escape, sorted(known, key=len, reverse=True)))).findall


def with_hassil(known: list[str]) -> Engine:
    sentences = {
        str(n): {"data": [{"sentences": [f"[{{before}}] {word} [{{after}}]"]}]} for n, word in enumerate(known)
    }
    anything = {"wildcard": True}
    intents = Intents.from_dict(
        {"language": "vi", "intents": sentences, "lists": {"before": anything, "after": anything}}
    )
    return lambda text: recognize(text, intents)


def with_rivescript(known: list[str]) -> Engine:
    brain = RiveScript(utf8=True)
    brain.stream("\n".join(f"+ [*] {keyword} [*]\n- {n}" for n, keyword in enumerate(known)))
    brain.sort_replies()
    return lambda text: brain.reply("customer", text)


OTHERS = {"naive loop": naive, "re alternation": alternation, "hassil": with_hassil, "rivescript": with_rivescript}


def took(engine: Engine, text: str) -> float:
    """Return microseconds."""
    start = perf_counter_ns()
    engine(text)
    return (perf_counter_ns() - start) / 1000


def test_matching_side_by_side() -> None:
    """Ours from the text as typed to ranked hits; the others get the text without marks and find, at most, letters."""
    chance = random.Random(20270101)
    known = keywords(chance)
    medians: dict[tuple[str, int], float] = {}
    per_message: dict[int, float] = {}
    for size in SIZES:
        some = known[:size]
        matcher = Matcher([KeywordPattern(n, keyword) for n, keyword in enumerate(some)])
        texts = [message(chance, some) for _ in range(MESSAGES)]
        per_message[size] = mean(len(matcher.hits(text).any) for text in texts)
        assert per_message[size] > 0.5
        engines: dict[str, tuple[Engine, list[str]]] = {"ours": (matcher.hits, texts)}
        bare = list(dict.fromkeys(map(fold, some)))
        for name, build in OTHERS.items():
            most, count = SLOW.get(name, (size, MESSAGES))
            if size <= most:
                engines[name] = (build(bare), [fold(text) for text in texts[:count]])
        times: dict[str, list[float]] = {name: [] for name in engines}
        for _, (name, (engine, its_texts)) in itertools.product(range(ROUNDS), engines.items()):
            times[name] += [took(engine, text) for text in its_texts]
        medians |= {(name, size): median(found) for name, found in times.items()}
    rows = [
        (name, *(f"{medians[name, size]:.1f}" if (name, size) in medians else "-" for size in SIZES))
        for name in ("ours", *OTHERS)
    ]
    rows.append(("(hits of ours per message)", *(f"{per_message[size]:.1f}" for size in SIZES)))
    limits = ", ".join(f"{name} up to {most} keywords" for name, (most, _) in SLOW.items())
    show(
        f"matching, median µs for a message of {CHARACTERS} characters; {limits}",
        "engine " + " ".join(f"{size}-keywords" for size in SIZES),
        rows,
    )
    assert medians["ours", 10_000] < 4 * medians["ours", 10]
    for name in OTHERS:
        largest = max(size for of, size in medians if of == name)
        assert medians["ours", largest] < medians[name, largest]


def hostile(chance: random.Random) -> dict[str, str]:
    """Return messages of 100 KB, each made to be slow in its own way."""
    letters = "aăbcdđeghiklmnoôơpqrstuưvxy"
    return {
        "one keyword again and again": "gia " * 25_000,
        "abbreviations": "k " * 50_000,
        "one letter": "a" * 100_000,
        "words never seen": " ".join("".join(chance.choices(letters, k=5)) for _ in range(17_000)),
        "codes never seen": " ".join("".join(chance.choices("abc123", k=8)) for _ in range(11_000)),
        "one endless code": "a1" * 50_000,
        "marks in the wrong order": "a" + "\u0323\u0301" * 50_000,
        "letters that expand": "\ufdfa" * 100_000,
        "invisible letters": "g\u200di\u200dá " * 16_000,
        "emoji": "👍🏽" * 50_000,
        "points": "1.000" * 20_000,
        "URLs": "http://" * 14_000,
        "two readings each": "nhiu " * 20_000,
        "undecoded Telex": "gias nhieeuf " * 8_000,
        "abbreviations with slashes": "k/o đ/c " * 11_000,
        "decomposed": unicodedata.normalize("NFD", "đặt hàng nhiều " * 6_000),
    }


def test_hostile_messages() -> None:
    """Aim: none of 100 KB takes 50 ms, though the keywords are nested and no word of it was seen before."""
    chance = random.Random(20270102)
    known = keywords(chance)
    nested = [" ".join(["gia"] * length) for length in range(2, 17)] + [" ".join(["nhiều nhiêu"] * 8)]
    patterns = [KeywordPattern(n, keyword) for n, keyword in enumerate([*known, *nested, "👍", "?", "không có"])]
    matcher = Matcher([*patterns, KeywordPattern(len(patterns), "á", "contains")])
    best: dict[str, float] = {}
    for _ in range(3):
        ordinary = " ".join(message(chance, known) for _ in range(50))[:MAX_LENGTH]
        for name, text in {"(ordinary chat)": ordinary, **hostile(chance)}.items():
            best[name] = min(best.get(name, float("inf")), took(matcher.hits, text) / 1000)
    rows = [(name.replace(" ", "\u00a0"), f"{milliseconds:.1f}") for name, milliseconds in best.items()]
    show("hostile messages of 100 KB, 10,000 keywords, best of three, ms", "message ms", rows)
    assert max(best.values()) < 40 * best["(ordinary chat)"]
