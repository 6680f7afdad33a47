"""What a chart shows, and its curves as dots."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tuitrain.record.series import Columns, Series, SmoothedSeries, columns_of
from tuitrain.ui.widgets.axes import to_dots
from tuitrain.ui.widgets.canvas import Canvas
from tuitrain.ui.widgets.ticks import LARGEST, Scale


@dataclass
class Layer:
    """A named curve.

    Attributes:
        name: as the legend says.
        series: what is drawn; it may grow.
        colour: number of the series colour, or a colour's name.
        smooth: whether the chart's smoothing applies to it.
        faint: whether it lies dim beneath the others.
        spans: whether the x axis and the cursor go as far as it does.
    """

    name: str
    series: Series
    colour: int | str = 0
    smooth: bool = True
    faint: bool = False
    spans: bool = True
    _smoothed: SmoothedSeries | None = field(default=None, repr=False, compare=False)

    def smoothed(self, weight: float) -> Series | None:
        """The smoothed curve, up to date; None where there is no smoothing."""
        if not weight or not self.smooth:
            return None
        if self._smoothed is None or self._smoothed.weight != weight:
            self._smoothed = SmoothedSeries(self.series, weight)
        self._smoothed.update()
        return self._smoothed


@dataclass(frozen=True)
class Mark:
    """A vertical line at a step, with a label such as `lr→0.01`."""

    step: float
    label: str
    kind: Literal["event", "warning"] = "event"


@dataclass(frozen=True)
class Reference:
    """A horizontal line at a value, with a label such as `expected 5.541`."""

    value: float
    label: str = ""


@dataclass(frozen=True)
class Curve:
    """A layer as far as it lies in view.

    Attributes:
        layer: the layer.
        raw, smooth: its columns of dots, as recorded and smoothed.
    """

    layer: Layer
    raw: Columns
    smooth: Columns | None

    @classmethod
    def all(cls, layers: Sequence[Layer], x: Scale, columns: int, weight: float) -> list[Curve]:
        """The curves of some layers over `columns` columns of dots."""
        view = x.low, x.high, columns, x.log
        smoothed = [layer.smoothed(weight) for layer in layers]
        smooth = iter(columns_of([each for each in smoothed if each is not None], *view))
        raw = columns_of([layer.series for layer in layers], *view)
        return [
            cls(layer, one, None if over is None else next(smooth))
            for layer, one, over in zip(layers, raw, smoothed, strict=True)
        ]


def value_range(curves: list[Curve], log: bool, include: list[float]) -> tuple[float, float] | None:
    """Least and greatest value in view that a scale can show; None if there is none.

    Args:
        include: further values that must be in view.
    """
    low = np.concatenate([c.raw.low for c in curves] or [np.empty(0)])
    high = np.concatenate([c.raw.high for c in curves] or [np.empty(0)])
    if log:
        low = np.concatenate([low[low > 0], high[high > 0]])
        high = high[high > 0]
        include = [value for value in include if value > 0]
    low, high = low[~np.isnan(low)], high[~np.isnan(high)]
    if not len(high):
        return None
    least, greatest = min([float(low.min()), *include]), max([float(high.max()), *include])
    least, greatest = np.clip((least, greatest), -LARGEST, LARGEST).tolist()
    return least, greatest


def draw_curve(
    canvas: Canvas,
    series: Series,
    columns: Columns,
    x: Scale,
    y: Scale,
    ink: int,
    *,
    dash: int = 0,
    sparse: bool = False,
) -> None:
    """Draw a series reduced to the canvas's columns, joined to its rows outside the view.

    Args:
        dash, sparse: see `Canvas.curve`.
    """

    def down(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return to_dots(y.unit(values), canvas.rows, down=True)

    def point(row: tuple[int, float] | None) -> tuple[float, float] | None:
        if row is None or (x.log and row[0] <= 0):
            return None
        level = float(down(np.array([row[1]]))[0])
        return float(x.unit(row[0])) * canvas.columns, level if math.isfinite(level) else math.nan

    top, bottom = down(columns.high), down(columns.low)
    # On a log scale a column without a positive value is a gap.
    absent = ~np.isfinite(top)
    top[absent] = np.nan
    first, last = (
        np.where(np.isinf(d), np.nan, d) for d in map(down, (columns.first, columns.last))
    )
    bottom = np.minimum(bottom, canvas.rows)
    before, after = series.neighbours(x.low, x.high)
    gap = absent & (columns.bad | ~np.isnan(columns.high))
    ends = point(before), point(after)
    canvas.curve(
        first, last, top, bottom, gap, ink, before=ends[0], after=ends[1], dash=dash, sparse=sparse
    )


def draw_guides(
    canvas: Canvas,
    x: Scale,
    y: Scale,
    references: Sequence[Reference],
    marks: Sequence[Mark],
    cursor: float | None,
    part: Callable[[str], int],
) -> None:
    """References across, marks and the cursor down: what lies beneath the curves.

    Args:
        part: gives the ink of a part of the plot.
    """
    across = np.arange(canvas.columns)
    across = across[across % 4 < 2] if canvas.marker != "ascii" else across[::2]
    for reference in references:
        row = to_dots(y.unit(reference.value), canvas.rows, down=True)
        canvas.dots(across, np.full(len(across), row), part("reference"))
    down = np.arange(canvas.rows)
    for mark in marks:
        column = to_dots(x.unit(mark.step), canvas.columns)
        canvas.dots(np.full(len(down[::2]), column), down[::2], part(mark.kind))
    if cursor is not None:
        column = to_dots(x.unit(cursor), canvas.columns)
        canvas.dots(np.full(len(down), column), down, part("cursor"))
