"""The background work of a delivering process: connects delivery, image checks and retention."""

from __future__ import annotations

from collections.abc import Callable

from bot.config import Settings
from bot.cpaas import CpaasClient
from bot.delivery.dispatcher import Dispatcher
from bot.delivery.images import ImageResolver
from bot.delivery.sender import Sender
from bot.delivery.settings import DeliverySettings
from bot.delivery.transitions import Transitions, longest_cooldown
from bot.delivery.upload_ahead import UploadAhead
from bot.image_health.checker import STOP_SECONDS, ImageChecker
from bot.inbox.database import Database
from bot.inbox.queue import Inbox
from bot.inbox.retention import RetentionWorker
from bot.inbox.uploads import Uploads
from bot.rules.engine import RuleSet

# How long a stop may take after the longest vendor call, for the last commits.
_DRAIN_MARGIN_SECONDS = 15.0
# The first round of retention would delay the first requests.
_RETENTION_DELAY_SECONDS = 3.0


class DeliveryService:
    """Delivers the events of the inbox until it is stopped; create it after the last fork."""

    def __init__(
        self, settings: Settings, database: Database, inbox: Inbox, uploads: Uploads, rules: Callable[[], RuleSet]
    ) -> None:
        if database.live_alone():
            inbox.end_leases(now=database.now())
            uploads.end_leases(now=database.now())
        vendor, delivery = CpaasClient(settings), DeliverySettings.of(settings)
        self._timeout = settings.send_timeout
        self._images = ImageResolver(uploads, vendor, settings.rules_file.parent, now=database.now)
        sender = Sender(inbox, Transitions(inbox, rules, delivery), self._images, vendor, delivery)
        self._dispatcher = Dispatcher(inbox, sender, delivery, database.now)
        self._dispatcher.start()
        own = settings.zalo_oa_id
        self._ahead = UploadAhead(self._images, rules, lambda: own or uploads.oa_ids(), database.now)
        self._ahead.thread.start()
        self._retention_worker = RetentionWorker(
            database,
            retention=settings.retention.total_seconds(),
            memory=lambda: longest_cooldown(rules()),
            delay=_RETENTION_DELAY_SECONDS,
        )
        self._retention_worker.start()
        self._checker = ImageChecker(database, rules, settings.rules_file.absolute().parent)
        self._checker.thread.start()

    def wake(self) -> None:
        """Claim due events now, because one has just come in."""
        self._dispatcher.wake()

    def failures(self) -> list[str]:
        """Return why nothing can be delivered at present; empty if delivery works."""
        return self._dispatcher.failures()

    def stop(self) -> None:
        """Finish the calls in progress, and release the other claims."""
        self._dispatcher.stop(timeout=self._timeout + _DRAIN_MARGIN_SECONDS)
        self._ahead.thread.stop(timeout=self._timeout)
        self._images.stop()
        self._checker.thread.stop(STOP_SECONDS)
        self._retention_worker.stop()
