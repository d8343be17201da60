"""Tables on the terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def show(title: str, head: str, rows: Sequence[Sequence[str]]) -> None:
    """Print the rows under their heads, past pytest's capture."""
    lines = [head.split(), *rows]
    widths = [max(len(line[n]) for line in lines) for n in range(len(lines[0]))]
    text = "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)
    sys.__stdout__.write(f"\n\n{title}\n{text}\n") if sys.__stdout__ else None
