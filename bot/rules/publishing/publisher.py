"""Publish a rules file: atomic replacement, optimistic concurrency check, version history."""

from __future__ import annotations

import hashlib
import logging
import os
from pathlib import Path

from bot.files import atomic_write, read_plain_file
from bot.rules.problem import split_lines
from bot.rules.publishing.history import NO_INFO, FileHistory, Version, VersionInfo
from bot.rules.publishing.rule_changes import ChangeCounts

log = logging.getLogger(__name__)


class EditConflict(Exception):
    """The file is not the one that was seen."""


class Publisher:
    """
    Writes one rules file of this machine; safe for threads and processes.

    Of a file that is a link, what it leads to is written. Every content that it had before or after a publication is
    kept in a `FileHistory`, also what somebody wrote by hand in between.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def content(self) -> bytes | None:
        """
        Return what the file holds; None if there is none.

        Raises:
            OSError: It cannot be read.
        """
        try:
            return read_plain_file(self._path)
        except FileNotFoundError:
            return None

    def publish(self, content: bytes, *, seen: str, now: float, info: VersionInfo = NO_INFO) -> None:
        """
        Put *content* into the file if that is still the one whose `digest` is *seen*; *now* in seconds since 1970.

        *info* says in the history who published it and why.

        Raises:
            EditConflict: It is another one.
            OSError: It cannot be written; it is as it was.
        """
        path, history = self._path.resolve(), self._history()
        with history.locked():
            before = self.content()
            if digest(before) != seen:
                raise EditConflict
            metadata = path.stat() if before is not None else None
            if before is not None and metadata is not None:
                history.keep(before, since=min(metadata.st_mtime, now), metadata_of=metadata)
            atomic_write(path, content, metadata_of=metadata)
            log.info("rules published", extra={"digest": digest(content)[:12]})
            if metadata is not None and path.stat().st_uid != metadata.st_uid:
                log.warning("the rules file has another owner now", extra={"uid": metadata.st_uid})
            _keep_too(history, content, now, metadata, info)

    def keep_present(self, *, now: float) -> None:
        """
        Keep what the file holds now in the history, for who begins to edit it: somebody may have written it by hand.

        Raises:
            OSError: It cannot be read, or the history cannot be written.
        """
        content = self.content()
        if content is None or self.find(digest(content)) is not None:
            return
        path, history = self._path.resolve(), self._history()
        with history.locked():
            content, metadata = self.content(), path.stat()
            if content is not None:
                history.keep(content, since=min(metadata.st_mtime, now), metadata_of=metadata)

    def versions(self) -> list[Version]:
        """Return what the file has held, newest first: the present content too, unless it was written by hand."""
        return self._history().versions()

    def read(self, name: str) -> bytes | None:
        """Return the content of the version that is so called; None if there is no such one."""
        return self._history().read(name)

    def info(self, name: str) -> VersionInfo:
        """Return who published the version that is so called, and why."""
        return self._history().info(name)

    def changes(self, name: str) -> ChangeCounts | None:
        """Return what the version that is so called changed in the one before; None if that is not known."""
        return self._history().changes(name)

    def find(self, sought: str) -> bytes | None:
        """Return the content of the version whose `digest` is *sought*; None if it is not kept, or not any more."""
        history = self._history()
        alike = (version for version in history.versions() if sought.startswith(version.short_digest))
        contents = (history.read(version.name) for version in alike)
        return next((content for content in contents if content is not None and digest(content) == sought), None)

    def previous(self) -> Version | None:
        """
        Return the version before the present one; once it is published, that is the present one of now.

        Raises:
            OSError: The file cannot be read.
        """
        content = self.content()
        return next((version for version in self.versions() if not version.holds(content)), None)

    def _history(self) -> FileHistory:
        return FileHistory(self._path.resolve())


def digest(content: bytes | None) -> str:
    """Return the SHA-256 of a file's content, in hex; of none the empty text."""
    return hashlib.sha256(content).hexdigest() if content is not None else ""


def normalise_newlines(text: str) -> bytes:
    """
    Return a text as a rules file is published: UTF-8 without a mark in front, lines that end in \\n, the last one too.

    It says the same: `split_lines` is how the rules are read.
    """
    return "".join(f"{line}\n" for line in _without_blank_end(split_lines(text))).encode(errors="replace")


def _without_blank_end(lines: tuple[str, ...]) -> tuple[str, ...]:
    return lines if lines[-1] else lines[:-1]


def _keep_too(
    history: FileHistory, content: bytes, now: float, metadata: os.stat_result | None, info: VersionInfo
) -> None:
    """Keep what is published by now; if that fails, the next publication finds it in the file."""
    try:
        history.keep(content, since=now, metadata_of=metadata, info=info)
    except OSError as error:
        log.warning("the history of the rules file cannot be written", extra={"trouble": error.strerror})
