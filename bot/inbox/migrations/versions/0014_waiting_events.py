"""Open events are indexed by OA while nobody holds them, so that those of a paused OA are never read."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Replace the index of due events by one of those that wait and one of those that are leased."""
    is_open = sa.column("status") == sa.literal_column("'open'")
    leased = sa.column("leased", sa.Boolean)
    for name, columns, condition in (
        ("ix_events_waiting", ["oa_id", "due_at", "id"], sa.and_(is_open, leased.is_(False))),
        ("ix_events_leased", ["due_at"], sa.and_(is_open, leased.is_(True))),
    ):
        op.create_index(name, "events", columns, sqlite_where=condition, postgresql_where=condition)
    op.drop_index("ix_events_due", table_name="events")
