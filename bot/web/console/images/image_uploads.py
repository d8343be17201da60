"""Upload images from the browser into the image library: receive, prepare, store, report each outcome."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Literal

from flask import request
from werkzeug.datastructures import FileStorage

from bot.files import format_size
from bot.images.prepare import PreparedImage, UploadRefused, prepare_upload
from bot.rules.publishing.image_library import ImageLibrary
from bot.web.connection import MAX_BODY_BYTES
from bot.web.console import formatting
from bot.web.console.formatting import gettext as _
from bot.web.console.publishing import check_notes

#: The largest upload, in bytes: all its images and the rest of the form.
MAX_UPLOAD_BYTES: Final = MAX_BODY_BYTES
# A limit of concurrent uploads: they are converted one at a time, and each waiting one occupies a thread.
_UPLOADING: Final = threading.BoundedSemaphore(4)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one upload or action."""

    text: str
    kind: Literal["good", "warn", "bad"]
    name: str = ""
    """The name of the uploaded image, as in a rule's ``file:``."""
    restores: str = ""
    """The entry of the trash to restore for an undo; empty if there is none."""


class Busy(Exception):
    """Too many uploads are in progress."""


@contextmanager
def uploading() -> Iterator[None]:
    """
    Count an upload while the block runs.

    Raises:
        Busy: There are four uploads already.
    """
    if not _UPLOADING.acquire(blocking=False):
        raise Busy
    try:
        yield
    finally:
        _UPLOADING.release()


def received(field: str) -> list[FileStorage]:
    """
    Return the files of a field of the form that is being sent.

    Raises:
        werkzeug.exceptions.RequestEntityTooLarge: The form is larger than `MAX_UPLOAD_BYTES`.
    """
    request.max_content_length = MAX_UPLOAD_BYTES
    return [file for file in request.files.getlist(field) if file.filename]


def stored(library: ImageLibrary, file: FileStorage) -> Outcome:
    """Prepare one image and add it to the library."""
    filename = file.filename or ""
    try:
        image = prepare_upload(file.read())
        name, is_new = library.add(image, filename)
    except UploadRefused as error:
        return refused(filename, error)
    except OSError as error:
        return Outcome(f"{filename}: {unwritable(error)}", "bad")
    if not is_new:
        text = _("{filename}: is in the library already, as {name}.").format(filename=filename, name=name)
        return Outcome(text, "warn", name)
    text = _("{filename}: added as {name}.").format(filename=filename, name=name)
    return Outcome(text + changes(image), "good", name)


def busy() -> Outcome:
    """Return the outcome for an upload while too many are in progress."""
    return Outcome(_("Others are uploading pictures at this moment. Try again in a few seconds."), "warn")


def too_large() -> Outcome:
    """Return the outcome for an upload of more than `MAX_UPLOAD_BYTES`."""
    text = _("Nothing was uploaded: that was more than {limit} at once. Choose fewer pictures.")
    return Outcome(text.format(limit=size_text(MAX_UPLOAD_BYTES)), "bad")


def refused(filename: str, error: UploadRefused) -> Outcome:
    """Return the outcome for a file that is no image that Zalo accepts."""
    return Outcome(f"{filename}: {_(error.message).format(kind=error.kind)}", "bad")


def changes(image: PreparedImage) -> str:
    """Return what was changed in an image, as words to append; empty if nothing was."""
    if not image.is_converted:
        return ""
    before, after = (
        f"{size_text(size)} ({width} × {height})" for size, (width, height) in zip(image.size, image.sides, strict=True)
    )
    return " " + _("Made ready for Zalo: from {before} to {after}.").format(before=before, after=after)


def size_text(size: int) -> str:
    """Return a size in bytes in the reader's language."""
    return format_size(size, formatting.language())


def unwritable(error: OSError) -> str:
    """Return why the library could not be written."""
    text = _("The folder of pictures cannot be written ({reason}). Please tell whoever runs the bot.")
    return text.format(reason=check_notes.write_failure(error))
