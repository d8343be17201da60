"""Topics of unanswered messages that an editor has taken off the list."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "ignored_topics",
        sa.Column("name", sa.String(200), primary_key=True, comment="the words that its messages share, without marks"),
        sa.Column("label", sa.String(200), nullable=False, comment="the same as it was typed"),
        sa.Column("ignored_at", sa.Double, nullable=False),
    )
