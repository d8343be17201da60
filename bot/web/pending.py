"""Requests with a deferred response: the event loop completes them when the response is known, or at a deadline."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial

from bot.web.deferred import Deferred
from bot.web.exchange import Exchange


class PendingExchanges:
    """The waiting exchanges, in the order of their deadlines; any thread may report that one is done."""

    def __init__(
        self, defer: Callable[[Callable[[], None]], None], complete: Callable[[Exchange, Deferred], None]
    ) -> None:
        """*defer* makes the loop call a function soon; *complete* sends a response, in the loop."""
        self._defer = defer
        self._complete = complete
        self._waiting: deque[Exchange] = deque()
        self._done: deque[Exchange] = deque()
        self._is_woken = False

    def __bool__(self) -> bool:
        """Return whether any exchange may still wait."""
        return bool(self._waiting)

    def add(self, exchange: Exchange, deferred: Deferred) -> None:
        """Complete *exchange* when *deferred* is done."""
        exchange.deferred = deferred
        self._waiting.append(exchange)
        deferred.awaited.add_done_callback(partial(self._on_done, exchange))

    def expire(self, now: float) -> None:
        """Complete those whose deadline has passed; *now* is by `time.monotonic`."""
        while self._waiting and (self._waiting[0].deferred is None or self._waiting[0].deferred.deadline <= now):
            self._complete_once(self._waiting.popleft())

    def _on_done(self, exchange: Exchange) -> None:
        self._done.append(exchange)
        if not self._is_woken:  # once for all that are done together
            self._is_woken = True
            self._defer(self._complete_done)

    def _complete_done(self) -> None:
        self._is_woken = False
        while self._done:
            self._complete_once(self._done.popleft())

    def _complete_once(self, exchange: Exchange) -> None:
        deferred, exchange.deferred = exchange.deferred, None
        if deferred is not None:
            self._complete(exchange, deferred)
