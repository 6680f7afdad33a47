"""The loss over two parameters as a map, with the way of every run over it."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import cast

import contourpy
import numpy as np
from numpy.typing import NDArray
from rich.style import Style
from textual.color import Color
from textual.message import Message

from tuitrain.record.landscape import Landscape, Plane, Window
from tuitrain.ui.widgets.axes import (
    Area,
    Inks,
    arrange,
    draw_x_axis,
    draw_y_axis,
    to_dots,
    y_labels,
)
from tuitrain.ui.widgets.badges import Badge, badges
from tuitrain.ui.widgets.canvas import Canvas
from tuitrain.ui.widgets.cells import Cells
from tuitrain.ui.widgets.pixels import PixelPlot
from tuitrain.ui.widgets.plane import PlaneView
from tuitrain.ui.widgets.relief import BANDS, Relief, ramp
from tuitrain.ui.widgets.ticks import Scale, compact, labels, ticks
from tuitrain.ui.widgets.trails import Tracing, Trail

MARGIN = 0.35
"""What is asked for around the view, at each side: panning a little needs no new answer."""

FINEST = 256
BAR = 9
"""Cells for the bar that explains the bands, with its labels."""

SIGNS = {True: ("o", "*"), False: ("○", "★")}
LEAST_NAMES = 12
"""Cells that the names of the runs have before the signs of the map are explained."""

FAINT = 0.6
"""Of the shade beneath that a restless trail takes on."""


class LandscapeView(PlaneView, PixelPlot):
    """A map of the loss: bands of colour (lines where colours are few), trails, start, optimum.

    The screen gives it what there is with `show`, and answers `Wanted` with a landscape. It reads
    the loss where the mouse hovers.
    """

    DEFAULT_CSS = """
    LandscapeView { height: 1fr; }
    """

    class Wanted(Message):
        """The view is not covered, or too coarsely, by the landscapes that it was shown."""

        def __init__(self, view: LandscapeView, window: Window, columns: int, rows: int) -> None:
            super().__init__()
            self.view, self.window, self.columns, self.rows = view, window, columns, rows

    plane: Plane | None = None
    landscapes: Sequence[Landscape] = ()
    trails: Sequence[Trail] = ()
    optimum: tuple[float, float] | None = None
    _asked: tuple[Plane, Window, int, int] | None = None
    _relief: tuple[object, Relief, NDArray[np.intp]] | None = None
    _tracing: tuple[object, Tracing] | None = None

    def show(
        self,
        plane: Plane | None,
        home: Window | None,
        landscapes: Sequence[Landscape],
        trails: Sequence[Trail],
        optimum: tuple[float, float] | None = None,
    ) -> None:
        """Show what is known by now.

        Args:
            plane: what x and y are; another one than before resets the view.
            home: the window that is shown unless the user has zoomed.
            landscapes: of this plane; the one that suits the view best is drawn.
            trails: the runs, the first on top. Their blocks only grow.
            optimum: (x, y) of the least loss, if known.
        """
        if plane != self.plane:
            self._view = None
        self.plane, self.home, self.landscapes = plane, home, landscapes
        self.trails, self.optimum = trails, optimum
        self.redraw()

    def centre(self, window: Window) -> tuple[float, float]:
        """The optimum, else the first run, else the middle."""
        candidates = [self.optimum, *(trail.last for trail in self.trails[:1])]
        for point in candidates:
            if point and window.contains(Window((point[0],) * 2, (point[1],) * 2)):
                return point
        return super().centre(window)

    # Drawing ----------------------------------------------------------------------------------

    def draw(self, cells: Cells) -> None:
        window, plane = self.window, self.plane
        if window is None or plane is None:
            self.draw_placeholder(cells)
            return
        header = int(cells.height >= 6 and cells.width >= 20)
        bar = BAR if cells.width >= 44 and cells.height >= 10 and self.filled else 0
        x, y = Scale(*window.x), Scale(*window.y)
        bare = arrange(cells.width - bar, cells.height, 0, header)
        gutter = 1 + max((len(label) for _, label in y_labels(y, bare)), default=0)
        area = self._area = arrange(cells.width - bar, cells.height, gutter, header)
        inks = Inks(self.part("axis"), self.part("grid"), self.part("label"))
        draw_y_axis(cells, y, area, inks, plain=self.plain)
        draw_x_axis(cells, x, area, inks, plain=self.plain)
        relief, bands = self._seen(window, area)
        known = bool((bands >= 0).any())
        if not self.filled:
            self._draw_lines(cells, relief, window, area)
        elif known:
            self.fill(cells, bands % (BANDS + 1), self._shades, area.x, area.y)
            if bar:
                self._draw_bar(cells, relief.scale, area)
        self._draw_trails(cells, window, bands, area)
        self._draw_marks(cells, x, y, area)
        if not known:
            bottom = area.y + area.height - 1
            cells.text(area.x + 1, bottom, self.placeholder, inks.label)
        if header:
            self._draw_header(cells, window, relief, plane)
        self._ask(plane, window, area)

    def _best(self, window: Window) -> Landscape | None:
        """The finest landscape that covers a window; the one that covers most if none does."""

        def merit(landscape: Landscape) -> tuple[float, float]:
            return landscape.window.overlap(window) / window.area, -landscape.window.area

        # A hair's breadth of a difference in what they cover is rounding.
        return max(
            self.landscapes, key=lambda it: (round(merit(it)[0], 3), merit(it)[1]), default=None
        )

    def _seen(self, window: Window, area: Area) -> tuple[Relief, NDArray[np.intp]]:
        """What the map shows and its bands, two pixels to a cell, worked out once per change."""
        landscape = self._best(window)
        key = (id(landscape), window, area)
        if self._relief is None or self._relief[0] != key:
            size = area.width, 2 * area.height
            relief = (
                Relief(np.full(size[::-1], np.nan), Scale(0.0, 1.0))
                if landscape is None
                else Relief.of(landscape, window, *size)
            )
            self._relief = key, relief, relief.bands
        return self._relief[1:]

    @property
    def _shades(self) -> list[Color]:
        """The colour of each band, and last of what is not known."""
        cube = self.app.console.color_system == "256"
        return [*ramp(self.app.current_theme.dark, cube), self._background]

    def _draw_lines(self, cells: Cells, relief: Relief, window: Window, area: Area) -> None:
        """Lines of equal loss, for terminals where a filled map would be a riddle."""
        canvas = Canvas(area.width, area.height, self.marker)
        height, width = relief.loss.shape
        if min(height, width) < 2:
            return
        x, y = (np.arange(width) + 0.5) / width, (np.arange(height) + 0.5) / height
        loss = np.ma.masked_invalid(relief.scale.unit(relief.loss))
        lines = contourpy.contour_generator(x, y, loss)
        ink = self.part("contour")
        for level in np.arange(1, BANDS, 2) / BANDS:
            for line in cast(list[NDArray[np.float64]], lines.lines(float(level))):
                canvas.line(line[:, 0] * canvas.columns, line[:, 1] * canvas.rows, ink)
        cells.paste(canvas, area.x, area.y)

    def _draw_trails(
        self, cells: Cells, window: Window, bands: NDArray[np.intp], area: Area
    ) -> None:
        key = (window, area, self.marker, [trail.name for trail in self.trails])
        if self._tracing is None or self._tracing[0] != key:
            size = area.width, area.height
            self._tracing = key, Tracing(window, *size, self.marker, len(self.trails))
        tracing = self._tracing[1]
        canvas = tracing.update(self.trails)
        restless = tracing.restless
        drawn = canvas.inks >= 0
        # A cell of a trail is of its colour on the shade beneath: few pairs among many cells.
        own = [(trail.colour, faint) for trail, faint in zip(self.trails, restless, strict=True)]
        looks = list(dict.fromkeys(own))
        owners = np.array([looks.index(look) for look in own], np.intp)[canvas.inks[drawn]]
        beneath = bands[::2][drawn] % (BANDS + 1) if self.filled else np.full(len(owners), BANDS)
        found, places = np.unique(owners * (BANDS + 1) + beneath, return_inverse=True)
        inks = [
            self._trail_ink(looks[pair // (BANDS + 1)], pair % (BANDS + 1))
            for pair in found.tolist()
        ]
        here = np.s_[area.y : area.y + area.height, area.x : area.x + area.width]
        cells.codes[here][drawn] = canvas.codes[drawn]
        cells.inks[here][drawn] = np.array(inks, np.int16)[places]

    def _trail_ink(self, look: tuple[int | str, bool], band: int) -> int:
        colour, faint = look
        shade = self._shades[band]
        line = self.colour(colour)
        if faint and not self._sixteen:
            line = line.blend(shade, FAINT)
        return self._number(Style(color=line.rich_color, bgcolor=shade.rich_color))

    # Marks ------------------------------------------------------------------------------------

    def _draw_marks(self, cells: Cells, x: Scale, y: Scale, area: Area) -> None:
        """Start and optimum, and over them the letter of every run where it is."""

        def place(point: tuple[float, float]) -> tuple[int, int] | None:
            column = float(to_dots(x.unit(point[0]), area.width))
            row = float(to_dots(y.unit(point[1]), area.height, down=True))
            inside = 0 <= column < area.width and 0 <= row < area.height
            return (area.x + int(column), area.y + int(row)) if inside else None

        start, best = SIGNS[self.plain]
        for point in dict.fromkeys(trail.start for trail in self.trails):
            if all(map(isfinite, point)) and (cell := place(point)):
                self._stamp(cells, cell, start)
        star = place(self.optimum) if self.optimum else None
        if star:
            self._stamp(cells, star, best)
        end = area.x + area.width
        ends = [place(trail.last) for trail in self.trails]
        if star:  # stays to be seen: who has arrived stands beside it
            beside = star[0] + (1 if star[0] + 1 < end else -1), star[1]
            ends = [beside if cell == star else cell for cell in ends]
        for badge in badges([trail.letter for trail in self.trails], ends, end, star):
            self._draw_badge(cells, badge)

    def _draw_badge(self, cells: Cells, badge: Badge) -> None:
        """The letter of a run where it is, and how many more are there."""
        (column, row), trail = badge.cell, self.trails[badge.shown]
        first = badge.span[0] if badge.left else column + 1
        for place, digit in enumerate(badge.more, first):
            self._stamp(cells, (place, row), digit)
        cells.text(column, row, trail.letter, self.badge(trail.colour))

    def _stamp(self, cells: Cells, cell: tuple[int, int], sign: str) -> None:
        """A sign on whatever lies there."""
        column, row = np.array(cell)[:, np.newaxis]
        code, look = np.array([ord(sign)], np.uint32), np.zeros(1, np.intp)
        self.put(cells, column, row, code, look, [self.contrast], bold=True)

    # Around the map ---------------------------------------------------------------------------

    def _draw_bar(self, cells: Cells, scale: Scale, area: Area) -> None:
        """What the bands mean, to the right: the least loss below."""
        left, rows, shades = area.x + area.width + 1, area.height, self._shades
        if area.y:
            cells.text(left, area.y - 1, "loss", self.part("label"))
        bands = (np.arange(2 * rows) * BANDS // (2 * rows))[::-1]
        for row in range(rows):
            upper, lower = (shades[band] for band in bands[2 * row : 2 * row + 2])
            ink = self._number(Style(color=upper.rich_color, bgcolor=lower.rich_color))
            cells.text(left, area.y + row, "▀▀", ink)
        values = ticks(scale, area.y_count)
        for value, label in zip(values, labels(values), strict=True):
            row = int(to_dots(scale.unit(value), rows, down=True))
            cells.text(left + 3, area.y + row, label, self.part("label"))

    def _draw_header(self, cells: Cells, window: Window, relief: Relief, plane: Plane) -> None:
        """What is over what; then the loss under the mouse, or who is who and what is what."""
        ink = self.part("label")
        end = self._area.x + self._area.width
        left = f"{plane.names[1]} vs {plane.names[0]}"
        cells.text(0, 0, left, ink)
        x = len(left) + 3
        if self._hover is not None:
            column, row = self._hover
            if row < self._area.height and column < self._area.width:
                point = self._point(self._hover, window)
                loss = compact(float(relief.loss[2 * row : 2 * row + 2, column].mean()))
                text = f"{compact(point[0])}, {compact(point[1])}: loss {loss}"
                cells.text(x, 0, text, self.part("text"))
            return
        start, best = SIGNS[self.plain]
        signs = f"{start} start" + f"  {best} optimum" * (self.optimum is not None)
        if x + LEAST_NAMES + len(signs) > end:
            self._draw_names(cells, x, end)
        else:
            x = self._draw_names(cells, x, end - len(signs) - 2)
            cells.text(x, 0, signs, ink)

    def _draw_names(self, cells: Cells, x: int, end: int) -> int:
        """Letters and names of the runs, as many as have room; where the next text may begin."""
        for number, trail in enumerate(self.trails):
            text = f"{trail.name}{' diverged' if trail.lost else ''}"
            rest = len(self.trails) - number
            more = f"+{rest} more"
            if x + 2 + len(text) + (2 + len(more)) * (rest > 1) > end:
                if x + len(more) <= end:
                    cells.text(x, 0, more, self.part("label"))
                return x + len(more) + 2
            cells.text(x, 0, trail.letter, self.badge(trail.colour))
            cells.text(x + 2, 0, text, self.part("text"))
            x += len(text) + 4
        return x

    def _ask(self, plane: Plane, window: Window, area: Area) -> None:
        """Tell the screen what is missing, once."""
        wide = 1 + 2 * MARGIN
        columns = min(max(int(1.5 * wide * area.width), 32), FINEST)
        rows = min(max(int(1.5 * wide * 2 * area.height), 32), FINEST)
        best = self._best(window)
        if best is not None and best.window.contains(window):
            pixels = [
                side * (count - 1) / whole
                for side, count, whole in zip(
                    window.size, best.loss.shape[::-1], best.window.size, strict=True
                )
            ]
            # Coarser data look the same on a screen until a pixel is much smaller than their cell.
            if pixels[0] * wide * 2 > columns and pixels[1] * wide * 2 > rows:
                return
        asked = (plane, window.widened(MARGIN), columns, rows)
        if asked != self._asked:
            self._asked = asked
            # Later: a message that is made while the screen draws does not get past the screen.
            self.call_later(self._tell, *asked[1:])

    def _tell(self, window: Window, columns: int, rows: int) -> None:
        self.post_message(self.Wanted(self, window, columns, rows))
