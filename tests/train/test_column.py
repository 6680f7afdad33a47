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


def test_a_column_is_true() -> None:
    assert Column.of(VALUES, CPU)


def test_a_column_is_no_keyword() -> None:
    with pytest.raises(AssertionError, match="by position"):
        torch.ones(3, 4).clip(min=Column.of(VALUES, CPU))  # type: ignore[call-overload]
