"""Matching of echoes to calls."""

from __future__ import annotations

import json

import pytest

from bot.inbox.echoes import Echo, EchoVerdict, Sent, echo_image_url, find_echo

OURS, EARLIER, THEIRS = (f"https://shop.example/{name}.jpg" for name in ("ours", "earlier", "theirs"))


@pytest.mark.parametrize(
    ("sent", "echoes", "verdict"),
    [
        ([], [], "none"),
        ([], [Echo("x", 100.5, "")], "came"),
        ([], [Echo("x", 99.0, "")], "none"),
        # The vendor's id is the echo's.
        ([Sent("a", 90, "")], [Echo("a", 90.2, "")], "none"),
        ([Sent("a", 90, "")], [Echo("a", 100.2, "")], "none"),
        ([Sent("a", 90, "")], [Echo("a", 90.2, ""), Echo("x", 100.5, "")], "came"),
        ([Sent("a", 90, "")], [Echo("a", 90.2, ""), Echo("y", 95, ""), Echo("x", 100.5, "")], "unclear"),
        # It is another one: the next echo is taken for that of an image that went out.
        ([Sent("a", 90, "")], [Echo("1", 90.2, ""), Echo("2", 100.5, "")], "came"),
        ([Sent("a", 90, "")], [Echo("1", 90.2, "")], "none"),
        ([Sent("a", 99.9, "")], [Echo("1", 100.5, "")], "none"),
        # The echo of an image that went out before was lost: long ago, or a short while ago.
        ([Sent("a", 20, "")], [Echo("2", 100.5, "")], "came"),
        ([Sent("a", 90, "")], [Echo("2", 100.5, "")], "unclear"),
        # Another program sends for the OA, too.
        ([Sent("a", 90, "")], [Echo("1", 90.2, ""), Echo("9", 95, ""), Echo("2", 100.5, "")], "unclear"),
        # The address of the image is in the echo.
        ([], [Echo("9", 95, THEIRS), Echo("2", 100.5, OURS)], "came"),
        ([Sent("a", 90, EARLIER)], [Echo("1", 90.2, EARLIER), Echo("2", 100.5, THEIRS)], "none"),
        ([Sent("a", 90, EARLIER)], [Echo("1", 90.2, EARLIER), Echo("2", 100.5, OURS)], "came"),
    ],
)
def test_an_echo_is_matched_by_its_known_facts(sent: list[Sent], echoes: list[Echo], verdict: EchoVerdict) -> None:
    assert find_echo(sent, echoes, attempted_at=100.0, image_url=OURS) == verdict


@pytest.mark.parametrize("body", [None, b"", b"[]", b"{}", b'{"message": {"attachments": [{"payload": {"url": 7}}]}}'])
def test_an_echo_may_name_no_image(body: bytes | None) -> None:
    assert echo_image_url(body) == ""


def test_the_image_of_an_echo_is_that_of_its_first_attachment() -> None:
    body = {"message": {"attachments": [{"type": "image", "payload": {"thumbnail": THEIRS, "url": OURS}}]}}
    assert echo_image_url(json.dumps(body).encode()) == OURS
