"""Recorded values over steps, kept so that any stretch of them can be drawn at once."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from tuitrain.record.pyramid import Pyramid, extremes


@dataclass(frozen=True)
class Columns:
    """A series reduced to `n` pixel columns; values are NaN where a column has no finite row.

    Attributes:
        first: [n] the earliest row's value.
        last: [n] the latest row's value.
        low: [n] minimum over the finite rows.
        high: [n] maximum over the finite rows.
        bad: [n] whether a row of the column is NaN or infinite.
    """

    first: NDArray[np.float64]
    last: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    bad: NDArray[np.bool_]


KEPT = 3
"""Reductions that a series remembers: those of a chart and of a sparkline at the same time."""


class _Reduced(NamedTuple):
    """What was reduced: a chart asks for the same columns again as rows come in."""

    edges: NDArray[np.float64]
    last_step: float
    values: NDArray[np.float64]
    """[4, n]: first, last, low and high of the columns."""
    bad: NDArray[np.bool_]

    @property
    def columns(self) -> Columns:
        first, last, low, high = self.values
        return Columns(first, last, low, high, self.bad)


class Series:
    """A growing sequence of (step, value) rows with a pyramid of minima and maxima.

    Steps rise; they need not be evenly spaced over the whole series, only within each append.

    Args:
        dtype: in which values are kept.
    """

    def __init__(self, dtype: DTypeLike = np.float64) -> None:
        self.dtype = np.dtype(dtype)
        self._pyramid = Pyramid(self.dtype)
        # Stretch j starts at row _rows[j], which is step _steps[j], and goes on by _strides[j].
        self._rows: list[int] = []
        self._steps: list[int] = []
        self._strides: list[int] = []
        self._reduced: dict[tuple[float, float, int, bool], _Reduced] = {}

    def __len__(self) -> int:
        return len(self._pyramid)

    @property
    def values(self) -> NDArray[np.floating]:
        """All values, [rows]; a view that the next append may leave behind."""
        return self._pyramid.values

    @property
    def steps(self) -> NDArray[np.int64]:
        """The step of each row, [rows]."""
        pieces = [
            first + stride * np.arange(rows.stop - rows.start, dtype=np.int64)
            for rows, first, stride in self.stretches()
        ]
        return np.concatenate(pieces) if pieces else np.empty(0, np.int64)

    @property
    def first_step(self) -> int:
        """Step of the first row; 0 without rows."""
        return self._steps[0] if self._steps else 0

    @property
    def last_step(self) -> int:
        """Step of the last row; 0 without rows."""
        return self._step(len(self) - 1) if len(self) else 0

    @property
    def last(self) -> float:
        """Value of the last row; NaN without rows."""
        return float(self.values[-1]) if len(self) else math.nan

    @property
    def min(self) -> float:
        """Least finite value; NaN without one."""
        return float(self._pyramid.extremes(np.array([0]), np.array([len(self)]))[0][0])

    @property
    def max(self) -> float:
        """Greatest finite value; NaN without one."""
        return float(self._pyramid.extremes(np.array([0]), np.array([len(self)]))[1][0])

    def append(
        self,
        steps_first: int,
        stride: int,
        values: NDArray[np.floating],
        low: NDArray[np.floating] | None = None,
        high: NDArray[np.floating] | None = None,
    ) -> None:
        """Add rows at steps `steps_first`, `steps_first + stride`, ..., all after the last one.

        Args:
            values: [rows].
            low, high: [rows] the extremes over the steps that a thinned row stands for;
                they are drawn, while `values` is what `at`, `last` and smoothing see.
        """
        if not len(values):
            return
        if not len(self) or self._strides[-1] != stride or self.last_step + stride != steps_first:
            self._rows.append(len(self))
            self._steps.append(int(steps_first))
            self._strides.append(int(stride))
        self._pyramid.append(np.asarray(values), low, high)

    def at(self, step: int) -> float:
        """The value in force at a step: that of the row at or just before it.

        NaN before the first row and after the last.
        """
        row = int(self._row_from(np.array([step + 1]))[0]) - 1
        if row < 0 or step >= self.last_step + self._strides[-1]:
            return math.nan
        return float(self.values[row])

    def row_at(self, step: int) -> int:
        """The step of the row that `at` reads; 0 before the first row."""
        row = int(self._row_from(np.array([step + 1]))[0]) - 1
        return self._step(row) if row >= 0 else 0

    def row_from(self, step: int) -> int:
        """The index of the first row at `step` or after it; `len(self)` where there is none."""
        return int(self._row_from(np.array([step]))[0])

    def neighbours(
        self, x0: float, x1: float
    ) -> tuple[tuple[int, float] | None, tuple[int, float] | None]:
        """(step, value) of the last row before `x0` and of the first row after `x1`."""
        if not len(self):
            return None, None
        before = int(self._row_from(np.array([x0]))[0]) - 1
        after = int(self._row_from(np.array([math.floor(x1) + 1]))[0])
        return (
            (self._step(before), float(self.values[before])) if before >= 0 else None,
            (self._step(after), float(self.values[after])) if after < len(self) else None,
        )

    def columns(self, x0: float, x1: float, n: int, log_x: bool = False) -> Columns:
        """Reduce the steps in [x0, x1] to `n` pixel columns of equal width.

        Column i holds the steps from its left edge up to, not with, the left edge of column
        i + 1; the last column holds `x1` too. With `log_x` the widths are equal in log(step).

        Raises:
            ValueError: if the range is empty, or not positive with `log_x`.
        """
        return columns_of([self], x0, x1, n, log_x)[0]

    def _begun(self, x0: float, x1: float, n: int, log_x: bool) -> _Reduced:
        """What is reduced so far, to be brought up to date."""
        key = x0, x1, n, log_x
        if key not in self._reduced:
            if len(self._reduced) == KEPT:
                del self._reduced[next(iter(self._reduced))]
            edges = np.geomspace(x0, x1, n + 1) if log_x else np.linspace(x0, x1, n + 1)
            edges[-1] = math.floor(x1) + 1
            self._reduced[key] = _Reduced(
                edges, -math.inf, np.full((4, n), math.nan), np.zeros(n, np.bool_)
            )
        return self._reduced[key]

    @property
    def _clock(self) -> tuple[int, ...]:
        """The same for series whose rows stand at the same steps."""
        return (len(self), *self._rows, *self._steps, *self._strides)

    def stretches(self, row: int = 0) -> Iterator[tuple[slice, int, int]]:
        """The evenly spaced stretches from a row on: (their rows, first step, stride)."""
        ends = [*self._rows[1:], len(self)] if self._rows else []
        for start, stop, first, stride in zip(
            self._rows, ends, self._steps, self._strides, strict=True
        ):
            begin = max(start, row)
            if begin < stop:
                yield slice(begin, stop), first + (begin - start) * stride, stride

    def _step(self, row: int) -> int:
        stretch = bisect_right(self._rows, row) - 1
        return self._steps[stretch] + (row - self._rows[stretch]) * self._strides[stretch]

    def _row_from(self, x: NDArray[np.floating] | NDArray[np.integer]) -> NDArray[np.int64]:
        """The first row whose step is at least x, for each x; `len(self)` where there is none."""
        if not len(self):
            return np.zeros(len(x), np.int64)
        # Whole steps in integers: a division in floating point could miss the row by one.
        step = np.ceil(np.clip(x, -1, self.last_step + 1)).astype(np.int64)
        starts, strides = np.array(self._steps), np.array(self._strides)
        begins, ends = np.array(self._rows), np.array([*self._rows[1:], len(self)])
        stretch = np.maximum(np.searchsorted(starts, step, side="right") - 1, 0)
        rows = begins[stretch] - (starts[stretch] - step) // strides[stretch]
        clipped: NDArray[np.int64] = np.clip(rows, begins[stretch], ends[stretch])
        return clipped


# Columns --------------------------------------------------------------------------------------


def columns_of(
    series: Sequence[Series], x0: float, x1: float, n: int, log_x: bool = False
) -> list[Columns]:
    """`Series.columns` of each: those whose rows stand at the same steps are reduced together.

    Raises:
        ValueError: if the range is empty, or not positive with `log_x`.
    """
    if not x0 < x1 or n < 1 or (log_x and x0 <= 0):
        raise ValueError(f"cannot reduce steps {x0} to {x1} to {n} columns")
    key = x0, x1, n, log_x
    alike: dict[tuple[float, ...], list[Series]] = {}
    for one in series:
        before = one._begun(*key)
        if len(one) and before.last_step != one.last_step:
            alike.setdefault((before.last_step, *one._clock), []).append(one)
    for group in alike.values():
        found = _extended(group, [one._reduced[key] for one in group])
        for one, reduced in zip(group, found, strict=True):
            one._reduced[key] = reduced
    return [one._reduced[key].columns for one in series]


def _extended(group: list[Series], before: list[_Reduced]) -> list[_Reduced]:
    """With the rows that came after: they lie in the last columns that had any, or later."""
    one, (edges, seen, _, _) = group[0], before[0]
    begin = int(np.searchsorted(edges[1:], seen, side="right"))
    end = max(begin, int(np.searchsorted(edges[:-1], one.last_step, side="right")))
    rows = one._row_from(edges[begin : end + 1])
    start, stop = rows[:-1], rows[1:]
    filled = start < stop
    firsts, lasts = start[filled], stop[filled] - 1
    low, high, bad = extremes([each._pyramid for each in group], start, stop)
    found = []
    for i, (each, old) in enumerate(zip(group, before, strict=True)):
        values, marked = old.values.copy(), old.bad.copy()
        new = values[:, begin:end]
        ends = np.stack([each.values[firsts], each.values[lasts]])
        new[:2, filled] = np.where(np.isfinite(ends), ends, math.nan)
        new[2], new[3], marked[begin:end] = low[i], high[i], bad[i]
        found.append(_Reduced(edges, one.last_step, values, marked))
    return found


# Smoothing ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Carry:
    """Where an exponential moving average stands: its uncorrected value after `count` values."""

    value: float = 0.0
    count: int = 0


def ema(
    values: NDArray[np.floating], weight: float, carry: Carry | None = None
) -> tuple[NDArray[np.float64], Carry]:
    """Exponential moving average m_n = w m_(n-1) + (1 - w) x_n, divided by 1 - w^n.

    The division removes the pull towards m_0 = 0, as Adam (Kingma and Ba, 2015) and
    TensorBoard do. Non-finite values are passed over: they give NaN and change nothing.

    Args:
        values: [n].
        weight: w, at least 0 and below 1; 0 smooths nothing.
        carry: what the chunk before this one returned.

    Returns:
        The averages [n], and what the next chunk needs.

    Raises:
        ValueError: if the weight is out of range.
    """
    if not 0 <= weight < 1:
        raise ValueError(f"weight {weight} is not in [0, 1)")
    carry = carry or Carry()
    smooth = np.full(len(values), math.nan)
    finite = np.isfinite(values)
    kept = np.asarray(values[finite], np.float64)
    if not len(kept):
        return smooth, carry
    average = _recurrence((1 - weight) * kept, weight, carry.value)
    count = carry.count + np.arange(1, len(kept) + 1)
    smooth[finite] = average / -np.expm1(count * math.log(weight)) if weight else average
    return smooth, Carry(float(average[-1]), int(count[-1]))


def _recurrence(inputs: NDArray[np.float64], factor: float, start: float) -> NDArray[np.float64]:
    """y_n = factor y_(n-1) + inputs_n with y_0 = start.

    Blocks of 64 are one product with a triangular matrix of powers; the values at the ends
    of the blocks are themselves such a recurrence.
    """
    size, block = len(inputs), 64
    powers = factor ** np.arange(block + 1.0)
    padded = np.zeros(-(-size // block) * block)
    padded[:size] = inputs
    lags = np.arange(block) - np.arange(block)[:, None]
    inside = padded.reshape(-1, block) @ np.where(lags >= 0, powers[np.abs(lags)], 0.0)
    before = np.empty(len(inside))
    before[0] = start
    if len(inside) > 1:
        before[1:] = _recurrence(inside[:-1, -1], float(powers[block]), start)
    result: NDArray[np.float64] = (inside + before[:, None] * powers[1:]).ravel()[:size]
    return result


class SmoothedSeries(Series):
    """The exponential moving average of a series, kept up with it by `update`.

    Args:
        source: what is smoothed; all of it, whatever part of it is looked at.
        weight: see `ema`.
    """

    def __init__(self, source: Series, weight: float) -> None:
        super().__init__()
        self.source, self.weight = source, weight
        self._carry = Carry()
        self.update()

    def update(self) -> None:
        """Take in the rows that the source has gained."""
        done = len(self)
        smooth, self._carry = ema(self.source.values[done:], self.weight, self._carry)
        for rows, first, stride in self.source.stretches(done):
            self.append(first, stride, smooth[rows.start - done : rows.stop - done])
