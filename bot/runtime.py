"""The running bot: connects its parts, one `Runtime` per process, created after the fork."""

from __future__ import annotations

import atexit
import logging
import os
import threading
from typing import TYPE_CHECKING

from bot import logs
from bot.config import Settings
from bot.errors import StorageError
from bot.inbox.database import Database
from bot.inbox.oa_limits import RateLimit
from bot.inbox.queries import EventQueries
from bot.inbox.queue import Inbox
from bot.inbox.sql.group_commit import Future, GroupCommitWriter
from bot.inbox.sql.write_check import BoundedCheck
from bot.inbox.uploads import Uploads
from bot.metrics import counts
from bot.rules.polling import PollingThread
from bot.zalo import Event

if TYPE_CHECKING:
    from bot.delivery.service import DeliveryService
    from bot.inbox.editing.rules_service import RulesService
    from bot.rules.publishing.image_library import ImageLibrary
    from bot.rules.publishing.publisher import Publisher
    from bot.rules.reload import RulesReloader
    from bot.rules.replication.replica import Replica

log = logging.getLogger(__name__)

# How long a delivery waits for the start: Zalo waits two seconds for its answer.
_START_SECONDS = 1.5
# How often a process that only receives reads the database's clock.
_CLOCK_SECONDS = 60.0


