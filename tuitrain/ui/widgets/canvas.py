"""Dots drawn into character cells: braille, blocks or ASCII."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tuitrain.ui.markers import Marker

Dots = NDArray[np.float64]

# The bit of each dot of a cell, and the character of each sum of bits.
_BITS: dict[Marker, NDArray[np.uint8]] = {
    "braille": np.array([[1, 8], [2, 16], [4, 32], [64, 128]], np.uint8),
    "block": np.array([[1, 2], [4, 8]], np.uint8),
    "ascii": np.array([[1], [2]], np.uint8),
}
_GLYPHS: dict[Marker, NDArray[np.uint32]] = {
    "braille": np.array([32, *range(0x2801, 0x2900)], np.uint32),
    "block": np.array([ord(c) for c in " ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█"], np.uint32),
    "ascii": np.array([ord(c) for c in " '.:"], np.uint32),
}
_COUNT = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).sum(axis=1)
CALM = 3
"""A column of at most so many dots is part of a line, a taller one is noise or a jump."""
FAR = 1e9
"""Farther off than so many dots, a line goes on in nearly the same direction."""


class Canvas:
    """A raster of dots under character cells, painted in layers.

    Each layer has a level, which must not fall. Where a layer has a dot in a cell, it takes
    the whole cell from layers of a lower level: a bright line stays thin on top of a noisy
    one, because no dot of the other shows in the line's colour. Layers of the same level
    share their cells: dots of both, in the ink of the later.

    Dot coordinates are floats: x from 0 (left) to `columns`, y from 0 (top) to `rows`; dot
    (i, j) covers [i, i + 1) x [j, j + 1). What lies outside is clipped, NaN is not drawn.

    Args:
        width, height: in cells.
        marker: how dots become characters.
    """

    def __init__(self, width: int, height: int, marker: Marker = "braille") -> None:
        self.width, self.height, self.marker = width, height, marker
        self._bits = _BITS[marker]
        tall, wide = self._bits.shape
        self.columns, self.rows = width * wide, height * tall
        self._cells = np.zeros((height, width), np.uint8)
        self.inks = np.full((height, width), -1, np.int16)
        """The ink of each cell, -1 where it is blank, [height, width]."""
        self.beneath = np.full((height, width), -1, np.int16)
        """The ink of a layer that filled the cell before a higher one took it, or -1."""
        self.level = 0
        self._levels = np.zeros((height, width), np.int8)

    @property
    def codes(self) -> NDArray[np.uint32]:
        """Code point of each cell, [height, width]."""
        return _GLYPHS[self.marker][self._cells]

    def __str__(self) -> str:
        return "\n".join(row.tobytes().decode("utf-32-le") for row in self.codes)

    def dots(self, x: ArrayLike, y: ArrayLike, ink: int) -> None:
        """Single dots at x [n], y [n]."""
        self._lay(self._raster(np.asarray(x, np.float64), np.asarray(y, np.float64)), ink)

    def line(self, x: ArrayLike, y: ArrayLike, ink: int) -> None:
        """A line through the points x [n], y [n], broken at NaN."""
        px, py = np.asarray(x, np.float64), np.asarray(y, np.float64)
        across, down, _ = self._along(px[:-1], py[:-1], px[1:], py[1:])
        self._lay_dots(across, down, np.zeros(len(across), np.intp), [ink])

    def lines(
        self, x: ArrayLike, y: ArrayLike, inks: Sequence[int], dashes: Sequence[int] = ()
    ) -> None:
        """Lines through the points x [n], y [lines, n], each passing over its NaN.

        The same as one `line` after the other, but for any number of lines in one go.

        Args:
            dashes: of each line, `d` for leaving out d of every 3 d columns of dots.
        """
        px, py = np.asarray(x, np.float64), np.asarray(y, np.float64)
        owner, column = np.nonzero(np.isfinite(py))
        px, py = px[column], py[owner, column]
        whole = owner[1:] == owner[:-1]
        start, stop = np.flatnonzero(whole), np.flatnonzero(whole) + 1
        across, down, segment = self._along(px[start], py[start], px[stop], py[stop])
        mine = owner[start][segment]
        if len(dashes):
            dash = np.asarray(dashes)[mine]
            drawn = (dash == 0) | (across // np.maximum(dash, 1) % 3 > 0)
            across, down, mine = across[drawn], down[drawn], mine[drawn]
        self._lay_dots(across, down, mine, inks)

    def _lay_dots(
        self,
        across: NDArray[np.intp],
        down: NDArray[np.intp],
        owner: NDArray[np.intp],
        inks: Sequence[int],
    ) -> None:
        """Dots straight into their cells: lines are few dots of a large raster.

        Args:
            owner: which of the inks each dot has; in a cell of several the last one wins.
        """
        if not len(owner):
            return
        tall, wide = self._bits.shape
        place = (down // tall) * self.width + across // wide
        cells = np.zeros_like(self._cells)
        np.bitwise_or.at(cells.reshape(-1), place, self._bits[down % tall, across % wide])
        last = np.full(cells.shape, -1, np.intp)
        np.maximum.at(last.reshape(-1), place, owner)
        self._lay_cells(cells, np.asarray(inks, np.int16)[last])

    def points(self, x: ArrayLike, y: ArrayLike, ink: int) -> None:
        """Points of 2 x 2 dots around x [n], y [n]."""
        px, py = np.asarray(x, np.float64)[:, None], np.asarray(y, np.float64)[:, None]
        side = np.array([-0.5, 0.5, -0.5, 0.5]), np.array([-0.5, -0.5, 0.5, 0.5])
        self.dots((px + side[0]).ravel(), (py + side[1]).ravel(), ink)

    def curve(
        self,
        first: Dots,
        last: Dots,
        top: Dots,
        bottom: Dots,
        gap: NDArray[np.bool_],
        ink: int,
        *,
        before: tuple[float, float] | None = None,
        after: tuple[float, float] | None = None,
        dash: int = 0,
        sparse: bool = False,
    ) -> None:
        """A function of x from what each dot column holds; every row of dots it covers is drawn.

        Args:
            first, last: y where the curve enters and leaves the column, [columns].
            top, bottom: least and greatest y in the column, [columns]; NaN where it has none.
            gap: whether the curve is interrupted in the column, [columns].
            before, after: (x, y) to the left and to the right that the curve is joined to.
            dash: leave out `dash` of every `2 dash` columns, but never of a tall column.
            sparse: draw tall columns with every fourth dot, so that noise is a veil and no block.
        """
        filled = np.flatnonzero(~np.isnan(top))
        first, last, top, bottom = (np.array(a[filled]) for a in (first, last, top, bottom))
        # A span of two rows is the rounding of a slope: one dot keeps the line thin.
        thin = np.floor(bottom) - np.floor(top) == 1
        middle = (top + bottom) / 2
        for end in (first, last, top, bottom):
            end[thin] = np.where(np.isnan(end[thin]), np.nan, middle[thin])
        y = np.arange(self.rows)[:, None]
        raster = np.zeros((self.rows, self.columns), np.bool_)
        raster[:, filled] = (y >= np.floor(top)) & (y <= np.floor(bottom))

        empty = gap.copy()
        empty[filled] = False
        breaks = np.concatenate([[0], np.cumsum(empty)[filled], [np.count_nonzero(empty)]])
        outside = (math.nan, math.nan)
        (x0, y0), (x1, y1) = before or outside, after or outside
        start_x, start_y = np.append(x0, filled + 0.5), np.append(y0, last)
        stop_x, stop_y = np.append(filled + 0.5, x1), np.append(first, y1)
        whole = breaks[:-1] == breaks[1:]
        raster |= self._segments(start_x[whole], start_y[whole], stop_x[whole], stop_y[whole])
        across, calm = np.arange(self.columns), raster.sum(axis=0) <= CALM
        if dash:
            raster[:, calm & (across % (2 * dash) < dash)] = False
        if sparse:
            raster &= calm | _veil(across, y)
        self._lay(raster, ink)

    def areas(self, top: Dots, bottom: Dots, inks: Sequence[int], *, sparse: bool = False) -> None:
        """Thin veils of every other dot between two curves each, top and bottom [areas, columns].

        They join columns that have no value between two that have one.

        Args:
            sparse: of every fourth dot, where no ink is fainter than that of a line.
        """
        known = ~np.isnan(top + bottom)
        some = np.flatnonzero(known.any(axis=1))
        top, bottom, known = top[some].copy(), bottom[some].copy(), known[some]
        for high, low, here in zip(top, bottom, known, strict=True):
            places = np.flatnonzero(here)
            gaps = places[0] + np.flatnonzero(~here[places[0] : places[-1]])
            for edge in (high, low):
                edge[gaps] = np.interp(gaps, places, edge[places])
        first = np.maximum(np.floor(top), 0)
        count = np.nan_to_num(np.minimum(np.floor(bottom), self.rows - 1) - first + 1)
        owner, column = np.nonzero(count > 0)
        first, count = (a[owner, column].astype(np.intp) for a in (first, count))
        dot = np.repeat(np.arange(len(owner)), count)
        down = np.arange(len(dot)) - (np.cumsum(count) - count - first)[dot]
        across = column[dot]
        veil = _veil(across, down) if sparse else (across + down) % 2 == 0
        self._lay_dots(across[veil], down[veil], some[owner[dot[veil]]], inks)

    def _lay(self, raster: NDArray[np.bool_], ink: int) -> None:
        tall, wide = self._bits.shape
        dots = raster.view(np.uint8)
        cells = np.zeros_like(self._cells)
        for (down, across), bit in np.ndenumerate(self._bits):
            cells |= dots[down::tall, across::wide] * bit
        self._lay_cells(cells, np.full(cells.shape, ink, np.int16))

    def _lay_cells(self, cells: NDArray[np.uint8], inks: NDArray[np.int16]) -> None:
        drawn = cells > 0
        taken = drawn & (self._levels < self.level)
        full = taken & (_COUNT[self._cells] * 4 >= self._bits.size * 3)
        self.beneath[taken] = -1
        self.beneath[full] = self.inks[full]
        self._cells[taken] = 0
        self._cells[drawn] |= cells[drawn]
        self._levels[drawn] = self.level
        self.inks[drawn] = inks[drawn]

    def _raster(self, x: Dots, y: Dots) -> NDArray[np.bool_]:
        raster = np.zeros((self.rows, self.columns), np.bool_)
        across, down, _ = self._inside(x, y)
        raster[down, across] = True
        return raster

    def _inside(
        self, x: Dots, y: Dots
    ) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.bool_]]:
        """Column and row of each dot that is not clipped, and which dots these are."""
        inside = (x >= 0) & (x < self.columns) & (y >= 0) & (y < self.rows)
        return x[inside].astype(np.intp), y[inside].astype(np.intp), inside

    def _segments(self, x0: Dots, y0: Dots, x1: Dots, y1: Dots) -> NDArray[np.bool_]:
        raster = np.zeros((self.rows, self.columns), np.bool_)
        across, down, _ = self._along(x0, y0, x1, y1)
        raster[down, across] = True
        return raster

    def _along(
        self, x0: Dots, y0: Dots, x1: Dots, y1: Dots
    ) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
        """Column, row and segment of every dot along some segments."""
        x0, y0, x1, y1, kept = _clip(x0, y0, x1, y1, self.columns, self.rows)
        # One dot for each column or row that is crossed, whichever are more: thin, no holes.
        count = np.ceil(np.maximum(np.abs(x1 - x0), np.abs(y1 - y0))).astype(np.intp) + 1
        segment = np.repeat(np.arange(len(count)), count)
        index = np.arange(len(segment)) - np.repeat(np.cumsum(count) - count, count)
        along = index / np.maximum(count[segment] - 1, 1)
        across, down, inside = self._inside(
            x0[segment] + along * (x1 - x0)[segment], y0[segment] + along * (y1 - y0)[segment]
        )
        return across, down, kept[segment[inside]]


def _veil(across: NDArray[np.intp], down: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Every fourth dot."""
    veil: NDArray[np.bool_] = (across + 2 * down) % 4 == 0
    return veil


