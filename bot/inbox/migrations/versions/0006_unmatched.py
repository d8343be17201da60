"""The index of what no rule matched."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the index."""
    where = sa.text(
        "body IS NOT NULL AND status != 'open' AND kind = 'text' AND rules_hash IS NOT NULL"
        " AND (rule_id IS NULL OR rule_id = '(fallback)')"
    )
    op.create_index("ix_events_unmatched", "events", ["received_at"], sqlite_where=where, postgresql_where=where)
