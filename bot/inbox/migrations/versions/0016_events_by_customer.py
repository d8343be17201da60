"""What a customer did is indexed by customer, so that a conversation is found however old it is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Add the index, of settled events: those that are open have one already."""
    settled = sa.and_(sa.column("kind").is_not(None), sa.column("status") != sa.literal_column("'open'"))
    op.create_index(
        "ix_events_customer",
        "events",
        ["oa_id", "user_id", "id"],
        sqlite_where=settled,
        postgresql_where=settled,
    )
