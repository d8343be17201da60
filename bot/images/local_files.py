"""Read the image files beside a rules file: untrusted, and never from outside its folder."""

from __future__ import annotations

import difflib
import hashlib
import os
import stat
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Final, Literal, LiteralString

from bot.images.formats import HEAD, is_complete, sniff_format
from bot.zalo import MAX_IMAGE_BYTES

Form = Literal["jpg", "png"]
#: Changes when the file does (times, size, inode); None if there is no file.
FileStamp = tuple[int, ...] | None

_FORMS: Final[Mapping[str, Form]] = {"JPEG": "jpg", "PNG": "png"}
_MAX_NEIGHBOURS = 1000
_MAX_SUGGESTIONS = 50


@dataclass(frozen=True, slots=True)
class LocalImage:
    """An image that can be uploaded."""

    content: bytes
    form: Form
    digest: str
    """SHA-256 of the content, in hex."""


@dataclass(frozen=True, slots=True)
class ImageFile:
    """The result for one name: a digest, or a fault."""

    digest: str
    """Empty if there is a fault."""
    fault: UnusableImage | None
    stamp: FileStamp


class UnusableImage(Exception):
    """The file cannot be sent; *code* and *message_args* are a message of `bot.rules.catalog`, sizes in bytes."""

    def __init__(self, code: LiteralString, /, **args: str | int) -> None:
        super().__init__(code)
        self.code = code
        self.message_args = args


def read_image(folder: Path, name: str) -> LocalImage:
    """
    Return the image *name* in *folder*, at most MAX_IMAGE_BYTES long.

    Its bytes decide its format, not its name.

    Raises:
        UnusableImage: It is missing, outside *folder*, no JPEG or PNG, too big, or ends before its end mark.
    """
    try:
        content = _content(find_image(folder, name), name)
    except OSError as error:
        raise UnusableImage("file-missing/unreadable", word=name) from error
    return LocalImage(content, _form(content, name), hashlib.sha256(content).hexdigest())


def _content(path: Path, name: str) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)  # a pipe must not block us
    try:
        info = os.fstat(descriptor)
        if not stat.S_ISREG(info.st_mode):
            raise UnusableImage("file-missing/folder", word=name)
        with open(descriptor, "rb", closefd=False) as file:
            content = file.read(HEAD)
            _form(content, name)
            if info.st_size <= MAX_IMAGE_BYTES:
                content += file.read(MAX_IMAGE_BYTES + 1 - len(content))
    finally:
        os.close(descriptor)
    size = max(info.st_size, len(content))
    if size > MAX_IMAGE_BYTES:
        raise UnusableImage("file-too-big", word=name, size=size)
    if size != len(content) or not is_complete(content):
        raise UnusableImage("file-type/incomplete", word=name)
    return content


def find_image(folder: Path, name: str) -> Path:
    """
    Return the path of the file, with all links resolved.

    Raises:
        UnusableImage: There is none, or it is outside *folder*.
    """
    try:
        root = folder.resolve()
        # macOS writes letters with marks decomposed (NFD), keyboards composed (NFC).
        for spelling in dict.fromkeys((name, unicodedata.normalize("NFC", name), unicodedata.normalize("NFD", name))):
            path = (root / spelling).resolve()
            if not path.is_relative_to(root):
                raise UnusableImage("file-path/link", word=name)
            if path.exists():
                return path
    except (OSError, ValueError, RuntimeError) as error:  # a name that no file can have, or a symlink loop
        raise UnusableImage("file-missing/unreadable", word=name) from error
    raise UnusableImage("file-missing", word=name)


def inspect(folder: Path, names: Iterable[str]) -> Mapping[str, ImageFile]:
    """Return the digest or fault of each name; each file is read once and not kept."""
    image_files = {name: _inspect(folder, name) for name in dict.fromkeys(names)}
    missing = (name for name, seen in image_files.items() if seen.fault and seen.fault.code == "file-missing")
    for name in islice(missing, _MAX_SUGGESTIONS):
        if near := _near(folder, name):
            image_files[name] = replace(
                image_files[name], fault=UnusableImage("file-missing/near", word=name, near=near)
            )
    return image_files


def file_stamp(folder: Path, name: str) -> FileStamp:
    """Return the file's stamp: the same stamp means, in practice, the same content."""
    try:
        info = (folder / name).stat()
    except (OSError, ValueError):
        return None
    return info.st_mtime_ns, info.st_ctime_ns, info.st_size, info.st_ino


def _inspect(folder: Path, name: str) -> ImageFile:
    before = file_stamp(folder, name)  # any later change gives another stamp
    try:
        return ImageFile(read_image(folder, name).digest, None, before)
    except UnusableImage as error:
        return ImageFile("", error, before)


def _form(head: bytes, name: str) -> Form:
    if not head:
        raise UnusableImage("file-type/empty", word=name)
    kind = sniff_format(head)
    if kind in _FORMS:
        return _FORMS[kind]
    raise UnusableImage("file-type/kind", word=name, kind=kind) if kind else UnusableImage("file-type", word=name)


def _near(folder: Path, name: str) -> str | None:
    """Return the most similar existing name: other capitals, another extension, a typo."""
    path, found = folder, []
    for part in Path(name).parts:
        names = _neighbours(path)
        if part not in names:
            by_letters = {_bare(other): other for other in names}
            meant = difflib.get_close_matches(_bare(part), by_letters, n=1, cutoff=0.75)
            if not meant:
                return None
            part = by_letters[meant[0]]  # noqa: PLW2901  from here on, it is what the editor meant
        found.append(part)
        path /= part
    return "/".join(found) if path.is_file() else None


def _neighbours(folder: Path) -> set[str]:
    try:
        with os.scandir(folder) as entries:
            return {entry.name for entry in islice(entries, _MAX_NEIGHBOURS)}
    except OSError:
        return set()


def _bare(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
