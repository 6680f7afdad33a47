"""Adam and its relatives: running averages of the gradient and of its square."""

from __future__ import annotations

import math

from tuitrain.optim.base import Array, Arrays, Fraction, NonNegative, Optimizer, with_weight_decay


class Adam(Optimizer, frozen=True, kw_only=True):
    """Adam: momentum, with steps of about lr for every parameter.

        m = beta1 m + (1 - beta1) g        m_hat = m / (1 - beta1^t)
        v = beta2 v + (1 - beta2) g^2      v_hat = v / (1 - beta2^t)
        p = p - lr m_hat / (sqrt(v_hat) + eps)

    [1] D. P. Kingma, J. Ba: Adam: A Method for Stochastic Optimization. ICLR 2015,
        Algorithm 1.

    Args:
        lr: about the largest change of a parameter in one step (default 1e-3).
        beta1: share of the old mean gradient that is kept (default 0.9).
        beta2: share of the old mean square that is kept (default 0.999).
        eps: keeps the division finite (default 1e-8).
        weight_decay: adds weight_decay p to the gradient (default 0).
    """

    lr: NonNegative = 1e-3
    beta1: Fraction = 0.9
    beta2: Fraction = 0.999
    eps: NonNegative = 1e-8
    weight_decay: NonNegative = 0.0

    state = ("m", "v")
    paper = "Kingma & Ba 2015, Algorithm 1"

    def step(self, t: int, lr: Array, p: Array, g: Array, m: Array, v: Array) -> Arrays:
        g = with_weight_decay(g, p, self.weight_decay)
        m = self.beta1 * m + (1 - self.beta1) * g
        v = self.beta2 * v + (1 - self.beta2) * g**2
        m_hat = m / (1 - self.beta1**t)
        v_hat = v / (1 - self.beta2**t)
        return p - lr * m_hat / (v_hat.sqrt() + self.eps), m, v


class AMSGrad(Optimizer, frozen=True, kw_only=True):
    """AMSGrad: Adam with a denominator that never decreases.

        m = beta1 m + (1 - beta1) g        m_hat = m / (1 - beta1^t)
        v = beta2 v + (1 - beta2) g^2
        u = max(u, v)                      u_hat = u / (1 - beta2^t)
        p = p - lr m_hat / (sqrt(u_hat) + eps)

    [1] S. J. Reddi, S. Kale, S. Kumar: On the Convergence of Adam and Beyond. ICLR 2018,
        Algorithm 2 (there without the two bias corrections).

    Args:
        lr: about the largest change of a parameter in one step (default 1e-3).
        beta1: share of the old mean gradient that is kept (default 0.9).
        beta2: share of the old mean square that is kept (default 0.999).
        eps: keeps the division finite (default 1e-8).
        weight_decay: adds weight_decay p to the gradient (default 0).
    """

    lr: NonNegative = 1e-3
    beta1: Fraction = 0.9
    beta2: Fraction = 0.999
    eps: NonNegative = 1e-8
    weight_decay: NonNegative = 0.0

    state = ("m", "v", "u")
    paper = "Reddi, Kale & Kumar 2018, Algorithm 2"

    def step(self, t: int, lr: Array, p: Array, g: Array, m: Array, v: Array, u: Array) -> Arrays:
        g = with_weight_decay(g, p, self.weight_decay)
        m = self.beta1 * m + (1 - self.beta1) * g
        v = self.beta2 * v + (1 - self.beta2) * g**2
        u = u.maximum(v)
        m_hat = m / (1 - self.beta1**t)
        u_hat = u / (1 - self.beta2**t)
        return p - lr * m_hat / (u_hat.sqrt() + self.eps), m, v, u


