"""Which small picture suits a preset: its data at a glance, and how the model fits them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tuitrain.data import Dataset, dataset
from tuitrain.spec.expression import evaluate
from tuitrain.spec.loss import Expression
from tuitrain.spec.model import Linear
from tuitrain.spec.preset import Preset
from tuitrain.spec.size import classes, shapes
from tuitrain.ui.widgets.picture import Picture, span

Weights = Mapping[str, NDArray[np.floating]]

MOST_POINTS = 400
MOST_INPUTS = 2
RING = "o"
"""A row for testing, or one with lines beneath it, as every terminal draws it."""
FEW = 60
"""Rows that are shown as rings above a line, which would hide their dots."""


def at_a_glance(preset: Preset, data: Dataset | None) -> list[Picture]:
    """The data of a preset, a picture for each of the first inputs; or its loss over `w`.

    Rows for testing are drawn as rings.
    """
    if isinstance(preset.loss, Expression):
        return [_valley(preset)]
    if data is None or data.x.shape[1] == 0:
        return []
    x, y = (np.concatenate(parts) for parts in ((data.x, data.x_test), (data.y, data.y_test)))
    targets = data.y[:MOST_POINTS, 0], data.y_test[:MOST_POINTS, 0]
    pictures = []
    for number, name in enumerate(data.inputs[:MOST_INPUTS]):
        picture = Picture(span(x[:, number]), span(y[:, 0]), f"y vs {name}")
        picture.points(data.x[:MOST_POINTS, number], targets[0])
        if len(data.x_test):
            picture.points(data.x_test[:MOST_POINTS, number], targets[1], letter=RING)
        pictures.append(picture)
    return pictures


class Fit:
    """How the model fits as its weights move; the axes stay, so that only the model moves."""

    def __init__(self, preset: Preset) -> None:
        self.preset = preset
        self.shapes = shapes(preset)
        self.data = dataset(preset)
        self.base: Picture | None = None
        if isinstance(preset.loss, Expression) and self.shapes == {"w": ()}:
            self.base = _valley(preset)
        elif isinstance(preset.model, Linear) and self.data is not None and not classes(preset):
            self.base = _frame(self.data)

    @property
    def of_one_weight(self) -> bool:
        """Whether the picture is the loss over the only weight."""
        return isinstance(self.preset.loss, Expression)

    def __call__(
        self, weights: Weights, path: NDArray[np.floating] | None = None
    ) -> Picture | None:
        """The picture at these weights, each in its parameter's shape; None if none suits.

        Args:
            path: the values that the only weight had on the way, [steps].
        """
        if self.base is None or any(name not in weights for name in self.shapes):
            return None
        picture = Picture(self.base.x, self.base.y, self.base.title, list(self.base.layers))
        w = np.asarray(weights["w"], np.float64)
        if isinstance(self.preset.loss, Expression):
            with np.errstate(all="ignore"):
                if path is not None:
                    picture.line(path, evaluate(self.preset.loss.formula, path), "path")
                return picture.points(w, evaluate(self.preset.loss.formula, w), "here")
        assert self.data is not None  # a linear model has data
        b = np.asarray(weights.get("b", np.zeros(1)), np.float64)
        if self.data.x.shape[1] == 1:
            ends = np.array(self.base.x)
            picture = Picture(self.base.x, self.base.y, self.base.title)
            picture.line(ends, ends * w[0, 0] + b[0]).layers.extend(self.base.layers)
            return picture
        predicted = self.data.x[:MOST_POINTS] @ w + b
        return picture.points(self.data.y[:MOST_POINTS, 0], predicted[:, 0], "model")


def _frame(data: Dataset) -> Picture:
    """The ground of the fit: data for one input, else the diagonal where prediction = y."""
    targets = data.y[:MOST_POINTS, 0]
    if data.x.shape[1] == 1:
        column = data.x[:MOST_POINTS, 0]
        picture = Picture(span(column), span(targets, 0.2), "Data and model")
        return picture.points(column, targets, letter=RING if len(column) <= FEW else "")
    ends = span(targets)
    return Picture(ends, span(targets, 0.3), "Prediction vs y").line(ends, ends, "ground")


def _valley(preset: Preset) -> Picture:
    """The loss over `w`, wide enough to show the start and its mirror across the least loss."""
    assert isinstance(preset.loss, Expression)  # only a formula is a function of w alone
    start = float(np.ravel(preset.model.init.get("w", 0.0))[0])
    reach = max(4.0, 1.6 * abs(start))
    with np.errstate(all="ignore"):
        wide = np.linspace(-reach, reach, 801)
        loss = np.asarray(evaluate(preset.loss.formula, wide), np.float64)
        lowest = float(wide[np.nanargmin(loss)]) if np.isfinite(loss).any() else 0.0
        half = 1.15 * max(abs(start - lowest), 1.0)
        w = np.linspace(lowest - half, lowest + half, 401)
        loss = np.asarray(evaluate(preset.loss.formula, w), np.float64)
    return Picture((float(w[0]), float(w[-1])), span(loss), "Loss vs w").line(w, loss)
