"""Losses and gradients: against NumPy, against finite differences, against autograd."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from tuitrain.data import dataset
from tuitrain.spec.preset import (
    Asymmetric,
    CrossEntropy,
    Expression,
    Linear,
    MeanSquared,
    Parameter,
    Points,
    Preset,
    SoftmaxCrossEntropy,
)
from tuitrain.spec.size import shapes
from tuitrain.train.gradients import (
    Autograd,
    Formula,
    LinearAsymmetric,
    LinearMeanSquared,
    objective,
)
from tuitrain.train.losses import compare, loss

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
    "3*w",
    "-w + +w * pi / e - 1",
]


def problems() -> list[tuple[str, dict[str, object]]]:
    linear = [
        (
            f"linear {type(kind).__name__} bias={bias}",
            {"model": Linear(bias=bias), "loss": kind, "data": data},
        )
        for bias in (False, True)
        for kind, data in (
            (MeanSquared(), ONE_OUTPUT),
            (MeanSquared(), ROWS),
            (Asymmetric(cost=1.0, profit=9.0), ONE_OUTPUT),
            (Asymmetric(cost=3.0, profit=1.0, reduce="mean"), ONE_OUTPUT),
            (Asymmetric(cost=3.0, profit=1.0, reduce="mean"), ROWS),
            (SoftmaxCrossEntropy(), ROWS),
        )
    ]
    targets = Points(y=[[1.0, 0.0], [0.3, 0.7]])
    parameter = [
        (
            f"parameter {type(kind).__name__}",
            {"model": Parameter(size=2), "loss": kind, "data": targets},
        )
        for kind in (MeanSquared(), SoftmaxCrossEntropy(), CrossEntropy(), Asymmetric(cost=2.0))
    ]
    formulas = [
        (
            formula,
            {"model": Parameter(size=size), "loss": Expression(formula=formula), "data": None},
        )
        for formula in FORMULAS
        for size in (0, 3)
    ]
    return linear + parameter + formulas


CASES = problems()


@pytest.fixture(params=[case for _, case in CASES], ids=[name for name, _ in CASES])
def preset(request: pytest.FixtureRequest, problem: Callable[..., Preset]) -> Preset:
    return problem(**request.param)


def tensors(preset: Preset) -> tuple[torch.Tensor, torch.Tensor]:
    data = dataset(preset)
    if data is None:
        return torch.empty(1, 0), torch.empty(1, 0)
    return torch.from_numpy(data.x), torch.from_numpy(data.y)


def parameters(preset: Preset, runs: int) -> torch.Tensor:
    size = sum(int(np.prod(shape)) for shape in shapes(preset).values())
    # Above 0, where logarithms are real and probabilities are not clipped.
    return torch.from_numpy(np.random.RandomState(1).uniform(0.3, 0.9, (runs, size)))


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


def test_gradients_are_finite_differences(preset: Preset) -> None:
    x, y = tensors(preset)
    p = parameters(preset, 2)
    seam = objective(preset)
    _, gradient = seam(p, seam.batch(x, y))
    h = 1e-5
    for i in range(p.shape[1]):
        step = torch.zeros_like(p)
        step[:, i] = h
        above, below = (
            loss(preset.model, preset.loss, shapes(preset), q, x, y) for q in (p + step, p - step)
        )
        torch.testing.assert_close(gradient[:, i], (above - below) / (2 * h), rtol=1e-8, atol=1e-8)


def test_which_gradients_are_written_out(problem: Callable[..., Preset]) -> None:
    assert isinstance(objective(problem()), LinearMeanSquared)
    assert isinstance(objective(problem(loss=Asymmetric())), LinearAsymmetric)
    formula = problem(model=Parameter(), loss=Expression(formula="w^2"), data=None)
    assert isinstance(objective(formula), Formula)
    assert isinstance(objective(problem(data=ROWS)), Autograd)


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


# Losses -------------------------------------------------------------------------------------

PREDICTED = np.random.RandomState(0).randn(4, 3, 2)
Y = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])


def by_hand(kind: object, predicted: np.ndarray) -> float:
    """The loss of one run, `[B, outputs]`, row by row."""
    error = predicted - Y
    match kind:
        case MeanSquared():
            return float((error**2).mean())
        case Asymmetric(cost=cost, profit=profit, reduce=reduce):
            prices = [cost * e if e > 0 else profit * -e for e in error.ravel()]
            return sum(prices) / (len(prices) if reduce == "mean" else 1)
        case SoftmaxCrossEntropy():
            powers = np.exp(predicted)
            predicted = powers / powers.sum(1, keepdims=True)
    return float(-(Y * np.log(np.clip(predicted, 1e-10, 1.0))).sum(1).mean())


@pytest.mark.parametrize(
    "kind",
    [
        MeanSquared(),
        Asymmetric(cost=2.0, profit=7.0),
        Asymmetric(cost=2.0, profit=7.0, reduce="mean"),
        SoftmaxCrossEntropy(),
        CrossEntropy(),
    ],
    ids=repr,
)
def test_losses_by_hand(kind: MeanSquared) -> None:
    losses = compare(kind, torch.from_numpy(PREDICTED), torch.from_numpy(Y))
    assert losses.numpy() == pytest.approx([by_hand(kind, run) for run in PREDICTED], rel=1e-13)


def test_huge_logits_give_a_finite_loss() -> None:
    logits = torch.tensor([[[1e4, -1e4]]], requires_grad=True)
    found = compare(SoftmaxCrossEntropy(), logits, torch.tensor([[0.0, 1.0]]))
    found.sum().backward()
    assert found.item() == 2e4
    assert logits.grad is not None
    assert logits.grad.tolist() == [[[1.0, -1.0]]]


def test_probabilities_are_clipped() -> None:
    y = torch.tensor([[1.0, 0.0]])
    assert compare(CrossEntropy(), torch.tensor([[[0.0, 1.0]]]), y).item() == pytest.approx(
        -np.log(1e-10)
    )
    assert compare(CrossEntropy(clip=0.5), torch.tensor([[[0.0, 1.0]]]), y).item() == (
        pytest.approx(-np.log(0.5))
    )
