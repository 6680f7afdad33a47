"""From blocks of trained steps to the rows of a recording."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import prod, sqrt

import numpy as np
import torch
from numpy.typing import NDArray

from tuitrain.spec.recording import MAX_RECORDED_WEIGHTS, Layout
from tuitrain.train.block import Block
from tuitrain.train.models import Shapes
from tuitrain.train.reductions import means, norms

WINDOW = {"loss_min": np.fmin, "loss_max": np.fmax}
"""The series of what thinned steps leave out, and how each takes in another loss."""

Series = dict[str, NDArray[np.floating]]


class Recorder:
    """Turns blocks into series `[R, rows]`.

    Attributes:
        window: [2, R], smallest and largest loss since the last row; NaN where there was none.
        last_loss: [R], of each run's last step, whether it is a row or not; NaN before the first.
        best_loss: [R], the least finite one of any step; NaN where there was none.
        last_row: where steps are thinned out, each series [R] of the last step; NaN of runs that
            ended before it. Empty before the first, and where every step is a row.
    """

    def __init__(self, layout: Layout, shapes: Shapes, dtype: str) -> None:
        self._layout = layout
        self._shapes = shapes
        self.window: NDArray[np.floating] = np.full((2, layout.runs), np.nan, dtype)
        self.last_loss: NDArray[np.floating] = np.full(layout.runs, np.nan, dtype)
        self.best_loss: NDArray[np.floating] = np.full(layout.runs, np.nan, dtype)
        self.last_row: Series = {}

    def series(self, block: Block, lengths: NDArray[np.intp]) -> Series:
        """The rows of a block.

        Args:
            block: the steps.
            lengths: how many of them each run took before it ended, [A].
        """
        stride, steps = self._layout.stride, int(lengths.max())
        kept = slice((1 - block.first) % stride, steps, stride)
        step = np.arange(len(block.lr))[:, np.newaxis]
        loss = np.where(step < lengths, block.loss.cpu().numpy(), np.nan)[:steps]
        series = self._rows(block, loss, lengths, kept)
        self._note(block.rows, loss, lengths)
        if stride > 1:
            last = self._rows(block, loss, lengths, slice(steps - 1, steps))
            self.last_row = {name: values[:, 0] for name, values in last.items()}
            series |= self._window(block.rows, loss, range(steps)[kept])
        return series

    def closing(self) -> Series:
        """The row of the last step, where it has not become one in its turn."""
        window = dict(zip(WINDOW, self.window, strict=True))
        return {name: row[:, np.newaxis].copy() for name, row in (self.last_row | window).items()}

    def _rows(
        self, block: Block, loss: NDArray[np.floating], lengths: NDArray[np.intp], kept: slice
    ) -> Series:
        """The kept steps of a block as rows `[R, rows]`; their windows are left NaN."""
        values = self._values(block, kept) | {"loss": loss[kept].copy()}
        ended = np.arange(len(block.lr))[kept, np.newaxis] >= lengths
        if ended.any():
            for value in values.values():
                value[ended] = np.nan
        rows: Series = {}
        for name, dtype in self._layout.dtypes.items():
            rows[name] = np.full((self._layout.runs, len(ended)), np.nan, dtype)
            if name in values:
                rows[name][block.rows] = values[name].T
        return rows

    def _values(self, block: Block, kept: slice) -> Series:
        """Each series but the loss that is read off at the kept steps, [rows, A]."""
        after = block.weights[1:][kept]
        if after.shape[2] <= MAX_RECORDED_WEIGHTS:
            weights = after.permute(2, 0, 1)
        else:
            weights = self._statistics(after, block.weights[:-1][kept])
        table = torch.cat([block.grad_norm[kept].unsqueeze(0), weights]).cpu().numpy()
        others = {"loss", "lr", "grad_norm", *WINDOW}
        names = [name for name in self._layout.series if name not in others]
        values: Series = dict(zip(["grad_norm", *names], table, strict=True))
        values["lr"] = block.lr[kept].copy()
        return values

    def _statistics(self, after: torch.Tensor, before: torch.Tensor) -> torch.Tensor:
        """Statistics of each tensor, in the order of TENSOR_STATISTICS: [n * 6, rows, A]."""
        sizes = [prod(shape) for shape in self._shapes.values()]
        found = []
        tensors = (torch.split_with_sizes(whole, sizes, 2) for whole in (after, before))
        for w, old in zip(*tensors, strict=True):
            norm = norms(w)
            change = norms(w - old)
            mean = means(w)
            # torch.std_mean warns of blocks without a row
            std = norms(w - mean.unsqueeze(2)) / sqrt(w.shape[2])
            ratio = change / norm.clamp_min(torch.finfo(w.dtype).tiny)
            found += [norm, mean, std, w.amin(dim=2), w.amax(dim=2), ratio]
        return torch.stack(found)

    def _note(
        self, rows: NDArray[np.intp], loss: NDArray[np.floating], lengths: NDArray[np.intp]
    ) -> None:
        """Brings the last and the least loss up to date with those of a block, [steps, A]."""
        here = np.flatnonzero(lengths)
        self.last_loss[rows[here]] = loss[lengths[here] - 1, here]
        finite = np.where(np.isfinite(loss), loss, np.nan)
        self.best_loss[rows] = np.fmin(self.best_loss[rows], np.fmin.reduce(finite, axis=0))

    def _window(
        self, rows: NDArray[np.intp], loss: NDArray[np.floating], kept: Sequence[int]
    ) -> Series:
        """Smallest and largest loss since the row before, [R, rows]; the rest is carried on.

        A run that has ended, and may have been dropped since, still has that of its last steps.
        """
        bounds = [0, *(k + 1 for k in kept), len(loss)]
        values: Series = {}
        for i, (name, extreme) in enumerate(WINDOW.items()):
            found = np.full((len(bounds) - 1, self._layout.runs), np.nan, self.window.dtype)
            for row, (start, end) in zip(found, pairwise(bounds), strict=True):
                row[rows] = extreme.reduce(loss[start:end], axis=0, initial=np.nan)
            found[0] = extreme(found[0], self.window[i])
            values[name], self.window[i] = found[:-1].T, found[-1]
        return values
