"""A hyper-parameter that differs between runs, in place of the Python float it is for one."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import torch


class Column:
    """The values of a hyper-parameter for the runs of a slice, float64 `[n, 1]` on their device.

    An update rule computes with it as with a Python float: in float64 with numbers and other
    columns, which gives a column again, and in the dtype of the array that it meets, which gives
    an array. Like a float other than 0, it is true.
    """

    __slots__ = ("_values",)

    def __init__(self, values: torch.Tensor) -> None:
        self._values = values

    @classmethod
    def of(cls, values: Sequence[float], device: torch.device) -> Column:
        """The column of these values, one for each run."""
        return cls(torch.tensor(values, dtype=torch.float64, device=device).unsqueeze(1))

    @classmethod
    def __torch_function__(
        cls, function: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """What PyTorch calls for an operator or a method of an array that is given columns."""
        assert not kwargs, "a step gives its arguments by position"
        return cls._apply(function, *args)

    @classmethod
    def _apply(cls, function: Callable[..., Any], *operands: Any) -> Any:
        """An array where one of the operands is one, else a column."""
        dtype = next((each.dtype for each in operands if isinstance(each, torch.Tensor)), None)
        wanted = dtype or torch.float64
        values = (each._values.to(wanted) if isinstance(each, cls) else each for each in operands)
        result = function(*values)
        return result if dtype else cls(result)

    def __add__(self, other: Any) -> Any:
        return self._apply(operator.add, self, other)

    def __radd__(self, other: Any) -> Any:
        return self._apply(operator.add, other, self)

    def __sub__(self, other: Any) -> Any:
        return self._apply(operator.sub, self, other)

    def __rsub__(self, other: Any) -> Any:
        return self._apply(operator.sub, other, self)

    def __mul__(self, other: Any) -> Any:
        return self._apply(operator.mul, self, other)

    def __rmul__(self, other: Any) -> Any:
        return self._apply(operator.mul, other, self)

    def __truediv__(self, other: Any) -> Any:
        return self._apply(operator.truediv, self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return self._apply(operator.truediv, other, self)

    def __pow__(self, other: Any) -> Any:
        return self._apply(operator.pow, self, other)
