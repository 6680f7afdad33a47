"""What a network of two inputs predicts over their plane, with the data on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import contourpy
import numpy as np
from numpy.typing import NDArray
from textual.color import Color

from tuitrain.record.landscape import Window
from tuitrain.ui.widgets.axes import (
    Area,
    Inks,
    arrange,
    draw_x_axis,
    draw_y_axis,
    to_dots,
    y_labels,
)
from tuitrain.ui.widgets.canvas import Canvas
from tuitrain.ui.widgets.cells import Cells
from tuitrain.ui.widgets.classes import sign
from tuitrain.ui.widgets.pixels import PixelPlot
from tuitrain.ui.widgets.plane import PlaneView
from tuitrain.ui.widgets.relief import interpolated, middles
from tuitrain.ui.widgets.ticks import Scale, compact, labels, ticks

Values = NDArray[np.float64]

SHADES = 32
"""Shades of all classes together."""

FAINTEST, STRONGEST = 0.05, 0.5
"""Share of a class's colour in the ground, where the classes are alike and where one is sure."""

POINT = 0.3
"""Of white (of black on a light ground) in the colour of a point."""

STRETCH = 1.15
"""A plane that is square is drawn so, or up to so many times longer one way."""

SPARSE = 3
"""Cells for each point that is drawn: more of them would bury the ground."""

BAR = 9
"""Cells for the bar that explains the shades of a number, with its labels."""


@dataclass(frozen=True)
class Scatter:
    """The rows that are drawn on the plane.

    Attributes:
        x: the two inputs of each row, in the units of the axes, [N, 2].
        target: the number of its class, or the number to predict, [N].
        test: whether it was set aside for testing, [N].
        window: what is drawn, in the units of the axes.
        inputs: what the two are called.
        classes: names of the classes; none where targets are numbers.
    """

    x: Values
    target: Values
    test: NDArray[np.bool_]
    window: Window
    inputs: tuple[str, str]
    classes: tuple[str, ...] = ()

    @property
    def span(self) -> tuple[float, float]:
        """Of the targets; about 0 where they have either sign."""
        low, high = float(self.target.min(initial=0.0)), float(self.target.max(initial=1e-9))
        return (-max(-low, high), max(-low, high)) if low < 0 < high else (low, high)


