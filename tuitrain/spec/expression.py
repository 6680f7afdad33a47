"""The scalar formulas of the `expression` loss, such as `(w + 1)^2`."""

from __future__ import annotations

import ast
import math
import warnings
from collections.abc import Callable
from functools import lru_cache
from typing import Any

FUNCTIONS = ("sin", "cos", "tan", "tanh", "exp", "log", "sqrt", "abs")
CONSTANTS = {"pi": math.pi, "e": math.e}
LONGEST = 200

_AS_PRINTED = str.maketrans(
    {"^": "**", "·": "*", "×": "*", "−": "-", "²": "**2", "³": "**3", "π": "pi"}  # noqa: RUF001
)


def _function(name: str) -> Callable[[Any], Any]:
    """One of `FUNCTIONS`, for Python floats, NumPy arrays and tensors alike."""
    scalar = abs if name == "abs" else getattr(math, name)

    def apply(value: Any) -> Any:
        if type(value) is complex:
            raise ValueError("a number is not real")
        if type(value) in (int, float):  # NumPy's own floats have no errors, but nan and inf
            return scalar(value)
        if method := getattr(value, name, None):
            return method()
        import numpy as np

        return getattr(np, name)(value)

    return apply


_NAMESPACE: dict[str, Any] = {
    "__builtins__": {},
    **CONSTANTS,
    **{name: _function(name) for name in FUNCTIONS},
}


def _check(node: ast.AST) -> None:
    """Raise ValueError unless the tree below `node` is arithmetic on w."""
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            # As an int, 9^9^9 would be computed digit by digit; a float overflows at once.
            node.value = float(value)
            if not math.isfinite(node.value):
                raise ValueError("a number is too large")
        case ast.Name(id=name):
            if name != "w" and name not in CONSTANTS:
                raise ValueError(f"unknown name {name}")
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]):
            if name not in FUNCTIONS:
                raise ValueError(f"unknown function {name}")
            _check(argument)
        case ast.BinOp(
            left=left, op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div() | ast.Pow(), right=right
        ):
            _check(left)
            _check(right)
        case ast.UnaryOp(op=ast.UAdd() | ast.USub(), operand=operand):
            _check(operand)
        case _:
            raise ValueError(f"{ast.unparse(node)} is not arithmetic on w")


@lru_cache(maxsize=64)
def function(formula: str) -> Callable[[Any], Any]:
    """The formula as a function of `w` (a NumPy array or a tensor of any shape).

    Raises:
        ValueError: the formula does not parse, or is more than arithmetic on `w`; says why.
    """
    if len(formula) > LONGEST:
        raise ValueError(f"longer than {LONGEST} characters")
    try:
        with warnings.catch_warnings(action="ignore"):
            tree = ast.parse(formula.translate(_AS_PRINTED).strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ValueError(getattr(error, "msg", None) or "it does not parse") from None
    _check(tree.body)
    if not any(isinstance(node, ast.Name) and node.id == "w" for node in ast.walk(tree)):
        raise ValueError("it does not depend on w")
    # Only the whitelisted nodes are left, and the names they can reach are _NAMESPACE's.
    return eval(compile(f"lambda w: {ast.unparse(tree)}", "<formula>", "eval"), _NAMESPACE)  # type: ignore[no-any-return]


def check(formula: str) -> None:
    """Raise ValueError, saying why, if the formula cannot be a loss."""
    try:
        value = function(formula)(math.nan)  # it goes through: what fails are the constants
    except OverflowError:
        raise ValueError("a number is too large") from None
    except (ArithmeticError, TypeError) as error:
        raise ValueError(str(error)) from None
    if isinstance(value, complex):
        raise ValueError("a number is not real")


def evaluate(formula: str, w: Any) -> Any:
    """The value of the formula, element by element of `w`.

    Raises:
        ValueError: the formula does not parse, or is more than arithmetic on `w`.
    """
    return function(formula)(w)
