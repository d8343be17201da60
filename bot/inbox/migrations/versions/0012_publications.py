"""What is published for all machines that share the database: rules files, images, and their contents."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "publications",
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("file", sa.Text, nullable=False, comment="empty: the rules file; else an image, as rules name it"),
        sa.Column("digest", sa.String(64), nullable=False, comment="SHA-256 of the content, in hex; empty: deleted"),
        sa.Column("replaced", sa.String(64), nullable=False, comment="the digest before, where it was published"),
        sa.Column("published_at", sa.Double, nullable=False),
        sa.Column("info", sa.JSON, comment="who published it and why"),
        sa.PrimaryKeyConstraint("sequence", name="pk_publications"),
    )
    op.create_index("ix_publications_file", "publications", ["file", "sequence"])
    op.create_table(
        "publication_contents",
        sa.Column("digest", sa.String(64), primary_key=True, comment="SHA-256 of the content, in hex"),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column(
            "stored_at", sa.Double, nullable=False, comment="the latest time that somebody was about to publish it"
        ),
        sa.PrimaryKeyConstraint("digest", name="pk_publication_contents"),
    )
