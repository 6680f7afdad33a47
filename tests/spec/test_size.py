"""The size of models and trainings, counted as the course counts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuitrain.data import dataset
from tuitrain.spec.catalogue import catalogue, find
from tuitrain.spec.evaluation import evaluated, gridded, stride
from tuitrain.spec.load import decode
from tuitrain.spec.overrides import override
from tuitrain.spec.size import (
    batches_per_epoch,
    inputs_outputs,
    planned_steps,
    rows,
    shapes,
    size,
)


@pytest.mark.parametrize("name", catalogue())
def test_counts_agree_with_the_data(name):
    preset = find(name)
    data = dataset(preset)
    if data is None:
        assert rows(preset) == 0
    else:
        assert (data.x.shape[1], data.y.shape[1]) == inputs_outputs(preset)
        assert len(data.x) == rows(preset)
    if preset.model.init:
        assert list(preset.model.init) == list(shapes(preset))


def test_shapes():
    assert shapes(find("line-fit")) == {"w": (1, 1), "b": (1,)}
    assert shapes(find("sales-mse")) == {"w": (2, 1)}
    assert shapes(find("parabola-decay")) == {"w": ()}
    assert shapes(find("cross-entropy-two-guesses")) == {"w": (2,)}


@given(rows=st.integers(1, 500), batch=st.integers(1, 500), epochs=st.integers(1, 20))
def test_an_epoch_sees_every_row_once(rows, batch, epochs):
    batch = min(batch, rows)
    preset = override(
        find("sales-mse"),
        {"data.rows": rows, "train.batch": batch, "train.epochs": epochs},
    )
    per_epoch = len(range(0, rows, batch))
    assert batches_per_epoch(preset) == per_epoch
    assert planned_steps(preset) == epochs * per_epoch


def test_epochs_without_data_are_steps():
    preset = override(find("parabola-decay"), {"train.epochs": 40})
    assert planned_steps(preset) == 40


def test_a_linear_model():
    document = {
        "title": "three by two",
        "data": {"kind": "points", "x": [[1, 2, 3]] * 4, "y": [[1, 2]] * 4},
        "model": {"kind": "linear"},
        "loss": {"kind": "mse"},
        "optimizer": {"name": "sgd", "lr": 0.1},
        "train": {"steps": 1, "batch": 2},
    }
    counted = size(decode(document, "three-by-two"))
    assert (counted.layers, counted.parameters) == (1, 3 * 2 + 2)
    assert counted.text.splitlines() == [
        "layers = 0 hidden + 1 output = 1",
        "parameters = 6 w + 2 b = 8",
        "multiply-adds = 3×2 = 6 a row forwards; "  # noqa: RUF001
        "24 a step of 2 rows, with the gradient",
    ]


def test_a_parameter_is_no_network():
    counted = size(find("cross-entropy-two-guesses"))
    assert (counted.layers, counted.parameters) == (0, 2)
    assert counted.text.splitlines() == [
        "layers = 0 (no network: the parameter itself is the prediction)",
        "parameters = 2 w",
        "multiply-adds = 0",
    ]


def test_many_layers_alike_are_written_as_a_product():
    counted = size(find("deep-relu"))
    assert counted.parameters == 24 + 12 + 7 * (144 + 12) + 12 + 1
    assert counted.text.splitlines() == [
        "layers = 8 hidden + 1 output = 9",
        "parameters = 24 w1 + 12 b1 + 7 × (144 w + 12 b) + 12 w9 + 1 b9 = 1,141",  # noqa: RUF001
        "multiply-adds = 2×12 + 7 × (12×12) + 12×1 = 1,044 a row forwards; "  # noqa: RUF001
        "93,240 a step of 30 rows, with the gradient",
    ]
    two = size(override(find("deep-relu"), {"model.hidden": [12, 12, 12]}))
    assert "24 w1 + 12 b1 + 144 w2 + 12 b2 + 144 w3 + 12 b3 + 12 w4 + 1 b4" in two.text


def test_what_is_drawn_over_the_plane():
    """The border of classes, and all networks; a linear regression has few weights to tell it."""
    dots = override(find("dots"), {"model.kind": "linear"})
    assert gridded(dots)
    assert gridded(find("dots"))
    assert gridded(find("plane"))
    assert not gridded(override(find("iris"), {"model.kind": "linear"}))
    regressions = ("plain-mse", "sales-mse", "book-mse", "book-less10", "sales-cost99-profit1")
    for preset in map(find, regressions):
        assert inputs_outputs(preset)[0] == 2
        assert not gridded(preset)
        assert not evaluated(preset)
        assert stride(preset) is None
