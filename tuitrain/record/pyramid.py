"""Minima and maxima of a growing array over any stretch of it, without reading it all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

BLOCK = 16
"""Entries that one entry of the next level sums up."""


class _Buffer:
    """An array that grows in place; `view` is its filled part."""

    def __init__(self, dtype: DTypeLike) -> None:
        self._array: NDArray[Any] = np.empty(256, dtype)
        self.size = 0

    @property
    def view(self) -> NDArray[Any]:
        return self._array[: self.size]

    def copy(self) -> _Buffer:
        twin = _Buffer(self._array.dtype)
        twin.extend(self.view)
        return twin

    def extend(self, values: NDArray[Any]) -> None:
        size = self.size + len(values)
        if size > len(self._array):
            grown = np.empty(max(size, 2 * len(self._array)), self._array.dtype)
            grown[: self.size] = self.view
            self._array = grown
        self._array[self.size : size] = values
        self.size = size


DIRECT = 4096
"""So few entries are read sooner than the pyramid is climbed."""

Extremes = tuple[NDArray[Any], NDArray[Any], NDArray[np.bool_]]
"""Minimum, maximum and non-finite mark; +inf and -inf where there is no finite value."""


class _Rows:
    """The bottom of the pyramid: the rows themselves, kept once unless they have an envelope."""

    def __init__(self, dtype: DTypeLike) -> None:
        self.values = self.low = self.high = _Buffer(dtype)

    def extend(
        self, values: NDArray[Any], low: NDArray[Any] | None, high: NDArray[Any] | None
    ) -> None:
        if low is not None and high is not None and self.low is self.values:
            self.low, self.high = self.values.copy(), self.values.copy()
        self.values.extend(values)
        if self.low is not self.values:
            finite = np.isfinite(values)
            self.low.extend(values if low is None else np.where(finite, low, values))
            self.high.extend(values if high is None else np.where(finite, high, values))

    def read(self, entries: NDArray[np.int64] | slice) -> Extremes:
        low, high = self.low.view[entries], self.high.view[entries]
        low_finite, high_finite = np.isfinite(low), np.isfinite(high)
        return (
            np.where(low_finite, low, np.inf),
            np.where(high_finite, high, -np.inf),
            ~(low_finite & high_finite),
        )

    @property
    def size(self) -> int:
        return self.values.size


class _Blocks:
    """A level of the pyramid: extremes of each whole block of entries of the level below."""

    def __init__(self, dtype: DTypeLike) -> None:
        self.low, self.high, self.bad = _Buffer(dtype), _Buffer(dtype), _Buffer(np.bool_)

    @property
    def size(self) -> int:
        return self.low.size

    def read(self, entries: NDArray[np.int64] | slice) -> Extremes:
        return self.low.view[entries], self.high.view[entries], self.bad.view[entries]

    def extend_from(self, below: _Rows | _Blocks) -> None:
        """Sum up the blocks of the level below that have become complete."""
        entries = slice(self.size * BLOCK, below.size // BLOCK * BLOCK)
        if entries.start < entries.stop:
            low, high, bad = (part.reshape(-1, BLOCK) for part in below.read(entries))
            self.low.extend(np.min(low, axis=1))
            self.high.extend(np.max(high, axis=1))
            self.bad.extend(np.max(bad, axis=1))


class Pyramid:
    """A growing array with the extremes of its blocks of `BLOCK`, `BLOCK`^2, ... rows.

    Args:
        dtype: of the values.
    """

    def __init__(self, dtype: DTypeLike) -> None:
        self._dtype = dtype
        self._base = _Rows(dtype)
        self._blocks: list[_Blocks] = []

    def __len__(self) -> int:
        return self._base.size

    @property
    def values(self) -> NDArray[Any]:
        """All rows, [rows]; a view that the next `append` may leave behind."""
        return self._base.values.view

    def append(
        self,
        values: NDArray[Any],
        low: NDArray[Any] | None = None,
        high: NDArray[Any] | None = None,
    ) -> None:
        """Add rows [n], each standing for all between `low` and `high` [n] if these are given."""
        self._base.extend(values, low, high)

    def extremes(
        self, start: NDArray[np.int64], stop: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
        """Minimum, maximum and non-finite mark over the rows [start, stop) of each interval.

        Minimum and maximum are over the finite rows, NaN where there is none.

        Climbs the pyramid: each level gives the entries that stick out of whole blocks at
        both ends of an interval, the next level up the blocks between.
        """
        if int((stop - start).max(initial=0)) * len(start) > DIRECT:
            self._sum_up()
        low = np.full(len(start), np.inf)
        high = np.full(len(start), -np.inf)
        bad = np.zeros(len(start), np.bool_)
        top = len(self._levels) - 1
        for k, level in enumerate(self._levels):
            longest = int((stop - start).max(initial=0))
            if k == top or longest <= 2 * BLOCK or longest * len(start) <= DIRECT:
                _take(level, start, stop, low, high, bad)
                break
            head = np.minimum(-(-start // BLOCK) * BLOCK, stop)
            tail = np.maximum(stop // BLOCK * BLOCK, head)
            _take(level, start, head, low, high, bad)
            _take(level, tail, stop, low, high, bad)
            start, stop = -(-head // BLOCK), tail // BLOCK
        low[low == np.inf] = math.nan
        high[high == -np.inf] = math.nan
        return low, high, bad

    @property
    def enveloped(self) -> bool:
        """Whether rows stand for more than their value."""
        return self._base.low is not self._base.values

    @property
    def _levels(self) -> list[_Rows | _Blocks]:
        return [self._base, *self._blocks]

    def _sum_up(self) -> None:
        """Let every level hold all whole blocks of the one below, as of the last `append`."""
        for below, level in zip(self._levels, self._blocks, strict=False):
            level.extend_from(below)
        while (below := self._levels[-1]).size >= BLOCK:
            self._blocks.append(_Blocks(self._dtype))
            self._blocks[-1].extend_from(below)


def _take(
    level: _Rows | _Blocks,
    start: NDArray[np.int64],
    stop: NDArray[np.int64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    bad: NDArray[np.bool_],
) -> None:
    """Fold the few entries [start, stop) of each interval into low, high and bad."""
    width = int((stop - start).max(initial=0))
    if width <= 0:
        return
    # Reading an interval's first entry again is harmless; an empty interval must stay out.
    some = np.flatnonzero(start < stop)
    offsets = np.minimum(np.arange(width), (stop - start)[some, None] - 1)
    entries = start[some, None] + offsets
    least, greatest, marked = level.read(entries)
    low[some] = np.minimum(low[some], least.min(axis=1))
    high[some] = np.maximum(high[some], greatest.max(axis=1))
    bad[some] |= np.max(marked, axis=1)


def extremes(
    pyramids: Sequence[Pyramid], start: NDArray[np.int64], stop: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """`Pyramid.extremes` of several, `[pyramids, intervals]` each.

    Args:
        start, stop: intervals that follow one another without a gap.
    """
    first, end = (int(start[0]), int(stop[-1])) if len(start) else (0, 0)
    if end - first > DIRECT or any(pyramid.enveloped for pyramid in pyramids):
        parts = zip(*(pyramid.extremes(start, stop) for pyramid in pyramids), strict=True)
        low, high, bad = (np.stack(part) for part in parts)
        return low, high, bad
    shape = len(pyramids), len(start)
    low, high = np.full(shape, math.nan), np.full(shape, math.nan)
    bad = np.zeros(shape, np.bool_)
    filled = start < stop
    if first < end:
        rows = np.stack([pyramid.values[first:end] for pyramid in pyramids]).astype(np.float64)
        begins = start[filled] - first
        finite = np.isfinite(rows)
        if not finite.all():
            bad[:, filled] = ~np.logical_and.reduceat(finite, begins, axis=1)
            rows[~finite] = math.nan
        low[:, filled] = np.fmin.reduceat(rows, begins, axis=1)
        high[:, filled] = np.fmax.reduceat(rows, begins, axis=1)
    return low, high, bad
