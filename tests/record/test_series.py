"""The pyramid against plain scans, smoothing against the plain loop."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray

from tuitrain.record.series import Carry, Columns, Series, SmoothedSeries, ema

values_of = st.one_of(
    st.floats(-1e6, 1e6), st.sampled_from([math.nan, math.inf, -math.inf]), st.just(0.0)
)
chunks_of = st.lists(
    st.tuples(
        st.integers(1, 30),  # steps left out before the chunk
        st.sampled_from([1, 1, 2, 7]),
        st.integers(0, 2**32 - 1),
        st.integers(1, 900),
    ),
    min_size=1,
    max_size=6,
)


def random_values(seed: int, size: int) -> NDArray[np.float64]:
    random = np.random.default_rng(seed)
    values = random.normal(size=size) * 10.0 ** random.integers(-3, 4)
    values[random.random(size) < 0.05] = random.choice([math.nan, math.inf, -math.inf])
    return values


def build(chunks: list[tuple[int, int, int, int]]) -> Series:
    series = Series()
    step = 0
    for skipped, stride, seed, size in chunks:
        series.append(step + skipped, stride, random_values(seed, size))
        step = series.last_step
    return series


def scan(series: Series, x0: float, x1: float, n: int, log_x: bool) -> Columns:
    """The columns by the definition, one row at a time."""
    edges = np.geomspace(x0, x1, n + 1) if log_x else np.linspace(x0, x1, n + 1)
    nan = math.nan
    first, last, low, high = (np.full(n, nan) for _ in range(4))
    bad = np.zeros(n, bool)
    steps, values = series.steps, series.values
    for i in range(n):
        right = steps <= x1 if i == n - 1 else steps < edges[i + 1]
        inside = values[(steps >= edges[i]) & right]
        finite = inside[np.isfinite(inside)]
        bad[i] = len(finite) < len(inside)
        if len(finite):
            low[i], high[i] = finite.min(), finite.max()
        if len(inside):
            first[i] = inside[0] if np.isfinite(inside[0]) else nan
            last[i] = inside[-1] if np.isfinite(inside[-1]) else nan
    return Columns(first, last, low, high, bad)


@settings(deadline=None, max_examples=150)
@given(chunks_of, st.floats(0.5, 4000), st.floats(0.5, 4000), st.integers(1, 60), st.booleans())
def test_columns_are_the_exact_extremes_of_their_rows(
    chunks: list[tuple[int, int, int, int]], a: float, b: float, n: int, log_x: bool
) -> None:
    series = build(chunks)
    x0, x1 = min(a, b), max(a, b) + 1
    got, expected = series.columns(x0, x1, n, log_x), scan(series, x0, x1, n, log_x)
    for name in ("low", "high", "first", "last", "bad"):
        assert_array_equal(getattr(got, name), getattr(expected, name), err_msg=name)


def test_no_row_is_lost_in_a_long_series() -> None:
    values = np.zeros(3_000_000)
    values[[17, 1_234_567, 2_999_999]] = [5, -7, 9]
    values[2_000_000] = math.nan
    series = Series(np.float32)
    for start in range(0, len(values), 70_001):
        series.append(1 + start, 1, values[start : start + 70_001])
    columns = series.columns(1, 3_000_000, 200)
    assert_array_equal(np.flatnonzero(columns.high > 0), [0, 199])
    assert_array_equal(np.flatnonzero(columns.low < 0), [82])
    assert_array_equal(np.flatnonzero(columns.bad), [133])
    assert (series.min, series.max, series.last, series.last_step) == (-7, 9, 9, 3_000_000)


@settings(deadline=None)
@given(st.lists(values_of, min_size=1, max_size=300), st.integers(1, 5), st.integers(1, 9))
def test_growing_row_by_row_equals_one_append(values: list[float], stride: int, size: int) -> None:
    whole, grown = Series(), Series()
    array = np.array(values)
    whole.append(1, stride, array)
    for start in range(0, len(array), size):
        grown.append(1 + start * stride, stride, array[start : start + size])
    assert_array_equal(whole.values, grown.values)
    assert_array_equal(whole.steps, grown.steps)
    assert list(grown.stretches()) == list(whole.stretches())
    for name in ("low", "high", "bad"):
        a, b = (getattr(s.columns(0, len(array) * stride + 2, 7), name) for s in (whole, grown))
        assert_array_equal(a, b)


def test_value_at_a_step() -> None:
    series = Series()
    assert math.isnan(series.at(3))
    series.append(10, 5, np.array([1.0, 2.0, 3.0]))
    assert [series.at(step) for step in (10, 14, 15, 20, 24)] == [1, 1, 2, 3, 3]
    assert math.isnan(series.at(9))
    assert math.isnan(series.at(25))
    assert series.neighbours(11, 17) == ((10, 1.0), (20, 3.0))
    assert series.neighbours(0, 40) == (None, None)
    assert series.neighbours(10, 20) == (None, None)


def test_a_thinned_loss_shows_its_extremes() -> None:
    series = Series()
    series.append(1, 4, np.array([2.0, 3.0]), np.array([1.0, -8.0]), np.array([9.0, 3.5]))
    columns = series.columns(1, 8, 2)
    assert_array_equal(columns.low, [1, -8])
    assert_array_equal(columns.high, [9, 3.5])
    assert series.at(5) == 3.0


def test_empty_and_impossible_ranges() -> None:
    series = Series()
    assert np.isnan(series.columns(0, 10, 5).low).all()
    assert math.isnan(series.min)
    assert series.steps.shape == (0,)
    for x0, x1, n, log_x in ((5, 5, 3, False), (6, 5, 3, False), (1, 2, 0, False), (0, 9, 3, True)):
        with pytest.raises(ValueError, match="cannot reduce"):
            series.columns(x0, x1, n, log_x)


# Smoothing ------------------------------------------------------------------------------------


def plain_ema(values: NDArray[np.float64], weight: float) -> NDArray[np.float64]:
    """The definition as a loop."""
    smooth, average, count = [], 0.0, 0
    for value in values:
        if math.isfinite(value):
            average = weight * average + (1 - weight) * value
            count += 1
            smooth.append(average / (1 - weight**count))
        else:
            smooth.append(math.nan)
    return np.array(smooth)


@settings(deadline=None)
@given(
    st.lists(values_of, max_size=400),
    st.sampled_from([0.0, 0.1, 0.6, 0.9, 0.99, 0.999]),
    st.integers(1, 130),
)
def test_ema_equals_the_plain_loop_in_chunks_of_any_size(
    values: list[float], weight: float, size: int
) -> None:
    array = np.array(values, np.float64)
    pieces, carry = [np.empty(0)], Carry()
    for start in range(0, len(array), size):
        smooth, carry = ema(array[start : start + size], weight, carry)
        pieces.append(smooth)
    scale = np.abs(array[np.isfinite(array)]).max(initial=1e-300)
    expected = plain_ema(array, weight)
    assert_allclose(np.concatenate(pieces) / scale, expected / scale, rtol=1e-12, atol=1e-12)


def test_ema_of_a_constant_is_that_constant_from_the_first_value_on() -> None:
    smooth, _ = ema(np.full(20_000, 3.25), 0.999)
    assert_allclose(smooth, 3.25, rtol=1e-12)


@pytest.mark.parametrize("weight", [-0.1, 1.0, math.nan])
def test_ema_refuses_a_weight_that_is_none(weight: float) -> None:
    with pytest.raises(ValueError, match="weight"):
        ema(np.ones(3), weight)


def test_smoothed_series_follows_its_source() -> None:
    values = random_values(7, 5000)
    source = Series()
    smoothed = SmoothedSeries(source, 0.95)
    for start in range(0, 5000, 333):
        source.append(1 + start * 2, 2, values[start : start + 333])
        smoothed.update()
    assert_allclose(smoothed.values, plain_ema(values, 0.95), rtol=1e-10, atol=1e-10)
    assert_array_equal(smoothed.steps, source.steps)
