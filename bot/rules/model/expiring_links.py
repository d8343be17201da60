"""Detect links that expire: signed URLs of clouds, and the media hosts of chat and social apps."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import SplitResult, parse_qsl, urlsplit

# Hosts whose links always expire. A name covers its subdomains.
_SHORT_LIVED_HOSTS: Final = (
    "fbcdn.net", "cdninstagram.com", "fbsbx.com", "whatsapp.net", "zdn.vn", "zadn.vn", "tiktokcdn.com",
    "tiktokcdn-us.com", "tiktokcdn-eu.com", "muscdn.com", "api.telegram.org", "telesco.pe", "telegram-cdn.org",
    "cdn.discordapp.com", "media.discordapp.net", "files.slack.com", "file.notion.so", "files.1drv.com",
    "storage.live.com", "icloud-content.com", "secure.notion-static.com",
)  # fmt: skip
_SHORT_LIVED_PATHS: Final = re.compile(
    r"https://(?:"
    r"lh\d+(?:-\w+)?\.googleusercontent\.com/(?:drive-|fife/|lr/|pw/|docs)"
    r"|uc[\w-]*\.dl\.dropboxusercontent\.com/"
    r"|[^/]*amazonaws\.com/secure\.notion-static\.com/"
    r"|[^/]*/storage/v1/object/sign/"
    r")",
    re.IGNORECASE,
)
# Parameters that hold the expiry: seconds or milliseconds since 1970, or a date.
_ENDS: Final = (
    "expires", "expire", "exp", "expiry", "expiration", "expires_at", "expiresat", "x-expires", "expirationtimestamp",
    "x-oss-expires-at", "valid_until", "validuntil", "valid_to", "validto", "deadline",
)  # fmt: skip
# The same in hexadecimal or under a short name: only with a signature, or on known hosts.
_ENDS_WITH: Final = {"oe": ("oh", "_nc_ht"), "ex": ("hm", "is"), "ext": ("hash",), "se": ("sig",), "e": ("t", "k", "s")}
_STARTS: Final = (("x-amz-date", "x-amz-expires"), ("x-goog-date", "x-goog-expires"), ("x-oss-date", "x-oss-expires"))
_SIGNATURES: Final = ("tempauth", "key-pair-id", "x-amz-signature", "x-goog-signature", "x-oss-signature")
_EARLIEST: Final = datetime(2015, 1, 1, tzinfo=UTC).timestamp()
_LATEST: Final = datetime(2100, 1, 1, tzinfo=UTC).timestamp()


@dataclass(frozen=True, slots=True)
class LinkExpiry:
    """A link that expires; *at* is None if it does not say when."""

    at: datetime | None


def expiry_of(url: str) -> LinkExpiry | None:
    """
    Return the expiry of a link; None if there is no sign of one.

    >>> expiry_of("https://cdn.discordapp.com/a/b/menu.png?ex=69000000&is=68fea000&hm=ab").at.date().isoformat()
    '2025-10-27'
    >>> expiry_of("https://shop.example/menu.png?v=3") is None
    True
    """
    parts = urlsplit(url)
    query = {name.casefold(): value for name, value in parse_qsl(parts.query)}
    at = _signed_until(query) or _stated(query) or _in_token(query) or _cos(query) or _policy(query)
    if at is not None:
        return LinkExpiry(at)
    is_signed = any(name in query for name in _SIGNATURES)
    return LinkExpiry(None) if is_signed or _is_short_lived(parts, url) else None


def _is_short_lived(parts: SplitResult, url: str) -> bool:
    host = (parts.hostname or "").rstrip(".")
    under = any(host == name or host.endswith("." + name) for name in _SHORT_LIVED_HOSTS)
    return under or _SHORT_LIVED_PATHS.match(url) is not None


def _signed_until(query: Mapping[str, str]) -> datetime | None:
    """Return the expiry of S3, Google Cloud Storage and the like: the time of signing plus a duration in seconds."""
    for start, seconds in _STARTS:
        begin = _date(query.get(start, ""))
        if begin is not None and re.fullmatch(r"\d{1,9}", query.get(seconds, "")):
            return begin + timedelta(seconds=int(query[seconds]))
    return None


def _stated(query: Mapping[str, str]) -> datetime | None:
    for name in _ENDS:
        if name in query and (at := _moment(query[name])):
            return at
    for name, witnesses in _ENDS_WITH.items():
        if name in query and any(witness in query for witness in witnesses):
            at = _hexadecimal(query[name]) if name in {"oe", "ex"} else _moment(query[name])
            if at is not None:
                return at
    return None


def _in_token(query: Mapping[str, str]) -> datetime | None:
    """Return the expiry of a JSON Web Token, or of Akamai's ``exp=…~hmac=…``."""
    for value in query.values():
        if token := re.fullmatch(r"eyJ[\w-]+\.(eyJ[\w-]+)\.[\w-]*", value):
            end = _json(token[1]).get("exp")
            return _moment(str(end))
        if akamai := re.search(r"(?:^|~)exp=(\d{10})(?:~|$)", value):
            return _moment(akamai[1])
    return None


def _cos(query: Mapping[str, str]) -> datetime | None:
    """Return the expiry of Tencent's cloud: ``q-sign-time=begin;end``."""
    return _moment(query.get("q-sign-time", "").rpartition(";")[2])


def _policy(query: Mapping[str, str]) -> datetime | None:
    """Return the expiry in a CloudFront policy: base64 with an alphabet of its own."""
    if "key-pair-id" not in query or "policy" not in query:
        return None
    policy = json.dumps(_json(query["policy"].translate(str.maketrans("_~-", "=/+"))))
    end = re.search(r'"AWS:EpochTime": (\d{10})\b', policy)
    return _moment(end[1]) if end else None


def _json(encoded: str) -> Mapping[str, object]:
    try:
        found = json.loads(base64.b64decode(encoded.rstrip("=") + "==", altchars=b"-_" if "-" in encoded else None))
    except (ValueError, binascii.Error, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _moment(value: str) -> datetime | None:
    if re.fullmatch(r"\d{10}|\d{13}", value, re.ASCII):
        return _epoch(int(value) / (1000 if len(value) == 13 else 1))
    return _date(value)


def _hexadecimal(value: str) -> datetime | None:
    return _epoch(int(value, 16)) if re.fullmatch(r"[0-9a-f]{8}", value, re.IGNORECASE | re.ASCII) else None


def _epoch(seconds: float) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if _EARLIEST < seconds < _LATEST else None


def _date(value: str) -> datetime | None:
    if not re.match(r"20\d\d-?\d\d-?\d\d(T|$)", value, re.ASCII):
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
