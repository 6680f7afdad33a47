"""Images with what they are taken for, those that are taken wrongly first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from textual.color import Color

from tuitrain.ui.widgets.cells import Cells
from tuitrain.ui.widgets.pixels import PixelPlot

LEVELS = 17
"""Shades of grey: the digits have pixels from 0 to 16."""

NO_CLASS = -1
"""What is predicted where the prediction is not a number."""

GAP = 1
"""Columns, and rows, between two images."""

AIRY = 3
"""So many rows of images are enough to leave room between them."""


@dataclass(frozen=True)
class Guesses:
    """What images are taken for.

    Attributes:
        images: from 0 (paper) to 1 (ink), [N, height, width].
        true, predicted: number of the class, [N].
        probability: of the class predicted, [N].
        classes: names of the classes.
    """

    images: NDArray[np.floating]
    true: NDArray[np.integer]
    predicted: NDArray[np.integer]
    probability: NDArray[np.floating]
    classes: tuple[str, ...]

    @property
    def wrong(self) -> int:
        return int(np.count_nonzero(self.true != self.predicted))

    def order(self) -> NDArray[np.intp]:
        """The wrong ones from the surest on, then the right ones from the least sure on."""
        wrong = self.true != self.predicted
        surety = np.where(wrong, -self.probability, self.probability)
        return np.lexsort((surety, ~wrong))


class ImagesView(PixelPlot):
    """Images in rows, below each `true>predicted` and the probability."""

    DEFAULT_CSS = "ImagesView { height: 1fr; }"

    guesses: Guesses | None = None

    def show(self, guesses: Guesses | None) -> None:
        """Show other guesses; None before there are any."""
        self.guesses = guesses
        self.redraw()

    def draw(self, cells: Cells) -> None:
        guesses = self.guesses
        if guesses is None:
            self.draw_placeholder(cells)
            return
        _, high, wide = guesses.images.shape
        tile = wide + GAP, (high + 1) // 2 + 1
        header = int(cells.height > tile[1])
        if header:
            self._draw_header(cells, guesses)
        columns = max((cells.width + GAP) // tile[0], 1)
        # Air between the rows, unless few of them would be left.
        rows = (cells.height - header + GAP) // (tile[1] + GAP)
        air = GAP if rows >= AIRY else 0
        rows = rows if air else max((cells.height - header) // tile[1], 1)
        greys = [self.shade(self.contrast, share) for share in np.linspace(0, 0.95, LEVELS)]
        for place, number in enumerate(guesses.order()[: columns * rows].tolist()):
            x = place % columns * tile[0]
            y = header + place // columns * (tile[1] + air)
            image = np.asarray(guesses.images[number], np.float64)
            if high % 2:
                image = np.vstack([image, np.zeros((1, wide))])
            if x + wide <= cells.width and y + tile[1] <= cells.height:
                self._draw_image(cells, image, greys, x, y)
            self._draw_caption(cells, guesses, number, x, y + tile[1] - 1)

    def _draw_image(
        self, cells: Cells, image: NDArray[np.float64], greys: Sequence[Color], x: int, y: int
    ) -> None:
        if self.filled or (self._sixteen and not self.plain and not self.app.no_color):
            pixels = np.round(np.clip(image, 0, 1) * (LEVELS - 1)).astype(np.intp)
            self.fill(cells, pixels, greys, x, y)
            return
        self.fill_densely(cells, image, self.part("text"), x, y)

    def _draw_caption(self, cells: Cells, guesses: Guesses, number: int, x: int, y: int) -> None:
        true, predicted = int(guesses.true[number]), int(guesses.predicted[number])
        arrow = ">" if self.plain else "→"
        text = guesses.classes[true][:2] + arrow
        if predicted == NO_CLASS:
            text += "?"
        else:
            share = 100 * float(guesses.probability[number])
            text += f"{guesses.classes[predicted][:2]} {share:.0f}%"
        ink = self.part("label") if true == predicted else self.part("warning")
        cells.text(x, y, text[: guesses.images.shape[2]], ink)

    def _draw_header(self, cells: Cells, guesses: Guesses) -> None:
        count = len(guesses.true)
        arrow = ">" if self.plain else "→"
        told = f"{guesses.wrong} of {count:,} wrong" if guesses.wrong else f"all {count:,} right"
        cells.text(0, 0, told, self.part("text"))
        legend = f"true{arrow}predicted"
        if len(told) + 3 + len(legend) <= cells.width:
            cells.text(len(told) + 3, 0, legend, self.part("label"))
