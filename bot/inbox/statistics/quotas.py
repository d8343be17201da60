"""Quotas of the OAs, stored regularly, so that they are known after a restart and on every machine."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from bot.inbox.database import Database
from bot.inbox.tables import quotas
from bot.metrics import counts
from bot.metrics.counts import QuotaLeft

#: The kinds of quota that are for all customers of an OA; the others are per customer.
OA_QUOTAS: Final = ("sub_quota", "purchase_quota", "reward_quota")
#: Quotas are monthly: an older report is outdated.
KNOWN_SECONDS: Final = 31 * 86_400.0

_row = quotas.c
_KEY: Final = (_row.oa_id, _row.kind)


class QuotaRecorder:
    """Stores the quotas that sends of this machine reported; separately from the sends, which do not wait for it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._stored: set[QuotaLeft] = set()

    def store(self) -> None:
        """
        Store the quotas that have changed since the last call; for the others, another machine's report may be newer.

        Raises:
            StorageError: The database cannot be reached; the next call stores them.
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
    """Return each OA's latest quotas, reported on any machine; a report of the last minute may be missing."""
    query = sa.select(*_KEY, _row.left, _row.size).where(_row.reported_at > database.now() - KNOWN_SECONDS)
    reported = {(quota.oa_id, quota.kind): quota for quota in counts.quotas() if quota.kind in OA_QUOTAS}
    with database.read() as connection:
        stored = {(found.oa_id, found.kind): QuotaLeft(*found) for found in connection.execute(query)}
    return [quota for _, quota in sorted({**reported, **stored}.items())]
