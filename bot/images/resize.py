"""Resize image files to fit Zalo's limit (`bot check --fix`); the originals are kept beside them."""

from __future__ import annotations

import io
import os
import shutil
import struct
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import ExifTags, Image, ImageOps

from bot.files import atomic_write, locked_folder, read_plain_file
from bot.images import local_files
from bot.zalo import MAX_IMAGE_BYTES

#: Longest side, in pixels, of an image that is made smaller: no phone shows more.
LONGEST_SIDE: Final = 3000
# Shortest result that is tried: no chat needs less.
_SHORTEST_SIDE: Final = 300
_STEP: Final = 0.8
_QUALITIES: Final = (90, 82, 75)
_COLOURS: Final = 256
#: A pixel takes about 10 bytes of memory; JPEGs are decoded at a lower resolution.
MAX_PIXELS: Final = 40_000_000
_MAX_READ: Final = 200 * 1024 * 1024
_WITH_ALPHA: Final = frozenset({"RGBA", "LA", "PA", "La", "RGBa"})


@dataclass(frozen=True, slots=True)
class ResizeResult:
    """How one image file was changed."""

    name: str
    kept_as: str
    """The new name of the original."""
    size: tuple[int, int]
    """In bytes, before and after."""
    sides: tuple[tuple[int, int], tuple[int, int]]
    """Width and height in pixels, before and after, with the EXIF orientation applied."""
    fewer_colours: bool


class ResizeError(Exception):
    """The file cannot be read as an image, or cannot be replaced."""


class TooManyPixels(ResizeError):
    """The image would take too much memory."""


@dataclass(frozen=True, slots=True)
class DecodedImage:
    """An image's pixels, with its EXIF orientation applied."""

    image: Image.Image
    """It has fewer pixels than the file if that has more than a phone shows."""
    sides: tuple[int, int]
    """Width and height of the file in pixels, with the EXIF orientation applied."""
    is_turned: bool
    """Whether the EXIF orientation turned the image."""


@dataclass(frozen=True, slots=True)
class ImageVersion:
    """An image as the content of a file."""

    content: bytes
    sides: tuple[int, int]
    fewer_colours: bool = False


def resize_to_fit(folder: Path, name: str, *, most: int = MAX_IMAGE_BYTES) -> ResizeResult:
    """
    Replace the image *name* in *folder* with one of at most *most* bytes, of the same name and format.

    The original stays beside it under another name. The EXIF orientation is applied and the metadata removed. A JPEG
    gets a lower quality, a PNG at most 256 colours, and both get fewer pixels if that is not enough.

    Raises:
        ResizeError: It failed; the file is unchanged.
    """
    try:
        path = local_files.find_image(folder, name)
        data = read_plain_file(path, limit=_MAX_READ)
        before, version = _smaller(data, most)
        with locked_folder(path.parent):
            kept = _keep(path, data)
            atomic_write(path, version.content, metadata_of=path.stat())
    except (local_files.UnusableImage, OSError) as error:
        raise ResizeError from error
    return ResizeResult(
        name=name,
        kept_as=Path(name).with_name(kept.name).as_posix(),
        size=(len(data), len(version.content)),
        sides=(before, version.sides),
        fewer_colours=version.fewer_colours,
    )


def decode(data: bytes, formats: tuple[str, ...] = ("JPEG", "PNG")) -> DecodedImage:
    """
    Return the pixels of an image file, with its EXIF orientation applied.

    Raises:
        TooManyPixels: It has more than 40 million.
        ResizeError: It cannot be read.
    """
    try:
        # Pillow raises an error at twice as many pixels; no camera makes those.
        with (
            warnings.catch_warnings(action="ignore", category=Image.DecompressionBombWarning),
            Image.open(io.BytesIO(data), formats=formats) as opened,
        ):
            stored = opened.size
            if "progressive" in opened.info and stored[0] * stored[1] > MAX_PIXELS:
                raise TooManyPixels  # decoded at full size in any case
            opened.draft(None, (LONGEST_SIDE, LONGEST_SIDE))  # a JPEG can be decoded at the size of the result
            if opened.width * opened.height > MAX_PIXELS:
                raise TooManyPixels
            is_turned = opened.getexif().get(ExifTags.Base.Orientation, 1) != 1
            ImageOps.exif_transpose(opened, in_place=True)
            opened.load()
            image = _eight_bits(opened)
    except Image.DecompressionBombError as error:
        raise TooManyPixels from error
    except (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error) as error:
        raise ResizeError from error
    is_on_its_side = (stored[0] > stored[1]) != (image.width > image.height)
    return DecodedImage(image, (stored[1], stored[0]) if is_on_its_side else stored, is_turned)


def _smaller(data: bytes, most: int) -> tuple[tuple[int, int], ImageVersion]:
    """Return the image's sides, and the best version of it that is small enough."""
    decoded = decode(data)
    versions = _as_png(decoded.image) if data.startswith(b"\x89PNG") else jpeg_versions(decoded.image)
    found = next((version for version in versions if len(version.content) <= most), None)
    if found is None:
        raise ResizeError
    return decoded.sides, found


def _eight_bits(image: Image.Image) -> Image.Image:
    """Return a 16-bit grey image with 8 bits a pixel, any other as it is."""
    if not image.mode.startswith("I"):
        return image
    grey = image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    grey.info.pop("transparency", None)  # a 16-bit value, which means nothing after the conversion to 8
    return grey


def jpeg_versions(image: Image.Image) -> Iterator[ImageVersion]:
    """Yield the image as JPEG, each version smaller than the one before."""
    profile = image.info.get("icc_profile") if image.mode in {"RGB", "L"} else None
    plain = image if image.mode in {"RGB", "L"} else image.convert("RGB")
    for sized in _sizes(plain):
        for quality in _QUALITIES:
            yield _saved(sized, "JPEG", quality=quality, optimize=True, progressive=True, icc_profile=profile)


def _as_png(image: Image.Image) -> Iterator[ImageVersion]:
    """Yield the image as PNG, each version smaller than the one before: first with all colours, then with fewer."""
    has_alpha = image.mode in _WITH_ALPHA or "transparency" in image.info
    plain = image.convert("RGBA" if has_alpha else "RGB")
    for number, sized in enumerate(_sizes(plain)):
        if number == 0:
            yield _saved(sized, "PNG", optimize=True)
        yield _saved(sized.quantize(_COLOURS), "PNG", optimize=True, fewer_colours=True)


def _sizes(image: Image.Image) -> Iterator[Image.Image]:
    longest = max(image.size)
    side = float(min(longest, LONGEST_SIDE))
    while side >= min(longest, _SHORTEST_SIDE):
        sides = [max(1, round(length * side / longest)) for length in image.size]
        yield image if side == longest else image.resize((sides[0], sides[1]))
        side *= _STEP


def _saved(image: Image.Image, form: str, *, fewer_colours: bool = False, **how: object) -> ImageVersion:
    file = io.BytesIO()
    image.save(file, form, **how)
    return ImageVersion(file.getvalue(), image.size, fewer_colours)


def _keep(path: Path, data: bytes) -> Path:
    """Write the original under the first free name, as ``menu.goc.jpg``; "gốc" is Vietnamese for "original"."""
    number = 1
    while True:
        kept = path.with_name(f"{path.stem}.goc{f'-{number}' if number > 1 else ''}{path.suffix}")
        try:
            with kept.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        except FileExistsError:
            number += 1
            continue
        shutil.copystat(path, kept)
        return kept
