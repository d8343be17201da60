"""Resizing of images that are too large."""

from __future__ import annotations

import io
import random
from pathlib import Path

import pytest
from PIL import Image, ImageStat

from bot.images import local_files
from bot.images.resize import ResizeError, resize_to_fit
from bot.zalo import MAX_IMAGE_BYTES

ORIENTATION = 0x0112
TURNED = 6
"""A quarter turn clockwise brings it upright."""


def noise(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """Return an image that compresses badly, always the same."""
    return Image.frombytes(mode, (width, height), random.Random(1).randbytes(width * height * len(mode)))


def saved(picture: Image.Image, form: str, **how: object) -> bytes:
    """Return the file's content."""
    file = io.BytesIO()
    picture.save(file, form, **how)
    return file.getvalue()


def opened(path: Path) -> Image.Image:
    """Return the image after the work."""
    with Image.open(path) as picture:
        picture.load()
        return picture


def test_a_jpeg_stays_a_jpeg_and_its_original_is_kept(tmp_path: Path) -> None:
    """Same name, small enough, upright as before, with its colour profile; nothing else is left in the folder."""
    picture = noise(900, 600)
    exif = Image.Exif()
    exif[ORIENTATION] = TURNED
    before = saved(picture, "JPEG", quality=100, subsampling=0, exif=exif, icc_profile=b"a profile")
    (tmp_path / "menu.jpg").write_bytes(before)
    done = resize_to_fit(tmp_path, "menu.jpg", most=200_000)
    after = opened(tmp_path / "menu.jpg")
    assert (done.name, done.kept_as, done.fewer_colours) == ("menu.jpg", "menu.goc.jpg", False)
    assert done.size == (len(before), (tmp_path / "menu.jpg").stat().st_size)
    assert done.size[1] <= 200_000
    assert done.sides == ((600, 900), after.size)
    assert after.size[0] < after.size[1]
    assert ORIENTATION not in after.getexif()
    assert after.info["icc_profile"] == b"a profile"
    assert (tmp_path / "menu.goc.jpg").read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {"menu.jpg", "menu.goc.jpg"}


def test_a_png_stays_a_png_with_its_transparency(tmp_path: Path) -> None:
    """With fewer colours, and fewer pixels if necessary."""
    picture = noise(600, 600, "RGBA")
    picture.putalpha(Image.linear_gradient("L").resize((600, 600)))
    (tmp_path / "logo.png").write_bytes(saved(picture, "PNG"))
    done = resize_to_fit(tmp_path, "logo.png", most=150_000)
    after = opened(tmp_path / "logo.png")
    assert (after.format, done.fewer_colours) == ("PNG", True)
    assert (tmp_path / "logo.png").stat().st_size <= 150_000
    assert after.convert("RGBA").getextrema()[3][0] < 64


def test_a_badly_compressed_png_keeps_every_pixel(tmp_path: Path) -> None:
    """Every pixel is as it was."""
    picture = Image.radial_gradient("L").convert("RGB").resize((700, 700))
    (tmp_path / "plain.png").write_bytes(saved(picture, "PNG", compress_level=0))
    done = resize_to_fit(tmp_path, "plain.png")
    assert (done.fewer_colours, done.sides[1]) == (False, (700, 700))
    assert opened(tmp_path / "plain.png").tobytes() == picture.tobytes()


@pytest.mark.parametrize("mode", ["CMYK", "L"])
def test_cmyk_is_converted(tmp_path: Path, mode: str) -> None:
    """The result is a JPEG that every phone shows."""
    (tmp_path / "menu.jpg").write_bytes(saved(noise(500, 500, mode), "JPEG", quality=100))
    resize_to_fit(tmp_path, "menu.jpg", most=60_000)
    assert opened(tmp_path / "menu.jpg").mode in {"RGB", "L"}


def test_very_large_images_are_made_smaller_first(tmp_path: Path) -> None:
    """Phones do not show so many pixels; a panorama keeps its proportions."""
    (tmp_path / "wide.jpg").write_bytes(saved(Image.new("RGB", (6000, 300), "red"), "JPEG", quality=100))
    assert resize_to_fit(tmp_path, "wide.jpg").sides == ((6000, 300), (3000, 150))


def test_photos_of_the_largest_cameras_are_no_bombs(tmp_path: Path) -> None:
    """A hundred megapixels; far more, which only a hostile file has, are refused."""
    (tmp_path / "a.jpg").write_bytes(saved(Image.new("L", (12_000, 9_000)), "JPEG"))
    assert resize_to_fit(tmp_path, "a.jpg").sides == ((12_000, 9_000), (3000, 2250))
    (tmp_path / "b.png").write_bytes(saved(Image.new("1", (20_000, 10_000)), "PNG"))
    with pytest.raises(ResizeError):
        resize_to_fit(tmp_path, "b.png")


def test_an_original_is_never_overwritten(tmp_path: Path) -> None:
    """Neither an earlier one nor another file of that name."""
    (tmp_path / "a.goc.jpg").write_bytes(b"another file")
    (tmp_path / "a.jpg").write_bytes(saved(noise(300, 300), "JPEG", quality=100))
    assert resize_to_fit(tmp_path, "a.jpg", most=80_000).kept_as == "a.goc-2.jpg"
    assert (tmp_path / "a.goc.jpg").read_bytes() == b"another file"


def test_images_in_folders_keep_their_folders(tmp_path: Path) -> None:
    """As the rules file would name them."""
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.jpg").write_bytes(saved(noise(300, 300), "JPEG", quality=100))
    assert resize_to_fit(tmp_path, "images/a.jpg", most=80_000).kept_as == "images/a.goc.jpg"


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xd8\xff" + bytes(2000),
        b"\x89PNG\r\n\x1a\n" + bytes(2000),
        b"GIF89a" + bytes(2000),
        b"",
        saved(noise(50, 50), "JPEG")[:1500],
    ],
)
def test_other_files_and_partial_images_stay_unchanged(tmp_path: Path, content: bytes) -> None:
    """With no temporary file left beside them."""
    (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(ResizeError):
        resize_to_fit(tmp_path, "a.jpg", most=1000)
    assert [path.name for path in tmp_path.iterdir()] == ["a.jpg"]
    assert (tmp_path / "a.jpg").read_bytes() == content


@pytest.mark.parametrize("name", ["missing.jpg", "../outside.jpg"])
def test_only_files_of_the_folder_are_changed(tmp_path: Path, name: str) -> None:
    """A name that leads out is refused."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "outside.jpg").write_bytes(saved(noise(300, 300), "JPEG", quality=100))
    with pytest.raises(ResizeError):
        resize_to_fit(tmp_path / "shop", name, most=1000)
    assert [path.name for path in tmp_path.glob("*.jpg")] == ["outside.jpg"]


def test_the_result_is_accepted_by_the_rules(tmp_path: Path) -> None:
    """Both have the same limit."""
    (tmp_path / "a.jpg").write_bytes(saved(noise(1400, 1000), "JPEG", quality=100, subsampling=0))
    assert (tmp_path / "a.jpg").stat().st_size > MAX_IMAGE_BYTES
    resize_to_fit(tmp_path, "a.jpg")
    assert local_files.read_image(tmp_path, "a.jpg").form == "jpg"


def test_a_16_bit_grey_image_keeps_its_greys(tmp_path: Path) -> None:
    """Mid grey stays mid grey, not white."""
    values = random.Random(2).randbytes(300 * 200 * 2)
    before = saved(Image.frombytes("I;16", (300, 200), values), "PNG")
    (tmp_path / "a.png").write_bytes(before)
    resize_to_fit(tmp_path, "a.png", most=len(before) - 10_000)
    grey = opened(tmp_path / "a.png").convert("L")
    assert 120 < ImageStat.Stat(grey).mean[0] < 136


def test_an_image_with_too_many_pixels_is_not_changed(tmp_path: Path) -> None:
    """13,000 × 13,000 pixels would take more memory than a small machine has."""
    before = saved(Image.new("RGB", (13_000, 13_000), "red"), "PNG", compress_level=1)
    (tmp_path / "a.png").write_bytes(before)
    with pytest.raises(ResizeError):
        resize_to_fit(tmp_path, "a.png", most=1_000)
    assert (tmp_path / "a.png").read_bytes() == before


def test_a_partial_image_is_not_changed(tmp_path: Path) -> None:
    """It may still be being copied."""
    before = saved(noise(900, 600), "JPEG", quality=100)[:300_000]
    (tmp_path / "a.jpg").write_bytes(before)
    with pytest.raises(ResizeError):
        resize_to_fit(tmp_path, "a.jpg", most=100_000)
    assert [path.name for path in tmp_path.iterdir()] == ["a.jpg"]
