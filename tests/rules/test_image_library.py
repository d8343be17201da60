"""The library of image files: safe names, replacing, trash, concurrent writers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.images.prepare import PreparedImage
from bot.rules.publishing.image_library import MAX_TRASHED, ImageLibrary, UnknownImage
from tests.support.local_images import jpeg

NOW = 1_800_000_000.0


def prepared(seed: str, form: str = "jpg") -> PreparedImage:
    content = jpeg(seed=seed)
    size, sides = (len(content),) * 2, ((1, 1),) * 2
    return PreparedImage(content, "png" if form == "png" else "jpg", size, (sides[0], sides[1]), is_converted=False)


@pytest.fixture
def library(tmp_path: Path) -> ImageLibrary:
    (tmp_path / "rules.yaml").write_text("version: 1\n", encoding="utf-8")
    return ImageLibrary(tmp_path / "rules.yaml")


def content(tmp_path: Path, name: str) -> bytes:
    return (tmp_path / name).read_bytes()


@pytest.mark.parametrize(
    ("filename", "name"),
    [
        ("Bảng giá Tết.JPG", "images/bang-gia-tet.jpg"),
        ("../../etc/passwd", "images/passwd.jpg"),
        ("C:\\Ảnh\\Đồ uống.png", "images/do-uong.jpg"),
        (".htaccess", "images/htaccess.jpg"),
        ("...", "images/anh.jpg"),
        ("菜单.jpg", "images/anh.jpg"),
        ("menu.v2.final.jpeg", "images/menu-v2-final.jpg"),
        ("x" * 300 + ".jpg", f"images/{'x' * 60}.jpg"),
    ],
)
def test_a_name_is_made_safe(library: ImageLibrary, tmp_path: Path, filename: str, name: str) -> None:
    assert library.add(prepared("a"), filename) == (name, True)
    assert content(tmp_path, name) == prepared("a").content


def test_a_taken_name_gets_a_number_unless_the_image_is_the_same(library: ImageLibrary) -> None:
    names = [library.add(prepared(seed), "menu.jpg") for seed in ("a", "b", "a", "c")]
    assert names == [
        ("images/menu.jpg", True),
        ("images/menu-2.jpg", True),
        ("images/menu.jpg", False),
        ("images/menu-3.jpg", True),
    ]


def test_names_are_compared_without_capitals(library: ImageLibrary, tmp_path: Path) -> None:
    """On many file systems they are one file."""
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "Menu.JPG").write_bytes(jpeg(seed="hand"))
    assert library.add(prepared("a"), "menu.jpg")[0] == "images/menu-2.jpg"


@given(st.text(max_size=80))
def test_with_any_name_the_file_is_in_the_folder(tmp_path_factory: pytest.TempPathFactory, filename: str) -> None:
    folder = tmp_path_factory.mktemp("shop")
    (folder / "rules.yaml").write_text("version: 1\n", encoding="utf-8")
    name, _is_new = ImageLibrary(folder / "rules.yaml").add(prepared("a"), filename)
    assert [path.relative_to(folder).as_posix() for path in folder.glob("images/*.jpg")] == [name]


def test_concurrent_writers_lose_nothing(library: ImageLibrary, tmp_path: Path) -> None:
    seeds = [str(number) for number in range(12)]
    with ThreadPoolExecutor(4) as pool:
        names = list(pool.map(lambda seed: library.add(prepared(seed), "menu.jpg")[0], seeds))
    assert [content(tmp_path, name) for name in names] == [prepared(seed).content for seed in seeds]


def test_replacing_keeps_the_name_and_can_be_undone_and_redone(library: ImageLibrary, tmp_path: Path) -> None:
    name, _is_new = library.add(prepared("old"), "menu.jpg")
    library.replace(name, prepared("new"), now=NOW)
    assert content(tmp_path, name) == prepared("new").content
    for expected in ("old", "new"):
        assert library.restore(library.trashed()[0].entry, now=NOW) == name
        assert content(tmp_path, name) == prepared(expected).content
    assert [image.name for image in library.images()] == [name]


def test_what_is_deleted_can_be_restored(library: ImageLibrary, tmp_path: Path) -> None:
    name, _is_new = library.add(prepared("a"), "menu.jpg")
    entry = library.delete(name, now=NOW)
    assert library.images() == []
    assert [(one.entry, one.name, one.trashed_at) for one in library.trashed()] == [(entry, name, NOW)]
    assert library.restore(entry, now=NOW + 1) == name
    assert content(tmp_path, name) == prepared("a").content
    assert library.trashed() == []


def test_the_trash_keeps_the_latest(library: ImageLibrary) -> None:
    name, _is_new = library.add(prepared("first"), "menu.jpg")
    for number in range(MAX_TRASHED + 3):
        library.replace(name, prepared(str(number)), now=NOW - number)  # the clock may even go back
    assert len(library.trashed()) == MAX_TRASHED
    library.restore(library.trashed()[0].entry, now=NOW)
    found = next(image for image in library.images() if image.name == name)
    assert found.size == len(prepared("x").content)


@pytest.mark.parametrize("name", ["images/none.jpg", "rules.yaml", "images/../rules.yaml", "images/.trash", ""])
def test_only_images_can_be_changed(library: ImageLibrary, tmp_path: Path, name: str) -> None:
    library.add(prepared("a"), "menu.jpg")
    for act in (
        lambda: library.delete(name, now=NOW),
        lambda: library.replace(name, prepared("b"), now=NOW),
        lambda: library.restore(name, now=NOW),
    ):
        with pytest.raises(UnknownImage):
            act()
    assert (tmp_path / "rules.yaml").read_text(encoding="utf-8") == "version: 1\n"


def test_a_link_in_place_of_the_folder_is_refused(
    library: ImageLibrary, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The bot would not send images from there."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (tmp_path / "images").symlink_to(elsewhere)
    with pytest.raises(OSError, match="leads out"):
        library.add(prepared("a"), "menu.jpg")
    assert list(elsewhere.iterdir()) == []
