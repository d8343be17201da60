"""Verdicts on images after one check, and their texts."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from string import Formatter
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.i18n import Language
from bot.image_health.texts import IMAGE_WORDS, ImageWords, explain
from bot.image_health.verdict import CheckResult, Code, is_example, judge, judge_attachment, judge_file
from bot.images.formats import dimensions, sniff_format
from bot.net.public import Fetched, FetchFailure
from bot.zalo import MAX_IMAGE_BYTES
from tests.support.image_server import JPEG, PNG

SHOP = Path(__file__).parents[2] / "bot" / "web" / "static" / "shop"
LOGIN = b"<!DOCTYPE html><form><input name=p type='password'></form>"
PAGE = b"\n <!doctype HTML><title>a picture</title>"
TODAY = date(2027, 1, 20)


def answered(body: bytes, *, status: int = 200, content_type: str = "image/jpeg", url: str = "https://a.vn/a.jpg",
             claimed: int | None = None, redirected: bool = False) -> Fetched:  # fmt: skip
    return Fetched(url, status, content_type, body, len(body) if claimed is None else claimed, redirected)


@pytest.mark.parametrize(
    ("answer", "look"),
    [
        (answered(JPEG), CheckResult("ok", 200, "JPEG", len(JPEG), 640, 480)),
        (answered(PNG), CheckResult("ok", 200, "PNG", len(PNG), 640, 480)),
        (answered(JPEG, content_type="text/html"), CheckResult("ok", 200, "JPEG", len(JPEG), 640, 480)),
        (answered(b"\xff\xd8\xff"), CheckResult("ok", 200, "JPEG", 3)),
        (answered(b"GIF89a\x01\x00\x01\x00"), CheckResult("not-an-image", 200, "GIF", 10)),
        (answered(b"RIFF\x10\x00\x00\x00WEBPVP8 "), CheckResult("not-an-image", 200, "WebP", 16)),
        (answered(b"\x00\x00\x00\x20ftypheic"), CheckResult("not-an-image", 200, "HEIC", 12)),
        (answered(b"\x00\x00\x00\x20ftypavif"), CheckResult("not-an-image", 200, "AVIF", 12)),
        (answered(b"<?xml version='1.0'?><svg/>"), CheckResult("not-an-image", 200, "SVG", 27)),
        (answered(b"\x1f\x8b\x08"), CheckResult("not-an-image", 200, "gzip", 3)),
        (answered(b"{}"), CheckResult("not-an-image", 200, "", 2)),
        (answered(b""), CheckResult("not-an-image", 200, "", 0)),
        (answered(b"", content_type="text/html"), CheckResult("not-an-image", 200, "", 0)),
        (answered(PAGE), CheckResult("web-page", 200, "HTML")),
        (answered(b"hello", content_type="Text/HTML; charset=utf-8"), CheckResult("web-page", 200, "HTML")),
        (answered(PAGE, url="https://a.vn/login"), CheckResult("web-page", 200, "HTML")),
        (answered(PAGE, url="https://a.vn/b", redirected=True), CheckResult("web-page", 200, "HTML")),
        (answered(PAGE, url="https://a.vn/Sign-In", redirected=True), CheckResult("needs-login", 200, "HTML")),
        (answered(PAGE, url="https://accounts.a.vn/", redirected=True), CheckResult("needs-login", 200, "HTML")),
        (answered(LOGIN), CheckResult("needs-login", 200, "HTML")),
        (answered(JPEG + bytes(MAX_IMAGE_BYTES), claimed=2_500_000),
         CheckResult("too-large", 200, "JPEG", 2_500_000, 640, 480)),
        (answered(JPEG + bytes(MAX_IMAGE_BYTES), claimed=10**30),
         CheckResult("too-large", 200, "JPEG", 2**53, 640, 480)),
        (answered(b"GIF89a" + bytes(MAX_IMAGE_BYTES), claimed=0), CheckResult("not-an-image", 200, "GIF")),
        (answered(b"", status=401), CheckResult("needs-login", 401)),
        (answered(b"", status=403), CheckResult("needs-login", 403)),
        (answered(b"", status=404), CheckResult("not-found", 404)),
        (answered(b"", status=410), CheckResult("not-found", 410)),
        (answered(b"", status=400), CheckResult("error-answer", 400)),
        (answered(b"", status=503), CheckResult("error-answer", 503)),
    ],
)  # fmt: skip
def test_the_verdict_on_an_answer(answer: Fetched, look: CheckResult) -> None:
    """The bytes decide, not the Content-Type."""
    assert judge(answer) == look


def test_the_limit_is_one_megabyte() -> None:
    """To the byte."""
    assert judge(answered(JPEG.ljust(MAX_IMAGE_BYTES, b"\0"))).code == "ok"
    chunked = Fetched("https://a.vn/a.jpg", 200, "", JPEG.ljust(MAX_IMAGE_BYTES + 1, b"\0"), None)
    assert judge(chunked) == CheckResult("too-large", 200, "JPEG", None, 640, 480)


@pytest.mark.parametrize("failure", get_args(FetchFailure))
def test_an_image_that_cannot_be_fetched_is_bad(failure: FetchFailure) -> None:
    assert CheckResult(failure).status == "bad"


def test_transient_faults() -> None:
    """A server that is down or busy, but not a fault of the image itself."""
    passing = {code for code in get_args(Code) if CheckResult(code, 503).is_transient}
    assert passing == {"unknown-host", "unreachable", "too-slow", "broken-answer", "error-answer"}
    assert [CheckResult("error-answer", status).is_transient for status in (400, 405, 408, 429, 500, 599)] == [
        False, False, True, True, True, True,
    ]  # fmt: skip


def test_the_status_of_each_verdict() -> None:
    """An unknown result is no fault."""
    unknown = {code for code in get_args(Code) if CheckResult(code).status == "unknown"}
    assert unknown == {"not-checked", "example-address", "behind-proxy", "no-upload-day"}
    assert [code for code in get_args(Code) if CheckResult(code).status == "ok"] == ["ok"]


@pytest.mark.parametrize(
    ("uploaded", "code"),
    [
        (None, "no-upload-day"),
        (date(2027, 1, 20), "ok"),
        (date(2027, 1, 22), "ok"),
        (date(2027, 1, 14), "ok"),
        (date(2027, 1, 13), "expired"),
        (date(2020, 1, 1), "expired"),
    ],
)
def test_an_attachment_is_valid_for_seven_days(uploaded: date | None, code: Code) -> None:
    assert judge_attachment(uploaded, today=TODAY) == CheckResult(code)


def test_the_verdict_on_a_file() -> None:
    """Of one that is too large, only the beginning was read."""
    assert judge_file(None) == CheckResult("no-file")
    assert judge_file(JPEG) == CheckResult("ok", None, "JPEG", len(JPEG), 640, 480)
    assert judge_file(PNG.ljust(MAX_IMAGE_BYTES + 1, b"\0")) == CheckResult("too-large", None, "PNG", None, 640, 480)


def test_real_images() -> None:
    """Those of the sample shop."""
    pictures = sorted(SHOP.glob("*.jpg"))
    assert pictures
    for picture in pictures:
        data = picture.read_bytes()
        assert judge_file(data).code == "ok"
        width, height = dimensions(data) or (0, 0)
        assert 100 < width < 5000
        assert 100 < height < 5000


@given(data=st.binary(max_size=200) | st.binary(max_size=40).map(lambda rest: JPEG[:20] + rest))
def test_any_bytes_are_accepted(data: bytes) -> None:
    """A cut or wrong header may give no size or a wrong one, but no error."""
    sniff_format(data, "text/html")
    assert dimensions(data) is None or len(dimensions(data) or ()) == 2
    assert judge_file(data).status in {"ok", "bad"}


@pytest.mark.parametrize("cut", range(0, 40, 3))
def test_a_cut_header_has_no_size(cut: int) -> None:
    for picture, needed in ((JPEG, 29), (PNG, 24)):
        assert (dimensions(picture[:cut]) is not None) == (cut >= needed)


@pytest.mark.parametrize("host", ["anh.tiemnhana.example", "EXAMPLE.com", "www.example.org.", "shop.test", "x.invalid"])
def test_hosts_reserved_for_examples(host: str) -> None:
    assert is_example(f"https://{host}/a.jpg")


@pytest.mark.parametrize("host", ["example.vn", "myexample.com", "example", "a.example.vn", "test.vn", "localhost"])
def test_hosts_that_may_be_real(host: str) -> None:
    assert is_example(f"https://{host}/a.jpg") == (host == "example")


def _names(words: ImageWords) -> set[str]:
    texts = (words.message, words.why, words.todo)
    return {name for text in texts for _, name, _, _ in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("code", get_args(Code))
def test_every_verdict_has_texts_in_both_languages(code: Code) -> None:
    """With the same facts in both, and what to do unless all is well."""
    assert explain(CheckResult(code), "vi") != explain(CheckResult(code), "en")
    for lang in get_args(Language):
        found = explain(CheckResult(code, 403, "GIF", 3_000_000), lang)
        assert found.label
        assert found.message.endswith(".")
        assert "{" not in found.message + found.why + found.todo
        assert bool(found.why) == bool(found.todo) == (code not in {"ok", "not-checked"})
    assert _names(IMAGE_WORDS[code]) <= {"status", "form", "size"}


def test_sizes_are_readable() -> None:
    assert "(2.9 MB)" in explain(CheckResult("too-large", 200, "JPEG", 3_000_000), "en").message
    assert "(1,1 MB)" in explain(CheckResult("too-large", 200, "JPEG", 1024**2 + 1), "vi").message
    assert "(> 1 MB)" in explain(CheckResult("too-large", 200, "JPEG"), "vi").message
