"""The trainer: what its numbers depend on and what not, divergence, resuming."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.train.same import everything, same_bits, same_state
from tuitrain.optim import OPTIMIZERS, Optimizer
from tuitrain.optim.adam import Adam
from tuitrain.optim.schedules import Cosine, Exponential
from tuitrain.optim.sgd import SGD, Momentum
from tuitrain.spec.data import Gaussian, Points
from tuitrain.spec.experiment import Run
from tuitrain.spec.loss import Expression
from tuitrain.spec.model import Linear, Parameter
from tuitrain.spec.preset import Preset
from tuitrain.train import Divergence, Trainer
from tuitrain.train import block as block_module

Problem = Callable[..., Preset]
Runs = Callable[..., list[Run]]


# What the numbers depend on -----------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("batch", ["full", 7])
@pytest.mark.parametrize("runs_in_stack", [1, 3])
def test_chunks_change_no_bit(
    problem: Problem, runs: Runs, dtype: str, batch: int | str, runs_in_stack: int
) -> None:
    rules = [SGD(lr=0.03), Adam(lr=0.1), SGD(lr=0.01)][:runs_in_stack]
    preset = problem(dtype=dtype, batch=batch, steps=1500, schedule=Cosine())
    make = lambda: Trainer(preset, runs(preset, rules))  # noqa: E731
    whole = everything(make(), 1500)
    same_bits(whole, everything(make(), 1))
    same_bits(whole, everything(make(), 1, 13, 1010, 7))
    same_bits(whole, everything(make(), 1500))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_chunks_change_no_bit_when_runs_end(problem: Problem, runs: Runs, dtype: str) -> None:
    rates = [0.05, 80.0, 0.01, 3.0, 0.02, 1e9, 0.04]
    preset = problem(dtype=dtype, steps=2600, data=Gaussian(rows=32, seed=1, truth=[1.0, 2.0]))
    make = lambda: Trainer(preset, runs(preset, [SGD(lr=lr) for lr in rates]))  # noqa: E731
    first, second = make(), make()
    same_bits(everything(first, 2600), everything(second, 1, 5, 700, 3))
    assert first.diverged == second.diverged
    assert sorted(first.diverged) == [1, 3, 5]
    assert {name: w.tobytes() for name, w in first.weights().items()} == {
        name: w.tobytes() for name, w in second.weights().items()
    }


RULES = st.sampled_from(sorted(OPTIMIZERS)).flatmap(
    lambda name: st.floats(1e-4, 0.05).map(lambda lr: OPTIMIZERS[name](lr=lr))
)


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    rules=st.lists(RULES, min_size=2, max_size=6),
    bias=st.booleans(),
    batch=st.sampled_from(["full", 6]),
    seeds=st.lists(st.integers(0, 3), min_size=6, max_size=6),
)
def test_runs_do_not_see_their_neighbours(
    problem: Problem,
    runs: Runs,
    rules: list[Optimizer],
    bias: bool,
    batch: object,
    seeds: list[int],
) -> None:
    preset = problem(model=Linear(bias=bias), batch=batch, steps=60, schedule=Exponential())
    stack = runs(preset, rules, seeds[: len(rules)])
    together = everything(Trainer(preset, stack), 60)
    for index, run in enumerate(stack):
        alone = everything(Trainer(preset, [run]), 60)
        for name, values in alone.items():
            np.testing.assert_allclose(
                together[name][index], values[0], rtol=1e-12, atol=1e-12, err_msg=name
            )


def test_equal_runs_have_equal_bits_at_any_place(problem: Problem, runs: Runs) -> None:
    preset = problem(steps=50)
    rules = [SGD(lr=0.01), Adam(lr=0.1), SGD(lr=0.01), Adam(lr=0.1)]
    rows = everything(Trainer(preset, runs(preset, rules)), 50)
    for values in rows.values():
        assert values[0].tobytes() == values[2].tobytes()
        assert values[1].tobytes() == values[3].tobytes()


@pytest.mark.parametrize(
    ("rule", "stock"),
    [
        (SGD(lr=0.05), lambda p: torch.optim.SGD(p, lr=0.05)),
        (
            Momentum(lr=0.02, momentum=0.8),
            lambda p: torch.optim.SGD(p, lr=0.02, momentum=0.8),
        ),
        (Adam(lr=0.1), lambda p: torch.optim.Adam(p, lr=0.1)),
    ],
    ids=["sgd", "momentum", "adam"],
)
def test_a_stock_pytorch_loop_goes_the_same_way(
    problem: Problem,
    runs: Runs,
    rule: Optimizer,
    stock: Callable[[list[torch.nn.Parameter]], torch.optim.Optimizer],
) -> None:
    preset = problem(optimizer=rule, batch=6, steps=100)
    trainer = Trainer(preset, runs(preset))
    w, b = (torch.nn.Parameter(torch.tensor(value[0])) for value in trainer.weights().values())
    random = np.random.RandomState(preset.data.seed)  # type: ignore[union-attr]
    x = torch.from_numpy(random.normal(0.0, 1.0, (20, 3)))
    y = x @ torch.tensor([[1.0], [-2.0], [0.5]], dtype=torch.float64)
    y = y + torch.from_numpy(random.normal(0.0, 0.3, (20, 1)))
    optimizer = stock([w, b])
    losses = []
    for step in range(100):
        start = step % 4 * 6
        loss = torch.nn.functional.mse_loss(x[start : start + 6] @ w + b, y[start : start + 6])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    rows = everything(trainer, 100)
    np.testing.assert_allclose(rows["loss"][0], losses, rtol=1e-10)
    np.testing.assert_allclose(trainer.weights()["w"][0], w.detach().numpy(), rtol=1e-10)
    np.testing.assert_allclose(trainer.weights()["b"][0], b.detach().numpy(), rtol=1e-10)


# Start --------------------------------------------------------------------------------------


def test_start_weights(problem: Problem, runs: Runs) -> None:
    model = Linear(init={"w": [[1.0], [2.0], [3.0]]}, std=0.5)
    preset = problem(model=model, seed=4, dtype="float32")
    rules = [SGD(lr=0.1), Adam(lr=0.2), SGD(lr=0.1), Adam(lr=0.3)]
    weights = Trainer(preset, runs(preset, rules, [4, 4, 5, 5])).weights()
    assert weights["w"].dtype == np.float32
    assert weights["w"].shape == (4, 3, 1)
    assert weights["w"][:2].tolist() == [[[1.0], [2.0], [3.0]]] * 2
    random = np.random.RandomState(5)
    drawn = random.normal(0.0, 0.5, (3, 1)), random.normal(0.0, 0.5, 1)
    for i in (2, 3):
        assert weights["w"][i].tolist() == drawn[0].astype(np.float32).tolist()
        assert weights["b"][i].tolist() == drawn[1].astype(np.float32).tolist()
    # `init` gives no b: it is drawn as if all were.
    random = np.random.RandomState(4)
    random.normal(0.0, 0.5, (3, 1))
    assert weights["b"][0].tolist() == random.normal(0.0, 0.5, 1).astype(np.float32).tolist()


def test_batches_are_consecutive_rows_and_the_last_is_smaller(problem: Problem, runs: Runs) -> None:
    data = Points(x=[1.0, 1.0, 1.0, 1.0, 1.0], y=[0.0, 2.0, 10.0, 20.0, 7.0])
    model = Linear(bias=False, init={"w": [[0.0]]})
    preset = problem(model=model, data=data, optimizer=SGD(lr=0.0), batch=2, steps=7)
    rows = everything(Trainer(preset, runs(preset)), 7)
    one, two, three = 2.0, 250.0, 49.0
    assert rows["loss"][0].tolist() == [one, two, three, one, two, three, one]


# Divergence ---------------------------------------------------------------------------------


def test_divergence_names_step_and_tensor_and_spares_the_neighbours(
    problem: Problem, runs: Runs
) -> None:
    preset = problem(dtype="float32", steps=2000)
    rules = [SGD(lr=0.05), SGD(lr=5.0), SGD(lr=0.02)]
    trainer = Trainer(preset, runs(preset, rules))
    rows = everything(trainer, 2000)
    assert list(trainer.diverged) == [1]
    step = trainer.diverged[1].step
    assert trainer.diverged[1].tensor == "loss"
    assert np.all(np.isfinite(rows["loss"][1, : step - 1]))
    assert rows["loss"][1, step - 1] == np.inf
    assert rows["lr"][1, step - 1] == 5.0
    for name, values in rows.items():
        assert np.all(np.isnan(values[1, step:])), name
        assert np.all(np.isfinite(values[[0, 2]])), name
    two = everything(Trainer(preset, runs(preset, [rules[0], rules[2]])), 2000)
    for name, values in two.items():
        np.testing.assert_allclose(rows[name][[0, 2]], values, rtol=1e-4, atol=1e-5)
    # The run's weights are those of its last row.
    assert trainer.weights()["w"][1].ravel().tolist() == [
        rows[f"w[{i},0]"][1, step - 1] for i in range(3)
    ]


@pytest.mark.parametrize(
    ("formula", "start", "lr", "expected"),
    [
        ("log(w)", -1.0, 0.1, Divergence(1, "loss")),
        ("sqrt(w)", 0.0, 0.1, Divergence(1, "gradient of w")),
        ("w^2", 10.0, 1e308, Divergence(1, "w")),
        # w after k steps is 2 (-2)^k; the square of 2^512 is too large for float64.
        ("w^2", 2.0, 1.5, Divergence(512, "loss")),
    ],
)
def test_what_was_not_finite_first(
    problem: Problem, runs: Runs, formula: str, start: float, lr: float, expected: Divergence
) -> None:
    model = Parameter(init={"w": start})
    preset = problem(model=model, loss=Expression(formula=formula), data=None, steps=5000)
    trainer = Trainer(preset, runs(preset, [SGD(lr=lr)]))
    rows = everything(trainer, 5000)
    assert trainer.diverged == {0: expected}
    assert trainer.finished
    assert trainer.step == expected.step
    assert rows["loss"].shape == (1, expected.step)


def test_all_runs_ended_ends_the_training(problem: Problem, runs: Runs) -> None:
    preset = problem(dtype="float32", steps=100_000)
    trainer = Trainer(preset, runs(preset, [SGD(lr=10.0), SGD(lr=1e9)]))
    chunk = trainer.advance(100_000)
    assert chunk is not None
    steps = [trainer.diverged[i].step for i in (0, 1)]
    assert trainer.finished
    assert trainer.step == chunk.last == max(steps)
    assert trainer.advance(10) is None
    assert not np.all(np.isfinite(trainer.evaluate().values["loss"]))


# Resuming -----------------------------------------------------------------------------------


@pytest.mark.parametrize("cut", [1, 20, 64, 90, 128, 150])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_resumed_training_has_the_same_bits(
    problem: Problem, runs: Runs, cut: int, dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Runs that have ended are dropped between blocks: short ones, so that it happens before,
    # at and after the cut.
    monkeypatch.setattr(block_module, "LARGEST_BLOCK", 32)
    rules = [rule(lr=0.01) for rule in OPTIMIZERS.values()]
    rules += [SGD(lr=40.0), SGD(lr=0.02), Momentum(lr=1e4), SGD(lr=1e9), Adam(lr=0.02)]
    rules += [Adam(lr=0.02, beta1=0.8), Adam(lr=0.01, beta1=0.7, eps=1e-6), Momentum(momentum=0.5)]
    preset = problem(dtype=dtype, batch=6, steps=200, schedule=Cosine(warmup=10))
    make = lambda: Trainer(preset, runs(preset, rules))  # noqa: E731
    straight, stopped, resumed = make(), make(), make()
    for trainer in (straight, stopped):
        trainer.advance(cut // 2)
        trainer.set_learning_rate(0.015, 0)
        trainer.advance(cut - cut // 2)
    resumed.state = stopped.state
    assert stopped.step == cut == resumed.step
    assert stopped.diverged == resumed.diverged
    same_state(stopped.state, resumed.state)
    same_bits(everything(straight, 200), everything(resumed, 200))
    assert len(straight.diverged) > 1
    same_state(straight.state, resumed.state)


@pytest.mark.usefixtures("every_fourth")
def test_the_state_is_a_copy(problem: Problem, runs: Runs) -> None:
    preset = problem(batch=6, schedule=Cosine(warmup=20))
    trainer = Trainer(preset, runs(preset, [Adam(lr=0.1), SGD(lr=0.02)]))
    trainer.advance(7)
    before = trainer.state
    kept = deepcopy(before)
    assert before.last_row
    trainer.set_learning_rate(0.5)
    trainer.advance(12)
    same_state(before, kept)
    # and what the trainer was set to is not what it goes on with
    trainer.state = before
    trainer.set_learning_rate(0.5)
    trainer.advance(12)
    same_state(before, kept)
