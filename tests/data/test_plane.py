"""The part of the plane that pictures show."""

from __future__ import annotations

import numpy as np
import pytest

from tuitrain.data import grid, plane, raw


def edges(data):
    """Least and greatest x1 and x2 in raw units, [2, 2] by edge and input."""
    return raw(data, np.transpose(plane(data)))


@pytest.mark.parametrize("standardise", [False, True])
def test_dots_are_drawn_as_in_the_course(rows, standardise):
    data = rows("dots", seed=2, standardise=standardise, test=0.2)
    np.testing.assert_allclose(edges(data), [[-3, -3], [3, 3]], atol=1e-12)


@pytest.mark.parametrize("kind", ["xor", "circle", "two-spirals", "two-moons", "plane", "gauss"])
@pytest.mark.parametrize("standardise", [False, True])
def test_all_points_lie_within_with_little_space(rows, kind, standardise):
    data = rows(kind, test=0.3, standardise=standardise, noise=0.1)
    (x1_low, x1_high), (x2_low, x2_high) = plane(data)
    points = np.concatenate([data.x, data.x_test])
    assert (points > [x1_low, x2_low]).all()
    assert (points < [x1_high, x2_high]).all()
    spans = np.ptp(edges(data), axis=0)
    assert (spans < 1.6 * np.ptp(raw(data, points), axis=0)).all()


@pytest.mark.parametrize("standardise", [False, True])
def test_like_spans_are_drawn_to_one_scale(rows, standardise):
    width, height = np.ptp(edges(rows("circle", standardise=standardise, rows=80)), axis=0)
    assert width == pytest.approx(height)


def test_unlike_spans_are_not(rows):
    data = rows("points", x=[[0, 1000], [1, 2000], [0.5, 3000]], y=[0, 1, 0])
    np.testing.assert_allclose(plane(data), [(-0.05, 1.05), (900, 3100)])


def test_points_in_one_place_have_space_about_them(rows):
    for point in ([0, 0], [0, 5], [-7, 2]):
        (x1_low, x1_high), (x2_low, x2_high) = plane(rows("points", x=[point] * 2, y=[0, 1]))
        assert x1_low < point[0] < x1_high
        assert x2_low < point[1] < x2_high


def test_a_grid_runs_through_x1_first(rows):
    data = rows("two-moons", standardise=True)
    (x1_low, x1_high), (x2_low, x2_high) = plane(data)
    points = grid(data, 5).reshape(5, 5, 2)
    np.testing.assert_array_equal(points[0, 0], [x1_low, x2_low])
    np.testing.assert_array_equal(points[0, -1], [x1_high, x2_low])
    np.testing.assert_array_equal(points[-1, 0], [x1_low, x2_high])
    assert (np.diff(points[:, :, 0], axis=1) > 0).all()
    assert (np.diff(points[:, :, 1], axis=0) > 0).all()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of the mean of such points
@pytest.mark.parametrize("standardise", [False, True])
@pytest.mark.parametrize(
    "x",
    [
        [[1e308, -1e308], [-1e308, 1e308]],
        [[1e308, 0], [1e308, 1]],
        [[1e200, 0], [-1e200, 1]],
        [[5e-324, 0], [0, 5e-324]],
        [[1e16, 1], [1e16 + 2, 2]],
    ],
)
def test_the_window_is_finite_whatever_the_points_are(rows, x, standardise):
    data = rows("points", x=x, y=[0, 1], standardise=standardise)
    for low, high in plane(data):
        assert low < high
        assert np.isfinite([low, high, high - low]).all()
    assert np.isfinite(grid(data, 5)).all()
