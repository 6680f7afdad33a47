"""Losses of a whole stack: predictions `[R, B, outputs]` against rows `[B, outputs]` to `[R]`."""

from __future__ import annotations

import torch

from tuitrain.spec.expression import evaluate
from tuitrain.spec.preset import (
    AnyLoss,
    AnyModel,
    Asymmetric,
    CrossEntropy,
    Expression,
    MeanSquared,
    SoftmaxCrossEntropy,
)
from tuitrain.train.models import Shapes, named, prediction


def loss(
    model: AnyModel,
    kind: AnyLoss,
    shapes: Shapes,
    p: torch.Tensor,
    x: torch.Tensor,
    y: torch.Tensor,
) -> torch.Tensor:
    """Loss `[R]` of the flat parameters `p` `[R, P]` on the rows `x`, `y`."""
    parameters = named(p, shapes)
    if isinstance(kind, Expression):
        values: torch.Tensor = evaluate(kind.formula, parameters["w"])
        return values.reshape(p.shape[0], -1).sum(1)
    return compare(kind, prediction(model, parameters, x), y)


def compare(kind: AnyLoss, predicted: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Loss `[R]` of the predictions `[R, B, outputs]` for the targets `y` `[B, outputs]`."""
    match kind:
        case MeanSquared():
            return (predicted - y).square().mean((1, 2))
        case Asymmetric(cost=cost, profit=profit, reduce=reduce):
            error = predicted - y
            # `>` as in the published program: an exact hit counts as too little.
            price = torch.where(error > 0, cost * error, -profit * error)
            return price.sum((1, 2)) if reduce == "sum" else price.mean((1, 2))
        case SoftmaxCrossEntropy():
            # log_softmax subtracts the largest logit, so that no exponential overflows.
            return -(y * torch.log_softmax(predicted, 2)).sum(2).mean(1)
        case CrossEntropy(clip=clip):
            return -(y * predicted.clamp(clip, 1.0).log()).sum(2).mean(1)
        case Expression():
            raise TypeError("an expression is a loss of the parameter, not of predictions")


def accuracy(predicted: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Share `[R]` of the rows whose largest prediction is at the 1 of the one-hot target."""
    return (predicted.argmax(2) == y.argmax(1)).double().mean(1)
