"""Publish rules and change library images for all machines that share the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from bot.rules.publishing.history import NO_INFO, VersionInfo
from bot.rules.publishing.image_library import ImageLibrary, UnknownImage
from bot.rules.publishing.publication_log import RULES, Change
from bot.rules.publishing.publisher import EditConflict, Publisher, digest
from bot.rules.replication.replica import Replica

if TYPE_CHECKING:  # it loads Pillow, which serving an event does not need
    from bot.images.prepare import PreparedImage


class Diverged(EditConflict):
    """The file was changed by hand on this machine, and others have published since: publish theirs here first."""


class SharedPublisher(Publisher):
    """Publishes for all machines; if two publish at once, the second gets an `EditConflict`."""

    def __init__(self, path: Path, replica: Replica) -> None:
        super().__init__(path)
        self._replica = replica

    def publish(self, content: bytes, *, seen: str, now: float, info: VersionInfo = NO_INFO) -> None:
        """
        Publish *content* if the file here has the `digest` *seen*, and no machine has published since.

        If this machine has not taken the latest publication, only that can be published here, which takes it.

        Raises:
            EditConflict: The file is another one; or its subclass `Diverged`.
            bot.rules.replication.replica.NotWrittenHere: It is published, but cannot be written on this machine.
            OSError: The file cannot be written; nothing was published.
            bot.errors.StorageError: The database cannot be reached.
        """

        def plan() -> Sequence[Change]:
            if digest(self.content()) != seen:
                raise EditConflict
            if missed := self._replica.state.missed:
                if digest(content) != missed:
                    raise Diverged
                Publisher.publish(self, content, seen=seen, now=now, info=info)
                return ()
            rules = Change(RULES, self._replica.store(content), seen, asdict(info))
            return *self._replica.changed_images(content), rules

        self._replica.publish(plan, checked=digest(content))


class ImageInUse(Exception):
    """The image is named by rules in force, here or on another machine."""


class SharedImageLibrary(ImageLibrary):
    """An image library whose changes reach all machines; the log's clock is used instead of *now*."""

    def __init__(self, rules_file: Path, replica: Replica) -> None:
        super().__init__(rules_file)
        self._replica = replica

    def add(self, image: PreparedImage, filename: str) -> tuple[str, bool]:
        """Store an image under a safe name that is free on every machine; return the name, and whether it is new."""
        chosen: list[tuple[str, bool]] = []

        def plan() -> Sequence[Change]:
            chosen[:] = [self.choose_name(image, filename)]
            name = chosen[0][0]
            is_known = self._replica.is_published(name, image.content)
            return () if is_known else (Change(name, self._replica.store(image.content)),)

        self._replica.publish(plan)
        return chosen[0]

    def replace(self, name: str, image: PreparedImage, *, now: float) -> None:  # noqa: ARG002
        """
        Replace the content of the image *name* on every machine.

        Raises:
            UnknownImage: There is no image with that name.
        """

        def plan() -> Sequence[Change]:
            self._require(name)
            return (Change(name, self._replica.store(image.content)),)

        self._replica.publish(plan)

    def delete(self, name: str, *, now: float) -> str:  # noqa: ARG002
        """
        Move the image *name* to the trash of every machine; return its entry in this machine's trash.

        Raises:
            UnknownImage: There is no image with that name.
            ImageInUse: Rules name it.
        """

        def plan() -> Sequence[Change]:
            self._require(name)
            if self._replica.names_image(name):
                raise ImageInUse(name)
            return (Change(name, ""),)

        self._replica.publish(plan)
        return next(trashed.entry for trashed in self.trashed() if trashed.name == name)

    def restore(self, entry: str, *, now: float) -> str:  # noqa: ARG002
        """
        Restore an entry of this machine's trash on every machine; return the name of the image.

        Raises:
            UnknownImage: The trash has no such entry.
        """

        def plan() -> Sequence[Change]:
            name, content = self.read_trashed(entry)
            return (Change(name, self._replica.store(content)),)

        name, _content = self.read_trashed(entry)
        self._replica.publish(plan)
        self.drop_trashed(entry)
        return name

    def _require(self, name: str) -> None:
        if all(image.name != name for image in self.images()):
            raise UnknownImage(name)
