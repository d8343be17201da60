"""The sandbox vendor's `upload-file`, over real sockets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from bot.sandbox import send_image
from bot.sandbox.script import answer, cut, hang
from bot.sandbox.send_image import Account
from bot.sandbox.upload_file import PATH
from bot.sandbox.vendor import PATIENCE, SandboxVendor
from tests.support.local_images import jpeg, png
from tests.support.running import wait_until

OA, USER = "388613280878808645", "246845883529197922"
RIGHT: dict[str, Any] = {
    "params": {"type": "UpLoadFile", "oaId": OA},
    "files": {"file": ("menu.jpg", jpeg())},
    "headers": {"accept": "*/*", "API-KEY": "key-1", "accessToken": "token-1", "Authorization": "Bearer token-1"},
}


@pytest.fixture
def vendor() -> Iterator[SandboxVendor]:
    """A vendor of one OA."""
    with SandboxVendor(Account("key-1", "token-1", oa_ids=frozenset({OA}))) as sandbox:
        yield sandbox


def upload(vendor: SandboxVendor, method: str = "POST", **changes: Any) -> requests.Response:
    """Send the documented request with these changes."""
    return requests.request(method, vendor.url + PATH, timeout=PATIENCE, **(RIGHT | changes))


def send(vendor: SandboxVendor, attachment_id: str, *, oa_id: str = OA) -> Any:
    """Send the upload to a user, and return the answer's body."""
    body = {"message": {"attachment_id": attachment_id}, "oa_id": oa_id, "recipient": {"user_id": USER}}
    headers = RIGHT["headers"] | {"Content-Type": "application/json"}
    return requests.post(vendor.url + send_image.PATH, data=json.dumps(body), headers=headers, timeout=PATIENCE).json()


@pytest.mark.parametrize("content", [jpeg(), png(), jpeg(1024 * 1024)])
def test_a_valid_upload_has_a_token(vendor: SandboxVendor, content: bytes) -> None:
    """Which can be sent as an image; up to the last byte of 1 MB."""
    said = upload(vendor, files={"file": ("menu.jpg", content)}).json()
    [uploaded] = vendor.uploaded
    assert (said["code"], said["data"]) == (0, {"token": uploaded.token})
    assert (uploaded.upload.content, uploaded.upload.name, uploaded.upload.type) == (content, "menu.jpg", "UpLoadFile")
    assert send(vendor, uploaded.token)["code"] == 0
    assert vendor.taken[0].message.image == uploaded.token


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"method": "GET"}, 405),
        ({"headers": RIGHT["headers"] | {"API-KEY": "other"}}, 401),
        ({"headers": {"accept": "*/*", "API-KEY": "key-1"}}, 401),
        ({"headers": RIGHT["headers"] | {"accept": "image/*"}}, 400),
        ({"params": {"type": "UpLoadFile"}}, 400),
        ({"params": {"type": "", "oaId": OA}}, 400),
        ({"params": {"type": "UpLoadFile", "oaId": "x"}}, 400),
        ({"params": {"type": "UpLoadFile", "oaId": OA, "more": "1"}}, 400),
        ({"params": [("type", "a"), ("type", "b"), ("oaId", OA)]}, 400),
        ({"params": {"type": "UpLoadFile", "oaId": "999"}}, 403),
        ({"files": None, "json": {"file": "x"}}, 400),
        ({"files": {"picture": ("menu.jpg", jpeg())}}, 400),
        ({"files": {"file": ("menu.jpg", jpeg()), "other": ("b.jpg", jpeg())}}, 400),
        ({"data": {"oaId": OA}}, 400),
        ({"files": {"file": ("menu.jpg", b"GIF89a")}}, 400),
        ({"files": {"file": ("menu.jpg", b"")}}, 400),
        ({"files": {"file": ("menu.jpg", jpeg(1024 * 1024 + 1))}}, 400),
    ],
)
def test_a_wrong_upload_is_refused(vendor: SandboxVendor, changes: dict[str, Any], status: int) -> None:
    """With the documented status, and recorded with the reason."""
    said = upload(vendor, **changes)
    assert (said.status_code, said.json()["code"]) == (status, status)
    assert vendor.uploaded == []
    assert vendor.received[0].fault == said.json()["message"]


def test_a_name_without_extension_gets_success_without_token(vendor: SandboxVendor) -> None:
    """As observed with Zalo."""
    said = upload(vendor, files={"file": ("menu", jpeg())})
    assert (said.status_code, said.json()["code"], said.json()["data"]) == (200, 0, {})
    assert vendor.uploaded == []


def test_uploads_expire(vendor: SandboxVendor) -> None:
    """Those so far; later ones stay valid, and unknown ids are not affected."""
    old = upload(vendor).json()["data"]["token"]
    vendor.expire_uploads()
    new = upload(vendor).json()["data"]["token"]
    assert send(vendor, old) == {
        "code": -100, "data": {}, "message": "attachment_id was expired", "referentId": "",
    }  # fmt: skip
    assert [send(vendor, token)["code"] for token in (new, "from-elsewhere")] == [0, 0]


def test_a_token_belongs_to_its_oa() -> None:
    """For another OA it is invalid."""
    with SandboxVendor(Account("key-1", "token-1")) as vendor:
        token = upload(vendor).json()["data"]["token"]
        assert send(vendor, token, oa_id="999")["code"] == -201


def test_uploads_and_sends_have_separate_scripts(vendor: SandboxVendor) -> None:
    """Each has a script of its own; what is told of everybody's pictures leaves uploads alone."""
    vendor.next_upload(answer(503), cut())
    vendor.always(answer(500))
    assert upload(vendor).status_code == 503
    with pytest.raises(requests.ConnectionError):
        upload(vendor)
    assert upload(vendor).status_code == 200
    assert len(vendor.uploaded) == 2  # a cut line may have brought it over all the same
    vendor.next_upload(hang())
    with pytest.raises(requests.ReadTimeout):
        requests.post(vendor.url + PATH, timeout=0.2, **RIGHT)
    wait_until(lambda: len(vendor.uploaded) == 3, "the upload that hangs to be taken")


@given(body=st.binary(max_size=300), boundary=st.text(max_size=20))
def test_any_form_gets_an_answer(vendor: SandboxVendor, body: bytes, boundary: str) -> None:
    """Whatever stands in it, it is an answer like any other."""
    kind = f"multipart/form-data; boundary={boundary}".encode("latin-1", "replace").decode("latin-1")
    headers = RIGHT["headers"] | {"content-type": "".join(c if c.isprintable() else "x" for c in kind)}
    said = requests.post(vendor.url + PATH, params=RIGHT["params"], data=body, headers=headers, timeout=PATIENCE)
    assert said.status_code == 400
