"""Shuffling, parting for testing, standardising, and targets as the loss compares them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.data.conftest import preset_of
from tuitrain.data import dataset, raw
from tuitrain.spec.size import classes, inputs_outputs
from tuitrain.spec.size import rows as train_rows
from tuitrain.spec.size import test_rows as held_out

DRAWN = ("dots", "xor", "circle", "two-gaussians", "two-spirals", "two-moons", "plane", "gauss")
REGRESSION = ("plane", "gauss")


@given(
    kind=st.sampled_from([*DRAWN, "sales", "gaussian", "iris", "digits", "points"]),
    loss=st.sampled_from(["mse", "softmax-cross-entropy", "binary-cross-entropy", "hinge"]),
    count=st.integers(2, 60),
    test=st.sampled_from([0.0, 0.2, 0.25, 0.5]),
    shuffle=st.none() | st.integers(0, 2**32 - 1),
    standardise=st.booleans(),
)
def test_the_sizes_are_those_that_the_spec_tells(kind, loss, count, test, shuffle, standardise):
    data = {"standardise": standardise} | ({} if shuffle is None else {"shuffle": shuffle})
    if kind in (*REGRESSION, "sales", "gaussian", "points"):
        loss = "mse"
    if kind == "points":
        data |= {"x": [[float(i), -1.0] for i in range(count)], "y": list(range(count))}
    elif kind not in ("iris", "digits"):
        data |= {"rows": count, "seed": 1} | ({"truth": [1.0]} if kind == "gaussian" else {})
    if round(count * test):
        data["test"] = test
    preset = preset_of(kind, loss, **data)
    found = dataset(preset)
    assert found is not None
    inputs, outputs = inputs_outputs(preset)
    assert found.x.shape == (train_rows(preset), inputs)
    assert found.y.shape == (train_rows(preset), outputs)
    assert found.x_test.shape == (held_out(preset), inputs)
    assert found.y_test.shape == (held_out(preset), outputs)
    assert len(found.inputs) == inputs
    assert len(found.classes) == classes(preset)
    assert found.mean.shape == found.std.shape == (inputs,)
    everything = (found.x, found.y, found.x_test, found.y_test, found.mean, found.std)
    assert all(part.dtype == np.float64 and np.isfinite(part).all() for part in everything)


@given(test=st.floats(0.02, 0.98), shuffle=st.none() | st.integers(0, 2**32 - 1))
def test_every_row_is_in_one_part(test, shuffle):
    order = {} if shuffle is None else {"shuffle": shuffle}
    points = {"x": list(range(50)), "y": [10 * i for i in range(50)]}
    data = dataset(preset_of("points", **points, test=test, **order))
    together = [*data.x[:, 0], *data.x_test[:, 0]]
    assert sorted(together) == points["x"]
    assert len(data.x_test) == round(50 * test)
    np.testing.assert_array_equal(data.y, 10 * data.x)
    np.testing.assert_array_equal(data.y_test, 10 * data.x_test)
    if shuffle is None:
        assert together == points["x"]


def test_another_shuffle_tests_other_rows(rows):
    parts = [rows("digits", test=0.2, shuffle=seed).x_test for seed in (0, 0, 1)]
    np.testing.assert_array_equal(parts[0], parts[1])
    assert (parts[0] != parts[2]).any()


@pytest.mark.parametrize("kind", ["iris", "two-moons", "gauss"])
def test_standardising_uses_the_training_rows_only(rows, kind):
    data = {"test": 0.3, "shuffle": 4}
    plain, scaled = rows(kind, **data), rows(kind, standardise=True, **data)
    np.testing.assert_allclose(scaled.x.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(scaled.x.std(axis=0), 1, atol=1e-12)
    np.testing.assert_array_equal(scaled.mean, plain.x.mean(axis=0))
    np.testing.assert_array_equal(scaled.std, plain.x.std(axis=0))
    np.testing.assert_array_equal(scaled.x_test, (plain.x_test - scaled.mean) / scaled.std)
    assert (abs(scaled.x_test.mean(axis=0)) > 1e-6).all()
    np.testing.assert_allclose(raw(scaled, scaled.x_test), plain.x_test, atol=1e-12)
    np.testing.assert_array_equal(scaled.y, plain.y)
    assert plain.mean.tolist() == [0] * plain.x.shape[1]
    assert plain.std.tolist() == [1] * plain.x.shape[1]


def test_an_input_that_never_changes_stays_finite(rows):
    data = rows("points", x=[[0.1, 1], [0.1, 2], [0.1, 3]], y=[1, 2, 3], standardise=True)
    assert data.std[0] == 1
    np.testing.assert_allclose(data.x[:, 0], 0, atol=1e-15)


@pytest.mark.parametrize(
    ("loss", "outputs"),
    {"mse": 1, "binary-cross-entropy": 1, "hinge": 1, "softmax-cross-entropy": 2}.items(),
)
def test_two_classes_as_the_loss_compares_them(rows, loss, outputs):
    data = rows("circle", loss)
    inside = np.hypot(*data.x.T) < 3
    assert data.y.shape == (300, outputs)
    assert data.classes == ("0", "1")
    np.testing.assert_array_equal(data.y[:, -1], inside)
    np.testing.assert_array_equal(data.labels(data.y), inside)


@pytest.mark.parametrize("loss", ["mse", "softmax-cross-entropy", "hinge"])
def test_more_classes_are_one_hot(rows, loss):
    data = rows("iris", loss)
    np.testing.assert_array_equal(data.y, np.eye(3)[[0] * 50 + [1] * 50 + [2] * 50])


def test_sparse_points_are_one_hot_and_dense_ones_stay(rows):
    loss = {"kind": "softmax-cross-entropy", "targets": "sparse"}
    sparse = rows("points", loss, x=[1, 2, 3], y=[2, 0, 1])
    np.testing.assert_array_equal(sparse.y, [[0, 0, 1], [1, 0, 0], [0, 1, 0]])
    assert sparse.classes == ("0", "1", "2")
    dense = rows("points", "softmax-cross-entropy", x=[1, 2], y=[[0.5, 0.5], [1, 0]])
    np.testing.assert_array_equal(dense.y, [[0.5, 0.5], [1, 0]])
    assert dense.classes == ("0", "1")
    assert rows("points", x=[1, 2, 3], y=[2, 0, 1]).classes == ()


def test_names_of_inputs(rows):
    assert rows("points", x=[1], y=[1]).inputs == ("x",)
    assert rows("two-moons").inputs == ("x1", "x2")
    assert rows("iris").inputs[2] == "petal length"
