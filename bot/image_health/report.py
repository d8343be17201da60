"""What is known of the pictures' health, for people and for Prometheus."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

import sqlalchemy as sa

from bot.image_health.probe import known_without_looking
from bot.image_health.references import Picture, named, today
from bot.image_health.schedule import Book, Entry
from bot.image_health.verdict import Look
from bot.inbox.database import Database
from bot.inbox.tables import uploads
from bot.rules.engine import RuleSet
from bot.zalo import ATTACHMENT_LIFETIME

# Uploads that failed in a row: one may have caught a file that was just being saved.
_LASTING: Final = 3


@dataclass(frozen=True, slots=True)
class Uploaded:
    """How far a picture file is with one OA."""

    oa_id: str
    at: float | None
    """When it was uploaded, in seconds since 1970; None if it has not been."""
    is_valid: bool
    """Whether Zalo still knows it."""
    trouble: str
    """Why the latest upload failed; empty if it did not."""


@dataclass(frozen=True, slots=True)
class Health:
    """How one picture stands."""

    picture: Picture
    look: Look
    checked_at: float | None
    """When it was looked at, in seconds since 1970; None for one that need not be looked at, or was not yet."""
    age: int | None = None
    """Days since the upload of an attachment_id, where the rules say its day."""
    expires: date | None = None
    """The day on which the attachment_id is no longer valid."""
    wavers: bool = False
    """Whether the latest look failed in a way that may pass, so that the one before it still counts."""
    uploads: tuple[Uploaded, ...] = ()
    """Of a file that has been asked for: one for each OA."""


class PictureReports:
    """What the book of checks says of the pictures that rules name."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._book = Book(database)

    def pictures(self, rules: RuleSet, *, now: float) -> list[Health]:
        """Return how each picture stands that may be sent from *now* on, in the order of the rules file."""
        entries, rows, day = self._book.entries(), self._uploads(), today(rules, now)
        return [
            _of_file(health, rows[health.picture.digest], now) if health.picture.digest in rows else health
            for health in (
                _health(picture, entries.get(picture.key, Entry()), day) for picture in named(rules, now=now)
            )
        ]

    def _uploads(self) -> Mapping[str, list[sa.RowMapping]]:
        """Return how far the picture files are that have been asked for, by digest, for each OA the latest."""
        query = sa.select(uploads).order_by(uploads.c.claimed_until)
        with self._database.read() as connection:
            latest = {(row["oa_id"], row["digest"]): row for row in connection.execute(query).mappings()}
        found = defaultdict[str, list[sa.RowMapping]](list)
        for (_, digest), row in sorted(latest.items()):
            found[digest].append(row)
        return found


def _of_file(health: Health, rows: Sequence[sa.RowMapping], now: float) -> Health:
    """Return what is said of a picture file that has been asked for."""
    is_refused = any(row["refused"] and row["failures"] >= _LASTING for row in rows)
    return replace(
        health,
        look=replace(health.look, word="upload-refused") if is_refused else health.look,
        uploads=tuple(_uploaded(row, now) for row in rows),
    )


def _uploaded(row: sa.RowMapping, now: float) -> Uploaded:
    at = row["uploaded_at"] if row["token"] else None
    is_valid = at is not None and now < at + ATTACHMENT_LIFETIME.total_seconds()
    return Uploaded(row["oa_id"], at, is_valid, row["trouble"] or "")


def _health(picture: Picture, entry: Entry, day: date) -> Health:
    known = known_without_looking(picture, today=day)
    if known is None:
        wavers = entry.failures > 0 and entry.look.standing != "bad"
        return Health(picture, entry.look, entry.checked_at, wavers=wavers)
    if picture.uploaded is None:
        return Health(picture, known, None)
    return Health(picture, known, None, (day - picture.uploaded).days, picture.uploaded + ATTACHMENT_LIFETIME)
