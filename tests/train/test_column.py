"""Columns of hyper-parameters: a float for each run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from tuitrain.train.column import Column

VALUES = [0.1, 0.9, 0.999]
CPU = torch.device("cpu")

FORMULAS: list[Callable[[Any, Any], Any]] = [
    lambda c, x: c * x,
    lambda c, x: x * c,
    lambda c, x: (c + 1) * x,
    lambda c, x: (1 + c) * x,
    lambda c, x: (c - 1) * x,
    lambda c, x: (1 - c) * x,
    lambda c, x: (c / 3) * x,
    lambda c, x: (3 / c) * x,
    lambda c, x: (c * c - c / c) * x,
    lambda c, x: x / (1 - c**7),
    lambda c, x: c / x,
    lambda c, x: c - x,
    lambda c, x: x - c,
    lambda c, x: x + c,
    lambda c, x: c + x,
    lambda c, x: x.maximum(x * c),
    lambda c, x: -c * x,
    lambda c, x: abs(c - 0.95) * x,
    lambda c, x: 2**c * x,
    lambda c, x: x**c,
    lambda c, x: c**x,
    lambda c, x: x.clip(-c, c),
    lambda c, x: x.clip(0.7, c + 0.75),
    lambda c, x: x.clip(min=c, max=1),
    lambda c, x: x.add(c, alpha=2),
    lambda c, x: x.where(x > c, 0.0),
    lambda c, x: x.where(c < x, 0.0),
    lambda c, x: torch.where(x > 1, x, c),
    lambda c, x: (x > 1) * c * x,
]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("formula", FORMULAS)
def test_a_column_is_to_each_run_what_a_float_is_to_one(
    formula: Callable[[Any, Any], Any], dtype: torch.dtype
) -> None:
    x = torch.linspace(0.5, 2, 12, dtype=dtype).view(3, 4)
    result = formula(Column.of(VALUES, CPU), x)
    assert result.dtype == dtype
    expected = torch.stack([formula(value, row) for value, row in zip(VALUES, x, strict=True)])
    precision = 4 * torch.finfo(dtype).eps
    torch.testing.assert_close(result, expected, rtol=precision, atol=0)


def test_float32_is_met_only_at_the_end() -> None:
    result = torch.ones(3, 1) * (1 - Column.of(VALUES, CPU))
    assert result.ravel().tolist() == torch.tensor([1 - v for v in VALUES]).tolist()
    assert (1 - torch.tensor(VALUES)).tolist() != result.ravel().tolist()


def test_a_column_is_true_and_no_zero() -> None:
    column: Any = Column.of(VALUES, CPU)
    assert column
    assert column != 0
    assert not column == 0.0  # noqa: SIM201


@pytest.mark.parametrize(
    "compare",
    [
        lambda c: c > 0.5,
        lambda c: c >= 0.5,
        lambda c: c < 0.5,
        lambda c: c <= 0.5,
        lambda c: c == 0.1,
        lambda c: c != 0.1,
        lambda c: c == c,
        lambda c: max(c, 0.5),
    ],
)
def test_a_step_that_compares_a_column_is_told_what_to_do(compare: Callable[[Any], Any]) -> None:
    with pytest.raises(TypeError, match="name its field in `apart`"):
        compare(Column.of(VALUES, CPU))
