"""The loss on the whole training set, from the rows of an epoch of smaller batches."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tuitrain.spec.loss import Asymmetric
from tuitrain.spec.preset import Preset
from tuitrain.spec.size import batch_rows, batches_per_epoch, rows

Floats = NDArray[np.floating]


class EpochMean:
    """Means of the losses of the last epoch's batches, of rows that come in one after the other.

    A row knows its own batch alone, and batches differ: drawn as they are, their losses make
    waves of the length of an epoch. B rows together know the whole training set, each with the
    weights of its own step. Batches count by their rows; losses that are sums are carried over to
    all rows.

    Attributes:
        batches: B, of an epoch.
    """

    def __init__(self, preset: Preset) -> None:
        self.batches = batches_per_epoch(preset)
        self._rows = rows(preset)
        self._adds = isinstance(preset.loss, Asymmetric) and preset.loss.reduce == "sum"
        full = batch_rows(preset)
        self._sizes = np.full(self.batches, full)
        self._sizes[-1] = self._rows - full * (self.batches - 1)
        self._tail: Floats | None = None
        self._next = 1

    @classmethod
    def of(cls, preset: Preset) -> EpochMean | None:
        """None with full batches, whose rows know the whole training set."""
        return cls(preset) if batches_per_epoch(preset) > 1 else None

    def of_first(self, losses: Floats) -> Floats:
        """The losses `[R]` of the first batch, carried over to all rows."""
        return losses * (self._rows / self._sizes[0]) if self._adds else losses

    def of_rows(self, first: int, losses: Floats) -> Floats:
        """Means `[R, K]` over the last B rows up to each of the next ones.

        The first B - 1 rows of a training are means over all rows so far.

        Args:
            first: step of the first of them; where it does not follow those before, the means are
                of what has come since.
            losses: `[R, K]`, as recorded.
        """
        if first != self._next:  # rows in between could not be read
            self._tail = None
        self._next = first + losses.shape[1]
        before = 0 if self._tail is None else self._tail.shape[1]
        steps = np.arange(first - before, first + losses.shape[1])
        sizes = self._sizes[(steps - 1) % self.batches].astype(np.float64)
        joined: Floats = losses.astype(np.float64)
        if self._tail is not None:
            joined = np.concatenate([self._tail, joined], axis=1)
        self._tail = joined[:, max(0, joined.shape[1] - self.batches + 1) :].copy()
        total = windows(joined if self._adds else joined * sizes, self.batches)[:, before:]
        counted = windows(sizes, self.batches)[before:]
        return total / counted * (self._rows if self._adds else 1)


def windows(values: Floats, size: int) -> Floats:
    """Sums over the last `size` values along the last axis, over all so far where there are fewer.

    As the end of one block of `size` values and the beginning of the next: unlike differences
    of one running sum, this forgets large values altogether.
    """
    count = values.shape[-1]
    padding = -count % size
    blocks = np.pad(values, [(0, 0)] * (values.ndim - 1) + [(0, padding)])
    blocks = blocks.reshape(*values.shape[:-1], -1, size)
    sums = blocks.cumsum(axis=-1).reshape(*values.shape[:-1], -1)[..., :count]
    end = blocks[..., ::-1].cumsum(axis=-1)[..., ::-1].reshape(*values.shape[:-1], -1)
    behind = np.flatnonzero((np.arange(count) % size != size - 1) & (np.arange(count) >= size))
    sums[..., behind] += end[..., behind - size + 1]
    return sums
