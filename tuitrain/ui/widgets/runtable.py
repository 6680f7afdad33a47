"""The table of a comparison: a row for each line, in sections, sorted and folded by the screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from textual import events
from textual.message import Message

from tuitrain.record.series import Series
from tuitrain.ui.widgets.cells import Cells
from tuitrain.ui.widgets.plot import Plot
from tuitrain.ui.widgets.spark import spark

SPARK = "spark"
"""Key of the column that shows the course of the loss; it takes what room is left."""

MANY, MANY_HEIGHT = 48, "36%"
"""From so many rows on the table leaves more of the screen to the chart: it scrolls anyway."""

Key = tuple[str, int]


@dataclass(frozen=True)
class Column:
    """A column of the table.

    Attributes:
        key: of the cells, and what is sorted by.
        title: at its top.
        width: in cells.
        right: whether its texts end at its right.
        need: columns of the least need are left out first where there is no room.
    """

    key: str
    title: str
    width: int
    right: bool = True
    need: int = 9


@dataclass(frozen=True)
class Row:
    """A row of the table.

    Attributes:
        key: names it: ("line", number), ("run", index) or ("pane", index).
        cells: text of each column that has one; of a pane, its heading under "".
        letter, colour: of its curve.
        series: what its sparkline shows.
        tones: the tone of texts that are not plain, by column.
        quiet: whether it is hidden, or of minor interest.
        pinned: whether it was pinned.
        folded: whether further rows are folded into it; None where there are none.
    """

    key: Key
    cells: Mapping[str, str]
    letter: str = " "
    colour: int = 0
    series: Series | None = None
    tones: Mapping[str, Literal["good", "bad", "warning"]] = field(default_factory=dict)
    quiet: bool = False
    pinned: bool = False
    folded: bool | None = None

    @property
    def heading(self) -> bool:
        return self.key[0] == "pane"


class RunTable(Plot):
    """Rows under a line of titles. It is redrawn where it has changed, cell by cell.

    The screen gives it `show` and dispatches keys to `move`; a click selects a row, a click on
    a title asks to sort.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"plot--selected"}
    DEFAULT_CSS = """
    RunTable {
        height: 2;
        & > .plot--selected { color: $foreground; text-style: bold; }
    }
    """

    class Sorted(Message):
        """The user clicked on a column's title."""

        def __init__(self, column: str) -> None:
            super().__init__()
            self.column = column

    class Selected(Message):
        """Another row is selected; `again` if it was clicked a second time."""

        def __init__(self, row: Row, again: bool = False) -> None:
            super().__init__()
            self.row, self.again = row, again

    columns: Sequence[Column] = ()
    rows: Sequence[Row] = ()
    sort: tuple[str, bool] = ("", False)
    span: tuple[float, float] | None = None
    _selected: Key | None = None
    _chosen = False
    _top = 0
    _room = 0
    """Rows that were visible at once when it was drawn last."""

    def show(
        self,
        columns: Sequence[Column],
        rows: Sequence[Row],
        sort: tuple[str, bool],
        span: tuple[float, float] | None = None,
    ) -> None:
        """Show other rows; the selected one stays selected wherever it is now.

        Args:
            sort: the column that is sorted by, and whether from the greatest down.
            span: steps from the first cell of a sparkline to its last.
        """
        taller = len(rows) != len(self.rows)
        self.columns, self.rows, self.sort, self.span = columns, rows, sort, span
        if self.selected is None or not self._chosen:
            # Until the user chooses, whoever leads is selected.
            first = next((row for row in rows if not row.heading), None)
            self._selected = first.key if first else None
        if taller:
            # With `height: auto` Textual 8 may keep the height of before, at the start.
            self.styles.height = 1 + max(1, len(rows))
            self.styles.max_height = MANY_HEIGHT if len(rows) >= MANY else None
        self.redraw()

    # Selection --------------------------------------------------------------------------------

    @property
    def chosen(self) -> bool:
        """Whether the user has selected a row: until then, whoever leads is selected."""
        return self._chosen

    @property
    def selected(self) -> Row | None:
        """The row that keys are about."""
        return next((row for row in self.rows if row.key == self._selected), None)

    def select(self, key: Key) -> None:
        """Select a row by its key."""
        self._selected, self._chosen = key, True
        self.redraw()
        if row := self.selected:
            self.post_message(self.Selected(row))

    def move(self, by: int) -> None:
        """Select the row so many rows further down; headings do not count."""
        rows = [row.key for row in self.rows if not row.heading]
        if rows:
            here = rows.index(self._selected) if self._selected in rows else 0
            self.select(rows[min(max(here + by, 0), len(rows) - 1)])

    @property
    def page(self) -> int:
        """Rows that are visible at once."""
        return max(1, self.size.height - 1)

    def _scroll(self) -> None:
        """Keep the selected row in view, with the heading above it if it is the first."""
        keys = [row.key for row in self.rows]
        here = keys.index(self._selected) if self._selected in keys else 0
        above = here - 1 if here and self.rows[here - 1].heading else here
        # Room that has come is for the rows above: a small table has scrolled for want of it.
        self._top = min(self._top - max(0, self.page - self._room), above)
        self._room = self.page
        self._top = max(self._top, here - self.page + 1)
        self._top = max(0, min(self._top, len(self.rows) - self.page))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.move(3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.move(-3)

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None:
            return
        if offset.y == 0:
            for column, left, width in self._places(self.size.width):
                if left <= offset.x < left + width + 1:
                    self.post_message(self.Sorted(column.key))
            return
        number = self._top + offset.y - 1
        if number < len(self.rows) and not self.rows[number].heading:
            again = self.rows[number].key == self._selected and event.chain == 2
            self.select(self.rows[number].key)
            if again:
                self.post_message(self.Selected(self.rows[number], again=True))

    # Drawing ----------------------------------------------------------------------------------

    def _places(self, width: int) -> list[tuple[Column, int, int]]:
        """The columns that have room, each with its left end and its width."""
        kept = list(self.columns)
        while kept and 4 + sum(column.width + 2 for column in kept) > width:
            kept.remove(min(reversed(kept), key=lambda column: column.need))
        spare = width - 4 - sum(column.width + 2 for column in kept)
        places, left = [], 4
        for column in kept:
            own = column.width
            if column.key == SPARK:
                own += min(spare, 40)
            places.append((column, left, own))
            left += own + 2
        return places

    def draw(self, cells: Cells) -> None:
        self._scroll()
        places = self._places(cells.width)
        self._draw_titles(cells, places)
        for y, row in enumerate(self.rows[self._top : self._top + cells.height - 1], 1):
            if row.heading:
                cells.text(0, y, row.cells.get("", ""), self.part("label"))
                cells.text(0, y, row.cells.get("name", ""), self.part("event"))
            else:
                self._draw_row(cells, y, row, places)
        hidden = len(self.rows) - self._top - (cells.height - 1)
        if hidden > 0:
            arrow = "v" if self.marker == "ascii" else "↓"
            cells.text(0, 0, f"{hidden}{arrow}", self.part("event"))

    def _draw_titles(self, cells: Cells, places: Sequence[tuple[Column, int, int]]) -> None:
        up, down = ("^", "v") if self.marker == "ascii" else ("▴", "▾")
        for column, left, width in places:
            sorted_by = column.key == self.sort[0]
            text = column.title
            if sorted_by:
                arrow = down if self.sort[1] else up
                text = f"{arrow}{text}" if column.right else f"{text}{arrow}"
            start = left + width - len(text) if column.right else left
            cells.text(max(start, 0), 0, text, self.part("text" if sorted_by else "label"))

    def _draw_row(
        self, cells: Cells, y: int, row: Row, places: Sequence[tuple[Column, int, int]]
    ) -> None:
        selected = row.key == self._selected
        curve = self.colour(row.colour, fade=0.6 if row.quiet else 0.0)
        plain = self.part("label" if row.quiet else "text")
        plain_marker = self.marker == "ascii"
        if selected:
            cells.text(0, y, ">" if plain_marker else "▌", self.part("cursor"))
        cells.text(1, y, row.letter, self.ink(curve, bold=True))
        if row.pinned:
            cells.text(2, y, "*" if plain_marker else "•", self.part("event"))
        elif row.folded is not None:
            cells.text(2, y, ("+-" if plain_marker else "▸▾")[not row.folded], self.part("axis"))
        tones = {"good": "reference", "bad": "warning", "warning": "event"}
        for column, left, width in places:
            if column.key == SPARK:
                if row.series is not None and len(row.series):
                    bars = spark(row.series, width, marker=self.marker, span=self.span, log=True)
                    cells.text(left, y, bars.plain, self.ink(curve))
                continue
            text = row.cells.get(column.key, "")
            text = (
                text if len(text) <= width else text[: width - 1] + ("." if plain_marker else "…")
            )
            tone = row.tones.get(column.key)
            ink = plain if tone is None or row.quiet else self.part(tones[tone])
            if selected and tone is None:
                ink = self.part("selected")
            cells.text(left + width - len(text) if column.right else left, y, text, ink)
