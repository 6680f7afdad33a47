"""Drawn rows: the shapes that their kinds describe, and the same bits for the same seed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuitrain.data import drawn
from tuitrain.spec.data import (
    Circle,
    Dots,
    Gauss,
    Plane,
    TwoGaussians,
    TwoMoons,
    TwoSpirals,
    Xor,
)

TWO_CLASSES = (Xor, Circle, TwoGaussians, TwoSpirals, TwoMoons)
NOISY = (*TWO_CLASSES, Plane, Gauss)
ALL = (Dots, *NOISY)


def length(x):
    return np.hypot(x[:, 0], x[:, 1])


@given(kind=st.sampled_from(ALL), rows=st.integers(1, 40), seed=st.integers(0, 2**32 - 1))
def test_as_many_rows_as_asked_for(kind, rows, seed):
    drawn_rows = drawn.on_plane(kind(rows=rows, seed=seed))
    assert drawn_rows.x.shape == (rows, 2)
    assert drawn_rows.y.shape == (rows,)
    assert np.isfinite(drawn_rows.x).all()
    assert np.isfinite(drawn_rows.y).all()


@pytest.mark.parametrize("kind", ALL)
def test_same_seed_same_bits_other_seed_other_rows(kind):
    first, again, other = (drawn.on_plane(kind(seed=seed)) for seed in (5, 5, 6))
    assert first.x.tobytes() == again.x.tobytes()
    assert first.y.tobytes() == again.y.tobytes()
    assert (first.x != other.x).any(axis=1).mean() > 0.9


@given(kind=st.sampled_from([Circle, TwoGaussians, TwoSpirals, TwoMoons]), rows=st.integers(2, 300))
def test_classes_are_balanced(kind, rows):
    ones = drawn.on_plane(kind(rows=rows)).y.sum()
    assert ones in (rows // 2, rows - rows // 2)


@pytest.mark.parametrize("kind", TWO_CLASSES)
def test_classes_are_mixed(kind):
    """So that batches hold both, and so do the last rows, which are for testing."""
    y = drawn.on_plane(kind(rows=300)).y
    for part in np.split(y, 10):
        assert 0 < part.sum() < len(part)


@pytest.mark.parametrize("kind", NOISY)
def test_noise_changes_rows(kind):
    quiet, noisy = (drawn.on_plane(kind(noise=noise)) for noise in (0, 0.5))
    where = "y" if kind in (Plane, Gauss) else "x"
    assert (getattr(quiet, where) != getattr(noisy, where)).any()


def test_dots_are_those_of_the_course():
    dots = drawn.on_plane(Dots(rows=300, seed=2))
    random = np.random.RandomState(2)
    x = random.randn(300, 2)
    np.testing.assert_array_equal(dots.x, x)
    assert dots.y.tolist() == [int(x0 * x0 + x1 * x1 < 2) for x0, x1 in x]
    assert dots.y.sum() == 188


def test_xor_is_the_sign_of_the_product_with_a_gap():
    xor = drawn.on_plane(Xor(rows=2000))
    np.testing.assert_array_equal(xor.y, xor.x[:, 0] * xor.x[:, 1] > 0)
    assert 0.3 <= np.abs(xor.x).min() < 0.32
    assert 4.98 < np.abs(xor.x).max() <= 5
    assert 900 < xor.y.sum() < 1100


def test_xor_noise_moves_points_after_their_class_is_known():
    quiet, noisy = (drawn.on_plane(Xor(rows=2000, noise=noise)) for noise in (0, 1.5))
    np.testing.assert_array_equal(quiet.y, noisy.y)
    moved = np.abs(noisy.x - quiet.x)
    assert 1.4 < moved.max() <= 1.5


def test_a_disc_in_a_ring():
    circle = drawn.on_plane(Circle(rows=2000))
    disc, ring = (length(circle.x[circle.y == y]) for y in (1, 0))
    assert disc.max() <= 2.5
    assert ring.min() >= 3.5
    assert ring.max() <= 5
    assert (disc.max(), ring.min(), ring.max()) == pytest.approx((2.5, 3.5, 5), abs=0.01)


def test_two_gaussians():
    clouds = drawn.on_plane(TwoGaussians(rows=20_000, noise=0.5))
    for y, centre in ((1, 2), (0, -2)):
        x = clouds.x[clouds.y == y]
        np.testing.assert_allclose(x.mean(axis=0), centre, atol=0.06)
        np.testing.assert_allclose(x.std(axis=0), 1.5, atol=0.04)


def test_spirals_are_each_other_turned_by_half():
    spirals = drawn.on_plane(TwoSpirals(rows=200))
    arms = [spirals.x[spirals.y == y] for y in (1, 0)]
    first, second = (arm[np.argsort(length(arm), kind="stable")] for arm in arms)
    np.testing.assert_allclose(first, -second, atol=1e-12)
    radius = np.arange(100) / 100 * 5
    np.testing.assert_allclose(length(first), radius, atol=1e-12)
    # from x2 upwards, 1.75 turns over the whole radius
    turned = np.unwrap(np.arctan2(first[1:, 0], first[1:, 1]))
    np.testing.assert_allclose(turned, 2 * np.pi * 1.75 * radius[1:] / 5, atol=1e-9)


@pytest.mark.parametrize(
    ("rows", "noise", "seed", "x", "y"),
    [
        (
            300,
            0.1,
            0,
            [[0.7717444034211738, -0.5480857562296222], [0.18941604875511783, -0.2619816631639887]],
            [1, 1, 0, 1, 1, 0],
        ),
        (
            301,
            0.0,
            7,
            [[1.387515586452103, -0.42186315158850063], [0.36066334016975554, 0.9326960678900684]],
            [1, 0, 1, 0, 0, 1],
        ),
    ],
)
def test_moons_are_those_of_scikit_learn(rows, noise, seed, x, y):
    """The numbers are `make_moons(rows, noise=noise, random_state=seed)` of version 1.9.1."""
    moons = drawn.on_plane(TwoMoons(rows=rows, noise=noise, seed=seed))
    np.testing.assert_allclose(moons.x[:2], x, rtol=0, atol=1e-15)
    assert moons.y[:6].tolist() == y


def test_moons_lie_on_half_circles():
    moons = drawn.on_plane(TwoMoons(rows=101))
    np.testing.assert_allclose(length(moons.x[moons.y == 0]), 1)
    np.testing.assert_allclose(length(moons.x[moons.y == 1] - [1, 0.5]), 1)


def test_a_plane_with_noise():
    plane = drawn.on_plane(Plane(rows=2000, noise=0.25))
    off = np.abs(plane.y - plane.x.sum(axis=1) / 10)
    assert 0.24 < off.max() <= 0.25
    assert 4.99 < np.abs(plane.x).max() <= 5


def test_hills_and_valleys():
    bumps = drawn.on_plane(Gauss(rows=200_000))
    for x1, x2, height in ((-4, 2.5, 1), (0, 2.5, -1), (4, 2.5, 1), (4, -2.5, -1), (0, -2.5, 1)):
        near = length(bumps.x - [x1, x2]) < 0.1
        assert near.sum() > 10
        np.testing.assert_allclose(bumps.y[near], height, atol=0.01)
    assert np.abs(bumps.y).max() <= 1
    assert 5.99 < np.abs(bumps.x).max() <= 6


@pytest.mark.parametrize("kind", ["xor", "circle", "two-gaussians", "two-spirals", "two-moons"])
def test_with_the_most_noise_there_are_points_still(rows, kind):
    data = rows(kind, noise=1e6, standardise=True)
    assert np.isfinite(data.x).all()
    assert len(np.unique(data.x, axis=0)) == len(data.x)
