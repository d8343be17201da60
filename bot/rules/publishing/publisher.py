"""Publish a rules file: atomic replacement, optimistic concurrency check, version history."""

from __future__ import annotations

import hashlib
import logging
import os
from pathlib import Path

from bot.files import atomic_write, read_plain_file
from bot.rules.problem import split_lines
from bot.rules.publishing.history import NO_INFO, FileHistory, Version, VersionInfo

log = logging.getLogger(__name__)


class EditConflict(Exception):
    """The file is not the one that was seen."""


class Publisher:
    """
    Writes the rules file of this machine; safe for threads and processes.

    If the file is a symbolic link, its target is written. Every content before and after a publication is kept in a
    `FileHistory`, including edits by hand in between.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def content(self) -> bytes | None:
        """
        Return the content of the file; None if there is no file.

        Raises:
            OSError: It cannot be read.
        """
        try:
            return read_plain_file(self._path)
        except FileNotFoundError:
            return None

    def publish(self, content: bytes, *, seen: str, now: float, info: VersionInfo = NO_INFO) -> None:
        """
        Replace the file with *content* if its `digest` is still *seen*; *now* in seconds since 1970.

        *info* has author and note for the history.

        Raises:
            EditConflict: The file is another one.
            OSError: The file cannot be written; it is unchanged.
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
        Store the present content in the history before an edit, in case it was written by hand.

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
        """Return the versions of the file, newest first; the present content is included unless written by hand."""
        return self._history().versions()

    def read(self, name: str) -> bytes | None:
        """Return the content of the version with that name; None if there is none."""
        return self._history().read(name)

    def info(self, name: str) -> VersionInfo:
        """Return author and note of the version with that name."""
        return self._history().info(name)

    def find(self, sought: str) -> bytes | None:
        """Return the content of the version whose `digest` is *sought*; None if it is not kept."""
        history = self._history()
        alike = (version for version in history.versions() if sought.startswith(version.short_digest))
        contents = (history.read(version.name) for version in alike)
        return next((content for content in contents if content is not None and digest(content) == sought), None)

    def previous(self) -> Version | None:
        """
        Return the version before the present one; after it is published, this is the version that is present now.

        Raises:
            OSError: The file cannot be read.
        """
        content = self.content()
        return next((version for version in self.versions() if not version.holds(content)), None)

    def _history(self) -> FileHistory:
        return FileHistory(self._path.resolve())


def digest(content: bytes | None) -> str:
    """Return the SHA-256 of a file's content, in hex; empty for None."""
    return hashlib.sha256(content).hexdigest() if content is not None else ""


def normalise_newlines(text: str) -> bytes:
    """
    Return a text as published: UTF-8 without a byte order mark; all lines end in \\n.

    Its meaning is the same, because rules are read by `split_lines`.
    """
    return "".join(f"{line}\n" for line in _without_blank_end(split_lines(text))).encode(errors="replace")


def _without_blank_end(lines: tuple[str, ...]) -> tuple[str, ...]:
    return lines if lines[-1] else lines[:-1]


def _keep_too(
    history: FileHistory, content: bytes, now: float, metadata: os.stat_result | None, info: VersionInfo
) -> None:
    """Store the published content; if that fails, the next publication finds it in the file."""
    try:
        history.keep(content, since=now, metadata_of=metadata, info=info)
    except OSError as error:
        log.warning("the history of the rules file cannot be written", extra={"trouble": error.strerror})
