"""Teencode and other abbreviations of Vietnamese customers, with their meanings and frequencies; particles."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

_FILE = Path(__file__).with_name("abbreviations.tsv")
_CERTAIN_PERCENT: Final = 80


class Meaning(NamedTuple):
    """One meaning of an abbreviation."""

    text: str
    """Normalised, with all its marks."""
    share: int
    """How often the abbreviation has this meaning in chats with shops, in percent."""
    before: frozenset[str] = frozenset()
    """Words (without marks) that confirm the meaning just before the abbreviation."""
    after: frozenset[str] = frozenset()
    """The same just after it."""

    @property
    def is_certain(self) -> bool:
        """Whether the abbreviation alone is enough; otherwise the words around it must confirm the meaning."""
        return self.share >= _CERTAIN_PERCENT


def _read(lines: list[str]) -> dict[str, tuple[Meaning, ...]]:
    """Return the table by abbreviation; a line holds form, meaning, share and, optionally, neighbours."""
    meanings: dict[str, tuple[Meaning, ...]] = {}
    for line in lines:
        form, text, share, *beside = line.split("\t")
        found = Meaning(text, int(share), *_neighbours(" ".join(beside).split()))
        meanings[form] = (*meanings.get(form, ()), found)
    return meanings


def _neighbours(words: list[str]) -> tuple[frozenset[str], frozenset[str]]:
    """Return the words that confirm a meaning before and after it: ``voi~`` only before, ``~em`` only after."""
    before = frozenset(word.rstrip("~") for word in words if not word.startswith("~"))
    after = frozenset(word.lstrip("~") for word in words if not word.endswith("~"))
    return before, after


def _lines() -> list[str]:
    rows = [line for line in _FILE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return rows[1:]  # after the column names


ABBREVIATIONS: Final[Mapping[str, tuple[Meaning, ...]]] = MappingProxyType(_read(_lines()))
"""Meanings, the likeliest first, by what is typed (normalised, one word, marks as typed)."""

PARTICLES: Final = frozenset({"ơi", "ạ", "à", "á", "ờ", "ừ", "ừm", "dạ", "nhé", "nhỉ", "hả", "đi"})
"""Often marked even by people who type no other marks, so they do not show that a sender types marks."""
