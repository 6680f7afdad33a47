"""A window of a plane that keys and mouse move about in."""

from __future__ import annotations

from tuitrain.record.landscape import Window
from tuitrain.ui.widgets.ticks import Scale
from tuitrain.ui.widgets.zoom import Cell, ZoomPlot

CLOSEST, FARTHEST = 1e-9, 1e3
"""How far zooming goes, in sizes of the home window."""


class PlaneView(ZoomPlot):
    """A plot whose x and y can both be zoomed and panned.

    Keys are dispatched to `zoom`, `pan` and `reset`; the mouse does the same by itself (wheel,
    drag, double click). A subclass sets `home`, and `_area` to where it draws the plane.
    """

    home: Window | None = None
    """What is shown unless the user has zoomed."""
    _view: Window | None = None
    _hover: Cell | None = None

    @property
    def window(self) -> Window | None:
        """What is in view."""
        return self._view or self.home

    def zoom(self, factor: float, at: tuple[float, float] | None = None) -> None:
        """Magnify; `at` is the point (x, y) that stays in place.

        Without it, the `centre` does.
        """
        window = self.window
        if window is None or self.home is None:
            return
        x, y = at or self.centre(window)
        view = Window(
            (x + (window.x[0] - x) / factor, x + (window.x[1] - x) / factor),
            (y + (window.y[0] - y) / factor, y + (window.y[1] - y) / factor),
        )
        sizes = [seen / whole for seen, whole in zip(view.size, self.home.size, strict=True)]
        if min(sizes) > CLOSEST and max(sizes) < FARTHEST:
            self._look(view)

    def centre(self, window: Window) -> tuple[float, float]:
        """The point that stays in place when keys zoom."""
        return sum(window.x) / 2, sum(window.y) / 2

    def pan(self, right: float = 0.0, up: float = 0.0) -> None:
        """Move the view by fractions of its size."""
        if (window := self.window) is not None:
            dx, dy = right * window.size[0], up * window.size[1]
            self._look(
                Window((window.x[0] + dx, window.x[1] + dx), (window.y[0] + dy, window.y[1] + dy))
            )

    def reset(self) -> None:
        """Show the whole again."""
        self._look(None)

    def _look(self, view: Window | None) -> None:
        self._view = view
        self.redraw()

    # Mouse ------------------------------------------------------------------------------------

    def _point(self, cell: Cell, window: Window) -> tuple[float, float]:
        """x and y at the middle of a cell of the map."""
        across, up = self._middle(cell)
        return Scale(*window.x).value(across), Scale(*window.y).value(up)

    def zoomed(self, factor: float, cell: Cell) -> None:
        if (window := self.window) is not None:
            self.zoom(factor, self._point(cell, window))

    def held(self) -> Window | None:
        return self.window

    def dragged(self, view: object, right: float, up: float) -> None:
        assert isinstance(view, Window)
        self._view = view
        self.pan(right, up)

    def hovered(self, cell: Cell | None) -> None:
        if cell != self._hover:
            self._hover = cell
            self.redraw()
