"""Rules that give every parameter its own step, from the squares of its gradients."""

from __future__ import annotations

from tuitrain.optim.base import Array, Arrays, Fraction, NonNegative, Optimizer, with_weight_decay


class Adagrad(Optimizer, frozen=True, kw_only=True):
    """Adagrad: the step of a parameter shrinks with the sum of its squared gradients.

        s = s + g^2
        p = p - lr / (1 + (t - 1) lr_decay) * g / (sqrt(s) + eps)

    [1] J. Duchi, E. Hazan, Y. Singer: Adaptive Subgradient Methods for Online Learning and
        Stochastic Optimization. JMLR 12, 2011, Figure 1 (diagonal matrices).

    Args:
        lr: learning rate (default 1e-2).
        lr_decay: how fast the learning rate falls, as 1 / (1 + (t - 1) lr_decay) (default 0).
        initial_accumulator_value: s before the first step (default 0).
        eps: keeps the division finite (default 1e-10).
        weight_decay: adds weight_decay p to the gradient (default 0).
    """

    lr: NonNegative = 1e-2
    lr_decay: NonNegative = 0.0
    initial_accumulator_value: NonNegative = 0.0
    eps: NonNegative = 1e-10
    weight_decay: NonNegative = 0.0

    state = ("s",)
    paper = "Duchi, Hazan & Singer 2011, Figure 1"

    def step(self, t: int, lr: Array, p: Array, g: Array, s: Array) -> Arrays:
        g = with_weight_decay(g, p, self.weight_decay)
        s = s + self.initial_accumulator_value if t == 1 else s
        s = s + g**2
        lr = lr / (1 + (t - 1) * self.lr_decay)
        return p - lr * g / (s.sqrt() + self.eps), s


class RMSprop(Optimizer, frozen=True, kw_only=True):
    """RMSprop: the gradient divided by the root of the running mean of its square.

        v = alpha v + (1 - alpha) g^2
        b = momentum b + g / (sqrt(v) + eps)
        p = p - lr b

    Centered, it divides by the running standard deviation. v is then the variance, which is
    [2]'s n - a^2 (n the mean square) in a form that rounding cannot turn negative:

        v = alpha (v + (1 - alpha) (g - a)^2)
        a = alpha a + (1 - alpha) g

    [1] T. Tieleman, G. Hinton: Lecture 6.5 - rmsprop. COURSERA: Neural Networks for Machine
        Learning, 2012.
    [2] A. Graves: Generating Sequences With Recurrent Neural Networks. arXiv:1308.0850, 2013,
        eq. (38)-(41) (centered; there with eps under the root).

    Args:
        lr: learning rate (default 1e-2).
        alpha: share of the old mean that is kept (default 0.99).
        eps: keeps the division finite; added outside the root (default 1e-8).
        momentum: fraction of the velocity that is kept from step to step (default 0).
        centered: divide by the standard deviation instead (default false).
        weight_decay: adds weight_decay p to the gradient (default 0).
    """

    lr: NonNegative = 1e-2
    alpha: Fraction = 0.99
    eps: NonNegative = 1e-8
    momentum: NonNegative = 0.0
    centered: bool = False
    weight_decay: NonNegative = 0.0

    state = ("v", "a", "b")
    paper = "Tieleman & Hinton 2012, Lecture 6.5; centered: Graves 2013, eq. (38)-(41)"

    def step(self, t: int, lr: Array, p: Array, g: Array, v: Array, a: Array, b: Array) -> Arrays:
        g = with_weight_decay(g, p, self.weight_decay)
        if self.centered:
            v = self.alpha * (v + (1 - self.alpha) * (g - a) ** 2)
            a = self.alpha * a + (1 - self.alpha) * g
        else:
            v = self.alpha * v + (1 - self.alpha) * g**2
        b = self.momentum * b + g / (v.sqrt() + self.eps)
        return p - lr * b, v, a, b


class Adadelta(Optimizer, frozen=True, kw_only=True):
    """Adadelta: steps in the units of the parameter, so that lr can stay 1.

        v = rho v + (1 - rho) g^2
        d = sqrt(u + eps) / sqrt(v + eps) * g
        u = rho u + (1 - rho) d^2
        p = p - lr d

    [1] M. D. Zeiler: ADADELTA: An Adaptive Learning Rate Method. arXiv:1212.5701, 2012,
        Algorithm 1.

    Args:
        lr: factor on the step (default 1).
        rho: share of the old means of squares that is kept (default 0.9).
        eps: starts the steps and keeps the division finite (default 1e-6).
        weight_decay: adds weight_decay p to the gradient (default 0).
    """

    lr: NonNegative = 1.0
    rho: Fraction = 0.9
    eps: NonNegative = 1e-6
    weight_decay: NonNegative = 0.0

    state = ("v", "u")
    paper = "Zeiler 2012, Algorithm 1"

    def step(self, t: int, lr: Array, p: Array, g: Array, v: Array, u: Array) -> Arrays:
        g = with_weight_decay(g, p, self.weight_decay)
        v = self.rho * v + (1 - self.rho) * g**2
        d = (u + self.eps).sqrt() / (v + self.eps).sqrt() * g
        u = self.rho * u + (1 - self.rho) * d**2
        return p - lr * d, v, u
