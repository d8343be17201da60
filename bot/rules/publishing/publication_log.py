"""The log of publications that machines share: its entries, and the interface of its storage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

#: The `Change.file` of the rules file, whose name may differ between machines.
RULES: Final = ""


@dataclass(frozen=True, slots=True)
class Change:
    """The new content of one file on every machine."""

    file: str
    """RULES, or the name of an image as in a rule's ``file:``."""
    digest: str
    """SHA-256 of the content, in hex; empty: the file is deleted."""
    replaced: str = ""
    """The digest of the content that it replaced on the publishing machine; empty: none."""
    info: Mapping[str, str] = field(default_factory=dict)
    """Author and note."""


@dataclass(frozen=True, slots=True)
class Publication(Change):
    """A change that was published."""

    sequence: int = 0
    """Later publications have higher numbers, with gaps."""
    published_at: float = 0.0
    """Seconds since 1970, by the log's clock."""


@dataclass(frozen=True, slots=True)
class Head:
    """The latest entries of the log."""

    sequence: int = 0
    """The number of the latest publication; 0: there is none."""
    rules_digest: str | None = None
    """The digest of the latest published rules file; None: there is none."""
    rules_published_at: float = 0.0


class Overtaken(Exception):
    """Something else was published first."""


class PublicationLog(Protocol):
    """The log's storage; every method raises `bot.errors.StorageError` if it cannot be reached."""

    def head(self) -> Head:
        """Return the head of the log; cheap enough to call every second."""
        ...

    def since(self, sequence: int) -> list[Publication]:
        """Return the publications after that number, in order: the latest of each image, all kept ones of the rules."""
        ...

    def images(self) -> Mapping[str, str]:
        """Return the digest of each published image that was not deleted, by name."""
        ...

    def content(self, digest: str) -> bytes | None:
        """Return the content with that digest; None if it is no longer kept."""
        ...

    def store(self, digest: str, content: bytes) -> None:
        """Store a content before its publication."""
        ...

    def append(self, changes: Sequence[Change], *, after: int) -> None:
        """
        Publish all of the changes, or none; their contents must be stored.

        Raises:
            Overtaken: There is a publication after number *after*.
        """
        ...
