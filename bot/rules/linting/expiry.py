"""Warn about uploads that expire and rules whose dates are over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from bot.rules.model.schema import Image, Reply, RuleFile
from bot.rules.problem import Place, Problem
from bot.rules.reading.loader import Places
from bot.zalo import ATTACHMENT_LIFETIME

_REMIND_AFTER = timedelta(days=5)
_AHEAD = timedelta(days=1)  # the editor's time zone may be ahead of the server's


def expired(file: RuleFile, places: Places, *, today: date) -> Iterator[Problem]:
    """Yield warnings for images that expire and rules whose dates are over."""
    for image, path in images_of(file):
        if image.attachment_id is not None and image.image_url is None:
            yield from _attachment(image.uploaded, places, path, today)
    for index, rule in enumerate(file.rules):
        if rule.enabled and rule.active is not None and rule.active.until is not None and rule.active.until < today:
            place = places.at("rules", index, "active", "until")
            yield Problem.at(place, "active-over", until=rule.active.until)


def _attachment(uploaded: date | None, places: Places, path: tuple[str | int, ...], today: date) -> Iterator[Problem]:
    if uploaded is None:
        yield Problem.at(places.at(*path, "attachment_id"), "attachment-undated", today=today.isoformat())
        return
    place: Place = places.at(*path, "uploaded")
    age = today - uploaded
    if age < -_AHEAD:
        yield Problem.at(place, "attachment-old/future", word=uploaded.isoformat())
    elif age >= ATTACHMENT_LIFETIME:
        yield Problem.at(place, "attachment-old/expired", days=age.days)
    elif age > _REMIND_AFTER:
        yield Problem.at(place, "attachment-old", days=age.days, until=uploaded + ATTACHMENT_LIFETIME)


def images_of(file: RuleFile) -> Iterator[tuple[Image, tuple[str | int, ...]]]:
    """Yield every image that may be sent, with its path in the models."""
    replies: list[tuple[Reply, tuple[str | int, ...]]] = [
        (rule.reply, ("rules", index, "reply")) for index, rule in enumerate(file.rules) if rule.enabled
    ]
    if file.fallback is not None:
        replies.append((file.fallback.reply, ("fallback", "reply")))
    for reply, path in replies:
        for number, image in enumerate(reply.images):
            yield image, (*path, "images", number)
