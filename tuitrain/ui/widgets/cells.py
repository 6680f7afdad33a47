"""A rectangle of characters with an ink each: what a chart is composed in before it is shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from rich.cells import cell_len

from tuitrain.ui.widgets.canvas import Canvas

BLANK = ord(" ")

FAR = 12
"""Unchanged cells that part two changes of a row."""


class Cells:
    """Characters and their inks, `width` x `height`; what is written outside is clipped.

    An ink is an index into the caller's list of styles.
    """

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.codes = np.full((height, width), BLANK, np.uint32)
        self.inks = np.zeros((height, width), np.int16)

    def __str__(self) -> str:
        return "\n".join(self.row(y) for y in range(self.height))

    def row(self, y: int) -> str:
        return str(self.codes[y].tobytes(), "utf-32-le")

    def text(self, x: int, y: int, text: str, ink: int) -> None:
        """Write a text from (x, y) to the right; a character not one cell wide becomes `?`."""
        if not 0 <= y < self.height:
            return
        if not text.isascii():
            text = "".join(c if cell_len(c) == 1 else "?" for c in text)
        start, stop = max(0, x), min(self.width, x + len(text))
        if start < stop:
            shown = text[start - x : stop - x].encode("utf-32-le")
            self.codes[y, start:stop] = np.frombuffer(shown, np.uint32)
            self.inks[y, start:stop] = ink

    def paste(self, canvas: Canvas, x: int, y: int) -> None:
        """Put a canvas's drawn cells with its top left corner at (x, y)."""
        area = np.s_[y : y + canvas.height, x : x + canvas.width]
        drawn = canvas.inks >= 0
        self.codes[area][drawn] = canvas.codes[drawn]
        self.inks[area][drawn] = canvas.inks[drawn]

    def free(self, x: int, y: int, width: int, *, besides: int = -1) -> bool:
        """Whether the cells from (x, y) lie inside and are blank but for one ink."""
        if not 0 <= y < self.height or x < 0 or x + width > self.width:
            return False
        blank = self.codes[y, x : x + width] == BLANK
        return bool((blank | (self.inks[y, x : x + width] == besides)).all())

    def runs(self, y: int, opaque: Sequence[int] = ()) -> Iterator[tuple[str, int]]:
        """Row y as the fewest pieces of one ink; a blank joins the piece before it.

        Args:
            opaque: the inks with a background of their own, which no blank joins.
        """
        codes, inks = self.codes[y], self.inks[y]
        drawn = codes != BLANK
        last_drawn = np.maximum.accumulate(np.where(drawn, np.arange(self.width), 0))
        joined = inks[last_drawn]
        if opaque:
            joined[~drawn & np.isin(joined, opaque)] = 0
        starts = [0, *(np.flatnonzero(np.diff(joined)) + 1).tolist(), self.width]
        text = self.row(y)
        for start, stop in pairwise(starts):
            yield text[start:stop], int(joined[start])

    def changes(self, other: Cells) -> Iterator[tuple[int, int, int]]:
        """(y, first x, last x) of what differs from another of the same size.

        A row gives several stretches where they are so far apart that to go to the next one
        takes fewer bytes than to send what lies between.
        """
        changed = (self.codes != other.codes) | (self.inks != other.inks)
        for y in np.flatnonzero(changed.any(axis=1)).tolist():
            columns = np.flatnonzero(changed[y])
            parts = np.flatnonzero(np.diff(columns) > FAR) + 1
            for first, stop in pairwise([0, *parts.tolist(), len(columns)]):
                yield y, int(columns[first]), int(columns[stop - 1])
