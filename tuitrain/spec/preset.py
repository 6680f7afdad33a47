"""What to train, as typed data: one preset is one TOML file.

The docstring under a key is its description in the JSON Schema (`schema.py`).
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from tuitrain.optim import AnyOptimizer
from tuitrain.optim.schedules import AnySchedule, Constant

MOST_ROWS = 10_000_000
MOST_STEPS = 10**12

Count = Annotated[int, Meta(ge=1, le=MOST_STEPS)]
Rows = Annotated[int, Meta(ge=1, le=MOST_ROWS)]
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
    """Rows written out in the file."""

    y: list[float | list[float]]
    """The target of each row: a number, or a list of numbers where there are several outputs."""
    x: list[float | list[float]] = []
    """The inputs of each row: a number or a list of numbers; left out where the model has none."""


class Sales(_Tagged, frozen=True, tag="sales"):
    """The yogurt sales of the course: y = x1 + x2 + noise, drawn from NumPy's `RandomState`."""

    rows: Rows
    """How many rows are drawn; x1 and x2 are uniform in [0, 1)."""
    seed: Seed
    """Seed of the `RandomState`."""
    noise: NonNegative = 0.1
    """Width of the uniform noise: it lies in [-noise/2, noise/2)."""


class Gaussian(_Tagged, frozen=True, tag="gaussian"):
    """x ~ N(mean, std^2), y = x . truth + N(0, noise^2), drawn from NumPy's `RandomState`."""

    rows: Rows
    """How many rows are drawn."""
    seed: Seed
    """Seed of the `RandomState`: x is drawn first, then the noise."""
    truth: Annotated[list[float], Meta(min_length=1)]
    """The weights behind y: one for each input."""
    mean: float = 0.0
    """Mean of every input."""
    std: Positive = 1.0
    """Standard deviation of every input."""
    noise: NonNegative = 0.0
    """Standard deviation of the noise on y."""


AnyData = Points | Sales | Gaussian

# Model --------------------------------------------------------------------------------------


class _Model(_Tagged, frozen=True):
    init: dict[str, Numbers] = field(default_factory=dict)
    """Start values by parameter, each in the parameter's shape, for the file's own `train.seed`.

    Parameters left out here, and all of them under another seed, are drawn from N(0, std^2).
    """
    std: NonNegative = 1.0
    """Standard deviation of start values that are drawn."""


class Parameter(_Model, frozen=True, tag="parameter"):
    """No network: one free parameter `w`, which is itself the prediction for every row."""

    size: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    """Elements of `w`; 0 makes it a single number."""


class Linear(_Model, frozen=True, tag="linear"):
    """prediction = x w + b, with `w` [inputs, outputs] and `b` [outputs]."""

    bias: bool = True
    """Whether there is a `b`."""


AnyModel = Parameter | Linear

# Loss ---------------------------------------------------------------------------------------


class MeanSquared(_Tagged, frozen=True, tag="mse"):
    """Mean over rows and outputs of (prediction - y)^2."""


class Asymmetric(_Tagged, frozen=True, tag="asymmetric"):
    """A price on every unit of error, one for predicting too much and one for too little."""

    cost: NonNegative = 1.0
    """Price of one unit predicted too much."""
    profit: NonNegative = 1.0
    """Price of one unit predicted too little."""
    reduce: Literal["sum", "mean"] = "sum"
    """Whether the prices of all rows (and outputs) are added up or averaged."""


class SoftmaxCrossEntropy(_Tagged, frozen=True, tag="softmax-cross-entropy"):
    """-sum y log softmax(prediction), mean over rows: predictions are logits."""


class CrossEntropy(_Tagged, frozen=True, tag="cross-entropy"):
    """-sum y log(prediction), mean over rows: predictions are probabilities."""

    clip: Annotated[float, Meta(gt=0, lt=1)] = 1e-10
    """Probabilities are clipped to [clip, 1], so that the logarithm stays finite."""


class Expression(_Tagged, frozen=True, tag="expression"):
    """The loss is a formula in the parameter `w`; for a vector `w`, the sum over its elements."""

    formula: str
    """Such as `(w + 1)^2`: + - * / ^, sin cos tan tanh exp log sqrt abs, pi, e."""


AnyLoss = MeanSquared | Asymmetric | SoftmaxCrossEntropy | CrossEntropy | Expression

# Training -----------------------------------------------------------------------------------


class Train(_Strict, frozen=True):
    """How long and on what."""

    steps: Count | None = None
    """Updates in all. Give either `steps` or `epochs`."""
    epochs: Count | None = None
    """Passes over the data. Give either `steps` or `epochs`."""
    batch: Rows | Literal["full"] = "full"
    """Rows per update, taken one batch after the other and round again; "full" takes all."""
    dtype: Literal["float32", "float64"] = "float32"
    """Precision of the training."""
    seed: Seed = 0
    """Seed of everything that the training draws."""


class Expected(_Strict, frozen=True):
    """What the preset reaches with its own settings."""

    weights: dict[str, Numbers] = field(default_factory=dict)
    """Final values by parameter, each in the parameter's shape."""
    loss: float | None = None
    """Loss of the final weights on all rows."""
    loss_below: float | None = None
    """A bound that the loss of the final weights stays below."""
    tolerance: Positive = 1e-4
    """How far, absolutely, `weights` and `loss` may be off."""


class Preset(_Strict, frozen=True):
    """A preset of tuitrain: what to train and how, and why it is worth watching."""

    title: str
    """One line: what is trained."""
    loss: AnyLoss
    """What is made small."""
    model: AnyModel
    """What is trained."""
    optimizer: AnyOptimizer
    """The update rule by `name`; its hyper-parameters default to the rule's own."""
    train: Train
    """How long and on what."""
    topic: str = "Your own"
    """The group that the preset is listed under."""
    story: str = ""
    """What the situation is, what to look for, why it happens.

    Empty lines part paragraphs; the lines of a paragraph are joined.
    """
    formula: str = ""
    """The mathematics, as lines of text."""
    source: str = ""
    """Where the example comes from."""
    expectation: str = ""
    """What the training should show."""
    data: AnyData | None = None
    """The rows to learn from; a formula (`loss.kind = "expression"`) has none."""
    schedule: AnySchedule = Constant()
    """How the learning rate changes from step to step."""
    expected: Expected = Expected()
    """What is reached with these very settings."""
    name: str = ""
    """Defaults to the name of the file."""
    order: int = 1_000
    """Place in the catalogue: small numbers come first."""
