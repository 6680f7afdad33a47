"""The base of every picture: composed in cells once per change, sent only where it changed."""

from __future__ import annotations

from functools import lru_cache
from typing import ClassVar, Self

import numpy as np
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.content import Content
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tuitrain.ui.colours import faded, series_colour
from tuitrain.ui.markers import MARKER, Marker
from tuitrain.ui.widgets.canvas import Canvas
from tuitrain.ui.widgets.cells import Cells


@lru_cache(maxsize=1024)
def _style(colour: Color, background: Color, bold: bool) -> Style:
    return Style(color=colour.rich_color, bgcolor=background.rich_color, bold=bold)


class Plot(Widget):
    """A widget that draws itself into cells; a subclass overrides `draw`.

    `redraw` draws what the data have become and repaints the cells that differ; `refresh`
    (a new size, theme or option) starts afresh.
    """

    marker: ClassVar[Marker] = MARKER
    """How dots become characters, in every picture of the application."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "plot--axis",
        "plot--contour",
        "plot--cursor",
        "plot--event",
        "plot--grid",
        "plot--label",
        "plot--reference",
        "plot--text",
        "plot--warning",
    }
    DEFAULT_CSS = """
    Plot {
        & > .plot--axis { color: $foreground 30%; }
        & > .plot--contour { color: $foreground 55%; }
        & > .plot--cursor { color: $foreground 55%; }
        & > .plot--event { color: $accent; }
        & > .plot--grid { color: $foreground 18%; }
        & > .plot--label { color: $foreground 65%; }
        & > .plot--reference { color: $success; }
        & > .plot--text { color: $foreground; }
        & > .plot--warning { color: $error; text-style: bold; }
    }
    """

    def __init__(
        self,
        title: str = "",
        *,
        placeholder: str = "no data yet",
        id: str | None = None,  # noqa: A002 - as every widget calls it
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._titles = ("", "")
        self.entitle(title)
        self.placeholder = placeholder
        self._cells: Cells | None = None
        self._strips: dict[int, Strip] = {}
        self._styles: list[Style] = []
        self._inks: dict[Style, int] = {}
        self._opaque: list[int] = []
        self._redraw_due = False
        self._background = Color(0, 0, 0)
        self._parts: dict[str, int] = {}
        self._dark = True

    def entitle(self, title: str, subtitle: str = "") -> None:
        """Titles as they are: of a plain text, Textual would take what looks like markup.

        The subtitle stands beside the title: a line above is all the border that plots have.
        """
        if (title, subtitle) != self._titles:  # they are painted whenever they are set
            self._titles = title, subtitle
            beside = [(f"  {subtitle}", "not bold $quiet")] if subtitle else []
            self.border_title = Content.assemble(title, *beside)

    def draw(self, cells: Cells) -> None:
        """Draw the whole picture into blank cells of the widget's content size."""
        self.draw_placeholder(cells)

    def draw_placeholder(self, cells: Cells) -> None:
        """Say calmly, in the middle, that there is nothing to see yet."""
        x, y = max(0, (cells.width - len(self.placeholder)) // 2), (cells.height - 1) // 2
        cells.text(x, y, self.placeholder, self.part("label"))

    # Inks -------------------------------------------------------------------------------------

    def ink(self, colour: Color, *, bold: bool = False) -> int:
        """The ink of a colour, which may let the background shine through."""
        return self._number(_style(self._background + colour, self._background, bold))

    def _number(self, style: Style) -> int:
        if style not in self._inks:
            if style.reverse or style.bgcolor != self._background.rich_color:
                self._opaque.append(len(self._styles))
            self._inks[style] = len(self._styles)
            self._styles.append(style)
        return self._inks[style]

    def badge(self, colour: int | str) -> int:
        """The ink of a letter that stands for a series: dark or bright on the series' colour."""
        if self.app.no_color:
            return self._number(Style(bold=True, reverse=True))
        back = self.colour(colour)
        text = Color(0, 0, 0) if back.brightness > 0.45 else Color(255, 255, 255)
        return self._number(Style(color=text.rich_color, bgcolor=back.rich_color, bold=True))

    def part(self, name: str) -> int:
        """The ink of one of the component classes, without its `plot--`."""
        if name not in self._parts:
            styles = self.get_component_styles(f"plot--{name}")
            self._parts[name] = self.ink(styles.color, bold=bool(styles.text_style.bold))
        return self._parts[name]

    def colour(self, colour: int | str, *, fade: float = 0.0) -> Color:
        """A series' number or the name of a colour, as it looks on this background.

        Args:
            fade: how much of the background it takes on.
        """
        chosen = (
            series_colour(colour, dark=self._dark)
            if isinstance(colour, int)
            else Color.parse(colour)
        )
        if not fade:
            return chosen
        # The twins differ in brightness too little to be told apart as greys.
        twins = self._sixteen and not self.app.no_color
        return faded(chosen, self._background, fade, sixteen=twins)

    def paste(self, cells: Cells, canvas: Canvas, x: int, y: int) -> None:
        """Put a canvas into the cells; what a line covers shines through behind its dots."""
        pairs = np.stack([canvas.inks, canvas.beneath], axis=-1)
        covered = canvas.beneath >= 0
        # Of fewer colours none is near a faint shade: there would be blotches.
        if self.app.console.color_system == "truecolor":
            for ink, beneath in np.unique(pairs[covered], axis=0).tolist():
                shade = self._background.blend(self._foreground(beneath), 0.25).rich_color
                mixed = self._number(self._styles[ink] + Style(bgcolor=shade))
                canvas.inks[(pairs == (ink, beneath)).all(axis=-1)] = mixed
        cells.paste(canvas, x, y)

    def _foreground(self, ink: int) -> Color:
        colour = self._styles[ink].color
        return self._background if colour is None else Color.from_rich_color(colour)

    @property
    def _sixteen(self) -> bool:
        """Whether the terminal has sixteen colours only."""
        return self.app.console.color_system == "standard"

    # Painting ---------------------------------------------------------------------------------

    def redraw(self) -> None:
        """Draw again after the running handler; many calls in one turn draw once."""
        if not self._redraw_due and self.is_attached:
            self._redraw_due = True
            self.call_later(self._repaint_changes)

    def refresh(
        self,
        *regions: Region,
        repaint: bool = True,
        layout: bool = False,
        recompose: bool = False,
    ) -> Self:
        if repaint and not regions:
            self._cells = None
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def render_line(self, y: int) -> Strip:
        cells = self._current()
        if y >= cells.height or not cells.width:
            return Strip.blank(self.size.width)
        if y not in self._strips:
            segments = [
                Segment(text, self._styles[ink]) for text, ink in cells.runs(y, self._opaque)
            ]
            self._strips[y] = Strip(segments, cells.width)
        return self._strips[y]

    def _current(self) -> Cells:
        width, height = self.size
        cells = self._cells
        if cells is None or (cells.width, cells.height) != (width, height):
            self._background = self.background_colors[1]
            blank = Style(bgcolor=self._background.rich_color)
            self._inks, self._styles, self._opaque = {blank: 0}, [blank], []
            self._strips, self._parts, self._dark = {}, {}, self.app.current_theme.dark
            self._cells = cells = self._drawn()
        return cells

    def _drawn(self) -> Cells:
        cells = Cells(self.size.width, self.size.height)
        if cells.width and cells.height:
            self.draw(cells)
        return cells

    def _repaint_changes(self) -> None:
        self._redraw_due = False
        before = self._cells
        if before is None or (before.width, before.height) != self.size:
            self.refresh()
            return
        self._cells = self._drawn()
        regions = []
        for y, first, last in self._cells.changes(before):
            self._strips.pop(y, None)
            regions.append(Region(first, y, last - first + 1, 1))
        if regions:
            self.refresh(*regions)
