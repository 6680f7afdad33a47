"""Learning-rate schedules: a factor on the learning rate for every step, in closed form.

NumPy is imported where a factor is computed: the setup screen has none to wait for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from math import ceil, isfinite
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Union

import msgspec
from msgspec import Meta, Struct, structs

from tuitrain.errors import InputError
from tuitrain.optim.base import MOST_STEPS, Count, NonNegative, Positive, UpToOne, require_finite

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]


class Schedule(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag=True
):
    """A learning-rate schedule: before its next update, a run uses `lr * factors(t, steps)`.

    `t` counts the finished updates, here and in the formulas: at the first one it is 0.

    A subclass defines `factor(self, done, total)`: the factors without warm-up after `done` (an
    array) of `total` updates. `warmup` steps in front raise the factor linearly from
    `warmup_from` to 1; the schedule proper starts after them and has the steps that are left.

    Raises:
        ValueError: a setting is infinite or not a number.
    """

    warmup: Annotated[int, Meta(ge=0, le=MOST_STEPS)] = 0
    warmup_from: NonNegative = 0.0

    factor: ClassVar[Callable[..., Any]]

    def __post_init__(self) -> None:
        require_finite(self)

    def factors(self, done: ArrayLike, total: int) -> Floats:
        """The factor on the learning rate after `done` finished updates, in their shape.

        Args:
            done: finished updates, from 0.
            total: planned steps, the warm-up included.
        """
        import numpy as np

        done = np.asarray(done, np.float64)
        rising = self.warmup_from + (1 - self.warmup_from) * done / max(self.warmup, 1)
        with np.errstate(over="ignore"):  # a rate that grows without end diverges, and that is told
            proper = self.factor(np.maximum(done - self.warmup, 0.0), max(total - self.warmup, 1))
        return np.where(done < self.warmup, rising, proper)

    def rising(self, total: int) -> int:
        """How many of `total` updates are done when the learning rate has risen for good."""
        return self.warmup


class Constant(Schedule, frozen=True, kw_only=True, tag="constant"):
    """lr"""

    def factor(self, done: Floats, total: int) -> Floats:
        return ones(done)


class Exponential(Schedule, frozen=True, kw_only=True, tag="exponential"):
    """lr * decay^(t / every), with t / every rounded down if staircase"""

    decay: Positive = 0.99
    every: Count = 1
    staircase: bool = False

    def factor(self, done: Floats, total: int) -> Floats:
        return self.decay ** periods(done, self.every, self.staircase)


class InverseTime(Schedule, frozen=True, kw_only=True, tag="inverse-time"):
    """lr / (1 + decay * t / every), with t / every rounded down if staircase"""

    decay: NonNegative = 0.01
    every: Count = 1
    staircase: bool = False

    def factor(self, done: Floats, total: int) -> Floats:
        return 1 / (1 + self.decay * periods(done, self.every, self.staircase))


class Step(Schedule, frozen=True, kw_only=True, tag="step"):
    """lr * gamma^floor(t / every)"""

    every: Count = 1000
    gamma: Positive = 0.1

    def factor(self, done: Floats, total: int) -> Floats:
        return self.gamma ** periods(done, self.every, staircase=True)


class Polynomial(Schedule, frozen=True, kw_only=True, tag="polynomial"):
    """lr * (end + (1 - end) * (1 - t / steps)^power)"""

    end: NonNegative = 0.0
    power: Positive = 1.0
    steps: Count | None = None

    def factor(self, done: Floats, total: int) -> Floats:
        left = 1 - share(done, self.steps or total)
        return self.end + (1 - self.end) * left**self.power


class Cosine(Schedule, frozen=True, kw_only=True, tag="cosine"):
    """lr * (end + (1 - end) * (1 + cos(pi * t / steps)) / 2)"""

    end: NonNegative = 0.0
    steps: Count | None = None

    def factor(self, done: Floats, total: int) -> Floats:
        return cosine(1.0, self.end, share(done, self.steps or total))


class OneCycle(Schedule, frozen=True, kw_only=True, tag="one-cycle"):
    """lr is the peak: from lr * start up to lr in the share `rise` of steps, then to lr * end"""

    start: NonNegative = 0.04
    end: NonNegative = 4e-6
    rise: UpToOne = 0.3
    steps: Count | None = None

    def factor(self, done: Floats, total: int) -> Floats:
        import numpy as np

        peak = self._peak(total)
        up = cosine(self.start, 1.0, share(done, peak))
        down = cosine(1.0, self.end, share(done - peak, (self.steps or total) - 1 - peak))
        return np.where(done <= peak, up, down)

    def _peak(self, total: int) -> float:
        """Finished updates of `total` at the peak, which may lie between two."""
        return max(self.rise * (self.steps or total) - 1, 0.0)

    def rising(self, total: int) -> int:
        return self.warmup + ceil(self._peak(max(total - self.warmup, 1)))


def periods(done: Floats, every: int, staircase: bool) -> Floats:
    """How many times `every` updates are done; only full ones if `staircase`."""
    return done // every if staircase else done / every


def share(done: Floats, steps: float) -> Floats:
    """The share of `steps` that is done, at most 1."""
    return (done / steps).clip(0.0, 1.0) if steps > 0 else ones(done)


def ones(done: Floats) -> Floats:
    """No change: 1 for every step."""
    import numpy as np

    return np.ones_like(done)


def cosine(start: float, end: float, share: Floats) -> Floats:
    """From `start` to `end` along half a cosine."""
    import numpy as np

    return end + (start - end) * (1 + np.cos(np.pi * share)) / 2


SCHEDULES: dict[str, type[Schedule]] = {
    str(kind.__struct_config__.tag): kind for kind in Schedule.__subclasses__()
}
"""Every schedule by its name."""

if TYPE_CHECKING:
    AnySchedule = Schedule
else:
    AnySchedule = Union[tuple(SCHEDULES.values())]  # noqa: UP007 - the members are data


WORDS = {
    "`int`": "a whole number",
    "`int | null`": "a whole number",
    "`float`": "a number",
    "`bool`": "true or false",
    ">=": "at least",
    "<=": "at most",
    ">": "above",
    ".0": "",
}
"""What msgspec writes of a type, in words."""


def parse_schedule(text: str, where: str = "schedule") -> AnySchedule:
    """The schedule that `NAME[:KEY=VALUE[,KEY=VALUE...]]` means, such as `cosine:end=0.01`.

    Args:
        text: the specification.
        where: what the error names as its place, such as `--schedule`.

    Raises:
        InputError: unknown name, unknown or repeated key, or a value of the wrong kind.
    """
    name, _, settings = text.strip().partition(":")
    if name not in SCHEDULES:
        raise InputError(f"no schedule {name!r}", where=where, expected=nearest(name, SCHEDULES))
    kind = SCHEDULES[name]
    values: dict[str, Any] = {}
    for setting in filter(None, settings.split(",")):
        key, _, value = (part.strip() for part in setting.partition("="))
        if key in values:
            raise InputError(f"{key} is given twice", where=f"{where} {text}", expected="one value")
        values[key] = parse_value(kind, key, value, where=f"{where} {text}")
    return kind(**values)


def parse_value(kind: type[Schedule], key: str, value: str, where: str) -> Any:
    """The value of one setting of a schedule, from its text."""
    keys = fields(kind)
    if key not in keys:
        raise InputError(f"no key {key!r}", where=where, expected=nearest(key, keys))
    text = value if keys[key].type is bool else _as_json(value)
    finite = text not in ("inf", "-inf", "nan")
    try:
        # -inf is below any bound, so that what msgspec says of it is what would be right
        converted = msgspec.convert(text if finite else "-inf", keys[key].type, strict=False)
        if converted is None:
            raise ValueError("Expected `int`")
        return getattr(kind(**{key: converted}), key)
    except ValueError as error:
        expected = str(error).removeprefix("Expected ").partition(", got")[0]
        for sign, words in WORDS.items():
            expected = expected.replace(sign, words)
        if not finite:
            expected = expected.replace("a number", "a finite number")
        raise InputError(f"{key}={value}", where=where, expected=expected) from None


def _as_json(text: str) -> str:
    """A number as msgspec reads it, be it written as `.5` or `5.`; else the text itself."""
    try:
        number = float(text)
        return text if text.isdecimal() and isfinite(number) else repr(number)
    except ValueError:
        return text


def fields(kind: type[Schedule]) -> dict[str, structs.FieldInfo]:
    """The settings of a schedule by name: its own, then those of the warm-up."""
    own_first = sorted(structs.fields(kind), key=lambda f: f.name in Schedule.__struct_fields__)
    return {field.name: field for field in own_first}


def nearest(word: str, words: Iterable[str]) -> str:
    """The valid words, for an error message, and the one of them most like `word`."""
    words = list(words)
    likely = "".join(f" (nearest: {match})" for match in get_close_matches(word, words, n=1))
    return f"one of {', '.join(words)}{likely}"


def format_schedule(schedule: AnySchedule) -> str:
    """The specification of a schedule: the inverse of `parse_schedule`; defaults are left out."""
    settings = [
        f"{field.name}={str(value).lower()}"
        for field in fields(type(schedule)).values()
        if (value := getattr(schedule, field.name)) != field.default
    ]
    name = str(schedule.__struct_config__.tag)
    return f"{name}:{','.join(settings)}" if settings else name
