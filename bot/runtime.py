"""The running bot: connects its parts, one `Runtime` per process, created after the fork."""

from __future__ import annotations

import atexit
import logging
import os
import threading

from bot import logs
from bot.config import Settings
from bot.cpaas import CpaasClient
from bot.delivery.dispatcher import Dispatcher
from bot.delivery.images import ImageResolver
from bot.delivery.sender import Sender
from bot.delivery.settings import DeliverySettings
from bot.delivery.transitions import Transitions, longest_cooldown
from bot.delivery.upload_ahead import UploadAhead
from bot.errors import StorageError
from bot.image_health.checker import ImageChecker
from bot.inbox.database import Database
from bot.inbox.editing.publications import Publications
from bot.inbox.editing.rules_snapshots import RulesSnapshots
from bot.inbox.oa_limits import RateLimit
from bot.inbox.queries import EventQueries
from bot.inbox.queue import Inbox
from bot.inbox.retention import RetentionWorker
from bot.inbox.sql.group_commit import Future, GroupCommitWriter
from bot.inbox.sql.write_check import BoundedCheck
from bot.inbox.uploads import Uploads
from bot.metrics import counts
from bot.net.addresses import AddressPolicy
from bot.rules.publishing.image_library import ImageLibrary
from bot.rules.publishing.publisher import Publisher
from bot.rules.reload import RulesReloader
from bot.rules.replication.editing import SharedImageLibrary, SharedPublisher
from bot.rules.replication.replica import Replica
from bot.zalo import Event

log = logging.getLogger(__name__)

# How long a stop may take after the longest vendor call, for the last commits.
_DRAIN_MARGIN = 15.0
# How long a delivery waits for the start: Zalo waits two seconds for its answer.
_START_SECONDS = 1.5
# The first round of retention would delay the first requests.
_RETENTION_DELAY_SECONDS = 3.0


class Runtime:
    """The running bot of one process: stores events in the inbox and, unless *delivers* is false, delivers them."""

    def __init__(self, settings: Settings, *, delivers: bool = True) -> None:
        self.settings = settings
        self._delivers = delivers
        self._running = threading.Event()

    def start(self) -> None:
        """
        Open the database, load the rules, start the threads.

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
        self._close_parts()

    def readiness(self) -> tuple[list[str], list[str]]:
        """Return why the bot is not ready, and warnings for the operator, in less than a second."""
        if not self._running.is_set():
            return ["it is starting"], []
        try:
            missing, remarks = self._survey.ask()
            return missing + (self._dispatcher.failures() if self._dispatcher else []), remarks
        except StorageError as error:
            return [f"the database does not answer ({error})"], []

    def _check_parts(self) -> tuple[list[str], list[str]]:
        try:
            troubles = EventQueries(self.database).pause_reasons()
            not_uploaded = self.uploads.failure_reasons(now=self.database.now())
        except StorageError as error:
            return [f"the database does not answer ({error})"], []
        remarks = (
            [f"rules: {self.rules_reloader.error}; the last good rules are in force"]
            if self.rules_reloader.error
            else []
        )
        remarks += filter(None, [self.replica.state.remark() if self.replica else ""])
        remarks += [f"OA {oa_id}: nothing is sent at present: {trouble}" for oa_id, trouble in troubles.items()]
        remarks += [f"OA {oa_id}: a picture is not uploaded: {trouble}" for oa_id, trouble in not_uploaded.items()]
        try:
            self.database.check_writable()
        except StorageError as error:
            return [f"the database takes no writes ({error})"], remarks
        return [], remarks

    def _open(self) -> None:
        self._open_parts()
        self.rules_reloader.thread.start()
        if self.replica is not None:
            self.replica.thread.start()
        self._survey = BoundedCheck(self._check_parts)
        self._dispatcher = self._dispatch() if self._delivers else None
        self._retention_worker = RetentionWorker(
            self.database,
            retention=self.settings.retention.total_seconds(),
            memory=lambda: longest_cooldown(self.rules_reloader.rules),
            delay=_RETENTION_DELAY_SECONDS,
        )
        self._retention_worker.start()
        self._checker = self._start_checker() if self._delivers else None
        self._running.set()

    def _open_parts(self) -> None:
        settings = self.settings
        self.database = Database(settings.database_url.get_secret_value())
        self._writer = GroupCommitWriter(self.database)
        self.inbox = Inbox(self.database, self._writer)
        self.uploads = Uploads(self.database, RateLimit.per_minute(settings.send_rate))
        self.rules_reloader = RulesReloader(settings.rules_file, RulesSnapshots(self.database, self._writer))
        path = settings.rules_file
        self.replica: Replica | None = None
        self.publisher, self.image_library = Publisher(path), ImageLibrary(path)
        try:
            self.database.migrate()
            if not self.database.is_sqlite:  # on SQLite all processes are on one machine and share its files
                self._replicate()
            self.rules_reloader.load()
        except Exception:
            self._close_parts()
            raise

    def _replicate(self) -> None:
        """Take the publications of other machines, and publish for all machines from now on."""
        path, takes = self.settings.rules_file, self.settings.console_publish
        replica = self.replica = Replica(path, Publications(self.database), takes=takes)
        replica.poll()
        self.publisher, self.image_library = SharedPublisher(path, replica), SharedImageLibrary(path, replica)

    def _dispatch(self) -> Dispatcher:
        settings = self.settings
        if self.database.live_alone():
            self.inbox.end_leases(now=self.database.now())
            self.uploads.end_leases(now=self.database.now())
        vendor = CpaasClient(settings)
        self._images = ImageResolver(self.uploads, vendor, settings.rules_file.parent, now=self.database.now)
        delivery = DeliverySettings.of(settings)
        transitions = Transitions(self.inbox, lambda: self.rules_reloader.rules, delivery)
        sender = Sender(self.inbox, transitions, self._images, vendor, delivery)
        dispatcher = Dispatcher(self.inbox, sender, delivery, self.database.now)
        dispatcher.start()
        own = settings.zalo_oa_id
        self._ahead = UploadAhead(
            self._images, lambda: self.rules_reloader.rules, lambda: own or self.uploads.oa_ids(), self.database.now
        )
        self._ahead.thread.start()
        return dispatcher

    def _start_checker(self) -> ImageChecker:
        folder = self.settings.rules_file.absolute().parent
        checker = ImageChecker(self.database, lambda: self.rules_reloader.rules, folder, AddressPolicy())
        checker.start()
        return checker

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
        if future.answer and self._dispatcher is not None:
            self._dispatcher.wake()

    def stop(self) -> None:
        """Finish the calls in progress, release the other claims, and close everything."""
        if not self._running.is_set():
            return
        self._running.clear()
        if self._dispatcher is not None:
            self._dispatcher.stop(timeout=self.settings.send_timeout + _DRAIN_MARGIN)
            self._ahead.thread.stop(timeout=self.settings.send_timeout)
            self._images.stop()
        if self._checker is not None:
            self._checker.stop()
        self._retention_worker.stop()
        if self.replica is not None:
            self.replica.thread.stop()
        self.rules_reloader.thread.stop()
        self._close_parts()

    def _close_parts(self) -> None:
        self._writer.stop()
        self.database.dispose()
