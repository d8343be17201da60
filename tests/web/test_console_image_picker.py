"""The image picker of the rule form: pages of the library, and uploads by script or form."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from bot.web.console.images.image_uploads import uploading
from bot.web.console.images.picker_routes import PAGE_SIZE
from tests.support.console import Console, running, words

RULES = 'rules:\n  - {id: menu, keywords: [thực đơn], reply: {image_url: "https://shop.example/menu.jpg"}}\n'
NEW_RULE = {"keyword": "bọc quà", "keyword_match": "phrase", "enabled": "true"}


def photo(colour: str = "red") -> tuple[io.BytesIO, str]:
    file = io.BytesIO()
    Image.new("RGB", (60, 40), colour).save(file, "JPEG")
    return io.BytesIO(file.getvalue()), f"{colour}.jpg"


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    """Somebody is logged in where they may publish."""
    with running(tmp_path, rules=RULES, console_publish=True) as found:
        found.log_in()
        yield found


def library_of(console: Console) -> Path:
    return console.runtime.settings.rules_file.parent / "images"


def test_the_outcome_of_an_upload_is_json(console: Console) -> None:
    """Added, there already, refused, none at all."""
    added = console.post("pictures/pick", {"image": photo()})
    assert added.status_code == 200
    found = added.get_json()
    assert (found["text"], found["kind"]) == ("red.jpg: added as images/red.jpg.", "good")
    assert console.get(found["address"].removeprefix("/console/")).status_code == 200
    again = console.post("pictures/pick", {"image": photo()}).get_json()
    assert (again["kind"], again["name"], again["address"]) == ("warn", "images/red.jpg", found["address"])
    refused = console.post("pictures/pick", {"image": (io.BytesIO(b"%PDF-1.7"), "a.jpg")})
    assert refused.status_code == 422
    assert (refused.get_json()["kind"], refused.get_json()["name"], refused.get_json()["address"]) == ("bad", "", "")
    assert console.post("pictures/pick").status_code == 400


def test_the_library_comes_in_pieces_and_is_searched_by_name(console: Console) -> None:
    folder = library_of(console)
    folder.mkdir()
    for number in range(PAGE_SIZE + 3):
        (folder / f"banh-{number}.jpg").write_bytes(photo()[0].getvalue())
    (folder / "gia-tet.jpg").write_bytes(photo()[0].getvalue())
    first, second = console.get("pictures/pick"), console.get("pictures/pick?page=2")
    assert (first.text.count('name="pick"'), second.text.count('name="pick"')) == (PAGE_SIZE, 4)
    assert 'href="/console/pictures/pick?page=2"' in first.text
    assert "href" not in second.text
    assert console.get("pictures/pick?q=Giá+tết").text.count('name="pick"') == 1
    assert "no pictures" in words(console.get("pictures/pick?q=zalo"))


def test_the_form_brings_images_along(console: Console) -> None:
    """What is refused is told and not published without a look, what is good goes into the rule."""
    files = {"upload": [photo(), (io.BytesIO(b"abc"), "no.jpg"), photo("blue")]}
    seen = console.post("rules/edit", NEW_RULE | files | {"action": "publish"})
    assert "red.jpg: added as images/red.jpg." in words(seen)
    assert "no.jpg: This is not a picture." in words(seen)
    assert 'name="image_ref" value="images/red.jpg"' in seen.text
    assert 'name="image_ref" value="images/blue.jpg"' in seen.text
    assert console.runtime.settings.rules_file.read_text(encoding="utf-8") == RULES


def test_an_image_that_is_refused_stops_what_was_checked_before(console: Console) -> None:
    """Whoever adds an image in the moment of publishing wants it to be there."""
    rule = NEW_RULE | {"image_kind": "image_url", "image_ref": "https://shop.example/a.jpg"}
    rule |= {"image_weight": "", "image_uploaded": "", "image_else": ""}
    seen = console.post("rules/edit", rule)
    checked = seen.text.partition('name="checked" value="')[2].partition('"')[0]
    over = seen.text.partition('name="over" value="')[2].partition('"')[0]
    asked = rule | {"id": "boc-qua", "checked": checked, "over": over, "action": "publish"}
    refused = console.post("rules/edit", asked | {"upload": (io.BytesIO(b"abc"), "no.jpg")})
    assert refused.status_code == 409
    assert "no.jpg: This is not a picture." in words(refused)
    assert "nothing was published" in words(refused)
    assert console.runtime.settings.rules_file.read_text(encoding="utf-8") == RULES
    assert console.post("rules/edit", asked).status_code == 303


def test_too_much_at_once_and_too_many_at_once(console: Console) -> None:
    """Nothing is taken, in words."""
    large, kind = bytes(17 * 1024 * 1024), "multipart/form-data; boundary=x"
    refused = console.post("rules/edit", large, content_type=kind)
    assert refused.status_code == 413
    assert "Go back in the browser" in words(refused)
    assert console.post("pictures/pick", large, content_type=kind).status_code == 413
    with uploading(), uploading(), uploading(), uploading():
        assert console.post("pictures/pick", {"image": photo()}).status_code == 503
        assert "Others are uploading" in words(console.post("rules/edit", NEW_RULE | {"upload": photo()}))
    assert not library_of(console).exists()


def test_where_nothing_may_be_published(tmp_path: Path) -> None:
    """Neither is there."""
    with running(tmp_path, rules=RULES) as console:
        console.log_in()
        assert console.get("pictures/pick").status_code == 404
        assert console.post("pictures/pick", {"image": photo()}).status_code == 404
        assert not library_of(console).exists()
