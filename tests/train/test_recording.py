"""What the trainer records: its rows, statistics of many weights, thinned rows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tests.train.same import everything, same_bits, same_chunks, same_state
from tuitrain.optim.adam import Adam
from tuitrain.optim.sgd import SGD
from tuitrain.spec import recording as recording_module
from tuitrain.spec.data import Gaussian
from tuitrain.spec.experiment import Run
from tuitrain.spec.loss import Expression
from tuitrain.spec.model import Parameter
from tuitrain.spec.preset import Preset
from tuitrain.train import Trainer
from tuitrain.train import block as block_module

Problem = Callable[..., Preset]
Runs = Callable[..., list[Run]]


def test_rows_hold_loss_before_and_weights_after(problem: Problem, runs: Runs) -> None:
    formula = Expression(formula="(w + 1)^2")
    preset = problem(model=Parameter(init={"w": 5.0}), loss=formula, data=None, steps=3)
    trainer = Trainer(preset, runs(preset, [SGD(lr=0.2)]), stack=4)
    chunk = trainer.advance(3)
    assert chunk is not None
    assert (chunk.stack, chunk.first, chunk.stride, chunk.rows) == (4, 1, 1, 3)
    assert list(chunk.series) == list(trainer.layout.series) == ["loss", "lr", "grad_norm", "w"]
    assert chunk.series["loss"][0] == pytest.approx([36.0, 3.6**2, 2.16**2])
    assert chunk.series["grad_norm"][0] == pytest.approx([12.0, 7.2, 4.32])
    assert chunk.series["w"][0] == pytest.approx([2.6, 1.16, 0.296])
    assert {name: str(v.dtype) for name, v in chunk.series.items()} == dict(trainer.layout.dtypes)


def test_statistics_stand_for_many_weights(problem: Problem, runs: Runs) -> None:
    inputs = 70
    data = Gaussian(rows=9, seed=0, truth=[0.1] * inputs)
    preset = problem(data=data, optimizer=SGD(lr=0.01), dtype="float32", steps=5)
    trainer = Trainer(preset, runs(preset))
    before = trainer.weights()
    chunk = trainer.advance(1)
    assert chunk is not None
    for name, w in trainer.weights().items():
        found = {key: chunk.series[f"{name}.{key}"][0, 0] for key in ("norm", "mean", "std")}
        assert found == pytest.approx(
            {"norm": np.linalg.norm(w), "mean": w.mean(), "std": w.std()}, rel=1e-5
        )
        assert chunk.series[f"{name}.min"][0, 0] == w.min()
        assert chunk.series[f"{name}.max"][0, 0] == w.max()
        change = np.linalg.norm(w - before[name]) / np.linalg.norm(w)
        assert chunk.series[f"{name}.update_ratio"][0, 0] == pytest.approx(change, rel=1e-4)


def test_many_weights_change_no_bit_over_chunks(problem: Problem, runs: Runs) -> None:
    data = Gaussian(rows=9, seed=0, truth=[0.1] * 20_000)
    preset = problem(data=data, dtype="float32", optimizer=Adam(lr=0.01), steps=40)
    make = lambda: Trainer(preset, runs(preset, [Adam(lr=0.01), SGD(lr=1e-5)]))  # noqa: E731
    same_bits(everything(make(), 40), everything(make(), 1, 2, 3))


def test_stacks_share_the_budget_of_rows(
    problem: Problem, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording_module, "RECORDING_BUDGET", 4000)
    preset = problem(steps=200)
    strides = [Trainer(preset, runs(preset), stacks=n).layout.stride for n in (1, 2, 8)]
    assert strides == [1, 1, 4]


@pytest.mark.usefixtures("every_fourth")
@pytest.mark.parametrize("steps", [(50,), (1,), (3,), (4,), (7, 2, 9)])
def test_thinned_rows_keep_the_spikes(
    problem: Problem, runs: Runs, steps: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = [SGD(lr=0.02), SGD(lr=1e60), SGD(lr=0.01)]
    preset = problem(batch=3, steps=50)
    trainer = Trainer(preset, runs(preset, rules))
    rows = everything(trainer, *steps)
    monkeypatch.undo()
    full = everything(Trainer(preset, runs(preset, rules)), 50)
    loss = full["loss"]
    ended = trainer.diverged[1].step
    assert rows["loss"].shape == (3, 13)
    for name in ("loss", "lr", "w[0,0]", "b[0]", "grad_norm"):
        np.testing.assert_array_equal(rows[name], full[name][:, ::4])
    windows = loss[:, 1:49].reshape(3, 12, 4)
    for name, extreme in (("loss_min", np.fmin), ("loss_max", np.fmax)):
        np.testing.assert_array_equal(rows[name][:, 0], loss[:, 0])
        np.testing.assert_array_equal(rows[name][:, 1:], extreme.reduce(windows, axis=2))
    assert 1 < ended < 8
    assert np.isinf(rows["loss_max"][1, -(-(ended - 1) // 4)])
    # of the runs that go on, the last step is no row
    assert trainer.last_loss.tolist() == [loss[0, 49], loss[1, ended - 1], loss[2, 49]]
    assert trainer.last_loss[1] == np.inf
    finite = np.where(np.isfinite(loss), loss, np.inf)
    assert trainer.best_loss.tolist() == finite.min(axis=1).tolist()


@pytest.mark.usefixtures("every_fourth")
def test_the_least_loss_may_lie_after_the_last_row(problem: Problem, runs: Runs) -> None:
    preset = problem(steps=50)
    trainer = Trainer(preset, runs(preset, [SGD(lr=0.01)]))
    rows = everything(trainer, 50)
    assert trainer.best_loss.tolist() == trainer.last_loss.tolist()
    assert trainer.last_loss[0] < rows["loss_min"].min()


@pytest.mark.usefixtures("every_fourth")
def test_a_resumed_training_keeps_the_window(problem: Problem, runs: Runs) -> None:
    preset = problem(batch=3, steps=50)
    first, second = (Trainer(preset, runs(preset, [SGD(lr=0.02)])) for _ in range(2))
    first.advance(4)
    assert first.advance(3) is not None
    second.state = first.state
    same_state(first.state, second.state)
    same_chunks(first.closing_row(), second.closing_row())
    same_bits(everything(first, 50), everything(second, 50))
    same_chunks(first.closing_row(), second.closing_row())


@pytest.mark.usefixtures("every_fourth")
@pytest.mark.parametrize("steps", [(50,), (1,), (7, 2, 9), (49, 1)])
def test_the_last_step_closes_a_thinned_recording(
    problem: Problem, runs: Runs, steps: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = [SGD(lr=0.02), SGD(lr=1e60)]
    preset = problem(batch=3, steps=52)
    trainer = Trainer(preset, runs(preset, rules))
    rows = everything(trainer, *steps)
    closing = trainer.closing_row()
    monkeypatch.undo()
    full = everything(Trainer(preset, runs(preset, rules)), 52)
    assert closing is not None
    assert (closing.first, closing.last, closing.rows) == (52, 52, 1)
    assert list(closing.series) == list(rows)
    for name in full:
        assert closing.series[name].dtype == rows[name].dtype
        np.testing.assert_array_equal(closing.series[name], full[name][:, 51:])
    for name, extreme in (("loss_min", np.fmin), ("loss_max", np.fmax)):
        expected = extreme.reduce(full["loss"][:, 49:], axis=1)
        np.testing.assert_array_equal(closing.series[name][:, 0], expected)


@pytest.mark.usefixtures("every_fourth")
@pytest.mark.parametrize("others", [[], [SGD(lr=0.02)]])
def test_a_run_that_ends_between_rows_leaves_its_last_losses_in_the_next(
    problem: Problem, runs: Runs, others: list[SGD], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(block_module, "LARGEST_BLOCK", 2)  # it is dropped before that row
    preset = problem(steps=50)
    trainer = Trainer(preset, runs(preset, [SGD(lr=1e60), *others]))
    rows = everything(trainer, 50)
    row = 1
    if not others:
        closing = trainer.closing_row()
        assert closing is not None
        assert closing.first == trainer.step == trainer.diverged[0].step
        rows, row = dict(closing.series), 0
        assert np.isinf(rows["loss"][0, 0])
    assert trainer.diverged[0].step == 4
    assert 1e100 < rows["loss_min"][0, row] < np.inf
    assert np.isinf(rows["loss_max"][0, row])


@pytest.mark.usefixtures("every_fourth")
def test_a_step_that_is_a_row_anyway_closes_nothing(problem: Problem, runs: Runs) -> None:
    preset = problem(steps=50)
    trainer = Trainer(preset, runs(preset))
    assert trainer.closing_row() is None
    trainer.advance(5)
    assert trainer.closing_row() is None
    trainer.advance(1)
    assert trainer.closing_row() is not None


def test_where_every_step_is_a_row_none_closes(problem: Problem, runs: Runs) -> None:
    preset = problem(steps=50)
    trainer = Trainer(preset, runs(preset))
    trainer.advance(6)
    assert trainer.closing_row() is None
