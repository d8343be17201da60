"""What customers do, in Vietnamese and in English: the words behind `on` in the rules and `kind` in the inbox."""

from __future__ import annotations

from typing import Final

from bot.config import Language
from bot.rules.model.field_parsers import EVENTS

_NAMES: Final[dict[str, tuple[str, str]]] = {
    "text": ("Nhắn chữ", "Writes a text"),
    "follow": ("Bấm quan tâm OA", "Follows the OA"),
    "image": ("Gửi ảnh", "Sends a picture"),
    "sticker": ("Gửi nhãn dán", "Sends a sticker"),
    "gif": ("Gửi ảnh động", "Sends a GIF"),
    "audio": ("Gửi tin thoại", "Sends a voice message"),
    "video": ("Gửi video", "Sends a video"),
    "file": ("Gửi tệp", "Sends a file"),
    "location": ("Gửi vị trí", "Sends a location"),
    "link": ("Gửi đường dẫn", "Sends a link"),
    "business_card": ("Gửi danh thiếp", "Sends a business card"),
    "chat_now": ("Bấm nút nhắn tin", "Taps “chat now”"),
}


def event_name(kind: str, lang: Language) -> str:
    """Return what the customer does in an event of that kind, one of bot.rules.model.field_parsers.EVENTS."""
    vi, en = _NAMES.get(kind, (kind, kind))
    return vi if lang == "vi" else en


def event_names(lang: Language) -> dict[str, str]:
    """Return every kind of event that rules know, with what the customer does."""
    return {kind: event_name(kind, lang) for kind in EVENTS}
