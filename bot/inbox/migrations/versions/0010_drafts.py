"""Drafts of the rules file, one for each editor's browser."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "drafts",
        sa.Column("browser", sa.String(64), primary_key=True, comment="SHA-256 of the id in its cookie, in hex"),
        sa.Column("content", sa.LargeBinary, comment="empty: it was discarded"),
        sa.Column("base_digest", sa.String(64), nullable=False, comment="of the rules file that it was begun from"),
        sa.Column("revision", sa.Integer, nullable=False, comment="goes up with each save"),
        sa.Column("tab", sa.String(32), nullable=False, comment="which tab of the browser saved it last"),
        sa.Column("saved_at", sa.Double, nullable=False),
    )
