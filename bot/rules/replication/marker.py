"""How far this machine has followed the log of publications: a small file beside the history, and a lock."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from bot.files import atomic_write, read_plain_file
from bot.rules.publishing.history import FileHistory

_MAX_BYTES: Final = 4096
_MODE: Final = 0o600


@dataclass(frozen=True, slots=True)
class Marker:
    """What tells a file that was changed by hand from one that is merely old."""

    sequence: int
    """Up to here, everything published has been dealt with."""
    digest: str
    """Of the rules file when it was taken from the log last or, before that, when the machine joined; empty: none."""


class MarkerFile:
    """The marker of one rules file, for all processes of the machine."""

    def __init__(self, rules_file: Path) -> None:
        self._history = FileHistory(rules_file.resolve())
        self._path = self._history.folder / "replica.state"

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """
        Keep other threads and processes of this machine that follow or publish out, for as long as the block lasts.

        Raises:
            OSError: Nothing can be written there.
        """
        with self._history.locked():  # makes the folder
            descriptor = os.open(self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _MODE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def read(self) -> Marker | None:
        """Return the marker; None if the machine has not joined yet, or the file is damaged."""
        try:
            found = json.loads(read_plain_file(self._path, limit=_MAX_BYTES))
        except (FileNotFoundError, ValueError):
            return None
        match found:
            case {"sequence": int(sequence), "digest": str(digest)}:
                return Marker(sequence, digest)
        return None

    def write(self, marker: Marker) -> None:
        """
        Replace the marker.

        Raises:
            OSError: It cannot be written; it is as it was.
        """
        owner = self._history.folder.stat()
        atomic_write(self._path, json.dumps(asdict(marker)).encode(), metadata_of=owner, mode=_MODE)
