"""Links as editors paste them: suggested links are valid, expiring links are reported."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from bot.rules.model.expiring_links import expiry_of
from bot.rules.model.image_links import image_link, link_warnings

LINK = "https://shop.example/anh/menu.jpg"
PIECES = st.sampled_from(
    ["https://", "http://", "https:", "htps://", "//", " ", ",", ";", ".", '"', "(", ")", "<", ">", "\\",
     "shop.example", "/menu.jpg", "/thực đơn.png", "?dl=0", "www.dropbox.com",
     "drive.google.com", "menu", "%", "…", "images/"]
)  # fmt: skip


def suggestion(value: str) -> str | None:
    """Return the suggested link; None for a valid link or one that cannot be repaired."""
    try:
        image_link(value)
    except PydanticCustomError as error:
        context = error.context or {}
        return context.get("near") if error.type not in OTHER_FIELDS else None
    return None


# Their suggestion is for another field, or for a list.
OTHER_FIELDS = {"bad-url/file", "bad-url/attachment", "bad-url/several"}


@given(value=st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=8).map("".join)))
def test_a_suggested_link_is_accepted(value: str) -> None:
    """Following a hint leads to no further error."""
    near = suggestion(value)
    if near is not None:
        assert image_link(near) == near


@pytest.mark.parametrize(
    "slip",
    [
        f"{LINK},", f"{LINK};", f"{LINK}.", f"{LINK})", f"<{LINK}>", f'"{LINK}"', f"({LINK}).", f"![menu]({LINK})",
        f" {LINK} ", f"https://{LINK}", f"http://{LINK}", LINK.replace("://", "//"), LINK.replace("://", ":/"),
        LINK.replace("https", "htps"), LINK.replace("https", "http"), LINK.replace("://", ": //"),
        LINK.replace("://", ":// "), LINK.removeprefix("https://"), LINK.removeprefix("https:"),
        LINK.replace("/", "\\"), LINK.replace("://", ":///"), LINK.replace(":", ";", 1),
    ],
)  # fmt: skip
def test_text_around_a_link_is_removed(slip: str) -> None:
    """Punctuation of a sentence, brackets, a doubled or misspelled beginning."""
    assert suggestion(slip) == LINK


SIGNED = [
    ("X-Amz-Date=20270124T101010Z&X-Amz-Expires=604800&X-Amz-Signature=a", "2027-01-31"),
    ("AWSAccessKeyId=A&Expires=1801000000&Signature=x", "2027-01-26"),
    ("X-Goog-Date=20270101T000000Z&X-Goog-Expires=3600&X-Goog-Signature=1", "2027-01-01"),
    ("GoogleAccessId=a&Expires=1801000000&Signature=1", "2027-01-26"),
    ("sv=2022-11-02&se=2027-02-01T00%3A00%3A00Z&sr=b&sig=abc", "2027-02-01"),
    ("ex=6a0b0c0d&is=6a09ba8d&hm=ab", "2026-05-18"),
    ("oh=01&oe=6A0B0C0D", "2026-05-18"),
    ("expirationTimestamp=1801000000000&signature=a", "2027-01-26"),
    ("x-expires=1801000000&x-signature=a", "2027-01-26"),
    ("q-sign-algorithm=sha1&q-sign-time=1800000000;1801000000", "2027-01-26"),
    ("token=eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjE4MDEwMDAwMDB9.abc", "2027-01-26"),
    ("hdnts=exp=1801000000~acl=/*~hmac=ab", "2027-01-26"),
]


@pytest.mark.parametrize(("query", "until"), SIGNED)
def test_the_expiry_of_a_signed_link_is_read(query: str, until: str) -> None:
    """Of clouds, chat apps, and others that put it into the link."""
    args = {"until": date.fromisoformat(until)}
    assert [*link_warnings(f"{LINK}?{query}", today=date(2026, 1, 1))] == [("url-expires/date", args)]
    assert [*link_warnings(f"{LINK}?{query}", today=date(2028, 1, 1))] == [("url-expires/over", args)]


@pytest.mark.parametrize(
    "link",
    [
        "https://api.telegram.org/file/bot1:A/photos/file_1.jpg", "https://files.slack.com/files-pri/T1-F1/menu.jpg",
        "https://lh3.googleusercontent.com/drive-viewer/a.jpg", "https://media.whatsapp.net/v/a.jpg",
        "https://uc12.dl.dropboxusercontent.com/cd/0/inline/a.jpg", "https://p16-sign.tiktokcdn.com/a.jpeg",
        "https://cdn.discordapp.com/attachments/1/2/a.png", "https://file.notion.so/f/a.png",
    ],
)  # fmt: skip
def test_links_of_hosts_with_expiring_links_are_warned_about(link: str) -> None:
    """Also if the link has no expiry."""
    assert [code for code, _ in link_warnings(link, today=date(2027, 1, 1))] == ["url-expires"]


@pytest.mark.parametrize(
    "query", ["v=1700000000", "e=1700000000", "w=800&h=600", "alt=media&token=1b2c-3d", "exp=soon"]
)
def test_a_permanent_link_has_no_warning(query: str) -> None:
    """A version, a size, a token without an expiry."""
    assert expiry_of(f"{LINK}?{query}") is None


@given(query=st.text(max_size=80), name=st.sampled_from(["Expires", "token", "Policy", "se", "oe", "q-sign-time"]))
def test_any_query_is_accepted(query: str, name: str) -> None:
    """People type links."""
    expiry_of(f"{LINK}?Key-Pair-Id=a&sig=b&{name}={query}")
