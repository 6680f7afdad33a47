"""The rows of a dataset on the plane of two of its inputs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tuitrain.data import Dataset, plane, raw
from tuitrain.record.landscape import Window
from tuitrain.ui.widgets.boundary import Scatter


def scatter(data: Dataset) -> Scatter:
    """All rows of a dataset with two inputs, in the units that they were measured in."""
    rows = raw(data, np.concatenate([data.x, data.x_test]))
    y = np.concatenate([data.y, data.y_test])
    target = data.labels(y).astype(np.float64) if data.classes else y[:, 0]
    test = np.arange(len(rows)) >= len(data.x)
    low, high = (raw(data, np.array(corner)).tolist() for corner in zip(*plane(data), strict=True))
    window = Window((low[0], high[0]), (low[1], high[1]))
    return Scatter(rows, target, test, window, (data.inputs[0], data.inputs[1]), data.classes)


def telling(data: Dataset) -> Dataset:
    """The dataset with those two inputs alone that tell the classes apart best.

    Each is judged by itself: the variance between the classes over that within them.

    Args:
        data: with classes and at least two inputs.
    """
    label, middle = data.labels(data.y), data.x.mean(axis=0)
    between = within = np.zeros(len(middle))
    for rows in (data.x[label == number] for number in np.unique(label)):
        mean = rows.mean(axis=0)
        between = between + len(rows) * (mean - middle) ** 2
        within = within + ((rows - mean) ** 2).sum(axis=0)
    score = between / np.maximum(within, np.finfo(float).tiny)
    best = np.sort(np.argsort(-score, kind="stable")[:2])
    return replace(
        data,
        x=data.x[:, best],
        x_test=data.x_test[:, best],
        inputs=tuple(data.inputs[number] for number in best),
        mean=data.mean[best],
        std=data.std[best],
    )
