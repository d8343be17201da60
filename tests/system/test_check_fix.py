"""`bot check --fix` as an editor runs it."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from PIL import Image

from tests.support.commands import Output, call, editors_environment

RULES = """\
version: 1
rules:
  - {id: menu, keywords: [thực đơn], reply: {file: images/menu.jpg}}
  - {id: gia, keywords: [bảng giá], reply: {file: images/gia.png}}
"""


def bot(directory: Path, *words: str, lang: str) -> Output:
    """Return what an editor's command says there."""
    return call(directory, editors_environment(lang), *words)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A folder with one picture that is too big and one that is not."""
    (tmp_path / "rules.yaml").write_text(RULES, encoding="utf-8")
    (tmp_path / "images").mkdir()
    noise = Image.frombytes("RGB", (1000, 800), random.Random(1).randbytes(1000 * 800 * 3))
    noise.save(tmp_path / "images" / "menu.jpg", quality=100, subsampling=0)
    Image.new("RGB", (10, 10)).save(tmp_path / "images" / "gia.png")
    return tmp_path


@pytest.mark.parametrize(
    ("lang", "shrunk", "fine"),
    [
        ("vi", "images/menu.jpg: đã thu nhỏ từ 3,2 MB (1000×800) còn ", "rules.yaml: không có lỗi."),
        ("en", "images/menu.jpg: made smaller, from 3.2 MB (1000×800) to ", "rules.yaml: fine."),
    ],
)
def test_what_was_too_big_is_fine_afterwards(shop: Path, lang: str, shrunk: str, fine: str) -> None:
    """It says what it did and where the original is; a second time there is nothing to do."""
    original = (shop / "images" / "menu.jpg").read_bytes()
    status, out, err = bot(shop, "check", lang=lang)
    assert (status, "bot check --fix" in out) == (1, True)
    status, out, err = bot(shop, "check", "--fix", lang=lang)
    told, empty, verdict, _ = out.split("\n")
    assert (status, err, empty) == (0, "", "")
    assert told.startswith(shrunk)
    assert told.endswith("images/menu.goc.jpg")
    assert verdict.startswith(fine)
    assert (shop / "images" / "menu.goc.jpg").read_bytes() == original
    assert bot(shop, "check", "--fix", lang=lang) == (0, verdict + "\n", "")
    assert sorted(path.name for path in (shop / "images").iterdir()) == ["gia.png", "menu.goc.jpg", "menu.jpg"]


def test_output_for_programs_stays_what_it_is(shop: Path) -> None:
    """What was done goes to the standard error."""
    status, out, err = bot(shop, "check", "--fix", "--format", "json", lang="en")
    assert (status, json.loads(out)) == (0, [])
    assert "made smaller" in err


def test_images_that_cannot_be_fixed_are_reported(shop: Path) -> None:
    """A file that only begins as a picture; its problem stays."""
    (shop / "images" / "menu.jpg").write_bytes(b"\xff\xd8\xff" + bytes(2_000_000))
    status, out, _ = bot(shop, "check", "--fix", lang="en")
    assert status == 1
    assert out.startswith("images/menu.jpg: cannot be made smaller and is as it was; open the picture")
    assert "[file-too-big]" in out
