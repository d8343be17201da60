"""Remove metadata (place, camera, thumbnails, comments) from a JPEG or PNG without touching its pixels."""

from __future__ import annotations

from typing import Final

from bot.images.formats import END_OF_IMAGE, jpeg_segments, png_chunks, sniff_format

_APP0, _APP2, _APP14, _APP15, _COMMENT = 0xE0, 0xE2, 0xEE, 0xEF, 0xFE
# The segments that decide how an image looks: size, colour profile, colour encoding.
_KEPT_SEGMENTS: Final = {_APP0: b"JFIF\0", _APP2: b"ICC_PROFILE\0", _APP14: b"Adobe"}
_PNG_CHUNKS: Final = frozenset(
    {
        b"IHDR",
        b"PLTE",
        b"IDAT",
        b"IEND",
        b"tRNS",
        b"cHRM",
        b"gAMA",
        b"iCCP",
        b"sBIT",
        b"sRGB",
        b"cICP",
        b"bKGD",
        b"pHYs",
    }
)


def strip_metadata(data: bytes) -> bytes:
    """
    Return a complete JPEG or PNG without metadata and without trailing data; an animated PNG becomes still.

    The EXIF orientation is removed, too: apply it to the pixels first.
    """
    if sniff_format(data) == "PNG":
        chunks = [data[start:stop] for kind, start, stop in png_chunks(data) if kind in _PNG_CHUNKS]
        return data[:8] + b"".join(chunks)
    segments = [data[start:stop] for marker, start, stop in jpeg_segments(data) if _is_kept(marker, data, start)]
    return data[:2] + b"".join(segments)


def _is_kept(marker: int, data: bytes, start: int) -> bool:
    if marker == END_OF_IMAGE or not (_APP0 <= marker <= _APP15 or marker == _COMMENT):
        return True
    return marker in _KEPT_SEGMENTS and data.startswith(_KEPT_SEGMENTS[marker], start + 4)
