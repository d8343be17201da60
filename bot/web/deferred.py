"""Deferred responses: completed when a write is done; the bot's own worker keeps no thread waiting."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Protocol

from flask import Response

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

#: Key of the WSGI environment that is set if the server completes a `Deferred` itself.
SUPPORTED: Final = "bot.deferred"


class Awaitable(Protocol):
    """The write that a response waits for."""

    def add_done_callback(self, callback: Callable[[], object], /) -> None:
        """Call *callback* when it is done, in any thread; at once if it is done already."""

    def advance(self) -> None:
        """Do the work itself, or return at once if another thread is doing it."""


class TextResponse:
    """A line of text as a reusable WSGI application; it costs a fifth of a Flask response."""

    def __init__(self, status: HTTPStatus, text: str) -> None:
        self.status = status
        self._body = f"{text}\n".encode()
        self._headers = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(self._body)))]

    def __call__(self, _environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response(f"{self.status.value} {self.status.phrase}", self._headers.copy())
        return (self._body,)


@dataclass(frozen=True, slots=True)
class Deferred:
    """Returned by `DeferredResponse` instead of a body, if the server supports it."""

    awaited: Awaitable
    make: Callable[[], TextResponse]
    """Returns the response, once *awaited* is done or the deadline has passed."""
    deadline: float
    """By `time.monotonic`."""


class DeferredResponse(Response):
    """A response whose status and text are known later; under other servers the thread waits until the deadline."""

    def __init__(self, deferred: Deferred) -> None:
        super().__init__()
        self._deferred = deferred

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if SUPPORTED in environ:
            answer: Any = self._deferred
            return answer  # type: ignore[no-any-return]
        awaited, done = self._deferred.awaited, threading.Event()
        awaited.add_done_callback(done.set)
        # In a thread of its own, because it may take longer than the deadline.
        threading.Thread(target=awaited.advance, name="commit", daemon=True).start()
        done.wait(max(0.0, self._deferred.deadline - time.monotonic()))
        return self._deferred.make()(environ, start_response)
