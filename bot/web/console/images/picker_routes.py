"""Choose images for a rule's reply from the library, and add new ones to it, without leaving the form."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Final

from flask import Blueprint, abort, jsonify, render_template, request, url_for
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response as AnyResponse

from bot.rules.language.text import fold
from bot.rules.publishing.image_library import ImageLibrary, StoredImage
from bot.runtime import Runtime
from bot.web.console.formatting import gettext as _
from bot.web.console.images import image_uploads as uploads
from bot.web.console.images.image_uploads import Outcome

#: Images per page.
PAGE_SIZE: Final = 24


@dataclass(frozen=True, slots=True)
class Picks:
    """A page of images to choose from, the latest first."""

    images: list[StoredImage]
    more: str | None
    """The URL of the next page; None if this is the last."""

    def address(self, image: StoredImage) -> str:
        """Return the URL of the image."""
        return address_of(image)


def add_routes(routes: Blueprint, runtime: Runtime) -> None:
    """
    Add the routes that the rule form's script calls, only if CONSOLE_PUBLISH allows changes.

    ``GET /pictures/pick`` returns a piece of HTML; ``?q=`` searches names, ``?page=`` is the page number. ``POST`` adds
    an image and returns JSON: ``{text, kind, name, address}``; the last two are empty if the image was refused.
    """

    def require_publishing() -> None:
        if not runtime.settings.console_publish:
            abort(404)

    @routes.get("/pictures/pick")
    def image_picks() -> str:
        require_publishing()
        words, page = request.args.get("q", ""), max(1, request.args.get("page", 1, type=int))
        return render_template("console/image_picks.html", picks=picks(runtime.image_library, words, page))

    @routes.post("/pictures/pick")
    def image_add() -> tuple[AnyResponse, int]:
        require_publishing()
        library = runtime.image_library
        outcome, status = _added(library)
        found = next((image for image in library.images() if image.name == outcome.name), None)
        return jsonify(asdict(outcome) | {"address": address_of(found) if found else ""}), status


def picks(library: ImageLibrary, words: str = "", page: int = 1) -> Picks:
    """Return the images whose names have all words of *words*; pages count from 1."""
    wanted = fold(words).split()
    found = [image for image in library.images() if all(word in fold(image.name) for word in wanted)]
    start, end = (page - 1) * PAGE_SIZE, page * PAGE_SIZE
    more = url_for("console.image_picks", q=words or None, page=page + 1) if end < len(found) else None
    return Picks(found[start:end], more)


def address_of(image: StoredImage) -> str:
    """Return the URL of an image of the library; it changes with the content."""
    return url_for("console.picture_file", name=image.name, v=f"{image.modified_ns:x}")


def _added(library: ImageLibrary) -> tuple[Outcome, int]:
    try:
        with uploads.uploading():
            files = uploads.received("image")
            if not files:
                return Outcome(_("Choose a picture first."), "warn"), 400
            outcome = uploads.stored(library, files[0])
    except uploads.Busy:
        return uploads.busy(), 503
    except RequestEntityTooLarge:
        return uploads.too_large(), 413
    return outcome, 422 if outcome.kind == "bad" else 200