class BoundaryView(PlaneView, PixelPlot):
    """The decision boundary: each class's colour, the stronger the surer; data; contour lines.

    For numbers the predicted value in shades between two colours, with lines of equal value.
    Where colours are few, or none, the regions are told by dots instead. Keys and mouse zoom; the
    prediction is read where the mouse hovers.
    """

    DEFAULT_CSS = "BoundaryView { height: 1fr; }"

    scatter: Scatter | None = None
    grid: Values | None = None

    def show(self, scatter: Scatter, grid: NDArray[np.floating] | None) -> None:
        """Show the prediction.

        Args:
            scatter: the data; another window than before resets the view.
            grid: the prediction at evenly spaced points of the window, [G, G, K], from the least
                to the greatest x2, then x1. Of classes the probability of each, or (K = 1) of
                class 1; else the number. None where it is not known yet.
        """
        if self.home != scatter.window:
            self._view = None
        self.scatter, self.home = scatter, scatter.window
        self.grid = None if grid is None else np.asarray(grid, np.float64)
        self.redraw()

    # Layout -----------------------------------------------------------------------------------

    def draw(self, cells: Cells) -> None:
        scatter, window = self.scatter, self.window
        if scatter is None or window is None:
            self.draw_placeholder(cells)
            return
        header = int(cells.height >= 6 and cells.width >= 20)
        area = self._area = self._arranged(cells, window, header, bool(scatter.classes))
        x, y = Scale(*window.x), Scale(*window.y)
        inks = Inks(self.part("axis"), self.part("grid"), self.part("label"))
        draw_y_axis(cells, y, area, inks, plain=self.plain)
        draw_x_axis(cells, x, area, inks, plain=self.plain)
        if self.grid is not None:
            seen = self._seen(self.grid, window, area)
            if self.filled:
                shades = self._shades(scatter)
                self.fill(cells, self._levels(seen, scatter), shades, area.x, area.y)
                if area.x + area.width + BAR <= cells.width and not scatter.classes:
                    self._draw_bar(cells, Scale(*scatter.span), shades, area)
            else:
                self._draw_veils(cells, seen, scatter, area)
            self._draw_contours(cells, self.grid, scatter, area)
        self._draw_points(cells, scatter, x, y, area)
        if header:
            self._draw_header(cells, scatter, window)

    def _arranged(self, cells: Cells, window: Window, header: int, classes: bool) -> Area:
        bar = BAR if not classes and self.filled and cells.width >= 44 else 0
        bare = arrange(cells.width - bar, cells.height, 0, header)
        gutter = 1 + max((len(label) for _, label in y_labels(Scale(*window.y), bare)), default=0)
        area = arrange(cells.width - bar, cells.height, gutter, header)
        shape = window.size[0] / window.size[1]
        if not 0.5 < shape < 2:  # unlike units: nothing to keep
            return area
        # A cell is about twice as high as wide.
        width = min(area.width, max(round(2 * area.height * shape * STRETCH), 1))
        height = min(area.height, max(round(area.width / 2 / shape * STRETCH), 1))
        return replace(area, x=area.x + (area.width - width) // 2, width=width, height=height)

    def _seen(self, grid: Values, window: Window, area: Area) -> Values:
        """The prediction at the middle of every pixel, [2 height, width, K], the top row first."""
        assert self.home is not None
        x, y = middles(window.x, area.width), middles(window.y, 2 * area.height)[::-1]
        layers = [interpolated(grid[:, :, k], self.home, x, y) for k in range(grid.shape[2])]
        return np.stack(layers, axis=-1)

    # Ground -----------------------------------------------------------------------------------

    def _sides(self, seen: Values, scatter: Scatter) -> tuple[NDArray[np.intp], Values]:
        """The class of each pixel and how sure it is, from 0 to 1; NaN where it is not known.

        Numbers have two sides: below and above the middle of their span.
        """
        if seen.shape[-1] == 1:
            low, high = (0.0, 1.0) if scatter.classes else scatter.span
            lean = 2 * (seen[..., 0] - low) / (high - low) - 1
            return (lean > 0).astype(np.intp), np.abs(np.clip(lean, -1, 1))
        ordered = np.sort(seen, axis=-1)
        return seen.argmax(axis=-1), np.clip(ordered[..., -1] - ordered[..., -2], 0, 1)

    def _steps(self, scatter: Scatter) -> int:
        """Shades of one class."""
        return max(SHADES // max(len(scatter.classes), 2), 4)

    def _shades(self, scatter: Scatter) -> list[Color]:
        """Those of class 0 from faint to strong, those of class 1, ...; last the background."""
        steps, found = self._steps(scatter), []
        for number in range(max(len(scatter.classes), 2)):
            colour = self.colour(number)
            shares = np.linspace(FAINTEST, STRONGEST, steps).tolist()
            found += [self.shade(colour, share) for share in shares]
        return [*found, self._background]

    def _levels(self, seen: Values, scatter: Scatter) -> NDArray[np.intp]:
        """The shade of each pixel."""
        side, sure = self._sides(seen, scatter)
        steps = self._steps(scatter)
        known = ~np.isnan(sure)
        level = np.minimum(np.where(known, sure, 0) * steps, steps - 1).astype(np.intp)
        return np.where(known, side * steps + level, max(len(scatter.classes), 2) * steps)

    def _draw_veils(self, cells: Cells, seen: Values, scatter: Scatter, area: Area) -> None:
        """Dots over the region of every class but the first, closer for each further class."""
        side, sure = self._sides(seen, scatter)
        canvas = Canvas(area.width, area.height, self.marker)
        across, down = np.meshgrid(np.arange(canvas.columns), np.arange(canvas.rows))
        rows, columns = side.shape
        number = side[down * rows // canvas.rows, across * columns // canvas.columns]
        known = ~np.isnan(sure)[down * rows // canvas.rows, across * columns // canvas.columns]
        for each in range(1, number.max() + 1):
            apart = max(5 - each, 2)
            # ASCII has two dots to a cell only: a cell in so many, one row after the other.
            veil = (across + down * (1 if self.plain else 2)) % apart == 0
            veil &= (down % 2 == each % 2) | (apart == 2)
            where = veil & known & (number == each)
            canvas.dots(across[where] + 0.5, down[where] + 0.5, self.part("axis"))
        self.paste(cells, canvas, area.x, area.y)

    def _draw_bar(self, cells: Cells, scale: Scale, shades: Sequence[Color], area: Area) -> None:
        """What the shades of a number mean, to the right: the least below."""
        left, steps = area.x + area.width + 1, (len(shades) - 1) // 2
        levels = np.linspace(2 * steps - 1, 0, 2 * area.height).round().astype(np.intp)
        pixels = np.where(levels < steps, steps - 1 - levels, levels)
        self.fill(cells, np.repeat(pixels[:, None], 2, axis=1), shades, left, area.y)
        values = ticks(scale, area.y_count)
        for value, label in zip(values, labels(values), strict=True):
            row = int(to_dots(scale.unit(value), area.height, down=True))
            cells.text(left + 3, area.y + row, label, self.part("label"))

    # Lines and points -------------------------------------------------------------------------

    def _draw_contours(self, cells: Cells, grid: Values, scatter: Scatter, area: Area) -> None:
        """Where the classes part; of a number the lines of equal value."""
        assert self.window is not None
        assert self.home is not None
        canvas = Canvas(area.width, area.height, self.marker)
        across = Scale(*self.window.x).unit(np.linspace(*self.home.x, grid.shape[1]))
        up = Scale(*self.window.y).unit(np.linspace(*self.home.y, grid.shape[0]))
        for surface, levels in _surfaces(grid, scatter):
            contours = contourpy.contour_generator(across, up, np.ma.masked_invalid(surface))
            for level in levels:
                for line in cast(list[Values], contours.lines(level)):
                    canvas.line(line[:, 0] * canvas.columns, (1 - line[:, 1]) * canvas.rows, 0)
        rows, columns = np.nonzero(canvas.inks >= 0)
        ink = self.contrast if scatter.classes else self.contrast.blend(self._background, 0.5)
        looks = np.zeros(len(rows), np.intp)
        codes = canvas.codes[rows, columns]
        self.put(cells, columns + area.x, rows + area.y, codes, looks, [ink])

    def _draw_points(self, cells: Cells, scatter: Scatter, x: Scale, y: Scale, area: Area) -> None:
        column = to_dots(x.unit(scatter.x[:, 0]), area.width)
        row = to_dots(y.unit(scatter.x[:, 1]), area.height, down=True)
        inside = (column >= 0) & (column < area.width) & (row >= 0) & (row < area.height)
        chosen = np.flatnonzero(inside)
        if self.grid is None:  # no ground to bury: all of them, and neither kind hides the other
            chosen = chosen[_in_turn(scatter.test[chosen])]
        else:
            # Rows for testing come last, and lie on top: there are fewer of them.
            chosen = chosen[:: max(1, -(-len(chosen) * SPARSE // (area.width * area.height)))]
        number, looks, colours = self._looks(scatter)
        kinds = [sign(kind, plain=self.plain) for kind in range(number.max(initial=0) + 1)]
        signs = np.array([[ord(each) for each in kind] for kind in kinds], np.uint32)
        codes = signs[number[chosen], scatter.test[chosen].astype(np.intp)]
        columns = column[chosen].astype(np.intp) + area.x
        rows = row[chosen].astype(np.intp) + area.y
        bold = not self.filled
        self.put(cells, columns, rows, codes, looks[chosen], colours, bold=bold)

    def _looks(self, scatter: Scatter) -> tuple[NDArray[np.intp], NDArray[np.intp], list[Color]]:
        """The number of each row's sign, that of its colour, and the colours.

        A number to predict has the sign of its side of the middle, and a colour by its size.
        """
        strong = [self.colour(number) for number in range(max(len(scatter.classes), 2))]
        if scatter.classes:
            number = scatter.target.astype(np.intp)
            bright = [self.contrast.blend(colour, 1 - POINT) for colour in strong]
            return number, number, bright if self.filled else strong
        low, high = scatter.span
        lean = np.clip(2 * (scatter.target - low) / (high - low) - 1, -1, 1)
        side = (lean > 0).astype(np.intp)
        steps = SHADES // 2
        pale = self._background.blend(self.contrast, 0.55)
        colours = [
            pale.blend(colour, share) for colour in strong for share in np.linspace(0, 1, steps)
        ]
        level = np.minimum(np.abs(lean) * steps, steps - 1).astype(np.intp)
        return side, side * steps + level, colours

    # Header -----------------------------------------------------------------------------------

    def _draw_header(self, cells: Cells, scatter: Scatter, window: Window) -> None:
        """What is over what; then the prediction under the mouse, or which sign is what."""
        ink, text = self.part("label"), self.part("text")
        left = f"{scatter.inputs[1]} over {scatter.inputs[0]}"
        cells.text(0, 0, left, ink)
        x = len(left) + 3
        if self._hover is not None and self.grid is not None and self._inside(self._hover):
            cells.text(x, 0, self._read(scatter, window, *self._hover), text)
            return
        legend = [
            (sign(number, plain=self.plain).train, self.colour(number), name)
            for number, name in enumerate(scatter.classes)
        ]
        if scatter.test.any():
            solid, hollow = sign(0, plain=self.plain)
            legend.append((hollow, self.colour(0), "test" if legend else f"test, {solid} train"))
        for mark, colour, name in legend:
            if x + 2 + len(name) > cells.width:
                break
            cells.text(x, 0, mark, self.ink(colour))
            cells.text(x + 2, 0, name, ink)
            x += len(name) + 4

    def _inside(self, cell: tuple[int, int]) -> bool:
        return cell[0] < self._area.width and cell[1] < self._area.height

    def _read(self, scatter: Scatter, window: Window, column: int, row: int) -> str:
        assert self.grid is not None
        x, y = self._point((column, row), window)
        seen = self._seen(self.grid, window, self._area)[2 * row : 2 * row + 2, column].mean(axis=0)
        place = f"{compact(x, 3)}, {compact(y, 3)}: "
        if not scatter.classes:
            return place + compact(float(seen[0]))
        shares = [1 - seen[0], seen[0]] if len(seen) == 1 else seen.tolist()
        if np.isnan(shares).any():
            return place
        best = int(np.argmax(shares))
        return f"{place}{scatter.classes[best]} {100 * shares[best]:.0f} %"


def _in_turn(test: NDArray[np.bool_]) -> NDArray[np.intp]:
    """The numbers of the rows, those for testing spread evenly among the others."""
    other, tested = (np.cumsum(each) / max(int(each.sum()), 1) for each in (~test, test))
    return np.argsort(np.where(test, tested, other), kind="stable")


def _surfaces(grid: Values, scatter: Scatter) -> list[tuple[Values, list[float]]]:
    """Surfaces [G, G] and the levels at which lines are drawn on them."""
    if not scatter.classes:
        return [(grid[:, :, 0], ticks(Scale(*scatter.span), 6))]
    if grid.shape[2] == 1:
        return [(grid[:, :, 0], [0.5])]
    leads = []
    for number in range(grid.shape[2]):
        others = np.delete(grid, number, axis=2).max(axis=2)
        leads.append((grid[:, :, number] - others, [0.0]))
    return leads
