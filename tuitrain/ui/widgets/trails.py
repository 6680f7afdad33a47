"""The trajectories of runs over a landscape, drawn as they grow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tuitrain.record.landscape import Window
from tuitrain.ui.markers import Marker
from tuitrain.ui.widgets.axes import to_dots
from tuitrain.ui.widgets.canvas import Canvas
from tuitrain.ui.widgets.ticks import Scale

Points = NDArray[np.float64]

RESTLESS = 1.5
"""Times the width and height of the map, in cells, that a run may visit before it is faint."""


@dataclass
class Trail:
    """The trajectory of one run: points of the plane, in blocks that are only ever added to.

    Attributes:
        name: of the run.
        letter: one character that stands where the run is.
        colour: number of its series colour, or a colour's name.
        start: (x, y) of its initial weights.
        blocks: x [n], y [n] of the steps after the start; NaN after the run has ended.
        lost: whether it has diverged.
        rows: how many of the steps after the start it has come, to where it stands; None: all.
    """

    name: str
    letter: str
    colour: int | str
    start: tuple[float, float]
    blocks: list[tuple[Points, Points]] = field(default_factory=list)
    lost: bool = False
    rows: int | None = None

    @property
    def last(self) -> tuple[float, float]:
        """Where it stands, or stood last while that was a number."""
        for x, y in reversed(self._come()):
            finite = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
            if finite.size:
                return float(x[finite[-1]]), float(y[finite[-1]])
        return self.start

    def _come(self) -> list[tuple[Points, Points]]:
        """The blocks up to where it stands."""
        if self.rows is None:
            return self.blocks
        come, left = [], self.rows
        for x, y in self.blocks:
            if left <= 0:
                break
            come.append((x[:left], y[:left]))
            left -= len(x)
        return come


class Tracing:
    """Trails on a canvas; only what is new is drawn.

    The restless lie at the bottom: a run that hops about would bury all others. Of trails that
    visit about as many cells the first lies on top.

    Args:
        window: what the canvas shows.
        width, height: of the canvas, in cells.
        count: how many trails there are.

    Attributes:
        canvas: the ink of a cell is the index of its trail.
        restless: whether each trail has been in more cells than any way through the map has.
    """

    def __init__(self, window: Window, width: int, height: int, marker: Marker, count: int) -> None:
        self._size = width, height, marker
        self._x, self._y = Scale(*window.x), Scale(*window.y)
        self._order = list(reversed(range(count)))
        self._clear()

    def update(self, trails: Sequence[Trail]) -> Canvas:
        """The canvas with all of the trails; they are the same ones every time."""
        self._draw_new(trails)
        visits = np.count_nonzero(self._visited, axis=1).tolist()
        order = sorted(range(len(trails)), key=lambda i: (-visits[i].bit_length(), -i))
        if order != self._order:
            self._order = order
            self._clear()
            self._draw_new(trails)
        return self.canvas

    @property
    def restless(self) -> list[bool]:
        limit = RESTLESS * (self.canvas.width + self.canvas.height)
        restless: list[bool] = (np.count_nonzero(self._visited, axis=1) > limit).tolist()
        return restless

    def _clear(self) -> None:
        self.canvas = Canvas(*self._size)
        self._drawn = [0] * len(self._order)
        cells = self.canvas.width * self.canvas.height
        self._visited = np.zeros((len(self._order), cells), np.bool_)

    def _draw_new(self, trails: Sequence[Trail]) -> None:
        for number in self._order:
            trail = trails[number]
            new = trail.blocks[self._drawn[number] :]
            if new:
                self._draw(trail, number, new)
                self._drawn[number] = len(trail.blocks)

    def _draw(self, trail: Trail, number: int, new: list[tuple[Points, Points]]) -> None:
        before = self._drawn[number]
        x0, y0 = trail.start
        if before:
            x0, y0 = (float(side[-1]) for side in trail.blocks[before - 1])
        x = to_dots(self._x.unit(np.concatenate([[x0], *(x for x, _ in new)])), self.canvas.columns)
        y = to_dots(
            self._y.unit(np.concatenate([[y0], *(y for _, y in new)])), self.canvas.rows, down=True
        )
        x, y = _thinned(x, y)
        self.canvas.line(x, y, number)
        inside = (x >= 0) & (x < self.canvas.columns) & (y >= 0) & (y < self.canvas.rows)
        across = (x[inside] * (self.canvas.width / self.canvas.columns)).astype(np.intp)
        down = (y[inside] * (self.canvas.height / self.canvas.rows)).astype(np.intp)
        self._visited[number, down * self.canvas.width + across] = True


def _thinned(x: Points, y: Points) -> tuple[Points, Points]:
    """Without the points that lie in the same dot as the one before: a tenth of the work."""
    with np.errstate(invalid="ignore"):
        moved = (np.diff(np.floor(x)) != 0) | (np.diff(np.floor(y)) != 0)  # also to and from NaN
    keep = np.concatenate([[True], moved])
    keep[-1] = True
    return x[keep], y[keep]
