"""Runs whose hyper-parameters differ, stacked in one call of their rule, against each alone."""

from __future__ import annotations

from collections.abc import Sequence
from unittest.mock import patch

import pytest
import torch
from msgspec import structs

from tests.optim.test_update_rules import RANGES, draw, learning_rate
from tuitrain.optim import OPTIMIZERS, Optimizer, hyperparameters, name_of
from tuitrain.optim.adam import Adam, RAdam
from tuitrain.optim.adaptive import RMSprop
from tuitrain.optim.sgd import SGD, Momentum
from tuitrain.train.stack import Stack

STEPS = 60
SIZE = 7

CLOSE = {torch.float64: 1e-12, torch.float32: 1e-6}
"""Relative and absolute error, by dtype."""


def gradients(dtype: torch.dtype) -> torch.Tensor:
    """The part of each step's gradient that does not depend on the parameters, `[T, P]`."""
    draws = torch.Generator().manual_seed(1)
    return (torch.randn(STEPS, SIZE, generator=draws, dtype=torch.float64) - 1).to(dtype)


def train(optimizers: Sequence[Optimizer], dtype: torch.dtype) -> torch.Tensor:
    """The parameters of the stacked runs after each step, `[T, R, P]`, in the order given."""
    p = torch.linspace(-2, 3, SIZE, dtype=torch.float64).to(dtype).repeat(len(optimizers), 1)
    names = {name for rule in optimizers for name in rule.state}
    zeros = dict.fromkeys(names, torch.zeros_like(p))
    stack = Stack(optimizers, range(len(optimizers)), p, zeros)
    place = stack.rows.argsort()
    steps = range(1, STEPS + 1)
    lr = [[learning_rate(optimizers[row].lr, t) for row in stack.rows] for t in steps]
    rates = stack.rates(torch.tensor(lr, dtype=torch.float64).to(dtype))
    path = [
        stack.update(t, rate, 0.5 * stack.p + noise)[place]
        for t, rate, noise in zip(steps, rates, gradients(dtype), strict=True)
    ]
    return torch.stack(path)


def calls(optimizers: Sequence[Optimizer]) -> int:
    """How often a step of the stack calls a rule."""
    rule = type(optimizers[0])
    with patch.object(rule, "step", autospec=True, side_effect=rule.step) as step:
        train(optimizers, torch.float64)
    return step.call_count // STEPS


def assert_each_is_as_alone(optimizers: Sequence[Optimizer], dtype: torch.dtype) -> None:
    together = train(optimizers, dtype)
    assert together.isfinite().all()
    assert together.dtype == dtype
    for run, optimizer in enumerate(optimizers):
        alone = train([optimizer], dtype)[:, 0]
        torch.testing.assert_close(together[:, run], alone, rtol=CLOSE[dtype], atol=CLOSE[dtype])


def alike(rules: list[Optimizer]) -> list[Optimizer]:
    """The rules with the hyper-parameters in `apart`, and what is no number, of the first."""
    first = rules[0]
    fixed = {
        name: value
        for name, value in structs.asdict(first).items()
        if name in first.apart or isinstance(value, bool)
    }
    return [structs.replace(rule, **fixed) for rule in rules]


@pytest.mark.parametrize("dtype", CLOSE, ids=str)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_runs_with_other_hyperparameters_change_nothing(name: str, dtype: torch.dtype) -> None:
    assert_each_is_as_alone([draw(OPTIMIZERS[name], seed) for seed in range(12)], dtype)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_runs_whose_numbers_differ_share_one_call(name: str) -> None:
    rules = alike([draw(OPTIMIZERS[name], seed) for seed in range(1, 9)])
    assert len(set(rules)) == len(rules)
    assert calls(rules) == 1


@pytest.mark.parametrize("dtype", CLOSE, ids=str)
@pytest.mark.parametrize(
    ("name", "key"),
    [(name, key) for name, rule in OPTIMIZERS.items() for key in hyperparameters(rule)],
)
def test_one_hyperparameter_is_swept_as_if_each_value_were_alone(
    name: str, key: str, dtype: torch.dtype
) -> None:
    rule = OPTIMIZERS[name]
    if isinstance(hyperparameters(rule)[key], bool):
        values: list[float] = [True, False]
    else:
        least, most = RANGES[key]
        values = [least + (most - least) * share for share in (0.0, 0.3, 0.7, 1.0)]
    assert_each_is_as_alone([rule(**{"lr": 0.01, key: value}) for value in values], dtype)


def test_equal_hyperparameters_change_no_bit() -> None:
    """What does not differ stays a number, so a sweep of one leaves the bits of the others."""
    rules = [SGD(lr=0.01, weight_decay=0.1), SGD(lr=0.02, weight_decay=0.1)]
    for dtype in CLOSE:
        together = train(rules, dtype)
        for run, rule in enumerate(rules):
            assert torch.equal(together[:, run], train([rule], dtype)[:, 0])


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([Adam(beta1=0.8), Adam(beta1=0.9, lr=0.1), Adam(eps=1e-6)], 1),
        ([Adam(weight_decay=0.1), Adam(weight_decay=0.2), Adam()], 2),
        ([Momentum(momentum=0.0, dampening=0.1), Momentum(momentum=0.5, dampening=0.2)], 2),
        ([RMSprop(centered=True), RMSprop(), RMSprop(alpha=0.9)], 2),
        ([RAdam(beta2=0.99), RAdam(beta2=0.9), RAdam(beta2=0.9, beta1=0.5)], 2),
    ],
    ids=lambda rules: name_of(rules[0]) if isinstance(rules, list) else "",
)
def test_runs_are_apart_where_a_rule_branches(rules: list[Optimizer], expected: int) -> None:
    assert calls(rules) == expected
    assert_each_is_as_alone(rules, torch.float64)
