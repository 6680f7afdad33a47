"""Every update rule against its twin in torch.optim, or against its paper in plain floats."""

from __future__ import annotations

import inspect
import random
from collections.abc import Callable, Iterator
from functools import partial
from math import copysign, prod, sqrt
from typing import Any

import msgspec
import pytest
import torch
from torch import Tensor

from tuitrain.optim import OPTIMIZERS, Optimizer, hyperparameters, name_of

STEPS = 300
SHAPES = [(3, 2), (2,), (), (1, 4)]
SIZE = sum(map(prod, SHAPES))

TWINS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "sgd": torch.optim.SGD,
    "momentum": torch.optim.SGD,
    "nesterov": partial(torch.optim.SGD, nesterov=True),
    "adagrad": torch.optim.Adagrad,
    "rmsprop": torch.optim.RMSprop,
    "adadelta": torch.optim.Adadelta,
    "adam": torch.optim.Adam,
    "amsgrad": partial(torch.optim.Adam, amsgrad=True),
    "adamax": torch.optim.Adamax,
    "nadam": torch.optim.NAdam,
    "radam": torch.optim.RAdam,
    "adamw": torch.optim.AdamW,
    "rprop": torch.optim.Rprop,
}

PAIRS = {"betas": ("beta1", "beta2"), "etas": ("etaminus", "etaplus"),
         "step_sizes": ("step_min", "step_max")}  # fmt: skip
"""Hyper-parameters that torch.optim takes as a pair."""

RANGES: dict[str, tuple[float, float]] = {
    "lr": (0.003, 0.03),
    "momentum": (0.1, 0.95),
    "dampening": (0.0, 0.9),
    "weight_decay": (0.0, 0.2),
    "lr_decay": (0.0, 0.1),
    "initial_accumulator_value": (0.0, 1.0),
    "eps": (1e-9, 1e-3),
    "alpha": (0.5, 0.99),
    "rho": (0.5, 0.99),
    "beta1": (0.0, 0.95),
    "beta2": (0.5, 0.999),
    "momentum_decay": (0.0, 0.1),
    "etaminus": (0.2, 0.8),
    "etaplus": (1.05, 1.5),
    "step_min": (0.0, 1e-4),
    "step_max": (0.1, 1.0),
}


