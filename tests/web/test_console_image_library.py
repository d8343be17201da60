"""The console's image library without JavaScript: upload, replace, delete, undo, access."""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.test import TestResponse, encode_multipart

from bot.web.console.images.library_page import MAX_UPLOAD_BYTES, PAGE_SIZE
from tests.support.console import Console, running, words
from tests.support.local_images import jpeg

RULES = """\
version: 1
rules:
  - id: menu
    keywords: [thực đơn]
    reply: {file: images/menu.jpg}
  - id: tat
    enabled: false
    keywords: [bảng giá]
    reply: {file: images/gia.jpg}
"""
HEIC = Path(__file__).parents[1] / "images" / "heic" / "turned.heic"


def photo(colour: str = "red", form: str = "JPEG") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (60, 40), colour).save(file, form)
    return file.getvalue()


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A folder with the images that the rules name."""
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "menu.jpg").write_bytes(photo("white"))
    (tmp_path / "images" / "gia.jpg").write_bytes(photo("black"))
    return tmp_path


@pytest.fixture
def console(shop: Path) -> Iterator[Console]:
    """A logged-in editor who may publish."""
    with running(shop, rules=RULES, console_publish=True) as found:
        found.log_in()
        yield found


class SlowBody(io.BytesIO):
    """The body of a request that is not read on before *gate* opens; *begun* tells that somebody began."""

    def __init__(self, body: bytes, begun: threading.Semaphore, gate: threading.Event) -> None:
        super().__init__(body)
        self._begun, self._gate = begun, gate

    def _wait(self) -> None:
        self._begun.release()
        self._gate.wait(60)

    def read(self, size: int | None = -1, /) -> bytes:
        self._wait()
        return super().read(size)

    def readinto(self, buffer: Any, /) -> int:
        self._wait()
        return super().readinto(buffer)


def body_of(*files: tuple[bytes, str]) -> tuple[bytes, str]:
    """Return the form with these files as a browser sends it, and its type."""
    parts = [FileStorage(io.BytesIO(data), name) for data, name in files]
    boundary, body = encode_multipart(MultiDict([("image", part) for part in parts]))
    return body, f"multipart/form-data; boundary={boundary}"


def upload(console: Console, *files: tuple[bytes, str], replace: str = "") -> TestResponse:
    body, content_type = body_of(*files)
    path = f"pictures/library{f'?replace={replace}' if replace else ''}"
    return console.post(path, body, content_type=content_type)


def act(console: Console, action: str, name: str) -> TestResponse:
    return console.post("pictures/library/act", {"action": action, "name": name})


def entry(page: TestResponse) -> str:
    """Return what the button that undoes it sends."""
    found = re.search(r'id="outcomes".*?name="name" value="([^"]+)"', page.text, re.DOTALL)
    assert found
    return found[1]


def test_several_uploads_at_once_have_one_outcome_each(console: Console, shop: Path) -> None:
    page = upload(
        console, (photo("blue"), "Bảng giá Tết.JPG"), (b"%PDF-1.7", "menu.jpg"), (photo("green", "WEBP"), "../hoa.webp")
    )
    assert page.status_code == 200
    assert "Bảng giá Tết.JPG: added as images/bang-gia-tet.jpg." in words(page)
    assert "menu.jpg: The file is PDF, whatever its name says." in words(page)
    assert "../hoa.webp: added as images/hoa.jpg. Made ready for Zalo: from 1 KB (60 × 40) to 1 KB (60 × 40)." in words(
        page
    )
    assert {path.name for path in (shop / "images").glob("*.jpg")} == {
        "menu.jpg", "gia.jpg", "bang-gia-tet.jpg", "hoa.jpg",
    }  # fmt: skip


def test_a_phone_s_heic_photo_becomes_a_jpeg_with_before_and_after(console: Console, shop: Path) -> None:
    page = upload(console, (HEIC.read_bytes(), "IMG_0001.HEIC"))
    assert (
        "IMG_0001.HEIC: added as images/img-0001.jpg. Made ready for Zalo: from 1 KB (64 × 128) to 1 KB (64 × 128)."
        in (words(page))
    )
    with Image.open(shop / "images" / "img-0001.jpg") as image:
        assert (image.format, image.size) == ("JPEG", (64, 128))


def test_the_same_image_is_not_stored_twice(console: Console) -> None:
    page = upload(console, (photo("white"), "khac.jpg"))
    assert "khac.jpg: is in the library already, as images/menu.jpg." in words(page)


def test_every_refusal_answers_422_and_in_vietnamese_too(console: Console) -> None:
    assert upload(console, (b"abc", "x.jpg")).status_code == 422
    console.get("pictures/library?lang=vi")
    assert "x.jpg: Đây không phải là ảnh." in words(upload(console, (b"abc", "x.jpg")))


def test_images_have_their_rules_or_are_unused(console: Console) -> None:
    """A disabled rule uses its image too."""
    upload(console, (photo("blue"), "moi.jpg"))
    page = console.get("pictures/library")
    for title, rule in (("menu.jpg", "menu"), ("gia.jpg", "tat"), ("moi.jpg", "no rule uses it")):
        tile = page.text.partition(f"<h3>{title}</h3>")[2].partition("</li>")[0]
        assert f">{rule}<" in tile
    unused = console.get("pictures/library?show=unused")
    assert re.findall("<h3>(.*)</h3>", unused.text) == ["moi.jpg"]


def test_an_unused_image_is_served_to_editors(console: Console) -> None:
    upload(console, (photo("blue"), "moi.jpg"))
    address = re.search(r'src="/console/(picture-files/images/moi.jpg\?v=\w+)"', console.get("pictures/library").text)
    assert address
    assert console.get(address[1]).mimetype == "image/jpeg"
    assert console.get("picture-files/images/khong-co.jpg").status_code == 404


def test_an_image_links_to_a_new_rule_that_sends_it(console: Console, shop: Path) -> None:
    """The form is filled in with the image, and its rule is valid."""
    upload(console, (photo("blue"), "hoa.jpg"))
    link = re.search(r'href="/console/(rules/edit\?image=[^"]*hoa.jpg)"', console.get("pictures/library").text)
    assert link
    page = console.get(link[1])
    assert 'name="image_ref" value="images/hoa.jpg"' in page.text
    assert '<option value="file" selected>' in page.text
    form = {"keyword": "hoa tươi", "keyword_match": "phrase", "image_kind": "file", "image_ref": "images/hoa.jpg"}
    form |= dict.fromkeys(("image_weight", "image_uploaded", "image_else"), "")
    checked = re.search(r'name="checked" value="(\w+)"', console.post("rules/edit", form | {"action": "check"}).text)
    assert checked
    page = console.post("rules/edit", form | {"action": "publish", "checked": checked[1]})
    assert page.status_code == 303, words(page)
    rules = (shop / "rules.yaml").read_text(encoding="utf-8")
    assert "keywords: [hoa tươi]" in rules
    assert "images/hoa.jpg" in rules


def test_a_rule_with_a_reply_keeps_it(console: Console) -> None:
    page = console.get("rules/edit?id=menu&image=images/gia.jpg")
    assert 'value="images/menu.jpg"' in page.text
    assert 'name="image_ref" value="images/gia.jpg"' not in page.text


def test_a_replaced_picture_keeps_its_name_and_can_be_undone(console: Console, shop: Path) -> None:
    page = upload(console, (photo("blue"), "khac.png"), replace="images/menu.jpg")
    assert "images/menu.jpg: replaced; every rule that names it sends the new picture." in words(page)
    assert (shop / "images" / "menu.jpg").read_bytes() != photo("white")
    assert "images/menu.jpg: restored." in words(act(console, "restore", entry(page)))
    assert (shop / "images" / "menu.jpg").read_bytes() == photo("white")


def test_an_unused_picture_is_deleted_and_restored(console: Console, shop: Path) -> None:
    upload(console, (photo("blue"), "moi.jpg"))
    page = act(console, "delete", "images/moi.jpg")
    assert "images/moi.jpg: deleted." in words(page)
    assert not (shop / "images" / "moi.jpg").exists()
    assert act(console, "restore", entry(page)).status_code == 200
    assert (shop / "images" / "moi.jpg").exists()


@pytest.mark.parametrize(("name", "rule"), [("images/menu.jpg", "menu"), ("images/gia.jpg", "tat")])
def test_a_picture_that_rules_name_is_not_deleted(console: Console, shop: Path, name: str, rule: str) -> None:
    page = act(console, "delete", name)
    assert page.status_code == 409
    assert f"{name}: not deleted, for rules send it: {rule}." in words(page)
    assert (shop / name).exists()


def test_an_image_named_by_the_file_on_disk_is_not_deleted(console: Console, shop: Path) -> None:
    """The bot may not have loaded the file yet."""
    upload(console, (photo("blue"), "moi.jpg"))
    path = shop / "rules.yaml"
    path.write_text(RULES.replace("images/menu.jpg", "images/moi.jpg"), encoding="utf-8")
    assert act(console, "delete", "images/moi.jpg").status_code == 409


@pytest.mark.parametrize("name", ["rules.yaml", "images/../rules.yaml", "../x", ""])
def test_nothing_else_can_be_deleted_or_replaced(console: Console, shop: Path, name: str) -> None:
    before = (shop / "rules.yaml").read_bytes()
    assert "That picture is not there any more." in words(act(console, "delete", name))
    assert "That picture is not there any more." in words(act(console, "restore", name))
    if name:
        assert "That picture is not there any more." in words(upload(console, (photo(), "a.jpg"), replace=name))
    assert (shop / "rules.yaml").read_bytes() == before


def test_concurrent_editors_lose_nothing(console: Console, shop: Path) -> None:
    def send(colour: str) -> int:
        editor = Console(console.app, console.runtime)
        editor.log_in()
        return upload(editor, (photo(colour), "moi.jpg")).status_code

    colours = ["blue", "green", "red", "yellow"]
    with ThreadPoolExecutor(len(colours)) as pool:
        assert list(pool.map(send, colours)) == [200] * len(colours)
    stored = {path.read_bytes() for path in (shop / "images").glob("moi*.jpg")}
    assert len(stored) == len(colours)


def test_too_many_concurrent_uploads_are_refused(console: Console) -> None:
    """Each occupies a thread."""
    body, content_type = body_of((photo("blue"), "moi.jpg"))
    begun, gate = threading.Semaphore(0), threading.Event()

    def send() -> int:
        editor = Console(console.app, console.runtime)
        editor.log_in()
        more = {"input_stream": SlowBody(body, begun, gate), "content_length": len(body)}
        return editor.post("pictures/library", content_type=content_type, **more).status_code

    with ThreadPoolExecutor(4) as pool:
        sent = [pool.submit(send) for _ in range(4)]
        try:
            assert all(begun.acquire(timeout=60) for _ in sent)
            page = upload(console, (photo("red"), "khac.jpg"))
        finally:
            gate.set()
        assert (page.status_code, "Others are uploading pictures" in words(page)) == (503, True)
        assert [one.result() for one in sent] == [200] * 4
    assert upload(console, (photo("red"), "khac.jpg")).status_code == 200


def test_uploads_may_be_larger_than_forms_up_to_a_limit(console: Console) -> None:
    """Forms end at 2 MB; a photo does not."""
    large = photo() + bytes(5_000_000)
    assert upload(console, (large, "lon.jpg")).status_code == 200
    page = upload(console, (bytes(MAX_UPLOAD_BYTES), "qua-lon.jpg"))
    assert page.status_code == 413
    assert "Nothing was uploaded: that was more than 16 MB at once." in words(page)


def test_an_upload_without_a_file_is_reported(console: Console) -> None:
    page = upload(console, (b"", ""))
    assert (page.status_code, "Choose a picture first." in words(page)) == (400, True)


def test_an_unwritable_folder_is_reported(console: Console, shop: Path) -> None:
    (shop / "images").rename(shop / "khac")
    (shop / "images").write_bytes(b"")  # a file where the folder should be
    page = upload(console, (photo("blue"), "moi.jpg"))
    assert "moi.jpg: The folder of pictures cannot be written" in words(page)


def test_a_large_library_has_pages(console: Console, shop: Path) -> None:
    for number in range(PAGE_SIZE):
        (shop / "images" / f"a-{number}.jpg").write_bytes(jpeg(seed=str(number)))
    pages = [console.get(f"pictures/library?page={page}").text for page in (1, 2)]
    assert [len(re.findall("<h3>", page)) for page in pages] == [PAGE_SIZE, 2]


def test_without_publishing_there_is_no_library(shop: Path) -> None:
    with running(shop, rules=RULES) as console:
        console.log_in()
        assert "pictures/library" not in console.get("pictures").text
        assert console.get("pictures/library").status_code == 404
        assert upload(console, (photo("blue"), "moi.jpg")).status_code == 404
        assert act(console, "delete", "images/menu.jpg").status_code == 404
        (shop / "images" / "moi.jpg").write_bytes(photo("blue"))
        assert console.get("picture-files/images/moi.jpg").status_code == 404
    assert not (shop / "images" / ".trash").exists()


def test_without_a_login_nothing_is_stored(shop: Path) -> None:
    with running(shop, rules=RULES, console_publish=True) as console:
        before = sorted((shop / "images").iterdir())
        for response in (
            console.get("pictures/library"),
            upload(console, (photo("blue"), "moi.jpg")),
            act(console, "delete", "images/menu.jpg"),
        ):
            assert "/console/login" in response.headers["Location"]
        assert sorted((shop / "images").iterdir()) == before


def test_a_form_of_another_site_is_refused(console: Console, shop: Path) -> None:
    form = {"image": [(io.BytesIO(photo("blue")), "moi.jpg")]}
    headers = {"Sec-Fetch-Site": "cross-site"}
    response = console.post("pictures/library", form, content_type="multipart/form-data", headers=headers)
    assert response.status_code == 400
    assert not (shop / "images" / "moi.jpg").exists()
