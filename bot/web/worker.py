"""Gunicorn worker that buffers requests until they are complete, and completes deferred responses later."""

from __future__ import annotations

import contextlib
import errno
import logging
import selectors
import socket
import ssl
import time
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import partial
from http import HTTPStatus
from typing import Any, Final

from gunicorn import sock as sockets
from gunicorn import util
from gunicorn.http import Request, errors, wsgi
from gunicorn.workers.gthread import ThreadWorker

from bot import logs
from bot.web.connection import REQUEST_SECONDS, BodyTooLargeError, Connection
from bot.web.deferred import Deferred
from bot.web.exchange import Exchange
from bot.web.paths import never_waits, without_token
from bot.web.pending import PendingExchanges

_log_rejection = logs.Bounded(logging.getLogger(__name__), logging.WARNING, "what came in was no HTTP request")

# After this a thread gives up on a client that does not read its response.
_SEND_SECONDS: Final = 10.0
# How long a client has to read the last response before the connection is closed.
_LINGER_SECONDS: Final = 1.0
# A stopping worker goes on serving this long, so that requests under way need not be repeated.
_STOP_SECONDS: Final = 2.0
_SWEEP_SECONDS: Final = 0.1
_MAX_ACCEPTS_PER_TURN: Final = 64
# If one worker took all connections that wait, the others would have none to serve.
_MAX_SHARED_ACCEPTS_PER_TURN: Final = 1
# Of all incomplete requests together.
_MAX_BUFFERED_BYTES: Final = 64 * 1024 * 1024
_SMALL_BYTES: Final = 16 * 1024
# Errors of a send to a client that has left or does not read.
_GONE: Final = (ConnectionError, TimeoutError, BlockingIOError, ssl.SSLError)
_STATUS: Final[dict[type[Exception], HTTPStatus]] = {
    errors.LimitRequestLine: HTTPStatus.REQUEST_URI_TOO_LONG,
    errors.LimitRequestHeaders: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    errors.ExpectationFailed: HTTPStatus.EXPECTATION_FAILED,
    errors.UnsupportedTransferCoding: HTTPStatus.NOT_IMPLEMENTED,
    errors.ForbiddenProxyRequest: HTTPStatus.FORBIDDEN,
}


