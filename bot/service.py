"""The parts of the running bot put together: one per process, made anew after a fork."""

from __future__ import annotations

import atexit
import os
import threading

from sqlalchemy.exc import SQLAlchemyError

from bot import metrics, zalo
from bot.accounts import Rate
from bot.config import Settings
from bot.cpaas import Vendor
from bot.database import Database
from bot.delivery import Delivery, Policy
from bot.dispatch import Dispatcher, Limits
from bot.errors import BadPayload
from bot.inbox import Inbox
from bot.rules.watch import RulesWatch
from bot.upkeep import Caretaker
from bot.writer import Writer

# Past the longest call of the vendor, what is left is a few commits.
_DRAIN_MARGIN = 5.0
# Zalo waits two seconds for its answer.
_START_SECONDS = 1.5


class Service:
    """Receives deliveries into the inbox and, unless told otherwise, delivers what is in it."""

    def __init__(self, settings: Settings, *, delivers: bool = True) -> None:
        self.settings = settings
        self._delivers = delivers
        self._running = threading.Event()

    def start(self) -> None:
        """
        Open the database, load the rules, start the threads.

        A process that forks afterwards, as gunicorn's master does with --preload, leaves the work to its children:
        threads do not survive a fork, and one forked in the middle of something would hang.

        Raises:
            ConfigError: The rules file is not there.
            RulesError: The rules file has problems.
            sqlalchemy.exc.SQLAlchemyError: The database cannot be opened.
        """
        self._open()
        os.register_at_fork(before=self.stop, after_in_child=self._open_aside)
        atexit.register(self.stop)

    def _open_aside(self) -> None:
        # A new gunicorn worker is deaf to signals until it gets on: it must not wait for the database here.
        threading.Thread(target=self._open, name="start", daemon=True).start()

    def rehearse(self) -> None:
        """Do what a start does that can fail, and leave nothing running; raises what `start` raises."""
        self._open_parts()
        self._close_parts()

    def readiness(self) -> tuple[list[str], list[str]]:
        """Return what is missing for the work, and what the operator should know besides."""
        if not self._running.is_set():
            return ["it is starting"], []
        try:
            troubles = self.inbox.troubles()
        except SQLAlchemyError as error:
            return [f"the database does not answer ({type(error).__name__})"], []
        remarks = [f"rules: {self.watch.trouble}; the last good rules are in force"] if self.watch.trouble else []
        remarks += [f"OA {oa_id}: nothing is sent at present: {trouble}" for oa_id, trouble in troubles.items()]
        return [], remarks

    def _open(self) -> None:
        self._open_parts()
        self.watch.start()
        self._dispatcher = self._dispatch() if self._delivers else None
        self._caretaker = Caretaker(self.database, retention=self.settings.retention.total_seconds())
        self._caretaker.start()
        self._running.set()

    def _open_parts(self) -> None:
        settings = self.settings
        self.database = Database(settings.database_url.get_secret_value())
        self.database.migrate()
        self._writer = Writer(self.database)
        self.inbox = Inbox(self.database, self._writer)
        self.watch = RulesWatch(settings.rules_file, self.inbox)
        self.watch.load()

    def _dispatch(self) -> Dispatcher:
        settings = self.settings
        limits = Limits(
            concurrency=settings.send_concurrency,
            rate=Rate.per_minute(settings.send_rate),
            takeover_mute=settings.takeover_mute.total_seconds(),
            max_attempts=settings.max_attempts,
        )
        if self.database.live_alone():
            self.inbox.end_leases(now=self.database.now())
        delivery = Delivery(self.inbox, lambda: self.watch.rules, Policy.of(settings))
        dispatcher = Dispatcher(self.inbox, delivery, Vendor(settings), limits, self.database.now)
        dispatcher.start()
        return dispatcher

    def receive(self, body: bytes, signature: str | None) -> None:
        """
        Make the event in *body* durable; an empty body or object, the console's probe, is none.

        *signature* is the header's value; it counts only with WEBHOOK_AUTH=signature.

        Raises:
            WebhookError: The delivery is refused; nothing was stored.
            Exception: The event may not be durable.
        """
        payload = zalo.decode(body) if body.strip() else {}
        if not payload:
            return
        settings = self.settings
        if settings.webhook_auth == "signature":
            if settings.zalo_app_id is None or settings.zalo_oa_secret_key is None:
                raise BadPayload("signatures cannot be verified: settings are missing")
            secret = settings.zalo_oa_secret_key.get_secret_value()
            zalo.verify(body, payload, signature, app_id=settings.zalo_app_id, secret=secret)
        event = zalo.parse(payload, body)
        if not self._running.wait(_START_SECONDS):
            raise TimeoutError("the bot is still starting")
        other = bool(settings.zalo_oa_id) and event.oa_id not in settings.zalo_oa_id
        fresh = self.inbox.put(event, body, now=self.database.now(), refused="other-oa" if other else None)
        metrics.received(event.on, fresh=fresh)
        if fresh and self._dispatcher is not None:
            self._dispatcher.wake()

    def stop(self) -> None:
        """Finish what is being sent, give the rest back, and close everything."""
        if not self._running.is_set():
            return
        self._running.clear()
        if self._dispatcher is not None:
            self._dispatcher.stop(timeout=self.settings.send_timeout + _DRAIN_MARGIN)
        self._caretaker.stop()
        self.watch.stop()
        self._close_parts()

    def _close_parts(self) -> None:
        self._writer.stop()
        self.database.dispose()
