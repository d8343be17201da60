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

#: Faults of an image: customers do not get it, or soon will not.
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
#: Reasons why an image cannot be judged.
DoubtCode = Literal["not-checked", "example-address", "behind-proxy", "no-upload-day"]
Code = Literal["ok", ProblemCode, DoubtCode]
Status = Literal["ok", "bad", "unknown"]

STATUSES: Final[tuple[Status, ...]] = get_args(Status)
DOUBT_CODES: Final[tuple[DoubtCode, ...]] = get_args(DoubtCode)

# A server may claim any length; this is the largest integer of the column.
_MAX_SIZE: Final = 2**53
# Faults that may be over at the next check.
_TRANSIENT_CODES: Final = frozenset[Code]({"unknown-host", "unreachable", "too-slow", "broken-answer"})
_TRANSIENT_STATUSES: Final = frozenset({408, 425, 429, *range(500, 600)})
_LOGIN_STATUSES: Final = frozenset({401, 403, 407})
_LOGIN_ADDRESS: Final = re.compile(r"log-?in|sign-?in|dang-?nhap|oauth|\bsso\b|^accounts?\.", re.IGNORECASE)
_PASSWORD_FIELD: Final = re.compile(rb"""type\s*=\s*["']?password""", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of one check of an image; unknown facts are None or ""."""

    code: Code
    http_status: int | None = None
    """The HTTP status."""
    format: str = ""
    """The actual format: JPEG, PNG, GIF, HTML, …"""
    size: int | None = None
    """In bytes; for one that is too large, what its server claims."""
    width: int | None = None
    height: int | None = None
    """In pixels."""

    @property
    def status(self) -> Status:
        """The status; an image that cannot be judged is not bad."""
        if self.code == "ok":
            return "ok"
        return "unknown" if self.code in DOUBT_CODES else "bad"

    @property
    def is_transient(self) -> bool:
        """Whether the fault may pass by itself: a server that is down, a lost connection."""
        return self.code in _TRANSIENT_CODES or (
            self.code == "error-answer" and self.http_status in _TRANSIENT_STATUSES
        )


def judge(answer: Fetched) -> CheckResult:
    """Return the verdict from a server's answer."""
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
    """Return the verdict on a file; *data* is at most one byte longer than the limit, None if it was not readable."""
    if data is None:
        return CheckResult("no-file")
    return _judge_bytes(data, http_status=None, size=len(data) if len(data) <= MAX_IMAGE_BYTES else None)


def judge_attachment(uploaded: date | None, *, today: date) -> CheckResult:
    """Return the verdict on an attachment_id by its age: only Zalo can fetch it."""
    if uploaded is None:
        return CheckResult("no-upload-day")
    return CheckResult("expired" if today - uploaded >= ATTACHMENT_LIFETIME else "ok")


@lru_cache(maxsize=4096)  # called for every image in each report
def is_example(url: str) -> bool:
    """Return whether the host is reserved for examples (RFC 2606), so that no server exists."""
    host = f".{(urlsplit(url).hostname or '').rstrip('.')}"
    return host.endswith((".example", ".test", ".invalid", ".example.com", ".example.net", ".example.org"))


def _judge_bytes(data: bytes, *, http_status: int | None, size: int | None) -> CheckResult:
    form = sniff_format(data)
    width, height = dimensions(data) or (None, None)
    code: Code = "not-an-image" if form not in ACCEPTED else "too-large" if len(data) > MAX_IMAGE_BYTES else "ok"
    return CheckResult(code, http_status, form, size, width, height)


def _asks_for_login(answer: Fetched) -> bool:
    """Return whether the page is a log-in page, by its URL after redirects or a password field."""
    parts = urlsplit(answer.url)
    moved = answer.redirected and _LOGIN_ADDRESS.search(f"{parts.hostname}{parts.path}") is not None
    return moved or _PASSWORD_FIELD.search(answer.body) is not None
