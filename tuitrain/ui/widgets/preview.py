"""The dataset of a preset at a glance."""

from __future__ import annotations

import numpy as np
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from tuitrain.data import dataset
from tuitrain.spec.preset import Preset
from tuitrain.spec.size import rows
from tuitrain.ui.pictures import at_a_glance
from tuitrain.ui.widgets.picture import PictureView

FEW_ROWS = 6


class Preview(Vertical):
    """A small picture for each of the first inputs, or a table where no picture suits.

    Pictures are mounted when a preset needs them: few widgets make a quick first frame.
    """

    def compose(self) -> ComposeResult:
        self.views = [PictureView(classes="panel")]
        yield from self.views
        yield Static(id="rows", classes="panel")

    def show(self, preset: Preset) -> None:
        """Show another preset's data."""
        pictures = at_a_glance(preset)
        count = rows(preset)
        while len(self.views) < len(pictures):
            self.views.append(PictureView(classes="panel -further"))
            self.mount(self.views[-1], before="#rows")
        for number, view in enumerate(self.views):
            view.set_class(number >= len(pictures), "-without")
            if number < len(pictures):
                of = f", {count} row{'s' * (count != 1)}" if count and not number else ""
                view.border_title = pictures[number].title + of
                view.show(pictures[number])
        table = self.query_one("#rows", Static)
        table.display = not pictures and count > 0
        if table.display:
            table.border_title = f"Data, {count} row{'s' * (count != 1)}"
            table.update(_table(preset))


def _table(preset: Preset) -> Table:
    """The first rows of a dataset."""
    data = dataset(preset)
    assert data is not None  # it has rows
    table = Table.grid(padding=(0, 2))
    heads = [f"x{i + 1}" for i in range(data.x.shape[1])]
    heads += [f"y{i + 1}" if data.y.shape[1] > 1 else "y" for i in range(data.y.shape[1])]
    table.add_row(*(Text(head, "dim", justify="right") for head in heads))
    for row in np.hstack([data.x, data.y])[:FEW_ROWS]:
        table.add_row(*(Text(f"{value:.4g}", justify="right") for value in row))
    return table
