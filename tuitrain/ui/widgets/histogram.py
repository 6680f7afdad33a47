"""Where the weights of each tensor lie, as the steps go by."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tuitrain.ui.histories import History
from tuitrain.ui.widgets.axes import Area, Inks, draw_x_axis, draw_y_axis, y_labels
from tuitrain.ui.widgets.cells import Cells
from tuitrain.ui.widgets.pixels import PixelPlot
from tuitrain.ui.widgets.ticks import Scale

LEVELS = 16
STRONGEST = 0.95
"""Share of the colour where values are densest."""

LOWEST, NARROWEST = 5, 24
"""Cells of one map, its title and its labels among them."""


class HistogramView(PixelPlot):
    """A map for each tensor: x is the step, y the value, the shade how many values lie there.

    Every step has its full shade where its values are densest. Tensors that have no room are
    left out, biases first.
    """

    DEFAULT_CSS = "HistogramView { height: 1fr; }"

    histories: Sequence[History] = ()
    total = 0
    step: int | None = None

    def __init__(
        self,
        *,
        placeholder: str = "no data yet",
        id: str | None = None,  # noqa: A002 - as every widget calls it
        classes: str | None = None,
    ) -> None:
        super().__init__(placeholder=placeholder, id=id, classes=classes)
        self._kept: dict[str, tuple[object, dict[int, NDArray[np.float64]]]] = {}

    def show(self, histories: Sequence[History], total: int, step: int | None = None) -> None:
        """Show how the tensors have come to be what they are.

        Args:
            histories: of the tensors, in order.
            total: planned steps, which the x axis spans.
            step: where the cursor stands.
        """
        self.histories, self.total, self.step = histories, total, step
        self.redraw()

    def draw(self, cells: Cells) -> None:
        known = [history for history in self.histories if history.steps]
        if not known:
            self.draw_placeholder(cells)
            return
        height = cells.height - (2 if cells.height >= LOWEST + 2 else 0)
        columns = max(min(cells.width // NARROWEST, 4), 1)
        while columns > 1 and height // -(-len(known) // (columns - 1)) >= 2 * LOWEST:
            columns -= 1
        most = max(height // LOWEST, 1) * columns
        if len(known) > most:
            # Weights before biases, then in their order.
            known = sorted(known, key=lambda history: len(history.shape) < 2)[:most]
            known.sort(key=self.histories.index)
        columns = min(columns, len(known))
        rows = -(-len(known) // columns)
        wide = (cells.width + 2) // columns - 2
        spans = [Scale(*history.span()) for history in known]
        for place, (history, y) in enumerate(zip(known, spans, strict=True)):
            row, column = divmod(place, columns)
            top, below = row * height // rows, (row + 1) * height // rows
            last = place + columns >= len(known)
            self._draw_map(cells, history, y, (column * (wide + 2), top, wide, below - top), last)
        if len(known) < len(self.histories):
            text = f"+{len(self.histories) - len(known)} more"
            cells.text(cells.width - len(text), 0, text, self.part("label"))

    def _draw_map(
        self,
        cells: Cells,
        history: History,
        y: Scale,
        place: tuple[int, int, int, int],
        last: bool,
    ) -> None:
        """One tensor in (x, y, width, height) cells."""
        left, top, width, height = place
        axis = cells.height >= LOWEST + 2 and last
        area = Area(left, top + 1, width, max(height - 1, 1), True, axis, axis)
        gutter = 1 + max((len(label) for _, label in y_labels(y, area)), default=0)
        area = Area(left + gutter, top + 1, max(width - gutter, 1), area.height, True, axis, axis)
        shape = ("x" if self.plain else "×").join(map(str, history.shape))  # noqa: RUF001
        cells.text(area.x, top, history.name, self.part("text"))
        cells.text(area.x + len(history.name) + 1, top, shape, self.part("label"))
        inks = Inks(self.part("axis"), self.part("grid"), self.part("label"))
        self._draw_density(cells, history, y, area)
        draw_y_axis(cells, y, area, inks, plain=self.plain)
        if axis:
            x = Scale(0.0, float(max(self.total, history.steps[-1], 1)))
            draw_x_axis(cells, x, area, inks, plain=self.plain)

    def _draw_density(self, cells: Cells, history: History, y: Scale, area: Area) -> None:
        reached = self._reached(history, area.width)
        columns = self._columns(history, y, area.height)
        for index in dict.fromkeys(reached):
            if index not in columns:
                columns[index] = _density(history, index, y, 2 * area.height)
        density = np.stack([columns[index] for index in reached], axis=1)
        if self.filled:
            colour = self.colour(0)
            shades = [self.shade(colour, share) for share in np.linspace(0, STRONGEST, LEVELS)]
            levels = np.ceil(density * (LEVELS - 1)).astype(np.intp)
            self.fill(cells, levels, shades, area.x, area.y)
        else:
            self.fill_densely(cells, density, self.part("text"), area.x, area.y)
        if self.step is not None:
            self._draw_cursor(cells, history, area)

    def _reached(self, history: History, width: int) -> list[int]:
        """The index of the step that is shown in each column, as far as the training has come."""
        per_column = self._span(history) / width
        count = min(int(history.steps[-1] / per_column) + 1, width)
        ends = [per_column * (column + 1) for column in range(count)]
        return [max(bisect_right(history.steps, end) - 1, 0) for end in ends]

    def _span(self, history: History) -> int:
        return max(self.total, history.steps[-1], 1)

    def _columns(self, history: History, y: Scale, height: int) -> dict[int, NDArray[np.float64]]:
        """What has been worked out for this scale and height, by index of the step."""
        kept = self._kept.get(history.name)
        if kept is None or kept[0] != (y, height):
            kept = self._kept[history.name] = (y, height), {}
        return kept[1]

    def _draw_cursor(self, cells: Cells, history: History, area: Area) -> None:
        assert self.step is not None
        column = min(int(self.step / self._span(history) * area.width), area.width - 1)
        if column >= 0:
            rows = np.arange(area.y, area.y + area.height)
            signs = np.full(len(rows), ord("|" if self.plain else "│"), np.uint32)
            looks = np.zeros(len(rows), np.intp)
            at = np.full(len(rows), area.x + column)
            self.put(cells, at, rows, signs, looks, [self.contrast])


def _density(history: History, index: int, y: Scale, rows: int) -> NDArray[np.float64]:
    """How densely the values lie at a step, from the top row, [rows]; 1 where densest.

    The root of it: a few values must be seen beside many.
    """
    bounds = np.asarray(y.value(0.0) + (y.value(1.0) - y.value(0.0)) * np.linspace(0, 1, rows + 1))
    shares = history.within(index, bounds)[::-1]
    most = float(shares.max(initial=0.0))
    return np.sqrt(shares / most) if most else shares
