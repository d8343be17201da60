"""Zalo's webhook requests: verify the signature, parse the event in the body."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from bot.errors import BadPayload, BadSignature

SIGNATURE_HEADER = "X-ZEvent-Signature"

#: Events of one user that may be answered, and the word for each in the rules file (`on:`).
ANSWERABLE: Mapping[str, str] = {
    "user_send_text": "text",
    "follow": "follow",
    "user_send_image": "image",
    "user_send_sticker": "sticker",
    "user_send_gif": "gif",
    "user_send_audio": "audio",
    "user_send_video": "video",
    "user_send_file": "file",
    "user_send_location": "location",
    "user_send_link": "link",
    "user_send_business_card": "business_card",
    "user_click_chatnow": "chat_now",
}
EVENT_KINDS: Final = tuple(ANSWERABLE.values())

#: The length of the longest message that Zalo allows.
MAX_TEXT_CHARACTERS: Final = 2_000

#: Zalo takes images of at most "1 MB" without saying whether that is 10^6 or 2^20 bytes: this is the larger.
MAX_IMAGE_BYTES: Final = 1024 * 1024

#: Zalo deletes an uploaded image after this time and then answers "attachment_id was expired".
ATTACHMENT_LIFETIME: Final = timedelta(days=7)

_SIGNATURE = re.compile(r"\s*(?:mac\s*=\s*)?([0-9a-f]{64})\s*", re.ASCII | re.IGNORECASE)
_ECHO = re.compile(r"oa_send_(?!group_|anonymous_|consent)[a-z_]+")
# Ids are at most 20 digits or 40 hex digits in every sample; anything longer is no id.
_LONGEST_ID = 128
# OA webhooks did not exist before this; a 12-digit timestamp in Zalo's own sample means 1974.
_FIRST_PLAUSIBLE_MS = 1_451_606_400_000
_LAST_PLAUSIBLE_MS = 32_503_680_000_000
# Numbers stay text, so that a 64-bit id keeps all digits and a huge number needs no time.
_JSON = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)
# PostgreSQL cannot store NUL, and no database can store a lone surrogate.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Event:
    """One webhook event; ids are text because they exceed the precision of a double."""

    key: str
    """Identifies the event: deliveries of the same event have the same key. 64 hex digits."""
    name: str
    app_id: str
    oa_id: str
    user_id: str
    msg_id: str
    sent_at: float | None
    """Seconds since 1970 by Zalo's clock; None if the body has no plausible time."""
    text: str
    on: str | None
    """The `on:` value of an event that may be answered, else None."""
    is_echo: bool
    """Whether it is an echo: Zalo reports to the webhook what the OA sent to a user."""
    by_human: bool
    """Whether it is the echo of a message that a person wrote in OA Manager (`sender.admin_id`)."""


def message_text(typed: str) -> str:
    """Return *typed* as a customer's message: stripped, at most MAX_TEXT_CHARACTERS, a lone surrogate as ``?``."""
    return typed.strip()[:MAX_TEXT_CHARACTERS].encode(errors="replace").decode()


def sign(body: bytes, *, app_id: str, timestamp: str, secret: str) -> str:
    """
    Return the header value that Zalo sends with *body*.

    Plain SHA-256 over app id, raw body, the body's timestamp and the OA Secret Key, as in
    Zalo's SDK (`MacUtils.buildMac`); not an HMAC.
    """
    digest = hashlib.sha256(b"".join((app_id.encode(), body, timestamp.encode(), secret.encode())))
    return f"mac={digest.hexdigest()}"


def verify(body: bytes, payload: Mapping[str, Any], header: str | None, *, app_id: str, secret: str) -> None:
    """
    Check that *header* is the signature of exactly these bytes with the OA Secret Key of our app.

    *payload* is `decode(body)`: the signed time is the one inside the body.

    Raises:
        BadSignature: The header is missing, malformed or does not match, or the body names another app.
    """
    given = _SIGNATURE.fullmatch(header or "")
    digits = given[1].lower() if given else ""
    timestamp = _word(payload.get("timestamp"))
    expected = sign(body, app_id=app_id, timestamp=timestamp, secret=secret)
    matches = hmac.compare_digest(f"mac={digits}".encode(), expected.encode())
    if not matches or _word(payload.get("app_id")) != app_id:
        raise BadSignature


def decode(body: bytes) -> dict[str, Any]:
    """
    Return the JSON object in *body*, its numbers as text exactly as written.

    Raises:
        BadPayload: The body is not a JSON object.
    """
    try:
        payload = _JSON.decode(body.decode())
    except (ValueError, RecursionError):
        payload = None
    if not isinstance(payload, dict):
        raise BadPayload
    return payload


def parse(payload: Mapping[str, Any], body: bytes) -> Event:
    """
    Return the event in a decoded *body*; one of unknown name or shape gets no answer.

    The event key is a hash of app, OA, event name, user, `msg_id` and timestamp, not of the bytes, because a forwarder
    may serialise the same event differently. Where these fields do not identify the event (receipts, management
    events), it is a hash of the bytes.
    """
    name, app_id = _word(payload.get("event_name")), _word(payload.get("app_id"))
    message = _object(payload.get("message"))
    sender, recipient = _object(payload.get("sender")), _object(payload.get("recipient"))
    is_echo = name.startswith("oa_") and _ECHO.fullmatch(name) is not None
    if is_echo:
        oa_id, user_id = _word(sender.get("id")), _word(recipient.get("id"))
    else:
        oa_id = _word(payload.get("oa_id")) or _word(recipient.get("id"))
        user_id = (
            _word(sender.get("id"))
            or _word(_object(payload.get("follower")).get("id"))
            or _word(payload.get("user_id"))
        )
    on = ANSWERABLE.get(name) if oa_id and user_id and oa_id != user_id else None
    msg_id, timestamp = _word(message.get("msg_id")), _word(payload.get("timestamp"))
    is_unique = on is not None and (msg_id or timestamp)
    identity = (app_id, oa_id, name, user_id, msg_id, timestamp) if is_unique else (app_id, name)
    text = message.get("text")
    return Event(
        key=_digest(identity, b"" if is_unique else body),
        name=name,
        app_id=app_id,
        oa_id=oa_id,
        user_id=user_id,
        msg_id=msg_id,
        sent_at=_seconds(timestamp),
        text=_storable(text) if isinstance(text, str) else "",
        on=on,
        is_echo=is_echo,
        by_human=is_echo and bool(_word(sender.get("admin_id"))),
    )


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _word(value: object) -> str:
    """Return an id, name or number as text; "" for any other value."""
    if not isinstance(value, str) or len(value) > _LONGEST_ID:
        return ""
    return _storable(value)


def _storable(text: str) -> str:
    return text if text.isalnum() else _UNSTORABLE.sub("\ufffd", text)


def _seconds(timestamp: str) -> float | None:
    if not timestamp.isascii() or not timestamp.isdigit():
        return None
    milliseconds = int(timestamp)
    return milliseconds / 1000 if _FIRST_PLAUSIBLE_MS <= milliseconds < _LAST_PLAUSIBLE_MS else None


def _digest(identity: tuple[str, ...], body: bytes) -> str:
    return hashlib.sha256("\x1f".join(identity).encode() + b"\x1f" + body).hexdigest()
