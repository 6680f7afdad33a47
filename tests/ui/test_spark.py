"""Sparklines as strings."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tuitrain.record.series import Series
from tuitrain.ui.widgets.spark import BARS, CROSS, PLAIN, direction, spark


def series_of(values: list[float]) -> Series:
    series = Series()
    series.append(1, 1, np.array(values, float))
    return series


def test_a_ramp_uses_every_bar() -> None:
    assert spark(series_of([float(v) for v in range(7)]), 7).plain == BARS
    assert spark(series_of([float(v) for v in range(5)]), 5, marker="ascii").plain == PLAIN


def test_a_spike_and_a_dip_within_a_cell_are_seen() -> None:
    values = np.full(10_000, 5.0)
    values[2_345], values[7_777] = 90.0, -80.0
    bars = spark(series_of(values.tolist()), 20).plain
    assert bars[4] == "▇"
    assert bars[15] == "▁"
    assert set(bars[:4] + bars[5:15] + bars[16:]) == {"▄"}


def test_a_value_that_swings_within_each_cell_does_not_look_calm() -> None:
    swinging = [(-1.0) ** step * 0.99**step for step in range(200)]
    bars = spark(series_of(swinging), 20).plain
    heights = [BARS.index(bar) for bar in bars]
    turns = [b - a for a, b in pairwise(heights)]
    assert all(a * b < 0 for a, b in pairwise(turns[:11])), bars
    assert bars[0] == "▇"


def test_of_peaks_in_neighbouring_cells_the_highest_is_seen() -> None:
    values = np.full(200, 5.0)
    values[43], values[58], values[71] = 50.0, 95.0, 60.0
    bars = spark(series_of(values.tolist()), 20).plain
    assert bars[5] == "▇"


def test_what_is_not_finite_is_a_cross_and_what_is_not_there_is_held() -> None:
    text = spark(series_of([1.0, math.nan, 2.0, math.inf]), 4, style="green", warning="red")
    assert text.plain == f"▁{CROSS[False]}▇{CROSS[False]}"
    assert [str(span.style) for span in text.spans] == ["green", "red", "green", "red"]
    series = Series()
    series.append(1, 10, np.array([0.0, 1.0]))
    assert spark(series, 4).plain == "▁▁▁▇"
    assert spark(series, 4, span=(-28, 12)).plain == "  ▁▇"


def test_what_is_yet_to_come_is_blank() -> None:
    ramp = series_of([float(v) for v in range(35)])
    assert spark(ramp, 14, span=(1, 70)).plain == BARS + " " * 7
    assert spark(series_of([1.0, 2.0]), 8, span=(1, 15_000)).plain == "▄" + " " * 7
    assert spark(series_of([math.nan]), 3, span=(1, 9)).plain == f"{CROSS[False]}  "


def test_little_or_nothing() -> None:
    assert spark(Series(), 3).plain == "   "
    assert spark(series_of([2.0]), 3).plain == "▄▄▄"
    assert set(spark(series_of([3.0] * 50), 5).plain) == {"▄"}
    assert direction(Series()) == " "


def test_direction() -> None:
    assert direction(series_of([1.0, 2.0, math.nan])) == "↗"
    assert direction(series_of([2.0, 1.0]), marker="ascii") == "v"
    assert direction(series_of([2.0, 2.0001])) == "→"
    assert direction(series_of([9.0, *[1.0] * 200])) == "→"


@settings(deadline=None)
@given(st.lists(st.floats(), max_size=200), st.integers(1, 50), st.sampled_from(["block", "ascii"]))
def test_every_series_gives_as_many_cells_as_asked(
    values: list[float], width: int, marker: str
) -> None:
    text = spark(series_of(values), width, marker=marker)  # type: ignore[arg-type]
    assert text.cell_len == width
