"""The window with all experiments, of which one is opened."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.widgets import DataTable, Static

from tuitrain.record.folder import ExperimentFolder, experiments
from tuitrain.record.listing import Listed, duration, joined, listed
from tuitrain.ui.screens.dialog import Dialog
from tuitrain.ui.widgets.paragraph import Paragraph
from tuitrain.ui.widgets.status import SIGNS

COLUMNS = ("state", "preset", "trained with", "loss", "steps", "age")
NARROW = ("state", "preset", "loss", "steps", "age")
"""The columns for which a small terminal has room: no number is cut."""

RIGHT = frozenset({"steps", "loss", "age"})
"""Columns of numbers."""

WIDE = 110
"""Columns of a terminal in which all of them have room."""

LOOK = 1.0
"""Seconds between two looks at what goes on."""


class ExperimentsDialog(Dialog[ExperimentFolder | None]):
    """The experiments of a directory, newest first; the answer is the one to open, or None.

    Args:
        runs_dir: where they are kept.
    """

    BINDINGS: ClassVar = [Binding("escape", "dismiss(None)", show=False)]

    def __init__(self, runs_dir: Path) -> None:
        super().__init__()
        self.runs_dir = runs_dir
        self.columns: tuple[str, ...] = COLUMNS
        self.known: dict[str, Listed] = {}

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog page experiments") as dialog:
            dialog.border_title = "Experiments"
            yield Paragraph("looking …", id="none", classes="hint", markup=False)
            yield DataTable[Text](id="experiments", cursor_type="row")
            yield Static("enter open   esc cancel", classes="hint")

    def on_mount(self) -> None:
        table = self.query_one(DataTable)
        self.columns = COLUMNS if self.app.size.width >= WIDE else NARROW
        for name in self.columns:
            table.add_column(Text(name, justify="right" if name in RIGHT else "left"), key=name)
        table.display = False
        self._look()

    @work(thread=True)
    def _look(self) -> None:
        """Reads what is new or goes on; what has ended stays as it is."""
        known = self.known
        found = {}
        for folder in experiments(self.runs_dir):
            one = known.get(folder.id)
            found[folder.id] = one if one and one.status.ended else listed(folder)
        self.call_later(self._show, found)

    def _show(self, found: dict[str, Listed]) -> None:
        table = self.query_one(DataTable)
        if found.keys() != self.known.keys():
            selected = self._selected
            table.clear()
            for name, one in found.items():
                table.add_row(*self._cells(one), key=name)
            if selected in found:
                table.move_cursor(row=table.get_row_index(selected))
        else:
            for name, one in found.items():
                for column, text in zip(self.columns, self._cells(one), strict=True):
                    if table.get_cell(name, column) != text:
                        table.update_cell(name, column, text, update_width=True)
        self.known = found
        if found and not table.display:
            table.display = True
            table.focus()
        none = self.query_one("#none", Paragraph)
        none.update(f"None in {self.runs_dir} yet.")
        none.display = not found
        self.set_timer(LOOK, self._look)

    @property
    def _selected(self) -> str:
        """The id of the experiment under the cursor; empty where there is none."""
        table = self.query_one(DataTable)
        if not table.row_count:
            return ""
        return table.coordinate_to_cell_key(table.cursor_coordinate).row_key.value or ""

    def _cells(self, one: Listed) -> list[Text]:
        """The cells of an experiment's row, in the order of the columns."""
        longest = 36 if self.columns == COLUMNS else 20
        state = one.status.state
        sign = SIGNS[state]
        texts = {
            "state": Text(f"{sign} {state}", self.app.theme_variables[sign.style]),
            "preset": Text(joined(one.presets, "presets", longest)),
            "steps": Text(f"{one.status.step:,}"),
            "loss": Text("" if one.loss is None else f"{one.loss:.6g}"),
            "age": Text(duration(one.age)),
            "trained with": Text(rules(one, longest)),
        }
        for name, text in texts.items():
            if name in RIGHT:
                text.justify = "right"
            else:
                text.truncate(longest, overflow="ellipsis")
        return [texts[name] for name in self.columns]

    @on(DataTable.RowSelected)
    def _opened(self, event: DataTable.RowSelected) -> None:
        one = self.known.get(event.row_key.value or "")
        if one is not None:
            self.dismiss(one.folder)


def rules(one: Listed, longest: int) -> str:
    """What trains an experiment: its optimizer and learning rate, or how many runs of which."""
    names = list(dict.fromkeys(result.optimizer for result in one.results))
    if len(one.results) == 1:
        return f"{names[0]} lr={one.results[0].lr:g}"
    return f"{len(one.results):,} runs: {joined(names, 'optimizers', longest)}" if names else ""
