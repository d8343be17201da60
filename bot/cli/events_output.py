"""Times and tables as the commands about past events print them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime


def moment(seconds: float) -> str:
    """Return a time as this machine's clock shows it."""
    return f"{datetime.fromtimestamp(seconds, UTC).astimezone():%Y-%m-%d %H:%M:%S}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the rows under their heads, in columns."""
    lines = [head, *rows]
    widths = [max(len(line[n]) for line in lines) for n in range(len(head))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
