"""Dots, cells and ticks on plain strings."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tuitrain.record.series import Series
from tuitrain.ui.markers import Marker
from tuitrain.ui.widgets.axes import AutoRange, arrange, to_dots, y_labels
from tuitrain.ui.widgets.canvas import Canvas
from tuitrain.ui.widgets.cells import Cells
from tuitrain.ui.widgets.curves import Curve, Layer, draw_curve, value_range
from tuitrain.ui.widgets.ticks import Scale, compact, labels, nice_range, ticks

MARKERS: list[Marker] = ["braille", "block", "ascii"]


def series_of(values: list[float] | np.ndarray, first: int = 0) -> Series:
    series = Series()
    series.append(first, 1, np.asarray(values, float))
    return series


def drawn(
    series: Series, x: Scale, y: Scale, width: int, height: int, marker: Marker = "braille"
) -> Canvas:
    canvas = Canvas(width, height, marker)
    columns = series.columns(x.low, x.high, canvas.columns, x.log)
    draw_curve(canvas, series, columns, x, y, 0)
    return canvas


# Canvas ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("marker", "picture"),
    [
        ("braille", "⡠⠊"),
        ("block", "▞"),
        ("ascii", ".'"),
    ],
)
def test_a_rising_diagonal(marker: Marker, picture: str) -> None:
    width = len(picture)
    canvas = Canvas(width, 1, marker)
    canvas.line([0.5, canvas.columns - 0.5], [canvas.rows - 0.5, 0.5], 0)
    assert str(canvas) == picture


def test_points_lines_and_gaps() -> None:
    canvas = Canvas(6, 1)
    canvas.line([0.5, 3.5, math.nan, 8.5, 11.5], [1.5, 1.5, 1.5, 1.5, 1.5], 0)
    assert str(canvas) == "⠒⠒  ⠒⠒"
    canvas = Canvas(3, 1)
    canvas.points([3.0], [2.0], 0)
    assert str(canvas) == " ⠶ "


def test_a_column_is_drawn_over_its_whole_span_and_joined_to_the_next() -> None:
    canvas = Canvas(2, 2)
    nan = math.nan
    first = np.array([0.5, 6.5, nan, 0.5])
    last = np.array([0.5, 7.5, nan, 0.5])
    top = np.array([0.5, 4.5, nan, 0.5])
    bottom = np.array([0.5, 7.5, nan, 0.5])
    canvas.curve(first, last, top, bottom, np.array([False, False, True, False]), 0)
    assert str(canvas) == "⢇⠈\n⢸ "


def test_what_lies_above_takes_the_cell_and_equals_share_it() -> None:
    canvas = Canvas(1, 1)
    canvas.dots([0, 1], [0, 3], 1)
    canvas.level = 1
    canvas.dots([0], [2], 2)
    assert (str(canvas), canvas.inks[0, 0]) == ("⠄", 2)
    canvas.dots([1], [2], 3)
    assert (str(canvas), canvas.inks[0, 0]) == ("⠤", 3)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(*[st.floats(allow_nan=True, allow_infinity=True)] * 2), min_size=1, max_size=20
    ),
    st.sampled_from(MARKERS),
    st.integers(1, 12),
    st.integers(1, 5),
)
def test_nothing_that_is_drawn_anywhere_fails(
    points: list[tuple[float, float]], marker: Marker, width: int, height: int
) -> None:
    canvas = Canvas(width, height, marker)
    x, y = (np.array(a) for a in zip(*points, strict=True))
    with np.errstate(all="ignore"):
        canvas.line(x, y, 0)
        canvas.points(x, y, 0)
    assert [len(line) for line in str(canvas).split("\n")] == [width] * height


@settings(deadline=None, max_examples=60)
@given(st.integers(300, 20_000), st.data(), st.sampled_from(MARKERS), st.booleans(), st.booleans())
def test_no_spike_is_lost(
    size: int, data: st.DataObject, marker: Marker, down: bool, log: bool
) -> None:
    at = data.draw(st.integers(1, size))
    values = np.ones(size)
    values[at - 1] = 0.01 if down else 100.0
    x, y = Scale(1.0, float(size), log), Scale(0.005, 200.0, True)
    canvas = drawn(series_of(values, 1), x, y, 40, 10, marker)
    rows = str(canvas).split("\n")
    reached = [row for row, text in enumerate(rows) if text.strip()]
    spike = 8 if down else 0
    assert spike in reached
    where = math.floor(float(x.unit(at)) * 40 + 1e-9)
    near = rows[spike][max(0, where - 1) : where + 2]
    assert near.strip(), (where, rows[spike])


@settings(deadline=None)
@given(st.lists(st.floats(-3, 3), min_size=2, max_size=500), st.sampled_from(MARKERS))
def test_a_curve_has_no_holes(values: list[float], marker: Marker) -> None:
    series = series_of(values)
    canvas = drawn(series, Scale(0, len(values) - 1), Scale(-3.1, 3.1), 20, 6, marker)
    assert (canvas.inks >= 0).any(axis=0).all()


def test_nan_breaks_the_curve_where_it_stands_and_nowhere_else() -> None:
    values = np.zeros(8)
    values[3] = math.nan
    canvas = drawn(series_of(values), Scale(0, 8), Scale(-1, 1), 4, 1)
    assert str(canvas) == "⠤⠄⠤⠤"
    values[3] = 0
    assert str(drawn(series_of(values), Scale(0, 8), Scale(-1, 1), 4, 1)) == "⠤⠤⠤⠤"


def test_a_line_enters_and_leaves_a_view_between_two_rows() -> None:
    series = Series()
    series.append(0, 100, np.array([0.0, 1.0, 2.0]))
    canvas = drawn(series, Scale(110, 190), Scale(0, 2), 10, 2)
    assert (canvas.inks >= 0).any(axis=0).all()


def test_a_value_that_is_not_positive_falls_off_a_log_scale() -> None:
    series = series_of([1.0, 1.0, 0.0, -5.0, 1.0, 1.0])
    canvas = drawn(series, Scale(0, 6), Scale(0.1, 10, True), 3, 1)
    assert str(canvas) == "⠤ ⠤"
    [curve] = Curve.all([Layer("loss", series)], Scale(0, 6), 6, 0.0)
    assert value_range([curve], True, []) == (1.0, 1.0)
    assert value_range([curve], False, [2.0]) == (-5.0, 2.0)


# Cells ----------------------------------------------------------------------------------------


def test_runs_join_blanks_and_changes_name_what_differs() -> None:
    cells, other = Cells(8, 2), Cells(8, 2)
    cells.text(0, 0, "ab", 1)
    cells.text(4, 0, "c", 1)
    cells.text(6, 0, "宽d", 2)
    assert list(cells.runs(0)) == [("ab  c ", 1), ("?d", 2)]
    assert list(cells.changes(other)) == [(0, 0, 7)]
    other.text(0, 0, "ab", 1)
    assert list(cells.changes(other)) == [(0, 4, 7)]
    assert not cells.free(3, 0, 3)
    assert cells.free(3, 0, 3, besides=1)
    assert not cells.free(6, 1, 3)


# Ticks ----------------------------------------------------------------------------------------


def number(label: str) -> float:
    powers = {"k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
    return float(label[:-1]) * powers[label[-1]] if label[-1] in powers else float(label)


@settings(deadline=None, max_examples=400)
@given(st.floats(-1e12, 1e12), st.floats(1e-9, 1e12), st.integers(1, 10))
def test_linear_ticks_are_few_inside_and_labelled_truly(
    low: float, span: float, count: int
) -> None:
    high = low + span
    assume(span > 1e-6 * max(abs(low), abs(high)))
    found = ticks(Scale(low, high), count)
    assert 1 <= len(found) <= count + 1
    slack = 1e-6 * span
    assert all(low - slack <= v <= high + slack for v in found)
    texts = labels(found)
    assert len(set(texts)) == len(texts)
    for value, text in zip(found, texts, strict=True):
        assert len(text) <= 13
        assert math.isclose(number(text), value, rel_tol=1e-9, abs_tol=1e-6 * span)


@settings(deadline=None, max_examples=300)
@given(st.floats(-250, 250), st.floats(1e-3, 300), st.integers(2, 10))
def test_log_ticks_are_few_inside_and_labelled_truly(
    exponent: float, decades: float, count: int
) -> None:
    low, high = 10.0**exponent, 10.0 ** min(exponent + decades, 290)
    assume(high > low * 1.001)
    found = ticks(Scale(low, high, True), count)
    assert 1 <= len(found) <= count + 1
    texts = labels(found)
    assert len(set(texts)) == len(texts)
    for value, text in zip(found, texts, strict=True):
        assert low * 0.999 <= value <= high * 1.001
        assert math.isclose(number(text), value, rel_tol=1e-6)


@settings(deadline=None)
@given(st.floats(-4e299, 4e299), st.floats(-4e299, 4e299), st.integers(1, 10), st.booleans())
def test_a_nice_range_holds_what_it_is_for(a: float, b: float, count: int, log: bool) -> None:
    low, high = min(a, b), max(a, b)
    if log:
        low, high = abs(low) + 1e-300, abs(low) + abs(high) + 1e-300
    start, stop = nice_range(low, high, count, log)
    assert start < stop
    slack = 1e-5 * max(abs(low), abs(high))
    assert start <= low + slack
    assert stop >= high - slack


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.657348, "0.6573"),
        (2055.1089, "2055"),
        (15000, "15k"),
        (1500, "1500"),
        (2e-5, "2e-5"),
        (0.00065, "6.5e-4"),
        (-0.0123, "-0.0123"),
        (0.0, "0"),
        (1e300, "1e300"),
        (math.nan, "nan"),
        (-math.inf, "-inf"),
    ],
)
def test_compact_values(value: float, text: str) -> None:
    assert compact(value) == text


@pytest.mark.parametrize(("value", "text"), [(140.0, "140"), (-99.7, "-100"), (999.7, "1000")])
def test_a_number_below_a_thousand_is_written_out(value: float, text: str) -> None:
    assert compact(value, 2) == text


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize(
    ("low", "high"),
    [(math.nan, 1), (1, math.nan), (1, math.inf), (-math.inf, 1), (1, 1), (-1.5e308, 1.5e308)],
)
def test_a_scale_without_a_finite_span_has_no_ticks(low: float, high: float, log: bool) -> None:
    assert ticks(Scale(low, high, log), 5) == []
    assert labels([]) == []


def test_labels_of_common_axes() -> None:
    assert labels(ticks(Scale(0, 15000), 6)) == ["0", "5k", "10k", "15k"]
    assert labels(ticks(Scale(0.998, 0.9986), 3)) == ["0.9980", "0.9982", "0.9984", "0.9986"]
    assert labels(ticks(Scale(0, 2e-5), 4)) == ["0", "5e-6", "1e-5", "1.5e-5", "2e-5"]
    assert labels(ticks(Scale(1e-4, 10, True), 6)) == ["1e-4", "0.001", "0.01", "0.1", "1", "10"]


def test_over_hundreds_of_decades_exponents_are_round() -> None:
    assert labels(ticks(Scale(1e-16, 1e300, True), 3)) == ["1", "1e200"]
    assert labels(ticks(Scale(1e-30, 10, True), 7)) == [
        "1e-30",
        "1e-25",
        "1e-20",
        "1e-15",
        "1e-10",
        "1e-5",
        "1",
    ]


def test_the_y_range_grows_at_once_and_shrinks_late() -> None:
    auto = AutoRange()
    assert auto.update(0.1, 9.0, 5, False) == Scale(0, 10)
    assert auto.update(0.1, 7.0, 5, False) == Scale(0, 10)
    assert auto.update(0.1, 11.0, 5, False) == Scale(0, 15)
    assert auto.update(0.1, 4.0, 5, False) == Scale(0, 4)


@pytest.mark.parametrize(("low", "high", "log"), [(0.0, 10.0, False), (0.01, 100.0, True)])
def test_what_is_drawn_at_the_first_and_the_last_label_is_in_the_middle_of_its_row(
    low: float, high: float, log: bool
) -> None:
    area = arrange(80, 24, 7, 1)
    scale = AutoRange().update(low, high, area.y_count, log, area.height)
    dots = to_dots(scale.unit([low, high]), 4 * area.height, down=True)
    assert [int(dot) % 4 for dot in dots] in ([1, 1], [1, 2], [2, 1], [2, 2])
    rows = {label: row for row, label in y_labels(scale, area)}
    assert rows[compact(low)] == area.height - 1
    assert rows[compact(high)] == 0
    small = arrange(80, 4, 7, 0)
    assert AutoRange().update(0, 10, 2, False, small.height) == Scale(0, 10)


@pytest.mark.parametrize("rows", range(1, 21))
@pytest.mark.parametrize(("low", "high"), [(1e-300, 1.0), (1e-300, 1e300), (1e-250, 1e250)])
def test_an_axis_over_all_numbers_has_a_scale(low: float, high: float, rows: int) -> None:
    scale = AutoRange().update(low, high, 5, True, rows)
    assert 0 < scale.low <= low
    assert high <= scale.high < math.inf
    assert np.isfinite(scale.unit([low, high])).all()


@pytest.mark.parametrize("width", [1, 2, 15, 16, 400])
@pytest.mark.parametrize("height", [1, 2, 3, 5, 8, 100])
def test_the_plot_always_has_a_cell(width: int, height: int) -> None:
    area = arrange(width, height, 7, int(height >= 6))
    assert area.width >= 1
    assert area.height >= 1
    assert area.x + area.width <= width
    assert area.y + area.height + area.line + area.labels_below <= height
