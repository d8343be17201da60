"""What the inbox tells of mistakes that were made elsewhere: in Zalo's console, and in OA Manager."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import sqlalchemy as sa

from bot.doctor.finding import Finding, Level
from bot.inbox.database import Database
from bot.inbox.tables import HAS_WORDS, IS_ECHO, events

_WEEK: Final = 7 * 86_400.0
# Fewer may begin with # by chance, or because a shop's menu sends them.
_FEWEST, _MOST = 10, 100


def check_signs(database: Database, *, now: float) -> Iterator[Finding]:
    """Yield what the stored events are a sign of."""
    with database.read() as connection:
        is_empty = connection.execute(sa.select(events.c.id).limit(1)).first() is None
        texts = connection.scalars(_TEXTS).all()
        strange = connection.execute(_STRANGE, {"b_since": now - _WEEK}).scalar_one()
    if is_empty:
        yield _sign("unchecked", "which-secret/no-event")
    if len(texts) >= _FEWEST and all(text.startswith("#") for text in texts):
        yield _sign("warning", "syntax-filter/on", count=len(texts))
    if strange:
        yield _sign("warning", "own-replies/seen", count=strange)


def _sign(level: Level, code: str, **args: object) -> Finding:
    return Finding("by-hand", level, code, args)


_TEXTS = (
    sa.select(events.c.text)
    .where(HAS_WORDS, events.c.kind == "text", events.c.text != "")
    .order_by(events.c.received_at.desc())
    .limit(_MOST)
)
# The bot sends pictures and nothing else; what a person sends has a reason of its own.
_STRANGE = sa.select(sa.func.count()).where(
    IS_ECHO,
    events.c.reason == "echo",
    events.c.name != "oa_send_image",
    events.c.received_at > sa.bindparam("b_since"),
)