@pytest.fixture(autouse=True)
def float64() -> Iterator[None]:
    """torch.optim keeps scalars such as NAdam's product of mu in the default dtype."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def draw(rule: type[Optimizer], seed: int) -> Optimizer:
    """The rule with random hyper-parameters; seed 0 keeps its defaults."""
    values = random.Random(f"{name_of(rule)} {seed}")
    drawn: dict[str, Any] = {}
    for name, default in hyperparameters(rule).items():
        drawn[name] = values.random() < 0.5 if default in (True, False) else None
        if not isinstance(default, bool):
            drawn[name] = values.uniform(*RANGES[name])
    return rule(**drawn) if seed else rule(lr=drawn["lr"])


class Problem:
    """A random valley with ripples, and noise that changes from step to step.

    loss = (p - c)' A (p - c) / 2 + b . sin(w p) + noise_t . p
    """

    def __init__(self, seed: int) -> None:
        draws = torch.Generator().manual_seed(seed)
        normal = partial(torch.randn, generator=draws)
        root = normal(SIZE, SIZE) / SIZE**0.5
        self.curvature = root @ root.T + 0.1 * torch.eye(SIZE)
        self.centre = 2 + normal(SIZE)
        self.height, self.waves = 0.3 * normal(SIZE), normal(SIZE)
        self.noise = 0.3 * normal(STEPS, SIZE)
        self.start = normal(SIZE)

    def gradient(self, t: int, p: Tensor) -> Tensor:
        ripples = self.height * self.waves * (self.waves * p).cos()
        return self.curvature @ (p - self.centre) + ripples + self.noise[t - 1]


def learning_rate(lr: float, t: int) -> float:
    """A learning rate that changes from step to step, as under a schedule."""
    return lr * (1 + 0.5 * ((t * 7) % 5 - 2) / 2)


def train(optimizer: Optimizer, problems: list[Problem], lrs: list[float]) -> Tensor:
    """The parameters of the stacked runs after each step, `[T, R, P]`."""
    p = torch.stack([problem.start for problem in problems])
    state = [torch.zeros_like(p) for _ in optimizer.state]
    path = []
    for t in range(1, STEPS + 1):
        rows = zip(problems, p, strict=True)
        g = torch.stack([problem.gradient(t, row) for problem, row in rows])
        lr = torch.tensor([[learning_rate(lr, t)] for lr in lrs])
        p, *state = optimizer.step(t, lr, p, g, *state)
        path.append(p)
    return torch.stack(path)


def train_twin(optimizer: Optimizer, problem: Problem, lr: float) -> Tensor:
    """The parameters of one run of torch.optim after each step, `[T, P]`."""
    sizes = [prod(shape) for shape in SHAPES]
    parameters = [
        torch.nn.Parameter(part.reshape(shape).clone())
        for part, shape in zip(problem.start.split(sizes), SHAPES, strict=True)
    ]
    settings = msgspec.structs.asdict(optimizer) | {"lr": learning_rate(lr, 1)}
    for pair, names in PAIRS.items():
        if names[0] in settings:
            settings[pair] = tuple(settings.pop(name) for name in names)
    twin = TWINS[name_of(optimizer)](parameters, **settings)
    path = []
    for t in range(1, STEPS + 1):
        flat = torch.cat([parameter.detach().flatten() for parameter in parameters])
        gradients = problem.gradient(t, flat).split(sizes)
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient.reshape(parameter.shape)
        twin.param_groups[0]["lr"] = learning_rate(lr, t)
        twin.step()
        path.append(torch.cat([parameter.detach().flatten() for parameter in parameters]))
    return torch.stack(path)


def assert_follows(path: Tensor, reference: Tensor) -> None:
    assert reference.isfinite().all()
    assert (reference[-1] - reference[0]).abs().max() > 0.01, "the reference has not moved"
    torch.testing.assert_close(path, reference, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("runs", [1, 5])
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", TWINS)
def test_follows_torch(name: str, seed: int, runs: int) -> None:
    optimizer = draw(OPTIMIZERS[name], seed)
    problems = [Problem(100 * seed + run) for run in range(runs)]
    lrs = [optimizer.lr * (1 + run / 3) for run in range(runs)]
    path = train(optimizer, problems, lrs)
    for run in range(runs):
        assert_follows(path[:, run], train_twin(optimizer, problems[run], lrs[run]))


@pytest.mark.parametrize("centered", [False, True])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_rmsprop_in_all_its_forms_follows_torch(momentum: float, centered: bool) -> None:
    rmsprop = OPTIMIZERS["rmsprop"](lr=0.01, momentum=momentum, centered=centered)
    problem = Problem(7)
    path = train(rmsprop, [problem], [0.01])[:, 0]
    assert_follows(path, train_twin(rmsprop, problem, 0.01))


def test_without_momentum_nothing_is_dampened_as_in_torch() -> None:
    momentum = OPTIMIZERS["momentum"](lr=0.01, momentum=0.0, dampening=0.4)
    problem = Problem(7)
    path = train(momentum, [problem], [0.01])[:, 0]
    assert_follows(path, train_twin(momentum, problem, 0.01))


def test_rprop_follows_gradients_whose_product_float32_cannot_hold() -> None:
    p = torch.tensor([[0.0]], dtype=torch.float32)
    rprop = OPTIMIZERS["rprop"](lr=0.01)
    state = [torch.zeros_like(p) for _ in rprop.state]
    for t in range(1, 51):
        p, *state = rprop.step(t, torch.tensor([[0.01]]), p, 1e-24 * (p - 5), *state)
    assert p.item() == pytest.approx(5, abs=0.1)


@pytest.mark.parametrize("name", TWINS)
def test_defaults_are_those_of_torch(name: str) -> None:
    defaults = hyperparameters(OPTIMIZERS[name])
    parameters = inspect.signature(TWINS[name]).parameters
    theirs = {key: parameter.default for key, parameter in parameters.items()}
    for pair, names in PAIRS.items():
        theirs |= dict(zip(names, theirs.get(pair, ()), strict=False))
    if name in ("momentum", "nesterov"):  # a name that says momentum has some
        theirs["momentum"] = 0.9
    assert defaults == {key: theirs[key] for key in defaults}


# The papers, in plain floats: one parameter at a time ------------------------------------------

Scalar = Callable[[Any, int, float, float, float, dict[str, float]], float]
"""(hyper-parameters, t, lr, p, g, memory) -> the new p; `memory` is kept between the steps."""


def sgd_scalar(h: Any, t: int, lr: float, p: float, g: float, memory: dict[str, float]) -> float:
    return p - lr * (g + h.weight_decay * p)


def sgdm_scalar(h: Any, t: int, lr: float, p: float, g: float, memory: dict[str, float]) -> float:
    """The course: m = beta m + (1 - beta) g; w -= lr m."""
    g += h.weight_decay * p
    memory["m"] = h.momentum * memory.get("m", 0.0) + (1 - h.momentum) * g
    return p - lr * memory["m"]


def adagrad_scalar(
    h: Any, t: int, lr: float, p: float, g: float, memory: dict[str, float]
) -> float:
    """The course: v += g^2; w -= lr g / sqrt(v)."""
    memory["v"] = memory.get("v", 0.0) + g * g
    return p - lr * g / sqrt(memory["v"])


def rmsprop_scalar(
    h: Any, t: int, lr: float, p: float, g: float, memory: dict[str, float]
) -> float:
    """The course: v = beta v + (1 - beta) g^2; w -= lr g / (sqrt(v) + eps)."""
    memory["v"] = h.alpha * memory.get("v", 0.0) + (1 - h.alpha) * g * g
    return p - lr * g / (sqrt(memory["v"]) + h.eps)


def adam_scalar(h: Any, t: int, lr: float, p: float, g: float, memory: dict[str, float]) -> float:
    """Kingma & Ba 2015, Algorithm 1."""
    memory["m"] = h.beta1 * memory.get("m", 0.0) + (1 - h.beta1) * g
    memory["v"] = h.beta2 * memory.get("v", 0.0) + (1 - h.beta2) * g * g
    first, second = memory["m"] / (1 - h.beta1**t), memory["v"] / (1 - h.beta2**t)
    return p - lr * first / (sqrt(second) + h.eps)


def lion_scalar(h: Any, t: int, lr: float, p: float, g: float, memory: dict[str, float]) -> float:
    """Chen et al. 2023, Algorithm 2."""
    c = h.beta1 * memory.get("m", 0.0) + (1 - h.beta1) * g
    memory["m"] = h.beta2 * memory.get("m", 0.0) + (1 - h.beta2) * g
    return p - lr * ((copysign(1.0, c) if c else 0.0) + h.weight_decay * p)


PAPERS: dict[str, Scalar] = {"sgd": sgd_scalar, "sgdm": sgdm_scalar, "lion": lion_scalar}
"""The rules without a twin, and the simplest with one."""

COURSE: dict[str, tuple[Scalar, dict[str, float]]] = {
    "sgdm": (sgdm_scalar, {"momentum": 0.9}),
    "adagrad": (adagrad_scalar, {"eps": 0.0}),
    "rmsprop": (rmsprop_scalar, {"alpha": 0.9, "eps": 1e-8}),
    "adam": (adam_scalar, {}),
}
"""The course's five optimizers (the fifth is sgd), as reference/course.json writes them."""


