"""Since when an account's calls have failed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the time; an account whose calls fail at this moment is judged anew."""
    op.add_column(
        "accounts",
        sa.Column(
            "failing_since", sa.Double(), server_default="0", nullable=False, comment="time of the first of them"
        ),
    )
