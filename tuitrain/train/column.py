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
    an array. Like a float other than 0, it is true and no 0. Beyond that it compares with arrays
    alone: with a number, the answer may be another for each run.
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
        return cls._apply(function, *args, **(kwargs or {}))

    @classmethod
    def _apply(cls, function: Callable[..., Any], *operands: Any, **named: Any) -> Any:
        """An array where one of the operands is one, else a column."""
        every = (*operands, *named.values())
        arrays = [each for each in every if isinstance(each, torch.Tensor)]
        floating = (each.dtype for each in arrays if each.is_floating_point())
        # a mask meets a float in the default dtype
        dtype = next(floating, torch.get_default_dtype()) if arrays else torch.float64
        bounded = arrays and function.__name__ in ("clip", "clamp")

        def met(each: Any) -> Any:
            if isinstance(each, cls):
                return each._values.to(dtype)
            if bounded and isinstance(each, int | float):  # both bounds are arrays or neither is
                return arrays[0].new_full((), each)
            return each

        result = function(*map(met, operands), **{name: met(x) for name, x in named.items()})
        return result if arrays else cls(result)

    def _compare(self, function: Callable[..., Any], other: Any) -> Any:
        if isinstance(other, torch.Tensor):
            return self._apply(function, self, other)
        raise TypeError(
            "a step compares a hyper-parameter that differs between the runs of a stack: "
            "name its field in `apart`"
        )

    def __lt__(self, other: Any) -> Any:
        return self._compare(operator.lt, other)

    def __le__(self, other: Any) -> Any:
        return self._compare(operator.le, other)

    def __gt__(self, other: Any) -> Any:
        return self._compare(operator.gt, other)

    def __ge__(self, other: Any) -> Any:
        return self._compare(operator.ge, other)

    def __eq__(self, other: object) -> Any:
        return False if _is_zero(other) else self._compare(operator.eq, other)

    def __ne__(self, other: object) -> Any:
        return True if _is_zero(other) else self._compare(operator.ne, other)

    __hash__ = None  # type: ignore[assignment]

    def __neg__(self) -> Any:
        return self._apply(operator.neg, self)

    def __abs__(self) -> Any:
        return self._apply(operator.abs, self)

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

    def __rpow__(self, other: Any) -> Any:
        return self._apply(operator.pow, other, self)


def _is_zero(other: object) -> bool:
    return isinstance(other, int | float) and other == 0
