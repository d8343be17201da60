"""Decode a HEIC photo (iPhone) in an isolated subprocess, because libheif may crash on a damaged file."""

from __future__ import annotations

import io
import pickle
import re
import struct
import subprocess
import sys
from typing import Final

from PIL import Image

from bot.images.resize import LONGEST_SIDE, DecodedImage, ResizeError, TooManyPixels, decode
from bot.isolated_process import begin_isolated, run_isolated

#: iPhones take photos of 48.8 megapixels.
MAX_PIXELS: Final = 50_000_000

# Bound by work rather than by time: on a busy machine, where it has low priority, a good photo may wait for minutes.
_CPU_SECONDS: Final = 60.0
_TIMEOUT_SECONDS: Final = 300.0
#: The limit of the address space, in bytes; the largest photo takes 574 MB.
_MAX_BYTES: Final = 1024**3
_DAMAGED: Final = 3
_TOO_MANY_PIXELS: Final = 4
_SIDES: Final = struct.Struct(">II")
# The box of an image's, a tile's or a thumbnail's width and height before it is turned and cropped
# (ISO/IEC 23008-12, 6.5.3). libheif refuses coded images that are larger than it says.
_STORED_SIZE: Final = re.compile(rb"ispe\0{4}(.{4})(.{4})", re.DOTALL)


def decode_heic(data: bytes) -> DecodedImage:
    """
    Return the pixels of the primary image of a HEIC file, with 8 bits a channel.

    libheif applies the rotation of the file's properties. An EXIF orientation repeats it and is not applied again
    (ISO/IEC 23008-12, annex A.2).

    Raises:
        TooManyPixels: It has more than `MAX_PIXELS`, by the header.
        ResizeError: It cannot be read.
    """
    if any(int.from_bytes(one[1]) * int.from_bytes(one[2]) > MAX_PIXELS for one in _STORED_SIZE.finditer(data)):
        raise TooManyPixels
    try:
        done = run_isolated(__name__, request=data, timeout=_TIMEOUT_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ResizeError from error
    if done.returncode == _TOO_MANY_PIXELS:
        raise TooManyPixels
    if done.returncode != 0:
        raise ResizeError
    sides = _SIDES.unpack_from(done.stdout)
    image = decode(done.stdout[_SIDES.size :], ("PNG",)).image
    return DecodedImage(image, (sides[0], sides[1]), is_turned=False)


def main() -> int:
    """Read a HEIC file from standard input; write its width and height, and a PNG of at most the longest side."""
    import pi_heif  # takes 30 ms, which the service need not spend  # noqa: PLC0415

    begin_isolated(cpu_seconds=_CPU_SECONDS, max_bytes=_MAX_BYTES)
    data = pickle.load(sys.stdin.buffer)  # noqa: S301  from our own process
    try:
        opened = pi_heif.open_heif(data)
        width, height = opened.size
        if width * height > MAX_PIXELS:
            return _TOO_MANY_PIXELS
        png = _as_png(opened.to_pillow())
    except (OSError, ValueError, SyntaxError, RuntimeError, EOFError, IndexError, MemoryError):
        return _DAMAGED
    sys.stdout.buffer.write(_SIDES.pack(width, height) + png)
    return 0


def _as_png(image: Image.Image) -> bytes:
    """Return the image at the largest size needed, without metadata except its colour profile."""
    if image.mode.endswith("a"):  # multiplied by its transparency
        image = image.convert(image.mode.upper())
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    profile = image.info.get("icc_profile")
    image.info = {}
    png = io.BytesIO()
    image.save(png, "PNG", compress_level=0, icc_profile=profile)
    return png.getvalue()
