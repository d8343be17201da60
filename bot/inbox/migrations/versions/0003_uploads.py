"""The pictures that were uploaded to the vendor."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "uploads",
        sa.Column("oa_id", sa.String(length=128), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False, comment="SHA-256 of the picture, in hex"),
        sa.Column("type", sa.String(length=64), nullable=False, comment="CPAAS_UPLOAD_TYPE"),
        sa.Column("token", sa.Text(), nullable=True, comment="what the picture is sent by"),
        sa.Column("uploaded_at", sa.Double(), nullable=True),
        sa.Column("claimed_until", sa.Double(), nullable=False, comment="one process uploads it, alone until then"),
        sa.Column(
            "failures",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="uploads that failed in a row",
        ),
        sa.Column("not_before", sa.Double(), server_default="0", nullable=False, comment="no upload before this"),
        sa.Column(
            "refused",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="the picture is at fault",
        ),
        sa.Column("trouble", sa.Text(), nullable=True, comment="why the latest upload failed"),
        sa.PrimaryKeyConstraint("oa_id", "digest", "type", name=op.f("pk_uploads")),
    )
