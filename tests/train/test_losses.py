"""Losses: against NumPy row by row, against torch.nn.functional, at their extremes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch.nn import functional

from tuitrain.spec.data import Points
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
from tuitrain.spec.model import Network
from tuitrain.spec.preset import Preset
from tuitrain.train.loss_gradients import loss_gradient
from tuitrain.train.losses import data_loss, penalty, targets
from tuitrain.train.models import initial, named

PREDICTED = np.random.RandomState(0).randn(4, 3, 5)  # 4 runs, 3 outputs, 5 rows
Y = np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [0, 1, 0], [1, 0, 0]])
SPARSE = SoftmaxCrossEntropy(targets="sparse")
KINDS: list[AnyLoss] = [
    MeanSquared(),
    Asymmetric(cost=2.0, profit=7.0),
    Asymmetric(cost=2.0, profit=7.0, reduce="mean"),
    SoftmaxCrossEntropy(),
    SPARSE,
    CrossEntropy(),
    BinaryCrossEntropy(),
    Hinge(),
]


def by_hand(kind: AnyLoss, predicted: np.ndarray) -> float:
    """The loss of one run, `[B, outputs]`, number by number."""
    pairs = list(zip(predicted.ravel(), Y.ravel(), strict=True))
    match kind:
        case MeanSquared():
            return float(np.mean([(z - y) ** 2 for z, y in pairs]))
        case Asymmetric(cost=cost, profit=profit, reduce=reduce):
            prices = [cost * (z - y) if z > y else profit * (y - z) for z, y in pairs]
            return sum(prices) / (len(prices) if reduce == "mean" else 1)
        case BinaryCrossEntropy():
            shares = [(1 / (1 + np.exp(-z)), y) for z, y in pairs]
            return float(np.mean([-y * np.log(p) - (1 - y) * np.log(1 - p) for p, y in shares]))
        case Hinge():
            return float(np.mean([max(0.0, 1 - (2 * y - 1) * z) for z, y in pairs]))
        case SoftmaxCrossEntropy():
            powers = np.exp(predicted)
            predicted = powers / powers.sum(1, keepdims=True)
    return float(-(Y * np.log(np.clip(predicted, 1e-10, 1.0))).sum(1).mean())


def found(kind: AnyLoss, predicted: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """The loss, which the written out form agrees with."""
    losses = data_loss(kind, predicted, targets(kind, y))
    form = loss_gradient(kind)
    same, _ = form(predicted, *form.targets(y.T.contiguous()))
    torch.testing.assert_close(same, losses, rtol=1e-13, atol=1e-13)
    return losses


@pytest.mark.parametrize("kind", KINDS, ids=repr)
def test_losses_by_hand(kind: AnyLoss) -> None:
    losses = found(kind, torch.from_numpy(PREDICTED), torch.from_numpy(Y))
    assert losses.numpy() == pytest.approx([by_hand(kind, run.T) for run in PREDICTED], rel=1e-13)


STOCK: list[tuple[AnyLoss, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]]] = [
    (MeanSquared(), functional.mse_loss),
    (SoftmaxCrossEntropy(), functional.cross_entropy),
    (SPARSE, lambda z, y: functional.cross_entropy(z, y.argmax(1))),
    (CrossEntropy(), lambda z, y: functional.nll_loss(z.log(), y.argmax(1))),
    (BinaryCrossEntropy(), functional.binary_cross_entropy_with_logits),
    (Hinge(), lambda z, y: functional.hinge_embedding_loss(z * (2 * y - 1), -torch.ones_like(z))),
]


@pytest.mark.parametrize(("kind", "stock"), STOCK, ids=[repr(kind) for kind, _ in STOCK])
def test_losses_are_those_of_pytorch(
    kind: AnyLoss, stock: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
) -> None:
    predicted, y = torch.from_numpy(PREDICTED), torch.from_numpy(Y)
    if isinstance(kind, CrossEntropy):
        predicted = predicted.softmax(1)
    expected = torch.stack([stock(run.T, y) for run in predicted])
    torch.testing.assert_close(found(kind, predicted, y), expected, rtol=1e-13, atol=1e-13)


def test_soft_targets() -> None:
    y = torch.from_numpy(np.random.RandomState(1).dirichlet([1.0] * 3, 5))
    predicted = torch.from_numpy(PREDICTED)
    expected = torch.stack([functional.cross_entropy(run.T, y) for run in predicted])
    torch.testing.assert_close(found(SoftmaxCrossEntropy(), predicted, y), expected)


# Extremes -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [SoftmaxCrossEntropy(), SPARSE], ids=repr)
def test_huge_logits_give_a_finite_loss(kind: SoftmaxCrossEntropy) -> None:
    logits = torch.tensor([[[1e4], [-1e4]]], requires_grad=True)
    y = torch.tensor([[0.0, 1.0]])
    loss = found(kind, logits, y)
    loss.sum().backward()
    assert loss.item() == 2e4
    assert logits.grad is not None
    assert logits.grad.tolist() == [[[1.0], [-1.0]]]
    form = loss_gradient(kind)
    with torch.no_grad():
        assert form(logits, *form.targets(y.T))[1].tolist() == [[[1.0], [-1.0]]]


@pytest.mark.parametrize(
    ("logit", "y", "loss", "derivative"),
    [
        (0.0, 1.0, np.log(2), -0.5),
        (0.0, 0.0, np.log(2), 0.5),
        (1e4, 0.0, 1e4, 1.0),
        (1e4, 1.0, 0.0, 0.0),
        (-1e4, 1.0, 1e4, -1.0),
        (30.0, 1.0, np.exp(-30), -np.exp(-30)),  # to all digits, though 1 - p is 0 in float32
        (-30.0, 0.0, np.exp(-30), np.exp(-30)),
    ],
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_binary_cross_entropy_at_its_extremes(
    logit: float, y: float, loss: float, derivative: float, dtype: torch.dtype
) -> None:
    z = torch.full((1, 1, 1), logit, dtype=dtype, requires_grad=True)
    target = torch.full((1, 1), y, dtype=dtype)
    losses = data_loss(BinaryCrossEntropy(), z, targets(BinaryCrossEntropy(), target))
    losses.sum().backward()
    form = loss_gradient(BinaryCrossEntropy())
    with torch.no_grad():
        same, written = form(z, *form.targets(target))
    assert z.grad is not None
    assert [losses.item(), same.item()] == pytest.approx([loss] * 2, rel=1e-6)
    assert [z.grad.item(), written.item()] == pytest.approx([derivative] * 2, rel=1e-6)


def test_probabilities_are_clipped() -> None:
    y, predicted = torch.tensor([[1.0, 0.0]]), torch.tensor([[[0.0], [1.0]]])
    assert found(CrossEntropy(), predicted, y).item() == pytest.approx(-np.log(1e-10))
    assert found(CrossEntropy(clip=0.5), predicted, y).item() == pytest.approx(-np.log(0.5))


def test_an_expression_compares_nothing() -> None:
    with pytest.raises(TypeError):
        data_loss(Expression(formula="w"), torch.zeros(1, 1, 1), torch.zeros(1, 1))
    with pytest.raises(TypeError):
        loss_gradient(Expression(formula="w"))


# What large weights cost ----------------------------------------------------------------------


def test_weights_cost_and_biases_do_not(problem: Callable[..., Preset]) -> None:
    preset = problem(
        model=Network(hidden=[4, 3], biases=5.0),
        data=Points(x=[[1.0, 2.0]], y=[1.0]),
        regularisation=Regularisation(l1=0.3, l2=0.7),
    )
    p = torch.from_numpy(np.stack([initial(preset, seed) for seed in range(3)]))
    costs = penalty(preset)
    assert costs is not None
    found, gradient = costs(p)
    expected = torch.zeros(3, dtype=torch.float64)
    parts = named(p, {"w1": (2, 4), "b1": (4,), "w2": (4, 3), "b2": (3,), "w3": (3, 1), "b3": (1,)})
    pulls = named(gradient, {name: value.shape[1:] for name, value in parts.items()})
    for name, value in parts.items():
        if name.startswith("w"):
            w = value.flatten(1)
            expected += 0.3 * w.abs().sum(1) + 0.35 * w.square().sum(1)
            torch.testing.assert_close(pulls[name], 0.3 * value.sign() + 0.7 * value)
        else:
            assert not pulls[name].any()
    torch.testing.assert_close(found, expected, rtol=1e-14, atol=0)


def test_a_weight_of_zero_is_not_pulled(problem: Callable[..., Preset]) -> None:
    preset = problem(regularisation=Regularisation(l1=2.0))
    costs = penalty(preset)
    assert costs is not None
    assert costs(torch.zeros(1, 4, dtype=torch.float64))[1].tolist() == [[0.0] * 4]
    assert penalty(problem()) is None
