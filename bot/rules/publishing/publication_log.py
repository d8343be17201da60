"""The log of publications that machines share: what its entries say, and what keeps it must do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

#: The `Change.file` that stands for the rules file, which each machine may call otherwise.
RULES: Final = ""


@dataclass(frozen=True, slots=True)
class Change:
    """What one file is to hold on every machine."""

    file: str
    """RULES, or the name of an image as a rule's ``file:`` has it."""
    digest: str
    """SHA-256 of the content, in hex; empty: there is to be none."""
    replaced: str = ""
    """The digest of what it replaced where it was published; empty: nothing."""
    info: Mapping[str, str] = field(default_factory=dict)
    """Who published it and why."""


@dataclass(frozen=True, slots=True)
class Publication(Change):
    """A change that was published."""

    sequence: int = 0
    """Later ones have higher numbers; some are left out."""
    published_at: float = 0.0
    """Seconds since 1970, by the log's clock."""


@dataclass(frozen=True, slots=True)
class Head:
    """How far the log has come."""

    sequence: int = 0
    """Of the latest publication; 0: there is none."""
    rules_digest: str | None = None
    """Of the rules file that was published last; None: none was."""
    rules_published_at: float = 0.0


class Overtaken(Exception):
    """Something else was published first."""


class PublicationLog(Protocol):
    """Every method raises `bot.errors.StorageError` while the log is out of reach."""

    def head(self) -> Head:
        """Return how far it has come; cheap enough to be asked every second."""
        ...

    def since(self, sequence: int) -> list[Publication]:
        """Return what came after that number, in order; of each image the latest, of the rules all that are kept."""
        ...

    def images(self) -> Mapping[str, str]:
        """Return the digests of the images that there are to be, by name."""
        ...

    def content(self, digest: str) -> bytes | None:
        """Return the content with that digest; None if it is not kept any more."""
        ...

    def store(self, digest: str, content: bytes) -> None:
        """Keep a content that is about to be published."""
        ...

    def append(self, changes: Sequence[Change], *, after: int) -> None:
        """
        Publish the changes, whose contents are stored, all of them or none.

        Raises:
            Overtaken: The log has come further than *after*.
        """
        ...
