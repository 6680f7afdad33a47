"""Losses with their derivative with respect to the predictions, written out.

All take predictions `[R, outputs, B]` and give the loss `[R]` and its derivative, in their shape.
Sums over rows and outputs are products with a vector of weights: one operation.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch.nn.functional import softplus

from tuitrain.spec.loss import (
    AnyLoss,
    Asymmetric,
    BinaryCrossEntropy,
    CrossEntropy,
    Hinge,
    MeanSquared,
    SoftmaxCrossEntropy,
)
from tuitrain.train.activations import SOFTPLUS_IS_LINEAR

Tensors = tuple[torch.Tensor, ...]
Both = tuple[torch.Tensor, torch.Tensor]


class LossGradient(ABC):
    """A loss with its derivative."""

    @abstractmethod
    def targets(self, y: torch.Tensor) -> Tensors:
        """What a call takes besides the predictions, for the targets `y` `[outputs, B]`."""

    @abstractmethod
    def __call__(self, predicted: torch.Tensor, *targets: torch.Tensor) -> Both:
        """The loss `[R]` and its derivative `[R, outputs, B]`."""


class _MeanSquared(LossGradient):
    """mean e^2, 2 e / n."""

    def targets(self, y: torch.Tensor) -> Tensors:
        mean = torch.full_like(y, 1 / y.numel())
        return y, mean.flatten(), 2 * mean[0, 0]

    def __call__(self, predicted: torch.Tensor, *targets: torch.Tensor) -> Both:
        y, mean, twice = targets
        e = predicted - y
        return e.square().flatten(1) @ mean, e * twice


class _Asymmetric(LossGradient):
    """sum (or mean) of price e, price, with price = cost where e > 0, else -profit."""

    def __init__(self, kind: Asymmetric) -> None:
        self._kind = kind

    def targets(self, y: torch.Tensor) -> Tensors:
        share = 1.0 if self._kind.reduce == "sum" else 1 / y.numel()
        prices = share * y.new_tensor([self._kind.cost, -self._kind.profit])
        return y, *prices.unbind()

    def __call__(self, predicted: torch.Tensor, *targets: torch.Tensor) -> Both:
        y, cost, minus_profit = targets
        e = predicted - y
        price = torch.where(e > 0, cost, minus_profit)
        return (price * e).sum((1, 2)), price


class _SoftmaxCrossEntropy(LossGradient):
    """-mean of sum y log p, (p sum y - y) / B, with p = softmax; sparse targets are one-hot."""

    def targets(self, y: torch.Tensor) -> Tensors:
        minus = -y / y.shape[1]
        return minus, minus.flatten(), -minus.sum(0)

    def __call__(self, predicted: torch.Tensor, *targets: torch.Tensor) -> Both:
        minus, flat, total = targets
        logs = torch.log_softmax(predicted, 1)
        return logs.flatten(1) @ flat, torch.addcmul(minus, logs.exp(), total)


class _CrossEntropy(LossGradient):
    """-mean of sum y log p, -y / (p B) where p is not clipped."""

    def __init__(self, kind: CrossEntropy) -> None:
        self._clip = kind.clip

    def targets(self, y: torch.Tensor) -> Tensors:
        minus = -y / y.shape[1]
        return minus, minus.flatten()

    def __call__(self, predicted: torch.Tensor, *targets: torch.Tensor) -> Both:
        minus, flat = targets
        p = predicted.clamp(self._clip, 1.0)
        return p.log().flatten(1) @ flat, (minus / p).where(p == predicted, 0.0)


class _BinaryCrossEntropy(LossGradient):
    """mean log(1 + e^-m), -s sigmoid(-m) / n, with the sign s = 2 y - 1 and m = s z."""

    def targets(self, y: torch.Tensor) -> Tensors:
        opposite, mean = 1 - 2 * y, torch.full_like(y, 1 / y.numel())
        return opposite, opposite * mean, mean.flatten()

    def __call__(self, predicted: torch.Tensor, *targets: torch.Tensor) -> Both:
        opposite, shares, mean = targets
        z = predicted * opposite
        losses = softplus(z, 1.0, SOFTPLUS_IS_LINEAR)
        return losses.flatten(1) @ mean, z.sigmoid() * shares


class _Hinge(LossGradient):
    """mean max(0, 1 - m), -s / n where m < 1, with s and m as above."""

    def targets(self, y: torch.Tensor) -> Tensors:
        opposite, mean = 1 - 2 * y, torch.full_like(y, 1 / y.numel())
        return torch.ones_like(mean[0, 0]), opposite, opposite * mean, mean.flatten()

    def __call__(self, predicted: torch.Tensor, *targets: torch.Tensor) -> Both:
        one, opposite, shares, mean = targets
        losses = torch.addcmul(one, predicted, opposite).relu()
        return losses.flatten(1) @ mean, losses.sign() * shares


def loss_gradient(kind: AnyLoss) -> LossGradient:
    """The loss of this kind with its derivative.

    Raises:
        TypeError: it is an expression, which compares no predictions.
    """
    match kind:
        case MeanSquared():
            return _MeanSquared()
        case Asymmetric():
            return _Asymmetric(kind)
        case SoftmaxCrossEntropy():
            return _SoftmaxCrossEntropy()
        case CrossEntropy():
            return _CrossEntropy(kind)
        case BinaryCrossEntropy():
            return _BinaryCrossEntropy()
        case Hinge():
            return _Hinge()
    raise TypeError("an expression is a loss of the parameter, not of predictions")
