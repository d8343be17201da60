"""Explanations of failures: each answer of the vendor has a text and somebody who must act."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.config import Settings
from bot.cpaas import CpaasClient
from bot.errors import DeliveryError, Misconfigured, NotNow, OutcomeUnknown, PictureRefused
from bot.inbox.failures import explain, is_about_rule
from bot.sandbox.script import Script, answer, bad_gateway, cut, etelecom_code, vendor_code
from bot.sandbox.send_image import Account
from bot.sandbox.vendor import SandboxVendor

# Zalo's table of codes for sending; eTelecom's words; statuses of HTTP.
ZALO = [
    -32, -100, -118, -124, -200, -201, -202, -204, -205, -209, -210, -211, -212, -213, -216, -217, -218, -219, -220,
    -221, -222, -223, -224, -227, -230, -232, -233, -234, -240, -242, -244, -248, -305, -311, -320, -321, -401, -14014,
]  # fmt: skip
ETELECOM = [
    "unauthenticated", "permission_denied", "resource_exhausted", "unavailable", "internal", "aborted", "canceled",
    "deadline_exceeded", "invalid_argument", "malformed", "not_found", "bad_route", "unimplemented",
    "failed_precondition", "out_of_range",
]  # fmt: skip
STATUSES = [301, 400, 401, 403, 404, 405, 408, 429, 500, 502, 503, 504, 520]
UNKNOWN = "refused, for a reason the bot does not know"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxVendor]:
    with SandboxVendor(Account("the-key", "the-token", "the-token")) as vendor:
        yield vendor


def failure(sandbox: SandboxVendor, script: Script) -> DeliveryError:
    """Return the error of a call with this answer of the vendor."""
    sandbox.next(script)
    values = {
        "cpaas_base_url": sandbox.url,
        "cpaas_api_key": "the-key",
        "cpaas_access_token": "the-token",
        "send_timeout": 2,
    }
    with pytest.raises(DeliveryError) as caught:
        CpaasClient(Settings.model_validate(values)).send_image(
            oa_id="1", user_id="2", image={"image_url": "https://a.vn/1"}
        )
    return caught.value


@pytest.mark.parametrize("code", ZALO)
def test_zalos_codes_are_explained_in_every_field(sandbox: SandboxVendor, code: int) -> None:
    """As the vendor's code, in its text, and in `errors`: the same sentence, not that of an unknown error."""
    shapes = (
        vendor_code(code, "no"),
        answer(400, {"code": 400, "message": f"zalo: error {code} came back"}),
        answer(200, {"code": 500, "message": "no", "errors": {"error": str(code)}}, takes=False),
    )
    said = {str(explain(str(failure(sandbox, shape)), "en")) for shape in shapes}
    assert len(said) == 1
    assert UNKNOWN not in said.pop()


@pytest.mark.parametrize("word", ETELECOM)
def test_etelecoms_words_are_explained(sandbox: SandboxVendor, word: str) -> None:
    assert UNKNOWN not in str(explain(str(failure(sandbox, etelecom_code(word, "no", status=400))), "en"))


@pytest.mark.parametrize("script", [
    *(vendor_code(code, "no") for code in ZALO),
    *(etelecom_code(word, "no") for word in ETELECOM),
    *(answer(status, {"message": "no"}, takes=False) for status in STATUSES),
    *(vendor_code(code, "no") for code in (400, 401, 404, 500)),
    bad_gateway(takes=True),
    cut(takes=False),
    answer(200, "what?", takes=False),
])  # fmt: skip
def test_explanations_agree_with_the_behaviour(sandbox: SandboxVendor, script: Script) -> None:
    """A paused account is explained as its failure, with somebody who must act; a refused image as the image's."""
    error = failure(sandbox, script)
    meaning = explain(str(error), "en")
    if isinstance(error, Misconfigured):
        assert meaning.subject == "account"
        assert meaning.actor in {"operator", "owner"}
    elif isinstance(error, PictureRefused):
        assert (meaning.subject, meaning.actor) == ("image", "editor")
    elif isinstance(error, OutcomeUnknown):
        assert meaning.what.startswith("The vendor gave no clear answer")
    elif isinstance(error, NotNow):
        assert meaning.actor == "nobody" or "used up" in meaning.what


@pytest.mark.parametrize(("error", "said"), [
    ("HTTP 200: code -230, the user has not interacted", "Khách chưa nhắn cho OA trong 7 ngày: không cần làm gì"),
    ("HTTP 200: code -210, over the limit", "Ảnh quá 1 MB: thay ảnh"),
    ("HTTP 401: code unauthenticated, key", "Khóa kết nối bị từ chối: báo người vận hành"),
    ("no connection: NewConnectionError", "Không kết nối được với bên gửi tin: không cần làm gì, bot tự gửi lại"),
    ("menu.jpg: HTTP 200: code -210, too large", "Ảnh quá 1 MB: thay ảnh"),
    ("menu.jpg: there is no such file", "Tệp ảnh không dùng được: thay ảnh"),
])  # fmt: skip
def test_the_sentences_in_vietnamese(error: str, said: str) -> None:
    assert str(explain(error, "vi")) == said


@pytest.mark.parametrize(("code", "is_the_rules"), [("-230", False), ("-213", False), ("-216", False), ("-210", True)])
def test_a_customers_failure_is_not_the_rules(code: str, is_the_rules: bool) -> None:
    """No change of the rule can fix it."""
    assert is_about_rule(f"HTTP 200: code {code}, no") is is_the_rules


@given(error=st.text())
def test_every_error_has_an_explanation(error: str) -> None:
    meaning = explain(error, "en")
    assert meaning.what
    assert meaning.todo
