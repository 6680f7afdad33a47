"""The losses of all runs step by step, and when each of them reached a target."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tuitrain.record.epochs import EpochMean
from tuitrain.record.live import Recording
from tuitrain.spec.experiment import Experiment
from tuitrain.spec.preset import Preset
from tuitrain.spec.recording import Chunk
from tuitrain.spec.size import planned_steps

Floats = NDArray[np.floating]


class Losses:
    """What the rows of an experiment tell about every run's loss on the whole training set.

    With full batches that is the recorded loss. With smaller ones a row knows only its own
    batch, so the last epoch's rows are taken together, each with the weights of its own step.
    Where steps are thinned out, most of those rows are missing: there the evaluations count, and
    without any, only `initial` is known.

    Args:
        experiment: what is recorded.

    Attributes:
        initial: of every run, before the first step; NaN until it is recorded, and of recordings
            whose thinned rows begin later. With smaller batches than full, from the first batch
            alone.
        last: of every run, at its last recorded step; NaN before the first epoch is over, unless
            evaluations tell it.
        least: of every run, the least so far; NaN where `last` is.
    """

    def __init__(self, experiment: Experiment) -> None:
        self.initial = np.full(len(experiment.runs), np.nan)
        self.last = np.full(len(experiment.runs), np.nan)
        self.least = np.full(len(experiment.runs), np.nan)
        self._stacks = [
            _Stack(preset, runs)
            for preset, runs in zip(experiment.presets.values(), experiment.stacks(), strict=True)
        ]

    def refresh(self, recording: Recording) -> None:
        """Takes in what the recording has read since the last time."""
        for index, stack in enumerate(self._stacks):
            for chunk in recording.blocks(index, after=stack.seen):
                self.add(chunk)
            if stack.needs_evaluations:
                self.evaluate(index, *recording.evaluations(index, "loss", after=stack.evaluations))

    def add(self, chunk: Chunk) -> None:
        """Takes in the rows of a stack that follow those before."""
        stack = self._stacks[chunk.stack]
        if chunk.first == 1:
            self.initial[stack.runs] = stack.initial(chunk)
        self._reach(stack, stack.add(chunk))

    def evaluate(self, index: int, steps: NDArray[np.int64], losses: Floats) -> None:
        """Takes in the next evaluations of a stack; for one that `needs_evaluations`.

        Args:
            index: of the stack.
            steps: [E].
            losses: on the whole training set, [E, R].
        """
        stack = self._stacks[index]
        self._reach(stack, stack.evaluate(steps, losses))

    def _reach(self, stack: _Stack, losses: Floats) -> None:
        """Brings `last` and `least` up to date with the next losses `[R, K]` of a stack."""
        if not losses.shape[1]:
            return
        known = np.isfinite(losses)
        any_known = known.any(axis=1)
        lowest = np.where(known, losses, np.inf).min(axis=1)
        least = np.where(any_known, lowest, np.nan)
        self.least[stack.runs] = np.fmin(self.least[stack.runs], least)
        latest = losses.shape[1] - 1 - known[:, ::-1].argmax(axis=1)
        self.last[stack.runs[any_known]] = losses[any_known, latest[any_known]]

    def steps_to(self, targets: Floats | Sequence[float]) -> NDArray[np.float64]:
        """The first step of every run whose loss is at most its target; NaN where there is none.

        Where steps are thinned out, the first recorded one, or the one after an evaluation.

        Args:
            targets: one for each run of the experiment.
        """
        found = np.full(len(self.last), np.nan)
        wanted = np.asarray(targets, np.float64)
        for stack in self._stacks:
            found[stack.runs] = stack.steps_to(wanted[stack.runs])
        return found


class _Stack:
    """The losses of one stack, R runs, part by part.

    Attributes:
        seen: chunks taken in.
        evaluations: how many are taken in.
        needs_evaluations: whether the rows do not tell the loss on all training rows.
    """

    def __init__(self, preset: Preset, runs: list[int]) -> None:
        self.runs = np.array(runs, np.intp)
        self._epoch = EpochMean.of(preset)
        self._parts: list[tuple[NDArray[np.int64], Floats, Floats]] = []
        self._planned = planned_steps(preset)
        self._searched = self.evaluations = self.seen = 0
        self.needs_evaluations = False
        self._aim(np.full(len(runs), np.nan))

    def add(self, chunk: Chunk) -> Floats:
        """The losses `[R, K]` of a chunk's rows; `[R, 0]` where they tell none."""
        self.seen += 1
        if self._epoch and chunk.stride > 1:  # they may be of the same batch over and over
            self.needs_evaluations = True
            return np.empty((len(self.runs), 0))
        steps = np.arange(chunk.first, chunk.last + 1, chunk.stride)
        losses = chunk.series["loss"]
        if self._epoch:
            losses = self._epoch.of_rows(chunk.first, losses)
            losses[:, steps < self._epoch.batches] = np.nan
        self._take(steps, chunk.series.get("loss_min", losses))
        return losses

    def evaluate(self, steps: NDArray[np.int64], losses: Floats) -> Floats:
        """The losses `[R, K]` of the next evaluations.

        Those after a step are what the step after it begins from, as a full batch's row tells.
        """
        self.evaluations += len(steps)
        if not len(steps):
            return np.empty((len(self.runs), 0))
        begins = steps < self._planned
        self._take(steps[begins] + 1, losses[begins].T)
        return losses.T

    def _take(self, steps: NDArray[np.int64], losses: Floats) -> None:
        """Lets `steps_to` search these losses `[R, K]`."""
        least = np.where(np.isfinite(losses), losses, np.inf).min(axis=1, initial=np.inf)
        self._parts.append((steps, losses, least))

    def initial(self, first: Chunk) -> Floats:
        """The loss `[R]` of the first chunk's first row."""
        loss: Floats = first.series["loss"][:, 0].astype(np.float64)
        return self._epoch.of_first(loss) if self._epoch else loss

    def steps_to(self, targets: NDArray[np.float64]) -> NDArray[np.float64]:
        if not np.array_equal(targets, self._targets, equal_nan=True):
            self._aim(targets)
        for steps, losses, least in self._parts[self._searched :]:
            here = np.flatnonzero(np.isnan(self._found) & (least <= targets))
            if here.size:
                row = (losses[here] <= targets[here, np.newaxis]).argmax(axis=1)
                self._found[here] = steps[row]
        self._searched = len(self._parts)
        return self._found

    def _aim(self, targets: NDArray[np.float64]) -> None:
        """Starts the search anew; with the targets of before, only what is new is searched."""
        self._targets = targets
        self._found = np.full(len(targets), np.nan)
        self._searched = 0
