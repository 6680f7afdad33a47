"""The ways of runs over a landscape, drawn as they grow."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tuitrain.record.landscape import Window
from tuitrain.ui.widgets.axes import to_dots
from tuitrain.ui.widgets.canvas import Canvas, Marker
from tuitrain.ui.widgets.ticks import Scale

Points = NDArray[np.float64]


@dataclass
class Trail:
    """The way of one run: points of the plane, in blocks that are only ever added to.

    Attributes:
        name: of the run.
        letter: one character that stands where the run is.
        colour: number of its series colour, or a colour's name.
        start: (x, y) of its initial weights.
        blocks: x [n], y [n] of the steps after the start; NaN after the run has ended.
        lost: whether it has diverged.
    """

    name: str
    letter: str
    colour: int | str
    start: tuple[float, float]
    blocks: list[tuple[Points, Points]] = field(default_factory=list)
    lost: bool = False

    @property
    def last(self) -> tuple[float, float]:
        """Where it is, or was last while that was a number."""
        for x, y in reversed(self.blocks):
            finite = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
            if finite.size:
                return float(x[finite[-1]]), float(y[finite[-1]])
        return self.start


class Tracing:
    """Trails on a canvas; only what is new is drawn.

    Args:
        window: what the canvas shows.
        width, height: of the canvas, in cells.
        inks: the ink of each trail; the first trail lies on top.
    """

    def __init__(
        self, window: Window, width: int, height: int, marker: Marker, inks: list[int]
    ) -> None:
        self.canvas = Canvas(width, height, marker)
        self.inks = inks
        self._x, self._y = Scale(*window.x), Scale(*window.y)
        self._drawn = [0] * len(inks)

    def update(self, trails: list[Trail]) -> Canvas:
        """The canvas with all of the trails that it was made for."""
        for number in reversed(range(len(trails))):
            new = trails[number].blocks[self._drawn[number] :]
            if new:
                self._draw(trails[number], number, new)
                self._drawn[number] = len(trails[number].blocks)
        return self.canvas

    def _draw(self, trail: Trail, number: int, new: list[tuple[Points, Points]]) -> None:
        before = self._drawn[number]
        x0, y0 = trail.start
        if before:
            x0, y0 = (float(side[-1]) for side in trail.blocks[before - 1])
        x = to_dots(self._x.unit(np.concatenate([[x0], *(x for x, _ in new)])), self.canvas.columns)
        y = to_dots(
            self._y.unit(np.concatenate([[y0], *(y for _, y in new)])), self.canvas.rows, down=True
        )
        self.canvas.line(*_thinned(x, y), self.inks[number])


def _thinned(x: Points, y: Points) -> tuple[Points, Points]:
    """Without the points that lie in the same dot as the one before: a tenth of the work."""
    moved = (np.diff(np.floor(x)) != 0) | (np.diff(np.floor(y)) != 0)  # also to and from NaN
    keep = np.concatenate([[True], moved])
    keep[-1] = True
    return x[keep], y[keep]
