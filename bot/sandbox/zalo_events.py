"""Signed Zalo webhook events of every kind, as raw bytes."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypedDict, Unpack

from bot import zalo

Kind = Literal["image", "gif", "link", "audio", "video", "sticker", "location", "business_card", "file"]

_MEDIA = "https://media.zalo.example"
_CARD = {"phone": "84912345678", "qrCodeUrl": f"{_MEDIA}/qr.jpg"}

#: The `attachments` entry of each `user_send_…` event but text, from Zalo's pages and console.
ATTACHMENTS: Mapping[Kind, Mapping[str, Any]] = {
    "image": {"type": "image", "payload": {"thumbnail": f"{_MEDIA}/1s.jpg", "url": f"{_MEDIA}/1.jpg"}},
    "gif": {"type": "gif", "payload": {"thumbnail": f"{_MEDIA}/2s.gif", "url": f"{_MEDIA}/2.gif"}},
    "link": {
        "type": "link",
        "payload": {"thumbnail": f"{_MEDIA}/3.jpg", "description": "Một trang hay", "url": f"{_MEDIA}/3"},
    },
    "audio": {"type": "audio", "payload": {"url": f"{_MEDIA}/4.amr"}},
    "video": {
        "type": "video",
        "payload": {"thumbnail": f"{_MEDIA}/5.jpg", "description": "", "url": f"{_MEDIA}/5.mp4"},
    },
    "sticker": {"type": "sticker", "payload": {"id": "46973", "url": f"{_MEDIA}/6.png"}},
    "location": {
        "type": "location",
        "payload": {"coordinates": {"latitude": "10.764612", "longitude": "106.701801"}},
    },
    "business_card": {
        "type": "link",
        "payload": {
            "thumbnail": f"{_MEDIA}/7.jpg",
            "description": json.dumps(_CARD),
            "url": f"{_MEDIA}/qr/7",
        },
    },
    "file": {
        "type": "file",
        "payload": {
            "url": f"{_MEDIA}/8.pdf",
            "size": "9999",
            "name": "hoa-don.pdf",
            "checksum": "d41d8cd98f00b204e9800998ecf8427e",
            "type": "pdf",
        },
    },
}


@dataclass(frozen=True, slots=True)
class SignedEvent:
    """An event as Zalo posts it: exactly these bytes with exactly these headers."""

    body: bytes
    headers: Mapping[str, str]
    msg_id: str
    """"" for events without one."""
    timestamp: str
    """Milliseconds since 1970."""


class Stamp(TypedDict, total=False):
    """Fields of an event that are generated unless given."""

    msg_id: str
    """20 hex digits in real events."""
    at: float | None
    """Seconds since 1970."""


class EventMaker:
    """Creates events of one app and OA; by default with a random `msg_id` and the present time."""

    def __init__(self, app_id: str, oa_secret: str, oa_id: str) -> None:
        self.app_id = app_id
        self.oa_id = oa_id
        self._secret = oa_secret

    def text(self, user_id: str, text: str, *, quote_msg_id: str = "", **stamp: Unpack[Stamp]) -> SignedEvent:
        """A text message; with *quote_msg_id* the user answered to that message."""
        quote = {"quote_msg_id": quote_msg_id} if quote_msg_id else {}
        return self._from_user("user_send_text", user_id, {"text": text, **quote}, **stamp)

    def attachment(self, user_id: str, kind: Kind, *, text: str | None = None, **stamp: Unpack[Stamp]) -> SignedEvent:
        """An image, sticker, file …, with the caption *text* if it has one."""
        message: dict[str, Any] = {"attachments": [ATTACHMENTS[kind]]}
        if text is not None:
            message["text"] = text
        return self._from_user(f"user_send_{kind}", user_id, message, **stamp)

    def follow(self, user_id: str, *, at: float | None = None) -> SignedEvent:
        """The user follows the OA; such events have no message."""
        return self._following("follow", user_id, at=at)

    def unfollow(self, user_id: str, *, at: float | None = None) -> SignedEvent:
        """The user no longer follows the OA."""
        return self._following("unfollow", user_id, at=at)

    def chat_now(self, user_id: str, *, at: float | None = None) -> SignedEvent:
        """The user, who never wrote before, tapped "chat now"."""
        return self.event("user_click_chatnow", {"oa_id": self.oa_id, "user_id": user_id}, at=at)

    def reacted(self, user_id: str, to_msg_id: str, icon: str = "/-heart", *, at: float | None = None) -> SignedEvent:
        """The user put a reaction on a message."""
        message = {"react_icon": icon}
        return self._from_user("user_reacted_message", user_id, message, msg_id=to_msg_id, at=at)

    def received(self, user_id: str, msg_id: str, *, at: float | None = None) -> SignedEvent:
        """The receipt that a message reached the user's phone."""
        return self._from_oa("user_received_message", user_id, {}, msg_id=msg_id, at=at)

    def seen(self, user_id: str, msg_ids: Sequence[str], *, at: float | None = None) -> SignedEvent:
        """The receipt that the user saw messages."""
        fields = {**self._oa_to(user_id), "message": {"msg_ids": list(msg_ids)}}
        return self.event("user_seen_message", fields, at=at)

    def submitted_info(self, user_id: str, name: str, phone: str, *, at: float | None = None) -> SignedEvent:
        """The user filled in the OA's form."""
        fields = {**self._to_oa(user_id), "info": {"name": name, "phone": phone}}
        return self.event("user_submit_info", fields, at=at)

    def tagged(self, user_id: str, tag: str, *, at: float | None = None) -> SignedEvent:
        """Somebody put a tag on the user in OA Manager."""
        fields = {"oa_id": self.oa_id, "tag": {"user_ids": [user_id], "name": tag}}
        return self.event("add_user_to_tag", fields, at=at)

    def group_text(self, user_id: str, group_id: str, text: str, **stamp: Unpack[Stamp]) -> SignedEvent:
        """A text in a group that the OA is a member of."""
        parties = {"oa_id": self.oa_id, "sender": {"id": user_id}, "recipient": {"id": group_id}}
        return self._message("user_send_group_text", parties, {"text": text}, **stamp)

    def anonymous_text(self, anonymous_id: str, text: str, **stamp: Unpack[Stamp]) -> SignedEvent:
        """A text from a user who is not logged in."""
        message = {"text": text, "conversation_id": "9c1b7f0d5e"}
        return self._from_user("anonymous_send_text", anonymous_id, message, **stamp)

    def oa_sent_text(self, user_id: str, text: str, *, admin_id: str = "", **stamp: Unpack[Stamp]) -> SignedEvent:
        """The echo of a text the OA sent; with *admin_id* a human wrote it in OA Manager."""
        return self._from_oa("oa_send_text", user_id, {"text": text}, admin_id=admin_id, **stamp)

    def oa_sent_image(self, user_id: str, url: str, *, admin_id: str = "", **stamp: Unpack[Stamp]) -> SignedEvent:
        """The echo of an image the OA sent; with *admin_id* a human sent it from OA Manager."""
        message = {"attachments": [{"type": "image", "payload": {"thumbnail": url, "url": url}}]}
        return self._from_oa("oa_send_image", user_id, message, admin_id=admin_id, **stamp)

    def event(self, name: str, fields: Mapping[str, Any], *, at: float | None = None) -> SignedEvent:
        """Any event: *fields* beside `app_id`, `event_name` and `timestamp`."""
        timestamp = str(round((time.time() if at is None else at) * 1000))
        payload = {"app_id": self.app_id, **fields, "event_name": name, "timestamp": timestamp}
        body = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
        mac = zalo.sign(body, app_id=self.app_id, timestamp=timestamp, secret=self._secret)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "ZaloWebhook",
            "X-ZEvent-Server": "OA OpenAPI",
            zalo.SIGNATURE_HEADER: mac,
        }
        message = fields.get("message", {})
        return SignedEvent(body, headers, message.get("msg_id", ""), timestamp)

    def _to_oa(self, user_id: str) -> dict[str, Any]:
        return {"sender": {"id": user_id}, "recipient": {"id": self.oa_id}}

    def _oa_to(self, user_id: str) -> dict[str, Any]:
        return {"sender": {"id": self.oa_id}, "recipient": {"id": user_id}}

    def _from_user(self, name: str, user_id: str, message: Mapping[str, Any], **stamp: Unpack[Stamp]) -> SignedEvent:
        return self._message(name, self._to_oa(user_id), message, **stamp)

    def _from_oa(
        self,
        name: str,
        user_id: str,
        message: Mapping[str, Any],
        *,
        admin_id: str = "",
        **stamp: Unpack[Stamp],
    ) -> SignedEvent:
        parties = self._oa_to(user_id)
        if admin_id:
            parties["sender"]["admin_id"] = admin_id
        return self._message(name, parties, message, **stamp)

    def _message(
        self,
        name: str,
        parties: Mapping[str, Any],
        message: Mapping[str, Any],
        *,
        msg_id: str = "",
        at: float | None = None,
    ) -> SignedEvent:
        whole = {**message, "msg_id": msg_id or secrets.token_hex(10)}
        return self.event(name, {**parties, "message": whole}, at=at)

    def _following(self, name: str, user_id: str, *, at: float | None = None) -> SignedEvent:
        fields = {"oa_id": self.oa_id, "follower": {"id": user_id}, "source": "oa_profile"}
        return self.event(name, fields, at=at)
