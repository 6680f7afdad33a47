"""Activations against torch.nn.functional and NumPy, their derivatives against differences."""

from __future__ import annotations

from collections.abc import Callable
from math import erf, exp, log1p, sqrt, tanh
from typing import get_args

import numpy as np
import pytest
import torch
from torch.nn import functional

from tuitrain.spec.model import Output
from tuitrain.train.activations import ACTIVATIONS, DERIVATIVES

Z = np.concatenate([np.random.RandomState(0).normal(0, 3, 200), [-700.0, -40.0, 0.0, 40.0, 700.0]])

BY_HAND: dict[str, Callable[[float], float]] = {
    "linear": lambda z: z,
    "sigmoid": lambda z: 1 / (1 + exp(-z)) if z > 0 else exp(z) / (1 + exp(z)),
    "tanh": tanh,
    "relu": lambda z: max(z, 0.0),
    "leaky-relu": lambda z: z if z > 0 else 0.01 * z,
    "elu": lambda z: z if z > 0 else exp(z) - 1,
    "gelu": lambda z: z / 2 * (1 + erf(z / sqrt(2))),
    "softplus": lambda z: max(z, 0.0) + log1p(exp(-abs(z))),
}
STOCK: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "linear": lambda z: z,
    "sigmoid": functional.sigmoid,
    "tanh": functional.tanh,
    "relu": functional.relu,
    "leaky-relu": functional.leaky_relu,
    "elu": functional.elu,
    "gelu": functional.gelu,
    # PyTorch's own goes straight from 20 on, where the eighth digit is not straight yet
    "softplus": lambda z: functional.softplus(z, threshold=1e3).where(z < 700, z),
    "softmax": lambda z: functional.softmax(z, 1),
}


def test_every_name_of_a_preset_is_known() -> None:
    assert set(ACTIVATIONS) == set(DERIVATIVES) == set(STOCK) == set(get_args(Output))
    assert set(BY_HAND) == set(get_args(Output)) - {"softmax"}


@pytest.mark.parametrize("name", BY_HAND)
def test_activations_by_hand(name: Output) -> None:
    found = ACTIVATIONS[name](torch.from_numpy(Z))
    np.testing.assert_allclose(found, [BY_HAND[name](z) for z in Z], rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("name", STOCK)
def test_activations_are_those_of_pytorch(name: Output) -> None:
    z = torch.from_numpy(Z[:200].reshape(4, 5, 10))
    torch.testing.assert_close(ACTIVATIONS[name](z), STOCK[name](z), rtol=1e-14, atol=1e-15)


def test_softmax_is_over_the_units_and_does_not_overflow() -> None:
    z = torch.tensor([[[0.0, 1e4], [np.log(3), -1e4]]], dtype=torch.float64)
    assert ACTIVATIONS["softmax"](z)[0].T.tolist() == [pytest.approx([0.25, 0.75]), [1.0, 0.0]]


@pytest.mark.parametrize("name", DERIVATIVES)
def test_derivatives_are_those_of_autograd(name: Output) -> None:
    random = np.random.RandomState(1)
    z = torch.from_numpy(random.normal(0, 3, (2, 4, 6))).requires_grad_()
    g = torch.from_numpy(random.normal(0, 1, (2, 4, 6)))
    a = ACTIVATIONS[name](z)
    (expected,) = torch.autograd.grad(a, z, g)
    found = DERIVATIVES[name](z.detach(), a.detach(), g)
    torch.testing.assert_close(found, expected, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("name", DERIVATIVES)
def test_derivatives_are_finite_differences(name: Output) -> None:
    random = np.random.RandomState(2)
    z, g = (torch.from_numpy(random.normal(0, 2, (2, 3, 5))) for _ in range(2))
    found = DERIVATIVES[name](z, ACTIVATIONS[name](z), g)
    h = 1e-6
    for i in range(3):
        step = torch.zeros_like(z)
        step[:, i] = h
        change = (ACTIVATIONS[name](z + step) - ACTIVATIONS[name](z - step)) / (2 * h)
        torch.testing.assert_close(found[:, i], (g * change).sum(1), rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("name", DERIVATIVES)
def test_derivatives_of_large_sums_are_finite(name: Output) -> None:
    for dtype in (torch.float32, torch.float64):
        z = torch.tensor([[[-1e4], [-100.0], [0.0], [100.0], [1e4]]], dtype=dtype)
        found = DERIVATIVES[name](z, ACTIVATIONS[name](z), torch.ones_like(z))
        assert found.isfinite().all()
