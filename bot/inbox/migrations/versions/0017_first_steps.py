"""Which of an editor's first steps in the console have been taken."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "first_steps",
        sa.Column("step", sa.String(16), primary_key=True, comment="begun, closed, or one of the steps"),
        sa.Column("done_at", sa.Double, nullable=False),
        sa.Column("link", sa.Text, comment="of begun: where customers' messages are written, in the demo"),
    )
