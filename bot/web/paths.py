"""The path of a request: headers must not rewrite it, and access logs must not show the webhook's token in it."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import unquote

from flask import Flask, abort, request

# Gunicorn lets a web server in front set these: GET /webhook/metrics with SCRIPT_NAME: /webhook would be /metrics.
_REWRITING_HEADERS: Final = ("HTTP_SCRIPT_NAME", "HTTP_PATH_INFO")
_WEBHOOK: Final = "/webhook/"


def guard(app: Flask) -> None:
    """Refuse requests whose headers rewrite their path, and hide the webhook's token from the server's access log."""

    @app.before_request
    def refuse() -> None:
        if any(name in request.environ for name in _REWRITING_HEADERS):
            abort(400)

    @app.teardown_request
    def hide(_error: BaseException | None) -> None:
        environ: dict[str, Any] = request.environ
        for name in ("RAW_URI", "REQUEST_URI", "PATH_INFO"):  # all that servers log
            if name in environ:
                environ[name] = without_token(environ[name])


def without_token(uri: str) -> str:
    """
    Return the path or address without what may be the webhook's token.

    >>> without_token("/webhook/abc?x=1")
    '/webhook/[token]'
    >>> without_token("/%77ebhook%2Fabc"), without_token("/healthz")
    ('/webhook/[token]', '/healthz')
    """
    return f"{_WEBHOOK}[token]" if _WEBHOOK in unquote(uri) else uri
