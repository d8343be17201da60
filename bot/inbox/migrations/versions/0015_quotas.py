"""What is left of each OA's quotas, so that pages tell it after a restart and on every machine."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "quotas",
        sa.Column("oa_id", sa.String(128), primary_key=True),
        sa.Column("kind", sa.String(32), primary_key=True, comment="Zalo's quota_type"),
        sa.Column("left", sa.BigInteger, nullable=False),
        sa.Column("size", sa.BigInteger, comment="empty: the vendor did not say"),
        sa.Column("reported_at", sa.Double, nullable=False, comment="when it was stored, a minute later at most"),
    )
