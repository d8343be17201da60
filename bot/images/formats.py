"""Sniff the format of a file from its bytes (magic numbers), and the size in pixels of a JPEG or PNG."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

#: The image formats that Zalo accepts.
ACCEPTED: Final = frozenset({"JPEG", "PNG"})
#: A web page instead of an image.
WEB_PAGE: Final = "HTML"
#: How many bytes of the beginning of a file are enough to detect its format.
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
# The frame markers of a JPEG (SOF), which hold its size; three markers in the same range are something else.
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_IMAGE_DATA: Final = 0xDA
_MARKER: Final = 0xFF
#: The marker that ends a JPEG.
END_OF_IMAGE: Final = 0xD9
_NEXT_MARKER: Final = re.compile(rb"\xff([^\x00\xd0-\xd7\xff])", re.DOTALL)
_PNG: Final = b"\x89PNG\r\n\x1a\n"


def sniff_format(data: bytes, content_type: str = "") -> str:
    """Return JPEG, PNG, HTML, … for the beginning of a file; "" for an unknown format."""
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
    """Return whether a JPEG, PNG or HEIC has its end; a partial copy does not."""
    if data.startswith(b"ftyp", 4):
        return _has_whole_boxes(data)
    if data.startswith(_PNG):
        return any(kind == b"IEND" for kind, _start, _stop in png_chunks(data))
    return any(marker == END_OF_IMAGE for marker, _start, _stop in jpeg_segments(data))


def _has_whole_boxes(data: bytes) -> bool:
    """Return whether the last top-level box of a HEIC ends within the file (ISO/IEC 14496-12, 4.2)."""
    place = 0
    while place + 8 <= len(data):
        size = int.from_bytes(data[place : place + 4])
        if size == 0:  # it reaches to the end of the file
            return True
        if size == 1:  # the size has 64 bits, and follows the type
            size = int.from_bytes(data[place + 8 : place + 16])
        if size < 8:
            return False
        place += size
    return place == len(data)


def png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield each complete chunk of a PNG as (type, start, end); IEND is the last."""
    place = len(_PNG)
    while place + 12 <= len(data):
        size, kind = int.from_bytes(data[place : place + 4]), data[place + 4 : place + 8]
        stop = place + 12 + size
        if not kind.isalpha() or stop > len(data):
            return
        yield kind, place, stop
        if kind == b"IEND":
            return
        place = stop


def jpeg_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """
    Yield each segment of a JPEG as (marker, start, end), without the start marker.

    The data of a scan belongs to its segment. A whole image ends with END_OF_IMAGE; data that a camera
    appends after it, such as a second image or a video, is left out.
    """
    place = 2
    while place + 4 <= len(data) and data[place] == _MARKER:
        marker = data[place + 1]
        if marker == _MARKER:  # padding
            place += 1
            continue
        stop = place + 2 + int.from_bytes(data[place + 2 : place + 4])
        is_last = False
        if marker == _IMAGE_DATA:
            # Scan data goes on to the next marker: an escaped FF (FF 00) and restart markers belong to it.
            following = _NEXT_MARKER.search(data, stop)
            if following is None:
                return
            stop = following.start()
            is_last = following[1][0] == END_OF_IMAGE
        yield marker, place, stop
        if is_last:
            yield END_OF_IMAGE, stop, stop + 2
            return
        place = stop


def dimensions(data: bytes) -> tuple[int, int] | None:
    """Return width and height in pixels from the header of a JPEG or PNG; None if it has none."""
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
        # A marker may be padded; a length counts its segment without the marker.
        place += 1 if marker == 0xFF else 2 + int.from_bytes(data[place + 2 : place + 4])
    return None
