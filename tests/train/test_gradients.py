"""Gradients: those written out against autograd, and all against finite differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

import numpy as np
import pytest
import torch

from tuitrain.data import dataset
from tuitrain.spec.data import Digits, Points
from tuitrain.spec.loss import (
    AnyLoss,
    Asymmetric,
    BinaryCrossEntropy,
    CrossEntropy,
    Expression,
    Hinge,
    MeanSquared,
    Regularisation,
    SoftmaxCrossEntropy,
)
from tuitrain.spec.model import Activation, Convolution, Linear, Network, Output, Parameter
from tuitrain.spec.preset import Preset
from tuitrain.spec.size import shapes
from tuitrain.train.backpropagation import Backpropagation
from tuitrain.train.gradients import (
    Autograd,
    Formula,
    LinearAsymmetric,
    LinearMeanSquared,
    Regularised,
    objective,
)
from tuitrain.train.losses import Loss, targets

ROWS = Points(
    x=[[0.3, 1.0], [-1.2, 0.4], [2.0, -0.7]],
    y=[[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, 0.0]],
)
ONE_OUTPUT = Points(x=[[0.3, 1.0], [-1.2, 0.4], [2.0, -0.7]], y=[0.2, -1.0, 0.7])
FORMULAS = [
    "(w + 1)^2",
    "w^3 - 2*w^2 + w/3 - 1",
    "sin(3*w) + cos(w)*tan(w/4)",
    "exp(-w^2) * tanh(w) - w",
    "log(w^2 + 1) + sqrt(w^2 + 2) + abs(w)",
    "2^w + w^-2 + 1/(1 + w^2)",
    "(w^2 + 1)^(w/2) + w^0 + (1 - w)",
    "0^(w^2 + 1) + 3*w",
    "-w + +w * pi / e - 1",
]


CLASSES = Points(x=ROWS.x, y=[0, 2, 1])
BINARY = Points(x=ROWS.x, y=[0, 1, 1])
SPARSE = SoftmaxCrossEntropy(targets="sparse")
FIVE = Points(x=np.random.RandomState(5).normal(0, 1, (5, 2)).tolist(), y=[0, 2, 1, 1, 0])
"""More rows than there are batches of the same size."""


def linear() -> dict[str, dict[str, object]]:
    return {
        f"linear {type(kind).__name__} bias={bias} outputs={name}": {
            "model": Linear(bias=bias),
            "loss": kind,
            "data": data,
        }
        for bias in (False, True)
        for kind, name, data in (
            (MeanSquared(), 1, ONE_OUTPUT),
            (MeanSquared(), 3, ROWS),
            (Asymmetric(cost=1.0, profit=9.0), 1, ONE_OUTPUT),
            (Asymmetric(cost=3.0, profit=1.0, reduce="mean"), 1, ONE_OUTPUT),
            (Asymmetric(cost=3.0, profit=1.0, reduce="mean"), 3, ROWS),
            (Asymmetric(cost=3.0, profit=1.0), 3, ROWS),
            (SoftmaxCrossEntropy(), 3, ROWS),
            (SPARSE, "sparse", CLASSES),
            (BinaryCrossEntropy(), 1, BINARY),
            (BinaryCrossEntropy(), 3, ROWS),
            (Hinge(), 1, BINARY),
            (Hinge(), 3, ROWS),
        )
    }


def free() -> dict[str, dict[str, object]]:
    distributions, hits = Points(y=[[1.0, 0.0], [0.3, 0.7]]), Points(y=[[1.0, 0.0], [1.0, 1.0]])
    cases: list[tuple[AnyLoss, Points]] = [
        (kind, distributions)
        for kind in (MeanSquared(), SoftmaxCrossEntropy(), CrossEntropy(), Asymmetric(cost=2.0))
    ]
    cases += [(BinaryCrossEntropy(), hits), (Hinge(), hits), (SPARSE, Points(y=[0, 1, 1]))]
    return {
        f"parameter {kind}": {"model": Parameter(size=2), "loss": kind, "data": data}
        for kind, data in cases
    } | {
        f"{formula} of {size}": {
            "model": Parameter(size=size),
            "loss": Expression(formula=formula),
            "data": None,
        }
        for formula in FORMULAS
        for size in (0, 3)
    }


LOSSES: dict[str, tuple[AnyLoss, Points, Output]] = {
    "mse": (MeanSquared(), ONE_OUTPUT, "linear"),
    "mse of 3": (MeanSquared(), ROWS, "linear"),
    "mse of softmax": (MeanSquared(), ROWS, "softmax"),
    "asymmetric": (Asymmetric(cost=2.0, profit=7.0), ROWS, "linear"),
    "mean asymmetric": (Asymmetric(cost=2.0, profit=7.0, reduce="mean"), ONE_OUTPUT, "softplus"),
    "softmax-cross-entropy": (SoftmaxCrossEntropy(), ROWS, "linear"),
    "soft targets": (
        SoftmaxCrossEntropy(),
        Points(x=ROWS.x, y=[[0.2, 0.8], [1.0, 0.0], [0.5, 0.5]]),
        "linear",
    ),
    "sparse": (SPARSE, CLASSES, "linear"),
    "cross-entropy": (CrossEntropy(), ROWS, "softmax"),
    "clipped": (CrossEntropy(clip=0.4), ROWS, "softmax"),
    "binary-cross-entropy": (BinaryCrossEntropy(), BINARY, "linear"),
    "binary-cross-entropy of 3": (BinaryCrossEntropy(), ROWS, "linear"),
    "hinge": (Hinge(), BINARY, "linear"),
    "hinge of 3": (Hinge(), ROWS, "linear"),
}


def networks() -> dict[str, dict[str, object]]:
    """Every loss with and without hidden layers and biases, every activation at every place."""
    every = {
        f"network {name} hidden={hidden} bias={bias}": {
            "model": Network(hidden=hidden, activation="tanh", output=output, bias=bias),
            "loss": kind,
            "data": data,
        }
        for name, (kind, data, output) in LOSSES.items()
        for hidden in ([], [4], [3, 5])
        for bias in (False, True)
    }
    hidden = {
        f"hidden {name}": {
            "model": Network(hidden=[4, 3], activation=[name, "tanh"]),
            "loss": MeanSquared(),
            "data": ROWS,
        }
        for name in get_args(Activation)
    }
    output = {
        f"output {name}": {
            "model": Network(hidden=[4], activation="sigmoid", output=name),
            "loss": MeanSquared(),
            "data": ROWS,
        }
        for name in get_args(Output)
    }
    return every | hidden | output


def regularised() -> dict[str, dict[str, object]]:
    models = {
        "linear": (Linear(), MeanSquared(), ONE_OUTPUT),
        "network": (Network(hidden=[4], activation="tanh"), SPARSE, CLASSES),
        "parameter": (Parameter(size=2), MeanSquared(), Points(y=[[1.0, 0.0]])),
        "formula": (Parameter(), Expression(formula="(w + 1)^2"), None),
    }
    rates = [Regularisation(l1=0.3), Regularisation(l2=0.7), Regularisation(l1=0.2, l2=0.1)]
    return {
        f"{name} l1={rate.l1} l2={rate.l2}": {
            "model": model,
            "loss": kind,
            "data": data,
            "regularisation": rate,
        }
        for name, (model, kind, data) in models.items()
        for rate in rates
    }


CASES = linear() | free() | networks() | regularised()


@pytest.fixture(params=CASES.values(), ids=CASES.keys())
def preset(request: pytest.FixtureRequest, problem: Callable[..., Preset]) -> Preset:
    return problem(**request.param)


def tensors(preset: Preset) -> tuple[torch.Tensor, torch.Tensor]:
    data = dataset(preset)
    if data is None:
        return torch.empty(1, 0), torch.empty(1, 0)
    return torch.from_numpy(data.x), torch.from_numpy(data.y)


def parameters(preset: Preset, runs: int) -> torch.Tensor:
    size = sum(int(np.prod(shape)) for shape in shapes(preset).values())
    random = np.random.RandomState(1)
    if isinstance(preset.model, Parameter):
        # Above 0, where logarithms are real and probabilities are not clipped.
        return torch.from_numpy(random.uniform(0.3, 0.9, (runs, size)))
    return torch.from_numpy(random.normal(0.1, 0.8, (runs, size)))


@pytest.mark.parametrize("runs", [1, 5])
def test_written_out_gradients_are_those_of_autograd(preset: Preset, runs: int) -> None:
    x, y = tensors(preset)
    p = parameters(preset, runs)
    written, automatic = objective(preset), Autograd(preset)
    losses, gradient = written(p, written.batch(x, y))
    expected_losses, expected = automatic(p, automatic.batch(x, y))
    torch.testing.assert_close(losses, expected_losses, rtol=1e-13, atol=1e-13)
    torch.testing.assert_close(gradient, expected, rtol=1e-13, atol=1e-13)
    assert gradient.shape == p.shape


def assert_finite_differences(preset: Preset, rows: int) -> None:
    x, y = (values[:rows] for values in tensors(preset))
    p = parameters(preset, 2)
    seam, loss = objective(preset), Loss(preset)
    losses, gradient = seam(p, seam.batch(x, y))
    columns, target = x.T, targets(preset.loss, y)
    torch.testing.assert_close(losses, loss(p, columns, target), rtol=1e-13, atol=1e-13)
    h = 1e-5
    for i in range(p.shape[1]):
        step = torch.zeros_like(p)
        step[:, i] = h
        change = (loss(p + step, columns, target) - loss(p - step, columns, target)) / (2 * h)
        torch.testing.assert_close(gradient[:, i], change, rtol=1e-7, atol=1e-8)


def test_gradients_are_finite_differences(preset: Preset) -> None:
    assert_finite_differences(preset, rows=100)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("kind", [MeanSquared(), SoftmaxCrossEntropy(), SPARSE, Hinge()], ids=repr)
def test_gradients_of_convolutions(
    problem: Callable[..., Preset], kind: AnyLoss, bias: bool
) -> None:
    model = Convolution(
        channels=[2, 3], hidden=[4], activation=["tanh", "elu", "sigmoid"], bias=bias
    )
    assert_finite_differences(problem(model=model, loss=kind, data=Digits()), rows=5)


def test_batches_of_other_sizes_do_not_disturb_each_other(problem: Callable[..., Preset]) -> None:
    preset = problem(model=Network(hidden=[4, 3]), loss=SPARSE, data=FIVE)
    x, y = tensors(preset)
    seam = objective(preset)
    batches = [seam.batch(x[rows], y[rows]) for rows in (slice(0, 2), slice(2, 4), slice(4, 5))]
    for runs in (5, 1, 3):
        p = parameters(preset, runs)
        for batch in batches:
            losses, gradient = seam(p, batch)
            fresh_losses, fresh = objective(preset)(p, batch)
            assert losses.tolist() == fresh_losses.tolist()
            assert gradient.tolist() == fresh.tolist()
        first = seam(p, batches[0])[1]
        kept = first.clone()
        seam(p + 1, batches[0])
        assert first.tolist() == kept.tolist()


def test_which_gradients_are_written_out(problem: Callable[..., Preset]) -> None:
    assert isinstance(objective(problem()), LinearMeanSquared)
    assert isinstance(objective(problem(loss=Asymmetric())), LinearAsymmetric)
    formula = problem(model=Parameter(), loss=Expression(formula="w^2"), data=None)
    assert isinstance(objective(formula), Formula)
    assert isinstance(objective(problem(data=ROWS)), Backpropagation)
    assert isinstance(objective(problem(model=Network(hidden=[3]))), Backpropagation)
    costly = objective(problem(regularisation=Regularisation(l2=0.1)))
    assert isinstance(costly, Regularised)
    assert isinstance(costly.of_data, LinearMeanSquared)
    images = problem(model=Convolution(channels=[2]), data=Digits(), loss=SPARSE)
    assert isinstance(objective(images), Autograd)
    assert isinstance(objective(problem(model=Parameter(), data=Points(y=[1.0]))), Autograd)


def test_a_power_whose_exponent_moves_has_the_value_of_the_formula(
    problem: Callable[..., Preset],
) -> None:
    preset = problem(model=Parameter(), loss=Expression(formula="w^w"), data=None)
    p = torch.tensor([[0.0], [-2.0], [1.5]], dtype=torch.float64)
    losses, _ = objective(preset)(p, Autograd(preset).batch(*tensors(preset)))
    assert losses.tolist() == [1.0, 0.25, 1.5**1.5]


def test_a_derivative_beyond_float32_is_infinite() -> None:
    p = torch.ones(3, 1, dtype=torch.float32)
    losses, gradient = Formula("1e39 * w")(p, ())
    assert losses.isinf().all()
    assert gradient.isinf().all()
    assert gradient.shape == p.shape


def test_an_exact_hit_counts_as_too_little(problem: Callable[..., Preset]) -> None:
    preset = problem(
        model=Linear(bias=False),
        loss=Asymmetric(cost=3.0, profit=5.0),
        data=Points(x=[2.0], y=[4.0]),
    )
    x, y = tensors(preset)
    p = torch.tensor([[2.0]], dtype=torch.float64)
    for seam in (objective(preset), Autograd(preset)):
        losses, gradient = seam(p, seam.batch(x, y))
        assert (losses.item(), gradient.item()) == (0.0, -10.0)
