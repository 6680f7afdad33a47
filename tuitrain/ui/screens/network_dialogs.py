"""Windows over the dashboard of a network: its size, and the way of a single weight."""

from __future__ import annotations

import re
from math import prod
from typing import ClassVar

import numpy as np
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.widgets import Input, Static

from tuitrain.record.series import Series
from tuitrain.spec.preset import Preset
from tuitrain.spec.size import size
from tuitrain.ui.facts import RunFacts
from tuitrain.ui.screens.dialog import Dialog
from tuitrain.ui.screens.dialogs import Page
from tuitrain.ui.widgets.chart import Chart
from tuitrain.ui.widgets.curves import Layer
from tuitrain.ui.widgets.paragraph import Paragraph

INDEX = r"\d{1,7}"
WEIGHT = re.compile(rf"\s*(\w+)\s*(?:\[\s*({INDEX}(?:\s*,\s*{INDEX})*)?\s*\])?\s*", re.ASCII)
"""A tensor, and in brackets the indices of one of its elements; none for a scalar."""


class SizeDialog(Page):
    """How large the model is, as the course counts it."""

    title_text = "Size of the model"
    BINDINGS: ClassVar = [Binding("z", "dismiss", show=False)]

    def __init__(self, preset: Preset) -> None:
        super().__init__()
        self.preset = preset

    def contents(self) -> ComposeResult:
        yield Static(size(self.preset).text.replace("\n", "\n\n"), markup=False)


class WeightDialog(Dialog[None]):
    """One weight of a model of many, over the steps of which all weights were recorded."""

    BINDINGS: ClassVar = [Binding("escape", "dismiss", show=False)]

    def __init__(self, facts: RunFacts) -> None:
        super().__init__()
        self.facts = facts

    def compose(self) -> ComposeResult:
        shapes = self.facts.shapes
        name, shape = next(iter(shapes.items()))
        first = f"{name}[{','.join('0' for _ in shape)}]"
        known = "  ".join(f"{n} {'×'.join(map(str, s))}" for n, s in shapes.items())  # noqa: RUF001
        with Vertical(classes="dialog page weight") as dialog:
            dialog.border_title = "A single weight"
            yield Static(known, classes="hint", markup=False)
            yield Input(first, placeholder=first, id="weight")
            yield Paragraph("", id="weight-problem", classes="error", markup=False)
            chart = Chart(placeholder="no weights recorded yet", id="weight-chart")
            chart.steps = self.facts.recording.status.total
            yield chart
            yield Static("enter show   esc close", classes="hint")

    def on_mount(self) -> None:
        self._show(self.query_one(Input).value)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        place = self._place(event.value)
        self.query_one("#weight-problem", Paragraph).update(place if isinstance(place, str) else "")

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        self._show(event.value)

    def _show(self, name: str) -> None:
        place = self._place(name)
        if isinstance(place, str):
            self.app.bell()
            return
        series = Series()
        for step in self.facts.recording.picture_steps(self.facts.index, "weights"):
            weights = self.facts.picture("weights", step)
            if weights is not None:
                series.append(step, 1, np.asarray(weights[place : place + 1]))
        self.query_one(Chart).show([Layer(name.strip(), series, smooth=False)])

    def _place(self, name: str) -> int | str:
        """Where a weight lies among all parameters; what is wrong with the name."""
        found = WEIGHT.fullmatch(name)
        shapes = self.facts.shapes
        if found is None or found[1] not in shapes:
            return f"✗ no such weight: name[row,column], such as {next(iter(shapes))}[0,0]"
        tensor, shape = found[1], shapes[found[1]]
        index = tuple(int(part) for part in (found[2] or "").split(",") if part)
        if len(index) != len(shape) or any(i >= n for i, n in zip(index, shape, strict=False)):
            last = ",".join(str(n - 1) for n in shape)
            return f"✗ {tensor} goes from [{','.join('0' for _ in shape)}] to [{last}]"
        names = list(shapes)
        before = sum(prod(shapes[each]) for each in names[: names.index(tensor)])
        return before + int(np.ravel_multi_index(index, shape)) if shape else before
