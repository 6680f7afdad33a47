"""A window of a plane that keys and mouse move about in."""

from __future__ import annotations

from textual import events

from tuitrain.record.landscape import Window
from tuitrain.ui.widgets.axes import Area
from tuitrain.ui.widgets.plot import Plot
from tuitrain.ui.widgets.ticks import Scale

CLOSEST, FARTHEST = 1e-9, 1e3
"""How far zooming goes, in sizes of the home window."""


class PlaneView(Plot):
    """A plot whose x and y can both be zoomed and panned.

    Keys are dispatched to `zoom`, `pan` and `reset`; the mouse does the same by itself (wheel,
    drag, double click). A subclass sets `home`, and `_area` to where it draws the plane.
    """

    home: Window | None = None
    """What is shown unless the user has zoomed."""
    _view: Window | None = None
    _hover: tuple[int, int] | None = None
    _drag: tuple[int, int, Window] | None = None
    _area = Area(0, 0, 1, 1, False, False, False)

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

    def _cell(self, event: events.MouseEvent) -> tuple[int, int] | None:
        """Column and row within the map; None outside."""
        offset = event.get_content_offset(self)
        if offset is None:
            return None
        column, row = offset.x - self._area.x, offset.y - self._area.y
        inside = 0 <= column < self._area.width and 0 <= row < self._area.height
        return (column, row) if inside else None

    def _point(self, cell: tuple[int, int], window: Window) -> tuple[float, float]:
        """x and y at the middle of a cell of the map."""
        across = (cell[0] + 0.5) / self._area.width
        up = 1 - (cell[1] + 0.5) / self._area.height
        return Scale(*window.x).value(across), Scale(*window.y).value(up)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._drag is not None:
            column, row, self._view = self._drag
            self.pan(
                (column - event.screen_x) / self._area.width,
                (event.screen_y - row) / self._area.height,
            )
        elif (cell := self._cell(event)) != self._hover:
            self._hover = cell
            self.redraw()

    def on_leave(self) -> None:
        if self._hover is not None:
            self._hover = None
            self.redraw()

    def on_mouse_down(self, event: events.MouseDown) -> None:
        window = self.window
        if event.button == 1 and window is not None and self._cell(event):
            self._drag = event.screen_x, event.screen_y, window
            self.capture_mouse()

    def on_mouse_up(self) -> None:
        if self._drag is not None:
            self._drag = None
            self.release_mouse()

    def on_click(self, event: events.Click) -> None:
        if event.chain == 2:
            self.reset()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._wheel(event, 1.25)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._wheel(event, 0.8)

    def _wheel(self, event: events.MouseEvent, factor: float) -> None:
        cell, window = self._cell(event), self.window
        if cell is not None and window is not None:
            event.stop()
            self.zoom(factor, self._point(cell, window))
