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
from bot.web.console import image_uploads as uploads
from bot.web.console.formatting import gettext as _
from bot.web.console.image_uploads import Outcome

#: Images at a time.
PAGE_SIZE: Final = 24


@dataclass(frozen=True, slots=True)
class Picks:
    """Some images of the library to choose from, the latest first."""

    images: list[StoredImage]
    more: str | None
    """The address of the next ones; None: these are the last."""

    def address(self, image: StoredImage) -> str:
        """Return where a browser finds the image."""
        return address_of(image)


def add_routes(routes: Blueprint, runtime: Runtime) -> None:
    """
    Add what the form of a rule asks for while it is filled in; all of it only where editors may publish.

    ``GET /pictures/pick`` is a piece of HTML, ``?q=`` searches names, ``?page=`` turns over. ``POST`` adds an image and
    tells what came of it as JSON: ``{text, kind, name, address}``, of which the last two are empty if it was refused.
    """

    def require_publishing() -> None:
        if not runtime.settings.console_publish:
            abort(404)

    @routes.get("/pictures/pick")
    def image_picks() -> str:
        require_publishing()
        asked, page = request.args.get("q", ""), max(1, request.args.get("page", 1, type=int))
        return render_template("console/image_picks.html", picks=picks(runtime.image_library, asked, page))

    @routes.post("/pictures/pick")
    def image_add() -> tuple[AnyResponse, int]:
        require_publishing()
        library = runtime.image_library
        outcome, status = _added(library)
        found = next((image for image in library.images() if image.name == outcome.name), None)
        return jsonify(asdict(outcome) | {"address": address_of(found) if found else ""}), status


def picks(library: ImageLibrary, asked: str = "", page: int = 1) -> Picks:
    """Return the images of the library whose names have all the words *asked* for; pages count from 1."""
    wanted = fold(asked).split()
    found = [image for image in library.images() if all(word in fold(image.name) for word in wanted)]
    start, end = (page - 1) * PAGE_SIZE, page * PAGE_SIZE
    more = url_for("console.image_picks", q=asked or None, page=page + 1) if end < len(found) else None
    return Picks(found[start:end], more)


def address_of(image: StoredImage) -> str:
    """Return where a browser finds an image of the library; another content has another address."""
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
