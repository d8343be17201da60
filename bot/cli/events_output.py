"""Format times and tables for the commands about past events."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from bot.i18n import Language, format_date


def moment(seconds: float, lang: Language) -> str:
    """Return a time (seconds since 1970) in this machine's time zone."""
    at = datetime.fromtimestamp(seconds, UTC).astimezone()
    return f"{format_date(at, lang)} {at:%H:%M:%S}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a table with aligned columns."""
    lines = [head, *rows]
    widths = [max(len(line[n]) for line in lines) for n in range(len(head))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
