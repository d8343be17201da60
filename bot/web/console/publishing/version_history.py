"""Versions of the rules file for a page: author, note, and the changes in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bot.analysis.diff import count_changed_lines
from bot.rules.problem import text_of
from bot.rules.publishing.history import Version, VersionInfo, version_named
from bot.rules.publishing.publisher import Publisher
from bot.rules.publishing.rule_changes import ChangeCounts
from bot.web.console.publishing.change_words import changes_text, lines_text

# Changed lines are counted only for the newest versions written by hand: each takes some milliseconds.
_MAX_COUNTED: Final = 10


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """A version of the rules file."""

    version: Version
    is_current: bool
    """Whether it is the present file."""
    info: VersionInfo
    restored: Version | None
    """The earlier version that it restored; None if it restored none."""
    before: str
    """The name of the version before it; empty for the oldest one kept."""
    changes: str
    """Its changes to the version before, in words; empty if unknown."""


def entries(publisher: Publisher, present: bytes | None, most: int) -> Iterator[HistoryEntry]:
    """Yield the latest versions of the file, newest first; *present* is the present content."""
    versions = publisher.versions()
    known = next((version for version in versions if version.holds(present)), None)
    for index, version in enumerate(versions[:most]):
        before = versions[index + 1] if index + 1 < len(versions) else None
        info = publisher.info(version.name)
        yield HistoryEntry(
            version,
            version is known,
            info,
            version_named(info.restored),
            before.name if before else "",
            _changes(publisher, version, before if index < _MAX_COUNTED else None, info),
        )


def _changes(publisher: Publisher, version: Version, before: Version | None, info: VersionInfo) -> str:
    """Return the changes of a version in words; in lines, if the numbers of changed rules were not recorded."""
    if counts := ChangeCounts.read(info.changes):
        return changes_text(counts)
    old, new = publisher.read(before.name) if before else None, publisher.read(version.name)
    return lines_text(*count_changed_lines(text_of(old), text_of(new))) if old is not None and new is not None else ""
