"""Networks in the trainer: what their numbers depend on, and when they are evaluated."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from msgspec import structs

from tests.train.same import everything, same_bits, same_evaluations, same_state
from tuitrain.optim.adam import Adam
from tuitrain.optim.sgd import SGD, Momentum
from tuitrain.spec.data import Circle, Digits, Iris
from tuitrain.spec.evaluation import stride
from tuitrain.spec.experiment import Run
from tuitrain.spec.loss import Asymmetric, BinaryCrossEntropy, Regularisation, SoftmaxCrossEntropy
from tuitrain.spec.model import Convolution, Network
from tuitrain.spec.preset import Preset
from tuitrain.spec.recording import Chunk
from tuitrain.train import Trainer
from tuitrain.train import trainer as trainer_module

Problem = Callable[..., Preset]
Runs = Callable[..., list[Run]]

NETWORKS: dict[str, dict[str, object]] = {
    "classes": {
        "model": Network(hidden=[5, 4], activation=["tanh", "relu"]),
        "loss": SoftmaxCrossEntropy(targets="sparse"),
        "data": Iris(test=0.2, shuffle=1, standardise=True),
    },
    "two classes": {
        "model": Network(hidden=[6]),
        "loss": BinaryCrossEntropy(),
        "data": Circle(rows=60, test=0.2),
        "regularisation": Regularisation(l1=0.001, l2=0.01),
    },
    "images": {
        "model": Convolution(channels=[3, 2], hidden=[5], activation="elu"),
        "loss": SoftmaxCrossEntropy(),
        "data": Digits(shuffle=0, test=0.95),
    },
}


@pytest.fixture(params=NETWORKS.values(), ids=NETWORKS.keys())
def network(request: pytest.FixtureRequest, problem: Problem) -> Preset:
    return problem(**request.param, batch=25, steps=40)


def test_networks_do_not_see_their_neighbours(network: Preset, runs: Runs) -> None:
    rules = [SGD(lr=0.1), Adam(lr=0.01), SGD(lr=0.02), Momentum(lr=0.01), Adam(lr=0.03)]
    stack = runs(network, rules, [3, 1, 4, 1, 5])
    together = Trainer(network, stack)
    rows = everything(together, 40)
    evaluated = together.take_evaluations()
    for index, run in enumerate(stack):
        alone = Trainer(network, [run])
        for name, values in everything(alone, 40).items():
            np.testing.assert_allclose(
                rows[name][index], values[0], rtol=1e-12, atol=1e-12, err_msg=name
            )
        for one, other in zip(evaluated, alone.take_evaluations(), strict=True):
            assert one.step == other.step
            for name, value in other.values.items():
                np.testing.assert_allclose(
                    one.values[name][index], value[0], rtol=1e-6, atol=1e-12, err_msg=name
                )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_chunks_change_no_bit_of_networks(network: Preset, runs: Runs, dtype: str) -> None:
    preset = structs.replace(network, train=structs.replace(network.train, dtype=dtype))
    rules = [SGD(lr=0.1), Adam(lr=0.01), SGD(lr=1e30 if dtype == "float32" else 1e200)]
    trainers = [Trainer(preset, runs(preset, rules)) for _ in range(3)]
    whole, single, mixed = (
        everything(trainer, *steps)
        for trainer, steps in zip(trainers, [(40,), (1,), (7, 1, 20, 3)], strict=True)
    )
    same_bits(whole, single)
    same_bits(whole, mixed)
    assert list(trainers[0].diverged) == [2]
    expected, *others = (trainer.take_evaluations() for trainer in trainers)
    for found in others:
        same_evaluations(expected, found)


def test_a_network_diverges_where_a_tensor_is_no_number(network: Preset, runs: Runs) -> None:
    trainer = Trainer(network, runs(network, [SGD(lr=0.01), SGD(lr=1e200)]))
    rows = everything(trainer, 40)
    assert list(trainer.diverged) == [1]
    assert trainer.diverged[1].tensor == "loss"
    for values in rows.values():
        assert np.isfinite(values[0]).all()
        assert np.isnan(values[1, trainer.diverged[1].step :]).all()


# Evaluation ---------------------------------------------------------------------------------


def test_evaluation_takes_all_rows_and_the_weights_of_now(problem: Problem, runs: Runs) -> None:
    preset = problem(batch=6, dtype="float32", loss=Asymmetric(cost=2.0))
    trainer = Trainer(preset, runs(preset, [SGD(lr=0.001), SGD(lr=0.002)]), stack=2)
    trainer.advance(50)
    found = trainer.evaluate()
    whole = structs.replace(preset, train=structs.replace(preset.train, batch="full"))
    other = Trainer(whole, trainer.runs)
    other.state = trainer.state
    chunk = other.advance(1)
    assert isinstance(chunk, Chunk)
    assert (found.stack, found.step) == (2, 50)
    assert list(found.values) == ["loss"]
    assert found.values["loss"].dtype == np.float64
    np.testing.assert_allclose(found.values["loss"], chunk.series["loss"][:, 0], rtol=1e-5)


def test_a_problem_that_tells_no_more_than_its_loss_is_not_evaluated(
    problem: Problem, runs: Runs
) -> None:
    preset = problem()
    trainer = Trainer(preset, runs(preset))
    trainer.advance(200)
    assert trainer.take_evaluations() == []


def test_evaluations_come_before_the_first_step_and_then_at_every_stride(
    network: Preset, runs: Runs
) -> None:
    preset = structs.replace(network, train=structs.replace(network.train, steps=200))
    every = stride(preset)
    assert every is not None
    trainer = Trainer(preset, runs(preset))
    assert [evaluation.step for evaluation in trainer.take_evaluations()] == [0]
    trainer.advance(every)
    assert [evaluation.step for evaluation in trainer.take_evaluations()] == [every]
    assert trainer.take_evaluations() == []
    trainer.advance(every - 1)
    assert trainer.take_evaluations() == []
    trainer.advance(1000)
    due = sorted({*range(2 * every, 200, every), 200})
    last = trainer.take_evaluations()
    assert [evaluation.step for evaluation in last] == due
    same_evaluations([trainer.evaluate(pictures=True)], last[-1:])


def test_an_evaluation_is_that_of_a_training_that_ends_there(
    network: Preset, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer_module, "stride", lambda _: 3)
    monkeypatch.setattr(trainer_module, "pictured", lambda *_: 2)
    trainer = Trainer(network, runs(network, [SGD(lr=0.1), SGD(lr=1e200), Adam(lr=0.01)]))
    trainer.advance(40)
    found = trainer.take_evaluations()
    assert [evaluation.step for evaluation in found] == [*range(0, 40, 3), 40]
    for evaluation in found:
        other = Trainer(network, trainer.runs)
        other.advance(evaluation.step)
        pictures = evaluation.step % 6 == 0 or evaluation.step == 40
        same_evaluations([evaluation], [other.evaluate(pictures)])
        assert ("weights" in evaluation.values) == pictures


def test_judging_does_not_change_the_training(
    network: Preset, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = [SGD(lr=0.1), Adam(lr=0.01)]
    evaluated = everything(Trainer(network, runs(network, rules)), 40)
    monkeypatch.setattr(trainer_module, "stride", lambda _: None)
    same_bits(evaluated, everything(Trainer(network, runs(network, rules)), 40))


def test_a_training_that_ends_early_is_evaluated_where_it_ends(network: Preset, runs: Runs) -> None:
    trainer = Trainer(network, runs(network, [SGD(lr=1e200), SGD(lr=1e100)]))
    trainer.advance(40)
    steps = [evaluation.step for evaluation in trainer.take_evaluations()]
    assert trainer.finished
    assert trainer.step < 40
    assert steps[-1] == trainer.step
    assert not np.isfinite(trainer.evaluate().values["loss"]).any()


@pytest.mark.parametrize("cut", [0, 1, 4, 20, 39, 40])
@pytest.mark.parametrize("taken", [False, True])
def test_what_is_due_is_part_of_the_state(
    network: Preset, runs: Runs, cut: int, taken: bool
) -> None:
    make = lambda: Trainer(network, runs(network, [SGD(lr=0.1), Adam(lr=0.01)]))  # noqa: E731
    straight, stopped, resumed = make(), make(), make()
    for trainer in (straight, stopped):
        trainer.advance(cut)
        if taken:
            trainer.take_evaluations()
    resumed.state = stopped.state
    assert not taken or stopped.state.evaluations == ()
    straight.advance(40)
    resumed.advance(40)
    same_evaluations(straight.take_evaluations(), resumed.take_evaluations())
    same_state(straight.state, resumed.state)
