"""Image formats: an image is complete only with its end mark."""

from __future__ import annotations

import io
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bot.images.formats import is_complete


def saved(form: str, **how: object) -> bytes:
    """Return an image of noise as a file."""
    file = io.BytesIO()
    picture = Image.frombytes("RGB", (60, 40), random.Random(1).randbytes(60 * 40 * 3))
    picture.save(file, form, **how)
    return file.getvalue()


def with_thumbnail() -> bytes:
    """Return a JPEG with a whole small one in its EXIF data, as cameras write it."""
    exif = b"Exif\0\0" + saved("JPEG", quality=20)
    whole = saved("JPEG")
    return whole[:2] + b"\xff\xe1" + (2 + len(exif)).to_bytes(2) + exif + whole[2:]


FILES = {
    "baseline": saved("JPEG"),
    "progressive": saved("JPEG", progressive=True),
    "restart marks": saved("JPEG", restart_marker_blocks=2),
    "thumbnail": with_thumbnail(),
    "png": saved("PNG"),
    "interlaced": saved("PNG", interlace=1),
}


@pytest.mark.parametrize("name", FILES)
def test_a_whole_file_is_complete(name: str) -> None:
    """Also with data behind it, as some phones append."""
    assert is_complete(FILES[name])
    assert is_complete(FILES[name] + b"\0" * 100 + b"SEFH")


@given(name=st.sampled_from(sorted(FILES)), share=st.floats(0.02, 0.99))
def test_a_partial_file_is_not_complete(name: str, share: float) -> None:
    """Neither cut off, nor with zeros at its end, as some programs reserve space."""
    whole = FILES[name]
    half = whole[: min(int(len(whole) * share), len(whole) - 2)]
    assert not is_complete(half)
    assert not is_complete(half + bytes(len(whole) - len(half)))


@given(st.binary(max_size=200))
def test_any_bytes_are_accepted(data: bytes) -> None:
    """After the magic number."""
    is_complete(b"\xff\xd8" + data)
    is_complete(b"\x89PNG\r\n\x1a\n" + data)