class Runtime:
    """
    The running bot of one process: stores events in the inbox and, unless *delivers* is false, delivers them.

    Only what delivers, or an editor's page, needs the rules and the vendor's client, which are a third of what a start
    loads. Where *delivers* is false, they are imported and read when something first asks for them.
    """

    def __init__(self, settings: Settings, *, delivers: bool = True) -> None:
        self.settings = settings
        self._delivers = delivers
        self._running = threading.Event()
        self._loading = threading.Lock()
        self._rules: RulesService | None = None
        self._delivery: DeliveryService | None = None

    def start(self) -> None:
        """
        Open the database and start the threads; to deliver, load the rules before.

        If this process forks afterwards, as gunicorn's master does with --preload, the children do the work: threads do
        not survive a fork, and a lock held by one of them would stay locked.

        Raises:
            ConfigError: There is no rules file.
            RulesError: The rules file has errors.
            StorageError: The database cannot be opened.
        """
        self._open()
        os.register_at_fork(before=self.stop, after_in_child=self._open_in_background)
        atexit.register(self.stop)

    def _open_in_background(self) -> None:
        # A new gunicorn worker ignores signals until this returns: it must not wait for the database here.
        threading.Thread(target=self._open, name="start", daemon=True).start()

    def preflight(self) -> None:
        """Do the parts of a start that can fail, without starting threads; raises what `start` raises."""
        self._open_parts()
        if self._delivers:
            _delivery_service()  # once, before the processes fork
        self._close_parts()

    def readiness(self) -> tuple[list[str], list[str]]:
        """Return why the bot is not ready, and warnings for the operator, in less than a second."""
        if not self._running.is_set():
            return ["it is starting"], []
        try:
            missing, remarks = self._survey.result()
            return missing + (self._delivery.failures() if self._delivery else []), remarks
        except StorageError as error:
            return [f"the database does not answer ({error})"], []

    def _check_parts(self) -> tuple[list[str], list[str]]:
        try:
            troubles = EventQueries(self.database).pause_reasons()
            not_uploaded = self.uploads.failure_reasons(now=self.database.now())
        except StorageError as error:
            return [f"the database does not answer ({error})"], []
        remarks = self._rules.remarks() if self._rules is not None else []
        remarks += [f"OA {oa_id}: nothing is sent at present: {trouble}" for oa_id, trouble in troubles.items()]
        remarks += [f"OA {oa_id}: a picture is not uploaded: {trouble}" for oa_id, trouble in not_uploaded.items()]
        try:
            self.database.check_writable()
        except StorageError as error:
            return [f"the database takes no writes ({error})"], remarks
        return [], remarks

    @property
    def rules_service(self) -> RulesService:
        """
        The rules of this process, and what edits them.

        Raises:
            ConfigError: There is no rules file.
            RulesError: The rules file has errors.
            StorageError: The database cannot be reached.
        """
        with self._loading:
            if self._rules is None:
                from bot.inbox.editing.rules_service import RulesService  # noqa: PLC0415  see the class

                takes = self.settings.console_publish
                rules = RulesService(self.settings.rules_file, self.database, self._writer, takes=takes)
                rules.load(aside=self._running.is_set())
                if self._running.is_set():
                    rules.start()
                self._rules = rules
            return self._rules

    @property
    def rules_reloader(self) -> RulesReloader:
        """The rules in force, and what is wrong with the file."""
        return self.rules_service.reloader

    @property
    def replica(self) -> Replica | None:
        """Takes what other machines publish; None on SQLite."""
        return self.rules_service.replica

    @property
    def publisher(self) -> Publisher:
        """Replaces the rules file."""
        return self.rules_service.publisher

    @property
    def image_library(self) -> ImageLibrary:
        """The image files beside the rules file."""
        return self.rules_service.image_library

    def _open(self) -> None:
        self._open_parts()
        self._survey = BoundedCheck(self._check_parts)
        self._clock = PollingThread(self._read_clock, name="clock", seconds=_CLOCK_SECONDS)
        if self._delivers:
            rules = self.rules_service
            rules.start()
            self._delivery = _delivery_service()(
                self.settings, self.database, self.inbox, self.uploads, lambda: rules.reloader.rules
            )
        else:
            self._clock.start()
        self._running.set()

    def _open_parts(self) -> None:
        settings = self.settings
        self.database = Database(settings.database_url.get_secret_value())
        self._writer = GroupCommitWriter(self.database)
        self.inbox = Inbox(self.database, self._writer)
        self.uploads = Uploads(self.database, RateLimit.per_minute(settings.send_rate))
        try:
            self.database.migrate()
            if self._delivers:
                self.rules_service.reloader.rules  # noqa: B018  read now, for their errors
            else:
                self.database.check_writable()
        except Exception:
            self._close_parts()
            raise

    def _read_clock(self) -> None:
        try:
            self.database.read_clock()
        except Exception:
            log.exception("cannot read the database's clock")

    def store(self, event: Event, body: bytes) -> Future:
        """
        Queue the event to be stored; wake delivery once it is durable.

        Raises:
            TimeoutError: The bot is still starting.
            Exception: The database's clock cannot be read.
        """
        if not self._running.wait(_START_SECONDS):
            raise TimeoutError("the bot is still starting")
        oa_ids = self.settings.zalo_oa_id
        refused = "other-oa" if oa_ids and event.oa_id not in oa_ids else None
        future = self.inbox.submit(event, body, now=self.database.now(), refused=refused)
        future.add_done_callback(lambda: self._received(event, future))
        return future

    def _received(self, event: Event, future: Future) -> None:
        if future.error is not None:
            return
        counts.received(event.on, fresh=future.answer)
        if log.isEnabledFor(logging.DEBUG):
            log.debug(
                "received" if future.answer else "received again",
                extra=logs.about(event.key) | {"kind": event.name},
            )
        if future.answer and self._delivery is not None:
            self._delivery.wake()

    def stop(self) -> None:
        """Finish the calls in progress, release the other claims, and close everything."""
        if not self._running.is_set():
            return
        self._running.clear()
        if self._delivery is not None:
            self._delivery.stop()
        self._clock.stop()
        if self._rules is not None:
            self._rules.stop()
        self._close_parts()

    def _close_parts(self) -> None:
        self._rules = self._delivery = None
        self._writer.stop()
        self.database.dispose()


def _delivery_service() -> type[DeliveryService]:
    from bot.delivery.service import DeliveryService  # noqa: PLC0415  see `Runtime`

    return DeliveryService
