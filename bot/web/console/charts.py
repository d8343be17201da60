"""Bar charts as SVG, made on the server: the positions of bars, lines and labels, computed from counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

#: Height of the plot in pixels, and of the band below it for labels; widths are in percent, so that any screen fits.
PLOT_HEIGHT: Final = 180
LABEL_HEIGHT: Final = 24
# Space above the highest line for its number, in pixels.
_TOP: Final = 10
_MAX_LINES: Final = 5
# The bar's part of its column's width; with few columns a smaller part is enough.
_BAR_SHARE: Final = 0.72
_FEW_COLUMNS: Final = 10
_SHARE_OF_FEW: Final = 0.5


@dataclass(frozen=True, slots=True)
class Column:
    """The figures of one bar."""

    label: str
    """A short label below the bar."""
    title: str
    """The full label, for the table and the bar's tooltip."""
    counts: Mapping[str, int]
    """The counts by series."""


@dataclass(frozen=True, slots=True)
class Piece:
    """The part of a bar for one series."""

    series: str
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar; `x` and `width` are in percent."""

    column: Column
    total: int
    x: float
    width: float
    pieces: list[Piece]
    is_labelled: bool


@dataclass(frozen=True, slots=True)
class Chart:
    """A stacked bar chart."""

    series: Sequence[str]
    bars: list[Bar]
    lines: list[tuple[float, int]]
    """The horizontal lines, each with its position and value."""
    height: int = PLOT_HEIGHT + LABEL_HEIGHT
    base: int = PLOT_HEIGHT

    @property
    def total(self) -> int:
        """The sum of all bars."""
        return sum(bar.total for bar in self.bars)

    def sum_of(self, series: str) -> int:
        """Return the sum of one series."""
        return sum(bar.column.counts.get(series, 0) for bar in self.bars)


def stacked(
    columns: Sequence[Column], series: Sequence[str], *, label_every: int = 1, from_last: bool = False
) -> Chart:
    """
    Return the chart of *columns*, the first of *series* at the bottom.

    Every *label_every*th label is shown, counted back from the last column if that is the present, else from the
    first.
    """
    totals = [sum(column.counts.get(name, 0) for name in series) for column in columns]
    step, top = scale(max(totals, default=0))
    per_pixel = (PLOT_HEIGHT - _TOP) / top
    slot = 100 / max(1, len(columns))
    share = _SHARE_OF_FEW if len(columns) <= _FEW_COLUMNS else _BAR_SHARE
    bars = []
    for number, (column, total) in enumerate(zip(columns, totals, strict=True)):
        counts = [column.counts.get(name, 0) for name in series]
        pieces = [
            Piece(name, round(PLOT_HEIGHT - upto * per_pixel, 1), round(count * per_pixel, 1))
            for name, count, upto in zip(series, counts, accumulate(counts), strict=True)
            if count
        ]
        x = round(slot * (number + (1 - share) / 2), 3)
        is_labelled = (len(columns) - 1 - number if from_last else number) % label_every == 0
        bars.append(Bar(column, total, x, round(slot * share, 3), pieces, is_labelled))
    lines = [(round(PLOT_HEIGHT - value * per_pixel, 1), value) for value in range(0, top + 1, step)]
    return Chart(series, bars, lines)


def scale(highest: int) -> tuple[int, int]:
    """Return the step between lines and the value of the highest line: round numbers, at most _MAX_LINES steps."""
    step = 1
    while step * _MAX_LINES < highest:
        leading = int(str(step)[0])
        step = step * 5 // 2 if leading == 2 else step * 2
    return step, max(step, -(-highest // step) * step)
