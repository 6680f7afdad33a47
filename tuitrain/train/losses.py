"""Losses of a stack: predictions `[R, outputs, B]` against targets `[outputs, B]` to `[R]`."""

from __future__ import annotations

from math import prod

import torch
from torch.nn.functional import softplus

from tuitrain.spec.expression import evaluate
from tuitrain.spec.loss import (
    AnyLoss,
    Asymmetric,
    BinaryCrossEntropy,
    CrossEntropy,
    Expression,
    Hinge,
    MeanSquared,
    SoftmaxCrossEntropy,
)
from tuitrain.spec.preset import Preset
from tuitrain.spec.size import shapes
from tuitrain.train.activations import SOFTPLUS_IS_LINEAR
from tuitrain.train.models import Model


class Loss:
    """The objective of a preset, as a function of flat parameters and rows.

    Attributes:
        model: the predictions that are compared with the targets.
        penalty: the regularisation penalty; None without one.
    """

    def __init__(
        self,
        preset: Preset,
        dtype: torch.dtype = torch.float64,
        device: torch.device | str = "cpu",
    ) -> None:
        self.model = Model(preset)
        self.penalty = penalty(preset, dtype, device)
        self._kind = preset.loss

    def __call__(self, p: torch.Tensor, x: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Loss `[R]` of `p` `[R, P]` on the rows `x` `[inputs, B]`, with what `targets` gives."""
        of_data = self.of_data(p, x, target)
        return of_data if self.penalty is None else of_data + self.penalty(p)[0]

    def of_data(self, p: torch.Tensor, x: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """As a call, without the regularisation penalty."""
        if isinstance(self._kind, Expression):
            values: torch.Tensor = evaluate(self._kind.formula, p)
            return values.sum(1)
        return data_loss(self._kind, self.model(p, x), target)


def targets(kind: AnyLoss, y: torch.Tensor) -> torch.Tensor:
    """What `compare` takes for the targets `y` `[B, outputs]`.

    Of sparse classes, their numbers `[B]`; else `[outputs, B]`, where 0 and 1 become -1 and 1 for
    a loss that compares signs.
    """
    match kind:
        case SoftmaxCrossEntropy(targets="sparse"):
            return y.argmax(1)
        case BinaryCrossEntropy() | Hinge():
            return (2 * y - 1).T.contiguous()
    return y.T.contiguous()


def data_loss(kind: AnyLoss, predicted: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Loss `[R]` of the predictions `[R, outputs, B]` for what `targets` makes of the rows."""
    match kind:
        case MeanSquared():
            return (predicted - target).square().mean((1, 2))
        case Asymmetric(cost=cost, profit=profit, reduce=reduce):
            error = predicted - target
            # `>` as in the published program: an exact hit counts as too little.
            price = torch.where(error > 0, cost * error, -profit * error)
            return price.sum((1, 2)) if reduce == "sum" else price.mean((1, 2))
        case SoftmaxCrossEntropy(targets=form):
            # log_softmax subtracts the largest logit, so that no exponential overflows.
            logs = torch.log_softmax(predicted, 1)
            if form == "dense":
                return -(target * logs).sum(1).mean(1)
            logs = logs.expand(-1, -1, len(target))
            return -logs.gather(1, target.expand(len(logs), 1, -1)).mean((1, 2))
        case CrossEntropy(clip=clip):
            return -(target * predicted.clamp(clip, 1.0).log()).sum(1).mean(1)
        case BinaryCrossEntropy():
            # -log sigmoid of the prediction where y is 1, of its opposite where y is 0; the same
            # as max(z, 0) - z y + log(1 + e^-|z|), but with the right derivative at 0
            return softplus(-target * predicted, 1.0, SOFTPLUS_IS_LINEAR).mean((1, 2))
        case Hinge():
            return (1 - target * predicted).relu().mean((1, 2))
        case Expression():
            raise TypeError("an expression is a loss of the parameter, not of predictions")


class Penalty:
    """The L1 and L2 penalty, in the terms of `Regularisation`: biases (`b...`) are left out."""

    def __init__(self, preset: Preset, dtype: torch.dtype, device: torch.device | str) -> None:
        sizes = [(name.startswith("w"), prod(shape)) for name, shape in shapes(preset).items()]
        weights = torch.cat([torch.full((size,), float(counts)) for counts, size in sizes])
        weights, rates = weights.to(device, dtype), preset.regularisation
        self._l1, self._l2 = weights * rates.l1, weights * rates.l2
        self._lasso = rates.l1 > 0

    def __call__(self, p: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The penalty `[R]` of the flat parameters `p` `[R, P]`, and its gradient `[R, P]`.

        The gradient of |w| is 0 at 0.
        """
        gradient = self._l2 * p
        cost = torch.linalg.vecdot(p, gradient) / 2
        if self._lasso:
            l1_gradient = self._l1 * p.sign()
            cost = cost + torch.linalg.vecdot(p, l1_gradient)
            gradient = gradient + l1_gradient
        return cost, gradient


def penalty(
    preset: Preset, dtype: torch.dtype = torch.float64, device: torch.device | str = "cpu"
) -> Penalty | None:
    """The regularisation penalty; None without one."""
    rates = preset.regularisation
    return Penalty(preset, dtype, device) if rates.l1 > 0 or rates.l2 > 0 else None
