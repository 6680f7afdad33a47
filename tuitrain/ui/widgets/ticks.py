"""Scales, the round numbers on them, and labels short enough for a terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

SUFFIXES = ("", "k", "M", "G", "T")
LARGEST = 1e300
"""Values are drawn as if they were no greater (on a log scale, its inverse: no less), so that a
range never overflows."""
LOG_LARGEST = 700.0
"""Logarithm of what an axis may end at: `LARGEST`, or its inverse, and some room."""


@dataclass(frozen=True)
class Scale:
    """Maps values to positions: `low` to 0, `high` to 1, in equal ratios if `log`."""

    low: float
    high: float
    log: bool = False

    def unit(self, values: ArrayLike) -> NDArray[np.float64]:
        """Position of each value; on a log scale -inf for zero and below; NaN stays NaN."""
        v = np.clip(np.asarray(values, np.float64), -LARGEST, LARGEST)
        if not self.log:
            return np.asarray((v - self.low) / (self.high - self.low))
        with np.errstate(divide="ignore", invalid="ignore"):
            positive = np.maximum(v, 1 / LARGEST)
            logarithm = np.log(np.where(v > 0, positive, np.where(np.isnan(v), v, 0.0)))
        low, high = math.log(self.low), math.log(self.high)
        return np.asarray((logarithm - low) / (high - low))

    def value(self, unit: float) -> float:
        """The value at a position; the inverse of `unit`."""
        if not self.log:
            return self.low + unit * (self.high - self.low)
        low, high = math.log(self.low), math.log(self.high)
        position = low + unit * (high - low)
        return math.exp(min(max(position, -LOG_LARGEST), LOG_LARGEST))


# Round numbers --------------------------------------------------------------------------------


SMALLEST = 1e-300
"""Numbers not much smaller lose their digits, and powers of ten their exactness."""


def _nice_step(span: float, count: int) -> float:
    """The least of 1, 2, 5 times a power of ten that divides `span` into at most `count`."""
    least = max(span / max(count, 1), SMALLEST)
    power = 10.0 ** math.floor(math.log10(least))
    return next(m * power for m in (1.0, 2.0, 5.0, 10.0) if m * power >= least * (1 - 1e-9))


def _multiples(low: float, high: float, step: float) -> list[float]:
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [float(f"{k * step:.12g}") for k in range(first, last + 1)]


def _one_two_five(low: float, high: float, mantissas: Sequence[int]) -> list[float]:
    exponents = range(math.floor(math.log10(low)), math.floor(math.log10(high)) + 1)
    values = (float(f"{m}e{e}") for e in exponents for m in mantissas)
    return [v for v in values if low * (1 - 1e-9) <= v <= high * (1 + 1e-9)]


def _thinned(decades: list[float], stride: int) -> list[float]:
    """Every `stride`-th power of ten; of many decades those with round exponents, if several."""
    if stride > 2:
        step = _nice_step(stride, 1)
        round_ones = [value for value in decades if round(math.log10(value)) % step == 0]
        if len(round_ones) > 1:
            return round_ones
    return decades[::stride]


def ticks(scale: Scale, count: int) -> list[float]:
    """Round numbers within a scale, rising: about `count`, at most one more, at least two.

    With a `count` of 1 there may be but one, and none where the scale has no finite span.
    """
    if not 0 < scale.high - scale.low < math.inf:
        return []
    count = max(count, 1)
    if scale.log:
        for mantissas in (range(1, 10), (1, 2, 5), (1,)):
            round_ones = _one_two_five(scale.low, scale.high, mantissas)
            if 2 <= len(round_ones) <= count + 1:
                return round_ones
        decades = _one_two_five(scale.low, scale.high, (1,))
        if len(decades) > 1:
            return _thinned(decades, math.ceil(len(decades) / count))
    found: list[float] = []
    finer = count
    while len(found) < min(count, 2):  # a range may lie between two multiples of its step
        found = _multiples(scale.low, scale.high, _nice_step(scale.high - scale.low, finer))
        finer *= 2
    return found if len(found) <= count + 1 else found[:: math.ceil(len(found) / count)]


def widened(low: float, high: float, log: bool) -> tuple[float, float]:
    """A range that is not empty, around one that may be."""
    low, high = max(low, -LARGEST), min(high, LARGEST)
    if log:
        low, high = max(low, 1 / LARGEST), max(high, 1 / LARGEST)
        return (low, high) if high > low * (1 + 1e-6) else (low * 0.8, low * 1.25)
    size = max(abs(low), abs(high))
    if high - low > max(1e-6 * size, SMALLEST):
        return low, high
    margin = 0.1 * size if size > 10 * SMALLEST else 1.0
    return low - margin, high + margin


def nice_range(low: float, high: float, count: int, log: bool = False) -> tuple[float, float]:
    """The range widened to round numbers, so that it changes seldom while data grow."""
    low, high = widened(low, high, log)
    if log and high / low >= 10:
        below = 10.0 ** math.floor(math.log10(low))
        above = 10.0 ** math.floor(math.log10(high))
        return (
            max(m * below for m in (1, 2, 5) if m * below <= low * (1 + 1e-9)),
            min(m * above for m in (1, 2, 5, 10) if m * above >= high * (1 - 1e-9)),
        )
    step = _nice_step(high - low, count)
    start, stop = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    if log and start <= 0:
        return low, stop * step
    return float(f"{start * step:.12g}"), float(f"{stop * step:.12g}")


DECADES = 100.0
"""A loss that has fallen to a hundredth is shown on a logarithmic axis, unless the user chose."""


def spans_decades(least: float, most: float) -> bool:
    """Whether a linear axis would show nothing of the lower values; 0 is below all decades."""
    return bool(0 <= DECADES * least < most)


# Labels ---------------------------------------------------------------------------------------


def _scientific(value: float, digits: int) -> str:
    mantissa, exponent = f"{value:.{digits}e}".split("e")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return f"{mantissa}e{int(exponent)}"


def _suffixed(value: float, decimals: int) -> str:
    """With k, M, G or T, to `decimals` places of the number itself (negative: of its tens)."""
    thousands = min(int(math.log10(abs(value)) / 3 + 1e-12), len(SUFFIXES) - 1)
    text = f"{value / 1000**thousands:.{max(0, decimals + 3 * thousands)}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return text + SUFFIXES[thousands]


def compact(value: float, digits: int = 4) -> str:
    """A value in few characters: 0.6573, 2055, 15k, 2e-5, nan."""
    if not math.isfinite(value) or value == 0:
        return f"{value:.0f}"
    magnitude = math.floor(math.log10(abs(value)))
    if not -3 <= magnitude < 15:
        return _scientific(value, digits - 1)
    if magnitude < 3:
        text = f"{value:.{digits}g}"
        return f"{value:.0f}" if "e" in text else text
    suffixed = _suffixed(value, digits - 1 - magnitude)
    return min((f"{value:.0f}", suffixed), key=len) if magnitude < 6 else suffixed


def labels(values: Sequence[float]) -> list[str]:
    """A label for each of rising ticks: short, all different, all in the same manner."""
    gaps = [b - a for a, b in pairwise(values)]
    uneven = bool(gaps) and max(gaps) > 1.5 * min(gaps)
    if uneven or (len(values) == 2 and 0 < 10 * values[0] <= values[1]):  # of a log scale
        return [compact(v, 3) for v in values]
    decimals = max((-_last_place(v) for v in values if v), default=0)
    plain = [_plain(v, decimals) for v in values]
    powers = [_power(v, decimals) for v in values]
    largest = max(map(abs, values), default=0.0)
    width = max(map(len, plain), default=0)
    fits = width <= 6 or width <= max(map(len, powers))
    return plain if largest < 1e15 and fits else powers


def _last_place(value: float) -> int:
    """Power of ten of the last digit of a round number: -2 for 0.25, 3 for 5000."""
    exponent = Decimal(f"{value:.12g}").normalize().as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


def _plain(value: float, decimals: int) -> str:
    if value == 0:
        return "0"
    return _suffixed(value, decimals) if abs(value) >= 1000 else f"{value:.{max(0, decimals)}f}"


def _power(value: float, decimals: int) -> str:
    if value == 0:
        return "0"
    return _scientific(value, max(0, math.floor(math.log10(abs(value)) + 1e-9) + decimals))
