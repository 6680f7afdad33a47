"""Implementations of `Objective`: autograd for every problem, and hand-written gradients.

For the small problems that are trained most, the latter cost a fifth of the time.
"""

from __future__ import annotations

import torch

from tuitrain.spec.expression import evaluate
from tuitrain.spec.loss import Asymmetric, Expression, MeanSquared
from tuitrain.spec.model import Linear, Network
from tuitrain.spec.preset import Preset
from tuitrain.spec.size import inputs_outputs
from tuitrain.train.backpropagation import Backpropagation
from tuitrain.train.dual import Dual
from tuitrain.train.losses import Loss, Penalty, penalty, targets
from tuitrain.train.objective import Batch, Objective


class Autograd(Objective):
    """Any model with any loss: runs are independent, so the summed loss gives each its own."""

    def __init__(
        self,
        preset: Preset,
        dtype: torch.dtype = torch.float64,
        device: torch.device | str = "cpu",
    ) -> None:
        self._loss, self._kind = Loss(preset, dtype, device), preset.loss

    def batch(self, x: torch.Tensor, y: torch.Tensor) -> Batch:
        return x.T.contiguous(), targets(self._kind, y)

    def __call__(self, p: torch.Tensor, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        with torch.enable_grad():
            p = p.detach().requires_grad_()
            losses = self._loss(p, *batch)
            (gradient,) = torch.autograd.grad(losses.sum(), p)
        return losses.detach(), gradient


class Regularised(Objective):
    """A gradient that is written out, plus that of the regularisation penalty."""

    def __init__(self, of_data: Objective, penalty: Penalty) -> None:
        self.of_data, self._penalty = of_data, penalty

    def batch(self, x: torch.Tensor, y: torch.Tensor) -> Batch:
        return self.of_data.batch(x, y)

    def __call__(self, p: torch.Tensor, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        losses, gradient = self.of_data(p, batch)
        cost, of_penalty = self._penalty(p)
        return losses + cost, gradient + of_penalty


class _LinearOutput(Objective):
    """A linear model with one output: error = x w + b - y, with `b` as the weight of a 1."""

    def __init__(self, bias: bool) -> None:
        self._bias = bias

    def rows(self, x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The inputs `[B, P]`, with a column of ones for `b`, and -y `[1, B]`."""
        if self._bias:
            x = torch.cat([x, torch.ones_like(y)], dim=1)
        return x, -y.T


class LinearMeanSquared(_LinearOutput):
    """loss = mean e^2, gradient = mean 2 e x."""

    def batch(self, x: torch.Tensor, y: torch.Tensor) -> Batch:
        x, minus_y = self.rows(x, y)
        mean = torch.full_like(minus_y[0], 1 / len(x))
        # with its columns in a row, the product of many runs with few columns is twice as fast
        x_scaled = (x * (2 / len(x))).T.contiguous().T
        return x.T.contiguous(), minus_y, mean, x_scaled

    def __call__(self, p: torch.Tensor, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        x_t, minus_y, mean, x_scaled = batch
        e = torch.addmm(minus_y, p, x_t)
        return e.square() @ mean, e @ x_scaled


class LinearAsymmetric(_LinearOutput):
    """loss = sum (or mean) of price e, gradient = that of price x.

    price = cost where e > 0, else -profit.
    """

    def __init__(self, bias: bool, kind: Asymmetric) -> None:
        super().__init__(bias)
        self._kind = kind

    def batch(self, x: torch.Tensor, y: torch.Tensor) -> Batch:
        x, minus_y = self.rows(x, y)
        share = 1.0 if self._kind.reduce == "sum" else 1 / len(x)
        prices = x.new_tensor([self._kind.cost, -self._kind.profit]).unbind()
        return x.T.contiguous(), minus_y, *prices, torch.full_like(minus_y[0], share), x * share

    def __call__(self, p: torch.Tensor, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        x_t, minus_y, cost, minus_profit, share, x_scaled = batch
        e = torch.addmm(minus_y, p, x_t)
        price = torch.where(e > 0, cost, minus_profit)
        return (price * e) @ share, price @ x_scaled


class Formula(Objective):
    """The formula of an `expression` loss, differentiated forwards."""

    def __init__(self, formula: str) -> None:
        self._formula = formula

    def batch(self, x: torch.Tensor, y: torch.Tensor) -> Batch:
        return ()

    def __call__(self, p: torch.Tensor, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        result: Dual = evaluate(self._formula, Dual(p, 1.0))
        derivative = result.derivative
        gradient = (
            derivative if isinstance(derivative, torch.Tensor) else torch.zeros_like(p) + derivative
        )
        return result.value.sum(1), gradient


def objective(
    preset: Preset, dtype: torch.dtype = torch.float64, device: torch.device | str = "cpu"
) -> Objective:
    """The fastest way to the loss and the gradient of a preset.

    Args:
        preset: the model, the loss and the regularisation.
        dtype: of the parameters and rows that it is called with.
        device: where they are.
    """
    written = _written_out(preset)
    if written is None:
        return Autograd(preset, dtype, device)
    costs = penalty(preset, dtype, device)
    return written if costs is None else Regularised(written, costs)


def _written_out(preset: Preset) -> Objective | None:
    """The gradient without the penalty; None where autograd has to find it."""
    match preset.model, preset.loss:
        case Linear(bias=bias), MeanSquared() if inputs_outputs(preset)[1] == 1:
            return LinearMeanSquared(bias)
        case Linear(bias=bias), Asymmetric() as kind if inputs_outputs(preset)[1] == 1:
            return LinearAsymmetric(bias, kind)
        case ((Linear() | Network()), _):
            return Backpropagation(preset)
        case _, Expression(formula=formula):
            return Formula(formula)
    return None
