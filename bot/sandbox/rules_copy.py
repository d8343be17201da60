"""A copy of the shop's rules for the demo: the console changes the copy, and edits of the original are copied again."""

from __future__ import annotations

import logging
import shutil
import threading
from pathlib import Path
from typing import Final

from bot.files import atomic_write, read_plain_file
from bot.rules.linting.expiry import images_of
from bot.rules.reading import loader

log = logging.getLogger(__name__)

_POLL_SECONDS: Final = 0.5


class RulesCopy:
    """The rules file *source* and the images that it names, copied to *folder*."""

    def __init__(self, source: Path, folder: Path) -> None:
        folder.mkdir()
        self._source = source
        self._copied = read_plain_file(source)
        self.path = folder / "rules.yaml"
        self._copy()

    def follow(self, stopping: threading.Event) -> None:
        """Copy the original again whenever it has changed, until *stopping* is set."""
        while not stopping.wait(_POLL_SECONDS):
            try:
                content = read_plain_file(self._source)
                if content != self._copied:
                    self._copied = content
                    self._copy()
            except OSError as error:  # some editors move the file away for a moment when they save
                log.debug("the original of the rules cannot be read: %s", error.strerror)

    def _copy(self) -> None:
        part = loader.load(self._copied).part
        for image, _ in images_of(part) if part else ():
            if image.file is not None:
                self._copy_image(image.file)
        atomic_write(self.path, self._copied, metadata_of=None)

    def _copy_image(self, name: str) -> None:
        """Copy an image below the original's folder; the check reports all others."""
        original, copy = (self._source.parent / name).resolve(), (self.path.parent / name).resolve()
        is_inside = copy.is_relative_to(self.path.parent.resolve())
        if is_inside and original.is_relative_to(self._source.parent.resolve()) and original.is_file():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(original, copy)
