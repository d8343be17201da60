"""Resolve an image of a rule to a link, id or upload token; upload image files in the background."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from bot.cpaas import MAX_UPLOADS, CpaasClient
from bot.errors import DeliveryError, NotNow, NotReady, PictureRefused, Refused, StorageError
from bot.images import local_files
from bot.images.local_files import LocalImage, UnusableImage
from bot.inbox.uploads import UploadKey, Uploads, UploadState
from bot.rules.language.slug import slug
from bot.rules.validate import unusable_image
from bot.zalo import ATTACHMENT_LIFETIME

log = logging.getLogger(__name__)

# Zalo keeps an upload for 7 days. On the last day the old token is still used while a new one is fetched.
_RENEW_AFTER_SECONDS: Final = 6 * 86_400.0
_TOKEN_LIFETIME_SECONDS: Final = ATTACHMENT_LIFETIME.total_seconds() - 3600.0
_POLL_SECONDS: Final = 0.5
_MAX_WAIT_SECONDS: Final = 60.0
# Consecutive failures that count as permanent: a file may be half written, the vendor may fail once.
_FAILURES_TO_LAST: Final = 3
# Time for an upload's commits after the vendor's call, in seconds.
_LEASE_MARGIN_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class UploadRequest:
    """An image file to upload."""

    key: UploadKey
    name: str
    newer_than: float
    is_ahead: bool = False
    """Whether no customer waits for it."""


class ImageResolver:
    """Finds upload tokens of image files, and uploads files without one in its own threads; create it after a fork."""

    def __init__(self, uploads: Uploads, vendor: CpaasClient, folder: Path, *, now: Callable[[], float]) -> None:
        self._uploads = uploads
        self._vendor = vendor
        self._folder = folder
        self._now = now
        self._valid_tokens: dict[UploadKey, UploadState] = {}
        self._requested: set[UploadKey] = set()
        self._guard = threading.Lock()
        self._stopped = False
        self._workers = ThreadPoolExecutor(MAX_UPLOADS, thread_name_prefix="uploader")

    def resolve(self, oa_id: str, image: Mapping[str, str], *, now: float) -> Mapping[str, str]:
        """
        Return *image*, one of `bot.inbox.states.State.images`, as an argument for `bot.cpaas.CpaasClient.send_image`.

        It never waits for an upload: a file without a token is uploaded in the background, by one of all processes.

        Raises:
            NotReady: The file must be uploaded first.
            PictureRefused: The upload has failed several times, or is impossible: the file is at fault.
        """
        if "file" not in image:
            return {field: image[field] for field in ("image_url", "attachment_id") if field in image}
        key = UploadKey(oa_id, image["digest"] or self._digest(image["file"]), self._vendor.upload_type)
        refused_at = float(image.get("newer_than", 0.0))
        newer_than = max(now - _RENEW_AFTER_SECONDS, refused_at)
        found = self._valid_tokens.get(key)
        if found is None or not newer_than < found.uploaded_at:
            found = self._find(key)
        if found is not None and found.token and newer_than < found.uploaded_at:
            self._valid_tokens[key] = found
            return {"attachment_id": found.token}
        self._valid_tokens.pop(key, None)
        refusal = self._refusal(UploadRequest(key, image["file"], newer_than), found, now)
        if found is not None and found.token and max(now - _TOKEN_LIFETIME_SECONDS, refused_at) < found.uploaded_at:
            return {"attachment_id": found.token}
        raise refusal

    def upload_ahead(self, oa_id: str, name: str, digest: str) -> bool:
        """
        Upload an image file before a customer needs it, in the calling thread; return whether this is finished.

        It is finished if there is a token or several uploads have failed. It is not tried if another process is
        uploading the image, if calls of the OA fail, or if the OA's rate limit leaves few calls. A failure is stored
        like any other, but does not delay an upload that a customer waits for.
        """
        key, now = UploadKey(oa_id, digest, self._vendor.upload_type), self._now()
        request = UploadRequest(key, name, now - _RENEW_AFTER_SECONDS, is_ahead=True)
        if not self._is_settled(request, self._uploads.find(key)):
            self._upload(request)
        return self._is_settled(request, self._uploads.find(key))

    def _is_settled(self, request: UploadRequest, found: UploadState | None) -> bool:
        if found is None:
            return False
        has_token = bool(found.token) and request.newer_than < found.uploaded_at
        return has_token or found.failures >= _FAILURES_TO_LAST

    def stop(self) -> None:
        """Finish the uploads in progress, and begin no more."""
        with self._guard:
            self._stopped = True
        self._workers.shutdown(cancel_futures=True)

    def _find(self, key: UploadKey) -> UploadState | None:
        try:
            return self._uploads.find(key)
        except StorageError as error:
            trouble = f"the database does not answer ({error})"
        raise NotReady(trouble, wait=_POLL_SECONDS)

    def _refusal(self, request: UploadRequest, found: UploadState | None, now: float) -> DeliveryError:
        """Return why the image cannot be sent now; begin its upload if that may help."""
        pause = found.pause(now) if found is not None else 0.0
        if found is None or pause == 0.0:
            if found is None or not found.is_under_way(now):
                self._request_upload(request)
            return NotReady("the picture is being uploaded", wait=_POLL_SECONDS)
        lasting = found.failures >= _FAILURES_TO_LAST
        if lasting and found.refused:
            return PictureRefused(found.trouble)
        return NotReady(found.trouble, wait=min(pause, _MAX_WAIT_SECONDS), lasting=lasting)

    def _request_upload(self, request: UploadRequest) -> None:
        with self._guard:
            if self._stopped or request.key in self._requested:
                return
            self._requested.add(request.key)
            self._workers.submit(self._work, request)

    def _work(self, request: UploadRequest) -> None:
        try:
            self._upload(request)
        except Exception:
            # The database is unreachable; the next delivery of the image requests the upload again.
            log.exception("cannot upload a picture", extra={"oa_id": request.key.oa_id, "file": request.name})
        finally:
            with self._guard:
                self._requested.discard(request.key)

    def _upload(self, request: UploadRequest) -> None:
        key, log_fields = request.key, {"oa_id": request.key.oa_id, "file": request.name}
        lease = self._vendor.timeout + _LEASE_MARGIN_SECONDS
        if not self._uploads.claim(
            key, now=self._now(), lease=lease, newer_than=request.newer_than, only_if_spare=request.is_ahead
        ):
            return
        try:
            picture = self._read(request)
            name = _upload_name(request.name, picture)
            token = self._vendor.upload_file(oa_id=key.oa_id, name=name, content=picture.content)
        except DeliveryError as error:
            log.warning("not uploaded", extra=log_fields | {"outcome": type(error).__name__, "error": str(error)})
            self._uploads.record_failure(
                key,
                f"{request.name}: {error}",
                now=self._now(),
                refused=isinstance(error, Refused),
                retry_after=None if request.is_ahead else error.retry_after if isinstance(error, NotNow) else 0.0,
            )
        else:
            self._uploads.store_token(key, token, now=self._now())
            log.info("uploaded", extra=log_fields)

    def _read(self, request: UploadRequest) -> LocalImage:
        """Return the file, if its content is still that of the decision."""
        picture = self._usable(request.name)
        if request.key.digest != picture.digest:
            raise PictureRefused("the file has another content than when the answer was decided")
        return picture

    def _digest(self, name: str) -> str:
        """Return the present digest of the file; it was unknown at the decision."""
        return self._usable(name).digest

    def _usable(self, name: str) -> LocalImage:
        try:
            return local_files.read_image(self._folder, name)
        except UnusableImage as error:
            raise PictureRefused(unusable_image(error).text("en")) from None


def _upload_name(name: str, picture: LocalImage) -> str:
    """Return the file name for the upload: in ASCII, because encodings of others vary, with the suffix Zalo needs."""
    return f"{slug(PurePosixPath(name).stem) or 'picture'}.{picture.form}"
