"""Probe one image: fetch the link, read the file, or judge the attachment_id by its upload date."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Final

from requests.utils import get_environ_proxies, select_proxy

from bot.image_health.references import ImageReference
from bot.image_health.verdict import CheckResult, is_example, judge, judge_attachment, judge_file
from bot.images import local_files
from bot.images.local_files import UnusableImage
from bot.net.addresses import AddressPolicy
from bot.net.public import MAX_FETCH_SECONDS, FetchError, FetchFailure, fetch
from bot.zalo import MAX_IMAGE_BYTES

# Failures that a machine sees for every address if it can reach the internet only through a proxy.
_NO_WAY_OUT: Final = frozenset[FetchFailure]({"unknown-host", "unreachable", "too-slow"})


def probe(
    image: ImageReference, addresses: AddressPolicy, *, folder: Path, today: date, seconds: float = MAX_FETCH_SECONDS
) -> CheckResult:
    """Return the result of checking the image, after *seconds* at most; *folder* is that of the rules file."""
    known = known_without_probing(image, today=today)
    if known is not None:
        return known
    if image.kind == "file":
        return judge_file(_read(folder, image.reference))
    try:
        return judge(fetch(image.reference, addresses, most=MAX_IMAGE_BYTES, seconds=seconds))
    except FetchError as error:
        behind_proxy = error.failure in _NO_WAY_OUT and _has_proxy(image.reference)
        return CheckResult("behind-proxy" if behind_proxy else error.failure)


def known_without_probing(image: ImageReference, *, today: date) -> CheckResult | None:
    """Return the result for an image that need not or cannot be probed; None for all others."""
    if image.kind == "attachment_id":
        return judge_attachment(image.uploaded, today=today)
    return CheckResult("example-address") if image.kind == "image_url" and is_example(image.reference) else None


def _read(folder: Path, name: str) -> bytes | None:
    try:
        path = local_files.find_image(folder, name)
        if not path.is_file():  # opening a pipe could block for ever
            return None
        with path.open("rb") as file:
            return file.read(MAX_IMAGE_BYTES + 1)
    except (UnusableImage, OSError):
        return None


def _has_proxy(url: str) -> bool:
    """Return whether the environment sets a proxy for the URL."""
    return select_proxy(url, get_environ_proxies(url)) is not None
