"""The picture files beside a rules file: read without trust, and never from outside its folder."""

from __future__ import annotations

import difflib
import hashlib
import math
import os
import stat
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Final, Literal, LiteralString

from bot.images.formats import HEAD, form_of
from bot.rules.problem import Arg, Phrase, phrase

#: Zalo takes pictures of at most 1 MB, and does not say which: this is the larger one.
MAX_BYTES: Final = 1024 * 1024

Form = Literal["jpg", "png"]
#: What changes when a file does; None: there is none.
Stamp = tuple[int, ...] | None

_FORMS: Final[Mapping[str, Form]] = {"JPEG": "jpg", "PNG": "png"}
_MOST_NEIGHBOURS = 1000
_MOST_SUGGESTIONS = 50


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that can be uploaded."""

    content: bytes
    form: Form
    digest: str
    """SHA-256 of the content, in hex."""


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen of one name: a digest, or a fault."""

    digest: str
    """Empty where there is a fault."""
    fault: Phrase | None
    stamp: Stamp


class Unusable(Exception):
    """The file cannot be sent; the phrase says why."""

    def __init__(self, key: LiteralString, /, **args: Arg) -> None:
        super().__init__(key)
        self.phrase = phrase(key, **args)


def read(folder: Path, name: str) -> Picture:
    """
    Return the picture *name* in *folder*, at most MAX_BYTES long.

    Its bytes decide what it is, not its name.

    Raises:
        Unusable: It is not there, lies outside, is no JPEG or PNG, or is too big.
    """
    try:
        content = _content(find(folder, name), name)
    except OSError as error:
        raise Unusable("file-missing/unreadable", word=name) from error
    return Picture(content, _form(content, name), hashlib.sha256(content).hexdigest())


def _content(path: Path, name: str) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)  # a pipe must not hold us up
    try:
        info = os.fstat(descriptor)
        if not stat.S_ISREG(info.st_mode):
            raise Unusable("file-missing/folder", word=name)
        with open(descriptor, "rb", closefd=False) as file:
            content = file.read(HEAD)
            _form(content, name)
            if info.st_size <= MAX_BYTES:
                content += file.read(MAX_BYTES + 1 - len(content))
    finally:
        os.close(descriptor)
    size = max(info.st_size, len(content))
    if size > MAX_BYTES:
        raise Unusable("file-too-big", word=name, size=f"{math.ceil(size * 10 / MAX_BYTES) / 10}")
    return content


def find(folder: Path, name: str) -> Path:
    """
    Return where the file stands, all links followed.

    Raises:
        Unusable: There is none, or it lies outside *folder*.
    """
    try:
        root = folder.resolve()
        # A Mac writes letters with marks in another way than a keyboard does.
        for spelling in dict.fromkeys((name, unicodedata.normalize("NFC", name), unicodedata.normalize("NFD", name))):
            path = (root / spelling).resolve()
            if not path.is_relative_to(root):
                raise Unusable("file-path/link", word=name)
            if path.exists():
                return path
    except (OSError, ValueError, RuntimeError) as error:  # a name that no file can have, links in a circle
        raise Unusable("file-missing/unreadable", word=name) from error
    raise Unusable("file-missing", word=name)


def look(folder: Path, names: Iterable[str]) -> Mapping[str, Look]:
    """Return what is to be said of each name; each file is read once, and kept by none."""
    looks = {name: _look(folder, name) for name in dict.fromkeys(names)}
    missing = (name for name, seen in looks.items() if seen.fault == phrase("file-missing", word=name))
    for name in islice(missing, _MOST_SUGGESTIONS):
        if near := _near(folder, name):
            looks[name] = replace(looks[name], fault=phrase("file-missing/near", word=name, near=near))
    return looks


def stamp(folder: Path, name: str) -> Stamp:
    """Return the file's stamp: the same one means, to all appearance, the same content."""
    try:
        info = (folder / name).stat()
    except (OSError, ValueError):
        return None
    return info.st_mtime_ns, info.st_ctime_ns, info.st_size, info.st_ino


def _look(folder: Path, name: str) -> Look:
    before = stamp(folder, name)  # whatever changes from here on is seen as a change
    try:
        return Look(read(folder, name).digest, None, before)
    except Unusable as error:
        return Look("", error.phrase, before)


def _form(head: bytes, name: str) -> Form:
    if not head:
        raise Unusable("file-type/empty", word=name)
    kind = form_of(head)
    if kind in _FORMS:
        return _FORMS[kind]
    raise Unusable("file-type/kind", word=name, kind=kind) if kind else Unusable("file-type", word=name)


def _near(folder: Path, name: str) -> str | None:
    """Return the name of the file that was most likely meant: other capitals, another ending, a slip."""
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
            return {entry.name for entry in islice(entries, _MOST_NEIGHBOURS)}
    except OSError:
        return set()


def _bare(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