def _clip(
    x0: Dots, y0: Dots, x1: Dots, y1: Dots, columns: int, rows: int
) -> tuple[Dots, Dots, Dots, Dots, NDArray[np.intp]]:
    """The parts of the segments within one dot of the raster, and which segments these are.

    Liang and Barsky (1984).
    """
    finite = np.isfinite(x0 + y0 + x1 + y1)
    x0, y0, x1, y1 = (np.clip(a[finite], -FAR, FAR) for a in (x0, y0, x1, y1))
    dx, dy = x1 - x0, y1 - y0
    enter, leave = np.zeros(len(x0)), np.ones(len(x0))
    with np.errstate(divide="ignore", invalid="ignore"):
        for start, delta, high in ((x0, dx, columns), (y0, dy, rows)):
            a, b = (-1 - start) / delta, (high + 1 - start) / delta
            outside = (start < -1) | (start > high + 1)
            still = delta == 0
            enter = np.where(still, np.where(outside, 2, enter), np.maximum(enter, np.fmin(a, b)))
            leave = np.where(still, leave, np.minimum(leave, np.fmax(a, b)))
    keep = enter <= leave
    x0, y0, dx, dy, enter, leave = (a[keep] for a in (x0, y0, dx, dy, enter, leave))
    kept = np.flatnonzero(finite)[keep]
    return x0 + enter * dx, y0 + enter * dy, x0 + leave * dx, y0 + leave * dy, kept
