"""Filters of the comparison's table."""

from __future__ import annotations

import pytest

from tuitrain.errors import InputError
from tuitrain.ui.runfilter import RunFilter

KEYS = ["name", "optimizer", "lr", "optimizer.nesterov", "gap"]
RUNS = [
    {"name": "sales-mse sgd lr=0.01", "optimizer": "sgd", "lr": 0.01, "gap": 0.5},
    {"name": "sales-mse SGDM lr=0.1", "optimizer": "sgdm", "lr": 0.1, "optimizer.nesterov": True},
    {"name": "sales-mse adam lr=0.001", "optimizer": "adam", "lr": 0.001, "gap": float("nan")},
]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("", [0, 1, 2]),
        ("sgd", [0, 1]),
        ("  SALES  sgdm ", [1]),
        ("optimizer=sgd", [0]),
        ("optimizer=sgd,adam", [0, 2]),
        ("optimizer!=sgd,adam", [1]),
        ("lr>=0.01", [0, 1]),
        ("lr>=1e-2 lr<0.1", [0]),
        ("lr=1e-1", [1]),
        ("lr=.1 adam", []),
        ("lr==0.001", [2]),
        ("optimizer.nesterov=true", [1]),
        ("gap<1", [0]),
        ("gap>=0", [0]),
    ],
)
def test_what_is_kept(text: str, kept: list[int]) -> None:
    chosen = RunFilter(text, KEYS)
    assert [i for i, run in enumerate(RUNS) if chosen(run)] == kept
    assert bool(chosen) == bool(text.strip())


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("optimiser=sgd", "optimiser=sgd: no key 'optimiser'; expected optimizer"),
        ("lr>fast", "lr>fast: 'fast' is not a number; expected lr>0.01"),
        ("sgd lr>=", "lr>=: nothing to compare with; expected lr>=VALUE"),
    ],
)
def test_bad_conditions_say_what_is_wrong(text: str, problem: str) -> None:
    with pytest.raises(InputError) as caught:
        RunFilter(text, KEYS)
    assert str(caught.value).startswith(problem)