class BufferingWorker(ThreadWorker):
    """
    Gunicorn's threaded worker with an event loop that receives requests and completes deferred responses.

    A connection belongs to the loop, except while a thread answers its request. Requests that never wait are answered
    in the loop. Slow and idle clients occupy no thread; the oldest are closed for new ones at `worker_connections`
    connections, or at a quarter of that from one peer.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._max_accepts = _MAX_ACCEPTS_PER_TURN if self.cfg.workers == 1 else _MAX_SHARED_ACCEPTS_PER_TURN
        self._max_per_peer = max(1, self.worker_connections // 4)
        self._per_peer: Counter[str] = Counter()
        self._waiting: dict[Connection, None] = {}
        """Connections that are idle, incomplete or lingering, the oldest first."""
        self._pending = PendingExchanges(self.method_queue.defer, self._complete_deferred)
        self._begun: Deferred | None = None
        """The latest deferred response of this turn, until a thread advances it."""
        self._is_warm = False
        """Whether a thread has got a deferred response; before that, the application may still be starting."""
        self._swept_at = 0.0

    def run(self) -> None:
        """Serve until a signal or the end of the master, then finish the accepted connections."""
        wakes: Any = self.method_queue.fileno()
        self.poller.register(wakes, selectors.EVENT_READ, self.method_queue.run_callbacks)
        while self.alive and self.is_parent_alive():
            self.set_accept_enabled(self.nr_conns < self.worker_connections)
            self._turn()
        self.alive = False
        self._drain()
        self.tpool.shutdown(wait=False)
        self.poller.close()
        self.method_queue.close()
        for listener in self.sockets:
            listener.close()

    def _turn(self) -> None:
        self.wait_for_and_dispatch_events(_SWEEP_SECONDS if self._waiting or self._pending else 1.0)
        if self._begun is not None:  # one thread for all responses of this turn
            begun, self._begun = self._begun, None
            self.tpool.submit(begun.awaited.advance)
        if (now := time.monotonic()) >= self._swept_at + _SWEEP_SECONDS:
            self._swept_at = now
            self.notify()
            self._sweep(now)

    def _drain(self) -> None:
        """Serve a little longer, then the connections in the backlog, and return after the last response."""
        began = time.monotonic()
        while (now := time.monotonic()) < began + self.cfg.graceful_timeout:
            if now >= began + _STOP_SECONDS:
                self.set_accept_enabled(False)
                for connection in [c for c in self._waiting if c.started is None and not c.is_lingering]:
                    self._close(connection)
            if self.nr_conns == 0 and (now >= began + 2 * _STOP_SECONDS or not self._accept_backlog()):
                return
            self._turn()

    def _accept_backlog(self) -> bool:
        before = self.nr_conns
        for listener in self.sockets:
            self.accept(listener)
        return self.nr_conns > before

    def accept(self, listener: Any) -> None:
        """Accept waiting connections; close older idle or slow ones if there are too many."""
        for _ in range(self._max_accepts):
            try:
                sock, client = listener.accept()
            except OSError as error:
                if error.errno in (errno.EMFILE, errno.ENFILE):
                    self._give_way()
                elif error.errno not in (errno.EAGAIN, errno.EWOULDBLOCK, errno.ECONNABORTED):
                    raise
                return
            sock.setblocking(False)
            if self.cfg.is_ssl:
                sock = sockets.ssl_wrap_socket(sock, self.cfg)
            connection = Connection(sock, client, listener.getsockname())
            self.nr_conns += 1
            self._per_peer[connection.peer] += 1
            if self._per_peer[connection.peer] > self._max_per_peer and connection.peer:
                self._give_way(connection.peer)
            elif self.nr_conns >= self.worker_connections:
                self._give_way()
            self._await_request(connection)

    def _give_way(self, peer: str | None = None) -> None:
        """Close the oldest idle connection (of *peer* if given), or else the oldest with an incomplete request."""
        candidates = [c for c in self._waiting if peer is None or c.peer == peer]
        if candidates:
            self._close(min(candidates, key=lambda c: c.started is not None))

    def _await_request(self, connection: Connection) -> None:
        connection.deadline = time.monotonic() + max(self.cfg.keepalive, REQUEST_SECONDS)
        self._waiting[connection] = None
        self._poll(connection)
        if connection.received.data:
            self._advance(connection)

    def _poll(self, connection: Connection) -> None:
        if not connection.is_polled:
            connection.is_polled = True
            self.poller.register(connection.sock, selectors.EVENT_READ, partial(self._on_readable, connection))

    def _unpoll(self, connection: Connection) -> None:
        if connection.is_polled:
            connection.is_polled = False
            self.poller.unregister(connection.sock)

    def _on_readable(self, connection: Connection, _sock: object) -> None:
        try:
            if connection.is_closed:
                return  # it was closed for another one in this turn
            if connection.is_busy:
                self._unpoll(connection)  # later bytes wait in the kernel until this request is answered
            elif not connection.receive():
                self._close(connection)
            elif not connection.is_lingering:
                self._advance(connection)
        except Exception:
            # No input of a client may end the loop.
            self.log.exception("Error receiving a request")
            self._close(connection)

    def _advance(self, connection: Connection) -> None:
        """Answer the next request, if it is complete, in a thread or in the loop."""
        try:
            request = connection.next_request(self.cfg)
        except BodyTooLargeError:
            self._refuse(connection, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        except Exception as error:  # noqa: BLE001  what comes from outside must not end the worker
            self._reject(connection, error)
        else:
            if request is not None:
                connection.is_busy = True
                self._waiting.pop(connection, None)
                if self._is_warm and never_waits(request.method, request.path, len(request.body.getbuffer())):
                    self._serve_here(connection, request)
                else:
                    self.tpool.submit(self._serve, connection, request)
            elif len(connection.received.data) > _SMALL_BYTES and self._buffers_too_much():
                self._refuse(connection, HTTPStatus.SERVICE_UNAVAILABLE)

    def _buffers_too_much(self) -> bool:
        return sum(len(connection.received.data) for connection in self._waiting) > _MAX_BUFFERED_BYTES

    def _reject(self, connection: Connection, error: Exception) -> None:
        """Answer bytes that are not a request; the kind of error is logged, but none of the client's bytes."""
        if type(error).__module__ != errors.__name__:
            self.handle_error(connection.request, connection.sock, connection.client, error)
            self._linger(connection)
            return
        status = _STATUS.get(type(error), HTTPStatus.BAD_REQUEST)
        _log_rejection({"error": type(error).__name__, "sender": connection.peer})
        request = connection.request or getattr(error, "req", None)
        if isinstance(request, Request) and request.uri:
            response = wsgi.Response(request, connection.sock, self.cfg)
            response.status = f"{status.value} {status.phrase}"
            environ = wsgi.default_environ(request, connection.sock, self.cfg)
            environ.update({"REMOTE_ADDR": connection.peer, "RAW_URI": without_token(request.uri)})
            self.log.access(response, request, environ, timedelta(0))
        self._refuse(connection, status)

    def _refuse(self, connection: Connection, status: HTTPStatus) -> None:
        with contextlib.suppress(OSError):
            util.write_error(connection.sock, status.value, status.phrase, "")
        self._linger(connection)

    def _serve(self, connection: Connection, request: Any) -> None:
        """Answer the request; runs in a thread of the pool."""
        connection.sock.settimeout(_SEND_SECONDS)
        answered = self._answered(connection, request, partial(self._respond, connection, request))
        if isinstance(answered, Deferred):
            self._is_warm = True
            answered.awaited.advance()
        else:
            self.method_queue.defer(self._finish, connection, answered)

    def _serve_here(self, connection: Connection, request: Any) -> None:
        """Answer a request that never waits; runs in the loop."""
        answered = self._answered(connection, request, partial(self._respond, connection, request))
        if isinstance(answered, Deferred):
            self._begun = answered
        else:  # deferred, because a pipelined request would otherwise be answered inside this call
            self.method_queue.defer(self._finish, connection, answered)

    def _answered(self, connection: Connection, request: Any, answer: Callable[[], bool | Deferred]) -> bool | Deferred:
        """Call *answer* and return its result; if it fails, send an error response and return False."""
        try:
            return answer()
        except _GONE as error:
            self.log.debug("A client was gone before its answer: %s", error)
        except Exception as error:  # noqa: BLE001  it is logged and answered
            self.handle_error(request, connection.sock, connection.client, error)
        return False

    def _respond(self, connection: Connection, request: Any) -> bool | Deferred:
        """Run the application; return whether the connection stays open, or the deferred response."""
        self.cfg.pre_request(self, request)
        exchange = Exchange(connection, request, self.cfg)
        self.nr += 1
        if self.nr >= self.max_requests and self.alive:
            self.log.info("Autorestarting worker after current request.")
            self.alive = False
        body: Any = self.wsgi(exchange.environ, exchange.response.start_response)
        if not isinstance(body, Deferred):
            return self._complete(exchange, body)
        self._pending.add(exchange, body)
        return body

    def _complete(self, exchange: Exchange, body: Iterable[bytes]) -> bool:
        """Send the response; return whether the connection stays open."""
        response = exchange.response
        if not self.alive or not self.cfg.keepalive:
            response.force_close()
        try:
            exchange.send(body)
        except Exception as error:
            if isinstance(error, _GONE) or not exchange.output.has_sent:
                raise
            self.log.exception("Error handling request")
            response.force_close()
        finally:
            self.log.access(response, exchange.request, exchange.environ, exchange.duration())
            self.cfg.post_request(self, exchange.request, exchange.environ, response)
        return not response.should_close()

    def _complete_deferred(self, exchange: Exchange, deferred: Deferred) -> None:
        """Send a deferred response that is known now or has passed its deadline; runs in the loop."""
        connection = exchange.connection
        connection.sock.setblocking(False)

        def answer() -> bool:
            return self._complete(exchange, deferred.make()(exchange.environ, exchange.response.start_response))

        self._finish(connection, bool(self._answered(connection, exchange.request, answer)))

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answer and log an error of the application as gunicorn does, but without the webhook's token."""
        if req is not None and req.uri:
            req.uri = without_token(req.uri)
        super().handle_error(req, client, addr, exc)

    def _finish(self, connection: Connection, keep: bool) -> None:
        connection.is_busy = False
        if keep:
            connection.sock.setblocking(False)
            self._await_request(connection)
        else:
            self._linger(connection)

    def _linger(self, connection: Connection) -> None:
        """Close the connection once the client has read the response; an earlier close might reset it."""
        try:
            connection.sock.setblocking(False)
            connection.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._close(connection)
            return
        connection.is_lingering = True
        connection.received.data.clear()
        connection.deadline = time.monotonic() + _LINGER_SECONDS
        self._waiting[connection] = None
        self._poll(connection)

    def _close(self, connection: Connection) -> None:
        if connection.is_closed:
            return
        connection.is_closed = True
        self._waiting.pop(connection, None)
        self._unpoll(connection)
        util.close(connection.sock)
        self.nr_conns -= 1
        self._per_peer[connection.peer] -= 1
        if not self._per_peer[connection.peer]:
            del self._per_peer[connection.peer]

    def _sweep(self, now: float) -> None:
        """Complete or close everything whose deadline has passed."""
        self._pending.expire(now)
        for connection in [c for c in self._waiting if c.deadline <= now]:
            if connection.started is None or connection.is_lingering:
                self._close(connection)
            else:
                self._refuse(connection, HTTPStatus.REQUEST_TIMEOUT)
