"""How often an event's call began and no process lived to store its outcome; a row that health checks write."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add both, and index words beside images, links and files as those of texts."""
    op.add_column(
        "events",
        sa.Column(
            "unfinished_calls",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="begun in a row, without a stored outcome",
        ),
    )
    op.create_table(
        "write_checks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("checked_at", sa.Double(), nullable=False, comment="when the latest of these writes was made"),
        sa.PrimaryKeyConstraint("id", name="pk_write_checks"),
    )
    op.drop_index("ix_events_unmatched", table_name="events")
    where = sa.text(
        "body IS NOT NULL AND status != 'open' AND text != '' AND rules_hash IS NOT NULL"
        " AND (rule_id IS NULL OR rule_id = '(fallback)')"
    )
    op.create_index("ix_events_unmatched", "events", ["received_at"], sqlite_where=where, postgresql_where=where)
