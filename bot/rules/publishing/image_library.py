"""Library of image files beside the rules, in ``images/``: add, replace, delete, restore, under safe names."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from bot.files import atomic_write, copy_owner, locked_folder, read_plain_file
from bot.rules.language.slug import slug

if TYPE_CHECKING:  # it loads Pillow, which serving an event does not need
    from bot.images.prepare import PreparedImage

#: The library's folder, relative to the rules file.
FOLDER: Final = "images"
#: The most replaced or deleted contents that are kept; the oldest is deleted.
MAX_TRASHED: Final = 50

_TRASH: Final = ".trash"
_ENTRY: Final = re.compile(r"(\d{13})-([^/]+)", re.ASCII)
_ENDINGS: Final = frozenset({".jpg", ".jpeg", ".png"})
_STEM_LENGTH: Final = 60
_NAMELESS: Final = "anh"
_TRASH_MODE: Final = 0o700
_EXECUTABLE: Final = 0o111


@dataclass(frozen=True, slots=True)
class StoredImage:
    """An image file of the library."""

    name: str
    """The path as in a rule's ``file:``, relative to the rules file's folder."""
    size: int
    """In bytes."""
    modified_ns: int
    """When it was last changed, in nanoseconds since 1970."""


@dataclass(frozen=True, slots=True)
class TrashedImage:
    """A replaced or deleted content of the library."""

    entry: str
    """The id for `ImageLibrary.restore`."""
    name: str
    """The path as in a rule's ``file:``."""
    trashed_at: float
    """Seconds since 1970."""


class UnknownImage(LookupError):
    """The library does not have the image, or no longer."""


