"""The part of the plane of two inputs that a picture shows."""

from __future__ import annotations

import numpy as np

from tuitrain.data.dataset import Dataset, Window
from tuitrain.data.rows import Matrix

MARGIN = 0.05
"""Free space about the points, as a share of their span."""

LARGEST = 1e300
"""Points are drawn as if they were no further out, so that a span never overflows."""

ALIKE = 1.5
"""Two inputs whose spans differ by less than this factor are drawn to one scale."""


def plane(dataset: Dataset) -> Window:
    """Least and greatest x1 and x2 of a picture, as the model takes them: standardised.

    A little more than all points, those for testing too, unless the source of the data names what
    it draws. It is a square in raw units where both inputs have like spans, so that a circle
    stays round. It is finite and not empty whatever the points are.

    Args:
        dataset: one with two inputs.
    """
    if dataset.window is not None:
        low, high = np.transpose(dataset.window)
    else:
        with np.errstate(all="ignore"):
            points = raw(dataset, np.concatenate([dataset.x, dataset.x_test]))
        points = np.clip(np.nan_to_num(points), -LARGEST, LARGEST)
        low, high = _about(points.min(axis=0), points.max(axis=0))
    with np.errstate(all="ignore"):
        x1, x2 = np.transpose([(edge - dataset.mean) / dataset.std for edge in (low, high)])
    return _edges(x1), _edges(x2)


def grid(dataset: Dataset, n: int) -> Matrix:
    """The n x n points of a decision grid `[n * n, 2]`, as the model takes them.

    From the least to the greatest x2, and for each x2 from the least to the greatest x1; the
    outermost points lie on the edge of `plane`.
    """
    x1, x2 = (np.linspace(low, high, n) for low, high in plane(dataset))
    return np.column_stack([np.tile(x1, n), np.repeat(x2, n)])


def raw(dataset: Dataset, x: Matrix) -> Matrix:
    """Inputs `[..., inputs]` in the units of the data, as they were before standardising."""
    return np.asarray(x * dataset.std + dataset.mean)


def _edges(x: Matrix) -> tuple[float, float]:
    """Least and greatest value, as Python's floats: they are compared and written down."""
    low, high = map(float, x)
    # a mean or a deviation may have overflown
    return (low, high) if 0 < high - low < np.inf else (-1.0, 1.0)


def _about(low: Matrix, high: Matrix) -> tuple[Matrix, Matrix]:
    """Least and greatest of each input with space about it."""
    span = high - low
    if span.max() < ALIKE * span.min():
        span = np.full(2, span.max())
    # an input that never changes has no span of its own
    span = np.where(span > 0, span, np.maximum(np.abs(low), 1.0))
    middle, half = (low + high) / 2, (0.5 + MARGIN) * span
    return middle - half, middle + half
