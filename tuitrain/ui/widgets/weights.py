"""The weights: value now, the way it came, the value to reach, and whether it is reached."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tuitrain.ui.facts import Weight
from tuitrain.ui.widgets.cells import Cells
from tuitrain.ui.widgets.plot import Plot
from tuitrain.ui.widgets.spark import spark

NUMBER = 10
"""Cells of a number."""


class WeightsTable(Plot):
    """A line for each weight."""

    DEFAULT_CSS = "WeightsTable { height: 2; }"

    weights: Sequence[Weight] = ()
    step: int | None = None
    total = 0
    goal = "expected"

    def show(
        self, weights: Sequence[Weight], total: int, step: int | None = None, goal: str = "expected"
    ) -> None:
        """Show the weights after a step (None is the last), and their goals under its name."""
        taller = len(weights) != len(self.weights)
        self.weights, self.total, self.step, self.goal = weights, total, step, goal
        if taller:
            # With `height: auto` Textual 8 may keep the height of before, at the start.
            self.styles.height = 1 + max(1, len(weights))
        self.redraw()

    def draw(self, cells: Cells) -> None:
        if not self.weights:
            cells.text(0, 1, "waiting for the first step", self.part("label"))
            return
        label, text, good = self.part("label"), self.part("text"), self.part("reference")
        line = self.ink(self.colour(0).with_alpha(0.7))
        name_width = min(max(len(w.name) for w in self.weights), max(cells.width // 4, 6))
        expecting = any(w.goal is not None for w in self.weights)
        value_end = name_width + 1 + NUMBER
        right = NUMBER + 3 if expecting else 0
        room = cells.width - value_end - 2 - right
        head = f"at {self.step:,}" if self.step is not None else "now"
        cells.text(value_end - len(head), 0, head, label)
        if expecting:
            cells.text(cells.width - 2 - len(self.goal), 0, self.goal, label)
        for row, weight in enumerate(self.weights, 1):
            cells.text(0, row, _short(weight.name, name_width), label)
            value = self._value(weight)
            number = short(value)
            cells.text(value_end - len(number), row, number, text)
            if room >= 4:
                whole = (1.0, float(max(self.total, weight.series.last_step, 2)))
                picture = spark(weight.series, room, marker=self.marker, span=whole)
                cells.text(value_end + 2, row, picture.plain, line)
            if weight.goal is not None:
                wanted = short(weight.goal)
                cells.text(cells.width - 2 - len(wanted), row, wanted, label)
                if weight.tolerance is None:
                    continue
                reached = abs(value - weight.goal) <= weight.tolerance
                mark = ("v" if self.marker == "ascii" else "✓") if reached else "·"
                cells.text(cells.width - 1, row, mark, good if reached else label)

    def _value(self, weight: Weight) -> float:
        if self.step == 0 or not len(weight.series):
            return weight.start
        return weight.series.last if self.step is None else weight.series.at(self.step)


def short(value: float) -> str:
    """A number in at most ten characters, with the same places from frame to frame."""
    if math.isnan(value):
        return "–"  # noqa: RUF001
    if value == 0 or 1e-3 <= abs(value) < 1e4:
        return f"{value:.5f}" if abs(value) < 100 else f"{value:.2f}"
    text = f"{value:.3e}"
    return text if len(text) <= NUMBER else f"{value:.2e}"


def _short(name: str, width: int) -> str:
    return name if len(name) <= width else name[: width - 1] + "…"
