"""Check image links: https, straight to a JPEG or PNG, not to a web page."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from urllib.parse import SplitResult, quote, urlsplit, urlunsplit

from bot.rules.model.field_parsers import field_error

LONGEST = 2048

# Hosts whose links open a page unless they end in .jpg or .png. A name covers what lies under it.
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
_SHORT_LIVED = ("fbcdn.net", "cdninstagram.com", "zdn.vn", "zadn.vn")
_PAGE_ENDS = (".html", ".htm", ".xhtml")
_PICTURE_ENDS = (".jpg", ".jpeg", ".png")
_OTHER_ENDS = (
    ".gif", ".webp", ".svg", ".heic", ".heif", ".avif", ".bmp", ".tif", ".tiff", ".psd",
    ".pdf", ".mp4", ".mov", ".avi", ".doc", ".docx", ".xls", ".xlsx", ".ppt", ".pptx", ".zip", ".rar",
)  # fmt: skip
_KEPT = "%/:=&?~#+!$,;'@()*[]"
_NO_SCHEME = re.compile(r"(www\.)?[\w-]+(\.[\w-]+)+/\S*", re.ASCII)


def picture_link(value: str) -> str:
    """Return the link if it is https and may lead to a JPEG or PNG; its bytes are not fetched."""
    if re.search(r"\s", value):
        raise field_error("url-space", near=quote(value.strip(), safe=_KEPT))
    if value.casefold().startswith("http://"):
        raise field_error("http-url", near="https" + value[4:])
    if not value.casefold().startswith("https://"):
        if _NO_SCHEME.match(value):
            raise field_error("url-no-scheme", near="https://" + value)
        raise field_error("bad-url", word=value)
    _leads_to_a_picture(_split(value), value)
    return value


def _split(value: str) -> SplitResult:
    try:
        parts = urlsplit(value)
        _ = parts.port  # checked when it is asked for
    except ValueError:
        raise field_error("bad-url", word=value) from None
    if not (parts.hostname or "").strip("."):
        raise field_error("bad-url", word=value)
    return parts


def _leads_to_a_picture(parts: SplitResult, value: str) -> None:
    host = (parts.hostname or "").rstrip(".")
    path = parts.path.casefold()
    if _under(host, _DROPBOX) and not _under(host, _DIRECT) and not _RAW.search(parts.query):
        raise field_error("page-link/dropbox", near=urlunsplit(parts._replace(query=_raw(parts.query), fragment="")))
    if not path.endswith(_PICTURE_ENDS):
        for site, hosts in _PAGES.items():
            if _under(host, hosts):
                raise field_error("page-link", site=site)
    if path.endswith(_PAGE_ENDS):
        raise field_error("page-link/html", word=parts.path.rsplit("/", 1)[-1])
    if path.endswith(_OTHER_ENDS):
        raise field_error("not-jpeg-png", word=path[path.rfind(".") :])
    if path in {"", "/"} and not parts.query:
        raise field_error("page-link/home", word=value)


def _raw(query: str) -> str:
    """Return the query with which Dropbox gives the file itself instead of its page."""
    kept = [part for part in query.split("&") if part and not part.startswith("dl=")]
    return "&".join([*kept, "raw=1"])


def _under(host: str, names: tuple[str, ...]) -> bool:
    return any(host == name or host.endswith("." + name) for name in names)


def link_warnings(value: str) -> Iterator[str]:
    """Yield the warnings, by key, that a link of the right form still deserves."""
    host = urlsplit(value).hostname or ""
    if "…" in value or ".." in host:
        yield "url-placeholder"
    elif _is_private(host):
        yield "url-private"
    elif not value.isascii():
        yield "url-marks"
    if _under(host, _SHORT_LIVED):
        yield "url-expires"


def _is_private(host: str) -> bool:
    if "." not in host.strip(".") or host.endswith((".localhost", ".local", ".lan", ".internal")):
        return True
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return False
