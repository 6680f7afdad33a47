"""The axes of a plot: where its parts lie, and their lines, labels and grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tuitrain.ui.widgets.canvas import Canvas
from tuitrain.ui.widgets.cells import Cells
from tuitrain.ui.widgets.ticks import Scale, labels, nice_range, ticks

# Lines and corners: across, up, tick below, tick to the left, corner.
_BOX = {True: tuple("─│┬┤└"), False: tuple("-|+++")}


FEWEST_ROWS = 4
"""Rows of a y axis from which on its ends can be spared half a row."""


@dataclass(frozen=True)
class Inks:
    """The inks of the axes."""

    axis: int
    grid: int
    label: int


@dataclass(frozen=True)
class Area:
    """The cells within the axes, and how much room there is around them.

    Attributes:
        x, y, width, height: in cells.
        labels_left: whether labels of the y axis stand to the left.
        line: whether a line is drawn below.
        labels_below: whether labels of the x axis stand below.
    """

    x: int
    y: int
    width: int
    height: int
    labels_left: bool
    line: bool
    labels_below: bool

    @property
    def y_count(self) -> int:
        """How many labels the y axis has room for."""
        return max(2, min(8, self.height // 3))

    @property
    def x_count(self) -> int:
        return max(1 + (self.width >= 16), min(10, self.width // 12))


def arrange(width: int, height: int, gutter: int, header: int) -> Area:
    """Share out `width` x `height` cells: what is small loses its lines first, then its labels.

    Args:
        gutter: cells for the labels of the y axis and its line.
        header: rows above the plot.
    """
    below = height - header
    line, labels_below = below >= 8, below >= 3
    labels_left = width >= max(16, 2 * gutter)
    x = gutter if labels_left else 0
    rows = max(1, below - line - labels_below)
    return Area(x, header, max(1, width - x), rows, labels_left, line, labels_below)


class AutoRange:
    """A y range that follows the data without trembling: grows at once, shrinks late."""

    def __init__(self) -> None:
        self._range: tuple[float, float] | None = None
        self._log = False

    def clear(self) -> None:
        self._range = None

    def update(self, low: float, high: float, count: int, log: bool, rows: int = 1) -> Scale:
        """The scale on which `low` to `high` are shown with about `count` ticks.

        Args:
            rows: of the axis. Where there are several, half a row is left at each end, so that
                a curve at the first or the last label runs through its middle.
        """
        wanted = nice_range(low, high, count, log)
        if self._range is None or log != self._log or not self._still_good(low, high, wanted):
            self._range, self._log = wanted, log
        scale = Scale(*self._range, log)
        if rows < FEWEST_ROWS:
            return scale
        half = 0.5 / (rows - 1)
        return Scale(scale.value(-half), scale.value(1 + half), log)

    def _still_good(self, low: float, high: float, wanted: tuple[float, float]) -> bool:
        assert self._range is not None
        scale = Scale(*self._range, self._log)
        inside = self._range[0] <= low and high <= self._range[1]
        return inside and bool(np.ptp(scale.unit(wanted)) > 0.6)


def to_dots(unit: ArrayLike, size: int, *, down: bool = False) -> NDArray[np.float64]:
    """Positions on a scale as dot coordinates; `down` turns them for the y axis."""
    u = np.asarray(unit, np.float64)
    dots = (1 - u if down else u) * size
    # The end of the scale belongs to the last dot, not to one outside.
    return np.where(dots == size, size - 0.5, dots)


def draw_grid(canvas: Canvas, x: Scale, y: Scale, area: Area, ink: int) -> None:
    """Faint dots across at each tick of the y axis, and down at each of the x axis."""
    rows = to_dots(y.unit(ticks(y, area.y_count)), canvas.rows, down=True)
    columns = to_dots(x.unit(ticks(x, area.x_count)), canvas.columns)
    columns = columns[columns >= 2]  # the axis itself stands at the left
    across = np.arange(1, canvas.columns, max(2, 2 * canvas.columns // canvas.width))
    down = np.arange(0, canvas.rows, max(1, canvas.rows // canvas.height))
    for points in (np.meshgrid(across, rows), np.meshgrid(columns, down)):
        canvas.dots(points[0].ravel(), points[1].ravel(), ink)


def y_labels(y: Scale, area: Area) -> list[tuple[int, str]]:
    """Row (within the area) and label of each tick of the y axis, one label to a row."""
    values = ticks(y, area.y_count)
    rows = to_dots(y.unit(values), area.height, down=True).astype(int)
    return list(dict(zip(rows.tolist(), labels(values), strict=True)).items())


def draw_y_axis(cells: Cells, y: Scale, area: Area, inks: Inks, *, plain: bool) -> None:
    """The line to the left of the area, its ticks, and labels that end at it."""
    if not area.labels_left:
        return
    _, up, _, tick, _ = _BOX[not plain]
    for row in range(area.height):
        cells.text(area.x - 1, area.y + row, up, inks.axis)
    for row, label in y_labels(y, area):
        cells.text(area.x - 1, area.y + row, tick, inks.axis)
        cells.text(area.x - 1 - len(label), area.y + row, label, inks.label)


def draw_x_axis(
    cells: Cells, x: Scale, area: Area, inks: Inks, *, plain: bool, name: str = ""
) -> None:
    """The line below the area, its ticks, and labels that never touch each other.

    Args:
        name: what is counted, to the left of the labels if there is room.
    """
    bottom = area.y + area.height
    across, _, tick, _, corner = _BOX[not plain]
    if area.line:
        cells.text(area.x, bottom, across * area.width, inks.axis)
        if area.labels_left:
            cells.text(area.x - 1, bottom, corner, inks.axis)
    if not area.labels_below:
        return
    values = ticks(x, area.x_count)
    taken = -1
    if name and len(name) + 2 < area.x:
        cells.text(0, bottom + area.line, name, inks.label)
        taken = len(name)
    for column, label in zip(
        to_dots(x.unit(values), area.width).astype(int).tolist(), labels(values), strict=True
    ):
        if area.line:
            cells.text(area.x + column, bottom, tick, inks.axis)
        start = area.x + column - len(label) // 2
        start = max(0, min(start, cells.width - len(label)))
        if start > taken:
            cells.text(start, bottom + area.line, label, inks.label)
            taken = start + len(label)
