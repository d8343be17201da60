"""Bar charts as SVG made on the server: the places of bars, lines and labels, from counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

#: Height of the plot in pixels, and of the band below it for labels; widths are in percent, so that any screen fits.
PLOT_HEIGHT: Final = 180
LABEL_HEIGHT: Final = 24
# Above the highest line, for its number.
_TOP: Final = 10
_MAX_LINES: Final = 5
# Of the width for a column; few columns are wide enough with less.
_BAR_SHARE: Final = 0.72
_FEW_COLUMNS: Final = 10
_SHARE_OF_FEW: Final = 0.5


@dataclass(frozen=True, slots=True)
class Column:
    """One column of figures: what a bar stands for."""

    label: str
    """Below the bar; a short one."""
    title: str
    """In full, for the table and the bar's tip."""
    counts: Mapping[str, int]
    """By series."""


@dataclass(frozen=True, slots=True)
class Piece:
    """The part of a bar that is of one series."""

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
    """The lines across, by their place and their value."""
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

    Each *label_every*th column has its label shown, from the last one back where that is the present, else from the
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
