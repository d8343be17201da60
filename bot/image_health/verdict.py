"""Verdict on an image after one check: a code with a few facts."""

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

#: What is wrong with an image: customers do not get it, or will not for long.
ProblemCode = Literal[
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
DoubtCode = Literal["not-checked", "example-address", "behind-proxy", "no-upload-day"]
Code = Literal["ok", ProblemCode, DoubtCode]
Status = Literal["ok", "bad", "unknown"]

STATUSES: Final[tuple[Status, ...]] = get_args(Status)
DOUBT_CODES: Final[tuple[DoubtCode, ...]] = get_args(DoubtCode)

# A server may claim any length; databases keep so much.
_MAX_SIZE: Final = 2**53
# What may be over by the next check; the rest is as it is.
_TRANSIENT_CODES: Final = frozenset[Code]({"unknown-host", "unreachable", "too-slow", "broken-answer"})
_TRANSIENT_STATUSES: Final = frozenset({408, 425, 429, *range(500, 600)})
_LOGIN_STATUSES: Final = frozenset({401, 403, 407})
_LOGIN_ADDRESS: Final = re.compile(r"log-?in|sign-?in|dang-?nhap|oauth|\bsso\b|^accounts?\.", re.IGNORECASE)
_PASSWORD_FIELD: Final = re.compile(rb"""type\s*=\s*["']?password""", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What one check of an image showed; a fact that it did not show is None, or empty."""

    code: Code
    http_status: int | None = None
    """Of HTTP."""
    format: str = ""
    """What it really is: JPEG, PNG, GIF, HTML, …"""
    size: int | None = None
    """In bytes; of one that is too large, what its server says."""
    width: int | None = None
    height: int | None = None
    """In pixels."""

    @property
    def status(self) -> Status:
        """Whether the image is well; unknown is no complaint."""
        if self.code == "ok":
            return "ok"
        return "unknown" if self.code in DOUBT_CODES else "bad"

    @property
    def is_transient(self) -> bool:
        """Whether it may be well again by itself in a moment: a server that is down, a line that is cut."""
        return self.code in _TRANSIENT_CODES or (
            self.code == "error-answer" and self.http_status in _TRANSIENT_STATUSES
        )


def judge(answer: Fetched) -> CheckResult:
    """Return what can be said of an image after that answer."""
    if answer.status in _LOGIN_STATUSES:
        return CheckResult("needs-login", answer.status)
    if answer.status in {404, 410}:
        return CheckResult("not-found", answer.status)
    if not 200 <= answer.status < 300:
        return CheckResult("error-answer", answer.status)
    if sniff_format(answer.body, answer.content_type) == WEB_PAGE:
        return CheckResult("needs-login" if _asks_for_login(answer) else "web-page", answer.status, WEB_PAGE)
    size = min(answer.claimed or 0, _MAX_SIZE) or None if len(answer.body) > MAX_IMAGE_BYTES else len(answer.body)
    return _judge_bytes(answer.body, http_status=answer.status, size=size)


def judge_file(data: bytes | None) -> CheckResult:
    """Return what can be said of a file of which *data* was read, at most one byte too many; None: nothing."""
    if data is None:
        return CheckResult("no-file")
    return _judge_bytes(data, http_status=None, size=len(data) if len(data) <= MAX_IMAGE_BYTES else None)


def judge_attachment(uploaded: date | None, *, today: date) -> CheckResult:
    """Return what can be said of an attachment_id: nobody but Zalo can fetch it, but its days are known."""
    if uploaded is None:
        return CheckResult("no-upload-day")
    return CheckResult("expired" if today - uploaded >= ATTACHMENT_LIFETIME else "ok")


@lru_cache(maxsize=4096)  # asked of every image whenever somebody wants to know how they all are
def is_example(url: str) -> bool:
    """Return whether the address is one that is set aside for examples (RFC 2606): there is no server behind it."""
    host = f".{(urlsplit(url).hostname or '').rstrip('.')}"
    return host.endswith((".example", ".test", ".invalid", ".example.com", ".example.net", ".example.org"))


def _judge_bytes(data: bytes, *, http_status: int | None, size: int | None) -> CheckResult:
    form = sniff_format(data)
    width, height = dimensions(data) or (None, None)
    code: Code = "not-an-image" if form not in ACCEPTED else "too-large" if len(data) > MAX_IMAGE_BYTES else "ok"
    return CheckResult(code, http_status, form, size, width, height)


def _asks_for_login(answer: Fetched) -> bool:
    """Return whether the page is one to log in at, by where it was redirected to or by a field for a password."""
    parts = urlsplit(answer.url)
    moved = answer.redirected and _LOGIN_ADDRESS.search(f"{parts.hostname}{parts.path}") is not None
    return moved or _PASSWORD_FIELD.search(answer.body) is not None
