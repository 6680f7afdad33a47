"""A few images of a dataset, each class in turn."""

from __future__ import annotations

import numpy as np

from tuitrain.data import Dataset, raw
from tuitrain.ui.widgets.cells import Cells
from tuitrain.ui.widgets.images import Guesses, ImagesView


class SamplesView(ImagesView):
    """Images with what they show below them."""

    def show_rows(self, data: Dataset, shape: tuple[int, int, int]) -> None:
        """Show the first image of each class, then the second of each, and so on.

        Args:
            data: with images as rows.
            shape: channels, height and width of an image; channels are drawn as their mean.
        """
        true = data.labels(data.y)
        seen = np.zeros(len(data.classes), np.intp)
        turn = np.empty_like(true)
        for row, number in enumerate(true.tolist()):
            turn[row] = seen[number]
            seen[number] += 1
        order = np.lexsort((true, turn))
        images = raw(data, data.x[order]).reshape(-1, *shape).mean(axis=1)
        true = true[order]
        self.show(Guesses(images, true, true, np.ones(len(true)), data.classes))

    def _draw_caption(self, cells: Cells, guesses: Guesses, number: int, x: int, y: int) -> None:
        wide = guesses.images.shape[2]
        name = guesses.classes[int(guesses.true[number])][:wide]
        cells.text(x + (wide - len(name)) // 2, y, name, self.part("label"))

    def _draw_header(self, cells: Cells, guesses: Guesses) -> None:
        _, high, wide = guesses.images.shape
        told = f"{high}x{wide} pixels, {len(guesses.classes)} classes"
        cells.text(0, 0, told, self.part("label"))
