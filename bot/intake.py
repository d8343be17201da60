"""The way of a delivery into the inbox: who sent it, what it is, and when it is durable."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from typing import Final

from bot import logs, metrics, zalo
from bot.config import Settings
from bot.errors import BadPayload
from bot.inbox.database import Database
from bot.inbox.group_commit import Pending
from bot.inbox.queue import Inbox
from bot.zalo import Event

log = logging.getLogger(__name__)

#: What a delivery waits for its commit: Zalo waits two seconds for its answer, then delivers again.
STORE_SECONDS: Final = 1.8

#: Told once what became of a delivery: None once it is durable, else why that is not certain.
Done = Callable[[Exception | None], None]


class Intake:
    """Stores deliveries for any number of threads, none of which has to wait; start it after the last fork."""

    def __init__(self, settings: Settings, database: Database, inbox: Inbox, *, wake: Callable[[], None]) -> None:
        self._settings = settings
        self._database = database
        self._inbox = inbox
        self._wake = wake
        self._stopping = threading.Event()
        self._unanswered: queue.SimpleQueue[tuple[float, _Once] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._give_up_in_time, name="intake", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread; what is not stored by now is not going to be."""
        self._stopping.set()
        self._unanswered.put(None)
        self._thread.join()

    def store(self, event: Event, body: bytes, done: Done) -> None:
        """
        Have the event stored, and *done* told of it: by another thread, and after STORE_SECONDS at the latest.

        *done* must be quick: while it runs, nothing is stored.
        """
        once = _Once(done)
        oa_ids = self._settings.zalo_oa_id
        refused = "other-oa" if oa_ids and event.oa_id not in oa_ids else None

        def stored(job: Pending) -> None:
            if job.error is None:
                metrics.received(event.on, fresh=job.answer)
                _log_receipt(event, fresh=job.answer)
                if job.answer:
                    self._wake()
            once(job.error)

        self._unanswered.put((time.monotonic() + STORE_SECONDS, once))
        try:
            self._inbox.submit(event, body, now=self._database.now(), refused=refused, then=stored)
        except Exception as error:  # noqa: BLE001  the caller hears of it as of any other
            once(error)

    def _give_up_in_time(self) -> None:
        while (item := self._unanswered.get()) is not None:
            deadline, once = item
            while not once.is_done and not self._stopping.is_set() and (left := deadline - time.monotonic()) > 0:
                self._stopping.wait(left)
            once(TimeoutError("the database took too long"))


def _log_receipt(event: Event, *, fresh: bool) -> None:
    if log.isEnabledFor(logging.DEBUG):  # while this runs, nothing is stored
        log.debug("received" if fresh else "received again", extra=logs.about(event.key) | {"kind": event.name})


class _Once:
    """Passes on the first outcome that it is told, and no other."""

    __slots__ = ("_left",)

    def __init__(self, done: Done) -> None:
        self._left = [done]

    @property
    def is_done(self) -> bool:
        return not self._left

    def __call__(self, error: Exception | None) -> None:
        try:
            done = self._left.pop()  # of two threads, one gets it
        except IndexError:
            return
        done(error)


def admit(settings: Settings, body: bytes, signature: str | None) -> Event | None:
    """
    Return the event in *body*, or None for an empty body or object: the developer console's probe.

    *signature* is the header's value; it counts only with WEBHOOK_AUTH=signature.

    Raises:
        WebhookError: The delivery is refused.
    """
    payload = zalo.decode(body) if body.strip() else {}
    if not payload:
        return None
    if settings.webhook_auth == "signature":
        if settings.zalo_app_id is None or settings.zalo_oa_secret_key is None:
            raise BadPayload("signatures cannot be verified: settings are missing")
        secret = settings.zalo_oa_secret_key.get_secret_value()
        zalo.verify(body, payload, signature, app_id=settings.zalo_app_id, secret=secret)
    return zalo.parse(payload, body)
