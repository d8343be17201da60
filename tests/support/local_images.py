"""Image files for tests, and the resolver that uploads them."""

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
    """Return *size* bytes that begin and end like a JPEG; each *seed* gives a different image."""
    text = seed.encode()
    start = b"\xff\xd8\xff\xe0" + (2 + len(text)).to_bytes(2) + text + b"\xff\xda\0\2"
    return start + bytes(size - len(start) - 2) + b"\xff\xd9"


def png(size: int = 2_000) -> bytes:
    """Return *size* bytes that begin and end like a PNG."""
    start, end = b"\x89PNG\r\n\x1a\n", b"\0\0\0\0IEND\xaeB`\x82"
    filling = size - len(start) - len(end) - 12
    return start + filling.to_bytes(4) + b"IDAT" + bytes(filling + 4) + end


def client(url: str, upload_type: str) -> CpaasClient:
    """Return the client of a vendor that expects KEY and TOKEN."""
    given = {"cpaas_base_url": url, "cpaas_api_key": KEY, "cpaas_access_token": TOKEN}
    return CpaasClient(Settings.model_validate(given | {"send_timeout": 60.0, "cpaas_upload_type": upload_type}))


@contextmanager
def images_of(
    database: Database, url: str, folder: Path, *, now: Callable[[], float] = time.time, upload_type: str = TYPE
) -> Iterator[ImageResolver]:
    """Yield a resolver that uploads the images in *folder* to the vendor at *url*."""
    uploads = Uploads(database, RATE)
    pictures = ImageResolver(uploads, client(url, upload_type), folder, now=now)
    try:
        yield pictures
    finally:
        pictures.stop()
