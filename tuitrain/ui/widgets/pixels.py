"""Pictures of pixels: half blocks, two to a cell; shades of characters where colours are few."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rich.style import Style
from textual.color import Color

from tuitrain.ui.widgets.cells import Cells
from tuitrain.ui.widgets.plot import Plot

HALF = "▀"
DENSITIES = {False: " ░▒▓█", True: " .:-=+*#%@"}
"""Characters from nothing to full, in blocks and in ASCII."""

CUBE = np.array([0, 95, 135, 175, 215, 255])
"""The levels of red, green and blue that terminals of 256 colours have."""


class PixelPlot(Plot):
    """A plot that fills cells with pixels."""

    @property
    def plain(self) -> bool:
        """Whether to keep to ASCII."""
        return self.marker == "ascii"

    @property
    def filled(self) -> bool:
        """Whether there are colours enough for shades, and a character for two pixels."""
        return not (self.plain or self._sixteen or self.app.no_color)

    @property
    def contrast(self) -> Color:
        """What stands out from any ground: white on a dark one, black on a light one."""
        return Color(255, 255, 255) if self._dark else Color(0, 0, 0)

    def shade(self, colour: Color, share: float) -> Color:
        """The background with a share of a colour, as the terminal can show it."""
        if self.app.console.color_system != "256":
            return self._background.blend(colour, share)
        # Of 256 colours the nearest would often be a grey: first all the grey is taken out.
        parts = np.array(colour.rgb) - min(colour.rgb)
        pure = 255 * parts / max(parts.max(), 1)
        ground = 0 if self._dark else 255
        nearest = np.abs(CUBE[:, None] - (ground + share * (pure - ground))).argmin(axis=0)
        red, green, blue = CUBE[nearest].tolist()
        return Color(red, green, blue)

    def fill(
        self, cells: Cells, pixels: NDArray[np.intp], shades: Sequence[Color], x: int, y: int
    ) -> None:
        """Fill cells from (x, y) with pixels [2 height, width], each the number of a shade.

        What lies outside is clipped.

        Upper half blocks: the upper pixel is their colour, the lower one the background's.
        """
        pixels = pixels[: 2 * (cells.height - y), : cells.width - x]
        upper, lower = pixels[::2], pixels[1::2]
        found, places = np.unique(upper * len(shades) + lower, return_inverse=True)
        colours, count = [shade.rich_color for shade in shades], len(shades)
        inks = [
            self._number(Style(color=colours[pair // count], bgcolor=colours[pair % count]))
            for pair in found.tolist()
        ]
        here = np.s_[y : y + upper.shape[0], x : x + upper.shape[1]]
        cells.codes[here] = ord(HALF)
        cells.inks[here] = np.array(inks, np.int16)[places].reshape(upper.shape)

    def put(
        self,
        cells: Cells,
        columns: NDArray[np.intp],
        rows: NDArray[np.intp],
        codes: NDArray[np.uint32],
        looks: NDArray[np.intp],
        colours: Sequence[Color],
        *,
        bold: bool = False,
    ) -> None:
        """Put characters [n] on what lies there: the background of each cell stays.

        Args:
            columns, rows: of the cells, [n].
            looks: number of each character's colour, [n].
        """
        inside = (columns >= 0) & (columns < cells.width) & (rows >= 0) & (rows < cells.height)
        columns, rows, looks = (a[inside] for a in (columns, rows, looks))
        beneath = cells.inks[rows, columns].astype(np.intp)
        found, places = np.unique(beneath * len(colours) + looks, return_inverse=True)
        inks = []
        for pair in found.tolist():
            background = self._styles[pair // len(colours)].bgcolor
            colour = colours[pair % len(colours)].rich_color
            inks.append(self._number(Style(color=colour, bgcolor=background, bold=bold)))
        cells.codes[rows, columns] = codes[inside]
        cells.inks[rows, columns] = np.array(inks, np.int16)[places.reshape(-1)]

    def fill_densely(
        self, cells: Cells, shares: NDArray[np.float64], ink: int, x: int, y: int
    ) -> None:
        """Fill cells from (x, y) with pixels [2 height, width], each from 0 (blank) to 1 (full).

        Without shades: a character for every two, and any share but 0 is seen.
        """
        signs = np.array([ord(sign) for sign in DENSITIES[self.plain]], np.uint32)
        shares = shares[: 2 * (cells.height - y), : cells.width - x]
        half = (np.clip(shares[::2], 0, 1) + np.clip(shares[1::2], 0, 1)) / 2
        here = np.s_[y : y + half.shape[0], x : x + half.shape[1]]
        cells.codes[here] = signs[np.ceil(half * (len(signs) - 1)).astype(np.intp)]
        cells.inks[here] = ink
