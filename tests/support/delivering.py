"""The delivery threads of one bot process, run inside the test's process with a chosen clock and parts."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Self

import sqlalchemy as sa

from bot.config import Settings
from bot.cpaas import CpaasClient
from bot.delivery.dispatcher import Dispatcher
from bot.delivery.images import ImageResolver
from bot.delivery.sender import Sender
from bot.delivery.settings import DeliverySettings
from bot.delivery.transitions import Transitions
from bot.inbox.database import Database
from bot.inbox.queue import Inbox
from bot.inbox.sql.group_commit import GroupCommitWriter
from bot.inbox.tables import events
from bot.inbox.uploads import Uploads
from bot.rules.validate import validate
from bot.sandbox.vendor import SandboxVendor
from bot.sandbox.zalo_events import SignedEvent
from bot.zalo import decode, parse
from tests.support.clock import ShiftedClock
from tests.support.running import API_KEY, PATIENCE, RULES, TOKEN

HOUR = 3600.0


class Deliverer:
    """The delivery of one process, with its own clock."""

    def __init__(
        self,
        url: str,
        vendor: SandboxVendor,
        *,
        send_rate: int = 100_000,
        concurrency: int = 8,
        inbox: type[Inbox] = Inbox,
        client: type[CpaasClient] = CpaasClient,
        stop_seconds: float = PATIENCE,
    ) -> None:
        self._stop_seconds = stop_seconds
        self.clock = ShiftedClock()
        self.database = Database(url)
        self.database.migrate()
        self._writer = GroupCommitWriter(self.database)
        self.inbox = inbox(self.database, self._writer)
        rules = validate(RULES.encode(), today=date(2026, 1, 1)).rules
        assert rules is not None
        settings = Settings.model_validate(
            {
                "cpaas_base_url": vendor.url,
                "cpaas_api_key": API_KEY,
                "cpaas_access_token": TOKEN,
                "send_concurrency": concurrency,
                "send_rate": send_rate,
            }
        )
        delivery = DeliverySettings.of(settings)
        self.client, uploads = client(settings), Uploads(self.database, delivery.rate)
        self._images = ImageResolver(uploads, self.client, Path(), now=self.clock)
        transitions = Transitions(self.inbox, lambda: rules, delivery)
        sender = Sender(self.inbox, transitions, self._images, self.client, delivery)
        self._dispatcher = Dispatcher(self.inbox, sender, delivery, self.clock)
        self._dispatcher.start()

    def put(self, *given: SignedEvent) -> None:
        for event in given:
            assert self.inbox.put(parse(decode(event.body), event.body), event.body, now=self.clock())
        self._dispatcher.wake()

    def statuses(self) -> Counter[str]:
        with self.database.read() as connection:
            return Counter(connection.scalars(sa.select(events.c.status)))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._dispatcher.stop(timeout=self._stop_seconds)
        self._images.stop()
        self._writer.stop()
        self.database.dispose()
