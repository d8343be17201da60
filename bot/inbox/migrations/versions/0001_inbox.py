"""The inbox, the accounts and the last good rules."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables of the first version."""
    op.create_table(
        "accounts",
        sa.Column("oa_id", sa.String(length=128), nullable=False),
        sa.Column(
            "next_slot",
            sa.Double(),
            server_default="0",
            nullable=False,
            comment="when the next call may leave (SEND_RATE)",
        ),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False, comment="calls that failed in a row"),
        sa.Column(
            "failed_event",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=True,
            comment="the event of the latest failure",
        ),
        sa.Column(
            "failed_events",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="different events among them",
        ),
        sa.Column("closed_until", sa.Double(), server_default="0", nullable=False, comment="no call before this"),
        sa.Column("pauses", sa.Integer(), server_default="0", nullable=False, comment="probes that failed in a row"),
        sa.Column(
            "probing",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="one event is trying it",
        ),
        sa.Column("trouble", sa.Text(), nullable=True, comment="why nothing is sent, in the vendor's words"),
        sa.PrimaryKeyConstraint("oa_id", name=op.f("pk_accounts")),
    )
    op.create_table(
        "events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("app_id", sa.String(length=128), nullable=False),
        sa.Column("oa_id", sa.String(length=128), nullable=False),
        sa.Column("user_id", sa.String(length=128), nullable=False),
        sa.Column("msg_id", sa.String(length=128), nullable=False),
        sa.Column(
            "kind",
            sa.String(length=32),
            nullable=True,
            comment="the rules' word for an event that may be answered",
        ),
        sa.Column("sent_at", sa.Double(), nullable=True, comment="by Zalo's clock"),
        sa.Column("received_at", sa.Double(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True, comment="erased after RETENTION"),
        sa.Column("body", sa.LargeBinary(), nullable=True, comment="as it came; erased after RETENTION"),
        sa.Column("status", sa.String(length=16), nullable=False, comment="open, sent, ignored, dead, parked"),
        sa.Column("reason", sa.String(length=32), nullable=True, comment="why it is in this status"),
        sa.Column(
            "due_at",
            sa.Double(),
            nullable=False,
            comment="not before this; a claim moves it to the lease's end",
        ),
        sa.Column("fence", sa.Integer(), server_default="0", nullable=False, comment="goes up with each claim"),
        sa.Column("leased", sa.Boolean(), server_default=sa.false(), nullable=False, comment="due_at is a lease's end"),
        sa.Column(
            "attempts",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="that count against MAX_ATTEMPTS",
        ),
        sa.Column("rule_id", sa.String(length=128), nullable=True),
        sa.Column("rules_hash", sa.String(length=64), nullable=True),
        sa.Column("images", sa.JSON(none_as_null=True), nullable=True, comment="what the decision sends, in order"),
        sa.Column(
            "progress",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="how many of images went out",
        ),
        sa.Column(
            "attempted_at",
            sa.Double(),
            nullable=True,
            comment="set while it is not known whether a picture went out",
        ),
        sa.Column(
            "resent",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="the one second try is used",
        ),
        sa.Column("replied_at", sa.Double(), nullable=True, comment="when the first picture went out"),
        sa.Column("settled_at", sa.Double(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True, comment="the vendor's words"),
        sa.Column(
            "vendor_ids",
            sa.JSON(none_as_null=True),
            nullable=True,
            comment="msg_id and referentId of each picture",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
        sa.UniqueConstraint("key", name=op.f("uq_events_key")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_events_due",
        "events",
        ["due_at", "id"],
        unique=False,
        sqlite_where=sa.text("status = 'open'"),
        postgresql_where=sa.text("status = 'open'"),
    )
    op.create_index(
        "ix_events_echo",
        "events",
        ["oa_id", "user_id", "received_at"],
        unique=False,
        sqlite_where=sa.text("reason IN ('echo', 'human')"),
        postgresql_where=sa.text("reason IN ('echo', 'human')"),
    )
    op.create_index(
        "ix_events_replied",
        "events",
        ["oa_id", "user_id", "rule_id", "replied_at"],
        unique=False,
        sqlite_where=sa.text("replied_at IS NOT NULL"),
        postgresql_where=sa.text("replied_at IS NOT NULL"),
    )
    op.create_index(
        "ix_events_turn",
        "events",
        ["oa_id", "user_id", "id"],
        unique=False,
        sqlite_where=sa.text("status = 'open'"),
        postgresql_where=sa.text("status = 'open'"),
    )
    op.create_table(
        "good_rules",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("loaded_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_good_rules")),
    )
