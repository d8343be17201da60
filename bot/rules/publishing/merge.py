"""Merge two edits of one rules file (three-way merge), rule by rule: bytes and comments of each side are kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from bot.rules.publishing.edit import NotEditable
from bot.rules.publishing.sections import Section, Sections, cut

Side = Literal["mine", "theirs"]

#: The names of the conflicts about the file as a whole, and about the comments at its end.
WHOLE_FILE: Final = ""
TAIL: Final = "#"


@dataclass(frozen=True, slots=True)
class Conflict:
    """A section that both sides changed in different ways; None: that side removed it."""

    name: str
    """The id of a rule, a key beside the rules with its colon, TAIL, or WHOLE_FILE."""
    mine: str | None
    theirs: str | None


@dataclass(frozen=True, slots=True)
class Merge:
    """The result of a merge."""

    text: str | None
    """The merged file; None while there are undecided conflicts."""
    conflicts: tuple[Conflict, ...] = ()
    """All conflicts, including decided ones, in the order of the file."""


class _NotMergeable(Exception):
    """The sides cannot be merged rule by rule."""


def merge(base: str | None, mine: str, theirs: str, decided: Mapping[str, Side] | None = None) -> Merge:
    """
    Merge the edits of both sides into one file; all its lines end in \\n.

    *base* is the common origin; if it is unknown, every difference is a conflict. *decided* has the chosen side by the
    name of the conflict.
    """
    decided = decided or {}
    if mine in {theirs, base}:
        return Merge(theirs)
    if theirs == base:
        return Merge(mine)
    try:
        return _merged(cut(base) if base is not None else None, cut(mine), cut(theirs), decided)
    except (NotEditable, _NotMergeable):
        side = decided.get(WHOLE_FILE)
        text = None if side is None else mine if side == "mine" else theirs
        return Merge(text, (Conflict(WHOLE_FILE, mine, theirs),))


def _merged(base: Sections | None, mine: Sections, theirs: Sections, decided: Mapping[str, Side]) -> Merge:
    keys = _SectionMerge(base.keys if base else None, mine.keys, theirs.keys, decided)
    rules = _SectionMerge(base.rules if base else None, mine.rules, theirs.rules, decided)
    conflicts = [*keys.conflicts, *rules.conflicts]
    tail = _either(base.tail if base else None, mine.tail, theirs.tail)
    if tail is None:
        conflicts.append(Conflict(TAIL, mine.tail, theirs.tail))
        tail = mine.tail if decided.get(TAIL) == "mine" else theirs.tail
    if any(conflict.name not in decided for conflict in conflicts):
        return Merge(None, tuple(conflicts))
    merged = Sections(tuple(keys.merged), tuple(rules.merged), tail)
    if cut(merged.text) != merged:  # for example, rules with another indentation
        raise _NotMergeable
    return Merge(merged.text, tuple(conflicts))


class _SectionMerge:
    """The merge of one list of sections."""

    def __init__(
        self,
        base: tuple[Section, ...] | None,
        mine: tuple[Section, ...],
        theirs: tuple[Section, ...],
        decided: Mapping[str, Side],
    ) -> None:
        self._base = {section.name: section for section in base or ()}
        self._mine = {section.name: section for section in mine}
        self._theirs = {section.name: section for section in theirs}
        self._knows_base = base is not None
        self.conflicts: list[Conflict] = []
        found = {name: self._one(name, decided.get(name)) for name in _union(self._theirs, self._mine)}
        order = _order(self._base, self._mine, self._theirs)
        self.merged = [section for name in order if (section := found[name]) is not None]

    def _one(self, name: str, side: Side | None) -> Section | None:
        """Return the merged section; None: it is removed."""
        base, mine, theirs = self._base.get(name), self._mine.get(name), self._theirs.get(name)
        if mine == theirs:
            return mine
        if self._knows_base and base == mine:
            return theirs
        if self._knows_base and base == theirs:
            return mine
        if mine and theirs:
            lead = _either(base.lead if base else None, mine.lead, theirs.lead)
            body = _either(base.body if base else None, mine.body, theirs.body)
            if lead is not None and body is not None:
                return replace(theirs, lead=lead, body=body)
        self.conflicts.append(Conflict(name, mine.text if mine else None, theirs.text if theirs else None))
        return mine if side == "mine" else theirs


def _either(base: str | None, mine: str, theirs: str) -> str | None:
    """Return the lines of the side that changed them; None if both changed them in different ways."""
    if mine in {theirs, base}:
        return theirs
    return mine if base == theirs else None


def _union(first: Iterable[str], second: Iterable[str]) -> list[str]:
    return list(dict.fromkeys([*first, *second]))


def _order(base: Iterable[str], mine: Iterable[str], theirs: Iterable[str]) -> list[str]:
    """
    Return the names of both sides in the order of the side that changed it; additions of the other follow a neighbour.

    Raises:
        _NotMergeable: Both changed the order in different ways.
    """
    common = set(base) & set(mine) & set(theirs) if base else set(mine) & set(theirs)
    was, is_mine, is_theirs = ([name for name in names if name in common] for names in (base, mine, theirs))
    if is_mine not in (was, is_theirs) and is_theirs != was:
        raise _NotMergeable
    first, second = (theirs, mine) if is_mine in (was, is_theirs) else (mine, theirs)
    order, before = list(first), -1
    for name in second:
        if name not in order:
            order.insert(before + 1, name)
        before = order.index(name)
    return order
