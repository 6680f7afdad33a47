"""Small pictures: points and lines over a pair of axes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

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
from tuitrain.ui.widgets.plot import Plot
from tuitrain.ui.widgets.ticks import Scale, widened

Values = NDArray[np.float64]
Role = Literal["data", "model", "ground", "path", "here"] | int
"""What a layer is: it decides the colour, `here` is drawn as a cross; a number is a series."""

CROSS = np.arange(-2.0, 3.0)


@dataclass(frozen=True)
class Layer:
    """Points x [n], y [n], joined or not; a letter stands on the line, or at every point."""

    role: Role
    x: Values
    y: Values
    joined: bool = False
    letter: str = ""


@dataclass
class Picture:
    """What a small picture shows, in the coordinates of its data.

    Attributes:
        x, y: (low, high) of each axis.
        title: what is drawn over what.
        layers: painted in order.
    """

    x: tuple[float, float]
    y: tuple[float, float]
    title: str
    layers: list[Layer] = field(default_factory=list)

    def line(self, x: ArrayLike, y: ArrayLike, role: Role = "model", letter: str = "") -> Picture:
        """Add a line through points, of rising x if it has a letter."""
        points = np.atleast_1d(x).astype(float), np.atleast_1d(y).astype(float)
        self.layers.append(Layer(role, *points, True, letter))
        return self

    def points(self, x: ArrayLike, y: ArrayLike, role: Role = "data", letter: str = "") -> Picture:
        """Add points, or a letter at each of them."""
        points = np.atleast_1d(x).astype(float), np.atleast_1d(y).astype(float)
        self.layers.append(Layer(role, *points, letter=letter))
        return self


def span(values: ArrayLike, margin: float = 0.06) -> tuple[float, float]:
    """The range of the finite values, a little widened; (0, 1) without any."""
    finite = np.asarray(values, np.float64)
    finite = finite[np.isfinite(finite)]
    if not finite.size:
        return 0.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    room = margin * (high - low) or max(abs(low), 1.0) / 2
    return widened(low - room, high + room, log=False)


class PictureView(Plot):
    """Draws one picture."""

    DEFAULT_CSS = "PictureView { height: 1fr; }"

    picture: Picture | None = None

    def show(self, picture: Picture | None) -> None:
        """Show another picture; only what differs is repainted."""
        self.picture = picture
        self.redraw()

    def draw(self, cells: Cells) -> None:
        picture = self.picture
        if picture is None:
            return
        x, y = Scale(*picture.x), Scale(*picture.y)
        bare = arrange(cells.width, cells.height, 0, 0)
        gutter = 1 + max((len(label) for _, label in y_labels(y, bare)), default=0)
        area = arrange(cells.width, cells.height, gutter, 0)
        canvas = Canvas(area.width, area.height, self.marker)
        for layer in picture.layers:
            across = to_dots(x.unit(layer.x), canvas.columns)
            up = to_dots(y.unit(layer.y), canvas.rows, down=True)
            self._paint(canvas, layer, across, up)
        inks = Inks(self.part("axis"), self.part("grid"), self.part("label"))
        plain = self.marker == "ascii"
        draw_y_axis(cells, y, area, inks, plain=plain)
        draw_x_axis(cells, x, area, inks, plain=plain)
        cells.paste(canvas, area.x, area.y)
        self._draw_letters(cells, picture, area)

    def _draw_letters(self, cells: Cells, picture: Picture, area: Area) -> None:
        """Those of points in place; each other on its own line, side by side from the right."""
        x, y = Scale(*picture.x), Scale(*picture.y)
        for layer in picture.layers:
            if layer.letter and not layer.joined:
                across = to_dots(x.unit(layer.x), area.width)
                down = to_dots(y.unit(layer.y), area.height, down=True)
                inside = (across >= 0) & (across < area.width) & (down >= 0) & (down < area.height)
                for column, row in np.stack([across, down], 1)[inside].astype(int).tolist():
                    cells.text(area.x + column, area.y + row, layer.letter, self.part("text"))
        lettered = [layer for layer in picture.layers if layer.letter and layer.joined]
        for number, layer in enumerate(lettered):
            column = area.width - 2 - 2 * number % max(area.width - 2, 1)
            level = np.interp(x.value((column + 0.5) / area.width), layer.x, layer.y)
            row = float(to_dots(y.unit(level), area.height, down=True))
            if 0 <= row < area.height and isinstance(layer.role, int):
                ink = self.badge(layer.role)
                cells.text(area.x + column, area.y + int(row), layer.letter, ink)

    def _paint(self, canvas: Canvas, layer: Layer, across: Values, up: Values) -> None:
        ink = self._ink(layer.role)
        if layer.joined:
            canvas.line(across, up, ink)
        elif layer.role == "here" and len(across) == 1:
            canvas.dots(across + CROSS, np.repeat(up, 5), ink)
            canvas.dots(np.repeat(across, 5), up + CROSS, ink)
        else:
            canvas.points(across, up, ink)

    def _ink(self, role: Role) -> int:
        match role:
            case "data":
                return self.part("label")
            case "ground":
                return self.part("axis")
            case "model":
                return self.ink(self.colour(0))
            case "path":
                return self.ink(self.colour(1, fade=0.3))
            case "here":
                return self.ink(self.colour(1), bold=True)
            case _:
                return self.ink(self.colour(role))
