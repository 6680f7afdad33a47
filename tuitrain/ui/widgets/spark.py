"""Sparklines: the course of a series in one row of cells."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from rich.style import Style
from rich.text import Text

from tuitrain.record.series import Columns, Series
from tuitrain.ui.markers import Marker
from tuitrain.ui.widgets.ticks import Scale, widened

BARS = "▁▂▃▄▅▆▇"
"""Without the full block: the bars of neighbouring rows would touch."""
PLAIN = "_.-=^"
CROSS = {False: "\N{MULTIPLICATION SIGN}", True: "x"}


def spark(
    series: Series,
    width: int,
    *,
    style: str | Style = "",
    warning: str | Style = "",
    marker: Marker = "braille",
    span: tuple[float, float] | None = None,
    log: bool = False,
) -> Text:
    """The course of a series as `width` bars, from its minimum to its maximum.

    Each cell shows its last value, or the peak or the dip in it where that sticks out far: so
    neither is lost. Where it does in neighbouring cells, they show peaks and dips in turn: a
    value that swings from side to side within each of them must not look like a calm one.
    A cell with a value that is not finite is a cross; one between two rows holds the value; one
    before the first row, or in a span after the last, is blank.

    Args:
        width: in cells, at least 1.
        style, warning: of the bars and of the crosses.
        marker: with "ascii", bars are letters.
        span: steps from the first cell to the last; else those that the series has.
        log: bars of equal ratios, where all values are positive.
    """
    plain = marker == "ascii"
    if not len(series):
        return Text(" " * width)
    first = series.first_step
    low, high = span or (first, max(series.last_step, first + 1))
    columns = series.columns(low, high, width)
    shown = _shown(columns)
    if log and np.nanmin(shown, initial=np.inf) > 0:
        shown = np.log(shown)
    held = _held(shown)
    if span is not None:
        filled = np.flatnonzero(~np.isnan(shown))
        held[filled.max(initial=-1) + 1 :] = np.nan
    levels = _levels(held, len(PLAIN if plain else BARS))
    text = Text()
    for level, bad in zip(levels.tolist(), columns.bad.tolist(), strict=True):
        if bad:
            text.append(CROSS[plain], warning)
        else:
            text.append((PLAIN if plain else BARS)[level] if level >= 0 else " ", style)
    return text


def _shown(columns: Columns) -> NDArray[np.float64]:
    """The value that stands for each cell."""
    with np.errstate(over="ignore"):
        whole = np.nanmax(columns.high, initial=-np.inf) - np.nanmin(columns.low, initial=np.inf)
        up, down = columns.high - columns.last, columns.last - columns.low
    far = np.maximum(up, down) > whole / 4
    peak = up >= down
    for cells in _neighbours(far):
        # The cell with the largest swing shows its extreme, and the others go by it.
        widest = cells[int(np.argmax((columns.high - columns.low)[cells]))]
        peak[cells] = peak[widest] ^ ((cells - widest) % 2 == 1)
    shown = np.where(far, np.where(peak, columns.high, columns.low), columns.last)
    return np.where(np.isnan(shown), columns.high, shown)


def _neighbours(chosen: NDArray[np.bool_]) -> list[NDArray[np.intp]]:
    """The indices of what is chosen, those next to each other together."""
    indices = np.flatnonzero(chosen)
    if not len(indices):
        return []
    return np.split(indices, np.flatnonzero(np.diff(indices) > 1) + 1)


def _held(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """With each cell between two rows holding the value of the row before it."""
    filled = np.where(np.isnan(values), 0, np.arange(len(values)))
    return values[np.maximum.accumulate(filled)]


def _levels(values: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    """The bar of each value, from 0 to `count` - 1; -1 for none; the middle for a constant."""
    finite = values[~np.isnan(values)]
    if not len(finite):
        return np.full(len(values), -1)
    low, high = float(finite.min()), float(finite.max())
    if low == high:
        return np.where(np.isnan(values), -1, (count - 1) // 2)
    unit = np.where(np.isnan(values), -1.0, Scale(*widened(low, high, False)).unit(values))
    return np.where(unit < 0, -1, np.minimum(unit * count, count - 1)).astype(np.int64)


def direction(series: Series, rows: int = 100, *, marker: Marker = "braille") -> str:
    """An arrow for where the last `rows` rows went: up, down, or level (less than 0.1 %)."""
    recent = series.values[-rows:]
    recent = recent[np.isfinite(recent)]
    up, down, level = ("^", "v", "-") if marker == "ascii" else ("↗", "↘", "→")
    if len(recent) < 2:
        return " "
    change = float(recent[-1]) - float(recent[0])
    if math.isclose(recent[-1], recent[0], rel_tol=1e-3, abs_tol=1e-12):
        return level
    return up if change > 0 else down
