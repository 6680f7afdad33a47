"""The window with all experiments, of which one is opened."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.widgets import DataTable, Static

from tuitrain.record.folder import ExperimentFolder, experiments
from tuitrain.record.listing import Listed, duration, joined, listed
from tuitrain.ui.aside import aside
from tuitrain.ui.screens.dialog import Dialog
from tuitrain.ui.widgets.paragraph import Paragraph
from tuitrain.ui.widgets.status import SIGNS
from tuitrain.ui.widgets.ticks import compact

COLUMNS = ("state", "preset", "trained with", "loss", "steps", "age")

RIGHT = frozenset({"steps", "loss", "age"})
"""Columns of numbers."""

WIDE = 110
"""Columns of a terminal in which names and numbers have room at full length."""

LONGEST = {"preset": (15, 36), "trained with": (16, 36)}
"""Letters of a name in a narrow terminal, and in a wide one."""

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
        self.wide = True
        self.known: dict[str, Listed] = {}

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog page experiments") as dialog:
            dialog.border_title = "Experiments"
            yield Paragraph("looking …", id="none", classes="hint", markup=False)
            yield DataTable[Text](id="experiments", cursor_type="row")
            yield Static("enter open   esc cancel", classes="hint")

    def on_mount(self) -> None:
        table = self.query_one(DataTable)
        self.wide = self.app.size.width >= WIDE
        for name in COLUMNS:
            table.add_column(Text(name, justify="right" if name in RIGHT else "left"), key=name)
        table.display = False
        self._look()

    def _look(self) -> None:
        """Read what is new or goes on; what has ended stays as it is."""
        known = self.known

        def found() -> dict[str, Listed]:
            before = {name: one for name, one in known.items() if one.status.ended}
            folders = experiments(self.runs_dir)
            return {each.id: before.get(each.id) or listed(each) for each in folders}

        aside(self, found, self._show, self._unread)

    def _unread(self, error: Exception) -> None:
        none = self.query_one("#none", Paragraph)
        none.display = True
        none.update(f"{self.runs_dir} cannot be read: {error}")
        self.set_timer(LOOK, self._look)

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
                for column, text in zip(COLUMNS, self._cells(one), strict=True):
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
        room = {name: sizes[self.wide] for name, sizes in LONGEST.items()}
        state = one.status.state
        sign = SIGNS[state]
        loss, digits = one.loss, 6 if self.wide else 4
        texts = {
            "state": Text(f"{sign} {state}", self.app.theme_variables[sign.style]),
            "preset": Text(joined(one.presets, "presets", room["preset"])),
            "trained with": Text(rules(one, room["trained with"])),
            "loss": Text("" if loss is None else f"{loss:.{digits}g}"),
            "steps": Text(counted(one.status.step, self.wide)),
            "age": Text(duration(one.age)),
        }
        for name, text in texts.items():
            if name in RIGHT:
                text.justify = "right"
            elif name in room:
                text.truncate(room[name], overflow="ellipsis")
        return [texts[name] for name in COLUMNS]

    @on(DataTable.RowSelected)
    def _opened(self, event: DataTable.RowSelected) -> None:
        one = self.known.get(event.row_key.value or "")
        if one is not None:
            self.dismiss(one.folder)


def counted(steps: int, wide: bool) -> str:
    """A number of steps; of millions, in a narrow terminal, the first digits."""
    return f"{steps:,}" if wide or steps < 1_000_000 else compact(steps)


def rules(one: Listed, longest: int) -> str:
    """What trains an experiment: its optimizer and learning rate, or how many runs of which."""
    names = list(dict.fromkeys(result.optimizer for result in one.results))
    if not names:
        return ""
    if len(one.results) == 1:
        rates = [one.results[0].lr, *([] if one.lr_set is None else [one.lr_set])]
        rate = " → ".join(f"{lr:g}" for lr in rates)
        whole, short = (f"{names[0]} {lr}{rate}" for lr in ("lr=", ""))
        if len(short) > longest:
            short = f"{names[0]} {'→ ' * (len(rates) - 1)}{rates[-1]:g}"
    else:
        short = f"{len(one.results):,} runs"
        whole = f"{short}: {joined(names, 'optimizers', longest)}"
    return whole if len(whole) <= longest else short
