"""Rows that are drawn at random; the kinds are described in `spec.data`.

The kinds with two inputs follow TensorFlow Playground (Smilkov et al. 2017, "Direct-manipulation
visualization of deep networks"), two-moons scikit-learn's `make_moons`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tuitrain.data.rows import Matrix, Raw
from tuitrain.spec.data import (
    Circle,
    Dots,
    Gauss,
    Gaussian,
    Plane,
    Sales,
    TwoGaussians,
    TwoMoons,
    TwoSpirals,
    Xor,
)

if TYPE_CHECKING:
    from numpy.random import RandomState

OnPlane = Dots | Xor | Circle | TwoGaussians | TwoSpirals | TwoMoons | Plane | Gauss

CLASSES = ("0", "1")

HILLS = np.array([(-4, 2.5), (0, -2.5), (4, 2.5)])
VALLEYS = HILLS * (1, -1)


def sales(sales: Sales) -> Raw:
    """Source: Peking University TensorFlow course notes; all of x is drawn before the noise."""
    random = np.random.RandomState(sales.seed)
    x = random.rand(sales.rows, 2)
    noise = np.zeros(sales.rows)
    if sales.noise:
        # Divided as the course divides (rand()/10 - 0.05): a product would differ in last bits.
        noise = random.rand(sales.rows) / (1 / sales.noise) - sales.noise / 2
    return Raw(x, x[:, 0] + x[:, 1] + noise)


def gaussian(gaussian: Gaussian) -> Raw:
    random = np.random.RandomState(gaussian.seed)
    x = random.normal(gaussian.mean, gaussian.std, (gaussian.rows, len(gaussian.truth)))
    noise = random.normal(0, abs(gaussian.noise), gaussian.rows)
    return Raw(x, (x * gaussian.truth).sum(axis=1) + noise)


def on_plane(data: OnPlane) -> Raw:
    """Rows with two inputs; the rows of the classes come in random order."""
    random, rows = np.random.RandomState(data.seed), data.rows
    match data:
        case Dots():
            x = random.randn(rows, 2)
            return Raw(x, _as_numbers((x**2).sum(axis=1) < 2), classes=CLASSES)
        case Xor():
            x = random.uniform(-5, 5, (rows, 2))
            x = np.copysign(0.3 + 0.94 * np.abs(x), x)
            y = _as_numbers(x[:, 0] * x[:, 1] > 0)
            return Raw(_moved(random, x, data.noise), y, classes=CLASSES)
        case Plane():
            x = random.uniform(-5, 5, (rows, 2))
            return Raw(x, x.sum(axis=1) / 10 + random.uniform(-data.noise, data.noise, rows))
        case Gauss():
            x = random.uniform(-6, 6, (rows, 2))
            y = _bumps(x, HILLS) - _bumps(x, VALLEYS)
            return Raw(x, y + random.uniform(-data.noise, data.noise, rows))
        case TwoMoons():
            return _moons(random, data)
    ones, zeros = np.split(np.arange(rows), [rows - rows // 2])
    match data:
        case Circle():
            radius = np.append(
                random.uniform(0, 2.5, len(ones)), random.uniform(3.5, 5, len(zeros))
            )
            x = _polar(radius, random.uniform(0, 2 * np.pi, rows))
            x = _moved(random, x, data.noise)
        case TwoGaussians():
            centres = np.repeat([2.0, -2.0], [len(ones), len(zeros)])
            x = random.normal(centres[:, np.newaxis], 1 + data.noise, (rows, 2))
        case TwoSpirals():
            along = np.append(ones / len(ones), (zeros - len(ones)) / max(len(zeros), 1))
            turned = np.repeat([0.0, np.pi], [len(ones), len(zeros)])
            x = _moved(random, _polar(5 * along, 3.5 * np.pi * along + turned), data.noise)
    order = random.permutation(rows)
    return Raw(x[order], _as_numbers(order < len(ones)), classes=CLASSES)


def _moons(random: RandomState, moons: TwoMoons) -> Raw:
    """Bit by bit what scikit-learn's `make_moons` gives for the same seed."""
    outer = np.linspace(0, np.pi, moons.rows // 2)
    inner = np.linspace(0, np.pi, moons.rows - moons.rows // 2)
    x1 = np.append(np.cos(outer), 1 - np.cos(inner))
    x2 = np.append(np.sin(outer), 1 - np.sin(inner) - 0.5)
    order = np.arange(moons.rows)
    random.shuffle(order)
    x = np.column_stack([x1, x2])[order]
    x += random.normal(scale=abs(moons.noise), size=x.shape)
    return Raw(x, _as_numbers(order >= len(outer)), classes=CLASSES)


def _as_numbers(truth: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Matrix:
    return truth.astype(np.float64)


def _moved(random: RandomState, x: Matrix, noise: float) -> Matrix:
    """Every coordinate moved by up to `noise` each way."""
    return x + random.uniform(-noise, noise, x.shape)


def _polar(radius: Matrix, angle: Matrix) -> Matrix:
    """Points [N, 2] at angles from the x2 axis, clockwise."""
    return np.column_stack([radius * np.sin(angle), radius * np.cos(angle)])


def _bumps(x: Matrix, centres: Matrix) -> Matrix:
    """Height [N] of Gaussian bumps with standard deviation 1 and height 1 at points [N, 2]."""
    squares = ((x[:, np.newaxis] - centres) ** 2).sum(axis=2)
    return np.asarray(np.exp(-squares / 2).sum(axis=1))
