"""Image library: upload images from the browser, see where each is used, replace, delete and restore them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from flask import Blueprint, abort, render_template, request, url_for
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import RequestEntityTooLarge

from bot.images.prepare import UploadRefused, prepare_upload
from bot.rules.engine import FALLBACK, replies_of
from bot.rules.model.schema import RuleFile
from bot.rules.publishing.image_library import ImageLibrary, StoredImage, UnknownImage
from bot.rules.reading.loader import load
from bot.rules.replication.editing import ImageInUse
from bot.runtime import Runtime
from bot.web.console import formatting
from bot.web.console.formatting import gettext as _
from bot.web.console.images import image_uploads as uploads
from bot.web.console.images.image_uploads import MAX_UPLOAD_BYTES, Outcome

#: Images per page.
PAGE_SIZE: Final = 48

_MAX_TRASHED: Final = 12

PageResponse = str | tuple[str, int]


@dataclass(frozen=True, slots=True)
class _Card:
    """An image of the library on the page."""

    image: StoredImage
    rules: tuple[str, ...]
    """The ids of the rules that name it, including disabled ones."""
    address: str
    size: str

    @property
    def title(self) -> str:
        return self.image.name.rpartition("/")[2]


def add_routes(routes: Blueprint, runtime: Runtime) -> None:
    """
    Add the page and its actions, only if CONSOLE_PUBLISH allows changes.

    ``?show=unused`` lists the images that no rule names; ``?page=`` is the page number.
    """
    page = _LibraryPage(runtime)
    routes.get("/pictures/library", endpoint="image_library")(page.show)
    routes.post("/pictures/library", endpoint="image_upload")(page.upload)
    routes.post("/pictures/library/act", endpoint="image_act")(page.act)
    # For a change of language, or when the URL is opened again.
    routes.get("/pictures/library/act", endpoint="image_act_again")(page.show)


class _LibraryPage:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    @property
    def _library(self) -> ImageLibrary:
        return self._runtime.image_library

    def show(self) -> PageResponse:
        self._require_publishing()
        return self._page([])

    def upload(self) -> PageResponse:
        """Add the uploaded images or, with ``?replace=``, replace that image."""
        self._require_publishing()
        try:
            with uploads.uploading():
                return self._uploaded()
        except uploads.Busy:
            return self._page([uploads.busy()], 503)

    def _uploaded(self) -> PageResponse:
        try:
            files = uploads.received("image")
        except RequestEntityTooLarge:
            return self._page([uploads.too_large()], 413)
        if not files:
            return self._page([Outcome(_("Choose a picture first."), "warn")], 400)
        replaced = request.args.get("replace", "")
        if replaced:
            outcomes = [self._replaced(replaced, files[0])]
        else:
            outcomes = [uploads.stored(self._library, file) for file in files]
        return self._page(outcomes, 422 if all(one.kind == "bad" for one in outcomes) else 200)

    def act(self) -> PageResponse:
        """Delete an image that no rule names, or restore one."""
        self._require_publishing()
        name, now = request.form.get("name", ""), self._runtime.database.now()
        acts = {"delete": self._delete, "restore": self._restore}
        act = acts.get(request.form.get("action", "")) or abort(400)
        try:
            outcome = act(name, now)
        except UnknownImage:
            outcome = Outcome(_("That picture is not there any more."), "warn")
        except ImageInUse:
            text = _("{name}: not deleted, for a rule that was published on another machine sends it.")
            outcome = Outcome(text.format(name=name), "bad")
        except OSError as error:
            outcome = Outcome(uploads.unwritable(error), "bad")
        return self._page([outcome], 200 if outcome.kind == "good" else 409)

    def _require_publishing(self) -> None:
        if not self._runtime.settings.console_publish:
            abort(404)

    def _replaced(self, name: str, file: FileStorage) -> Outcome:
        """Replace the content of an image of the library."""
        filename = file.filename or ""
        try:
            image = prepare_upload(file.read())
            self._library.replace(name, image, now=self._runtime.database.now())
        except UploadRefused as error:
            return uploads.refused(filename, error)
        except UnknownImage:
            return Outcome(_("That picture is not there any more."), "bad")
        except OSError as error:
            return Outcome(f"{filename}: {uploads.unwritable(error)}", "bad")
        text = _("{name}: replaced; every rule that names it sends the new picture.").format(name=name)
        return Outcome(text + uploads.changes(image), "good", name, self._library.trashed()[0].entry)

    def _delete(self, name: str, now: float) -> Outcome:
        content = self._runtime.publisher.content()
        file = load(content).file if content is not None else None
        users = _users(filter(None, (self._runtime.rules_reloader.rules.file, file))).get(name, ())
        if users:
            text = _("{name}: not deleted, for rules send it: {rules}. Give them another picture first.")
            return Outcome(text.format(name=name, rules=", ".join(map(formatting.rule_name, users))), "bad")
        entry = self._library.delete(name, now=now)
        return Outcome(_("{name}: deleted.").format(name=name), "good", restores=entry)

    def _restore(self, entry: str, now: float) -> Outcome:
        return Outcome(_("{name}: restored.").format(name=self._library.restore(entry, now=now)), "good")

    def _page(self, outcomes: list[Outcome], status: int = 200) -> PageResponse:
        users = _users([self._runtime.rules_reloader.rules.file])
        images, shows_unused = self._library.images(), request.args.get("show") == "unused"
        unused = [image for image in images if image.name not in users]
        listed = unused if shows_unused else images
        last = max(0, (len(listed) - 1) // PAGE_SIZE)
        page = min(max(0, request.args.get("page", 1, type=int) - 1), last)
        show = "unused" if shows_unused else None
        html = render_template(
            "console/image_library.html",
            outcomes=outcomes,
            cards=[_card(image, users) for image in listed[page * PAGE_SIZE : (page + 1) * PAGE_SIZE]],
            counts=(len(images), len(unused)),
            shows_unused=shows_unused,
            trashed=self._library.trashed()[:_MAX_TRASHED],
            max_bytes=MAX_UPLOAD_BYTES,
            fallback=FALLBACK,
            position=(page + 1, last + 1),
            previous=url_for("console.image_library", show=show, page=page) if page else None,
            next=url_for("console.image_library", show=show, page=page + 2) if page < last else None,
        )
        return html, status


def _card(image: StoredImage, users: Mapping[str, tuple[str, ...]]) -> _Card:
    address = url_for("console.picture_file", name=image.name, v=f"{image.modified_ns:x}")
    return _Card(image, users.get(image.name, ()), address, uploads.size_text(image.size))


def _users(files: Iterable[RuleFile]) -> Mapping[str, tuple[str, ...]]:
    """Return the ids of the rules that name each image file, including disabled ones."""
    users: dict[str, dict[str, None]] = {}
    for file in files:
        for name, rule_id in _uses(file):
            users.setdefault(name, {})[rule_id] = None
    return {name: tuple(rules) for name, rules in users.items()}


def _uses(file: RuleFile) -> Iterator[tuple[str, str]]:
    for rule_id, reply in replies_of(file).items():
        yield from ((image.file, rule_id) for image in reply.images if image.file)
