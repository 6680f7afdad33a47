"""One picture that fills the screen of a real application, and what is in its cells."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
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


def luminance(colour: Color) -> float:
    """Relative luminance as WCAG 2 defines it."""
    linear = [((c + 0.055) / 1.055) ** 2.4 if c > 0.04045 else c / 12.92 for c in colour.normalized]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


def contrast(one: Color, other: Color) -> float:
    """The contrast ratio as WCAG 2 defines it."""
    dark, light = sorted([luminance(one), luminance(other)])
    return (light + 0.05) / (dark + 0.05)


@contextmanager
def marked(marker: Marker) -> Iterator[None]:
    """With another marker in every picture."""
    before, Plot.marker = Plot.marker, marker
    try:
        yield
    finally:
        Plot.marker = before
