"""Quotas of the OAs: stored from time to time, so that they are known after a restart and on every machine."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from bot.inbox.database import Database
from bot.inbox.tables import quotas
from bot.metrics import counts
from bot.metrics.counts import QuotaLeft

#: The quotas that an OA has for all its customers; the others are of one customer at a time.
OA_QUOTAS: Final = ("sub_quota", "purchase_quota", "reward_quota")
#: Quotas are of a month: what was reported longer ago tells nothing.
KNOWN_SECONDS: Final = 31 * 86_400.0

_row = quotas.c
_KEY: Final = (_row.oa_id, _row.kind)


class QuotaRecorder:
    """Stores the quotas that the sends of this machine reported; not with each send, which need not wait for it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._stored: set[QuotaLeft] = set()

    def store(self) -> None:
        """
        Store what has changed since the last call: what another machine has stored meanwhile is newer than the rest.

        Raises:
            StorageError: The database is away; the next call stores it.
        """
        known = {quota for quota in counts.quotas() if quota.kind in OA_QUOTAS}
        changed = sorted(known - self._stored, key=lambda quota: (quota.oa_id, quota.kind))
        if changed:
            rows = [{**quota._asdict(), "reported_at": self._database.now()} for quota in changed]
            added = self._database.insert(quotas)
            newer = {name: added.excluded[name] for name in ("left", "size", "reported_at")}
            with self._database.write() as connection:
                connection.execute(added.on_conflict_do_update(index_elements=list(_KEY), set_=newer), rows)
            self._stored = known


def quotas_left(database: Database) -> list[QuotaLeft]:
    """Return each OA's quotas by its latest report on any machine; one of this minute may not count yet."""
    query = sa.select(*_KEY, _row.left, _row.size).where(_row.reported_at > database.now() - KNOWN_SECONDS)
    reported = {(quota.oa_id, quota.kind): quota for quota in counts.quotas() if quota.kind in OA_QUOTAS}
    with database.read() as connection:
        stored = {(found.oa_id, found.kind): QuotaLeft(*found) for found in connection.execute(query)}
    return [quota for _, quota in sorted({**reported, **stored}.items())]
