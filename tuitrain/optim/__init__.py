"""The update rules and learning-rate schedules, written by hand. Imports no torch.

Defining a subclass of `Optimizer` in one of the modules below is all it takes for a rule to
appear in the command line, the picker, the documentation and the shared tests.
"""

from __future__ import annotations

import inspect
from textwrap import dedent
from typing import TYPE_CHECKING, Any, Union

from msgspec import structs

from tuitrain.optim import adam, adaptive, sgd, sign
from tuitrain.optim.base import Optimizer


def name_of(optimizer: Optimizer | type[Optimizer]) -> str:
    """The name of a rule: the value of `optimizer.name` in a preset."""
    return str(optimizer.__struct_config__.tag)


OPTIMIZERS: dict[str, type[Optimizer]] = {
    name_of(rule): rule
    for module in (sgd, adaptive, adam, sign)
    for rule in vars(module).values()
    if isinstance(rule, type) and issubclass(rule, Optimizer) and rule is not Optimizer
}
"""Every update rule by its name."""

if TYPE_CHECKING:
    AnyOptimizer = Optimizer
else:
    AnyOptimizer = Union[tuple(OPTIMIZERS.values())]  # noqa: UP007 - the members are data


def hyperparameters(rule: type[Optimizer]) -> dict[str, Any]:
    """The default of each hyper-parameter of a rule, `lr` first."""
    return {field.name: field.default for field in structs.fields(rule)}


def summary(rule: type[Optimizer]) -> str:
    """One line on a rule: the first of its docstring."""
    return (inspect.getdoc(rule) or "").partition("\n")[0]


def source(rule: type[Optimizer]) -> str:
    """The source text of a rule's step, as it runs."""
    return dedent(inspect.getsource(rule.step)).rstrip()


__all__ = [
    "OPTIMIZERS",
    "AnyOptimizer",
    "Optimizer",
    "hyperparameters",
    "name_of",
    "source",
    "summary",
]
