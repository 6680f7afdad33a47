"""Rules that follow the sign of the gradient and not its size."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from tuitrain.optim.base import Array, Arrays, Fraction, NonNegative, Optimizer

StepSize = Annotated[float, Meta(ge=0, le=1e30)]
"""Within the range of float32."""


class Rprop(Optimizer, frozen=True, kw_only=True):
    """Rprop: steps that grow while the gradient keeps its sign, and shrink when it turns.

        d = clip(d * etaplus)     where g agrees in sign with the last one
        d = clip(d * etaminus)    where it has turned; g counts as 0 there
        p = p - d sign(g)

    Made for full batches. The first step is lr; later ones no longer depend on lr.

    [1] M. Riedmiller, H. Braun: A Direct Adaptive Method for Faster Backpropagation Learning:
        The RPROP Algorithm. IEEE International Conference on Neural Networks, 1993.
    [2] C. Igel, M. Hüsken: Improving the Rprop Learning Algorithm. ICSC Symposium on Neural
        Computation, 2000: iRprop- (where the sign has turned, neither a step nor a step back).

    Args:
        lr: size of the first step (default 1e-2).
        etaminus: factor on the step where the sign turned, in (0, 1) (default 0.5).
        etaplus: factor on the step where the sign stayed, > 1 (default 1.2).
        step_min: smallest step (default 1e-6).
        step_max: largest step (default 50).
    """

    lr: NonNegative = 1e-2
    etaminus: Annotated[float, Meta(gt=0, lt=1)] = 0.5
    etaplus: Annotated[float, Meta(gt=1)] = 1.2
    step_min: StepSize = 1e-6
    step_max: StepSize = 50.0

    follows_lr = False
    state = ("d", "g_last")
    apart = ("step_min", "step_max")
    paper = "Riedmiller & Braun 1993; Igel & Hüsken 2000, iRprop-"

    def step(self, t: int, lr: Array, p: Array, g: Array, d: Array, g_last: Array) -> Arrays:
        d = d + lr if t == 1 else d
        agreement = g.sign() * g_last.sign()  # g * g_last may be too small for float32
        d = (d * self.etaplus).where(agreement > 0, d)
        d = (d * self.etaminus).where(agreement < 0, d)
        d = d.clip(self.step_min, self.step_max)
        g = g * (agreement >= 0)
        return p - d * g.sign(), d, g


class Lion(Optimizer, frozen=True, kw_only=True):
    """Lion: every parameter moves by lr, in the direction of a running average.

        c = beta1 m + (1 - beta1) g
        p = p - lr (sign(c) + weight_decay p)
        m = beta2 m + (1 - beta2) g

    [1] X. Chen, C. Liang, D. Huang, E. Real, K. Wang, Y. Liu, H. Pham, X. Dong, T. Luong,
        C.-J. Hsieh, Y. Lu, Q. V. Le: Symbolic Discovery of Optimization Algorithms.
        NeurIPS 2023, Algorithm 2.

    Args:
        lr: change of every parameter in one step; 3 to 10 times less than Adam's (default 1e-4).
        beta1: weight of the running average in the step direction (default 0.9).
        beta2: share of the old average that is kept (default 0.99).
        weight_decay: share of the weight, times lr, taken off in a step (default 0).
    """

    lr: NonNegative = 1e-4
    beta1: Fraction = 0.9
    beta2: Fraction = 0.99
    weight_decay: NonNegative = 0.0

    state = ("m",)
    paper = "Chen et al. 2023, Algorithm 2"

    def step(self, t: int, lr: Array, p: Array, g: Array, m: Array) -> Arrays:
        c = self.beta1 * m + (1 - self.beta1) * g
        m = self.beta2 * m + (1 - self.beta2) * g
        return p - lr * (c.sign() + self.weight_decay * p), m
