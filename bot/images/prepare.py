"""Convert an uploaded image to a JPEG or PNG that Zalo accepts: upright, without metadata, at most 1 MB."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Final

from PIL import Image

from bot.i18n import N_
from bot.images.formats import ACCEPTED, is_complete, sniff_format
from bot.images.heic import decode_heic
from bot.images.local_files import Form
from bot.images.metadata import strip_metadata
from bot.images.resize import LONGEST_SIDE, DecodedImage, ResizeError, TooManyPixels, decode, jpeg_versions
from bot.zalo import MAX_IMAGE_BYTES

# Formats whose end mark is checked: a decoder may accept a partial file, or report no clear error.
_COMPLETE: Final = ACCEPTED | {"HEIC"}
_DECODED: Final = _COMPLETE | {"WebP"}
_TOO_LARGE: Final = N_("The picture has too many pixels. Make it smaller than 40 megapixels.")
_TOO_LARGE_HEIC: Final = N_(
    "The photo has more than 50 megapixels. Set the camera to a smaller size and take it again."
)
_WHITE: Final = (255, 255, 255)
# Converting an image takes hundreds of megabytes: one at a time per process.
_CONVERTING: Final = threading.Lock()


class UploadRefused(Exception):
    """The upload is not a usable image; *message* is a text to translate, *kind* the format found."""

    def __init__(self, message: str, *, kind: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.kind = kind


@dataclass(frozen=True, slots=True)
class PreparedImage:
    """An image that can be sent."""

    content: bytes
    form: Form
    size: tuple[int, int]
    """In bytes, before and after."""
    sides: tuple[tuple[int, int], tuple[int, int]]
    """Width and height in pixels, before and after, with the EXIF orientation applied."""
    is_converted: bool
    """Whether its pixels were encoded again."""


def prepare_upload(data: bytes) -> PreparedImage:
    """
    Return an uploaded file as an image that Zalo accepts.

    A JPEG or PNG that is small enough keeps its pixel data byte for byte, unless it must be turned. All others, such as
    HEIC and WebP, become JPEG, with white in place of transparency. The bytes decide the format, not the name.

    Raises:
        UploadRefused: It is no image, of an unsupported format, damaged, animated, or has too many pixels.
    """
    kind = _checked_kind(data)
    with _CONVERTING:
        decoded = _decoded(data, kind)
        if kind in ACCEPTED and not decoded.is_turned:
            content = strip_metadata(data)
            if len(content) <= MAX_IMAGE_BYTES:
                form: Form = "png" if kind == "PNG" else "jpg"
                return PreparedImage(content, form, (len(data), len(content)), (decoded.sides,) * 2, is_converted=False)
        return _as_jpeg(decoded, len(data))


def _checked_kind(data: bytes) -> str:
    """Return the format of an image that can be converted."""
    kind = sniff_format(data)
    if not data:
        raise UploadRefused(N_("The file is empty."))
    if kind == "AVIF":
        raise UploadRefused(
            N_("Zalo does not take {kind} pictures. Save it as JPEG, or take it again with the camera set to JPEG."),
            kind=kind,
        )
    if not kind:
        raise UploadRefused(N_("This is not a picture. Choose a JPEG, PNG, HEIC or WebP file."))
    if kind not in _DECODED:
        raise UploadRefused(
            N_("The file is {kind}, whatever its name says. Choose a JPEG, PNG, HEIC or WebP file."), kind=kind
        )
    if kind in _COMPLETE and not is_complete(data):
        raise UploadRefused(N_("The end of the picture is missing. Save or copy it again, then choose it once more."))
    return kind


def _decoded(data: bytes, kind: str) -> DecodedImage:
    try:
        decoded = decode_heic(data) if kind == "HEIC" else decode(data, ("JPEG", "PNG", "WEBP"))
    except TooManyPixels as error:
        raise UploadRefused(_TOO_LARGE_HEIC if kind == "HEIC" else _TOO_LARGE) from error
    except ResizeError as error:
        raise UploadRefused(N_("The picture is damaged and cannot be opened. Save it again.")) from error
    if decoded.image.format == "WEBP" and getattr(decoded.image, "is_animated", False):
        raise UploadRefused(N_("This picture moves. Choose a still one."))
    return decoded


def _as_jpeg(decoded: DecodedImage, size: int) -> PreparedImage:
    plain = _on_white(decoded.image)
    found = next((one for one in jpeg_versions(plain) if len(one.content) <= MAX_IMAGE_BYTES), None)
    if found is None:
        raise UploadRefused(N_("The picture cannot be made small enough for Zalo. Choose another."))
    sides = (decoded.sides, found.sides)
    return PreparedImage(found.content, "jpg", (size, len(found.content)), sides, is_converted=True)


def _on_white(image: Image.Image) -> Image.Image:
    """
    Return the image at the largest size needed, without transparency, with only pixels and colour profile.

    *image* itself is made smaller: a copy of its full size would double the memory.
    """
    profile = image.info.get("icc_profile") if image.mode in {"RGB", "RGBA", "L"} else None
    if image.mode in {"1", "P"}:  # palette images would be resized without interpolation
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    plain = image
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        plain = Image.new("RGB", image.size, _WHITE)
        plain.paste(layer, mask=layer)
    plain.info = {"icc_profile": profile} if profile else {}
    return plain
