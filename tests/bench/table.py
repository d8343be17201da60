"""Tables on the terminal, as Markdown, so that they can be pasted into README."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def show(title: str, head: str, rows: Sequence[Sequence[str]]) -> None:
    """Print the rows under the words of *head*, past pytest's capture."""
    if sys.__stdout__:
        sys.__stdout__.write(f"\n\n{title[:1].upper()}{title[1:]}:\n\n{markdown(head.split(), rows)}\n")
        sys.__stdout__.flush()


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table whose columns are aligned in its source too, figures to the right."""
    lines = [[cell.replace("|", "\\|") for cell in line] for line in (head, *rows)]
    widths = [max(3, *(len(line[n]) for line in lines)) for n in range(len(head))]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join(
        f"| {' | '.join(_padded(cell, width, n) for n, (cell, width) in enumerate(zip(line, widths, strict=True)))} |"
        for line in (lines[0], rule, *lines[1:])
    )


def _padded(cell: str, width: int, column: int) -> str:
    return cell.rjust(width) if column else cell.ljust(width)
