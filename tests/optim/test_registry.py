"""What the registry offers: names, defaults, documentation, source and strict decoding."""

from __future__ import annotations

import inspect
import subprocess
import sys
from math import inf, nan
from typing import Any

import msgspec
import pytest

from tuitrain.optim import (
    OPTIMIZERS,
    AnyOptimizer,
    Optimizer,
    hyperparameters,
    name_of,
    source,
    summary,
)

NAMES = (
    "sgd sgdm momentum nesterov adagrad rmsprop adadelta"
    " adam amsgrad adamax nadam radam adamw rprop lion"
)


def test_names_and_their_order() -> None:
    assert list(OPTIMIZERS) == NAMES.split()


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_decodes_by_its_name_and_encodes_back(name: str) -> None:
    optimizer = msgspec.convert({"name": name, "lr": 1}, AnyOptimizer)
    assert type(optimizer) is OPTIMIZERS[name]
    assert name_of(optimizer) == name_of(OPTIMIZERS[name]) == name
    assert optimizer == OPTIMIZERS[name](lr=1.0)
    assert msgspec.to_builtins(optimizer)["name"] == name
    assert msgspec.json.decode(msgspec.json.encode(optimizer), type=AnyOptimizer) == optimizer


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_hyperparameter_has_a_default_and_is_explained(name: str) -> None:
    rule = OPTIMIZERS[name]
    defaults = hyperparameters(rule)
    assert next(iter(defaults)) == "lr"
    assert msgspec.structs.asdict(rule()) == defaults
    arguments = (inspect.getdoc(rule) or "").partition("Args:")[2]
    for key, default in defaults.items():
        assert f"\n    {key}: " in arguments
        shown = arguments.partition(f"\n    {key}: ")[2].partition("(default ")[2]
        assert msgspec.json.decode(shown.partition(")")[0]) == default, key


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_cites_its_paper_and_shows_its_source(name: str) -> None:
    rule = OPTIMIZERS[name]
    assert "[1] " in (rule.__doc__ or "")
    assert rule.paper
    assert summary(rule) == (rule.__doc__ or "").splitlines()[0]
    assert summary(rule).endswith(".")
    assert source(rule).startswith("def step(self, t: int, lr: Array, p: Array, g: Array")
    assert source(rule).splitlines()[-1].startswith("    return ")


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ({"name": "adm"}, "Invalid value 'adm'"),
        ({"lr": 0.1}, "missing required field `name`"),
        ({"name": "adam", "momentum": 0.9}, "unknown field `momentum`"),
        ({"name": "adam", "lr": "0.1"}, "Expected `float`, got `str`"),
        ({"name": "adam", "lr": True}, "Expected `float`, got `bool`"),
        ({"name": "adam", "lr": -0.1}, "Expected `float` >= 0.0"),
        ({"name": "adam", "lr": nan}, "Expected `float` >= 0.0"),
        ({"name": "adam", "lr": inf}, "Expected a finite `lr`, got inf"),
        ({"name": "adam", "beta1": 1.0}, "Expected `float` < 1.0"),
        ({"name": "rmsprop", "centered": 1}, "Expected `bool`, got `int`"),
        ({"name": "rprop", "etaplus": 1.0}, "Expected `float` > 1.0"),
    ],
)
def test_decoding_is_strict(document: dict[str, Any], problem: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=problem):
        msgspec.convert(document, AnyOptimizer)


def test_an_optimizer_is_an_immutable_value() -> None:
    adam = OPTIMIZERS["adam"](lr=0.1)
    assert adam == OPTIMIZERS["adam"](lr=0.1)
    assert isinstance(adam, Optimizer)
    with pytest.raises(AttributeError):
        adam.lr = 0.2  # type: ignore[misc]
    with pytest.raises(TypeError):
        OPTIMIZERS["adam"](0.1)  # type: ignore[call-arg, misc]


def test_imports_neither_torch_nor_textual() -> None:
    program = "import sys, tuitrain.optim; print(*{'torch', 'textual'} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (result.returncode, result.stdout.strip()) == (0, "")
