"""Which keyword of a rule matched, and which rule would have answered otherwise; the counts of both."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add both to the events, the index of events by rule, and the table of counts."""
    op.add_column(
        "events",
        sa.Column(
            "keyword", sa.String(length=255), nullable=True, comment="of the rule: what matched; of `all_of` each one"
        ),
    )
    op.add_column(
        "events",
        sa.Column(
            "runner_up", sa.String(length=128), nullable=True, comment="the rule that would have answered without it"
        ),
    )
    where = sa.text("rule_id IS NOT NULL")
    op.create_index("ix_events_rule", "events", ["rule_id", "id"], sqlite_where=where, postgresql_where=where)
    op.create_table(
        "rule_matches",
        sa.Column("starts_at", sa.BigInteger(), autoincrement=False, nullable=False, comment="of the hour"),
        sa.Column("oa_id", sa.String(length=128), nullable=False),
        sa.Column("rule_id", sa.String(length=128), nullable=False),
        sa.Column("keyword", sa.String(length=255), nullable=False, comment="empty: none is known"),
        sa.Column("runner_up", sa.String(length=128), nullable=False, comment="empty: no other rule matched"),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("starts_at", "oa_id", "rule_id", "keyword", "runner_up", name=op.f("pk_rule_matches")),
    )
    op.create_index("ix_rule_matches_rule", "rule_matches", ["rule_id", "starts_at"])
    where = sa.text("runner_up != ''")
    op.create_index(
        "ix_rule_matches_runner_up",
        "rule_matches",
        ["runner_up", "starts_at"],
        sqlite_where=where,
        postgresql_where=where,
    )
