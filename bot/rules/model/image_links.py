"""Check image links: https, straight to a JPEG or PNG, not to a web page."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import LiteralString
from urllib.parse import SplitResult, quote, urlsplit, urlunsplit

from pydantic_core import PydanticCustomError

from bot.rules.model.expiring_links import expiry_of
from bot.rules.model.field_parsers import field_error, image_file_name

LONGEST = 2048

# Hosts whose links open a web page unless they end in .jpg or .png. A name covers its subdomains.
_PAGES = {
    "Google Drive": ("drive.google.com", "docs.google.com"),
    "Google Photos": ("photos.google.com", "photos.app.goo.gl"),
    "Google": ("google.com", "google.com.vn"),
    "Facebook": ("facebook.com", "fb.com", "fb.watch", "fb.me"),
    "Instagram": ("instagram.com",),
    "TikTok": ("tiktok.com",),
    "YouTube": ("youtube.com", "youtu.be"),
    "Zalo": ("zalo.me", "zaloapp.com"),
    "Canva": ("canva.com", "canva.link"),
    "Imgur": ("imgur.com",),
    "ImgBB": ("ibb.co", "imgbb.com"),
    "Postimages": ("postimg.cc", "postimages.org"),
    "Lightshot": ("prnt.sc",),
    "Flickr": ("flickr.com", "flic.kr"),
    "Pinterest": ("pinterest.com", "pin.it"),
    "OneDrive": ("onedrive.live.com", "1drv.ms"),
    "iCloud": ("icloud.com",),
}
_DROPBOX = ("dropbox.com",)
_DIRECT = ("dl.dropbox.com",)
_RAW = re.compile(r"(^|&)(raw|dl)=1(&|$)")
_PAGE_ENDS = (".html", ".htm", ".xhtml")
_PICTURE_ENDS = (".jpg", ".jpeg", ".png")
_OTHER_ENDS = (
    ".gif", ".webp", ".svg", ".heic", ".heif", ".avif", ".bmp", ".tif", ".tiff", ".psd",
    ".pdf", ".mp4", ".mov", ".avi", ".doc", ".docx", ".xls", ".xlsx", ".ppt", ".pptx", ".zip", ".rar",
)  # fmt: skip
_KEPT = "%/:=&?~#+!$,;'@()*[]"
_NO_SCHEME = re.compile(r"(//)?(www\.)?[\w-]+(\.[\w-]+)+/\S*", re.ASCII)
_SCHEME = re.compile(r"(?:h*t+p+s*\s*[:;.]*\s*[/\\]+\s*|https?[:;]\s*)+", re.IGNORECASE | re.ASCII)
_LINK = re.compile(r"""https?://[^\s,;|"'<>]+""", re.IGNORECASE)
_TAIL = re.compile(r"""[\s.,;:!'"“”‘’>]+$""")
_LEAD = re.compile(r"""^[\s'"“”‘’<(\[]+""")
_PAIRS = (("(", ")"), ("[", "]"), ("{", "}"))
_ATTACHMENT = re.compile(r"[A-Za-z0-9_-]{20,}={0,2}", re.ASCII)
_MAX_REPAIRS = 6


@dataclass(frozen=True, slots=True)
class _Fault:
    """A fault of a link, and the corrected link if there is one."""

    key: LiteralString
    repaired: str | None = None
    args: Mapping[str, str] = field(default_factory=dict)


def image_link(value: str) -> str:
    """
    Return the link if it is https and may lead to a JPEG or PNG; nothing is fetched.

    The error suggests only a link that is valid itself; without one, it reports the fault that cannot be repaired.
    """
    first = fault = _fault(value)
    repaired = value
    for _ in range(_MAX_REPAIRS):
        if fault is None or fault.repaired is None:
            break
        repaired, fault = fault.repaired, _fault(fault.repaired)
    if first is None:
        return value
    if fault is None:
        raise field_error(first.key, near=repaired, **first.args)
    raise field_error(fault.key, **fault.args) if fault.repaired is None else field_error("bad-url", word=value)


def _fault(value: str) -> _Fault | None:
    """Return the first fault of a link."""
    links = _LINK.findall(value)
    if len(links) > 1 and not _SCHEME.fullmatch(value[: value.rfind(links[-1])]):
        return _several(links)
    return _around(value) or _spaces(value) or _scheme(value) or _target(value)


def _several(links: list[str]) -> _Fault:
    images = ", ".join(f'{{image_url: "{link}"}}' for link in links)
    right = all(_fault(link) is None for link in links)
    return _Fault("bad-url/several", args={"near": f"[{images}]"}) if right else _Fault("bad-url/several-each")


