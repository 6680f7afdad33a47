"""The writing on a chart: labels, marks of gaps, values at the cursor, legend."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tuitrain.record.series import Columns
from tuitrain.ui.widgets.axes import Area, to_dots
from tuitrain.ui.widgets.cells import Cells
from tuitrain.ui.widgets.curves import Mark, Reference
from tuitrain.ui.widgets.ticks import Scale, compact


@dataclass(frozen=True)
class Entry:
    """A curve in the legend: its name, value and ink, and whether its line is bold or
    dashed.

    A value that is not known yet is a dash; a NaN that was recorded is written as such.
    """

    name: str
    value: float
    ink: int
    bold: bool = True
    dashed: bool = False
    known: bool = True

    def line(self, *, plain: bool) -> str:
        """Two cells that look like the curve."""
        if self.dashed:
            return "= " if plain else "╍╍"
        if self.bold:
            return "==" if plain else "━━"
        return "--" if plain else "──"


@dataclass(frozen=True)
class Overlay:
    """Writes over a picture that is drawn already.

    Attributes:
        cells: the picture.
        area: of the plot in it.
        x, y: its scales.
        grid: ink of the grid, over which may be written.
        plain: whether to keep to ASCII.
    """

    cells: Cells
    area: Area
    x: Scale
    y: Scale
    grid: int
    plain: bool

    def _column(self, x: float) -> int:
        """The cell column of a step; outside the cells if it is out of view."""
        return self.area.x + _cell(self.x.unit(x), self.area.width)

    def _row(self, y: float) -> int:
        return self.area.y + _cell(1 - self.y.unit(y), self.area.height)

    def _has(self, column: int, row: int) -> bool:
        area = self.area
        return area.x <= column < area.x + area.width and area.y <= row < area.y + area.height

    def _free(self, column: int, row: int, width: int) -> bool:
        inside = self._has(column, row) and self._has(column + width - 1, row)
        return inside and self.cells.free(column, row, width, besides=self.grid)

    def references(self, references: Sequence[Reference], ink: int) -> None:
        """Label each line where nothing is drawn, best at its right end; or not at all."""
        for reference in references:
            row = self._row(reference.value)
            text = f" {reference.label} "
            if not reference.label or not self._has(self.area.x, row):
                continue
            room = self.area.width - len(text)
            places = [(room, row - 1), (room, row + 1), (room // 2, row - 1), (room // 2, row + 1)]
            for column, line in [*places, (0, row - 1), (0, row + 1)]:
                if self._free(self.area.x + column, line, len(text)):
                    self.cells.text(self.area.x + column, line, text, ink)
                    break

    def marks(self, marks: Sequence[Mark], inks: Mapping[str, int]) -> None:
        """Label each mark at the top beside its line, in the first of three rows with room."""
        for mark in marks:
            column = self._column(mark.step)
            if not self._has(column, self.area.y):
                continue
            rows = range(self.area.y, self.area.y + 3)
            size = len(mark.label)
            places = [(start, row) for row in rows for start in (column + 1, column - size)]
            for start, row in places:
                if self._free(start, row, size):
                    self.cells.text(start, row, mark.label, inks[mark.kind])
                    break

    def gaps(self, curves: Sequence[Columns], lost: int, below: int) -> None:
        """A cross at the top where values are not finite; on a log axis an arrow at the bottom
        where they are not positive, as a loss of 0 is. A dot where the sign before it goes on.

        Args:
            curves: what is drawn.
            lost, below: inks of the cross and of the arrow.
        """
        cross, down, more = "xv-" if self.plain else "\N{MULTIPLICATION SIGN}▾·"
        bottom = self.area.y + self.area.height - 1
        for columns in curves:
            marked = [(columns.bad, self.area.y, cross, lost)]
            if self.y.log:
                marked.append((columns.low <= 0, bottom, down, below))
            for where, row, sign, ink in marked:
                if not where.any():
                    continue
                cells = np.any(where.reshape(self.area.width, -1), axis=1)
                begins = cells & ~np.append(False, cells[:-1])
                for column in np.flatnonzero(cells).tolist():
                    self.cells.text(
                        self.area.x + column, row, sign if begins[column] else more, ink
                    )

    def tags(self, step: float, entries: Sequence[Entry]) -> None:
        """A point on each curve at the cursor and its value beside it, none over another."""
        column = self._column(step)
        taken: set[int] = set()
        for entry in sorted(entries, key=lambda e: e.value, reverse=True):
            if not math.isfinite(entry.value) or not self._has(column, self._row(entry.value)):
                continue
            row = self._row(entry.value)
            self.cells.text(column, row, "o" if self.plain else "●", entry.ink)
            text = f" {compact(entry.value)} "
            rows = [row, row + 1, row - 1, row + 2, row - 2]
            free = [r for r in rows if r not in taken and self._has(column, r)]
            right = column + 1 + len(text) <= self.area.x + self.area.width
            if free and len(text) < self.area.width:
                start = column + 1 if right else column - len(text)
                self.cells.text(start, free[0], text, entry.ink)
                taken.add(free[0])

    def legend(
        self, at: str | None, entries: Sequence[Entry], state: str, ink: int, quiet: int
    ) -> None:
        """The top row: where the cursor is, each curve with its value, the options at the end.

        What has no room is left out, and the number of curves left out is given.
        """
        column, end = self.area.x, self.cells.width
        if at is not None:
            text = f"{at}  "
            self.cells.text(column, 0, text, ink)
            column += len(text)
        for number, entry in enumerate(entries):
            value = f" {compact(entry.value) if entry.known else '–'}"  # noqa: RUF001
            needed = 3 + len(entry.name) + len(value)
            if column + needed > end:
                self.cells.text(column, 0, f"+{len(entries) - number}", quiet)
                return
            self.cells.text(column, 0, entry.line(plain=self.plain), entry.ink)
            self.cells.text(column + 3, 0, entry.name, quiet)
            self.cells.text(column + 3 + len(entry.name), 0, value, ink)
            column += needed + 3
        if column + len(state) <= end:
            self.cells.text(end - len(state), 0, state, quiet)


def _cell(unit: object, size: int) -> int:
    position = float(to_dots(np.asarray(unit, np.float64), size))
    # A value far out of view must not become an integer of hundreds of digits.
    return math.floor(min(max(position, -1.0), size + 1.0)) if not math.isnan(position) else -1
