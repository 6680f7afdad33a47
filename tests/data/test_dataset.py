"""The datasets are those of the published programs, number by number."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuitrain.data import dataset
from tuitrain.spec.catalogue import catalogue, find
from tuitrain.spec.load import decode
from tuitrain.spec.overrides import override

SALES = ("sales-mse", "sales-cost1-profit99", "sales-cost99-profit1")
BOOK = ("book-mse", "book-less10", "book-more10")


@pytest.mark.parametrize("name", SALES)
def test_sales_rows_are_those_of_the_course(name):
    rdm = np.random.RandomState(23455)
    x = rdm.rand(32, 2)
    y_ = [[x1 + x2 + (rdm.rand() / 10.0 - 0.05)] for (x1, x2) in x]
    data = dataset(find(name))
    np.testing.assert_array_equal(data.x, x)
    np.testing.assert_array_equal(data.y, y_)


@pytest.mark.parametrize("name", BOOK)
def test_book_rows_are_those_of_the_book(name):
    rdm = np.random.RandomState(1)
    x = rdm.rand(128, 2)
    y = [[x1 + x2 + rdm.rand() / 10.0 - 0.05] for (x1, x2) in x]
    data = dataset(find(name))
    np.testing.assert_array_equal(data.x, x)
    # The book subtracts 0.05 last, the course first: the sums differ by a last bit.
    np.testing.assert_allclose(data.y, y, rtol=0, atol=np.spacing(2.0))


def test_plain_rows_follow_the_rule_without_noise():
    data = dataset(find("plain-mse"))
    x = np.random.RandomState(2).normal(2, 1, (20, 2))
    np.testing.assert_array_equal(data.x, x)
    np.testing.assert_array_equal(data.y[:, 0], x[:, 0] + 2 * x[:, 1])


@pytest.mark.parametrize("name", ["asymmetric-over3", "asymmetric-under3"])
def test_asymmetric_rows_are_the_plain_ones_with_noise(name):
    random = np.random.RandomState(2)
    x = random.normal(2, 1, (20, 2))
    noise = [random.normal(0, 0.5) for _ in x]
    data = dataset(find(name))
    np.testing.assert_array_equal(data.x, dataset(find("plain-mse")).x)
    np.testing.assert_array_equal(data.y[:, 0], x[:, 0] + 2 * x[:, 1] + noise)


def test_written_points_become_rows():
    data = dataset(find("line-fit"))
    np.testing.assert_array_equal(data.x, [[0], [1], [2], [3], [4]])
    np.testing.assert_array_equal(data.y, 2 * data.x + 5)
    targets = dataset(find("cross-entropy-two-guesses"))
    assert targets.x.shape == (1, 0)
    np.testing.assert_array_equal(targets.y, [[1, 0]])


def test_a_formula_has_no_data():
    assert dataset(find("parabola-decay")) is None


@pytest.mark.parametrize("name", catalogue())
def test_the_same_preset_gives_the_same_bits(name):
    first, second = dataset(find(name)), dataset(find(name))
    if first is not None:
        assert first.x.tobytes() == second.x.tobytes()
        assert first.y.tobytes() == second.y.tobytes()
        assert first.x.dtype == first.y.dtype == np.float64
        assert len(first.x) == len(first.y)


@given(
    rows=st.integers(1, 50),
    seed=st.integers(0, 2**32 - 1),
    noise=st.floats(0, 3, allow_subnormal=False),
)
def test_sales_noise_stays_in_its_width(rows, seed, noise):
    data = dataset(
        override(find("sales-mse"), {"data.rows": rows, "data.seed": seed, "data.noise": noise})
    )
    assert data.x.shape == (rows, 2)
    assert data.y.shape == (rows, 1)
    off = data.y[:, 0] - data.x.sum(axis=1)
    assert (abs(off) <= noise / 2 + 1e-12).all()


def test_another_seed_draws_other_rows():
    preset = find("plain-mse")
    other = override(preset, {"data.seed": 3})
    assert (dataset(preset).x != dataset(other).x).all()


def test_gaussian_rows_have_their_mean_spread_and_noise():
    preset = override(
        find("plain-mse"), {"data.rows": 100_000, "data.noise": 0.3, "data.mean": -1.0}
    )
    data = dataset(preset)
    noise = data.y[:, 0] - data.x @ [1.0, 2.0]
    np.testing.assert_allclose(data.x.mean(axis=0), -1, atol=0.02)
    np.testing.assert_allclose(data.x.std(axis=0), 1, atol=0.02)
    assert noise.std() == pytest.approx(0.3, abs=0.01)
    assert noise.mean() == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("size", [1e-320, 1e-170, 1.0, 1e170, 1e308])
def test_inputs_of_any_size_are_standardised(size):
    x = np.array([[1.0, 0.7], [0.5, 0.7], [-1.0, 0.7]]) * size
    document = {
        "title": "of one size",
        "data": {"kind": "points", "x": x.tolist(), "y": [1, 0, 1], "standardise": True},
        "model": {"kind": "linear"},
        "loss": {"kind": "mse"},
        "optimizer": {"name": "sgd", "lr": 0.1},
        "train": {"steps": 1},
    }
    found = dataset(decode(document, "sized"))
    assert found is not None
    wanted = (np.array([1, 0.5, -1]) - 1 / 6) / np.std([1, 0.5, -1])
    np.testing.assert_allclose(found.x[:, 0], wanted, rtol=1e-2 if size < 1e-300 else 1e-12)
    np.testing.assert_array_equal(found.x[:, 1], 0)


def test_points_with_several_inputs_and_outputs():
    document = {
        "title": "two by three",
        "data": {"kind": "points", "x": [[1, 2], [3, 4]], "y": [[1, 2, 3], [4, 5, 6]]},
        "model": {"kind": "linear"},
        "loss": {"kind": "mse"},
        "optimizer": {"name": "sgd", "lr": 0.1},
        "train": {"steps": 1},
    }
    data = dataset(decode(document, "two-by-three"))
    np.testing.assert_array_equal(data.x, [[1, 2], [3, 4]])
    np.testing.assert_array_equal(data.y, [[1, 2, 3], [4, 5, 6]])
