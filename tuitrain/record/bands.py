"""The losses of groups of runs over their steps: median and quartiles over the seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tuitrain.record.chunks import joined
from tuitrain.record.live import Recording
from tuitrain.record.ranking import quartiles_of_sorted
from tuitrain.record.series import Series
from tuitrain.spec.recording import Chunk

Numbers = NDArray[np.float64]


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
        self._stacks = [
            _Stack(runs, self.bands, ticks[index] if ticks else 1)
            for index, runs in enumerate(recording.folder.experiment.stacks())
        ]

    def refresh(self) -> None:
        """Take in the rows that the recording has read since the last time."""
        for index, stack in enumerate(self._stacks):
            if stack.sets:
                for block in joined(self._recording.blocks(index, after=stack.seen)):
                    stack.add(block, self._gap)


class _Stack:
    """The bands of one stack: those of equally many runs are worked out together."""

    def __init__(self, runs: list[int], bands: Sequence[Band], ticks: int) -> None:
        place = {run: position for position, run in enumerate(runs)}
        mine = [band for band in bands if band.runs and band.runs[0] in place]
        self.sets = []
        for size in sorted({len(band.runs) for band in mine}):
            together = [band for band in mine if len(band.runs) == size]
            numbers = np.array([band.runs for band in together], np.intp)
            places = np.array([[place[run] for run in band.runs] for band in together], np.intp)
            self.sets.append((together, numbers, places))
        self.ticks = ticks
        self.seen = 0

    def add(self, block: list[Chunk], gap: Gap | None) -> None:
        self.seen += len(block)
        first, stride = block[0].first * self.ticks, block[0].stride * self.ticks
        loss = np.concatenate([chunk.series["loss"] for chunk in block], axis=1)
        for bands, runs, places in self.sets:
            values = loss[places]  # [bands, seeds, K]
            if gap is not None:
                values = gap(values, runs)
            for band, rows in zip(bands, _quartiles(values), strict=True):
                band.append(first, stride, rows)


def _quartiles(losses: NDArray[np.floating]) -> Numbers:
    """Quartiles over the second axis of [bands, seeds, K]: [bands, 3, K]; [bands, 1, K] of one."""
    values: Numbers = losses.astype(np.float64)
    if values.shape[1] == 1:
        return values
    return quartiles_of_sorted(np.sort(np.where(np.isnan(values), np.inf, values), axis=1))
