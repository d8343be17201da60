"""Sniff the format of a file from its bytes (magic numbers), and the size in pixels of a JPEG or PNG."""

from __future__ import annotations

import re
from typing import Final

#: The image formats that Zalo accepts.
ACCEPTED: Final = frozenset({"JPEG", "PNG"})
#: What a browser shows as a page.
WEB_PAGE: Final = "HTML"
#: So many bytes of a file's beginning tell what it is.
HEAD: Final = 1024

_SIGNS: Final = (
    (0, b"\xff\xd8\xff", "JPEG"),
    (0, b"\x89PNG\r\n\x1a\n", "PNG"),
    (0, b"GIF8", "GIF"),
    (8, b"WEBP", "WebP"),
    (4, b"ftypavi", "AVIF"),
    (4, b"ftyphei", "HEIC"),
    (4, b"ftyphev", "HEIC"),
    (4, b"ftypmif1", "HEIC"),
    (4, b"ftyp", "MP4"),
    (0, b"BM", "BMP"),
    (0, b"II*\0", "TIFF"),
    (0, b"MM\0*", "TIFF"),
    (0, b"8BPS", "PSD"),
    (0, b"%PDF", "PDF"),
    (0, b"PK\x03\x04", "ZIP"),
    (0, b"\x1f\x8b", "gzip"),
)
_PAGE_BEGINS: Final = (b"<!doctype html", b"<html", b"<head", b"<body", b"<script")
# A JPEG's frame says how large it is; these three in the same row of markers are something else.
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_IMAGE_DATA: Final = 0xDA
_MARKER: Final = 0xFF
_END_OF_IMAGE: Final = b"\xd9"
_NEXT_MARKER: Final = re.compile(rb"\xff([^\x00\xd0-\xd7\xff])", re.DOTALL)
_PNG: Final = b"\x89PNG\r\n\x1a\n"


def sniff_format(data: bytes, content_type: str = "") -> str:
    """Return JPEG, PNG, HTML, … for the beginning of a file; empty for one that cannot be told."""
    for place, sign, form in _SIGNS:
        if data.startswith(sign, place):
            return form
    begin = data[:HEAD].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if begin.startswith(_PAGE_BEGINS):
        return WEB_PAGE
    if b"<svg" in begin:
        return "SVG"
    return WEB_PAGE if data and content_type.lower().startswith("text/html") else ""


def is_complete(data: bytes) -> bool:
    """Return whether a JPEG or PNG goes on to its end mark: half a copy does not, nor one that is still growing."""
    return _png_ends(data) if data.startswith(_PNG) else _jpeg_ends(data)


def _png_ends(data: bytes) -> bool:
    place = len(_PNG)
    while place + 12 <= len(data):
        size, kind = int.from_bytes(data[place : place + 4]), data[place + 4 : place + 8]
        if not kind.isalpha():
            return False
        place += 12 + size
        if kind == b"IEND":
            return place <= len(data)
    return False


def _jpeg_ends(data: bytes) -> bool:
    place = 2
    while place + 4 <= len(data) and data[place] == _MARKER:
        marker = data[place + 1]
        if marker == _MARKER:  # padding
            place += 1
            continue
        place += 2 + int.from_bytes(data[place + 2 : place + 4])
        if marker == _IMAGE_DATA:
            # What is no marker goes on to the next one: data (FF 00) and its restart marks.
            following = _NEXT_MARKER.search(data, place)
            if following is None:
                return False
            place = following.start()
            if following[1] == _END_OF_IMAGE:
                return True
    return False


def dimensions(data: bytes) -> tuple[int, int] | None:
    """Return width and height in pixels as the header of a JPEG or PNG says them; None if they cannot be told."""
    if data.startswith(b"\x89PNG") and data[12:16] == b"IHDR" and len(data) >= 24:
        return int.from_bytes(data[16:20]), int.from_bytes(data[20:24])
    return _of_jpeg(data) if data.startswith(b"\xff\xd8") else None


def _of_jpeg(data: bytes) -> tuple[int, int] | None:
    place = 2
    while place + 9 <= len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        if marker in _FRAMES:
            return int.from_bytes(data[place + 7 : place + 9]), int.from_bytes(data[place + 5 : place + 7])
        if marker == _IMAGE_DATA:
            return None
        # A marker may be padded; others say how long their part is, themselves not counted.
        place += 1 if marker == 0xFF else 2 + int.from_bytes(data[place + 2 : place + 4])
    return None
