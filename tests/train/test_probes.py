"""The loss over a plane, against the trainer and against formulas."""

from __future__ import annotations

import numpy as np
import pytest

from tuitrain.data import dataset
from tuitrain.record.landscape import through
from tuitrain.spec.catalogue import catalogue, find
from tuitrain.spec.experiment import single
from tuitrain.spec.loss import Asymmetric
from tuitrain.spec.overrides import override
from tuitrain.train import evaluator, probes
from tuitrain.train.probes import Surface
from tuitrain.train.trainer import Trainer


@pytest.mark.parametrize("name", sorted(catalogue()))
def test_the_loss_is_the_one_that_the_trainer_evaluates(name: str) -> None:
    preset = override(find(name), {"train.dtype": "float64", "train.steps": 20})
    trainer = Trainer(preset, single(preset).runs)
    trainer.advance(20)
    weights = trainer.weights()
    point = np.concatenate([np.ravel(value) for value in weights.values()])
    evaluated = trainer.evaluate().values["loss"]
    np.testing.assert_allclose(Surface(preset)(point[None]), evaluated, rtol=1e-12)


def test_mean_squared_loss_at_every_point_of_a_grid() -> None:
    preset = find("sales-mse")
    data = dataset(preset)
    assert data is not None
    points = through(0, 1, [0.0, 0.0], ["a", "b"]).points([-1.0, 0.5, 2.0], [3.0, 1.0, -2.0])
    expected = [np.mean((data.x @ [[a], [b]] - data.y) ** 2) for a, b in points]
    np.testing.assert_allclose(Surface(preset)(points), expected, rtol=1e-12)


def test_asymmetric_loss_by_its_definition() -> None:
    preset = find("sales-cost1-profit99")
    data = dataset(preset)
    assert data is not None
    assert isinstance(preset.loss, Asymmetric)
    point = np.array([[0.7, 1.2]])
    error = (data.x @ point.T - data.y).ravel()
    expected = np.where(error > 0, preset.loss.cost * error, -preset.loss.profit * error).sum()
    np.testing.assert_allclose(Surface(preset)(point), [expected], rtol=1e-12)


@pytest.mark.parametrize("name", ["sales-mse", "iris", "dots-l2", "digits-cnn"])
@pytest.mark.parametrize("memory", [100, 20_000])  # less than a run, a few runs at once
def test_points_worked_out_in_parts_are_the_same(
    monkeypatch: pytest.MonkeyPatch, name: str, memory: int
) -> None:
    preset = find(name)
    if name == "digits-cnn":
        preset = override(preset, {"data.test": 0.97, "model.channels": [2, 3]})
    surface = Surface(preset)
    points = np.random.default_rng(0).normal(size=(7, surface.parameters))
    whole = surface(points)
    monkeypatch.setattr(evaluator, "MEMORY", memory)
    np.testing.assert_allclose(surface(points), whole, rtol=1e-12)


def test_weights_that_are_not_finite_give_a_loss_that_is_not() -> None:
    loss = Surface(find("sales-mse"))(np.array([[np.inf, 0.0], [np.nan, 0.0], [1.0, 1.0]]))
    assert np.isfinite(loss).tolist() == [False, False, True]


def test_more_rows_make_it_coarser_and_never_too_dear() -> None:
    few, many = find("sales-mse"), override(find("sales-mse"), {"data.rows": 1_000_000})
    assert Surface(few).affordable(256, 200) == (256, 200)
    columns, rows = Surface(many).affordable(256, 200)
    assert 16 <= rows < columns < 256
    assert columns * rows * 1_000_000 <= probes.WORK
