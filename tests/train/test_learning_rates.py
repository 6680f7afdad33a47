"""Learning rates: what is set while a training runs, and the schedules of its runs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from msgspec import structs

from tests.train.same import everything
from tuitrain.errors import InputError
from tuitrain.optim.schedules import (
    Constant,
    Cosine,
    Exponential,
    OneCycle,
    Polynomial,
    Schedule,
)
from tuitrain.optim.sgd import SGD
from tuitrain.optim.sign import Rprop
from tuitrain.spec.experiment import Run
from tuitrain.spec.preset import Preset
from tuitrain.train import Trainer

Problem = Callable[..., Preset]
Runs = Callable[..., list[Run]]


# Learning rate ------------------------------------------------------------------------------


def test_the_next_step_uses_exactly_the_new_rate(problem: Problem, runs: Runs) -> None:
    preset = problem(optimizer=SGD(lr=0.2), schedule=Exponential(decay=0.97), steps=30)
    trainer = Trainer(preset, runs(preset, [SGD(lr=0.2), SGD(lr=0.1)]))
    trainer.advance(10)
    trainer.set_learning_rate(0.0123, 1)
    chunk = trainer.advance(20)
    assert chunk is not None
    assert chunk.series["lr"][1, 0] == 0.0123
    np.testing.assert_allclose(chunk.series["lr"][1], 0.0123 * 0.97 ** np.arange(20), rtol=1e-14)
    np.testing.assert_allclose(chunk.series["lr"][0], 0.2 * 0.97 ** np.arange(10, 30), rtol=1e-14)
    trainer = Trainer(preset, runs(preset, [SGD(lr=0.2), SGD(lr=0.1)]))
    trainer.set_learning_rate(0.7)
    chunk = trainer.advance(1)
    assert chunk is not None
    assert chunk.series["lr"].tolist() == [[0.7], [0.7]]


def test_a_rate_set_where_the_schedule_is_zero_stays(problem: Problem, runs: Runs) -> None:
    preset = problem(schedule=Polynomial(steps=5), steps=20)
    trainer = Trainer(preset, runs(preset))
    chunk = trainer.advance(10)
    assert chunk is not None
    assert chunk.series["lr"][0, 5:].tolist() == [0.0] * 5
    trainer.set_learning_rate(0.01)
    chunk = trainer.advance(10)
    assert chunk is not None
    assert chunk.series["lr"][0].tolist() == [0.01] * 10


def rates_after(trainer: Trainer, done: int, lr: float) -> np.ndarray:
    """The learning rates from the one that is set after `done` steps to the end."""
    trainer.advance(done)
    trainer.set_learning_rate(lr)
    assert trainer.learning_rates().tolist() == [lr]
    chunk = trainer.advance(trainer.total)
    assert chunk is not None
    rates: np.ndarray = chunk.series["lr"][0]
    return rates


@pytest.mark.parametrize("done", [0, 2, 99])
@pytest.mark.parametrize("schedule", [Cosine(warmup=100), Constant(warmup=100)], ids=repr)
def test_a_rate_set_in_the_warm_up_is_the_peak(
    problem: Problem, runs: Runs, schedule: Schedule, done: int
) -> None:
    preset = problem(schedule=schedule, steps=300)
    rates = rates_after(Trainer(preset, runs(preset)), done, 0.01)
    planned = schedule.factors(np.arange(100, 300), 300)
    assert rates[: 100 - done].tolist() == [0.01] * (100 - done)
    np.testing.assert_allclose(rates[100 - done :], 0.01 * planned, rtol=1e-14)
    assert rates.max() == 0.01


@pytest.mark.parametrize("done", [0, 3, 20])
@pytest.mark.parametrize("start", [0.0, 0.25])
def test_a_rate_set_while_one_cycle_rises_is_its_peak(
    problem: Problem, runs: Runs, start: float, done: int
) -> None:
    schedule = OneCycle(start=start, warmup=10, rise=0.3)
    preset = problem(schedule=schedule, steps=110)
    rates = rates_after(Trainer(preset, runs(preset)), done, 0.01)
    peak = 10 + 29 - done
    assert rates[: peak + 1].tolist() == [0.01] * (peak + 1)
    planned = schedule.factors(np.arange(39, 110), 110)
    np.testing.assert_allclose(rates[peak:], 0.01 * planned, rtol=1e-14)


def test_a_rule_that_takes_the_rate_once_keeps_its_own(problem: Problem, runs: Runs) -> None:
    preset = problem(optimizer=Rprop(lr=0.1), steps=9)
    alone = Trainer(preset, runs(preset, [Rprop(lr=0.1)]))
    alone.set_learning_rate(0.2)
    assert alone.learning_rates().tolist() == [0.2]
    alone.advance(1)
    with pytest.raises(InputError, match="rprop takes the learning rate for its first step alone"):
        alone.set_learning_rate(0.3)
    both = Trainer(preset, runs(preset, [Rprop(lr=0.1), SGD(lr=0.1)]))
    both.advance(1)
    both.set_learning_rate(0.3)
    assert both.learning_rates().tolist() == [0.1, 0.3]


@pytest.mark.parametrize("warmup", [0, 10])
def test_a_rate_set_for_the_last_step_is_used(problem: Problem, runs: Runs, warmup: int) -> None:
    preset = problem(schedule=Cosine(warmup=warmup), steps=50)
    assert rates_after(Trainer(preset, runs(preset)), 49, 0.03).tolist() == [0.03]


def test_a_rate_set_in_the_warm_up_of_one_run_leaves_the_others(
    problem: Problem, runs: Runs
) -> None:
    preset = problem(schedule=Cosine(warmup=10), steps=40)
    trainer = Trainer(preset, runs(preset, [SGD(lr=0.1), SGD(lr=0.1)]))
    trainer.set_learning_rate(0.02, 1)
    chunk = trainer.advance(40)
    assert chunk is not None
    planned = 0.1 * preset.schedule.factors(np.arange(40), 40)
    np.testing.assert_array_equal(chunk.series["lr"][0], planned)


@pytest.mark.parametrize("lr", [-1.0, float("nan"), float("inf")])
def test_rates_that_are_none(problem: Problem, runs: Runs, lr: float) -> None:
    preset = problem()
    with pytest.raises(InputError, match="learning rate"):
        Trainer(preset, runs(preset)).set_learning_rate(lr)
    with pytest.raises(InputError, match="run 1"):
        Trainer(preset, runs(preset)).set_learning_rate(0.1, 1)


def test_no_rate_is_set_for_runs_that_have_ended(problem: Problem, runs: Runs) -> None:
    preset = problem(dtype="float32", steps=2000)
    trainer = Trainer(preset, runs(preset, [SGD(lr=0.05), SGD(lr=5.0)]))
    trainer.advance(1000)
    assert list(trainer.diverged) == [1]
    with pytest.raises(InputError, match="run 1 has ended"):
        trainer.set_learning_rate(0.01, 1)
    trainer.set_learning_rate(0.02)
    assert trainer.learning_rates().tolist() == [0.02, 5.0]
    trainer.advance(1000)
    with pytest.raises(InputError, match="run 0 has ended"):
        trainer.set_learning_rate(0.01, 0)
    with pytest.raises(InputError, match="all runs have ended"):
        trainer.set_learning_rate(0.01)


def test_no_rate_is_set_where_the_runs_left_took_theirs(problem: Problem, runs: Runs) -> None:
    preset = problem(dtype="float32", steps=2000)
    trainer = Trainer(preset, runs(preset, [Rprop(lr=0.1), SGD(lr=5.0)]))
    trainer.advance(1000)
    assert list(trainer.diverged) == [1]
    with pytest.raises(InputError, match="rprop takes the learning rate for its first step alone"):
        trainer.set_learning_rate(0.01)


# Schedules ----------------------------------------------------------------------------------


def test_schedules_of_neighbours_are_their_own(problem: Problem, runs: Runs) -> None:
    preset = problem(steps=10)
    one, two = runs(preset, [SGD(lr=0.1), SGD(lr=0.1)])
    two = structs.replace(two, schedule=Exponential(decay=0.5))
    assert one.schedule == Constant()
    rows = everything(Trainer(preset, [one, two]), 10)
    assert rows["lr"][0].tolist() == [0.1] * 10
    assert rows["lr"][1] == pytest.approx(0.1 * 0.5 ** np.arange(10))
