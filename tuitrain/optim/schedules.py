"""Learning-rate schedules: a factor on the learning rate for every step, in closed form."""

from __future__ import annotations

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from tuitrain.optim.base import NonNegative


class Schedule(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag=True
):
    """A learning-rate schedule; step t (from 1) uses `lr * factors(t - 1, steps)`.

    `warmup` steps in front raise the factor linearly from `warmup_from` to 1; the schedule
    proper starts after them.
    """

    warmup: int = 0
    warmup_from: NonNegative = 0.0


class Constant(Schedule, frozen=True, tag="constant"):
    """The same learning rate at every step."""

    def shape(self, done: NDArray[np.float64], total: int) -> NDArray[np.float64]:
        return np.ones_like(done)
