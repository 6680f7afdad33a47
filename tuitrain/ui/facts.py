"""What the dashboard shows of a run, read from its recording: no widget, no text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tuitrain.data.optimum import optimum
from tuitrain.record.live import Recording
from tuitrain.record.series import Series
from tuitrain.spec.experiment import Experiment
from tuitrain.spec.preset import Expected, Numbers, Preset
from tuitrain.spec.recording import element_names
from tuitrain.spec.size import batches_per_epoch, shapes
from tuitrain.ui.diagnosis import Diagnosis, Miss, describe, diverged, ended, movement

NEXT_TO_NOTHING = 1e-6
"""Share of the first loss below which an optimum counts as zero."""

NOT_WEIGHTS = frozenset({"loss", "loss_min", "loss_max", "lr", "grad_norm"})


class Weight(NamedTuple):
    """One line of the weights panel.

    Attributes:
        name: of the weight, or of the tensor whose norm stands for it.
        series: its recorded values.
        start: value before the first step; NaN if not known.
        goal: value that it should reach, if one is known.
        tolerance: how far from it counts as reached; None for a goal that no run need reach.
        ratio: for a tensor, its update-to-weight ratio.
    """

    name: str
    series: Series
    start: float
    goal: float | None
    tolerance: float | None
    ratio: Series | None = None


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

    @property
    def changed_lr(self) -> float | None:
        """The learning rate that the user has set last while it ran; None if he has not."""
        rates = [event.detail["new"] for event in self.recording.events if event.kind == "lr"]
        return float(rates[-1]) if rates else None

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
        """The learning rate of the last step; before it, the one it starts from."""
        last = self.series("lr").last
        return last if np.isfinite(last) else self.run.optimizer.lr

    # Weights ----------------------------------------------------------------------------------

    def weights(self) -> list[Weight]:
        """Every weight, or the norm of every tensor when there are too many."""
        names = [n for n in self.recording.names(self.index) if n not in NOT_WEIGHTS]
        if any(n.endswith(".norm") for n in names):
            return [
                Weight(
                    tensor, self.series(f"{tensor}.norm"), np.nan, None, None,
                    self.series(f"{tensor}.update_ratio"),
                )
                for tensor in self.shapes
            ]  # fmt: skip
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

    # In words ---------------------------------------------------------------------------------

    def diagnosis(self) -> Diagnosis:
        """What the run is doing."""
        status = self.recording.status
        result = next((r for r in self.recording.results if r.index == self.index), None)
        if status.state == "failed":
            return Diagnosis("failed", status.error or "see the worker's log (w)", "bad")
        if result is not None and result.diverged_at is not None:
            return diverged(result.diverged_at, result.diverged_in or "the loss")
        if status.state == "starting":
            return Diagnosis("starting", "the worker is coming up", "neutral")
        loss = self.series("loss").values
        paths = [w.series.values for w in self.weights() if w.ratio is None]
        move = movement(loss, paths, self.batches)
        if status.state == "running":
            return describe(move, arrived=self._arrived(move.steps))
        if status.state == "paused" and not len(loss):
            return Diagnosis(
                "paused", "at its initial weights: space starts, n takes a step", "neutral"
            )
        final = result.final_loss if result is not None else np.nan
        return ended(status.state, status.step, move, self._misses(final))

    def _arrived(self, steps: int) -> bool:
        """Whether the weights of the last steps lie, in the middle, where they are expected."""
        goals = [
            abs(float(np.median(weight.series.values[-steps:])) - weight.goal) <= weight.tolerance
            for weight in self.weights()
            if weight.goal is not None and weight.tolerance is not None and steps
        ]
        return bool(goals) and all(goals)

    def _misses(self, final_loss: float) -> list[Miss] | None:
        """What was missed; None if nothing is expected of these settings."""
        expected = self.expected
        misses, checked = [], 0
        for weight in self.weights():
            if weight.goal is not None and weight.tolerance is not None:
                checked += 1
                value = weight.series.last
                if not abs(value - weight.goal) <= weight.tolerance:
                    misses.append(Miss(weight.name, value, f"{weight.goal:.4g}"))
        if expected.loss is not None:
            checked += 1
            if not abs(final_loss - expected.loss) <= expected.tolerance:
                misses.append(Miss("the loss", final_loss, f"{expected.loss:.4g}"))
        if expected.loss_below is not None:
            checked += 1
            if not final_loss < expected.loss_below:
                misses.append(Miss("the loss", final_loss, f"below {expected.loss_below:.4g}"))
        return misses if checked else None


def elements(tensors: Mapping[str, Numbers | NDArray[np.floating]]) -> dict[str, float]:
    """Every element of some tensors by its column name, such as `w[0,0]`."""
    found: dict[str, float] = {}
    for name, value in tensors.items():
        array = np.asarray(value, np.float64)
        found |= dict(zip(element_names(name, array.shape), array.ravel().tolist(), strict=True))
    return found
