"""A map by itself in an application, of a bowl with spirals over it."""

from __future__ import annotations

import numpy as np
from rich.color import ColorSystem
from textual.app import App, ComposeResult
from textual.color import Color

from tuitrain.record.landscape import Landscape, Window, through
from tuitrain.ui.themes import DARK
from tuitrain.ui.widgets.landscape import LandscapeView
from tuitrain.ui.widgets.trails import Trail

PLANE = through(0, 1, [0.0, 0.0], ["w[0,0]", "w[1,0]"])
WINDOW = Window((-2.0, 2.0), (-1.0, 1.0))


def bowl(
    window: Window = WINDOW, size: tuple[int, int] = (80, 120), least: float = 0.01
) -> Landscape:
    """loss = x^2 + y^2 + least."""
    y, x = np.linspace(*window.y, size[0]), np.linspace(*window.x, size[1])
    return Landscape(0, PLANE, window, x**2 + y[:, None] ** 2 + least)


def spiral(letter: str = "A", colour: int = 0, turn: float = 0.0) -> Trail:
    time = np.linspace(0, 1, 200)
    x, y = 1.8 * (1 - time) * np.cos(turn + 5 * time), 0.9 * (1 - time) * np.sin(turn + 5 * time)
    start = float(x[0]), float(y[0])
    return Trail(f"run {letter}", letter, colour, start, [(x[1:], y[1:])])


class Maps(App[None]):
    """One map that fills the screen, and a record of what it asks for."""

    CSS = "LandscapeView { width: 1fr; height: 1fr; }"

    def __init__(self) -> None:
        super().__init__()
        self.register_theme(DARK)
        self.theme = DARK.name
        self.view = LandscapeView(placeholder="not yet")
        self.wanted: list[LandscapeView.Wanted] = []

    def compose(self) -> ComposeResult:
        yield self.view

    def on_landscape_view_wanted(self, message: LandscapeView.Wanted) -> None:
        self.wanted.append(message)

    def show(self, *trails: Trail, landscapes: tuple[Landscape, ...] | None = None) -> None:
        given = (bowl(WINDOW.widened(0.4)),) if landscapes is None else landscapes
        self.view.show(PLANE, WINDOW, given, list(trails), (0.0, 0.0))

    def rows(self) -> list[str]:
        return [self.view.render_line(y).text for y in range(self.view.size.height)]

    def background(self, x: int, y: int) -> Color:
        for segment in self.view.render_line(y).crop(x, x + 1):
            assert segment.style is not None
            assert segment.style.bgcolor is not None
            return Color.from_rich_color(segment.style.bgcolor)
        raise AssertionError("no cell")

    def find(self, sign: str) -> tuple[int, int]:
        """Column and row of a sign on the map, below the header."""
        return next((row.index(sign), y) for y, row in enumerate(self.rows()) if y and sign in row)


def truecolour(app: App[None]) -> None:
    app.console._color_system = ColorSystem.TRUECOLOR
