"""The losses of groups of runs over their steps: median and quartiles over the seeds.

A line of a comparison stands for the loss on the whole training set, the same that ranks, targets
and steps to the target are about (`record.target`). With full batches every row tells it. With
smaller ones it is the mean of the last epoch; where steps are thinned out, it is what the
evaluations found, if there are any.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tuitrain.record.chunks import joined
from tuitrain.record.epochs import EpochMean
from tuitrain.record.live import Recording
from tuitrain.record.ranking import quartiles_of_sorted
from tuitrain.record.series import Series
from tuitrain.spec.evaluation import evaluated
from tuitrain.spec.preset import Preset

Numbers = NDArray[np.float64]

EPOCH_MEAN, EVALUATIONS = "mean of the last epoch", "evaluations"
"""What a band is of where that is not the recorded loss, in words."""


@dataclass
class Band:
    """What a group's runs do together, step by step; it grows with `Bands.refresh`.

    A run that has diverged counts as infinite. The series end with the first step whose median
    is not finite, because no line can go on from there.

    Attributes:
        runs: index of each run.
        median: of the losses; of one run, its loss.
        low, high: the quartiles; empty for one run.
    """

    runs: tuple[int, ...]
    median: Series = field(default_factory=Series)
    low: Series = field(default_factory=Series)
    high: Series = field(default_factory=Series)
    lost: bool = False

    def append(self, first: int, stride: int, quartiles: Numbers) -> None:
        """Rows at `first`, `first + stride`, ...

        Args:
            quartiles: [3, K] for several runs, [1, K] for one.
        """
        if self.lost:
            return
        median = quartiles[len(quartiles) // 2]
        out = np.flatnonzero(~np.isfinite(median))
        rows = None if not out.size else int(out[0]) + 1
        self.lost = rows is not None
        self.median.append(first, stride, median[:rows])
        if len(quartiles) == 3:
            self.low.append(first, stride, quartiles[0, :rows])
            self.high.append(first, stride, quartiles[2, :rows])


@dataclass(frozen=True)
class Gap:
    """Turns a run's loss into its distance from the least loss, relative to that of the start.

    Attributes:
        least: of each run of the experiment.
        start: of each run of the experiment, before the first step.
        rounding: of each run, the least difference that its precision can tell from none.
    """

    least: Numbers
    start: Numbers
    rounding: Numbers

    def __call__(self, losses: NDArray[np.floating], runs: NDArray[np.intp]) -> Numbers:
        """Gaps `[..., K]` of the losses `[..., K]` of some runs `[...]`: 1 at the start.

        What is nearer to the least loss than rounding counts as rounding, so that it has a place
        on a logarithmic axis.
        """
        least, floor = self.least[runs][..., np.newaxis], self.rounding[runs][..., np.newaxis]
        gap = losses - least
        gap = np.where(np.abs(gap) < floor, floor, gap)
        distance: Numbers = self.start[runs][..., np.newaxis] - least
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(gap / distance)


class Bands:
    """Bands of groups of runs, each within one stack, fed from a recording.

    Args:
        recording: refreshed by whoever shows it.
        groups: indices of the runs of each group.
        ticks: what one step of each stack counts on the common x axis.
        gap: draw gaps instead of losses.
    """

    def __init__(
        self,
        recording: Recording,
        groups: Sequence[Sequence[int]],
        *,
        ticks: Sequence[int] = (),
        gap: Gap | None = None,
    ) -> None:
        self.bands = [Band(tuple(runs)) for runs in groups]
        self._recording = recording
        self._gap = gap
        experiment = recording.folder.experiment
        stacks = zip(experiment.presets.values(), experiment.stacks(), strict=True)
        self._stacks = [
            _Stack(preset, runs, self.bands, ticks[index] if ticks else 1)
            for index, (preset, runs) in enumerate(stacks)
        ]

    def refresh(self) -> None:
        """Take in what the recording has read since the last time."""
        for index, stack in enumerate(self._stacks):
            if not stack.sets:
                continue
            for block in joined(self._recording.blocks(index, after=stack.seen)):
                loss = np.concatenate([chunk.series["loss"] for chunk in block], axis=1)
                stack.seen += len(block)
                stack.add(block[0].first, block[0].stride, loss, self._gap)
            if stack.drawn == EVALUATIONS:
                found = self._recording.evaluations(index, "loss", after=stack.evaluations)
                stack.evaluate(*found, self._gap)

    def drawn(self, presets: Sequence[str]) -> str:
        """What the bands of some presets are of, in words; empty where it is the recorded loss."""
        stacks = zip(self._recording.folder.experiment.presets, self._stacks, strict=True)
        return ", ".join(sorted({stack.drawn for name, stack in stacks if name in presets} - {""}))


class _Stack:
    """The bands of one stack: those of equally many runs are worked out together.

    Attributes:
        sets: the bands, with their runs and these runs' places in the stack.
        seen: chunks taken in.
        evaluations: how many are taken in.
        drawn: what the bands are of; empty where it is the recorded loss.
    """

    def __init__(self, preset: Preset, runs: list[int], bands: Sequence[Band], ticks: int) -> None:
        place = {run: position for position, run in enumerate(runs)}
        mine = [band for band in bands if band.runs and band.runs[0] in place]
        self.sets = []
        for size in sorted({len(band.runs) for band in mine}):
            together = [band for band in mine if len(band.runs) == size]
            numbers = np.array([band.runs for band in together], np.intp)
            places = np.array([[place[run] for run in band.runs] for band in together], np.intp)
            self.sets.append((together, numbers, places))
        self._ticks = ticks
        self._epoch = EpochMean.of(preset)
        self._evaluated = evaluated(preset)
        self.seen = self.evaluations = 0
        self.drawn = EPOCH_MEAN if self._epoch else ""

    def add(self, first: int, stride: int, loss: NDArray[np.floating], gap: Gap | None) -> None:
        """Take in rows `[R, K]` at the steps `first`, `first + stride`, ..."""
        if self._epoch and stride > 1:  # they may be of the same batch over and over
            self.drawn = EVALUATIONS if self._evaluated else ""
        if self.drawn == EVALUATIONS:
            return
        if self._epoch and self.drawn == EPOCH_MEAN:
            loss = self._epoch.of_rows(first, loss)
        self._append(first, stride, loss, gap)

    def evaluate(
        self, steps: NDArray[np.int64], losses: NDArray[np.floating], gap: Gap | None
    ) -> None:
        """Take in evaluations `[E, R]` after some steps `[E]`, most of them evenly spaced."""
        self.evaluations += len(steps)
        bends = np.flatnonzero(np.diff(steps, 2)) + 2
        for some in np.split(np.arange(len(steps)), bends):
            if len(some):
                stride = int(steps[some[-1]] - steps[some[0]]) // max(len(some) - 1, 1) or 1
                self._append(int(steps[some[0]]), stride, losses[some].T, gap)

    def _append(self, first: int, stride: int, loss: NDArray[np.floating], gap: Gap | None) -> None:
        for bands, runs, places in self.sets:
            values = loss[places]  # [bands, seeds, K]
            if gap is not None:
                values = gap(values, runs)
            for band, rows in zip(bands, _quartiles(values), strict=True):
                band.append(first * self._ticks, stride * self._ticks, rows)


def _quartiles(losses: NDArray[np.floating]) -> Numbers:
    """Quartiles over the second axis of [bands, seeds, K]: [bands, 3, K]; [bands, 1, K] of one."""
    values: Numbers = losses.astype(np.float64)
    if values.shape[1] == 1:
        return values
    return quartiles_of_sorted(np.sort(np.where(np.isnan(values), np.inf, values), axis=1))
