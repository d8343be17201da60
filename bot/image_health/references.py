"""Images that the rules reference, each once, with the rules that send it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

from bot.rules.engine import FALLBACK, RuleSet
from bot.rules.linting.expiry import images_of
from bot.rules.model.schema import Image, RuleFile

#: The field of the rules file that names an image.
ImageKind = Literal["image_url", "attachment_id", "file"]


@dataclass(frozen=True, slots=True)
class ImageReference:
    """An image as referenced by the rules."""

    kind: ImageKind
    reference: str
    """The field's value."""
    uploaded: date | None
    """The latest upload date of an attachment_id that the rules give, if any."""
    rules: tuple[str, ...]
    """The ids of the rules that send it, in the order of the file; FALLBACK among them."""
    digest: str = ""
    """SHA-256 in hex of the file when the rules were read; "" if unknown."""

    @property
    def key(self) -> str:
        """A key of 64 letters, equal in all processes; it changes with the content of a file."""
        return hashlib.sha256(f"{self.kind} {self.digest} {self.reference}".encode()).hexdigest()

    @property
    def loggable(self) -> str:
        """The reference as it may be logged: without the parts of a link that may grant access."""
        if self.kind != "image_url":
            return self.reference
        parts = urlsplit(self.reference)
        return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment=""))


def today(rules: RuleSet, now: float) -> date:
    """Return the date of *now* (seconds since 1970) in the time zone of the rules."""
    return datetime.fromtimestamp(now, rules.zone).date()


def referenced_images(rules: RuleSet, *, now: float) -> list[ImageReference]:
    """Return the images that may be sent from *now* on, in the order of the file."""
    found: dict[tuple[ImageKind, str], ImageReference] = {}
    for image, rule_id in _still_sendable(rules.file, today(rules, now)):
        for kind, reference, uploaded in _references(image):
            before = found.get((kind, reference))
            users = dict.fromkeys((*(before.rules if before else ()), rule_id))
            days = [day for day in (before.uploaded if before else None, uploaded) if day is not None]
            digest = rules.digests.get(reference, "") if kind == "file" else ""
            found[kind, reference] = ImageReference(kind, reference, max(days, default=None), tuple(users), digest)
    return list(found.values())


def _still_sendable(file: RuleFile, day: date) -> Iterator[tuple[Image, str]]:
    """Yield the images that may be sent on *day* or later, each with a rule that sends it."""
    for image, path in images_of(file):
        rule = file.rules[int(path[1])] if path[0] == "rules" else None
        until = rule.active.until if rule is not None and rule.active is not None else None
        if until is None or until >= day:
            yield image, rule.id if rule is not None else FALLBACK


def _references(image: Image) -> Iterator[tuple[ImageKind, str, date | None]]:
    """Yield the reference of the image, and that of its substitute."""
    if image.attachment_id is not None:
        yield "attachment_id", image.attachment_id, image.uploaded
    elif image.file is not None:
        yield "file", image.file, None
    elif image.image_url is not None:
        yield "image_url", image.image_url, None
    if image.otherwise is not None:
        yield "image_url", image.otherwise.image_url, None
