"""Forward differentiation of the scalar formulas: a value that carries its derivative."""

from __future__ import annotations

from math import log, nan
from typing import Any


class Dual:
    """A value and its derivative with respect to `w`: numbers or tensors of one shape.

    It has the operators and functions of `tuitrain.spec.expression`, each with its rule of
    differentiation, so a formula evaluated on `Dual(w, 1.0)` gives value and derivative at once.
    """

    __slots__ = ("derivative", "value")

    def __init__(self, value: Any, derivative: Any) -> None:
        self.value = value
        self.derivative = derivative

    def __add__(self, other: Any) -> Dual:
        if isinstance(other, Dual):
            return Dual(self.value + other.value, self.derivative + other.derivative)
        return Dual(self.value + other, self.derivative)

    __radd__ = __add__

    def __neg__(self) -> Dual:
        return Dual(-self.value, -self.derivative)

    def __pos__(self) -> Dual:
        return self

    def __sub__(self, other: Any) -> Dual:
        return self.__add__(-other)

    def __rsub__(self, other: Any) -> Dual:
        return self.__neg__().__add__(other)

    def __mul__(self, other: Any) -> Dual:
        if isinstance(other, Dual):
            derivative = self.derivative * other.value + self.value * other.derivative
            return Dual(self.value * other.value, derivative)
        return Dual(self.value * other, self.derivative * other)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Dual:
        if isinstance(other, Dual):
            value = self.value / other.value
            return Dual(value, (self.derivative - value * other.derivative) / other.value)
        return Dual(self.value / other, self.derivative / other)

    def __rtruediv__(self, other: Any) -> Dual:
        value = other / self.value
        return Dual(value, -value / self.value * self.derivative)

    def __pow__(self, other: Any) -> Dual:
        if isinstance(other, Dual):
            # The logarithm is for the derivative alone: 0^0 is 1, and (-2)^-2 is a quarter.
            return Dual(self.value**other.value, (other * self.log()).exp().derivative)
        if other == 0:
            return Dual(self.value**0, 0.0)
        inner = self.value if other == 2 else self.value ** (other - 1)
        return Dual(self.value**other, other * self.derivative * inner)

    def __rpow__(self, other: Any) -> Dual:
        value = other**self.value
        # 0^w is level for w > 0; a power of a negative number is not real
        rate = log(other) if other > 0 else 0.0 if other == 0 else nan
        return Dual(value, value * rate * self.derivative)

    def exp(self) -> Dual:
        value = self.value.exp()
        return Dual(value, value * self.derivative)

    def log(self) -> Dual:
        return Dual(self.value.log(), self.derivative / self.value)

    def sqrt(self) -> Dual:
        value = self.value.sqrt()
        return Dual(value, self.derivative / (2 * value))

    def sin(self) -> Dual:
        return Dual(self.value.sin(), self.value.cos() * self.derivative)

    def cos(self) -> Dual:
        return Dual(self.value.cos(), -self.value.sin() * self.derivative)

    def tan(self) -> Dual:
        value = self.value.tan()
        return Dual(value, (1 + value**2) * self.derivative)

    def tanh(self) -> Dual:
        value = self.value.tanh()
        return Dual(value, (1 - value**2) * self.derivative)

    def __abs__(self) -> Dual:
        return Dual(self.value.abs(), self.value.sign() * self.derivative)

    abs = __abs__
