"""HEIC photos become JPEG: upright, the primary image, without metadata; bombs and damaged files are refused.

The files of ``heic/`` were encoded by pillow-heif 1.8.1, grid.heic by libheif's ``heif_context_encode_grid``. Each is
red in its upper half and blue below, as it was stored. alpha.heic is transparent; crash.heic is turned.heic with random
changes that end libheif 1.23.0 with a segmentation fault.
"""

from __future__ import annotations

import io
import resource
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bot.images.prepare import UploadRefused, prepare_upload

FILES = Path(__file__).parent / "heic"
TURNED, SEVERAL, GRID, ALPHA = (
    (FILES / f"{name}.heic").read_bytes() for name in ("turned", "several", "grid", "alpha")
)
LARGE = (FILES / "48-megapixels.heic").read_bytes()
DAMAGED = "The picture is damaged and cannot be opened. Save it again."


def opened(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


def is_red(image: Image.Image, corner: tuple[int, int]) -> bool:
    red, _green, blue = image.getpixel(corner)  # type: ignore[misc]
    return bool(red > 200 > blue)


def refusal(data: bytes) -> str:
    with pytest.raises(UploadRefused) as caught:
        prepare_upload(data)
    return caught.value.message.format(kind=caught.value.kind)


def with_sizes(data: bytes, width: int, height: int) -> bytes:
    """Return the file with another width and height in its header."""
    first, *others = data.split(b"ispe\0\0\0\0")
    return b"".join([first, *(b"ispe\0\0\0\0" + struct.pack(">II", width, height) + rest[8:] for rest in others)])


def test_a_rotated_photo_becomes_an_upright_jpeg_without_metadata() -> None:
    """The file has both its own rotation and the EXIF orientation, as iPhones write them: it is rotated once."""
    assert b"NGHIEMNGAT" in TURNED
    found = prepare_upload(TURNED)
    image = opened(found.content)
    assert (image.format, found.form, found.is_converted) == ("JPEG", "jpg", True)
    assert found.sides == ((64, 128), (64, 128))
    assert found.size == (len(TURNED), len(found.content))
    assert image.size == (64, 128)
    assert [is_red(image, (60, 5)), is_red(image, (60, 120)), is_red(image, (5, 64))] == [True, True, False]
    assert not image.getexif()
    assert b"NGHIEMNGAT" not in found.content


def test_the_primary_image_is_used() -> None:
    """The others are a green one before and a white one after it."""
    image = opened(prepare_upload(SEVERAL).content)
    assert image.size == (128, 64)
    assert [is_red(image, (60, 5)), is_red(image, (60, 60))] == [True, False]


def test_tiles_are_joined() -> None:
    """An iPhone stores a photo as a grid."""
    image = opened(prepare_upload(GRID).content)
    assert image.size == (256, 128)
    assert [is_red(image, (250, 5)), is_red(image, (250, 120))] == [True, False]


def test_transparency_becomes_white() -> None:
    assert opened(prepare_upload(ALPHA).content).getpixel((20, 20)) == (255, 255, 255)


def test_a_large_photo_is_made_as_small_as_a_phone_needs() -> None:
    """It has as many pixels as an iPhone's camera at its largest setting."""
    found = prepare_upload(LARGE)
    assert found.sides == ((8064, 6048), (3000, 2250))


def test_a_bomb_is_refused_by_its_header() -> None:
    assert refusal(with_sizes(TURNED, 30_000, 30_000)).startswith("The photo has more than 50 megapixels")


def test_a_photo_larger_than_its_header_says_is_refused() -> None:
    assert refusal(with_sizes(LARGE, 64, 64)).startswith("The picture is damaged")


@pytest.mark.parametrize("data", [TURNED, SEVERAL, GRID, ALPHA, LARGE])
def test_half_a_photo_is_refused(data: bytes) -> None:
    assert refusal(data[: len(data) // 2]).startswith("The end of the picture is missing")
    assert refusal(data[:-1]).startswith("The end of the picture is missing")


def test_a_photo_without_pixels_is_refused() -> None:
    """Only its first box is there."""
    assert refusal(TURNED[: TURNED.index(b"meta") - 4]).startswith("The picture is damaged")


def outcome(data: bytes) -> str:
    """Return the text of the refusal, or the result."""
    try:
        return prepare_upload(data).form
    except UploadRefused as error:
        return error.message


def test_a_crash_of_the_decoder_does_not_affect_the_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It leaves no core dump in the working directory, either."""
    monkeypatch.chdir(tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    try:
        assert outcome((FILES / "crash.heic").read_bytes()) in {"jpg", DAMAGED}
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


@settings(max_examples=20, deadline=None)  # each starts a process
@given(st.data())
def test_a_damaged_photo_is_prepared_or_refused(data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from([TURNED, SEVERAL, GRID, ALPHA])))
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(12, len(content) - 1))] = data.draw(st.integers(0, 255))
    assert outcome(bytes(content))


@settings(max_examples=10, deadline=None)
@given(st.binary(max_size=300))
def test_any_damaged_content_is_refused(data: bytes) -> None:
    assert outcome(TURNED[:24] + data) != "jpg"
