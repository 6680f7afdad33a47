"""The lines of a learning-rate sweep as dots and signs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tuitrain.record.sweep import Sweep
from tuitrain.ui.widgets.axes import Area, to_dots
from tuitrain.ui.widgets.canvas import Canvas
from tuitrain.ui.widgets.cells import Cells
from tuitrain.ui.widgets.ticks import Scale

SIGNS = {True: "o#^*v+%", False: "●■▲◆▼✚○"}
"""What marks the rates of each line: in ASCII, and elsewhere."""

CROSS = {True: "x", False: "\N{MULTIPLICATION SIGN}"}
ABOVE = 10.0
"""Losses more than so many times the loss at the start leave the picture at its top."""

APART = 3
"""Cells from sign to sign, in the middle, so that they do not crowd."""

Numbers = NDArray[np.float64]


def sign(number: int, *, plain: bool) -> str:
    """The sign of line `number`."""
    return SIGNS[plain][number % len(SIGNS[plain])]


def loss_range(
    sweeps: Sequence[Sweep], x: Scale, start: float, log: bool
) -> tuple[float, float, bool]:
    """The least and the greatest loss to show, and whether a logarithmic axis can show them.

    Args:
        x: the rates in view.
        start: the loss before the first step, or NaN.
        log: whether the axis is wanted logarithmic.
    """
    rates = [sweep.line.rates for sweep in sweeps]
    seen = [
        s.loss[(r >= x.low) & (r <= x.high)].ravel() for s, r in zip(sweeps, rates, strict=True)
    ]
    values = np.concatenate([*seen, [start]])
    values = values[np.isfinite(values)]
    log = log and not (values < 0).any() and bool((values > 0).any())
    if start > 0:
        values = np.minimum(values, ABOVE * start)
    shown = values[values > 0] if log else values
    return (float(shown.min()), float(shown.max()), log) if shown.size else (0.0, 1.0, False)


class LineDots:
    """A line on a canvas.

    Args:
        sweep: the line, n rates.
        canvas: what it is drawn on.
        x, y: the scales of the canvas.

    Attributes:
        x: of the rates, in dots, [n].
        y: of the quartiles, in dots from above, [n, 3]: infinite losses lie just above the top,
            NaN where nothing is known.
    """

    def __init__(self, sweep: Sweep, canvas: Canvas, x: Scale, y: Scale) -> None:
        self.x = np.asarray(x.unit(sweep.line.rates) * canvas.columns)
        finite = np.where(np.isinf(sweep.loss), np.nan, sweep.loss)
        self.y = to_dots(y.unit(finite), canvas.rows, down=True)
        self.y[np.isinf(self.y)] = canvas.rows - 0.5  # zero, on a logarithmic axis
        self.y[np.isposinf(sweep.loss)] = -0.5
        self._canvas = canvas

    def draw(self, ink: int) -> None:
        """The line through the medians."""
        self._canvas.line(self.x, self.y[:, 1], ink)

    def draw_band(self, ink: int) -> None:
        """Everything between the quartiles."""
        if len(self.x) < 2:
            return
        canvas = self._canvas
        across = np.arange(canvas.columns) + 0.5
        bottom, _, top = (np.interp(across, self.x, rows, np.nan, np.nan) for rows in self.y.T)
        rows = np.arange(canvas.rows)[:, np.newaxis] + 0.5
        inside = (rows >= top) & (rows <= bottom)
        inside[:, bottom - top < 1] = False
        down, columns = np.nonzero(inside)
        canvas.dots(columns, down, ink)

    def draw_signs(self, cells: Cells, area: Area, sign: str, ink: int) -> None:
        """A sign at each rate, unless that are too many."""
        columns = self.x / self._canvas.columns * area.width
        rows = self.y[:, 1] / self._canvas.rows * area.height
        if len(columns) > 1 and np.median(np.diff(columns)) < APART:
            return
        inside = (columns >= 0) & (columns < area.width) & (rows >= 0) & (rows < area.height)
        places = np.stack([columns, rows], axis=1)[inside].astype(int)
        for column, row in places.tolist():
            cells.text(area.x + column, area.y + row, sign, ink)


def draw_crosses(
    cells: Cells,
    area: Area,
    row: int,
    sweep: Sweep,
    x: Scale,
    inks: tuple[int, int],
    *,
    plain: bool,
) -> None:
    """A cross in a row of cells for each rate at which runs have diverged.

    Args:
        inks: where all runs have, and where only some have.
    """
    positions = x.unit(sweep.line.rates).tolist()
    for group, count, at in zip(sweep.line.groups, sweep.diverged, positions, strict=True):
        if count and 0 <= at <= 1:
            column = min(int(at * area.width), area.width - 1)
            cells.text(area.x + column, row, CROSS[plain], inks[count < len(group.runs)])


@dataclass(frozen=True)
class Item:
    """A line in the legend."""

    sign: str
    name: str
    value: str
    ink: int

    @property
    def width(self) -> int:
        return 3 + len(self.name) + bool(self.value) + len(self.value)


def draw_legend(
    cells: Cells, left: int, lead: str, items: Sequence[Item], selected: int, ink: int, quiet: int
) -> None:
    """The top row: what the values are, then the items, the selected one surely among them.

    Where there is no room for all, they lose their values first.
    """
    if left + len(lead) + sum(2 + item.width for item in items) > cells.width:
        lead, items = "", [Item(item.sign, item.name, "", item.ink) for item in items]
    column = left + len(lead) + 2 * bool(lead)
    first = 0
    while first < selected and (
        column + sum(2 + item.width for item in items[first : selected + 1]) > cells.width
    ):
        first += 1
    cells.text(left, 0, lead, quiet)
    for number, item in enumerate(items[first:], first):
        last = number == len(items) - 1
        plain = item.sign.isascii()
        if column + item.width > cells.width - 2 * (not last):
            cells.text(column, 0, ">" if plain else "…", quiet)
            return
        cells.text(column, 0, ("=" if plain else "━") + item.sign, item.ink)
        cells.text(column + 3, 0, item.name, ink if number == selected else quiet)
        cells.text(column + 4 + len(item.name), 0, item.value, ink)
        column += 2 + item.width
