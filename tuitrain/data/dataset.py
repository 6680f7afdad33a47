"""The rows that a preset learns from, and those that it is tested on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tuitrain.data import drawn, files
from tuitrain.data.rows import Matrix, Raw
from tuitrain.spec import size
from tuitrain.spec.data import Csv, Digits, Dots, Gaussian, Iris, Points, Sales
from tuitrain.spec.preset import Preset
from tuitrain.spec.table import table

Window = tuple[tuple[float, float], tuple[float, float]]
"""Least and greatest x1, then x2."""

DOTS: Window = ((-3.0, 3.0), (-3.0, 3.0))
"""What the course draws of the dots; some of the points lie outside."""

LARGEST_POWER = 1023
"""Of two, in float64."""


@dataclass(frozen=True)
class Dataset:
    """The rows of a dataset.

    Attributes:
        x: inputs of the N rows that are trained on, float64 [N, inputs]; no columns where the
            model has no inputs.
        y: their targets, float64 [N, outputs]: numbers; of two classes with one output 0 or 1;
            of more classes, or more outputs, one-hot rows.
        x_test: inputs of the T rows for testing, float64 [T, inputs]; T may be 0.
        y_test: their targets, float64 [T, outputs].
        inputs: names of the inputs.
        classes: names of the classes; () where targets are numbers.
        mean: float64 [inputs]; x = (raw x - mean) / std.
        std: float64 [inputs]; where nothing is standardised, mean is 0 and std is 1.
        window: the part of the plane of two inputs that the source of the data draws, raw; None
            where it names none.
    """

    x: Matrix
    y: Matrix
    x_test: Matrix
    y_test: Matrix
    inputs: tuple[str, ...]
    classes: tuple[str, ...]
    mean: Matrix
    std: Matrix
    window: Window | None = None

    def labels(self, y: Matrix) -> NDArray[np.intp]:
        """The class of each of the rows `y` [rows, outputs]: 0, 1, ..."""
        return y.argmax(axis=1) if y.shape[1] > 1 else (y[:, 0] > 0.5).astype(np.intp)


def dataset(preset: Preset) -> Dataset | None:
    """The dataset of a preset, the same at every call; None where it has none.

    The rows are drawn or read, shuffled, and split: the last ones are for testing. Inputs are
    then standardised by the training rows.

    Raises:
        InputError: a file with rows cannot be read, or is another than it was.
    """
    data = preset.data
    if data is None:
        return None
    rows = _raw(preset)
    y = _targets(rows, size.inputs_outputs(preset)[1])
    order = np.arange(len(y))
    if data.shuffle is not None:
        np.random.RandomState(data.shuffle).shuffle(order)
    train, test = np.split(order, [size.rows(preset)])
    mean, std = np.zeros(rows.x.shape[1]), np.ones(rows.x.shape[1])
    x, x_test = rows.x[train], rows.x[test]
    if data.standardise:
        # Of the largest and smallest numbers neither sum nor square may leave float64.
        _, powers = np.frexp(np.abs(x).max(axis=0))
        x, x_test = np.ldexp(x, -powers), np.ldexp(x_test, -powers)
        mean, std = x.mean(axis=0), x.std(axis=0)
        # The mean of equal numbers may be off by rounding, and so their deviation: it counts as 1.
        equal = np.ptp(x, axis=0) == 0
        mean[equal] = x[0, equal]
        std[equal] = np.ldexp(1.0, np.minimum(-powers[equal], LARGEST_POWER))
        x, x_test = (x - mean) / std, (x_test - mean) / std
        mean, std = np.ldexp(mean, powers), np.ldexp(std, powers)
    return Dataset(
        x=x,
        y=y[train],
        x_test=x_test,
        y_test=y[test],
        inputs=rows.inputs or _numbered(rows.x.shape[1]),
        classes=rows.classes,
        mean=mean,
        std=std,
        window=DOTS if isinstance(data, Dots) else None,
    )


def _raw(preset: Preset) -> Raw:
    """All rows of a preset with data, in their own order and units."""
    match preset.data:
        case Points() as points:
            return _points(points, size.classes(preset), *size.inputs_outputs(preset))
        case Sales() as sales:
            return drawn.sales(sales)
        case Gaussian() as gaussian:
            return drawn.gaussian(gaussian)
        case Iris():
            return files.iris()
        case Digits():
            return files.digits()
        case Csv() as file:
            read = table(file)
            return Raw(read.x, read.y, read.inputs, read.classes)
        case None:
            raise ValueError("a preset without data has no rows")
        case plane:
            return drawn.on_plane(plane)


def _points(points: Points, classes: int, inputs: int, outputs: int) -> Raw:
    x = np.array(points.x, np.float64).reshape(len(points.y), inputs)
    y = np.array(points.y, np.float64).reshape(len(points.y), -1)
    names = tuple(map(str, range(classes)))
    # the numbers of classes become one-hot rows; what is written as wide as that stays
    return Raw(x, y[:, 0] if y.shape[1] < outputs else y, (), names)


def _targets(rows: Raw, outputs: int) -> Matrix:
    """Targets [rows, outputs]: class numbers as one-hot rows where there are several outputs."""
    if rows.y.ndim == 2:
        return rows.y
    if outputs > 1:
        return np.eye(outputs)[rows.y.astype(np.intp)]
    return rows.y[:, np.newaxis]


def _numbered(count: int) -> tuple[str, ...]:
    return ("x",) if count == 1 else tuple(f"x{i + 1}" for i in range(count))
