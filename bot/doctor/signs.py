"""Signs in the stored events of mistakes made in Zalo's console or in OA Manager."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bot.doctor.finding import Finding, Level
from bot.inbox.database import Database
from bot.inbox.queries import EventQueries

_WEEK: Final = 7 * 86_400.0
# Fewer may begin with # by chance, or because a shop's menu sends them.
_FEWEST, _MOST = 10, 100


def check_signs(database: Database, *, now: float) -> Iterator[Finding]:
    """Yield what the stored events are a sign of."""
    queries = EventQueries(database)
    texts, strange = queries.latest_texts(_MOST), queries.count_foreign_echoes(since=now - _WEEK)
    if queries.is_empty():
        yield _sign("unchecked", "which-secret/no-event")
    if len(texts) >= _FEWEST and all(text.startswith("#") for text in texts):
        yield _sign("warning", "syntax-filter/on", count=len(texts))
    if strange:
        yield _sign("warning", "own-replies/seen", count=strange)


def _sign(level: Level, code: str, **args: object) -> Finding:
    return Finding("by-hand", level, code, args)
