"""Which classes are taken for which."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from rich.style import Style
from textual.color import Color

from tuitrain.ui.widgets.cells import Cells
from tuitrain.ui.widgets.classes import shortened
from tuitrain.ui.widgets.pixels import HALF, PixelPlot

RECALL, NARROW = "recall", "rec%"
WIDEST, HIGHEST = 20, 8
"""Cells of a field."""

STRONGEST = 0.6
"""Share of the colour where every row of a class is in one field."""


class ConfusionView(PixelPlot):
    """The confusion matrix: a row for each true class, a column for each predicted one.

    A field has the number of rows, the stronger its ground the larger their share of the class;
    what is right has another colour than what is wrong. At the right the recall of each class.
    """

    DEFAULT_CSS = "ConfusionView { height: 1fr; }"

    counts: NDArray[np.int64] | None = None
    names: tuple[str, ...] = ()

    def show(self, counts: ArrayLike | None, classes: Sequence[str]) -> None:
        """Show other numbers.

        Args:
            counts: rows of each true class by the class predicted, [C, C]; None before they are
                known.
            classes: their names.
        """
        self.counts = None if counts is None else np.asarray(counts, np.int64)
        self.names = tuple(classes)
        self.redraw()

    def draw(self, cells: Cells) -> None:
        counts = self.counts
        if counts is None:
            self.draw_placeholder(cells)
            return
        label = self.part("label")
        number = len(counts)
        told = RECALL if cells.width >= 3 * number + len(RECALL) + 4 else NARROW
        recall = len(told) + 1 if cells.width >= 3 * number + len(told) + 3 else 0
        longest = max(map(len, self.names), default=1)
        left = min(longest, max(2, cells.width // 4)) + 1
        digits = len(str(int(counts.max(initial=0))))
        width = min((cells.width - left - recall) // max(number, 1), WIDEST)
        if width < min(digits, 3):  # no room for anything beside the numbers
            left, recall, width = 0, 0, max(cells.width // max(number, 1), 1)
        header = int(cells.height > number)
        height = max(min((cells.height - header) // max(number, 1), HIGHEST, (width + 1) // 2), 1)
        self._draw_names(cells, left, width, height, header)
        totals = counts.sum(axis=1)
        for i, j in np.ndindex(number, number):
            share = counts[i, j] / totals[i] if totals[i] else 0.0
            place = left + j * width, header + i * height
            self._draw_field(cells, place, (width, height), int(counts[i, j]), share, i == j)
        end = left + number * width + recall
        if not recall:
            return
        cells.text(end - len(told), 0, told, label)
        for i, total in enumerate(totals.tolist()):
            unit = " %" if told == RECALL else ""
            text = f"{100 * counts[i, i] / total:.0f}{unit}" if total else "-"
            row = header + i * height + (height - 1) // 2
            cells.text(end - len(text), row, text, self.part("text"))

    def _draw_names(self, cells: Cells, left: int, width: int, height: int, header: int) -> None:
        label = self.part("label")
        if header:
            gap = int(width > 2)
            for j, name in enumerate(shortened(self.names, width - gap)):
                cells.text(left + j * width + (width - len(name) + 1) // 2, 0, name, label)
            if left >= 5:
                cells.text(0, 0, "true"[: left - 1], label)
        for i, name in enumerate(shortened(self.names, left - 1) if left else []):
            row = header + i * height + (height - 1) // 2
            cells.text(left - 1 - len(name), row, name, label)

    def _draw_field(
        self,
        cells: Cells,
        place: tuple[int, int],
        size: tuple[int, int],
        count: int,
        share: float,
        right: bool,
    ) -> None:
        """One number on its ground; no number for no rows, so that the others stand out."""
        (x, y), (width, height) = place, size
        plain = f"{count}" if count else "."[: self.plain] or "·"
        text = plain if len(plain) <= width else "+"
        ink = self._field_ink(count, share, right)
        if count and self.filled:
            for row in range(height):
                cells.text(x, y + row, HALF * width, self._ground_ink(share, right))
        # Numbers side by side without a gap would run together.
        start = x + (width - len(text) + 1) // 2 if width > len(text) else x
        cells.text(start, y + (height - 1) // 2, text, ink)

    def _field_ink(self, count: int, share: float, right: bool) -> int:
        if not count:
            return self.part("grid")
        if not self.filled:
            return self.ink(self.contrast, bold=True) if right else self.part("warning")
        ground = self._ground(share, right).rich_color
        return self._number(Style(color=self.contrast.rich_color, bgcolor=ground, bold=right))

    def _ground_ink(self, share: float, right: bool) -> int:
        ground = self._ground(share, right).rich_color
        return self._number(Style(color=ground, bgcolor=ground))

    def _ground(self, share: float, right: bool) -> Color:
        # A single wrong row of many must still be seen.
        return self.shade(self.colour(0 if right else 1), STRONGEST * (0.3 + 0.7 * share))
