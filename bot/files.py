"""Read plain files only, replace files atomically, lock folders, format sizes."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import math
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

#: Far beyond the limit of a rules file: one a little too big is still read, so that the error can name the place.
MAX_READ_BYTES: Final = 16 * 1024 * 1024
_KB: Final = 1024
_MB: Final = 1024**2
_GB: Final = 1024**3


def read_plain_file(path: Path, *, limit: int = MAX_READ_BYTES) -> bytes:
    """
    Return the content of a plain file, following links; never block on a pipe or a device.

    Raises:
        OSError: It is not a plain file, has more than *limit* bytes, or cannot be read; *strerror* says which.
    """
    _check_plain(path, path.stat())  # opening some devices has side effects
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:  # noqa: PTH123  by its descriptor: the path may be another file by now
        info = os.fstat(descriptor)
        _check_plain(path, info)
        content = file.read(limit + 1) if info.st_size <= limit else b""
    size = max(info.st_size, len(content))
    if size > limit:
        raise OSError(errno.EFBIG, f"too big: {format_size(size, 'en')}, at most {format_size(limit, 'en')}", path)
    return content


def _check_plain(path: Path, info: os.stat_result) -> None:
    if stat.S_ISDIR(info.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    if not stat.S_ISREG(info.st_mode):
        raise OSError(errno.EINVAL, "not a plain file, but a pipe, a socket or a device", path)


@contextlib.contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """
    Hold the exclusive lock of *folder* during the block, against other processes of this machine that use it.

    Raises:
        OSError: The folder cannot be opened.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def atomic_write(path: Path, content: bytes, *, metadata_of: os.stat_result | None, mode: int | None = None) -> None:
    """
    Replace a file so that a reader, also after a power cut, finds either the whole old or the whole new content.

    It gets the owner of *metadata_of* if the system allows that, and *mode*, else the mode of *metadata_of*. Only one
    caller at a time may write the same file: see `locked_folder`.

    Raises:
        OSError: Nothing was changed.
    """
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)  # left by a process that was killed
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123  never through a link that somebody put there
            file.write(content)
            file.flush()
            if metadata_of is not None:
                copy_owner(descriptor, metadata_of)
                os.fchmod(descriptor, stat.S_IMODE(metadata_of.st_mode))
            if mode is not None:
                os.fchmod(descriptor, mode)
            os.fsync(descriptor)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
    _sync(path.parent)


def copy_owner(file: int | Path, metadata: os.stat_result) -> None:
    """Give a file or folder the owner in *metadata*, or at least the group."""
    for owner in (metadata.st_uid, -1):
        with contextlib.suppress(PermissionError):  # only root may change the owner
            os.chown(file, owner, metadata.st_gid)
            break


def _sync(folder: Path) -> None:
    """Make the new directory entry durable; some network file systems do not support that."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with contextlib.suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


@dataclass(frozen=True, slots=True)
class FileSize:
    """A size among the values of a message, to be formatted in the reader's language."""

    bytes: int


def format_size(size: int, language: Literal["vi", "en"]) -> str:
    """
    Return a readable size, rounded up, so that a file over a limit never seems to be exactly at it.

    >>> format_size(1_300_000, "vi"), format_size(1_300_000, "en"), format_size(800, "en")
    ('1,3 MB', '1.3 MB', '1 KB')
    """
    if size < _MB:
        return f"{math.ceil(size / _KB)} KB"
    unit, name = (_MB, "MB") if size < _GB else (_GB, "GB")
    tenths = math.ceil(size * 10 / unit)
    point = "," if language == "vi" else "."
    return f"{tenths // 10}{point}{tenths % 10} {name}" if tenths % 10 else f"{tenths // 10} {name}"


def format_sizes(values: Mapping[str, object], language: Literal["vi", "en"]) -> dict[str, object]:
    """Return the values of a message with each `FileSize` formatted."""
    return {
        name: format_size(value.bytes, language) if isinstance(value, FileSize) else value
        for name, value in values.items()
    }
