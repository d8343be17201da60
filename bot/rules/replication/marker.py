"""This machine's position in the log of publications: a small file beside the history, with a lock."""

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
    """The position in the log; it tells a file that was changed by hand from an outdated one."""

    sequence: int
    """All publications up to this number have been processed."""
    digest: str
    """The digest of the rules file last taken from the log or, before that, at joining; empty: no file."""


class MarkerFile:
    """The marker of one rules file, for all processes of the machine."""

    def __init__(self, rules_file: Path) -> None:
        self._history = FileHistory(rules_file.resolve())
        self._path = self._history.folder / "replica.state"

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """
        Exclude other threads and processes of this machine that follow or publish, while the block runs.

        Raises:
            OSError: The lock file cannot be written.
        """
        with self._history.locked():  # creates the folder
            descriptor = os.open(self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _MODE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def read(self) -> Marker | None:
        """Return the marker; None if the machine has not joined yet or the file is damaged."""
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
            OSError: It cannot be written; it is unchanged.
        """
        owner = self._history.folder.stat()
        atomic_write(self._path, json.dumps(asdict(marker)).encode(), metadata_of=owner, mode=_MODE)