class ImageLibrary:
    """
    The image files beside one rules file of this machine; safe for threads and processes.

    A deleted or replaced content is moved to ``images/.trash``. Every method except `images` and `trashed` raises
    OSError if it cannot write; then nothing has changed.
    """

    def __init__(self, rules_file: Path) -> None:
        self._rules_file = rules_file
        self._folder = rules_file.parent / FOLDER
        self._trash = self._folder / _TRASH

    def images(self) -> list[StoredImage]:
        """Return the images, the latest first."""
        try:
            with os.scandir(self._folder) as entries:
                found = [(entry.name, entry.stat()) for entry in entries if _is_image(entry)]
        except (FileNotFoundError, NotADirectoryError):
            return []
        images = [StoredImage(f"{FOLDER}/{name}", info.st_size, info.st_mtime_ns) for name, info in found]
        return sorted(images, key=lambda image: (-image.modified_ns, image.name))

    def trashed(self) -> list[TrashedImage]:
        """Return the contents that can be restored, the latest first."""
        try:
            names = sorted((entry.name for entry in self._trash.iterdir()), reverse=True)
        except (FileNotFoundError, NotADirectoryError):
            return []
        matches = [found for name in names if (found := _ENTRY.fullmatch(name))]
        return [TrashedImage(found[0], f"{FOLDER}/{found[2]}", int(found[1]) / 1000) for found in matches]

    def add(self, image: PreparedImage, filename: str) -> tuple[str, bool]:
        """
        Store an image under a safe name made from *filename*; return that name, and whether it is new.

        Equal contents are stored once. A number is added to a name that is taken.
        """
        with self._locked():
            name, is_new = self._choose_name(image, filename)
            if is_new:
                self._write(self._path_of(name), image.content)
            return name, is_new

    def choose_name(self, image: PreparedImage, filename: str) -> tuple[str, bool]:
        """Return what `add` would return; nothing is stored."""
        with self._locked():
            return self._choose_name(image, filename)

    def put(self, name: str, content: bytes, *, now: float) -> None:
        """Write the content of the image *name*, a path below the rules file's folder."""
        with self._locked():
            path = self._path_of(name)
            if path.exists():
                if read_plain_file(path) == content:
                    return
                self._keep(path, now)
            for folder in reversed(path.relative_to(self._rules_file.parent).parents[:-1]):
                self._make(self._rules_file.parent / folder)
            self._write(path, content)

    def replace(self, name: str, image: PreparedImage, *, now: float) -> None:
        """
        Replace the content of the image *name*, for all rules that name it; *now* in seconds since 1970.

        Raises:
            UnknownImage: There is no image with that name.
        """
        with self._locked():
            path = self._path(name)
            self._keep(path, now)
            self._write(path, image.content)

    def delete(self, name: str, *, now: float) -> str:
        """
        Move the image *name* to the trash; return its entry there.

        Raises:
            UnknownImage: There is no image with that name.
        """
        with self._locked():
            path = self._path(name)
            entry = self._keep(path, now)
            path.unlink()
            return entry

    def restore(self, entry: str, *, now: float) -> str:
        """
        Restore a content from the trash and return its name; a present image of that name goes to the trash.

        Raises:
            UnknownImage: The trash has no such entry.
        """
        with self._locked():
            name, content = self.read_trashed(entry)
            if any(image.name == name for image in self.images()):
                self._keep(self._path_of(name), now)
            self._write(self._path_of(name), content)
            self.drop_trashed(entry)
            return name

    def drop_trashed(self, entry: str) -> None:
        """Delete an entry of the trash after it was restored."""
        (self._trash / entry).unlink(missing_ok=True)

    def read_trashed(self, entry: str) -> tuple[str, bytes]:
        """
        Return the name and the content of an entry of the trash.

        Raises:
            UnknownImage: The trash has no such entry.
        """
        found = next((one for one in self.trashed() if one.entry == entry), None)
        if found is None:
            raise UnknownImage(entry)
        return found.name, read_plain_file(self._trash / entry)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Exclude other writers while the block runs; refuse a folder that leads out of that of the rules."""
        self._make(self._folder)
        if not self._folder.resolve().is_relative_to(self._rules_file.parent.resolve()):
            raise OSError(errno.EXDEV, "the folder images leads out of the folder of the rules file", self._folder)
        with locked_folder(self._folder):
            yield

    def _make(self, folder: Path) -> None:
        try:
            folder.mkdir()
        except FileExistsError:
            return
        owner = self._rules_file.parent.stat()
        copy_owner(folder, owner)
        folder.chmod(_TRASH_MODE if folder == self._trash else stat.S_IMODE(owner.st_mode))

    def _path(self, name: str) -> Path:
        if all(image.name != name for image in self.images()):
            raise UnknownImage(name)
        return self._folder / PurePosixPath(name).name

    def _path_of(self, name: str) -> Path:
        """Return the path of an image; one that leads out of the rules file's folder is refused."""
        root, path = self._rules_file.parent.resolve(), self._rules_file.parent / name
        if not path.resolve().is_relative_to(root) or path.resolve() == root:
            raise OSError(errno.EXDEV, "it lies outside the folder of the rules file", path)
        return path

    def _choose_name(self, image: PreparedImage, filename: str) -> tuple[str, bool]:
        if known := self._name_of(image.content):
            return known, False
        taken = {path.name.lower() for path in self._folder.iterdir()}
        name = next(name for name in _safe_names(filename, image.form) if name not in taken)
        return f"{FOLDER}/{name}", True

    def _name_of(self, content: bytes) -> str | None:
        """Return the name of the image with this content; None if there is none."""
        alike = (image.name for image in self.images() if image.size == len(content))
        return next((name for name in alike if read_plain_file(self._path(name)) == content), None)

    def _write(self, path: Path, content: bytes) -> None:
        """Write a file with the owner and rights of the rules file or, if there is none, of its folder."""
        like = self._rules_file if self._rules_file.exists() else self._rules_file.parent
        info = like.stat()
        atomic_write(path, content, metadata_of=info, mode=stat.S_IMODE(info.st_mode) & ~_EXECUTABLE)

    def _keep(self, path: Path, now: float) -> str:
        """Copy a file to the trash; delete the oldest if there are too many."""
        self._make(self._trash)
        kept = self.trashed()
        # Clocks may be set back, but the names must sort in the order of the contents.
        at = max(int(now * 1000), int(kept[0].entry.partition("-")[0]) + 1 if kept else 0)
        entry = f"{at:013}-{path.name}"
        atomic_write(self._trash / entry, read_plain_file(path), metadata_of=path.stat())
        for one in kept[MAX_TRASHED - 1 :]:
            (self._trash / one.entry).unlink(missing_ok=True)
        return entry


def _is_image(entry: os.DirEntry[str]) -> bool:
    is_hidden = entry.name.startswith(".")
    return not is_hidden and Path(entry.name).suffix.lower() in _ENDINGS and entry.is_file(follow_symlinks=False)


def _safe_names(filename: str, form: str) -> Iterator[str]:
    """Yield candidate names of ASCII letters, digits and hyphens, to try until one is free."""
    stem = PurePosixPath(filename.replace("\\", "/")).name
    title = stem.rpartition(".")[0] or stem
    base = slug(title)[:_STEM_LENGTH].strip("-") or _NAMELESS
    yield f"{base}.{form}"
    number = 2
    while True:
        yield f"{base}-{number}.{form}"
        number += 1