def train_scalar(step: Scalar, optimizer: Optimizer, problem: Problem, lr: float) -> Tensor:
    """The parameters of one run after each step, `[T, P]`, computed one by one."""
    p = problem.start.tolist()
    memories: list[dict[str, float]] = [{} for _ in p]
    path = []
    for t in range(1, STEPS + 1):
        gradients = problem.gradient(t, torch.tensor(p)).tolist()
        now = learning_rate(lr, t)
        p = [step(optimizer, t, now, *x) for x in zip(p, gradients, memories, strict=True)]
        path.append(p)
    return torch.tensor(path)


@pytest.mark.parametrize("runs", [1, 5])
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", PAPERS)
def test_follows_its_paper(name: str, seed: int, runs: int) -> None:
    optimizer = draw(OPTIMIZERS[name], seed)
    problems = [Problem(100 * seed + run) for run in range(runs)]
    lrs = [optimizer.lr * (1 + run / 3) for run in range(runs)]
    path = train(optimizer, problems, lrs)
    for run in range(runs):
        reference = train_scalar(PAPERS[name], optimizer, problems[run], lrs[run])
        assert_follows(path[:, run], reference)


@pytest.mark.parametrize("name", COURSE)
def test_follows_the_course(name: str) -> None:
    scalar, settings = COURSE[name]
    optimizer = OPTIMIZERS[name](lr=0.1, **settings)
    problem = Problem(3)
    path = train(optimizer, [problem], [0.1])[:, 0]
    assert_follows(path, train_scalar(scalar, optimizer, problem, 0.1))


