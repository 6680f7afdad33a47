"""One picture that fills the screen of a real application, and what is in its cells."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.color import ColorSystem
from rich.style import Style
from textual.app import App, ComposeResult
from textual.color import Color

from tuitrain.ui.markers import Marker
from tuitrain.ui.themes import DARK, LIGHT
from tuitrain.ui.widgets.plot import Plot


class Single(App[None]):
    """Shows one plot.

    Args:
        colours: that the terminal has.
    """

    CSS = "Screen > * { width: 1fr; height: 1fr; }"

    def __init__(
        self, view: Plot, *, colours: ColorSystem = ColorSystem.TRUECOLOR, dark: bool = True
    ) -> None:
        super().__init__()
        for theme in (DARK, LIGHT):
            self.register_theme(theme)
        self.theme = (DARK if dark else LIGHT).name
        self.console._color_system = colours
        self.view = view

    def compose(self) -> ComposeResult:
        yield self.view

    def rows(self) -> list[str]:
        """The text of every row."""
        return [self.view.render_line(y).text for y in range(self.view.size.height)]

    def style(self, x: int, y: int) -> Style:
        """The style of a cell."""
        for segment in self.view.render_line(y).crop(x, x + 1):
            assert segment.style is not None
            return segment.style
        raise AssertionError("no cell")

    def background(self, x: int, y: int) -> Color:
        colour = self.style(x, y).bgcolor
        assert colour is not None
        return Color.from_rich_color(colour)

    def colour(self, x: int, y: int) -> Color:
        colour = self.style(x, y).color
        assert colour is not None
        return Color.from_rich_color(colour)


@contextmanager
def marked(marker: Marker) -> Iterator[None]:
    """With another marker in every picture."""
    before, Plot.marker = Plot.marker, marker
    try:
        yield
    finally:
        Plot.marker = before