def _around(value: str) -> _Fault | None:
    """Return the fault of punctuation, quotes or brackets copied with the link."""
    bare = _LEAD.sub("", value)
    if not _SCHEME.match(bare) and (link := _LINK.search(bare)):
        bare = link[0]
    while True:
        shorter = _TAIL.sub("", bare)
        for opening, closing in _PAIRS:
            if shorter.endswith(closing) and shorter.count(closing) > shorter.count(opening):
                shorter = shorter[:-1]
        if shorter == bare:
            break
        bare = shorter
    if bare == value.strip() or "://" not in bare:
        return None
    strange = value.strip().replace(bare, "", 1) if bare else value
    return _Fault("bad-url/tail", bare, {"word": strange})


def _spaces(value: str) -> _Fault | None:
    if not re.search(r"\s", value):
        return None
    closed = re.sub(r"\s*([:/])\s*(?=[:/])|(?<=//)\s+|^\s+|\s+$", r"\1", value)
    return _Fault("url-space", quote(closed, safe=_KEPT) if re.search(r"\s", closed) else closed)


def _scheme(value: str) -> _Fault | None:
    """Return the fault of a link that does not begin with one ``https://``."""
    scheme = _SCHEME.match(value)
    if value.casefold().startswith("http://") and scheme and len(scheme[0]) == len("http://"):
        return _Fault("http-url", "https" + value[4:])
    if scheme and scheme[0].casefold() != "https://":
        return _Fault("bad-url/scheme", "https://" + value[scheme.end() :].replace("\\", "/"), {"word": scheme[0]})
    return None if scheme else _no_scheme(value)


def _no_scheme(value: str) -> _Fault:
    if _NO_SCHEME.match(value):
        return _Fault("url-no-scheme", "https://" + value.removeprefix("//"))
    if value.casefold().endswith(_PICTURE_ENDS) and "://" not in value:
        return _a_file(value)
    if _ATTACHMENT.fullmatch(value):
        return _Fault("bad-url/attachment", args={"near": value})
    return _Fault("bad-url", args={"word": value})


def _a_file(value: str) -> _Fault:
    try:
        return _Fault("bad-url/file", args={"near": image_file_name(value)})
    except PydanticCustomError:
        return _Fault("bad-url", args={"word": value})


def _target(value: str) -> _Fault | None:
    """Return the fault of a link that visibly does not lead to an image."""
    try:
        parts = urlsplit(value)
        _ = parts.port  # urlsplit checks the port only when it is read
    except ValueError:
        return _Fault("bad-url", args={"word": value})
    host = (parts.hostname or "").rstrip(".")
    return _page(parts, host) if host else _Fault("bad-url", args={"word": value})


def _page(parts: SplitResult, host: str) -> _Fault | None:
    """Return the fault of a link to a web page or to another kind of file."""
    path = parts.path.casefold()
    if _under(host, _DROPBOX) and not _under(host, _DIRECT) and not _RAW.search(parts.query):
        return _Fault("page-link/dropbox", urlunsplit(parts._replace(query=_raw(parts.query), fragment="")))
    if not path.endswith(_PICTURE_ENDS):
        for site, hosts in _PAGES.items():
            if _under(host, hosts):
                return _Fault("page-link", args={"site": site})
    if path.endswith(_PAGE_ENDS):
        return _Fault("page-link/html", args={"word": parts.path.rsplit("/", 1)[-1]})
    if path.endswith(_OTHER_ENDS):
        return _Fault("not-jpeg-png", args={"word": path[path.rfind(".") :]})
    if path in {"", "/"} and not parts.query:
        return _Fault("page-link/home", args={"word": parts.geturl()})
    return None


def _raw(query: str) -> str:
    """Return the query that makes Dropbox serve the file instead of a page."""
    kept = [part for part in query.split("&") if part and not part.startswith("dl=")]
    return "&".join([*kept, "raw=1"])


def _under(host: str, names: tuple[str, ...]) -> bool:
    return any(host == name or host.endswith("." + name) for name in names)


def link_warnings(value: str, *, today: date) -> Iterator[tuple[str, Mapping[str, date]]]:
    """Yield the warnings about a valid link, each as (key, arguments)."""
    host = urlsplit(value).hostname or ""
    if "…" in value or ".." in host:
        yield "url-placeholder", {}
    elif _is_private(host):
        yield "url-private", {}
    elif not value.isascii():
        yield "url-marks", {}
    if (expiry := expiry_of(value)) is not None:
        if expiry.at is None:
            yield "url-expires", {}
        else:
            is_over = expiry.at.date() < today
            yield "url-expires/over" if is_over else "url-expires/date", {"until": expiry.at.date()}


def _is_private(host: str) -> bool:
    if "." not in host.strip(".") or host.endswith((".localhost", ".local", ".lan", ".internal")):
        return True
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return False
