"""A screen that is laid out for the room which the terminal has."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from textual import events
from textual.geometry import Size
from textual.screen import Screen


class FittedScreen(Screen[None]):
    """Has the class `-compact` in a small terminal and `-wide` in a wide one.

    Attributes:
        building: held while widgets are added after the first frame. When the application ends, it
            is taken for good: nothing can be added any more.
    """

    FULL: ClassVar[tuple[int, int]] = (100, 30)
    """Columns and lines below either of which the screen is compact."""
    WIDE: ClassVar[int] = 160
    """Columns from which on it is wide."""

    def __init__(self) -> None:
        super().__init__()
        self.building = asyncio.Lock()

    def on_compose(self) -> None:
        # Before there are widgets: they are styled once, and the first frame is right.
        self._fit(self.app.size)

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        if not self.outer_size:  # the first time: all has been styled a moment ago
            event.refresh_styles = False

    def on_resize(self, event: events.Resize) -> None:
        self._fit(event.size)

    def _fit(self, size: Size) -> None:
        """Styles all widgets anew once, if at all, however many of the classes change."""
        before = self.classes
        for name, fits in self._fits(size).items():
            self.set_class(fits, name, update=False)
        if self.classes != before:
            self.update_node_styles()

    def _fits(self, size: Size) -> dict[str, bool]:
        """The classes for sizes, and whether the screen has them at this one."""
        columns, lines = self.FULL
        return {
            "-compact": size.width < columns or size.height < lines,
            "-wide": size.width >= self.WIDE,
        }
