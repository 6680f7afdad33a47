"""What a run records: the names and types of its series, and the block that carries them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_RECORDED_WEIGHTS = 64
"""Up to this many parameters, every weight is recorded; above, statistics of every tensor."""

RECORDING_BUDGET = 200_000_000
"""Values recorded by an experiment (runs x steps x series) before steps are thinned out."""

TENSOR_STATISTICS = ("norm", "mean", "std", "min", "max", "update_ratio")


@dataclass(frozen=True)
class Layout:
    """The series of one stack of runs.

    Attributes:
        runs: number of runs in the stack, R.
        dtypes: NumPy dtype name of each series, in recorded order.
        stride: steps 1, 1 + stride, 1 + 2 stride, ... are rows (1: every step); where the training
            ends between two of them, its last step is one too.
    """

    runs: int
    dtypes: Mapping[str, str]
    stride: int = 1

    @property
    def series(self) -> tuple[str, ...]:
        return tuple(self.dtypes)


@dataclass(frozen=True)
class Chunk:
    """A block of consecutive rows of one stack.

    Row j is step `first + j * stride`: the loss and the gradient norm that this update was
    computed from, its learning rate, the weights after it. Rows after a run has ended are NaN.
    Where steps are thinned out, `loss_min` and `loss_max` are those of all steps since the row
    before; a run that ends between two rows has them in the row after its end too.

    `lr` is the rate that the schedule gives, in float64; the update used it cast to the dtype of
    the training, in which the other series are.

    Attributes:
        stack: index of the stack in the experiment.
        first: step of the first row.
        stride: steps between rows, also of a closing row, which is a chunk of its own.
        series: one array `[R, K]` for each series of the layout, in its order.
    """

    stack: int
    first: int
    stride: int
    series: Mapping[str, NDArray[np.floating]]

    @property
    def rows(self) -> int:
        return int(next(iter(self.series.values())).shape[1])

    @property
    def last(self) -> int:
        """Step of the last row."""
        return self.first + (self.rows - 1) * self.stride


@dataclass(frozen=True)
class Evaluation:
    """The weights after a step, evaluated on the whole training set and on the test set.

    Each value has the run axis first. Always there is `loss` [R], the objective on all training
    rows; where they apply, `data_loss` (without regularisation), `accuracy`, `test_loss`
    (without regularisation) and `test_accuracy`, all [R] in float64.

    What the pictures are drawn from is there at some steps only (`spec.evaluation`):
        `weights` [R, P], flat, in the dtype of the training;
        `grid` [R, G, G, K]: for two inputs, the prediction over `data.plane`, from the least to
            the greatest x2, then x1: of classes, their probability (K = 1: of class 1);
        `confusion` [R, C, C]: rows of each true class by the class predicted, of the test set, or
            of the training set where there is none;
        `predicted` [R, N] and `probability` [R, N]: class (-1 where the prediction is NaN) and its
            probability of each of those rows, where rows are images.

    Attributes:
        stack: index of the stack in the experiment.
        step: finished steps.
        values: by name.
    """

    stack: int
    step: int
    values: Mapping[str, NDArray[np.generic]]


def element_names(name: str, shape: tuple[int, ...]) -> list[str]:
    """Column name of each element of a parameter: `w` (a scalar), `w[0,0]`, `w[1,0]`, ..."""
    if not shape:
        return [name]
    return [f"{name}[{','.join(map(str, i))}]" for i in product(*map(range, shape))]


def layout(
    shapes: Mapping[str, tuple[int, ...]], runs: int, steps: int, dtype: str, stacks: int = 1
) -> Layout:
    """The series that a stack of runs records.

    Args:
        shapes: shape of each parameter, without the run axis.
        runs: R.
        steps: planned steps; decides whether steps must be thinned out.
        dtype: of the training, and of every series but `lr`.
        stacks: how many there are in the experiment; they share its budget.
    """
    elements = sum(map(prod, shapes.values()))
    if elements <= MAX_RECORDED_WEIGHTS:
        weights = [e for name, shape in shapes.items() for e in element_names(name, shape)]
    else:
        weights = [f"{name}.{statistic}" for name in shapes for statistic in TENSOR_STATISTICS]
    names = ["loss", "lr", "grad_norm", *weights]
    stride = 1
    while runs * (steps // stride) * (len(names) + 2) > RECORDING_BUDGET // stacks:
        stride *= 2
    if stride > 1:
        names[1:1] = ["loss_min", "loss_max"]
    return Layout(runs, {name: "float64" if name == "lr" else dtype for name in names}, stride)
