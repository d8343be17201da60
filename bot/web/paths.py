"""Request paths: which are answered without waiting, no rewriting by headers, no token in access logs."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import unquote

from flask import Flask, abort, request

# Gunicorn lets a proxy set these: GET /webhook/metrics with SCRIPT_NAME: /webhook would become /metrics.
_REWRITING_HEADERS: Final = ("HTTP_SCRIPT_NAME", "HTTP_PATH_INFO")
_WEBHOOK: Final = "/webhook/"
# A usual event of Zalo has about one kilobyte.
_QUICK_BYTES: Final = 16 * 1024


def never_waits(method: str, path: str, body_bytes: int) -> bool:
    """Return whether the request is answered quickly and without waiting: a webhook delivery of usual size."""
    return method == "POST" and path.startswith("/webhook") and body_bytes <= _QUICK_BYTES


def guard(app: Flask) -> None:
    """Refuse requests whose headers rewrite the path, and hide the webhook's token from the server's access log."""

    @app.before_request
    def refuse() -> None:
        if any(name in request.environ for name in _REWRITING_HEADERS):
            abort(400)

    @app.teardown_request
    def hide(_error: BaseException | None) -> None:
        environ: dict[str, Any] = request.environ
        for name in ("RAW_URI", "REQUEST_URI", "PATH_INFO"):  # the variables that servers log
            if name in environ:
                environ[name] = without_token(environ[name])


def without_token(uri: str) -> str:
    """
    Return the path or URL with the webhook's token, if any, replaced by ``[token]``.

    >>> without_token("/webhook/abc?x=1")
    '/webhook/[token]'
    >>> without_token("/%77ebhook%2Fabc"), without_token("/healthz")
    ('/webhook/[token]', '/healthz')
    """
    return f"{_WEBHOOK}[token]" if _WEBHOOK in unquote(uri) else uri
