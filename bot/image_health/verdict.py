"""The verdict on a picture: what can be said of it after one look, as a word with a few facts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final, Literal, get_args
from urllib.parse import urlsplit

from bot.images.formats import ACCEPTED, WEB_PAGE, dimensions, sniff_format
from bot.net.public import Fetched, FetchFailure
from bot.zalo import ATTACHMENT_LIFETIME, MAX_IMAGE_BYTES

#: What is wrong with a picture: customers do not get it, or will not for long.
Problem = Literal[
    FetchFailure,
    "error-answer",
    "needs-login",
    "not-found",
    "web-page",
    "not-an-image",
    "too-large",
    "no-file",
    "upload-refused",
    "expired",
]
#: Why nothing can be said of it.
Doubt = Literal["not-checked", "example-address", "behind-proxy", "no-upload-day"]
Word = Literal["ok", Problem, Doubt]
Standing = Literal["ok", "bad", "unknown"]

STANDINGS: Final[tuple[Standing, ...]] = get_args(Standing)
DOUBTS: Final[tuple[Doubt, ...]] = get_args(Doubt)

# A server may claim any length; databases keep so much.
_LARGEST: Final = 2**53
# What may be over by the next look; the rest is as it is.
_PASSING: Final = frozenset[Word]({"unknown-host", "unreachable", "too-slow", "broken-answer"})
_PASSING_STATUSES: Final = frozenset({408, 425, 429, *range(500, 600)})
_LOGIN_STATUSES: Final = frozenset({401, 403, 407})
_LOGIN_ADDRESS: Final = re.compile(r"log-?in|sign-?in|dang-?nhap|oauth|\bsso\b|^accounts?\.", re.IGNORECASE)
_PASSWORD_FIELD: Final = re.compile(rb"""type\s*=\s*["']?password""", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at a picture showed; a fact that it did not show is None, or empty."""

    word: Word
    status: int | None = None
    """Of HTTP."""
    form: str = ""
    """What it really is: JPEG, PNG, GIF, HTML, …"""
    size: int | None = None
    """In bytes; of one that is too large, what its server says."""
    width: int | None = None
    height: int | None = None
    """In pixels."""

    @property
    def standing(self) -> Standing:
        """Whether the picture is well; unknown is no complaint."""
        if self.word == "ok":
            return "ok"
        return "unknown" if self.word in DOUBTS else "bad"

    @property
    def may_pass(self) -> bool:
        """Whether it may be well again by itself in a moment: a server that is down, a line that is cut."""
        return self.word in _PASSING or (self.word == "error-answer" and self.status in _PASSING_STATUSES)


def judge(answer: Fetched) -> Look:
    """Return what can be said of a picture after that answer."""
    if answer.status in _LOGIN_STATUSES:
        return Look("needs-login", answer.status)
    if answer.status in {404, 410}:
        return Look("not-found", answer.status)
    if not 200 <= answer.status < 300:
        return Look("error-answer", answer.status)
    if sniff_format(answer.body, answer.content_type) == WEB_PAGE:
        return Look("needs-login" if _asks_who_is_there(answer) else "web-page", answer.status, WEB_PAGE)
    size = min(answer.claimed or 0, _LARGEST) or None if len(answer.body) > MAX_IMAGE_BYTES else len(answer.body)
    return _of_bytes(answer.body, status=answer.status, size=size)


def judge_file(data: bytes | None) -> Look:
    """Return what can be said of a file of which *data* was read, at most one byte too many; None: nothing."""
    if data is None:
        return Look("no-file")
    return _of_bytes(data, status=None, size=len(data) if len(data) <= MAX_IMAGE_BYTES else None)


def judge_attachment(uploaded: date | None, *, today: date) -> Look:
    """Return what can be said of an attachment_id: nobody but Zalo can look at it, but its days are known."""
    if uploaded is None:
        return Look("no-upload-day")
    return Look("expired" if today - uploaded >= ATTACHMENT_LIFETIME else "ok")


@lru_cache(maxsize=4096)  # asked of every picture whenever somebody wants to know how they all are
def is_example(url: str) -> bool:
    """Return whether the address is one that is set aside for examples (RFC 2606): there is no server behind it."""
    host = f".{(urlsplit(url).hostname or '').rstrip('.')}"
    return host.endswith((".example", ".test", ".invalid", ".example.com", ".example.net", ".example.org"))


def _of_bytes(data: bytes, *, status: int | None, size: int | None) -> Look:
    form = sniff_format(data)
    width, height = dimensions(data) or (None, None)
    word: Word = "not-an-image" if form not in ACCEPTED else "too-large" if len(data) > MAX_IMAGE_BYTES else "ok"
    return Look(word, status, form, size, width, height)


def _asks_who_is_there(answer: Fetched) -> bool:
    """Return whether the page is one to log in at, by where it was redirected to or by a field for a password."""
    parts = urlsplit(answer.url)
    moved = answer.redirected and _LOGIN_ADDRESS.search(f"{parts.hostname}{parts.path}") is not None
    return moved or _PASSWORD_FIELD.search(answer.body) is not None
