"""
The tables of the inbox; the migrations in bot/inbox/migrations build exactly these (a test compares).

Their indexes are in `bot.inbox.indexes`.
"""

from __future__ import annotations

import sqlalchemy as sa

from bot.inbox.messages import MAX_TOPIC_CHARACTERS
from bot.inbox.states import MAX_KEYWORD_CHARACTERS

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)

# SQLite assigns ids only to a column declared INTEGER.
_BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

#: One row per event: log, queue, duplicate filter and dead letters in one table.
#: Times are seconds since 1970 by the database's clock.
events = sa.Table(
    "events",
    metadata,
    sa.Column("id", _BigId, primary_key=True, autoincrement=True),
    sa.Column("key", sa.String(64), nullable=False, unique=True),
    sa.Column("name", sa.String(128), nullable=False),
    sa.Column("app_id", sa.String(128), nullable=False),
    sa.Column("oa_id", sa.String(128), nullable=False),
    sa.Column("user_id", sa.String(128), nullable=False),
    sa.Column("msg_id", sa.String(128), nullable=False),
    sa.Column("kind", sa.String(32), comment="the rules' word for an event that may be answered"),
    sa.Column("sent_at", sa.Double, comment="by Zalo's clock"),
    sa.Column("received_at", sa.Double, nullable=False),
    sa.Column("text", sa.Text, comment="erased after RETENTION"),
    sa.Column("body", sa.LargeBinary, comment="as it came; erased after RETENTION"),
    sa.Column("status", sa.String(16), nullable=False, comment="open, sent, ignored, dead, parked"),
    sa.Column("reason", sa.String(32), comment="why it is in this status"),
    sa.Column("due_at", sa.Double, nullable=False, comment="not before this; a claim moves it to the lease's end"),
    sa.Column("fence", sa.Integer, nullable=False, server_default="0", comment="goes up with each claim"),
    sa.Column("leased", sa.Boolean, nullable=False, server_default=sa.false(), comment="due_at is a lease's end"),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0", comment="that count against MAX_ATTEMPTS"),
    sa.Column("rule_id", sa.String(128)),
    sa.Column("rules_hash", sa.String(64)),
    sa.Column("images", sa.JSON(none_as_null=True), comment="what the decision sends, in order"),
    sa.Column("progress", sa.Integer, nullable=False, server_default="0", comment="how many of images went out"),
    sa.Column("attempted_at", sa.Double, comment="set while it is not known whether a picture went out"),
    sa.Column("resent", sa.Boolean, nullable=False, server_default=sa.false(), comment="the one second try is used"),
    sa.Column("replied_at", sa.Double, comment="when the first picture went out"),
    sa.Column("settled_at", sa.Double),
    sa.Column("error", sa.Text, comment="the vendor's words"),
    sa.Column("vendor_ids", sa.JSON(none_as_null=True), comment="msg_id and referentId of each picture"),
    sa.Column(
        "unfinished_calls",
        sa.Integer,
        nullable=False,
        server_default="0",
        comment="begun in a row, without a stored outcome",
    ),
    sa.Column("keyword", sa.String(MAX_KEYWORD_CHARACTERS), comment="of the rule: what matched; of `all_of` each one"),
    sa.Column("runner_up", sa.String(128), comment="the rule that would have answered without it"),
    sqlite_autoincrement=True,
)

# Literals in indexes and queries: with a bound value, the databases cannot tell that a partial index applies.
IS_OPEN = events.c.status == sa.literal_column("'open'")
IS_ECHO = events.c.reason.in_((sa.literal_column("'echo'"), sa.literal_column("'human'")))
#: Open events that are not claimed, and those that are. Indexed by OA, so that events of a paused OA are not read.
IS_WAITING = sa.and_(IS_OPEN, events.c.leased.is_(False))
IS_LEASED = sa.and_(IS_OPEN, events.c.leased.is_(True))
#: Settled events of customers; together with the open ones they are the customer's side of a conversation.
IS_SETTLED_MESSAGE = sa.and_(events.c.kind.is_not(None), events.c.status != sa.literal_column("'open'"))

# Settled events whose text is not erased yet: reports read them, and RETENTION erases them.
HAS_WORDS = sa.and_(events.c.body.is_not(None), events.c.status != sa.literal_column("'open'"))
#: Of these, texts that no rule matched, alone or with an image, a link or a file.
IS_UNMATCHED = sa.and_(
    HAS_WORDS,
    events.c.text != sa.literal_column("''"),
    events.c.rules_hash.is_not(None),
    sa.or_(events.c.rule_id.is_(None), events.c.rule_id == sa.literal_column("'(fallback)'")),
)
#: Settled for good; parked events are not, as they wait for a person.
IS_OVER = events.c.status.in_([sa.literal_column(f"'{status}'") for status in ("sent", "ignored", "dead")])
IS_BARE = sa.and_(events.c.body.is_(None), IS_OVER)
IS_FAILED = events.c.status.in_((sa.literal_column("'dead'"), sa.literal_column("'parked'")))

