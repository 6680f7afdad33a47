"""All that a comparison has shown so far, as a screen or a report needs it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tuitrain.record.live import Recording
from tuitrain.record.ranking import (
    Numbers,
    Ranked,
    default_target,
    losses,
    metrics,
    rank,
    roundings,
)
from tuitrain.record.status import Status
from tuitrain.record.target import Losses
from tuitrain.record.verdict import verdict
from tuitrain.spec.experiment import Experiment
from tuitrain.spec.grouping import Pane, panes


@dataclass(frozen=True)
class Standing:
    """Where the groups of one pane stand.

    Attributes:
        pane: what is compared.
        target: the loss to reach; NaN while it is not known.
        ranking: its groups, the best first.
        verdict: the same in words.
    """

    pane: Pane
    target: float
    ranking: list[Ranked]
    verdict: str


class Comparison:
    """Ranks the runs of an experiment as they are recorded.

    Args:
        experiment: whose runs.
        optima: the least possible loss of every preset for which it is known, by its key.

    Attributes:
        panes: the runs by what can be compared.
        losses: the loss that every run is judged by, infinite for diverged runs.
        roundings: by how much rounding alone may change each of them.
        final: whether these are final losses.
        metrics: what else every run is judged by, as `ranking.metrics` gives it.
        targets: the loss that every run is to reach.
        steps: the first step of every run that did, NaN where none has.
        seconds: the same in seconds of the preset's training, whose runs train side by side: this
            tells them apart by their steps alone.
    """

    def __init__(self, experiment: Experiment, optima: Mapping[str, float]) -> None:
        self.experiment = experiment
        self.optima = optima
        self.panes = panes(experiment)
        self._aims: dict[tuple[str, ...], float | None] = {}
        self.metrics: dict[str, Numbers] = {}
        self.final = False
        self._rows = Losses(experiment)
        unknown = np.full(len(experiment.runs), np.nan)
        self.losses, self.targets, self.steps, self.seconds = (unknown.copy() for _ in range(4))
        self.roundings = np.zeros(len(experiment.runs))

    def refresh(self, recording: Recording) -> list[Standing]:
        """Where every pane stands after what the recording has read last."""
        results = recording.results
        if len(results) != len(self.experiment.runs):
            return []
        self._rows.refresh(recording)
        self.losses = losses(results, self._rows.last)
        self.roundings = roundings(self.experiment, self.losses, self.initial)
        self.metrics = metrics(results)
        targets = [self._target(pane) for pane in self.panes]
        for pane, target in zip(self.panes, targets, strict=True):
            self.targets[pane.runs] = target
        self.steps = self._rows.steps_to(self.targets)
        each = step_seconds(recording.status, self.experiment)
        self.seconds = self.steps * [each.get(run.preset, math.nan) for run in self.experiment.runs]
        self.final = recording.status.final
        return [
            self._standing(pane, target) for pane, target in zip(self.panes, targets, strict=True)
        ]

    @property
    def initial(self) -> Numbers:
        """The loss of every run before the first step; see `Losses.initial`."""
        return self._rows.initial

    @property
    def least(self) -> Numbers:
        """The least loss of every run so far: of `Losses.least` and the one it is judged by.

        That may be less with mini-batches: it is of the last weights, not of those of an epoch.
        """
        judged = np.where(np.isfinite(self.losses), self.losses, np.nan)
        found: Numbers = np.fmin(self._rows.least, judged)
        return found

    def _standing(self, pane: Pane, target: float) -> Standing:
        ranking = rank(pane, self.losses, self.steps, self.metrics, self.roundings)
        words = verdict(
            self.experiment, pane, ranking, self.losses, target=target, final=self.final
        )
        return Standing(pane, target, ranking, words)

    def optimum(self, pane: Pane) -> float | None:
        """The least possible loss of a pane; None unless it is known of each of its presets."""
        known = [self.optima[name] for name in pane.presets if name in self.optima]
        return min(known) if len(known) == len(pane.presets) else None

    def aim(self, pane: Pane, target: float | None) -> None:
        """Set the loss to reach in one pane, or (None) leave it at the pane's default.

        Until then it is the experiment's target, if that has one.
        """
        self._aims[pane.presets] = target

    def _target(self, pane: Pane) -> float:
        target = self._aims.get(pane.presets, self.experiment.target)
        if target is not None:
            return target
        return default_target(pane, self.losses, self.initial, self.optimum(pane))


def step_seconds(status: Status, experiment: Experiment) -> dict[str, float]:
    """Of every preset that has begun: the mean training time of a step, whose runs share it."""
    seconds = status.stack_seconds or [status.seconds] * len(status.stack_steps)
    stacks = zip(experiment.presets, seconds, status.stack_steps, strict=False)
    return {name: time / steps for name, time, steps in stacks if steps}
