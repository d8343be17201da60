"""Report on the health of the images that the rules reference, for people and for Prometheus."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

import sqlalchemy as sa

from bot.image_health.probe import known_without_probing
from bot.image_health.references import ImageReference, referenced_images, today
from bot.image_health.schedule import CheckSchedule, CheckState
from bot.image_health.verdict import CheckResult
from bot.inbox.database import Database
from bot.inbox.tables import uploads
from bot.rules.engine import RuleSet
from bot.zalo import ATTACHMENT_LIFETIME

# Consecutive failed uploads: one may have read a file while it was saved.
_LASTING_FAILURES: Final = 3


@dataclass(frozen=True, slots=True)
class UploadState:
    """The upload of an image file to one OA."""

    oa_id: str
    at: float | None
    """When it was uploaded, in seconds since 1970; None if it is not."""
    is_valid: bool
    """Whether Zalo still has it."""
    trouble: str
    """Why the latest upload failed; "" if it did not."""


@dataclass(frozen=True, slots=True)
class ImageHealth:
    """The health of one image."""

    image: ImageReference
    result: CheckResult
    checked_at: float | None
    """When it was checked, in seconds since 1970; None if it need not be, or has not been."""
    age: int | None = None
    """Days since the upload of an attachment_id, if the rules give its date."""
    expires: date | None = None
    """The first day on which the attachment_id is invalid."""
    is_flapping: bool = False
    """Whether the latest check failed temporarily, so that the previous result still counts."""
    uploads: tuple[UploadState, ...] = ()
    """For a file that was needed: one for each OA."""


class ImageReports:
    """Reads the health of the images from the schedule of checks."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._schedule = CheckSchedule(database)

    def images(self, rules: RuleSet, *, now: float) -> list[ImageHealth]:
        """Return the health of each image that may be sent from *now* on, in the order of the rules file."""
        states, rows, day = self._schedule.states(), self._uploads(), today(rules, now)
        return [
            _of_file(health, rows[health.image.digest], now) if health.image.digest in rows else health
            for health in (
                _health(image, states.get(image.key, CheckState()), day) for image in referenced_images(rules, now=now)
            )
        ]

    def count_bad(self, rules: RuleSet, *, now: float) -> int:
        """Return how many of these images are bad; faster, for every page of the console asks."""
        bad, refused, day = self._schedule.bad_keys(), self._refused(), today(rules, now)

        def is_bad(image: ImageReference) -> bool:
            if image.digest in refused:
                return True
            known = known_without_probing(image, today=day)
            return known.status == "bad" if known else image.key in bad

        return sum(map(is_bad, referenced_images(rules, now=now)))

    def _refused(self) -> set[str]:
        """Return the digests of the image files that the vendor has refused for good."""
        return {digest for digest, rows in self._uploads().items() if _is_refused(rows)}

    def _uploads(self) -> Mapping[str, list[sa.RowMapping]]:
        """Return the uploads of image files by digest, the latest for each OA."""
        query = sa.select(uploads).order_by(uploads.c.claimed_until)
        with self._database.read() as connection:
            latest = {(row["oa_id"], row["digest"]): row for row in connection.execute(query).mappings()}
        found = defaultdict[str, list[sa.RowMapping]](list)
        for (_, digest), row in sorted(latest.items()):
            found[digest].append(row)
        return found


def _of_file(health: ImageHealth, rows: Sequence[sa.RowMapping], now: float) -> ImageHealth:
    """Return the health of an image file that was needed."""
    return replace(
        health,
        result=replace(health.result, code="upload-refused") if _is_refused(rows) else health.result,
        uploads=tuple(_uploaded(row, now) for row in rows),
    )


def _is_refused(rows: Sequence[sa.RowMapping]) -> bool:
    return any(row["refused"] and row["failures"] >= _LASTING_FAILURES for row in rows)


def _uploaded(row: sa.RowMapping, now: float) -> UploadState:
    at = row["uploaded_at"] if row["token"] else None
    is_valid = at is not None and now < at + ATTACHMENT_LIFETIME.total_seconds()
    return UploadState(row["oa_id"], at, is_valid, row["trouble"] or "")


def _health(image: ImageReference, state: CheckState, day: date) -> ImageHealth:
    known = known_without_probing(image, today=day)
    if known is None:
        is_flapping = state.failures > 0 and state.result.status != "bad"
        return ImageHealth(image, state.result, state.checked_at, is_flapping=is_flapping)
    if image.uploaded is None:
        return ImageHealth(image, known, None)
    return ImageHealth(image, known, None, (day - image.uploaded).days, image.uploaded + ATTACHMENT_LIFETIME)
