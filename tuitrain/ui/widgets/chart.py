"""The chart: curves over steps, with axes, zoom, cursor, events and a legend with values."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from textual.message import Message
from textual.reactive import reactive

from tuitrain.record.series import Series
from tuitrain.ui.widgets.axes import (
    AutoRange,
    Inks,
    arrange,
    draw_grid,
    draw_x_axis,
    draw_y_axis,
    y_labels,
)
from tuitrain.ui.widgets.canvas import Canvas
from tuitrain.ui.widgets.cells import Cells
from tuitrain.ui.widgets.curves import (
    Curve,
    Layer,
    Mark,
    Reference,
    draw_curve,
    draw_guides,
    value_range,
)
from tuitrain.ui.widgets.overlay import Entry, Overlay
from tuitrain.ui.widgets.ticks import Scale, widened
from tuitrain.ui.widgets.zoom import Cell, ZoomPlot

LEAST_STEPS = 4.0
"""Zooming in ends at so many steps."""

SMOOTHINGS = (0.0, 0.6, 0.9, 0.98)
"""The weights that a key goes through."""

DASH = 4
"""Columns of dots of a dash, twice those of the dashes of a reference."""

FAINT = 0.6
"""Of the background in a faint curve."""


def next_smoothing(weight: float) -> float:
    """More smoothing; after the most, none."""
    return SMOOTHINGS[(SMOOTHINGS.index(weight) + 1) % len(SMOOTHINGS)]


class Chart(ZoomPlot):
    """Curves over steps.

    Change `curves`, `marks`, `references` or the series and call `redraw`; options are
    reactive. The screen dispatches keys to `zoom`, `pan`, `reset` and `move_cursor`; the mouse
    does the same by itself (wheel, drag, double click, hover).

    Args:
        title: stands in the border, if the style sheet gives one.
        steps: planned steps, which the x axis spans; 0: it spans the data.
        gutter: least width of the y axis, so that charts above each other share one x axis.
        legend: whether a row above names the curves and their values.
    """

    log_x = reactive(False)
    log_y = reactive(False)
    smoothing = reactive(0.0)
    """Weight of the smoothing, in [0, 1); the raw curve lies dim beneath the smoothed one."""
    steps = reactive(0)
    step_unit = reactive(1.0, repaint=False)
    """What one step counts on the x axis, e.g. 1 / batches for an axis in epochs.

    In seconds it changes all the time, and only the labels of the axis with it.
    """
    unit_name = "step"
    """What the x axis counts."""

    class CursorMoved(Message):
        """The cursor stands at another step, or (None) is gone.

        Attributes:
            chart: the chart.
            step: its step.
        """

        def __init__(self, chart: Chart, step: int | None) -> None:
            super().__init__()
            self.chart, self.step = chart, step

    class ViewChanged(Message):
        """The user zoomed or panned; `view` is the range of steps, None the whole."""

        def __init__(self, chart: Chart, view: tuple[float, float] | None) -> None:
            super().__init__()
            self.chart, self.view = chart, view

    def __init__(
        self,
        title: str = "",
        *,
        steps: int = 0,
        gutter: int = 0,
        legend: bool = True,
        placeholder: str = "no data yet",
        id: str | None = None,  # noqa: A002 - as every widget calls it
        classes: str | None = None,
    ) -> None:
        super().__init__(title, placeholder=placeholder, id=id, classes=classes)
        self.set_reactive(Chart.steps, steps)
        self.curves: list[Layer] = []
        self.marks: list[Mark] = []
        self.references: list[Reference] = []
        self.legend = legend
        self.margin = 0
        self._least_gutter = self._gutter = gutter
        self._auto = AutoRange()
        self._view: tuple[float, float] | None = None
        self._cursor: int | None = None

    def show(
        self,
        layers: Sequence[Layer],
        marks: Sequence[Mark] = (),
        references: Sequence[Reference] = (),
    ) -> None:
        """Show other curves, from scratch: the ranges, the view and the cursor are reset."""
        self.curves, self.marks, self.references = list(layers), list(marks), list(references)
        self._view, self._cursor, self._gutter = None, None, self._least_gutter
        self._auto.clear()
        self.refresh()

    @property
    def y_axis_width(self) -> int:
        """Columns of the y axis; a chart above or below another is given the wider one's."""
        return self._gutter

    @y_axis_width.setter
    def y_axis_width(self, columns: int) -> None:
        if columns > self._gutter:
            self._gutter = columns
            self.redraw()

    # View -------------------------------------------------------------------------------------

    @property
    def view(self) -> tuple[float, float] | None:
        """The range of steps that is zoomed to; None: the whole."""
        return self._view

    def set_view(self, view: tuple[float, float] | None, *, notify: bool = False) -> None:
        """Zoom to a range of steps; what exceeds the whole is cut off."""
        self._view = None if view is None else self._clamped(*view)
        self._auto.clear()
        self.redraw()
        if notify:
            self.post_message(self.ViewChanged(self, self._view))

    def zoom(self, factor: float, at: float | None = None) -> None:
        """Magnify the x axis; `at` is the position from 0 to 1 that stays in place.

        Without `at`, the cursor stays in place, or else the middle of the data in view.
        """
        x = self._x_scale()
        if at is None:
            end = float(np.clip(x.unit(max(self._last_step(), x.low)), 0.0, 1.0)) or 1.0
            at = end / 2 if self._cursor is None else float(x.unit(max(self._cursor, x.low)))
        at = min(max(at, 0.0), 1.0)
        view = x.value(at - at / factor), x.value(at + (1 - at) / factor)
        if view[1] - view[0] >= LEAST_STEPS or factor < 1:
            self.set_view(view, notify=True)

    def pan(self, fraction: float) -> None:
        """Move the view by a fraction of its width, to later steps if positive."""
        if self._view is not None:
            x, whole = self._x_scale(), self._whole()
            start, stop = x.unit([whole.low, whole.high])
            moved = min(max(fraction, float(start)), float(stop) - 1)
            self.set_view((x.value(moved), x.value(1 + moved)), notify=True)

    def reset(self) -> None:
        """Show the whole again."""
        self.set_view(None, notify=True)

    def _clamped(self, low: float, high: float) -> tuple[float, float] | None:
        whole = self._whole()
        low, high = max(low, whole.low), min(high, whole.high)
        if not low < high or (low, high) == (whole.low, whole.high):
            return None
        return low, high

    def _last_step(self) -> int:
        return max((x.series.last_step for x in self.curves if x.spans), default=0)

    def _whole(self) -> Scale:
        """The x axis without zoom."""
        last = self._last_step()
        if self.steps:
            return Scale(1.0 if self.log_x else 0.0, float(max(self.steps, last, 2)), self.log_x)
        filled = [x.series.first_step for x in self.curves if x.spans and len(x.series)]
        first = min(filled, default=0)
        return Scale(*widened(max(first, 1) if self.log_x else first, last, self.log_x), self.log_x)

    def _x_scale(self) -> Scale:
        return self._whole() if self._view is None else Scale(*self._view, self.log_x)

    def watch_log_x(self) -> None:
        self._view = None

    def watch_step_unit(self) -> None:
        self.redraw()

    # Cursor -----------------------------------------------------------------------------------

    @property
    def cursor(self) -> int | None:
        """The step at the cursor."""
        return self._cursor

    def set_cursor(self, step: int | None, *, notify: bool = False) -> None:
        """Put the cursor at a step, or (None) take it away."""
        if step == self._cursor:
            return
        self._cursor = step
        self.redraw()
        if notify:
            self.post_message(self.CursorMoved(self, step))

    def move_cursor(self, columns: int) -> None:
        """Move the cursor by columns of cells; without one, it starts at the last step."""
        x, width = self._x_scale(), self._area.width
        end = min(x.high, self._last_step())  # later steps have no values to read
        if self._cursor is None:
            step = end
        else:
            moved = float(x.unit(max(self._cursor, x.low))) + columns / width
            step = x.value(min(max(moved, 0.0), 1.0))
            if round(step) == self._cursor:  # cells narrower than a step
                step = max(self._cursor + int(math.copysign(1, columns)), x.low)
        self.set_cursor(round(min(step, end)), notify=True)

    # Mouse ------------------------------------------------------------------------------------

    def _step_at(self, cell: Cell) -> int:
        return min(round(self._x_scale().value(self._middle(cell)[0])), self._last_step())

    def zoomed(self, factor: float, cell: Cell) -> None:
        self.zoom(factor, self._middle(cell)[0])

    def held(self) -> Scale | None:
        return None if self._view is None else self._x_scale()

    def dragged(self, view: object, right: float, up: float) -> None:
        assert isinstance(view, Scale)
        self._view = view.low, view.high
        self.pan(right)

    def hovered(self, cell: Cell | None) -> None:
        self.set_cursor(None if cell is None else self._step_at(cell), notify=True)

    # Drawing ----------------------------------------------------------------------------------

    def draw(self, cells: Cells) -> None:
        header = int(self.legend and cells.height >= 6 and cells.width >= 20)
        x = self._x_scale()
        canvas, curves, y = self._fit(cells, header, x)
        area = self._area
        if not any(len(layer.series) for layer in self.curves):
            self.draw_placeholder(cells)
            return
        plain = self.marker == "ascii"
        inks = Inks(self.part("axis"), self.part("grid"), self.part("label"))
        draw_y_axis(cells, y, area, inks, plain=plain)
        shown = Scale(x.low * self.step_unit, x.high * self.step_unit, x.log)
        draw_x_axis(cells, shown, area, inks, plain=plain, name=self.unit_name)
        draw_grid(canvas, shown, y, area, inks.grid)
        canvas.level = 1
        draw_guides(canvas, x, y, self.references, self.marks, self._cursor, self.part)
        self._draw_curves(canvas, curves, x, y)
        self.paste(cells, canvas, area.x, area.y)
        over = Overlay(cells, area, x, y, inks.grid, plain)
        over.gaps([curve.raw for curve in curves], self.part("warning"), self.part("label"))
        over.references(self.references, self.part("reference"))
        over.marks(self.marks, {kind: self.part(kind) for kind in ("event", "warning")})
        self._annotate(over, bool(header))

    def _annotate(self, over: Overlay, header: bool) -> None:
        """Write the values of the curves."""
        entries = self._entries()
        if self._cursor is not None:
            over.tags(self._cursor, entries)
        if header:
            at = None if self._cursor is None else f"step {self._cursor:,}"
            over.legend(at, entries, self._state(), self.part("text"), self.part("label"))

    def _fit(self, cells: Cells, header: int, x: Scale) -> tuple[Canvas, list[Curve], Scale]:
        """Arrange the axes so that every label of the y axis has room; it only ever widens."""
        while True:
            self._area = arrange(cells.width - self.margin, cells.height, self._gutter, header)
            canvas = Canvas(self._area.width, self._area.height, self.marker)
            curves = Curve.all(self.curves, x, canvas.columns, self.smoothing)
            include = [r.value for r in self.references] if self._view is None else []
            extremes = self._extremes(curves, include)
            low, high = extremes or ((1.0, 10.0) if self.log_y else (0.0, 1.0))
            y = self._auto.update(low, high, self._area.y_count, self.log_y, self._area.height)
            labels = y_labels(y, self._area)
            needed = 1 + max((len(label) for _, label in labels), default=0)
            if needed <= self._gutter or not self._area.labels_left:
                return canvas, curves, y
            self._gutter = needed

    def _extremes(self, curves: list[Curve], include: list[float]) -> tuple[float, float] | None:
        """The least and the greatest value that the y axis must hold."""
        return value_range(curves, self.log_y, include)

    def _draw_curves(self, canvas: Canvas, curves: list[Curve], x: Scale, y: Scale) -> None:
        """The faint curves, and above them the others; of each the raw, then the smoothed ones."""
        # Where the faint ink is hardly fainter, noise would bury the lines above it.
        few = self._sixteen or self.app.no_color
        for faint in (True, False):
            group = [curve for curve in curves if curve.layer.faint == faint]
            dim = FAINT if faint else 0.0
            canvas.level += 1
            for curve in group:
                # Several raw curves together must not drown the smoothed ones.
                fade = (0.5 if len(curves) == 1 else 0.65) if curve.smooth is not None else dim
                ink = self.ink(self.colour(curve.layer.colour, fade=max(fade, dim)))
                beneath = faint or curve.smooth is not None
                dash = 0 if beneath else self._dash(curve.layer)
                series, sparse = curve.layer.series, few and beneath
                draw_curve(canvas, series, curve.raw, x, y, ink, dash=dash, sparse=sparse)
            canvas.level += 1
            for curve in group:
                smoothed = curve.layer.smoothed(self.smoothing)
                if smoothed is not None and curve.smooth is not None:
                    ink = self.ink(self.colour(curve.layer.colour, fade=dim / 2))
                    dash = self._dash(curve.layer)
                    draw_curve(canvas, smoothed, curve.smooth, x, y, ink, dash=dash)

    def _dash(self, layer: Layer) -> int:
        """What tells curves apart where there are no colours; what is faint is so already."""
        plain = layer.faint or not self.app.no_color
        return 0 if plain else DASH * self._ranked().index(layer)

    def _ranked(self) -> list[Layer]:
        """The layers, the faint ones last."""
        return sorted(self.curves, key=lambda layer: layer.faint)

    # Values -----------------------------------------------------------------------------------

    def _entries(self) -> list[Entry]:
        """Each curve with its value at the cursor, or else at its last step."""
        entries = []
        for layer in self._ranked():
            smoothed = layer.smoothed(self.smoothing)
            ink = self.ink(self.colour(layer.colour, fade=FAINT if layer.faint else 0.0))
            if smoothed is not None and len(self.curves) == 1:
                faint = self.ink(self.colour(layer.colour, fade=0.5))
                entries.append(self._entry(layer.name, layer.series, faint, bold=False))
                entries.append(self._entry("smoothed", smoothed, ink))
            else:
                chosen = layer.series if smoothed is None else smoothed
                name = self._named(layer.name, chosen)
                bold, dashed = not layer.faint, self._dash(layer) > 0
                entries.append(self._entry(name, chosen, ink, bold=bold, dashed=dashed))
        return entries

    def _entry(
        self, name: str, series: Series, ink: int, *, bold: bool = True, dashed: bool = False
    ) -> Entry:
        known = len(series) > 0 and (self._cursor or 0) <= series.last_step
        return Entry(name, self._value(series), ink, bold, dashed, known=known)

    def _named(self, name: str, series: Series) -> str:
        """A name, with the step of its value where that is from before the cursor."""
        if self._cursor is None or math.isnan(series.at(self._cursor)):
            return name
        row = series.row_at(self._cursor)
        return name if row == self._cursor else f"{name} at {row:,}"

    def _value(self, series: Series) -> float:
        return series.last if self._cursor is None else series.at(self._cursor)

    def _state(self) -> str:
        """The options that change what is seen, in words."""
        words = []
        if self.log_x or self.log_y:
            words.append("log " + "x" * self.log_x + "y" * self.log_y)
        if self.smoothing:
            words.append(f"smoothing {self.smoothing:g}")
        if self._view is not None:
            words.append("zoomed")
        return ", ".join(words)
