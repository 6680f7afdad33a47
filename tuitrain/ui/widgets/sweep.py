"""The learning-rate sweep: where each optimizer works, from too slow to divergence."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from textual import events
from textual.message import Message
from textual.reactive import reactive

from tuitrain.record.sweep import Line, Sweep, sweep
from tuitrain.spec.grouping import Group
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
from tuitrain.ui.widgets.curves import Mark, Reference, draw_guides
from tuitrain.ui.widgets.overlay import Entry, Overlay
from tuitrain.ui.widgets.sweeplines import (
    Item,
    LineDots,
    draw_crosses,
    draw_legend,
    loss_range,
    sign,
)
from tuitrain.ui.widgets.ticks import Scale, compact
from tuitrain.ui.widgets.zoom import Cell, ZoomPlot

WIDE = 90
"""Cells across from which on the marks also give their rates."""

LEAST_RATIO = 1.2
"""Zooming in ends where the last learning rate in view is so many times the first."""

Numbers = NDArray[np.float64]


class SweepView(ZoomPlot):
    """Final loss against learning rate, log-log: a line per optimizer, a band over seeds.

    The screen gives it lines with `show` and, whenever there is news, their losses with
    `update`. It dispatches keys to `select`, `move_cursor`, `choose`, `zoom`, `pan` and `reset`;
    the mouse does the same by itself (hover, click, wheel, double click).
    """

    DEFAULT_CSS = "SweepView { height: 1fr; }"

    log_y = reactive(True)
    """Whether losses stand on a logarithmic axis, unless one of them is negative."""

    class Chosen(Message):
        """The user wants a run with this learning rate.

        Attributes:
            view: the widget.
            group: the runs at that rate: its optimizer, schedule and preset.
            lr: the optimizer's learning rate.
        """

        def __init__(self, view: SweepView, group: Group) -> None:
            super().__init__()
            self.view, self.group, self.lr = view, group, group.optimizer.lr

    class Selected(Message):
        """Another line is selected, or the cursor stands at another rate (None: at none)."""

        def __init__(self, view: SweepView, line: Line, lr: float | None) -> None:
            super().__init__()
            self.view, self.line, self.lr = view, line, lr

    sweeps: Sequence[Sweep] = ()
    selected = 0
    """Index of the line that the words are about."""
    _lines: Sequence[Line] = ()
    _colours: Sequence[int | str] = ()
    _start = math.nan
    _final = True
    _cursor: float | None = None
    _view: tuple[float, float] | None = None
    _gutter = 0
    _x = Scale(1.0, 10.0, True)
    _y: Scale | None = None

    def on_mount(self) -> None:
        self._auto = AutoRange()

    def show(self, lines: Sequence[Line], colours: Sequence[int | str] = ()) -> None:
        """Show other lines, from scratch.

        Args:
            lines: of one pane, as `record.sweep.lines` gives them.
            colours: of each line, a series' number or the name of a colour.
        """
        self._lines, self._colours = lines, colours or range(len(lines))
        self.sweeps, self.selected, self._cursor, self._view, self._gutter = (), 0, None, None, 0
        self._auto = AutoRange()
        self.refresh()

    def update(
        self,
        losses: Numbers,
        steps: Numbers | None = None,
        roundings: Numbers | None = None,
        *,
        start: float = math.nan,
        final: bool = True,
    ) -> None:
        """Show what the runs have reached by now.

        Args:
            losses, steps, roundings: of every run of the experiment, as `record.sweep.sweep`
                takes them.
            start: the loss before the first step, which is drawn as a line across.
            final: whether the losses are final.
        """
        self.sweeps = [sweep(line, losses, steps, roundings) for line in self._lines]
        self._start, self._final = start, final
        self.redraw()

    # Lines and rates --------------------------------------------------------------------------

    @property
    def rates(self) -> list[float]:
        """The learning rates of all lines, rising."""
        return sorted({group.optimizer.lr for line in self._lines for group in line.groups})

    @property
    def cursor(self) -> float | None:
        """The learning rate at the cursor."""
        return self._cursor

    @property
    def choice(self) -> Group | None:
        """What `choose` would start: the selected line at the cursor, without one at its best."""
        if not self.sweeps:
            return None
        chosen = self.sweeps[self.selected]
        if self._cursor is None:
            return None if chosen.best is None else chosen.line.groups[chosen.best]
        away = np.abs(np.log(chosen.line.rates / self._cursor))
        return chosen.line.groups[int(away.argmin())]

    def choose(self) -> None:
        """Ask for a run with the chosen learning rate."""
        if (group := self.choice) is not None:
            self.post_message(self.Chosen(self, group))

    def select(self, offset: int) -> None:
        """Go to another line; after the last one comes the first."""
        if self._lines:
            self._select((self.selected + offset) % len(self._lines))

    def _select(self, line: int) -> None:
        if line != self.selected:
            self.selected = line
            self._changed()

    def set_cursor(self, lr: float | None) -> None:
        """Put the cursor at a learning rate, or (None) take it away."""
        if lr != self._cursor:
            self._cursor = lr
            self._changed()

    def move_cursor(self, rates: int) -> None:
        """Move the cursor by so many learning rates; it starts at the selected line's best."""
        every = self.rates
        if not every:
            return
        if self._cursor is None:
            best = self.choice
            self.set_cursor(every[-1] if best is None else best.optimizer.lr)
            return
        at = every.index(self._cursor) + rates
        self.set_cursor(every[min(max(at, 0), len(every) - 1)])

    def _changed(self) -> None:
        self.redraw()
        self.post_message(self.Selected(self, self._lines[self.selected], self._cursor))

    # View -------------------------------------------------------------------------------------

    def zoom(self, factor: float, at: float | None = None) -> None:
        """Magnify the axis of rates; `at` is the position from 0 to 1 that stays in place.

        Without `at`, the cursor stays in place, or else the middle.
        """
        if at is None:
            at = 0.5 if self._cursor is None else float(self._x.unit(self._cursor))
        at = min(max(at, 0.0), 1.0)
        low, high = self._x.value(at - at / factor), self._x.value(at + (1 - at) / factor)
        if high / low >= LEAST_RATIO or factor < 1:
            whole = self._whole()
            low, high = max(low, whole.low), min(high, whole.high)
            self._look(None if (low, high) == (whole.low, whole.high) else (low, high))

    def pan(self, fraction: float) -> None:
        """Move the view by a fraction of its width, to greater rates if positive."""
        if self._view is not None:
            x = Scale(*self._view, True)
            start, stop = x.unit([self._whole().low, self._whole().high]).tolist()
            moved = min(max(fraction, start), stop - 1)
            self._look((x.value(moved), x.value(1 + moved)))

    def reset(self) -> None:
        """Show all rates again."""
        self._look(None)

    def _look(self, view: tuple[float, float] | None) -> None:
        self._view, self._gutter = view, 0
        self._auto.clear()
        self.redraw()

    def _whole(self) -> Scale:
        """All rates, and a little room at both ends."""
        every = self.rates or [0.1]
        room = max((every[-1] / every[0]) ** 0.03, 1.05)
        return Scale(every[0] / room, every[-1] * room, True)

    # Mouse ------------------------------------------------------------------------------------

    def zoomed(self, factor: float, cell: Cell) -> None:
        self.zoom(factor, self._middle(cell)[0])

    def held(self) -> tuple[float, float] | None:
        return self._view

    def dragged(self, view: object, right: float, up: float) -> None:
        assert isinstance(view, tuple)
        self._view = view
        self.pan(right)

    def hovered(self, cell: Cell | None) -> None:
        if cell is None or not self._lines:
            self.set_cursor(None)
            return
        every = np.array(self.rates)
        away = np.abs(np.log(every / self._x.value(self._middle(cell)[0])))
        self.set_cursor(float(every[away.argmin()]))

    def on_click(self, event: events.Click) -> None:
        """Select the line that is nearest; the second click of two is the base class's."""
        cell = self._cell(event)
        if event.chain == 1 and cell is not None and self._cursor is not None and self._y:
            heights = self._y.unit([entry.value for entry in self._at(self._cursor)])
            away = np.abs(np.nan_to_num(heights, nan=np.inf) - self._middle(cell)[1])
            self._select(int(away.argmin()))

    # Drawing ----------------------------------------------------------------------------------

    def draw(self, cells: Cells) -> None:
        if all(np.isnan(each.loss[:, 1]).all() for each in self.sweeps):
            self.draw_placeholder(cells)
            return
        header = int(cells.height >= 6 and cells.width >= 20)
        words = int(cells.height >= 8 and cells.width >= 20)
        lost = [i for i, each in enumerate(self.sweeps) if any(each.diverged)]
        strip = min(len(lost), cells.height // 6)
        self._x = self._whole() if self._view is None else Scale(*self._view, True)
        y = self._y = self._fit(cells.width, cells.height - words, header + strip)
        area, plain = self._area, self.marker == "ascii"
        canvas = Canvas(area.width, area.height, self.marker)
        inks = Inks(self.part("axis"), self.part("grid"), self.part("label"))
        draw_y_axis(cells, y, area, inks, plain=plain)
        draw_x_axis(cells, self._x, area, inks, plain=plain)
        draw_grid(canvas, self._x, y, area, inks.grid)
        self._draw_lines(cells, canvas, y)
        over = Overlay(cells, area, self._x, y, inks.grid, plain)
        over.references(self._references(), self.part("reference"))
        over.marks(self._marks(), {"event": self.part("event")})
        if self._cursor is not None:
            over.tags(self._cursor, self._at(self._cursor))
        for place, number in enumerate(lost if strip else ()):
            row = area.y - strip + min(place, strip - 1)
            crosses = self._ink(number), self._ink(number, fade=0.4)
            draw_crosses(cells, area, row, self.sweeps[number], self._x, crosses, plain=plain)
        if header:
            self._legend(cells)
        if words:
            self._words(cells)

    def _fit(self, width: int, height: int, header: int) -> Scale:
        """Arrange the axes so that every label of the y axis has room; it only ever widens."""
        low, high, log = loss_range(self.sweeps, self._x, self._start, self.log_y)
        while True:
            self._area = arrange(width, height, self._gutter, header)
            y = self._auto.update(low, high, self._area.y_count, log, self._area.height)
            needed = 1 + max((len(label) for _, label in y_labels(y, self._area)), default=0)
            if needed <= self._gutter or not self._area.labels_left:
                return y
            self._gutter = needed

    def _draw_lines(self, cells: Cells, canvas: Canvas, y: Scale) -> None:
        """Bands, then what marks something, then the lines; of each the selected one on top."""
        order = sorted(range(len(self.sweeps)), key=lambda number: number == self.selected)
        lines = [(n, LineDots(self.sweeps[n], canvas, self._x, y)) for n in order]
        canvas.level = 1
        for number, line in lines:
            line.draw_band(self._ink(number, fade=0.6 if number == self.selected else 0.75))
        canvas.level = 2
        guides = self._references(), self._marks(), self._cursor
        draw_guides(canvas, self._x, y, *guides, self.part)
        for number, line in lines:
            canvas.level = 3 + (number == self.selected)
            line.draw(self._ink(number))
        self.paste(cells, canvas, self._area.x, self._area.y)
        for number, line in lines:
            mark = sign(number, plain=self.marker == "ascii")
            line.draw_signs(cells, self._area, mark, self._ink(number))

    def _ink(self, number: int, *, fade: float = 0.0) -> int:
        bold = number == self.selected and not fade
        return self.ink(self.colour(self._colours[number], fade=fade), bold=bold)

    # Words ------------------------------------------------------------------------------------

    def _references(self) -> list[Reference]:
        return [Reference(self._start, "at the start")] if math.isfinite(self._start) else []

    def _marks(self) -> list[Mark]:
        """The best and the steepest rate of the selected line."""
        chosen = self.sweeps[self.selected]
        told: dict[int, list[str]] = {}
        for name, place in (("best", chosen.best), ("steepest", chosen.steepest)):
            if place is not None:
                told.setdefault(place, []).append(name)
        rates = chosen.line.rates.tolist()
        values = {i: f" {rates[i]:.4g}" if self._area.width >= WIDE else "" for i in told}
        return [Mark(rates[i], " and ".join(names) + values[i]) for i, names in told.items()]

    def _at(self, lr: float) -> list[Entry]:
        """Every line with its median loss at a learning rate, NaN where it has none."""
        entries = []
        for number, each in enumerate(self.sweeps):
            here = np.flatnonzero(each.line.rates == lr)
            value = float(each.loss[here[0], 1]) if len(here) else math.nan
            entries.append(Entry(each.line.name, value, self._ink(number), number == self.selected))
        return entries

    def _legend(self, cells: Cells) -> None:
        """The top row: each line with its best rate, or with its loss at the cursor."""
        names = [each.line.name for each in self.sweeps]
        if self._cursor is None:
            lead = "best lr"
            best = [(each.line.rates, each.best) for each in self.sweeps]
            values = ["none" if i is None else f"{rates[i]:.4g}" for rates, i in best]
        else:
            lead = f"loss at lr {self._cursor:.4g}"
            values = [compact(entry.value) for entry in self._at(self._cursor)]
        entries = [
            Item(sign(n, plain=self.marker == "ascii"), *pair, self._ink(n))
            for n, pair in enumerate(zip(names, values, strict=True))
        ]
        ink, quiet = self.part("text"), self.part("label")
        draw_legend(cells, self._area.x, lead, entries, self.selected, ink, quiet)

    def _words(self, cells: Cells) -> None:
        """The bottom row: what there is to say about the selected line, as far as it has room."""
        chosen, y = self.sweeps[self.selected], cells.height - 1
        cells.text(0, y, chosen.line.name, self._ink(self.selected))
        column, separator = len(chosen.line.name) + 2, ""
        for part in chosen.in_words(final=self._final):
            text = separator + part
            if column + len(text) <= cells.width:
                cells.text(column, y, text, self.part("text"))
                column += len(text)
                separator = " - " if self.marker == "ascii" else " · "
