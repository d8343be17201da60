"""Preparing uploaded images: pixels, orientation, metadata, size, refusals."""

from __future__ import annotations

import io
import random
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags, Image

from bot.images.local_files import Form
from bot.images.prepare import UploadRefused, prepare_upload
from bot.zalo import MAX_IMAGE_BYTES

PLACE = b"NGHIEMNGAT"


def encoded(image: Image.Image, form: str, **how: object) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **how)
    return file.getvalue()


def halves(width: int, height: int) -> Image.Image:
    """Return an image that is red in its upper half and blue below."""
    image = Image.new("RGB", (width, height), (0, 0, 255))
    image.paste((255, 0, 0), (0, 0, width, height // 2))
    return image


def exif(orientation: int) -> Image.Exif:
    """Return a phone's EXIF data: the orientation, and the place."""
    data = Image.Exif()
    data[ExifTags.Base.Orientation] = orientation
    data[ExifTags.Base.Make] = PLACE.decode()
    data.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (10.0, 46.0, 30.0)
    return data


def opened(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


def refusal(data: bytes) -> str:
    with pytest.raises(UploadRefused) as caught:
        prepare_upload(data)
    return caught.value.message.format(kind=caught.value.kind)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def test_a_photo_of_12_megapixels_becomes_upright_small_and_without_metadata() -> None:
    noise = Image.frombytes("L", (1000, 750), random.Random(1).randbytes(750_000)).resize((4000, 3000))
    photo = halves(4000, 3000)
    photo.paste(noise, (0, 2000))
    data = encoded(photo, "JPEG", quality=95, exif=exif(6))
    assert len(data) > MAX_IMAGE_BYTES
    assert PLACE in data
    found = prepare_upload(data)
    image = opened(found.content)
    assert (found.form, found.is_converted, found.sides[0]) == ("jpg", True, (3000, 4000))
    assert found.size == (len(data), len(found.content))
    assert len(found.content) <= MAX_IMAGE_BYTES
    assert image.size == found.sides[1]
    assert image.width < image.height
    assert not image.getexif()
    assert PLACE not in found.content
    red, _green, blue = image.getpixel((image.width - 5, image.height // 2))  # type: ignore[misc]
    assert red > 200 > blue


@pytest.mark.parametrize(("form", "ending"), [("JPEG", "jpg"), ("PNG", "png")])
def test_a_small_image_keeps_its_pixels_and_loses_its_metadata(form: str, ending: Form) -> None:
    image = halves(40, 30)
    more = {"comment": PLACE} if form == "JPEG" else {}
    data = encoded(image, form, exif=exif(1), **more) + PLACE
    found = prepare_upload(data)
    assert (found.form, found.is_converted) == (ending, False)
    assert PLACE not in found.content
    assert b"Exif" not in found.content
    assert opened(found.content).tobytes() == opened(data).tobytes()


@pytest.mark.parametrize("orientation", range(2, 9))
def test_every_orientation_is_applied(orientation: int) -> None:
    """A viewer without EXIF shows the same as one with it."""
    data = encoded(halves(64, 32), "JPEG", quality=95, exif=exif(orientation))
    image = opened(prepare_upload(data).content)
    corner = {2: (5, 5), 3: (5, 27), 4: (5, 27), 5: (5, 5), 6: (27, 5), 7: (27, 5), 8: (5, 5)}[orientation]
    assert image.size == ((64, 32) if orientation < 5 else (32, 64))
    assert image.getpixel(corner)[0] > 200  # type: ignore[index]


def test_webp_becomes_jpeg_on_white() -> None:
    image = Image.new("RGBA", (50, 50), (0, 0, 0, 0))
    found = prepare_upload(encoded(image, "WEBP", exif=exif(1)))
    assert (found.form, found.is_converted) == ("jpg", True)
    assert opened(found.content).getpixel((20, 20)) == (255, 255, 255)
    assert PLACE not in found.content


def test_a_large_palette_image_is_resized_with_interpolation() -> None:
    """In full colours."""
    noise = Image.frombytes("L", (1600, 1600), random.Random(4).randbytes(1600 * 1600)).resize((3200, 3200))
    data = encoded(noise.convert("P"), "PNG")
    assert len(data) > MAX_IMAGE_BYTES
    found = prepare_upload(data)
    assert (found.sides[0], max(found.sides[1]) <= 3000) == ((3200, 3200), True)
    assert opened(found.content).mode == "RGB"


def test_a_large_png_becomes_a_jpeg() -> None:
    image = Image.frombytes("RGB", (800, 800), random.Random(2).randbytes(800 * 800 * 3))
    found = prepare_upload(encoded(image, "PNG"))
    assert (found.form, found.is_converted) == ("jpg", True)
    assert len(found.content) <= MAX_IMAGE_BYTES


def test_a_comment_does_not_survive_the_conversion() -> None:
    data = encoded(halves(64, 32), "JPEG", exif=exif(6), comment=PLACE)
    assert PLACE not in prepare_upload(data).content


def test_an_animated_image_is_refused() -> None:
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue")]
    data = encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:])
    assert refusal(data).startswith("This picture moves")
    assert refusal(encoded(frames[0], "GIF")).startswith("The file is GIF")


def test_a_bomb_is_refused_before_it_is_decoded() -> None:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0))
    bomb = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1_000_000))) + chunk(b"IEND", b"")
    assert refusal(bomb).startswith("The picture has too many pixels")


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_a_partial_image_is_refused(form: str) -> None:
    image = Image.frombytes("RGB", (200, 200), random.Random(3).randbytes(120_000))
    data = encoded(image, form)
    assert refusal(data[: len(data) // 2]).startswith(("The end of the picture is missing", "The picture is damaged"))


def test_an_image_damaged_inside_is_refused() -> None:
    """Its first and last bytes are right."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 100, 100, 8, 2, 0, 0, 0))
    broken = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", b"no deflate data") + chunk(b"IEND", b"")
    assert refusal(broken).startswith("The picture is damaged")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "The file is empty"),
        (b"xin chao", "This is not a picture"),
        (b"%PDF-1.7 menu.jpg", "The file is PDF"),
        (b"<!doctype html><title>menu.png", "The file is HTML"),
        (b"\0\0\0\x18ftypavif\0\0\0\0mif1avif", "Zalo does not take AVIF pictures"),
    ],
)
def test_other_files_are_refused_with_a_message(data: bytes, words: str) -> None:
    assert refusal(data).startswith(words)


def outcome(data: bytes) -> str:
    """Return the text of the refusal, or the faults of the result; empty if it has none."""
    try:
        found = prepare_upload(data)
    except UploadRefused as error:
        return error.message
    fits = len(found.content) <= MAX_IMAGE_BYTES and opened(found.content).size == found.sides[1]
    return "fine" if fits else ""


@given(st.binary(max_size=300), st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBPVP8 "]))
def test_any_bytes_are_prepared_or_refused(data: bytes, start: bytes) -> None:
    assert outcome(start + data)


@given(st.data())
def test_a_damaged_photo_is_prepared_or_refused(data: st.DataObject) -> None:
    content = bytearray(encoded(halves(40, 30), data.draw(st.sampled_from(["JPEG", "PNG", "WEBP"]))))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    assert outcome(bytes(content))
