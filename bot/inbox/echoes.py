"""Match the echo that Zalo sends of each image to the call it belongs to: by msg_id, image, or user and time."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import sqlalchemy as sa

from bot.inbox.tables import IS_ECHO, events

#: `came`: an echo proves that the call's image was sent; `none`: there is no such echo; `unclear`: an echo came that
#: may belong to something else.
EchoVerdict = Literal["came", "none", "unclear"]

# How far back images and echoes are compared, in seconds.
_MEMORY_SECONDS: Final = 600.0
# Zalo sends an echo within about a second; one that is later than this is rare.
_USUAL_SECONDS: Final = 5.0
_LATEST_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Echo:
    """An image that the OA sent to a user, as Zalo's webhook reports it."""

    msg_id: str
    at: float
    """When the echo came in, in seconds since 1970."""
    image_url: str
    """The URL in the echo; "" if it has none."""


@dataclass(frozen=True, slots=True)
class Sent:
    """An image that was sent to the user for certain."""

    msg_id: str
    """The msg_id in the vendor's answer; "" if it had none."""
    at: float
    image_url: str
    """The URL that was sent; "" if the image was sent by an id."""


def echo_image_url(body: bytes | None) -> str:
    """Return the URL of the first image in an echo's body; "" if there is none."""
    try:
        url = json.loads(body or b"")["message"]["attachments"][0]["payload"]["url"]
    except (ValueError, KeyError, IndexError, TypeError, RecursionError):
        return ""
    return url if isinstance(url, str) else ""


def find_echo(sent: Sequence[Sent], echoes: Sequence[Echo], *, attempted_at: float, image_url: str) -> EchoVerdict:
    """
    Return whether one of the *echoes* belongs to the call at *attempted_at*; *sent* are the user's other images.

    It is not documented whether an echo has the msg_id of the vendor's answer, or the URL that was sent. So each of
    them counts only if it matched for this user within the last minutes.
    """
    ids = {one.msg_id for one in sent if one.msg_id}
    if any(echo.msg_id in ids for echo in echoes):
        left = [echo for echo in echoes if echo.msg_id not in ids]
        earlier, is_doubtful = [echo for echo in left if echo.at < attempted_at], False
    else:
        left, is_doubtful = _without_those_of(sent, echoes, attempted_at)
        earlier = [echo for echo in left if echo.at < attempted_at]
    late = [echo for echo in left if echo.at >= attempted_at]
    if image_url and any(echo.image_url == image_url for echo in late):
        return "came"
    if _addresses_fit(sent, echoes, left):
        late = [echo for echo in late if not echo.image_url or not image_url]
    if not late:
        return "unclear" if is_doubtful else "none"
    # Some echoes are of images that the bot did not send: another program sends for this OA too; this may be its image.
    return "unclear" if earlier else "came"


def read_echoes(
    connection: sa.Connection, oa_id: str, user_id: str, attempted_at: float
) -> tuple[list[Sent], list[Echo]]:
    """Return the images that the OA sent to the user in the minutes before the call, and the echoes since then."""
    since = attempted_at - _MEMORY_SECONDS
    user = (events.c.oa_id == oa_id, events.c.user_id == user_id)
    echoes_query = sa.select(events.c.msg_id, events.c.received_at, events.c.body).where(
        IS_ECHO, *user, events.c.name == "oa_send_image", events.c.reason == "echo", events.c.received_at > since
    )
    sent_query = sa.select(events.c.vendor_ids, events.c.images, events.c.replied_at, events.c.settled_at).where(
        *user, events.c.replied_at > since
    )
    echoes = [Echo(row.msg_id, row.received_at, echo_image_url(row.body)) for row in connection.execute(echoes_query)]
    sent = [one for row in connection.execute(sent_query) for one in _sent_images(row, attempted_at)]
    return sent, echoes


def _sent_images(row: sa.Row[Any, Any, Any, Any], latest: float) -> Iterator[Sent]:
    """Yield the images of an event that were sent; for all but the first, `at` is the latest possible time."""
    images = row.images or ()
    for number, ids in enumerate(row.vendor_ids or ()):
        image_url = images[number].get("image_url", "") if number < len(images) else ""
        yield Sent(ids["msg_id"], row.replied_at if number == 0 else row.settled_at or latest, image_url)


def _without_those_of(sent: Sequence[Sent], echoes: Sequence[Echo], attempted_at: float) -> tuple[list[Echo], bool]:
    """Return the echoes without the first one after each sent image, and whether one of those came unusually late."""
    left, is_doubtful = sorted(echoes, key=lambda echo: echo.at), False
    for one in sorted(sent, key=lambda one: one.at):
        own = next((echo for echo in left if one.at - 1.0 <= echo.at <= one.at + _LATEST_SECONDS), None)
        if own is not None:
            left.remove(own)
            is_doubtful |= own.at >= attempted_at and own.at > one.at + _USUAL_SECONDS
    return left, is_doubtful


def _addresses_fit(sent: Sequence[Sent], echoes: Sequence[Echo], left: Collection[Echo]) -> bool:
    urls = {one.image_url for one in sent if one.image_url}
    return any(echo.image_url in urls for echo in echoes if echo not in left)
