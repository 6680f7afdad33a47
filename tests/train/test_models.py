"""Models against PyTorch's own layers, and how their weights start."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from math import sqrt
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from tuitrain.spec.catalogue import find
from tuitrain.spec.data import Digits, Points
from tuitrain.spec.experiment import single
from tuitrain.spec.loss import MeanSquared, SoftmaxCrossEntropy
from tuitrain.spec.model import (
    AnyInitialisation,
    Convolution,
    He,
    Linear,
    Network,
    Normal,
    Parameter,
    Same,
    Uniform,
    Xavier,
)
from tuitrain.spec.overrides import override
from tuitrain.spec.preset import Preset
from tuitrain.spec.size import shapes
from tuitrain.train import Trainer
from tuitrain.train.models import Model, initial, named

Problem = Callable[..., Preset]

THREE_INPUTS = Points(x=[[0.0, 1.0, 2.0]], y=[[0.0, 1.0]])
STOCK: dict[str, Callable[[], nn.Module]] = {
    "linear": nn.Identity,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "leaky-relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "softmax": lambda: nn.Softmax(1),
}


def drawn(preset: Preset, runs: int) -> torch.Tensor:
    """Parameters of some runs, `[R, P]`."""
    size = sum(int(np.prod(shape)) for shape in shapes(preset).values())
    return torch.from_numpy(np.random.RandomState(0).normal(0, 0.5, (runs, size)))


def fill(module: nn.Module, values: dict[str, torch.Tensor]) -> None:
    """Gives the layers of a module the parameters of a run; our weights are [inputs, outputs]."""
    layers = [layer for layer in module.modules() if isinstance(layer, nn.Linear | nn.Conv2d)]
    parameters = iter(values.values())
    for layer in layers:
        w = next(parameters)
        layer.weight.data = w.T if isinstance(layer, nn.Linear) else w
        if layer.bias is not None:
            layer.bias.data = next(parameters)
    assert next(parameters, None) is None


def assert_same_predictions(preset: Preset, module: nn.Module, x: torch.Tensor) -> None:
    """Of three runs at once, against the module with the parameters of each."""
    p = drawn(preset, 3)
    with torch.no_grad():
        predicted = Model(preset)(p, x.T.contiguous())
        for run, values in enumerate(p):
            parts = named(values[None], shapes(preset))
            fill(module, {name: part[0] for name, part in parts.items()})
            torch.testing.assert_close(predicted[run].T, module(x), rtol=1e-12, atol=1e-13)


# Predictions ----------------------------------------------------------------------------------


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("output", STOCK)
@pytest.mark.parametrize("hidden", [[], [5], [4, 6]], ids=str)
def test_networks_are_those_of_pytorch(
    problem: Problem, hidden: list[int], output: Any, bias: bool
) -> None:
    names = ["gelu", "elu"][: len(hidden)]
    preset = problem(
        model=Network(hidden=hidden, activation=names, output=output, bias=bias),  # type: ignore[arg-type]
        data=THREE_INPUTS,
    )
    units = [3, *hidden, 2]
    layers: list[nn.Module] = []
    for inputs, outputs, name in zip(units[:-1], units[1:], [*names, output], strict=True):
        layers += [nn.Linear(inputs, outputs, bias, dtype=torch.float64), STOCK[name]()]
    x = torch.from_numpy(np.random.RandomState(1).normal(0, 1, (7, 3)))
    assert_same_predictions(preset, nn.Sequential(*layers), x)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize(
    ("channels", "kernel", "pool", "hidden"),
    [
        ([3], 3, 2, []),
        ([3, 4], 3, 2, [6]),
        ([2], 5, 3, []),  # 8 x 8 pixels become 2 x 2: what is left over does not count
        ([2, 3, 2], 1, 1, [5]),
        ([4, 2, 3], 3, 2, []),
        ([2], 7, 8, []),
    ],
)
def test_convolutions_are_those_of_pytorch(
    problem: Problem, channels: list[int], kernel: Any, pool: int, hidden: list[int], bias: bool
) -> None:
    preset = problem(
        model=Convolution(
            channels=channels,
            kernel=kernel,
            pool=pool,
            hidden=hidden,
            activation=["tanh", "relu", "gelu", "elu"][: len(channels) + len(hidden)],
            bias=bias,
        ),
        loss=SoftmaxCrossEntropy(targets="sparse"),
        data=Digits(),
    )
    activations = iter([nn.Tanh(), nn.ReLU(), nn.GELU(), nn.ELU()])
    layers: list[nn.Module] = [nn.Unflatten(1, (1, 8, 8))]
    width = 8
    for inputs, outputs in zip([1, *channels], channels, strict=False):
        layers.append(nn.Conv2d(inputs, outputs, kernel, padding="same", bias=bias))
        layers += [next(activations), nn.MaxPool2d(pool)]
        width //= pool
    layers.append(nn.Flatten())
    units = [channels[-1] * width**2, *hidden, 10]
    for inputs, outputs in pairwise(units):
        layers += [nn.Linear(inputs, outputs, bias), next(activations, nn.Identity())]
    layers.pop()  # the output layer is linear
    x = torch.from_numpy(np.random.RandomState(1).uniform(0, 1, (5, 64)))
    assert_same_predictions(preset, nn.Sequential(*layers).double(), x)


def test_a_free_parameter_predicts_the_same_for_every_row(problem: Problem) -> None:
    preset = problem(model=Parameter(size=2), data=Points(y=[[0.0, 1.0], [1.0, 0.0]]))
    p = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert Model(preset)(p, torch.empty(0, 5)).tolist() == [[[1.0], [2.0]], [[3.0], [4.0]]]


# Start ----------------------------------------------------------------------------------------


def parts(preset: Preset, seed: int) -> dict[str, np.ndarray]:
    flat = torch.from_numpy(initial(preset, seed))
    return {name: value[0].numpy() for name, value in named(flat[None], shapes(preset)).items()}


@pytest.mark.parametrize(
    ("kind", "draw"),
    [
        (Normal(std=0.3), lambda r, shape, i, o: r.normal(0, 0.3, shape)),
        (He(), lambda r, shape, i, o: r.normal(0, sqrt(2 / i), shape)),
        (
            Xavier(),
            lambda r, shape, i, o: r.uniform(-sqrt(6 / (i + o)), sqrt(6 / (i + o)), shape),
        ),
        (Uniform(low=-0.2, high=0.7), lambda r, shape, i, o: r.uniform(-0.2, 0.7, shape)),
        (Same(value=0.4), lambda r, shape, i, o: np.full(shape, 0.4)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_weights_start_as_the_model_says(
    problem: Problem, kind: AnyInitialisation, draw: Callable[..., np.ndarray]
) -> None:
    model = Convolution(channels=[6, 4], hidden=[7], initialisation=kind, biases=0.25)
    preset = problem(model=model, data=Digits(), loss=SoftmaxCrossEntropy())
    random, found = np.random.RandomState(9), parts(preset, 9)
    # inputs and outputs of one unit, and of one pixel of a convolution
    counts = {"w1": (9, 54), "w2": (54, 36), "w3": (16, 7), "w4": (7, 10)}
    for name, (inputs, outputs) in counts.items():
        expected = draw(random, shapes(preset)[name], inputs, outputs)
        np.testing.assert_allclose(found[name], expected, rtol=1e-15, atol=0)
    for name in ("b1", "b2", "b3", "b4"):
        assert (found[name] == 0.25).all()


@pytest.mark.parametrize("kind", [He(), Xavier()], ids=repr)
@pytest.mark.parametrize("shape", ["dense", "convolution"])
def test_the_spread_is_that_of_pytorch(
    problem: Problem, kind: AnyInitialisation, shape: str
) -> None:
    """Of many weights: the standard deviation of `nn.init.kaiming_normal_`, `xavier_uniform_`."""
    if shape == "dense":
        model: Network = Network(hidden=[300], initialisation=kind)
        stock = torch.empty(300, 64)
    else:
        model = Convolution(channels=[32, 64], initialisation=kind)  # type: ignore[assignment]
        stock = torch.empty(64, 32, 3, 3)
    preset = problem(model=model, data=Digits(), loss=SoftmaxCrossEntropy())
    torch.manual_seed(0)
    if isinstance(kind, He):
        nn.init.kaiming_normal_(stock, nonlinearity="relu")
    else:
        nn.init.xavier_uniform_(stock)
    found = parts(preset, 1)["w1" if shape == "dense" else "w2"]
    assert found.std() == pytest.approx(stock.std().item(), rel=0.02)


def test_start_values_that_are_given_move_no_other(problem: Problem) -> None:
    given = {"w1": [[1.0], [2.0], [3.0]], "b2": [7.0, 8.0]}
    drawn, mixed = (
        problem(model=Network(hidden=[1], init=init), data=THREE_INPUTS, seed=4)
        for init in ({}, given)
    )
    found, expected = parts(mixed, 4), parts(drawn, 4)
    assert found["w1"].tolist() == given["w1"]
    assert found["b2"].tolist() == given["b2"]
    assert found["w2"].tolist() == expected["w2"].tolist()
    assert found["b1"].tolist() == expected["b1"].tolist() == [0.0]
    assert initial(mixed, 5).tolist() == initial(drawn, 5).tolist()


def test_linear_models_start_as_ever(problem: Problem) -> None:
    preset = problem(model=Linear(std=0.5), data=THREE_INPUTS, loss=MeanSquared())
    random = np.random.RandomState(3)
    expected = [*random.normal(0, 0.5, 6), *random.normal(0, 0.5, 2)]
    assert initial(preset, 3).tolist() == expected


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("moons", {"data.noise": -0.0}),
        ("parabola-constant", {"model.init": {}, "model.std": -0.0}),
        ("iris", {"model.initialisation": "normal", "model.initialisation.std": -0.0}),
    ],
)
def test_a_width_of_minus_zero_is_zero(name: str, changes: dict[str, object]) -> None:
    preset = override(find(name), changes)
    trainer = Trainer(preset, single(preset).runs)
    trainer.advance(1)
    assert trainer.step == 1
