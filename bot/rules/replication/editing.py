"""Publish rules and change library images for all machines that share the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from bot.images.prepare import PreparedImage
from bot.rules.publishing.history import NO_INFO, VersionInfo
from bot.rules.publishing.image_library import ImageLibrary, UnknownImage
from bot.rules.publishing.publication_log import RULES, Change
from bot.rules.publishing.publisher import EditConflict, Publisher, digest
from bot.rules.replication.replica import Replica


class Diverged(EditConflict):
    """The file was changed by hand on this machine, and other machines have published since: take theirs first."""


class SharedPublisher(Publisher):
    """A publisher for all machines; where two publish at once, one is first, and the other gets an `EditConflict`."""

    def __init__(self, path: Path, replica: Replica) -> None:
        super().__init__(path)
        self._replica = replica

    def publish(self, content: bytes, *, seen: str, now: float, info: VersionInfo = NO_INFO) -> None:
        """
        Publish *content* if the file here has the `digest` *seen*, and no machine has published a later one.

        Where this machine has not taken what is published, only that can be published: it takes it then.

        Raises:
            EditConflict: It is another one; or `Diverged`.
            bot.rules.replication.replica.NotWrittenHere: It is published, but cannot be written on this machine.
            OSError: It cannot be written; it is as it was, everywhere.
            bot.errors.StorageError: The database is out of reach.
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
    """Rules that are in force, here or on another machine, name the image."""


class SharedImageLibrary(ImageLibrary):
    """An image library whose changes reach all machines; the log's clock takes the place of *now*."""

    def __init__(self, rules_file: Path, replica: Replica) -> None:
        super().__init__(rules_file)
        self._replica = replica

    def add(self, image: PreparedImage, filename: str) -> tuple[str, bool]:
        """Store an image under a safe name that is free on every machine; return it, and whether it is new."""
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
        Give the image *name* another content on every machine.

        Raises:
            UnknownImage: There is none of that name.
        """

        def plan() -> Sequence[Change]:
            self._require(name)
            return (Change(name, self._replica.store(image.content)),)

        self._replica.publish(plan)

    def delete(self, name: str, *, now: float) -> str:  # noqa: ARG002
        """
        Move the image *name* to the trash of every machine; return its entry in this one's.

        Raises:
            UnknownImage: There is none of that name.
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
        Put a content from this machine's trash back under its name, on every machine; return the name.

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
