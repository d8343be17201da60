"""The counts of deleted events, and the indexes for retention and reports."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the table and the indexes."""
    op.create_table(
        "tallies",
        sa.Column("day", sa.Date(), nullable=False, comment="in Vietnam"),
        sa.Column("oa_id", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False, comment="empty: an event that nobody may answer"),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("rule_id", sa.String(length=128), nullable=False, comment="empty: no rule"),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("day", "oa_id", "kind", "status", "reason", "rule_id", name=op.f("pk_tallies")),
    )
    for name, columns, where in (
        ("ix_events_words", ["received_at"], "body IS NOT NULL AND status != 'open'"),
        ("ix_events_bare", ["received_at"], "body IS NULL AND status IN ('sent', 'ignored', 'dead')"),
        ("ix_events_failed", ["status", "id"], "status IN ('dead', 'parked')"),
    ):
        op.create_index(name, "events", columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
