"""What a network of two inputs predicts over their plane, with the data on it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import cast

import contourpy
import numpy as np
from numpy.typing import NDArray
from textual.color import Color

from tuitrain.record.landscape import Window
from tuitrain.ui.colours import COLOURS
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
from tuitrain.ui.widgets.classes import shortened, sign
from tuitrain.ui.widgets.leaders import Leaders, Sides
from tuitrain.ui.widgets.pixels import PixelPlot
from tuitrain.ui.widgets.plane import PlaneView
from tuitrain.ui.widgets.relief import interpolated, middles
from tuitrain.ui.widgets.ticks import Scale, compact, labels, ticks, widened

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
        if not self.target.size:
            return 0.0, 1.0
        low, high = widened(float(self.target.min()), float(self.target.max()), log=False)
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
    _leaders: Leaders | None = None

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
        self.grid = None if grid is None else np.asarray(grid, np.float64, order="C")
        many = self.grid is not None and self.grid.shape[2] > 1
        self._leaders = Leaders.of(self.grid) if many and self.grid is not None else None
        self.redraw()

    # Layout -----------------------------------------------------------------------------------

    def draw(self, cells: Cells) -> None:
        scatter, window = self.scatter, self.window
        if scatter is None or window is None:
            self.draw_placeholder(cells)
            return
        header = self._header(cells, scatter)
        area = self._area = self._arranged(cells, window, header, bool(scatter.classes))
        x, y = Scale(*window.x), Scale(*window.y)
        inks = Inks(self.part("axis"), self.part("grid"), self.part("label"))
        draw_y_axis(cells, y, area, inks, plain=self.plain)
        draw_x_axis(cells, x, area, inks, plain=self.plain)
        if self.grid is not None:
            side, sure = self._sides(self.grid, scatter, window, area)
            if self.filled:
                shades = self._shades(scatter)
                self.fill(cells, self._levels(side, sure, scatter), shades, area.x, area.y)
                if area.x + area.width + BAR <= cells.width and not scatter.classes:
                    self._draw_bar(cells, Scale(*scatter.span), shades, area)
            else:
                self._draw_veils(cells, side, sure, area)
            self._draw_contours(cells, self.grid, scatter, area)
        self._draw_points(cells, scatter, x, y, area)
        if header:
            self._draw_header(cells, scatter, window, header)

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

    # Ground -----------------------------------------------------------------------------------

    def _sides(
        self, grid: Values, scatter: Scatter, window: Window, area: Area
    ) -> tuple[NDArray[np.intp], Values]:
        """The class of each pixel and how sure it is, from 0 to 1; NaN where it is not known.

        Both are [2 height, width], the top row first. Numbers have two sides: below and above the
        middle of their span.
        """
        assert self.home is not None
        x, y = middles(window.x, area.width), middles(window.y, 2 * area.height)[::-1]
        if self._leaders is not None:
            return self._leaders.sides(grid, self.home, x, y)
        low, high = (0.0, 1.0) if scatter.classes else scatter.span
        lean = 2 * (interpolated(grid[:, :, 0], self.home, x, y) - low) / (high - low) - 1
        return (lean > 0).astype(np.intp), np.abs(np.clip(lean, -1, 1))

    def _steps(self, scatter: Scatter) -> int:
        """Shades of one class."""
        return max(SHADES // _hues(scatter), 4)

    def _shades(self, scatter: Scatter) -> list[Color]:
        """Those of class 0 from faint to strong, those of class 1, ...; last the background."""
        steps, found = self._steps(scatter), []
        for number in range(_hues(scatter)):
            colour = self.colour(number)
            shares = np.linspace(FAINTEST, STRONGEST, steps).tolist()
            found += [self.shade(colour, share) for share in shares]
        return [*found, self._background]

    def _levels(self, side: Sides, sure: Values, scatter: Scatter) -> NDArray[np.intp]:
        """The shade of each pixel."""
        steps, hues = self._steps(scatter), _hues(scatter)
        known = ~np.isnan(sure)
        level = np.minimum(np.where(known, sure, 0) * steps, steps - 1).astype(np.intp)
        return np.where(known, side % hues * steps + level, hues * steps)

    def _draw_veils(self, cells: Cells, side: Sides, sure: Values, area: Area) -> None:
        """Dots over the region of every class but the first, closer for each further class."""
        canvas = Canvas(area.width, area.height, self.marker)
        across, down = np.meshgrid(np.arange(canvas.columns), np.arange(canvas.rows))
        rows, columns = side.shape
        number = side[down * rows // canvas.rows, across * columns // canvas.columns]
        known = ~np.isnan(sure)[down * rows // canvas.rows, across * columns // canvas.columns]
        for each in np.unique(number[number > 0]).tolist():
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
        for surface, (down, right), levels in self._surfaces(grid, scatter):
            x, y = across[right], up[down]
            contours = contourpy.contour_generator(x, y, np.ma.masked_invalid(surface))
            for level in levels:
                for line in cast(list[Values], contours.lines(level)):
                    canvas.line(line[:, 0] * canvas.columns, (1 - line[:, 1]) * canvas.rows, 0)
        rows, columns = np.nonzero(canvas.inks >= 0)
        ink = self.contrast if scatter.classes else self.contrast.blend(self._background, 0.5)
        looks = np.zeros(len(rows), np.intp)
        codes = canvas.codes[rows, columns]
        self.put(cells, columns + area.x, rows + area.y, codes, looks, [ink])

    def _surfaces(
        self, grid: Values, scatter: Scatter
    ) -> Iterable[tuple[Values, tuple[slice, slice], list[float]]]:
        """Surfaces, where they lie in the grid, and the levels at which lines are drawn on them."""
        whole = slice(None), slice(None)
        if not scatter.classes:
            return [(grid[:, :, 0], whole, ticks(Scale(*scatter.span), 6))]
        if self._leaders is None:
            return [(grid[:, :, 0], whole, [0.5])]
        return [(lead, where, [0.0]) for lead, where in self._leaders.leads(grid)]

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
        strong = [self.colour(number) for number in range(_hues(scatter))]
        if scatter.classes:
            number = scatter.target.astype(np.intp)
            bright = [self.contrast.blend(colour, 1 - POINT) for colour in strong]
            return number, number % len(strong), bright if self.filled else strong
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

    def _header(self, cells: Cells, scatter: Scatter) -> int:
        """Rows above the plane: none where it is small, two where one would not hold it all."""
        if cells.height < 6 or cells.width < 20:
            return 0
        needed = len(_over(scatter)) + 3 + sum(len(name) + 4 for *_, name in self._legend(scatter))
        return 2 if cells.height >= 12 and needed > cells.width + 2 else 1

    def _legend(self, scatter: Scatter, width: int = 1_000) -> list[tuple[str, Color, str]]:
        """The signs with their colours and meanings, in short where so many columns ask for it."""
        tested, classes = bool(scatter.test.any()), scatter.classes
        if sum(len(name) + 4 for name in classes) + 8 * tested > width + 2:
            least = len(str(len(classes) - 1))
            each = max((width - 8 * tested) // len(classes) - 4, least)
            classes = tuple(shortened(classes, each))
        legend = [
            (sign(number, plain=self.plain).train, self.colour(number), name)
            for number, name in enumerate(classes)
        ]
        if tested:
            solid, hollow = sign(0, plain=self.plain)
            legend.append((hollow, self.colour(0), "test" if legend else f"test, {solid} train"))
        return legend

    def _draw_header(self, cells: Cells, scatter: Scatter, window: Window, header: int) -> None:
        """What is over what; then the prediction under the mouse, or which sign is what."""
        ink, text = self.part("label"), self.part("text")
        left = _over(scatter)
        cells.text(0, 0, left, ink)
        x, y = (len(left) + 3, 0) if header == 1 else (0, 1)
        if self._hover is not None and self.grid is not None and self._inside(self._hover):
            cells.text(x, y, self._read(scatter, window, *self._hover), text)
            return
        legend = self._legend(scatter, cells.width - x)
        for number, (mark, colour, name) in enumerate(legend):
            further = f"+{len(legend) - number:,} more"
            # What is left out is told: room for it stays until the last one.
            room = 0 if number == len(legend) - 1 else len(further) + 2
            if x + 2 + len(name) + room > cells.width:
                cells.text(x, y, further, ink)
                break
            cells.text(x, y, mark, self.ink(colour))
            cells.text(x + 2, y, name, ink)
            x += len(name) + 4

    def _inside(self, cell: tuple[int, int]) -> bool:
        return cell[0] < self._area.width and cell[1] < self._area.height

    def _read(self, scatter: Scatter, window: Window, column: int, row: int) -> str:
        assert self.grid is not None
        x, y = self._point((column, row), window)
        assert self.home is not None
        at = np.array([x]), np.array([y])
        layers = np.moveaxis(self.grid, 2, 0)
        seen = np.array([interpolated(layer, self.home, *at)[0, 0] for layer in layers])
        place = f"{compact(x, 3)}, {compact(y, 3)}: "
        if not scatter.classes:
            return place + compact(float(seen[0]))
        shares = [1 - seen[0], seen[0]] if len(seen) == 1 else seen.tolist()
        if np.isnan(shares).any():
            return place
        best = int(np.argmax(shares))
        return f"{place}{scatter.classes[best]} {100 * shares[best]:.0f} %"


def _over(scatter: Scatter) -> str:
    return f"{scatter.inputs[1]} vs {scatter.inputs[0]}"


def _in_turn(test: NDArray[np.bool_]) -> NDArray[np.intp]:
    """The numbers of the rows, those for testing spread evenly among the others."""
    other, tested = (np.cumsum(each) / max(int(each.sum()), 1) for each in (~test, test))
    return np.argsort(np.where(test, tested, other), kind="stable")


def _hues(scatter: Scatter) -> int:
    """Colours of the classes, of which many have the same one; two for numbers."""
    return min(max(len(scatter.classes), 2), COLOURS)