#: Counts of deleted events, by day and by how they ended.
tallies = sa.Table(
    "tallies",
    metadata,
    sa.Column("day", sa.Date, primary_key=True, comment="in Vietnam"),
    sa.Column("oa_id", sa.String(128), primary_key=True),
    sa.Column("kind", sa.String(32), primary_key=True, comment="empty: an event that nobody may answer"),
    sa.Column("status", sa.String(16), primary_key=True),
    sa.Column("reason", sa.String(32), primary_key=True),
    sa.Column("rule_id", sa.String(128), primary_key=True, comment="empty: no rule"),
    sa.Column("n", sa.BigInteger, nullable=False),
)

#: Hourly counts of customers' messages by outcome, and by the rule that answered them or failed to
#: (``rule-failed``: its image is at fault; ``rule-undelivered``: anything else); see bot.inbox.statistics.rollup.
#: Unlike `tallies` it is filled before the events are deleted.
event_counts = sa.Table(
    "event_counts",
    metadata,
    sa.Column("measure", sa.String(16), primary_key=True, comment="outcome, delay, rule (of a day), hour-rule"),
    sa.Column("starts_at", sa.BigInteger, primary_key=True, autoincrement=False, comment="of the hour or the day"),
    sa.Column("oa_id", sa.String(128), primary_key=True),
    sa.Column("name", sa.String(128), primary_key=True, comment="the outcome, the class of delays, or the rule"),
    sa.Column("n", sa.BigInteger, nullable=False),
)

#: Hourly counts of answers by rule, matched keyword and the rule that would have answered otherwise
#: (bot.inbox.statistics.rule_statistics); kept for as long as pages show them.
rule_matches = sa.Table(
    "rule_matches",
    metadata,
    sa.Column("starts_at", sa.BigInteger, primary_key=True, autoincrement=False, comment="of the hour"),
    sa.Column("oa_id", sa.String(128), primary_key=True),
    sa.Column("rule_id", sa.String(128), primary_key=True),
    sa.Column("keyword", sa.String(MAX_KEYWORD_CHARACTERS), primary_key=True, comment="empty: none is known"),
    sa.Column("runner_up", sa.String(128), primary_key=True, comment="empty: no other rule matched"),
    sa.Column("n", sa.BigInteger, nullable=False),
)

#: One row per OA: its rate limit and circuit breaker, shared by all processes.
accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("oa_id", sa.String(128), primary_key=True),
    sa.Column(
        "next_slot",
        sa.Double,
        nullable=False,
        server_default="0",
        comment="when the next call may leave (SEND_RATE)",
    ),
    sa.Column("failures", sa.Integer, nullable=False, server_default="0", comment="calls that failed in a row"),
    sa.Column("failing_since", sa.Double, nullable=False, server_default="0", comment="time of the first of them"),
    sa.Column("failed_event", _BigId, comment="the event of the latest failure"),
    sa.Column("failed_events", sa.Integer, nullable=False, server_default="0", comment="different events among them"),
    sa.Column("closed_until", sa.Double, nullable=False, server_default="0", comment="no call before this"),
    sa.Column("pauses", sa.Integer, nullable=False, server_default="0", comment="probes that failed in a row"),
    sa.Column("probing", sa.Boolean, nullable=False, server_default=sa.false(), comment="one event is trying it"),
    sa.Column("trouble", sa.Text, comment="why nothing is sent, in the vendor's words"),
)

#: One row that is written to check that the database takes writes.
write_checks = sa.Table(
    "write_checks",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("checked_at", sa.Double, nullable=False, comment="when the latest of these writes was made"),
)

#: The latest valid rules files, so that the bot still answers after a restart with a broken file.
good_rules = sa.Table(
    "good_rules",
    metadata,
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.Column("loaded_at", sa.Double, nullable=False),
)

#: One row per image file, OA and type of upload: the vendor's token, and the lease on the next upload.
uploads = sa.Table(
    "uploads",
    metadata,
    sa.Column("oa_id", sa.String(128), primary_key=True),
    sa.Column("digest", sa.String(64), primary_key=True, comment="SHA-256 of the picture, in hex"),
    sa.Column("type", sa.String(64), primary_key=True, comment="CPAAS_UPLOAD_TYPE"),
    sa.Column("token", sa.Text, comment="what the picture is sent by"),
    sa.Column("uploaded_at", sa.Double),
    sa.Column("claimed_until", sa.Double, nullable=False, comment="one process uploads it, alone until then"),
    sa.Column("failures", sa.Integer, nullable=False, server_default="0", comment="uploads that failed in a row"),
    sa.Column("not_before", sa.Double, nullable=False, server_default="0", comment="no upload before this"),
    sa.Column("refused", sa.Boolean, nullable=False, server_default=sa.false(), comment="the picture is at fault"),
    sa.Column("trouble", sa.Text, comment="why the latest upload failed"),
)

