"""Gradient descent, plain and with momentum."""

from __future__ import annotations

from tuitrain.optim.base import (
    Array,
    Arrays,
    Fraction,
    NonNegative,
    Optimizer,
    UpToOne,
    with_weight_decay,
)


class SGD(Optimizer, frozen=True, kw_only=True):
    """Gradient descent: a step against the gradient.

        p = p - lr g

    [1] H. Robbins, S. Monro: A Stochastic Approximation Method.
        Annals of Mathematical Statistics 22(3), 1951.
    [2] I. Goodfellow, Y. Bengio, A. Courville: Deep Learning. MIT Press 2016, Algorithm 8.1.

    Args:
        lr: learning rate (default 1e-3).
        weight_decay: adds weight_decay p to the gradient (default 0).
    """

    lr: NonNegative = 1e-3
    weight_decay: NonNegative = 0.0

    paper = "Robbins & Monro 1951; Goodfellow et al. 2016, Algorithm 8.1"

    def step(self, t: int, lr: Array, p: Array, g: Array) -> Arrays:
        g = with_weight_decay(g, p, self.weight_decay)
        return (p - lr * g,)


class SGDM(Optimizer, frozen=True, kw_only=True):
    """Momentum as a running average: a step against the mean of recent gradients.

        m = momentum m + (1 - momentum) g
        p = p - lr m

    The sum of `momentum` (heavy ball), scaled to an average: it starts slowly, because m
    starts at 0 and is not corrected for it.

    [1] B. T. Polyak: Some methods of speeding up the convergence of iteration methods.
        USSR Computational Mathematics and Mathematical Physics 4(5), 1964.
    [2] D. P. Kingma, J. Ba: Adam: A Method for Stochastic Optimization. ICLR 2015,
        Algorithm 1: its m, with which the step is made here directly.

    Args:
        lr: learning rate (default 1e-3).
        momentum: share of the old average that is kept (default 0.9).
        weight_decay: adds weight_decay p to the gradient (default 0).
    """

    lr: NonNegative = 1e-3
    momentum: Fraction = 0.9
    weight_decay: NonNegative = 0.0

    state = ("m",)
    paper = "Polyak 1964; the m of Kingma & Ba 2015, Algorithm 1"

    def step(self, t: int, lr: Array, p: Array, g: Array, m: Array) -> Arrays:
        g = with_weight_decay(g, p, self.weight_decay)
        m = self.momentum * m + (1 - self.momentum) * g
        return p - lr * m, m


class Momentum(Optimizer, frozen=True, kw_only=True):
    """Heavy ball: the step gathers speed where the gradients agree.

        b = g                                  first step, or without momentum
        b = momentum b + (1 - dampening) g     later steps
        p = p - lr b

    [1] B. T. Polyak: Some methods of speeding up the convergence of iteration methods.
        USSR Computational Mathematics and Mathematical Physics 4(5), 1964.
    [2] I. Sutskever, J. Martens, G. Dahl, G. Hinton: On the importance of initialization and
        momentum in deep learning. ICML 2013, eq. (1)-(2), here with lr outside of the sum.

    Args:
        lr: learning rate (default 1e-3).
        momentum: share of the speed that is kept from step to step (default 0.9).
        dampening: fraction of each new gradient that is left out (default 0).
        weight_decay: adds weight_decay p to the gradient (default 0).
    """

    lr: NonNegative = 1e-3
    momentum: NonNegative = 0.9
    dampening: UpToOne = 0.0
    weight_decay: NonNegative = 0.0

    state = ("b",)
    paper = "Polyak 1964; Sutskever et al. 2013, eq. (1)-(2)"

    def step(self, t: int, lr: Array, p: Array, g: Array, b: Array) -> Arrays:
        g = with_weight_decay(g, p, self.weight_decay)
        b = g if t == 1 or not self.momentum else self.momentum * b + (1 - self.dampening) * g
        return p - lr * b, b


class Nesterov(Optimizer, frozen=True, kw_only=True):
    """Nesterov's momentum: a heavy ball that looks one step ahead.

        b = momentum b + g
        p = p - lr (g + momentum b)

    [1] Y. E. Nesterov: A method of solving a convex programming problem with convergence rate
        O(1/k^2). Soviet Mathematics Doklady 27(2), 1983.
    [2] I. Sutskever, J. Martens, G. Dahl, G. Hinton: On the importance of initialization and
        momentum in deep learning. ICML 2013, eq. (3)-(4), rewritten so that the gradient is
        taken at p itself.

    Args:
        lr: learning rate (default 1e-3).
        momentum: share of the speed that is kept from step to step (default 0.9).
        weight_decay: adds weight_decay p to the gradient (default 0).
    """

    lr: NonNegative = 1e-3
    momentum: NonNegative = 0.9
    weight_decay: NonNegative = 0.0

    state = ("b",)
    paper = "Nesterov 1983; Sutskever et al. 2013, eq. (3)-(4)"

    def step(self, t: int, lr: Array, p: Array, g: Array, b: Array) -> Arrays:
        g = with_weight_decay(g, p, self.weight_decay)
        b = self.momentum * b + g
        return p - lr * (g + self.momentum * b), b
