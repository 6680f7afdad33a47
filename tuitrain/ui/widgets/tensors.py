"""The weights of larger models: how large those of each tensor are, and how far spread."""

from __future__ import annotations

import math
from collections.abc import Sequence

from textual.geometry import Size

from tuitrain.record.series import Series
from tuitrain.ui.facts import Tensor
from tuitrain.ui.widgets.cells import Cells
from tuitrain.ui.widgets.paragraph import AutoHeight
from tuitrain.ui.widgets.plot import Plot
from tuitrain.ui.widgets.spark import spark
from tuitrain.ui.widgets.ticks import compact

NUMBER = 8
"""Cells of a number with four figures; NARROW of one with two. Long exponents leave fewer."""
NARROW = 6

RATIO = "update/w"


class TensorsTable(Plot, AutoHeight):
    """A line for each tensor: norm, mean and spread, each with the way it came."""

    DEFAULT_CSS = "TensorsTable { height: auto; }"

    tensors: Sequence[Tensor] = ()
    step: int | None = None
    total = 0

    def show(self, tensors: Sequence[Tensor], total: int, step: int | None = None) -> None:
        """Show the tensors after a step (None is the last).

        Args:
            total: steps, which the sparklines span.
        """
        taller = len(tensors) != len(self.tensors)
        self.tensors, self.total, self.step = tensors, total, step
        if taller:
            self.refresh(layout=True)
        else:
            self.redraw()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return 1 + max(len(self.tensors), 1)

    def draw(self, cells: Cells) -> None:
        label = self.part("label")
        if not self.tensors:
            cells.text(0, 1, "waiting for the first step", label)
            return
        names = max(len(tensor.name) for tensor in self.tensors)
        ratio = len(RATIO) + 1 if cells.width >= 60 else 0
        number = NUMBER if cells.width >= 48 else NARROW
        group = max((cells.width - names - ratio) // 3, number + 1)
        room = group - number - 2
        for place, head in enumerate(("norm", "mean", "std")):
            end = names + place * group + 1 + number
            cells.text(end - len(head), 0, head, label)
        if ratio:
            cells.text(cells.width - len(RATIO), 0, RATIO, label)
        for row, tensor in enumerate(self.tensors, 1):
            cells.text(0, row, tensor.name, label)
            for place, series in enumerate((tensor.norm, tensor.mean, tensor.std)):
                self._draw_group(cells, series, names + place * group + 1, row, number, room)
            if ratio:
                text = f"{self._value(tensor.ratio):.1e}"
                cells.text(cells.width - len(text), row, text, label)

    def _draw_group(
        self, cells: Cells, series: Series, x: int, row: int, number: int, room: int
    ) -> None:
        """A number of some cells and the way it came in some more."""
        text = _fitted(self._value(series), number)
        cells.text(x + number - len(text), row, text, self.part("text"))
        if room >= 3:
            whole = (1.0, float(max(self.total, series.last_step, 2)))
            picture = spark(series, room, marker=self.marker, span=whole)
            ink = self.ink(self.colour(0).with_alpha(0.7))
            cells.text(x + number + 1, row, picture.plain, ink)

    def _value(self, series: Series) -> float:
        return series.last if self.step is None else series.at(self.step)


def _fitted(value: float, width: int) -> str:
    """A number with as many figures as fit: a longer one would run into what stands before it."""
    if math.isnan(value):
        return "–"  # noqa: RUF001
    texts = (compact(value, figures) for figures in range(4 if width == NUMBER else 2, 0, -1))
    # What has no room with one figure is next to nothing: -1e-100.
    return next((text for text in texts if len(text) <= width), "0")
