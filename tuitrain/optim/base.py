"""What an update rule is: hyper-parameters, state, and one step as the paper writes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, ClassVar

from msgspec import Meta, Struct

NonNegative = Annotated[float, Meta(ge=0)]
Positive = Annotated[float, Meta(gt=0)]
Fraction = Annotated[float, Meta(ge=0, lt=1)]


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
    float64, and is cast only where it meets a tensor.
    """

    lr: NonNegative

    state: ClassVar[tuple[str, ...]] = ()
    paper: ClassVar[str] = ""
    step: ClassVar[Callable[..., tuple[Any, ...]]]
