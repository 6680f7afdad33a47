"""What the mouse does with every plot that can be zoomed."""

from __future__ import annotations

from abc import abstractmethod

from textual import events

from tuitrain.ui.widgets.axes import Area
from tuitrain.ui.widgets.plot import Plot

Cell = tuple[int, int]
"""Column and row within the area of a plot."""


class ZoomPlot(Plot):
    """A plot that the wheel zooms, dragging moves, and a double click shows as a whole.

    A subclass sets `_area` to where it draws, and says what zooming, dragging and hovering
    do there.
    """

    _area = Area(0, 0, 1, 1, False, False, False)
    _drag: tuple[int, int, object] | None = None

    @abstractmethod
    def reset(self) -> None:
        """Show the whole again."""

    @abstractmethod
    def zoomed(self, factor: float, cell: Cell) -> None:
        """Magnify; what is at the cell stays there."""

    @abstractmethod
    def held(self) -> object | None:
        """What is in view as dragging begins; None where there is nothing to drag."""

    @abstractmethod
    def dragged(self, view: object, right: float, up: float) -> None:
        """Show what was in view, moved by fractions of its size."""

    @abstractmethod
    def hovered(self, cell: Cell | None) -> None:
        """The mouse is over a cell, or (None) no longer over any."""

    def _cell(self, event: events.MouseEvent) -> Cell | None:
        """Where the mouse is within the area; None outside."""
        offset = event.get_content_offset(self)
        if offset is None:
            return None
        column, row = offset.x - self._area.x, offset.y - self._area.y
        inside = 0 <= column < self._area.width and 0 <= row < self._area.height
        return (column, row) if inside else None

    def _middle(self, cell: Cell) -> tuple[float, float]:
        """The middle of a cell, from 0 to 1 to the right and upwards."""
        return (cell[0] + 0.5) / self._area.width, 1 - (cell[1] + 0.5) / self._area.height

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._drag is None:
            self.hovered(self._cell(event))
        else:
            column, row, view = self._drag
            right, up = column - event.screen_x, event.screen_y - row
            self.dragged(view, right / self._area.width, up / self._area.height)

    def on_leave(self) -> None:
        if self._drag is None:
            self.hovered(None)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        view = self.held()
        if event.button == 1 and view is not None and self._cell(event) is not None:
            self._drag = event.screen_x, event.screen_y, view
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
        if (cell := self._cell(event)) is not None:
            event.stop()
            self.zoomed(factor, cell)
