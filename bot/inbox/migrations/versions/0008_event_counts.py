"""The roll-up of events by the hour, which outlives them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the table; the retention worker fills it from the events that are there."""
    op.create_table(
        "event_counts",
        sa.Column(
            "measure", sa.String(length=16), nullable=False, comment="outcome, delay, rule (of a day), hour-rule"
        ),
        sa.Column("starts_at", sa.BigInteger(), autoincrement=False, nullable=False, comment="of the hour or the day"),
        sa.Column("oa_id", sa.String(length=128), nullable=False),
        sa.Column(
            "name", sa.String(length=128), nullable=False, comment="the outcome, the class of delays, or the rule"
        ),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("measure", "starts_at", "oa_id", "name", name=op.f("pk_event_counts")),
    )
