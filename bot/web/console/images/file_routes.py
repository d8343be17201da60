"""Serve the local image files that the rules name and those of the library, to logged-in editors only."""

from __future__ import annotations

from flask import Blueprint, Response, abort

from bot.images import local_files
from bot.rules.engine import image_files
from bot.runtime import Runtime

_TYPES = {"jpg": "image/jpeg", "png": "image/png"}


def add_routes(routes: Blueprint, runtime: Runtime) -> None:
    """Add ``GET /picture-files/<name>``; ``?v=`` is the file's digest, so that browsers reload a changed one."""

    def is_in_library(name: str) -> bool:
        images = runtime.image_library.images() if runtime.settings.console_publish else []
        return any(image.name == name for image in images)

    @routes.get("/picture-files/<path:name>")
    def picture_file(name: str) -> Response:
        if name not in image_files(runtime.rules_reloader.rules.file) and not is_in_library(name):
            abort(404)
        try:
            found = local_files.read_image(runtime.settings.rules_file.parent, name)
        except local_files.UnusableImage:
            abort(404)
        response = Response(found.content, mimetype=_TYPES[found.form])
        response.cache_control.private = True
        response.cache_control.max_age = 3600
        return response
