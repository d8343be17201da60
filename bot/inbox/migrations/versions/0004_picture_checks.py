"""What the latest look at each picture showed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "picture_checks",
        sa.Column("key", sa.String(length=64), nullable=False, comment="SHA-256 of what the rules say of it, in hex"),
        sa.Column(
            "due_at", sa.Double(), nullable=False, comment="not before this; a claim moves it to the lease's end"
        ),
        sa.Column(
            "failures", sa.Integer(), server_default="0", nullable=False, comment="looks in a row that found it bad"
        ),
        sa.Column("checked_at", sa.Double(), nullable=True, comment="when the verdict was found"),
        sa.Column("word", sa.String(length=32), server_default="not-checked", nullable=False, comment="the verdict"),
        sa.Column("status", sa.Integer(), nullable=True, comment="of HTTP"),
        sa.Column("form", sa.String(length=16), server_default="", nullable=False, comment="JPEG, PNG, GIF, HTML…"),
        sa.Column("size", sa.BigInteger(), nullable=True, comment="in bytes"),
        sa.Column("width", sa.BigInteger(), nullable=True, comment="in pixels"),
        sa.Column("height", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_picture_checks")),
    )
