"""A picture of a decision as the vendor takes it: a picture file by the token of its upload."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from bot.cpaas import MOST_UPLOADS, Vendor
from bot.errors import DeliveryError, NotNow, NotReady, PictureRefused, Refused
from bot.images import local_files
from bot.images.local_files import Picture, Unusable
from bot.inbox.uploads import Key, Upload, Uploads
from bot.rules.language.slug import slug

log = logging.getLogger(__name__)

# Zalo keeps an upload for 7 days. In the last of them the old token still serves while the new one is fetched.
_RENEWED_AFTER: Final = 6 * 86_400.0
_SERVES_FOR: Final = 7 * 86_400.0 - 3600.0
_LOOK_AGAIN: Final = 0.5
_LONGEST_WAIT: Final = 60.0
# Of failures in a row; a picture may be half-way through being saved, a vendor may stumble.
_LASTING: Final = 3
# What an upload's commits may take beyond the vendor's call.
_LEASE_MARGIN: Final = 5.0


@dataclass(frozen=True, slots=True)
class _Order:
    """A picture to upload."""

    key: Key
    name: str
    newer_than: float


class Pictures:
    """Finds the tokens of picture files, and uploads in threads of its own what has none; make it after a fork."""

    def __init__(self, uploads: Uploads, vendor: Vendor, folder: Path, *, now: Callable[[], float]) -> None:
        self._uploads = uploads
        self._vendor = vendor
        self._folder = folder
        self._now = now
        self._fresh: dict[Key, Upload] = {}
        self._ordered: set[Key] = set()
        self._guard = threading.Lock()
        self._stopped = False
        self._workers = ThreadPoolExecutor(MOST_UPLOADS, thread_name_prefix="uploader")

    def ready(self, oa_id: str, image: Mapping[str, str], *, now: float) -> Mapping[str, str]:
        """
        Return *image*, one of `bot.inbox.queue.State.images`, as `bot.cpaas.Vendor.send_image` takes it.

        It never waits for an upload: what has no token is uploaded in the background, by one of all processes.

        Raises:
            NotReady: It must be uploaded first.
            PictureRefused: That has been tried several times, or cannot be tried: the picture is at fault.
        """
        if "file" not in image:
            return {field: image[field] for field in ("image_url", "attachment_id") if field in image}
        key = Key(oa_id, image["digest"] or self._digest(image["file"]), self._vendor.upload_type)
        refused_at = float(image.get("newer_than", 0.0))
        newer_than = max(now - _RENEWED_AFTER, refused_at)
        found = self._fresh.get(key)
        if found is None or not newer_than < found.uploaded_at:
            found = self._find(key)
        if found is not None and found.token and newer_than < found.uploaded_at:
            self._fresh[key] = found
            return {"attachment_id": found.token}
        self._fresh.pop(key, None)
        refusal = self._refusal(_Order(key, image["file"], newer_than), found, now)
        if found is not None and found.token and max(now - _SERVES_FOR, refused_at) < found.uploaded_at:
            return {"attachment_id": found.token}
        raise refusal

    def stop(self) -> None:
        """Finish the uploads that have begun, and begin no more."""
        with self._guard:
            self._stopped = True
        self._workers.shutdown(cancel_futures=True)

    def _find(self, key: Key) -> Upload | None:
        try:
            return self._uploads.find(key)
        except SQLAlchemyError as error:
            trouble = f"the database does not answer ({type(error).__name__})"
        raise NotReady(trouble, wait=_LOOK_AGAIN)

    def _refusal(self, order: _Order, found: Upload | None, now: float) -> DeliveryError:
        """Return why the picture cannot be sent now, after doing what can be done about it."""
        pause = found.pause(now) if found is not None else 0.0
        if found is None or pause == 0.0:
            if found is None or not found.is_under_way(now):
                self._order(order)
            return NotReady("the picture is being uploaded", wait=_LOOK_AGAIN)
        lasting = found.failures >= _LASTING
        if lasting and found.refused:
            return PictureRefused(found.trouble)
        return NotReady(found.trouble, wait=min(pause, _LONGEST_WAIT), lasting=lasting)

    def _order(self, order: _Order) -> None:
        with self._guard:
            if self._stopped or order.key in self._ordered:
                return
            self._ordered.add(order.key)
            self._workers.submit(self._work, order)

    def _work(self, order: _Order) -> None:
        try:
            self._upload(order)
        except Exception:
            # The database is away; who waits for the picture will order it again.
            log.exception("cannot upload a picture", extra={"oa_id": order.key.oa_id, "file": order.name})
        finally:
            with self._guard:
                self._ordered.discard(order.key)

    def _upload(self, order: _Order) -> None:
        key, told = order.key, {"oa_id": order.key.oa_id, "file": order.name}
        lease = self._vendor.timeout + _LEASE_MARGIN
        if not self._uploads.claim(key, now=self._now(), lease=lease, newer_than=order.newer_than):
            return
        try:
            picture = self._read(order)
            name = _upload_name(order.name, picture)
            token = self._vendor.upload_file(oa_id=key.oa_id, name=name, content=picture.content)
        except DeliveryError as error:
            log.warning("not uploaded", extra=told | {"outcome": type(error).__name__, "error": str(error)})
            self._uploads.note_failure(
                key,
                f"{order.name}: {error}",
                now=self._now(),
                refused=isinstance(error, Refused),
                retry_after=error.retry_after if isinstance(error, NotNow) else 0.0,
            )
        else:
            self._uploads.keep(key, token, now=self._now())
            log.info("uploaded", extra=told)

    def _read(self, order: _Order) -> Picture:
        """Return the picture, if it is still the one that was decided on."""
        picture = self._usable(order.name)
        if order.key.digest != picture.digest:
            raise PictureRefused("the file has another content than when the answer was decided")
        return picture

    def _digest(self, name: str) -> str:
        """Return what the digest is now; it was not known when the answer was decided."""
        return self._usable(name).digest

    def _usable(self, name: str) -> Picture:
        try:
            return local_files.read(self._folder, name)
        except Unusable as error:
            raise PictureRefused(error.phrase.text("en")) from None


def _upload_name(name: str, picture: Picture) -> str:
    """Return the name to upload under: Zalo needs an ending, and others than plain letters are sent in many ways."""
    return f"{slug(PurePosixPath(name).stem) or 'picture'}.{picture.form}"