class Adamax(Optimizer, frozen=True, kw_only=True):
    """Adamax: Adam with the largest recent gradient in place of the root mean square.

        m = beta1 m + (1 - beta1) g        m_hat = m / (1 - beta1^t)
        u = max(beta2 u, |g| + eps)
        p = p - lr m_hat / u

    [1] D. P. Kingma, J. Ba: Adam: A Method for Stochastic Optimization. ICLR 2015,
        Algorithm 2 (there without eps).

    Args:
        lr: about the largest change of a parameter in one step (default 2e-3).
        beta1: share of the old mean gradient that is kept (default 0.9).
        beta2: how slowly a large gradient is forgotten (default 0.999).
        eps: keeps the division finite (default 1e-8).
        weight_decay: adds weight_decay p to the gradient (default 0).
    """

    lr: NonNegative = 2e-3
    beta1: Fraction = 0.9
    beta2: Fraction = 0.999
    eps: NonNegative = 1e-8
    weight_decay: NonNegative = 0.0

    state = ("m", "u")
    paper = "Kingma & Ba 2015, Algorithm 2"

    def step(self, t: int, lr: Array, p: Array, g: Array, m: Array, u: Array) -> Arrays:
        g = with_weight_decay(g, p, self.weight_decay)
        m = self.beta1 * m + (1 - self.beta1) * g
        u = (self.beta2 * u).maximum(g.abs() + self.eps)
        m_hat = m / (1 - self.beta1**t)
        return p - lr * m_hat / u, m, u


class NAdam(Optimizer, frozen=True, kw_only=True):
    """NAdam: Adam with Nesterov momentum.

        m = beta1 m + (1 - beta1) g
        v = beta2 v + (1 - beta2) g^2      v_hat = v / (1 - beta2^t)
        mu_t = beta1 (1 - 0.96^(t momentum_decay) / 2)
        c_t = 1 - mu_1 mu_2 ... mu_t
        m_hat = mu_{t+1} m / c_{t+1} + (1 - mu_t) g / c_t
        p = p - lr m_hat / (sqrt(v_hat) + eps)

    [1] T. Dozat: Incorporating Nesterov Momentum into Adam. ICLR Workshop 2016, Algorithm 2
        (there m is averaged with mu_t; with beta1, as here, in torch.optim).

    Args:
        lr: about the largest change of a parameter in one step (default 2e-3).
        beta1: share of the old mean gradient that is kept (default 0.9).
        beta2: share of the old mean square that is kept (default 0.999).
        eps: keeps the division finite (default 1e-8).
        momentum_decay: how fast mu_t rises from beta1 / 2 to beta1 (default 4e-3).
        weight_decay: adds weight_decay p to the gradient (default 0).
    """

    lr: NonNegative = 2e-3
    beta1: Fraction = 0.9
    beta2: Fraction = 0.999
    eps: NonNegative = 1e-8
    momentum_decay: NonNegative = 4e-3
    weight_decay: NonNegative = 0.0

    state = ("m", "v", "c")
    apart = ("momentum_decay",)
    paper = "Dozat 2016, Algorithm 2"

    def step(self, t: int, lr: Array, p: Array, g: Array, m: Array, v: Array, c: Array) -> Arrays:
        g = with_weight_decay(g, p, self.weight_decay)
        m = self.beta1 * m + (1 - self.beta1) * g
        v = self.beta2 * v + (1 - self.beta2) * g**2
        v_hat = v / (1 - self.beta2**t)
        mu, mu_next = self.mu(t), self.mu(t + 1)
        c = mu * c + (1 - mu)  # 1 - product of the mu, as a state that starts at 0
        c_next = mu_next * c + (1 - mu_next)
        m_hat = mu_next * m / c_next + (1 - mu) * g / c
        return p - lr * m_hat / (v_hat.sqrt() + self.eps), m, v, c

    def mu(self, t: int) -> float:
        return self.beta1 * (1 - math.pow(0.96, t * self.momentum_decay) / 2)


