"""The base of all update rules: hyper-parameters, state, and one step as in the paper."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import Annotated, Any, ClassVar, Protocol

from msgspec import Meta, Struct, structs

MOST_STEPS = 10**12

Count = Annotated[int, Meta(ge=1, le=MOST_STEPS)]
NonNegative = Annotated[float, Meta(ge=0)]
Positive = Annotated[float, Meta(gt=0)]
Fraction = Annotated[float, Meta(ge=0, lt=1)]
UpToOne = Annotated[float, Meta(ge=0, le=1)]


class Array(Protocol):
    """What a step may do with its arrays, which a `torch.Tensor` can do."""

    def __add__(self, other: Array | float, /) -> Array: ...
    def __radd__(self, other: float, /) -> Array: ...
    def __sub__(self, other: Array | float, /) -> Array: ...
    def __mul__(self, other: Array | float, /) -> Array: ...
    def __rmul__(self, other: float, /) -> Array: ...
    def __truediv__(self, other: Array | float, /) -> Array: ...
    def __pow__(self, other: float, /) -> Array: ...
    def __gt__(self, other: float, /) -> Array: ...
    def __ge__(self, other: float, /) -> Array: ...
    def __lt__(self, other: float, /) -> Array: ...
    def abs(self) -> Array: ...
    def sign(self) -> Array: ...
    def sqrt(self) -> Array: ...
    def maximum(self, other: Array, /) -> Array: ...
    def clip(self, min: float, max: float) -> Array: ...  # noqa: A002
    def where(self, condition: Array, other: Array, /) -> Array: ...


Arrays = tuple[Array, ...]


class Optimizer(
    Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="name",
    tag=str.lower,
):
    """An update rule; its fields are its hyper-parameters, its tag (`name`) is the class name.

    A subclass defines `step(self, t, lr, p, g, *state) -> (p, *state)`, where

    - `t` is the number of the step, from 1,
    - `lr` is the learning rate of each run in this step, `[R, 1]`,
    - `p` and `g` are the parameters and the gradient of each run, `[R, P]`,
    - each array named in `state` has the shape of `p` and is zero before step 1.

    A step is plain arithmetic and array methods (`g.sign()`, `v.sqrt()`), changes nothing in
    place, and treats every element alone: so a run never sees the runs it is stacked with, and
    the same lines serve eager tensors, compiled ones and the screen that shows the source.
    Hyper-parameters are Python floats: what is computed from them alone (`1 - beta2**t`) is
    float64, and is cast only where it meets a tensor. One that differs between the runs of a
    stack is a column `[R, 1]` that acts like a float in arithmetic, and of which a step may ask
    whether it is 0, for all runs are alike in that. Those in `apart` are always floats, for steps
    that compare them with numbers, or need `math`: runs that differ in one take their steps apart.

    `follows_lr` is whether every step depends on the learning rate, and not the first one alone.

    Raises:
        ValueError: a hyper-parameter is infinite or not a number.
    """

    lr: NonNegative

    state: ClassVar[tuple[str, ...]] = ()
    paper: ClassVar[str] = ""
    apart: ClassVar[tuple[str, ...]] = ()
    follows_lr: ClassVar[bool] = True
    step: ClassVar[Callable[..., tuple[Any, ...]]]

    def __post_init__(self) -> None:
        require_finite(self)


def require_finite(settings: Struct) -> None:
    """Rejects infinity and NaN, which TOML can write and a bound such as `>= 0` lets through."""
    for name, value in structs.asdict(settings).items():
        if isinstance(value, float) and not isfinite(value):
            raise ValueError(f"Expected a finite `{name}`, got {value}")


def with_weight_decay(g: Array, p: Array, weight_decay: float) -> Array:
    """The gradient with L2 regularisation: that of loss + weight_decay/2 |p|^2."""
    return g + weight_decay * p if weight_decay else g
