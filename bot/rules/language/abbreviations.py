"""Teencode and other abbreviations of Vietnamese customers, with what they stand for and how surely; particles."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

_FILE = Path(__file__).with_name("abbreviations.tsv")
_CERTAIN_PERCENT: Final = 80


class Meaning(NamedTuple):
    """One thing that an abbreviation stands for."""

    text: str
    """Normalised, with all its marks."""
    share: int
    """How often the abbreviation stands for it in chats with shops, in percent."""
    before: frozenset[str] = frozenset()
    """Words, without marks, that confirm the meaning when they stand just before the abbreviation."""
    after: frozenset[str] = frozenset()
    """The same for just behind it."""

    @property
    def is_certain(self) -> bool:
        """Whether the abbreviation alone is enough; otherwise the words around it must confirm the meaning."""
        return self.share >= _CERTAIN_PERCENT


def _read(lines: list[str]) -> dict[str, tuple[Meaning, ...]]:
    """Return the table by abbreviation; a line is: form, meaning, share, and perhaps words beside it."""
    meanings: dict[str, tuple[Meaning, ...]] = {}
    for line in lines:
        form, text, share, *beside = line.split("\t")
        found = Meaning(text, int(share), *_neighbours(" ".join(beside).split()))
        meanings[form] = (*meanings.get(form, ()), found)
    return meanings


def _neighbours(words: list[str]) -> tuple[frozenset[str], frozenset[str]]:
    """Return which words confirm a meaning before and behind: ``voi~`` only before, ``~em`` only behind."""
    before = frozenset(word.rstrip("~") for word in words if not word.startswith("~"))
    after = frozenset(word.lstrip("~") for word in words if not word.endswith("~"))
    return before, after


def _lines() -> list[str]:
    rows = [line for line in _FILE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return rows[1:]  # below the names of the columns


ABBREVIATIONS: Final[Mapping[str, tuple[Meaning, ...]]] = MappingProxyType(_read(_lines()))
"""What is typed (normalised, one word, marks as typed) and everything that it may stand for, likely meanings first."""

PARTICLES: Final = frozenset({"ơi", "ạ", "à", "á", "ờ", "ừ", "ừm", "dạ", "nhé", "nhỉ", "hả", "đi"})
"""Marked by habit even by people who type no other marks: no evidence that a sender types marks."""
