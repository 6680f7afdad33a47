"""Which classes are taken for which."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from rich.style import Style

from tuitrain.ui.widgets.cells import Cells
from tuitrain.ui.widgets.classes import shortened
from tuitrain.ui.widgets.pixels import HALF, PixelPlot

RECALL, NARROW = "recall", "rec%"
ENOUGH, WIDEST, HIGHEST = 6, 20, 8
"""Cells of a field; beyond the first of its widths, the names at the left come first."""

STRONGEST = 0.6
"""Share of the colour where every row of a class is in one field."""

LEVELS = 100
"""Shares that are told apart."""

Pair = tuple[int, int]
Inks = NDArray[np.int16]


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
        spare = cells.width - recall - number * ENOUGH - 1
        left = min(longest, max(2, cells.width // 4, spare)) + 1
        digits = len(str(int(counts.max(initial=0))))
        width = min((cells.width - left - recall) // max(number, 1), WIDEST)
        if width < min(digits, 3):  # no room for anything beside the numbers
            left, recall, width = 0, 0, max(cells.width // max(number, 1), 1)
        # Names that do not fit side by side stand in two rows, in turns.
        wanted = 1 if longest < width or not recall else 2
        header = min(max(cells.height - number, 0), wanted)
        height = max(min((cells.height - header) // max(number, 1), HIGHEST, (width + 1) // 2), 1)
        across = min((cells.width - left - recall) // width, number) if number else 0
        down = min((cells.height - header) // height, number)
        if min(across, down) < number and cells.height > 1:
            down = min(down, cells.height - header - 1)
            seen = f"the first {down:,} of {number:,} classes down, {across:,} across"
            cells.text(0, cells.height - 1, seen, label)
        self._draw_names(cells, (left, header), (width, height), (across, down))
        self._draw_fields(cells, (left, header), (width, height), counts[:down, :across])
        end = left + number * width + recall
        if not recall:
            return
        cells.text(end - len(told), 0, told, label)
        for i, total in enumerate(counts.sum(axis=1).tolist()[:down]):
            unit = " %" if told == RECALL else ""
            text = f"{100 * counts[i, i] / total:.0f}{unit}" if total else "-"
            row = header + i * height + (height - 1) // 2
            cells.text(end - len(text), row, text, self.part("text"))

    def _draw_names(self, cells: Cells, corner: Pair, size: Pair, shown: Pair) -> None:
        (left, header), (width, height), (across, down) = corner, size, shown
        label = self.part("label")
        if header:
            room = header * width - int(width > 2)
            for j, name in enumerate(shortened(self.names, room)[:across]):
                # The last one stands in the lower row, clear of the recall's name.
                row = (len(self.names) - j) % header
                cells.text(left + j * width + (width - len(name) + 1) // 2, row, name, label)
            if left >= 5 and cells.free(0, 0, 5):
                cells.text(0, 0, "true", label)
        for i, name in enumerate(shortened(self.names, left - 1)[:down] if left else []):
            row = header + i * height + (height - 1) // 2
            cells.text(left - 1 - len(name), row, name, label)

    def _draw_fields(
        self, cells: Cells, corner: Pair, size: Pair, counts: NDArray[np.int64]
    ) -> None:
        """Numbers on their grounds; no number for no rows, so that the others stand out.

        Args:
            corner, size: of the first field, in cells: (x, y), (width, height).
            counts: of the fields that are seen, [down, across].
        """
        (x, y), (width, height) = corner, size
        texts, grounds = self._field_inks(counts)
        some = counts > 0
        if self.filled:
            here = np.s_[y : y + len(counts) * height, x : x + counts.shape[1] * width]
            whole, ground = (a.repeat(height, 0).repeat(width, 1) for a in (some, grounds))
            cells.codes[here][whole] = ord(HALF)
            cells.inks[here][whole] = ground[whole]
        rows, columns = np.nonzero(~some)
        rows, columns = y + rows * height + (height - 1) // 2, x + columns * width + width // 2
        cells.codes[rows, columns] = ord("." if self.plain else "·")
        cells.inks[rows, columns] = self.part("grid")
        rows, columns = np.nonzero(some)
        places = zip(rows.tolist(), columns.tolist(), strict=True)
        values = zip(counts[some].tolist(), texts[some].tolist(), strict=True)
        for (i, j), (count, ink) in zip(places, values, strict=True):
            text = str(count) if count < 10**width else "+"
            # Numbers side by side without a gap would run together.
            start = (width - len(text) + 1) // 2 if width > len(text) else 0
            row = y + i * height + (height - 1) // 2
            cells.text(x + j * width + start, row, text, ink)

    def _field_inks(self, counts: NDArray[np.int64]) -> tuple[Inks, Inks]:
        """The ink of each field's number and that of its ground."""
        assert self.counts is not None
        totals = np.maximum(self.counts.sum(axis=1)[: len(counts)], 1)
        levels = np.rint(LEVELS * counts / totals[:, None]).astype(np.intp)
        found, places = np.unique(
            2 * levels + np.eye(*counts.shape, dtype=np.intp), return_inverse=True
        )
        inks = [self._ink_pair(look // 2 / LEVELS, look % 2 > 0) for look in found.tolist()]
        pairs = np.array(inks, np.int16).reshape(-1, 2)[places.reshape(counts.shape)]
        return pairs[..., 0], pairs[..., 1]

    def _ink_pair(self, share: float, right: bool) -> tuple[int, int]:
        if not self.filled:
            ink = self.ink(self.contrast, bold=True) if right else self.part("warning")
            return ink, ink
        # A single wrong row of many must still be seen.
        colour = self.colour(0 if right else 1)
        ground = self.shade(colour, STRONGEST * (0.3 + 0.7 * share)).rich_color
        text = Style(color=self.contrast.rich_color, bgcolor=ground, bold=right)
        return self._number(text), self._number(Style(color=ground, bgcolor=ground))
