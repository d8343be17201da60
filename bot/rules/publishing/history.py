"""The former versions of a rules file, in a folder beside it."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

#: Versions that are kept; for one more the oldest goes.
MOST: Final = 50

_SHORT: Final = 12
_NAME = re.compile(rf"(\d{{4}}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{{3}})Z-([0-9a-f]{{{_SHORT}}})\.yaml", re.ASCII)
_TIME: Final = "%Y-%m-%dT%H-%M-%S.%f"
_TICK: Final = 0.001


@dataclass(frozen=True, slots=True)
class Version:
    """A content that the rules file has had."""

    name: str
    """Of the file that holds it."""
    since: float
    """When it came to stand in the rules file, in seconds since 1970."""
    short_digest: str
    """The first letters of its SHA-256, in hex."""

    def holds(self, content: bytes | None) -> bool:
        """Return whether this is the version with that content."""
        return content is not None and _short_digest(content) == self.short_digest


class Shelf:
    """The folder ``.<name of the rules file>.history``: files that an editor can read, named by their times."""

    def __init__(self, path: Path) -> None:
        self.folder = path.with_name(f".{path.name}.history")

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """
        Keep other processes of this machine that publish out, for as long as the block lasts.

        Raises:
            OSError: The folder is not there and cannot be made.
        """
        self.folder.mkdir(exist_ok=True)
        descriptor = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def versions(self) -> list[Version]:
        """Return what is kept, newest first."""
        try:
            names = sorted((entry.name for entry in self.folder.iterdir()), reverse=True)
        except (FileNotFoundError, NotADirectoryError):
            return []
        return [version for name in names if (version := _version(name))]

    def read(self, name: str) -> bytes | None:
        """Return the content of the version that is so called; None if there is no such one."""
        if _version(name) is None:
            return None
        try:
            return (self.folder / name).read_bytes()
        except FileNotFoundError:
            return None

    def keep(self, content: bytes, *, since: float, like: os.stat_result | None) -> None:
        """
        Keep the content as the newest version, unless it is that already; the oldest goes where there are too many.

        Raises:
            OSError: It cannot be written.
        """
        kept = self.versions()
        if kept and kept[0].holds(content):
            return
        # Clocks may be set back; the order of the names is that of the versions.
        since = max(since, kept[0].since + _TICK) if kept else since
        time = datetime.fromtimestamp(since, UTC).strftime(_TIME)[:-3]
        put(self.folder / f"{time}Z-{_short_digest(content)}.yaml", content, like=like)
        for version in kept[MOST - 1 :]:
            (self.folder / version.name).unlink(missing_ok=True)


def put(path: Path, content: bytes, *, like: os.stat_result | None) -> None:
    """
    Write a file so that whoever reads it, also after a power cut, finds the former content or this one, whole.

    It gets the mode of *like*, and its owner as far as the system lets us. Only one caller at a time.

    Raises:
        OSError: Nothing was changed.
    """
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)  # of a process that was killed
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123  never through a link that somebody put there
            file.write(content)
            file.flush()
            if like is not None:
                _dress(descriptor, like)
            os.fsync(descriptor)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
    _sync(path.parent)


def _dress(descriptor: int, like: os.stat_result) -> None:
    """Give the open file the owner, or at least the group, and the mode of another."""
    for owner in (like.st_uid, -1):
        with contextlib.suppress(PermissionError):  # only root may give files away
            os.fchown(descriptor, owner, like.st_gid)
            break
    os.fchmod(descriptor, stat.S_IMODE(like.st_mode))


def _sync(folder: Path) -> None:
    """Make the new name last; some file systems of networks know nothing of that."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with contextlib.suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _version(name: str) -> Version | None:
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    try:
        since = datetime.strptime(found[1], _TIME).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
    return Version(name, since, found[2])


def _short_digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:_SHORT]