#: One row per image that the rules name: when it is checked next, and the latest result.
picture_checks = sa.Table(
    "picture_checks",
    metadata,
    sa.Column("key", sa.String(64), primary_key=True, comment="SHA-256 of what the rules say of it, in hex"),
    sa.Column("due_at", sa.Double, nullable=False, comment="not before this; a claim moves it to the lease's end"),
    sa.Column("failures", sa.Integer, nullable=False, server_default="0", comment="looks in a row that found it bad"),
    sa.Column("checked_at", sa.Double, comment="when the verdict was found"),
    sa.Column("word", sa.String(32), nullable=False, server_default="not-checked", comment="the verdict"),
    sa.Column("status", sa.Integer, comment="of HTTP"),
    sa.Column("form", sa.String(16), nullable=False, server_default="", comment="JPEG, PNG, GIF, HTML…"),
    sa.Column("size", sa.BigInteger, comment="in bytes"),
    sa.Column("width", sa.BigInteger, comment="in pixels"),
    sa.Column("height", sa.BigInteger),
)

#: One row: the random key that signs the cookies of the console.
console_keys = sa.Table(
    "console_keys",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("key", sa.LargeBinary, nullable=False),
)

#: One row per open session of the console; a cookie without a row is invalid.
console_sessions = sa.Table(
    "console_sessions",
    metadata,
    sa.Column("digest", sa.String(64), primary_key=True, comment="SHA-256 of the session's id, in hex"),
    sa.Column("began_at", sa.Double, nullable=False),
)

#: One row per editor's browser: its unpublished draft of the rules file.
drafts = sa.Table(
    "drafts",
    metadata,
    sa.Column("browser", sa.String(64), primary_key=True, comment="SHA-256 of the id in its cookie, in hex"),
    sa.Column("content", sa.LargeBinary, comment="empty: it was discarded"),
    sa.Column("base_digest", sa.String(64), nullable=False, comment="of the rules file that it was begun from"),
    sa.Column("revision", sa.Integer, nullable=False, comment="goes up with each save"),
    sa.Column("tab", sa.String(32), nullable=False, comment="which tab of the browser saved it last"),
    sa.Column("saved_at", sa.Double, nullable=False),
)

#: The log of publications for all machines that share the database: one row per change, in one order.
publications = sa.Table(
    "publications",
    metadata,
    sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("file", sa.Text, nullable=False, comment="empty: the rules file; else an image, as rules name it"),
    sa.Column("digest", sa.String(64), nullable=False, comment="SHA-256 of the content, in hex; empty: deleted"),
    sa.Column("replaced", sa.String(64), nullable=False, comment="the digest before, where it was published"),
    sa.Column("published_at", sa.Double, nullable=False),
    sa.Column("info", sa.JSON(none_as_null=True), comment="who published it and why"),
)

#: The contents of publications, kept for some time after the next one.
publication_contents = sa.Table(
    "publication_contents",
    metadata,
    sa.Column("digest", sa.String(64), primary_key=True, comment="SHA-256 of the content, in hex"),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.Column("stored_at", sa.Double, nullable=False, comment="the latest time that somebody was about to publish it"),
)

#: Topics of unanswered messages that an editor has hidden from the list.
ignored_topics = sa.Table(
    "ignored_topics",
    metadata,
    sa.Column(
        "name",
        sa.String(MAX_TOPIC_CHARACTERS),
        primary_key=True,
        comment="the words that its messages share, without marks",
    ),
    sa.Column("label", sa.String(MAX_TOPIC_CHARACTERS), nullable=False, comment="the same as it was typed"),
    sa.Column("ignored_at", sa.Double, nullable=False),
)

#: What was left of each OA's quotas when the vendor reported them last, on whichever machine.
quotas = sa.Table(
    "quotas",
    metadata,
    sa.Column("oa_id", sa.String(128), primary_key=True),
    sa.Column("kind", sa.String(32), primary_key=True, comment="Zalo's quota_type"),
    sa.Column("left", sa.BigInteger, nullable=False),
    sa.Column("size", sa.BigInteger, comment="empty: the vendor did not say"),
    sa.Column("reported_at", sa.Double, nullable=False, comment="when it was stored, a minute later at most"),
)

#: Which of an editor's first steps in the console have been taken, and whether the list of them is shown.
first_steps = sa.Table(
    "first_steps",
    metadata,
    sa.Column("step", sa.String(16), primary_key=True, comment="begun, closed, or one of the steps"),
    sa.Column("done_at", sa.Double, nullable=False),
    sa.Column("link", sa.Text, comment="of begun: where customers' messages are written, in the demo"),
)
