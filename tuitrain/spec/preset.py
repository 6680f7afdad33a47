"""What to train, as typed data: one preset is one TOML file."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import Meta, Struct, field

from tuitrain.optim import AnyOptimizer
from tuitrain.optim.schedules import AnySchedule, Constant

Count = Annotated[int, Meta(ge=1)]
Seed = Annotated[int, Meta(ge=0, lt=2**32)]
NonNegative = Annotated[float, Meta(ge=0)]
Positive = Annotated[float, Meta(gt=0)]
Numbers = float | list[float | list[float]]
"""A scalar, a vector or a matrix of numbers."""


class _Strict(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the file: unknown keys are errors."""


class _Tagged(_Strict, frozen=True, tag_field="kind"):
    """One of several kinds of a table, told apart by its key `kind`."""


# Data ---------------------------------------------------------------------------------------


class Points(_Tagged, frozen=True, tag="points"):
    """Rows written out in the file: inputs `x` (may be left out) and targets `y`."""

    y: list[float | list[float]]
    x: list[float | list[float]] = []


class Sales(_Tagged, frozen=True, tag="sales"):
    """The yogurt sales of the course: y = x1 + x2 + uniform noise, drawn from `RandomState`."""

    rows: Count
    seed: Seed
    noise: NonNegative = 0.1


class Gaussian(_Tagged, frozen=True, tag="gaussian"):
    """x ~ N(mean, std), y = x . truth + N(0, noise)."""

    rows: Count
    seed: Seed
    truth: list[float]
    mean: float = 0.0
    std: Positive = 1.0
    noise: NonNegative = 0.0


AnyData = Points | Sales | Gaussian

# Model --------------------------------------------------------------------------------------


class _Model(_Tagged, frozen=True):
    """`init` gives start values by parameter name: they hold for the preset's own seed.

    Parameters that `init` leaves out, and all of them under another seed, are drawn from
    N(0, `std`^2) with the run's seed.
    """

    init: dict[str, Numbers] = field(default_factory=dict)
    std: NonNegative = 1.0


class Parameter(_Model, frozen=True, tag="parameter"):
    """One free parameter `w` (a scalar or a vector): it is itself the prediction."""

    size: Annotated[int, Meta(ge=0)] = 0
    """Elements of `w`; 0 makes it a scalar."""


class Linear(_Model, frozen=True, tag="linear"):
    """prediction = x w + b, with `w` [inputs, outputs] and, if `bias`, `b` [outputs]."""

    bias: bool = True


AnyModel = Parameter | Linear

# Loss ---------------------------------------------------------------------------------------


class MeanSquared(_Tagged, frozen=True, tag="mse"):
    """Mean over rows and outputs of (prediction - y)^2."""


class Asymmetric(_Tagged, frozen=True, tag="asymmetric"):
    """`cost` per unit predicted too much, `profit` per unit predicted too little."""

    cost: NonNegative = 1.0
    profit: NonNegative = 1.0
    reduce: Literal["sum", "mean"] = "sum"


class SoftmaxCrossEntropy(_Tagged, frozen=True, tag="softmax-cross-entropy"):
    """-sum y log softmax(prediction), mean over rows: predictions are logits."""


class CrossEntropy(_Tagged, frozen=True, tag="cross-entropy"):
    """-sum y log(prediction), mean over rows; probabilities are clipped to [`clip`, 1]."""

    clip: Positive = 1e-10


class Expression(_Tagged, frozen=True, tag="expression"):
    """A formula in `w` such as `(w + 1)^2`; for a vector `w`, the sum over its elements."""

    formula: str


AnyLoss = MeanSquared | Asymmetric | SoftmaxCrossEntropy | CrossEntropy | Expression

# Training -----------------------------------------------------------------------------------


class Train(_Strict, frozen=True):
    """How long and on what: give either `steps` or `epochs`."""

    steps: Count | None = None
    epochs: Count | None = None
    batch: Count | Literal["full"] = "full"
    dtype: Literal["float32", "float64"] = "float32"
    seed: Seed = 0


class Expected(_Strict, frozen=True):
    """What the preset reaches with its own settings, within an absolute `tolerance`."""

    weights: dict[str, Numbers] = field(default_factory=dict)
    loss: float | None = None
    loss_below: float | None = None
    tolerance: Positive = 1e-4


class Preset(_Strict, frozen=True):
    """A preset: what to train and how, and why it is worth watching."""

    title: str
    topic: str
    story: str
    formula: str
    source: str
    expectation: str
    loss: AnyLoss
    model: AnyModel
    optimizer: AnyOptimizer
    train: Train
    data: AnyData | None = None
    schedule: AnySchedule = Constant()
    expected: Expected = Expected()
    name: str = ""
    """Defaults to the name of the file."""

    suffix: ClassVar[str] = ".toml"
