"""Answers that are given later, by whoever knows them first, while no thread waits for them."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from flask import Response
from gunicorn import util
from gunicorn.http import wsgi

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

log = logging.getLogger(__name__)

# Gunicorn's settings that have each answer written down, or counted, when it is given.
_ACCESS_LOGS = ("accesslog", "logconfig", "logconfig_dict", "logconfig_json", "syslog", "statsd_host")
# Seconds; gunicorn closes a connection that has been silent for longer than it is told to.
_LONGEST_WAIT = 2

#: Gives the answer: its HTTP status and its text.
Give = Callable[[int, str], None]


class Held(Response):
    """
    A response whose status and text are not known yet: *ask* has them given to it, once, by any thread.

    Under gunicorn's threads the answer is written to the client's connection by who gives it. A thread for each
    request that is waiting costs more than all the rest of an acknowledgement: it is put to sleep and woken up,
    and all those woken at the same moment fight for the interpreter. Under any other server, or where the
    connection ends with the answer, the request's own thread waits for it.
    """

    def __init__(self, ask: Callable[[Give], None]) -> None:
        super().__init__()
        self._ask = ask

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        connection = _kept_open(start_response)
        if connection is None:
            return self._wait()(environ, start_response)
        answer = _Answer(connection)
        self._ask(answer.give)
        return ()

    def _wait(self) -> Response:
        given: list[Response] = []
        arrived = threading.Event()

        def give(status: int, text: str) -> None:
            given.append(plain(status, text))
            arrived.set()

        self._ask(give)
        arrived.wait()
        return given[0]


def plain(status: int, text: str) -> Response:
    """Return a line of text for machines and people."""
    return Response(f"{text}\n", status, mimetype="text/plain")


class _Answer:
    """The answer on a connection that gunicorn keeps open and listens to meanwhile."""

    def __init__(self, response: Any) -> None:
        self._response = wsgi.Response(response.req, response.sock, response.cfg)
        # Of its own accord gunicorn answers when the application returns: it is to think that it has.
        response.start_response(_line(HTTPStatus.OK), [("Content-Length", "0")])
        response.headers_sent = True

    def give(self, status: int, text: str) -> None:
        answer = plain(status, text)
        response: Any = self._response
        response.start_response(_line(status), answer.headers.to_wsgi_list())
        head = [*response.default_headers(), *(f"{name}: {value}\r\n" for name, value in response.headers), "\r\n"]
        try:
            util.write(response.sock, "".join(head).encode("latin-1") + answer.data)
        except OSError as error:
            # Who does not hear the answer delivers again; after half of one, nothing more may follow.
            log.debug("a client was gone before its answer", extra={"trouble": type(error).__name__})
            with contextlib.suppress(OSError):
                response.sock.shutdown(socket.SHUT_RDWR)


def _line(status: int) -> str:
    return f"{status} {HTTPStatus(status).phrase}"


def _kept_open(start_response: object) -> object | None:
    """Return gunicorn's response if its connection outlives it, and nobody is told of it when it seems given."""
    response: Any = getattr(start_response, "__self__", None)
    if type(response) is not wsgi.Response or not hasattr(response, "headers_sent"):
        return None
    settings = response.cfg
    lasts = settings.worker_class_str == "gthread" and settings.keepalive >= _LONGEST_WAIT and not settings.is_ssl
    if not lasts or any(getattr(settings, name, None) for name in _ACCESS_LOGS):
        return None
    ends = response.must_close or response.req.should_close()
    return None if ends or not _is_waiting(response) else response


def _is_waiting(response: Any) -> bool:
    """Return whether the client says no more before its answer: those of later requests must not come first."""
    try:
        response.sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return not response.req.unreader.buf.getvalue()
    except OSError:
        return False  # it has gone
    return False
