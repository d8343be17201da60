"""Local image files: which names are read, and which files are usable."""

from __future__ import annotations

import contextlib
import hashlib
import os
import unicodedata
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.images import local_files
from bot.images.local_files import UnusableImage
from bot.rules.validate import ValidationResult, unusable_image, validate
from bot.zalo import MAX_IMAGE_BYTES
from tests.support.local_images import jpeg, png

TODAY = date(2027, 1, 25)
SECRET = b"\xff\xd8\xff a picture that is none of the shop's"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A folder with one image, beside an image that is not in it."""
    (tmp_path / "secret.jpg").write_bytes(SECRET)
    folder = tmp_path / "shop"
    (folder / "images").mkdir(parents=True)
    (folder / "images" / "menu.jpg").write_bytes(jpeg())
    return folder


def fault(folder: Path, name: str) -> str:
    """Return the key of the file's fault."""
    with pytest.raises(UnusableImage) as caught:
        local_files.read_image(folder, name)
    return caught.value.code


def checked(folder: Path, *names: str) -> ValidationResult:
    """Return the validator's problems for rules that name these files."""
    rules = "".join(f"  - {{id: r{n}, keywords: [k{n}x], reply: {{file: {name}}}}}\n" for n, name in enumerate(names))
    return validate(f"rules:\n{rules}".encode(), today=TODAY, folder=folder)


@pytest.mark.parametrize(("content", "form"), [(jpeg(), "jpg"), (png(), "png"), (jpeg(MAX_IMAGE_BYTES), "jpg")])
def test_the_content_decides_the_format(shop: Path, content: bytes, form: str) -> None:
    """Not the name; up to the last byte of 1 MB."""
    (shop / "x.gif").write_bytes(content)
    picture = local_files.read_image(shop, "x.gif")
    assert (picture.content, picture.form) == (content, form)
    assert picture.digest == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (b"", "file-type/empty"),
        (b"just words", "file-type"),
        (b"GIF89a" + bytes(50), "file-type/kind"),
        (b"\0\0\0\x18ftypheic" + bytes(50), "file-type/kind"),
        (b"\n  <!doctype html>", "file-type/kind"),
        (jpeg(MAX_IMAGE_BYTES + 1), "file-too-big"),
        (jpeg()[:-1], "file-type/incomplete"),
        (png()[:1_000], "file-type/incomplete"),
        (b"GIF89a" + bytes(2 * MAX_IMAGE_BYTES), "file-type/kind"),
    ],
)
def test_each_kind_of_unusable_file_has_its_own_message(shop: Path, content: bytes, key: str) -> None:
    """Each with words of its own."""
    (shop / "x.jpg").write_bytes(content)
    assert fault(shop, "x.jpg") == key


def test_special_files_do_not_block(shop: Path) -> None:
    """A folder, a pipe without a writer, a loop of links."""
    os.mkfifo(shop / "pipe.jpg")
    (shop / "circle.jpg").symlink_to("circle.jpg")
    assert fault(shop, "images") == "file-missing/folder"
    assert fault(shop, "pipe.jpg") == "file-missing/folder"
    assert fault(shop, "circle.jpg") == "file-missing/unreadable"


def test_links_may_not_lead_out_of_the_folder(shop: Path) -> None:
    """Inside they may, as in container volumes; neither a file nor a folder on the path may lead out."""
    (shop / "inside.jpg").symlink_to(shop / "images" / "menu.jpg")
    (shop / "outside.jpg").symlink_to(shop.parent / "secret.jpg")
    (shop / "up").symlink_to(shop.parent)
    assert local_files.read_image(shop, "inside.jpg").content == jpeg()
    for name in ("outside.jpg", "up/secret.jpg", "../secret.jpg", str(shop.parent / "secret.jpg")):
        assert fault(shop, name) == "file-path/link"


NAMES = st.one_of(
    st.text(max_size=40),
    st.lists(st.sampled_from(["..", ".", "", "images", "up", "secret.jpg", "menu.jpg", "~", "C:"]), max_size=6).map(
        "/".join
    ),
)


@given(name=NAMES)
def test_no_name_leads_out_of_the_folder_or_raises_another_error(
    tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    """From an editor or an old decision."""
    base = tmp_path_factory.getbasetemp() / "names"
    folder = base / "shop"
    if not folder.exists():
        (folder / "images").mkdir(parents=True)
        (base / "secret.jpg").write_bytes(SECRET)
        (folder / "images" / "menu.jpg").write_bytes(jpeg())
        (folder / "up").symlink_to(base)
    with contextlib.suppress(UnusableImage):
        assert local_files.read_image(folder, name).content == jpeg()
    seen = local_files.inspect(folder, [name])[name]
    assert bool(seen.digest) != bool(seen.fault and unusable_image(seen.fault).text("vi"))


@given(name=NAMES.filter(str.strip))
def test_a_valid_name_stays_in_the_folder(name: str) -> None:
    """Without any access to the disk."""
    quoted = name.replace("'", "''").replace("\n", " ").replace("\r", " ")
    verdict = validate(
        f"rules:\n  - {{id: a, keywords: [x1], reply: {{file: '{quoted}'}}}}\n".encode(errors="replace"), today=TODAY
    )
    if verdict.rules:
        file = verdict.rules.file.rules[0].reply.images[0].file
        assert file is not None
        assert not file.startswith("/")
        assert ".." not in file.split("/")


def test_names_with_marks_are_found_in_any_normalisation(shop: Path) -> None:
    """macOS stores a letter and its mark as two characters."""
    for form in ("NFC", "NFD"):
        name = unicodedata.normalize(form, "thực-đơn.jpg")
        (shop / name).write_bytes(jpeg(seed=form))
        other = unicodedata.normalize("NFD" if form == "NFC" else "NFC", name)
        assert local_files.read_image(shop, other).content == jpeg(seed=form)
        (shop / name).unlink()


def test_a_similar_name_is_suggested_for_a_missing_file(shop: Path) -> None:
    """Other capitals, another extension, a typo; also in folders of the path. Others are not suggested."""
    found = checked(shop, "Images/MENU.jpg", "images/menu.jpeg", "images/meun.jpg", "images/khuyen-mai.png")
    assert [problem.phrase.key for problem in found.problems] == ["file-missing/near"] * 3 + ["file-missing"]
    assert all("images/menu.jpg" in problem.message("en") for problem in found.problems[:3])


def test_rules_have_the_digests_of_their_images(shop: Path) -> None:
    """Each file once, of enabled rules."""
    found = checked(shop, "images/menu.jpg", "images/menu.jpg")
    assert found.rules is not None
    assert found.rules.digests == {"images/menu.jpg": hashlib.sha256(jpeg()).hexdigest()}
    assert validate(b"rules:\n  - {id: a, enabled: false, keywords: [x1], reply: {file: no.jpg}}\n", today=TODAY,
                    folder=shop).rules  # fmt: skip


def test_a_stamp_changes_with_the_file(shop: Path) -> None:
    """Other content, another file in its place, no file."""
    path = shop / "images" / "menu.jpg"
    seen = [local_files.file_stamp(shop, "images/menu.jpg")]
    path.write_bytes(jpeg(3_000))
    seen.append(local_files.file_stamp(shop, "images/menu.jpg"))
    (shop / "new").write_bytes(jpeg(3_000))
    (shop / "new").replace(path)
    seen.append(local_files.file_stamp(shop, "images/menu.jpg"))
    path.unlink()
    seen.append(local_files.file_stamp(shop, "images/menu.jpg"))
    assert len(set(seen)) == 4
    assert seen[-1] is None