# What holds for every rule -----------------------------------------------------------------------


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_has_a_reference(name: str) -> None:
    assert name in TWINS or name in PAPERS


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_run_does_not_depend_on_its_stack(name: str, seed: int) -> None:
    optimizer = draw(OPTIMIZERS[name], seed)
    problems = [Problem(seed + run) for run in range(4)]
    lrs = [0.01 * (1 + run) for run in range(4)]
    stacked = train(optimizer, problems, lrs)
    for run in range(4):
        alone = train(optimizer, problems[run : run + 1], lrs[run : run + 1])[:, 0]
        torch.testing.assert_close(stacked[:, run], alone, rtol=1e-12, atol=1e-12)


def some_step(rule: type[Optimizer], seed: int) -> list[Tensor]:
    """lr, p, g and a possible state: `[R, 1]`, then `[R, P]` each, exact in float32."""
    draws = torch.Generator().manual_seed(seed)
    lr = torch.tensor([[0.125], [0.25], [0.5]])
    g = torch.randn(3, 4, generator=draws)
    state = [0.5 + 0.5 * torch.rand(3, 4, generator=draws) for _ in rule.state]
    return [array.float().double() for array in (lr, torch.zeros(3, 4), g, *state)]


@pytest.mark.parametrize("t", [1, 2, 50])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_changes_nothing_in_place(name: str, t: int) -> None:
    optimizer = draw(OPTIMIZERS[name], seed=1)
    given = some_step(OPTIMIZERS[name], seed=t)
    before = [array.clone() for array in given]
    returned = optimizer.step(t, *given)
    assert all(map(torch.equal, given, before))
    assert len(returned) == 1 + len(optimizer.state)
    assert {array.shape for array in returned} == {given[1].shape}


@pytest.mark.parametrize("t", [1, 2, 10, 1000])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_float32_loses_nothing_but_its_last_digits(name: str, t: int) -> None:
    """With 1 - beta2 taken in float32, a step would be off by 6e-6."""
    optimizer = OPTIMIZERS[name]()
    given = some_step(OPTIMIZERS[name], seed=t)
    if t == 1:
        given[3:] = [torch.zeros_like(array) for array in given[3:]]
    exact = optimizer.step(t, *given)
    rounded = optimizer.step(t, *(array.float() for array in given))
    assert {array.dtype for array in rounded} == {torch.float32}
    for narrow, wide in zip(rounded, exact, strict=True):
        cancelled = 1e-7 * wide.abs().max().item()  # where a sum of two terms is almost 0
        torch.testing.assert_close(narrow.double(), wide, rtol=1e-6, atol=cancelled)


@pytest.mark.parametrize("name", ["adam", "amsgrad", "adamax", "adamw"])
def test_first_step_in_float32_is_the_learning_rate(name: str) -> None:
    optimizer = OPTIMIZERS[name](eps=0.0)
    p, g = torch.zeros(1, 3).float(), torch.tensor([[0.3, -20.0, 1e-3]]).float()
    state = [torch.zeros_like(p) for _ in optimizer.state]
    moved, *_ = optimizer.step(1, torch.tensor([[0.1]]).float(), p, g, *state)
    torch.testing.assert_close(moved, -0.1 * g.sign(), rtol=3e-7, atol=0)


def test_centered_rmsprop_survives_a_constant_gradient() -> None:
    """Its variance is then 0, which n - a^2 would miss on the wrong side: NaN in torch.optim."""
    rmsprop = OPTIMIZERS["rmsprop"](lr=0.001, alpha=0.9, centered=True)
    p, g = torch.zeros(1, 50).float(), torch.linspace(0.1, 7, 50).float()[None]
    state = [torch.zeros_like(p) for _ in rmsprop.state]
    for t in range(1, 500):
        p, *state = rmsprop.step(t, torch.tensor([[0.001]]).float(), p, g, *state)
    assert p.isfinite().all()