class RAdam(Optimizer, frozen=True, kw_only=True):
    """RAdam: Adam that adapts its step only once enough gradients are known.

        m = beta1 m + (1 - beta1) g        m_hat = m / (1 - beta1^t)
        v = beta2 v + (1 - beta2) g^2
        rho_inf = 2 / (1 - beta2) - 1
        rho = rho_inf - 2 t beta2^t / (1 - beta2^t)
        r = sqrt((rho - 4) (rho - 2) rho_inf / ((rho_inf - 4) (rho_inf - 2) rho))
        p = p - lr m_hat                                                 while rho <= 5
        p = p - lr r m_hat sqrt(1 - beta2^t) / (sqrt(v) + eps)           later

    [1] L. Liu, H. Jiang, P. He, W. Chen, X. Liu, J. Gao, J. Han: On the Variance of the
        Adaptive Learning Rate and Beyond. ICLR 2020, Algorithm 2 (there with rho <= 4; 5 as
        in the authors' own program).

    Args:
        lr: about the largest change of a parameter in one step (default 1e-3).
        beta1: share of the old mean gradient that is kept (default 0.9).
        beta2: share of the old mean square that is kept (default 0.999).
        eps: keeps the division finite (default 1e-8).
        weight_decay: adds weight_decay p to the gradient (default 0).
    """

    lr: NonNegative = 1e-3
    beta1: Fraction = 0.9
    beta2: Fraction = 0.999
    eps: NonNegative = 1e-8
    weight_decay: NonNegative = 0.0

    state = ("m", "v")
    apart = ("beta2",)
    paper = "Liu et al. 2020, Algorithm 2"

    def step(self, t: int, lr: Array, p: Array, g: Array, m: Array, v: Array) -> Arrays:
        g = with_weight_decay(g, p, self.weight_decay)
        m = self.beta1 * m + (1 - self.beta1) * g
        v = self.beta2 * v + (1 - self.beta2) * g**2
        m_hat = m / (1 - self.beta1**t)
        rho_inf = 2 / (1 - self.beta2) - 1
        rho = rho_inf - 2 * t * self.beta2**t / (1 - self.beta2**t)
        if rho <= 5:
            return p - lr * m_hat, m, v
        r = math.sqrt((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho))
        adapted = m_hat * math.sqrt(1 - self.beta2**t) / (v.sqrt() + self.eps)
        return p - lr * r * adapted, m, v


class AdamW(Optimizer, frozen=True, kw_only=True):
    """AdamW: Adam with decoupled weight decay, applied directly and not through the gradient.

        m = beta1 m + (1 - beta1) g        m_hat = m / (1 - beta1^t)
        v = beta2 v + (1 - beta2) g^2      v_hat = v / (1 - beta2^t)
        p = p - lr (m_hat / (sqrt(v_hat) + eps) + weight_decay p)

    [1] I. Loshchilov, F. Hutter: Decoupled Weight Decay Regularization. ICLR 2019,
        Algorithm 2 (its schedule multiplier and alpha are both in lr here).

    Args:
        lr: about the largest change of a parameter in one step (default 1e-3).
        beta1: share of the old mean gradient that is kept (default 0.9).
        beta2: share of the old mean square that is kept (default 0.999).
        eps: keeps the division finite (default 1e-8).
        weight_decay: share of the weight, times lr, taken off in a step (default 1e-2).
    """

    lr: NonNegative = 1e-3
    beta1: Fraction = 0.9
    beta2: Fraction = 0.999
    eps: NonNegative = 1e-8
    weight_decay: NonNegative = 1e-2

    state = ("m", "v")
    paper = "Loshchilov & Hutter 2019, Algorithm 2"

    def step(self, t: int, lr: Array, p: Array, g: Array, m: Array, v: Array) -> Arrays:
        m = self.beta1 * m + (1 - self.beta1) * g
        v = self.beta2 * v + (1 - self.beta2) * g**2
        m_hat = m / (1 - self.beta1**t)
        v_hat = v / (1 - self.beta2**t)
        return p - lr * (m_hat / (v_hat.sqrt() + self.eps) + self.weight_decay * p), m, v
