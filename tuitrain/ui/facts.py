"""What the dashboard shows of a run, read from its recording: no widget, no text."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tuitrain.data import dataset
from tuitrain.data.optimum import optimum
from tuitrain.record.live import Recording
from tuitrain.record.series import Series
from tuitrain.record.status import Event
from tuitrain.spec.base import Numbers
from tuitrain.spec.evaluation import evaluated, stride
from tuitrain.spec.experiment import Experiment
from tuitrain.spec.loss import Regularisation
from tuitrain.spec.preset import Expected, Preset
from tuitrain.spec.recording import MAX_RECORDED_WEIGHTS, element_names
from tuitrain.spec.size import batches_per_epoch, shapes

NEXT_TO_NOTHING = 1e-6
"""Share of the first loss below which an optimum counts as zero."""

PATH = 1000
"""Steps of the path of a single weight that are drawn."""

NOT_WEIGHTS = frozenset({"loss", "loss_min", "loss_max", "lr", "grad_norm"})


class Weight(NamedTuple):
    """One line of the weights panel.

    Attributes:
        name: of the weight.
        series: its recorded values.
        start: value before the first step; NaN if not known.
        goal: value that it should reach, if one is known.
        tolerance: how far from it counts as reached; None for a goal that no run need reach.
    """

    name: str
    series: Series
    start: float
    goal: float | None
    tolerance: float | None


class Tensor(NamedTuple):
    """One line of the panel of a model with too many weights for a line each.

    Attributes:
        name: of the tensor.
        norm, mean, std: of its elements.
        ratio: of the norms of update and tensor.
    """

    name: str
    norm: Series
    mean: Series
    std: Series
    ratio: Series


class RunFacts:
    """One run of an experiment as it is recorded so far.

    Args:
        recording: of the experiment.
        run: index of the run.
    """

    def __init__(self, recording: Recording, run: int = 0) -> None:
        experiment: Experiment = recording.folder.experiment
        self.recording = recording
        self.index = run
        self.run = experiment.runs[run]
        self.preset: Preset = experiment.presets[self.run.preset]
        self.shapes = shapes(self.preset)
        self.batches = batches_per_epoch(self.preset)
        self.optimum = optimum(self.preset)
        self.data = dataset(self.preset)
        self._evaluated: dict[str, Series] = {}
        self._stride = stride(self.preset) or 1

    @property
    def lr_changes(self) -> list[Event]:
        """When the user set the learning rate while it ran."""
        return [event for event in self.recording.events if event.kind == "lr"]

    @property
    def changed_lr(self) -> float | None:
        """The learning rate that the user last set while it ran; None if never set."""
        changes = self.lr_changes
        return float(changes[-1].detail["new"]) if changes else None

    @property
    def expected(self) -> Expected:
        """What the preset expects, which holds for its own learning rate only."""
        return self.preset.expected if self.changed_lr is None else Expected()

    @property
    def goal(self) -> str:
        """What a goal is called: what the preset expects, else the optimum of its loss."""
        return "expected" if self.expected != Expected() else "optimum"

    def series(self, name: str) -> Series:
        """A series, empty before anything is recorded."""
        return self.recording.series(self.index, name)

    @property
    def step(self) -> int:
        return self.series("loss").last_step

    def lr(self) -> float:
        """The learning rate that was set for the next step, or that of the last one.

        Before the first step, the one it starts from.
        """
        rates = self.series("lr")
        for event in reversed(self.recording.events):
            if event.kind == "lr" and event.step > rates.last_step:
                return float(event.detail["new"])
        return rates.last if np.isfinite(rates.last) else self.run.optimizer.lr

    # Evaluations ------------------------------------------------------------------------------

    @property
    def evaluations_known(self) -> bool:
        """Whether there is more to tell than the loss of each step."""
        return evaluated(self.preset)

    @property
    def regularised(self) -> bool:
        """Whether the objective has a penalty besides the loss of the data."""
        return self.preset.regularisation != Regularisation()

    def evaluated(self, name: str) -> Series:
        """A value of the evaluations over steps; empty where there is none of this name.

        The same object grows.
        """
        series = self._evaluated.setdefault(name, Series())
        steps, values = self.recording.evaluated(self.index, name)
        for k in range(len(series), len(steps)):
            series.append(int(steps[k]), self._stride, values[k : k + 1])
        return series

    def read_evaluations(self) -> None:
        """Bring everything that somebody looks at up to what is recorded."""
        for name in self._evaluated:
            self.evaluated(name)

    def train_loss(self) -> Series:
        """The loss of all training rows without what regularisation adds."""
        return self.evaluated("data_loss" if self.regularised else "loss")

    def pictured(self, name: str, step: int | None) -> int:
        """The last step, none after `step`, of which there is such a picture; -1 without one."""
        steps = self.recording.picture_steps(self.index, name)
        count = len(steps) if step is None else bisect_right(steps, step)
        return steps[count - 1] if count else -1

    def picture(self, name: str, step: int | None = None) -> NDArray[Any] | None:
        """See `Recording.picture`."""
        return self.recording.picture(self.index, name, step)

    # Weights ----------------------------------------------------------------------------------

    @property
    def many(self) -> bool:
        """Whether there are too many weights to record each of them."""
        return sum(map(prod, self.shapes.values())) > MAX_RECORDED_WEIGHTS

    def tensors_table(self) -> list[Tensor]:
        """Every tensor, where there are too many weights; none before anything is recorded."""
        if not self.many or not self.recording.names(self.index):
            return []
        statistics = ("norm", "mean", "std", "update_ratio")
        return [
            Tensor(tensor, *(self.series(f"{tensor}.{name}") for name in statistics))
            for tensor in self.shapes
        ]

    def weights(self) -> list[Weight]:
        """Every weight; none when there are too many."""
        if self.many:
            return []
        names = [n for n in self.recording.names(self.index) if n not in NOT_WEIGHTS]
        first = self.recording.first_weights.get(self.index, {})
        start = elements(first)
        goals: dict[str, float] = {}
        tolerance = None
        if self.goal == "expected":
            goals, tolerance = elements(self.expected.weights), self.expected.tolerance
        elif self.optimum is not None:
            goals = elements(self.optimum.weights)
        return [
            Weight(n, self.series(n), start.get(n, np.nan), goals.get(n), tolerance) for n in names
        ]

    def loss_goal(self) -> float | None:
        """The loss to reach, if one is known; None where it is as good as zero.

        A line at zero would squeeze the curve above it, and has no place on a log axis.
        """
        if self.goal == "expected" or self.optimum is None:
            return self.expected.loss
        losses = self.series("loss")
        start = float(losses.values[0]) if len(losses) else np.inf
        return self.optimum.loss if self.optimum.loss > NEXT_TO_NOTHING * start else None

    def tensors(self, step: int | None = None) -> dict[str, NDArray[np.float64]]:
        """The parameters after a step (None: the last), each in its shape; {} if not recorded."""
        names = set(self.recording.names(self.index))
        if step == 0 or not len(self.series("loss")):
            first = self.recording.first_weights.get(self.index, {})
            return {name: np.asarray(value, np.float64) for name, value in first.items()}
        found = {}
        for tensor, shape in self.shapes.items():
            wanted = element_names(tensor, shape)
            if not names.issuperset(wanted):
                return {}
            rows = [self.series(name) for name in wanted]
            values = [row.last if step is None else row.at(step) for row in rows]
            found[tensor] = np.array(values, np.float64).reshape(shape)
        return found

    def path(self, step: int | None = None) -> NDArray[np.float64]:
        """The last `PATH` values of a model's only weight up to a step, or all, from the start."""
        weights = self.weights()
        if not weights:  # nothing is recorded yet
            return np.empty(0)
        [weight] = weights
        rows = len(weight.series) if step is None else weight.series.row_from(step + 1)
        values = weight.series.values[max(0, rows - PATH) : rows].astype(np.float64)
        return values if rows >= PATH else np.concatenate([[weight.start], values])


def elements(tensors: Mapping[str, Numbers | NDArray[np.floating]]) -> dict[str, float]:
    """Every element of some tensors by its column name, such as `w[0,0]`."""
    found: dict[str, float] = {}
    for name, value in tensors.items():
        array = np.asarray(value, np.float64)
        found |= dict(zip(element_names(name, array.shape), array.ravel().tolist(), strict=True))
    return found
