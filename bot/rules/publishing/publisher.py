"""A new rules file in the place of the one that stands there: whole, never over somebody's change, and undoable."""

from __future__ import annotations

import hashlib
import logging
import os
from pathlib import Path

from bot.rules.problem import split_lines
from bot.rules.publishing.history import Shelf, Version, put

log = logging.getLogger(__name__)


class Changed(Exception):
    """The file is not the one that was seen."""


class Publisher:
    """
    Writes one rules file of this machine; safe for threads and processes.

    Of a file that is a link, what it leads to is written. Every content that it had before or after a publication is
    kept in a `Shelf`, also what somebody wrote by hand in between.
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
            return self._path.read_bytes()
        except FileNotFoundError:
            return None

    def publish(self, content: bytes, *, seen: str, now: float) -> None:
        """
        Put *content* into the file if that is still the one whose `digest` is *seen*; *now* in seconds since 1970.

        Raises:
            Changed: It is another one.
            OSError: It cannot be written; it is as it was.
        """
        path, shelf = self._path.resolve(), self._shelf()
        with shelf.locked():
            before = self.content()
            if digest(before) != seen:
                raise Changed
            like = path.stat() if before is not None else None
            if before is not None and like is not None:
                shelf.keep(before, since=min(like.st_mtime, now), like=like)
            put(path, content, like=like)
            log.info("rules published", extra={"digest": digest(content)[:12]})
            if like is not None and path.stat().st_uid != like.st_uid:
                log.warning("the rules file has another owner now", extra={"uid": like.st_uid})
            _keep_too(shelf, content, now, like)

    def versions(self) -> list[Version]:
        """Return what the file has held, newest first: the present content too, unless it was written by hand."""
        return self._shelf().versions()

    def read(self, name: str) -> bytes | None:
        """Return the content of the version that is so called; None if there is no such one."""
        return self._shelf().read(name)

    def former(self) -> Version | None:
        """
        Return the version before the present one; once it is published, that is the present one of now.

        Raises:
            OSError: The file cannot be read.
        """
        content = self.content()
        return next((version for version in self.versions() if not version.holds(content)), None)

    def _shelf(self) -> Shelf:
        return Shelf(self._path.resolve())


def digest(content: bytes | None) -> str:
    """Return the SHA-256 of a rules file, in hex; of none the empty text."""
    return hashlib.sha256(content).hexdigest() if content is not None else ""


def tidied(text: str) -> bytes:
    """
    Return a text as a rules file is published: UTF-8 without a mark in front, lines that end in \\n, the last one too.

    It says the same: `split_lines` is how the rules are read.
    """
    return "".join(f"{line}\n" for line in _without_blank_end(split_lines(text))).encode(errors="replace")


def _without_blank_end(lines: tuple[str, ...]) -> tuple[str, ...]:
    return lines if lines[-1] else lines[:-1]


def _keep_too(shelf: Shelf, content: bytes, now: float, like: os.stat_result | None) -> None:
    """Keep what is published by now; if that fails, the next publication finds it in the file."""
    try:
        shelf.keep(content, since=now, like=like)
    except OSError as error:
        log.warning("the history of the rules file cannot be written", extra={"trouble": error.strerror})
