"""The curves of a comparison: a chart for each pane, with bands, names and a ranked reading."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tuitrain.record.bands import Band
from tuitrain.record.series import Columns, Series, columns_of
from tuitrain.ui.lines import MANY
from tuitrain.ui.widgets.axes import to_dots
from tuitrain.ui.widgets.canvas import Canvas, Dots
from tuitrain.ui.widgets.chart import Chart
from tuitrain.ui.widgets.curves import Curve, Layer, value_range
from tuitrain.ui.widgets.overlay import Overlay
from tuitrain.ui.widgets.ticks import Scale, compact

NAMED = 56
"""Least width of a chart that has room for names beside its curves."""

LONGEST_NAME = 32
DASHES = 4
"""Patterns of lines where there are no colours."""

FADE, FAINT, SPARSE = 0.65, 0.78, 6
"""How much of the background bands and faint lines take on; these lines' dashes where colours are
few."""

OFF_SCALE = {False: 1.5, True: 100.0}
"""By how much a linear and a logarithmic y axis reach over where the highest run started."""


@dataclass
class BandLayer(Layer):
    """A line of a comparison.

    Attributes:
        letter: stands on the curve where it is now.
        band: quartiles beneath the curve, if it stands for several runs.
        lost: whether the curve has ended in what is no number.
        strong: whether it lies above all others.
    """

    letter: str = ""
    band: tuple[Layer, Layer] | None = None
    lost: bool = False
    strong: bool = False

    @classmethod
    def of(cls, band: Band, name: str, letter: str, colour: int) -> BandLayer:
        edges = (Layer("", band.low), Layer("", band.high)) if len(band.runs) > 1 else None
        return cls(name, band.median, colour, letter=letter, band=edges)

    def edges(self, weight: float) -> tuple[Series, Series] | None:
        """Its quartiles, smoothed like the curve."""
        if self.band is None:
            return None
        low, high = (edge.smoothed(weight) or edge.series for edge in self.band)
        return low, high


class LossPane(Chart):
    """The lines whose losses mean the same, on one pair of axes.

    Names stand at the right, in the order of the curves' ends; where there is no room for
    names, letters on the curves must do. Lines that are faint lie beneath the others, with
    neither band nor name. The cursor reads all lines at one place, ranked.

    Attributes:
        curves: from the last place to the first, so that the first lies on top.
        unit_name: of the x axis: step, epoch or s.
        note: said at the right end of the top row.
    """

    curves: list[BandLayer]  # type: ignore[assignment]
    unit_name = "step"
    note = ""
    _levels: Mapping[int, Dots] = {}
    """How many cells down the line of each layer, by its identity, is in each column of dots."""

    def _fit(self, cells, header, x):  # type: ignore[no-untyped-def]
        self.margin = self._names_width(cells.width)
        return super()._fit(cells, header, x)

    def _names_width(self, width: int) -> int:
        named = [len(layer.name) for layer in self.curves if not layer.faint]
        if width < NAMED or not named:
            return 0
        return 3 + min(max(named), LONGEST_NAME, width // 4)

    def _extremes(self, curves: list[Curve], include: list[float]) -> tuple[float, float] | None:
        """Of the lines that are still there; what blows up may leave the axes."""
        standing = [c for c in curves if not c.layer.lost] or curves  # type: ignore[attr-defined]
        found = value_range(standing, self.log_y, include)
        if found is None:
            return None
        starts = [c.layer.series.values[0] for c in curves if len(c.layer.series)]
        known = [float(start) for start in starts if np.isfinite(start) and start > 0]
        if self._view is not None or not known:
            return found
        low, high = found
        return low, max(min(high, OFF_SCALE[self.log_y] * max(known)), low * (1 + 1e-9))

    # Curves -----------------------------------------------------------------------------------

    def _draw_curves(self, canvas: Canvas, curves: list[Curve], x: Scale, y: Scale) -> None:
        """Quartiles beneath, and thin lines above: how far a column spans is shown beneath.

        A line goes through the middle of what each column spans. The last values would make
        waves of batches that come in turn, in which no run ever was.
        """
        if not curves:
            return
        bottom, top = self._spans([curve.smooth or curve.raw for curve in curves], canvas, y)
        levels = _middle(bottom, top)  # [lines, columns]
        cells = levels * canvas.height / canvas.rows
        self._levels = {id(curve.layer): line for curve, line in zip(curves, cells, strict=True)}
        self._spread(curves, bottom, top, canvas, x, y)
        inks = [self.ink(self.colour(curve.layer.colour)) for curve in curves]
        faded = [self.ink(self.colour(curve.layer.colour, fade=FADE)) for curve in curves]
        faint = np.array([curve.layer.faint for curve in curves])
        fainter = [self.ink(self.colour(curve.layer.colour, fade=FAINT)) for curve in curves]
        top[faint], bottom[faint] = np.nan, np.nan
        canvas.level = 1
        self._draw_bands(canvas, top, bottom, faded)
        if self._view is None:
            columns = np.arange(canvas.columns) + 0.5
        else:
            columns, levels = self._with_ends(curves, levels, canvas, x, y)
        # Lines that have no colour of their own are told apart by their dashes.
        dashes = 2 * (np.arange(len(curves)) % DASHES) * self.app.no_color
        if self._sixteen or self.app.no_color:
            dashes[faint] = SPARSE
        strong = np.array([curve.layer.strong for curve in curves])  # type: ignore[attr-defined]
        for canvas.level, some in ((1, faint), (2, ~faint & ~strong), (3, strong)):
            own = np.where(faint, fainter, inks)[some].tolist()
            canvas.lines(columns, levels[some], own, dashes[some].tolist())

    def _spans(self, found: Sequence[Columns], canvas: Canvas, y: Scale) -> tuple[Dots, Dots]:
        """The lowest and the highest dot of each column, [lines, columns]."""
        values = np.stack([[each.low for each in found], [each.high for each in found]])
        dots = to_dots(y.unit(values), canvas.rows, down=True)
        if y.log:  # a loss of 0 lies below every decade, and is not to be missed
            dots[values == 0] = canvas.rows - 0.5
        return dots[0], dots[1]

    def _spread(
        self, curves: list[Curve], bottom: Dots, top: Dots, canvas: Canvas, x: Scale, y: Scale
    ) -> None:
        """Puts the quartiles of lines of several runs in the place of what their columns span."""
        edges = [curve.layer.edges(self.smoothing) for curve in curves]  # type: ignore[attr-defined]
        banded = [place for place, pair in enumerate(edges) if pair is not None]
        if not banded:
            return
        series = [edges[place][side] for side in (0, 1) for place in banded]
        found = columns_of(series, x.low, x.high, canvas.columns, x.log)
        bottom[banded], top[banded] = np.split(_middle(*self._spans(found, canvas, y)), 2)

    def _draw_bands(self, canvas: Canvas, top: Dots, bottom: Dots, inks: list[int]) -> None:
        # An upper quartile that is infinite has no edge; a lower one may be below a log axis.
        top[np.isnan(top) & ~np.isnan(bottom)] = 0
        np.clip(bottom, None, canvas.rows, out=bottom)
        thin = ~(bottom - top >= 2)
        top[thin], bottom[thin] = np.nan, np.nan
        canvas.areas(top, bottom, inks, sparse=self._sixteen)

    def _with_ends(
        self, curves: list[Curve], levels: Dots, canvas: Canvas, x: Scale, y: Scale
    ) -> tuple[Dots, Dots]:
        """Columns and levels with the row of each line just before the view and just after it.

        These rows differ from line to line by a step at most, and so share a column here.
        """
        rows = [curve.layer.series.neighbours(x.low, x.high) for curve in curves]
        columns, outside = [], []
        for end in (0, 1):
            found = [row[end] for row in rows]
            steps = [row[0] for row in found if row is not None and (row[0] > 0 or not x.log)]
            at = (min(steps) if end else max(steps)) if steps else x.low
            columns.append(float(x.unit(at)) * canvas.columns)
            values = [np.nan if row is None else row[1] for row in found]
            outside.append(to_dots(y.unit(values), canvas.rows, down=True)[:, np.newaxis])
        inner = np.arange(canvas.columns) + 0.5
        return (
            np.concatenate([columns[:1], inner, columns[1:]]),
            np.concatenate([outside[0], levels, outside[1]], axis=1),
        )

    # Writing ----------------------------------------------------------------------------------

    def _annotate(self, over: Overlay, header: bool) -> None:
        ends = self._ends(over)
        named = self._names(over, ends) if self.margin else set()
        self._letters(over, [end for end in ends if id(end[2]) not in named])
        if self._cursor is not None:
            self._reading(over)
        if header:
            at = None if self._cursor is None else self.position(self._cursor)
            self._header(over, at)

    def position(self, tick: int) -> str:
        """A place on the x axis in words."""
        if self.unit_name == "step":
            return f"step {tick:,}"
        number = f"{tick * self.step_unit:.4g}"
        return f"epoch {number}" if self.unit_name == "epoch" else f"{number} s"

    def _header(self, over: Overlay, at: str | None) -> None:
        words = ", ".join(filter(None, [self._state(), self.note]))
        if at is not None:
            over.cells.text(self._area.x, 0, at, self.part("text"))
        end = self._area.x + self._area.width
        if self._area.x + len(at or "") + 2 + len(words) <= end:
            over.cells.text(end - len(words), 0, words, self.part("label"))

    def _shown(self, layer: BandLayer) -> Series:
        return layer.smoothed(self.smoothing) or layer.series

    def _ends(self, over: Overlay) -> list[tuple[int, int, BandLayer]]:
        """(column, row) of the last number of every line that is in view, the first line first."""
        layers, steps, values = [], [], []
        for layer in reversed(self.curves):
            series = self._shown(layer)
            if layer.faint or len(series) <= layer.lost:
                continue
            last = series.last_step - int(layer.lost)
            step = min(last, int(over.x.high))
            value = float(series.values[-1 - layer.lost]) if step == last else series.at(step)
            if math.isfinite(value) and (not over.y.log or value >= 0):
                layers.append(layer)
                steps.append(step)
                values.append(value)
        area = self._area
        across = np.floor(to_dots(over.x.unit(np.array(steps)), area.width))
        down = np.floor(to_dots(over.y.unit(np.array(values)), area.height, down=True))
        down[np.isinf(down)] = area.height - 1  # zero, on a logarithmic axis
        down = self._on_lines(layers, np.array(steps), over.x, down)
        columns = area.x + np.clip(across, -1, area.width).astype(int)
        rows = area.y + np.clip(down, -1, area.height).astype(int)
        return list(zip(columns.tolist(), rows.tolist(), layers, strict=True))

    def _on_lines(self, layers: list[BandLayer], steps: Dots, x: Scale, rows: Dots) -> Dots:
        """The rows, each moved to where its line is drawn at the step."""
        found = rows.copy()
        for place, (layer, unit) in enumerate(zip(layers, x.unit(steps), strict=True)):
            line = self._levels.get(id(layer), rows[:0])
            here = line[np.clip(int(unit * len(line)), 0, len(line) - 1)] if len(line) else math.nan
            if math.isfinite(here):
                found[place] = math.floor(here)
        return found

    def _letters(self, over: Overlay, ends: list[tuple[int, int, BandLayer]]) -> None:
        """The letter of each line where it is now; of letters at one place the first one wins."""
        taken: set[tuple[int, int]] = set()
        area = self._area
        for column, row, layer in ends:
            column = min(column, area.x + area.width - 1)
            while (column, row) in taken and column > area.x:
                column -= 2
            if over._has(column, row) and layer.letter != MANY:
                taken.add((column, row))
                ink = self.ink(self.colour(layer.colour), bold=True)
                over.cells.text(column, row, layer.letter, ink)

    def _names(self, over: Overlay, ends: list[tuple[int, int, BandLayer]]) -> set[int]:
        """The names beside the ends of their lines, moved apart; those that have no room are
        left out from the last place on.

        Returns:
            The `id` of each layer that ends right before its name, and needs no letter there.
        """
        area = self._area
        ends = ends[: area.height]
        # Less is better: of lines that end in one row, the first stands lowest.
        places = sorted(
            (
                (min(max(row, area.y), area.y + area.height - 1), i)
                for i, (_, row, _) in enumerate(ends)
            ),
            key=lambda place: (place[0], -place[1]),
        )
        rows = _apart([row for row, _ in places], area.y, area.y + area.height - 1)
        left = area.x + area.width + 1
        beside = set()
        for row, (_, i) in zip(rows, places, strict=True):
            layer = ends[i][2]
            strong = i == 0 or layer.strong
            over.cells.text(left, row, layer.letter, self.ink(self.colour(layer.colour), bold=True))
            name = (
                layer.name
                if len(layer.name) <= self.margin - 3
                else layer.name[: self.margin - 4] + "…"
            )
            over.cells.text(left + 2, row, name, self.part("text" if strong else "label"))
            if row == ends[i][1] and ends[i][0] >= left - 2:
                beside.add(id(layer))
        return beside

    def _reading(self, over: Overlay) -> None:
        """Every line's value at the cursor, the least first, on the emptier side of it."""
        assert self._cursor is not None
        area = self._area
        values = [(self._shown(layer).at(self._cursor), layer) for layer in self.curves]
        ranked = sorted((v for v in values if math.isfinite(v[0])), key=lambda v: v[0])
        room = area.height - 1
        if not ranked or room < 2:
            return
        shown, rest = ranked[:room], len(ranked) - room
        lines = [
            (f"{n:>2} {layer.letter} ", f"{compact(value):<9}{layer.name[:LONGEST_NAME]}", layer)
            for n, (value, layer) in enumerate(shown, 1)
        ]
        width = max(len(a) + len(b) for a, b, _ in lines) + 1
        column = over._column(self._cursor)
        right = column + 2 + width <= area.x + area.width
        left = column + 2 if right else max(area.x, column - 1 - width)
        for row, (mark, text, layer) in enumerate(lines, area.y):
            over.cells.text(left, row, " " * width, self.part("text"))
            over.cells.text(left, row, mark, self.ink(self.colour(layer.colour), bold=True))
            over.cells.text(left + len(mark), row, text, self.part("text"))
        if rest > 0:
            over.cells.text(left, area.y + room, f"   +{rest} more", self.part("label"))


def _middle(bottom: Dots, top: Dots) -> Dots:
    """Between the ends of each span; the upper one where the lower one is not on the scale."""
    return np.where(np.isfinite(bottom), (bottom + top) / 2, top)


def _apart(rows: Sequence[int], first: int, last: int) -> list[int]:
    """Rising rows moved as little as need be so that all differ and lie in [first, last]."""
    placed: list[int] = []
    for row in rows:
        placed.append(max(row, placed[-1] + 1 if placed else first))
    for i in reversed(range(len(placed))):
        limit = last if i == len(placed) - 1 else placed[i + 1] - 1
        placed[i] = min(placed[i], limit)
    return placed
