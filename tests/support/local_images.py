"""Picture files, and the part of the bot that uploads them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.config import Settings
from bot.cpaas import CpaasClient
from bot.delivery.images import ImageResolver
from bot.inbox.database import Database
from bot.inbox.oa_limits import RateLimit
from bot.inbox.uploads import Uploads

RATE = RateLimit.per_minute(4000)
TYPE = "UpLoadFile"
KEY, TOKEN = "the-key", "the-token"


def jpeg(size: int = 2_000, *, seed: str = "") -> bytes:
    """Return *size* bytes that begin as a JPEG does; another *seed* makes another picture."""
    start = b"\xff\xd8\xff\xe0" + seed.encode()
    return start + bytes(size - len(start))


def png(size: int = 2_000) -> bytes:
    """Return *size* bytes that begin as a PNG does."""
    start = b"\x89PNG\r\n\x1a\n"
    return start + bytes(size - len(start))


def client(url: str, upload_type: str) -> CpaasClient:
    """Return the client of a vendor that expects KEY and TOKEN."""
    given = {"cpaas_base_url": url, "cpaas_api_key": KEY, "cpaas_access_token": TOKEN}
    return CpaasClient(Settings.model_validate(given | {"send_timeout": 2.0, "cpaas_upload_type": upload_type}))


@contextmanager
def images_of(
    database: Database, url: str, folder: Path, *, now: Callable[[], float] = time.time, upload_type: str = TYPE
) -> Iterator[ImageResolver]:
    """Give what uploads the pictures of *folder* to the vendor at *url*."""
    uploads = Uploads(database, RATE)
    pictures = ImageResolver(uploads, client(url, upload_type), folder, now=now)
    try:
        yield pictures
    finally:
        pictures.stop()
