"""Activations of the layers of a whole stack."""

from __future__ import annotations

from collections.abc import Callable
from math import pi, sqrt

import torch
from torch.nn import functional

from tuitrain.spec.model import Output

LEAK = 0.01
"""Slope of leaky-relu below 0."""

SOFTPLUS_IS_LINEAR = 40.0
"""From here on log(1 + e^z) = z to all digits of float64."""

ACTIVATIONS: dict[Output, Callable[[torch.Tensor], torch.Tensor]] = {
    "linear": lambda z: z,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "leaky-relu": lambda z: functional.leaky_relu(z, LEAK),
    "elu": functional.elu,
    "gelu": functional.gelu,
    "softplus": lambda z: functional.softplus(z, 1.0, SOFTPLUS_IS_LINEAR),
    "softmax": lambda z: torch.softmax(z, 1),
}
"""Each takes the sums `[R, units, B]`; all but softmax, over the units, take them one by one.

leaky-relu has the slope 0.01 below 0, elu is e^z - 1 there (alpha = 1), gelu is z Phi(z) with the
exact error function, softplus is log(1 + e^z) (beta = 1).
"""


def activate(name: Output, z: torch.Tensor, a: torch.Tensor) -> None:
    """Write the activations of the sums `z` into `a`: for the commonest without a copy."""
    match name:
        case "relu":
            torch.clamp_min(z, 0, out=a)
        case "tanh":
            torch.tanh(z, out=a)
        case "sigmoid":
            torch.sigmoid(z, out=a)
        case _:
            a.copy_(ACTIVATIONS[name](z))


# Backwards ------------------------------------------------------------------------------------

Derivative = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]


def _softmax_derivative(z: torch.Tensor, a: torch.Tensor, g: torch.Tensor) -> torch.Tensor:
    weighted = a * g
    return torch.addcmul(weighted, a, weighted.sum(1, keepdim=True), value=-1)


def _gelu_derivative(z: torch.Tensor, a: torch.Tensor, g: torch.Tensor) -> torch.Tensor:
    phi = (z.square() / -2).exp() / sqrt(2 * pi)
    return g * torch.addcmul(torch.special.ndtr(z), z, phi)


def _tanh_derivative(z: torch.Tensor, a: torch.Tensor, g: torch.Tensor) -> torch.Tensor:
    return torch.addcmul(g, g * a, a, value=-1)


def _sigmoid_derivative(z: torch.Tensor, a: torch.Tensor, g: torch.Tensor) -> torch.Tensor:
    weighted = g * a
    return torch.addcmul(weighted, weighted, a, value=-1)


# g where z > 0, and 0 or LEAK g elsewhere: `g.where(z > 0, 0.0)` is three kernels, and took three
# times as long for a run of 16 units, thirty times for 256 runs.
aten = torch.ops.aten

DERIVATIVES: dict[Output, Derivative] = {
    "linear": lambda z, a, g: g,
    "sigmoid": _sigmoid_derivative,  # a (1 - a)
    "tanh": _tanh_derivative,  # 1 - a^2
    "relu": lambda z, a, g: aten.threshold_backward(g, z, 0),
    "leaky-relu": lambda z, a, g: aten.leaky_relu_backward(g, z, LEAK, False),
    "elu": lambda z, a, g: g.where(z > 0, torch.addcmul(g, g, a)),  # e^z = a + 1
    "gelu": _gelu_derivative,  # Phi(z) + z phi(z)
    "softplus": lambda z, a, g: g * z.sigmoid(),
    "softmax": _softmax_derivative,  # a_i (g_i - sum a_j g_j)
}
"""dL/dz for the sums z `[R, units, B]`, from g = dL/da for the activations a."""
