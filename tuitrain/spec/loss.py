"""The kinds of loss that a preset minimises, and regularisation.

The docstring under a key is its description in the JSON Schema (`schema.py`).
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from tuitrain.optim.base import NonNegative
from tuitrain.spec.base import Strict, Tagged


class MeanSquared(Tagged, frozen=True, tag="mse"):
    """Mean over rows and outputs of (prediction - y)^2."""


class Asymmetric(Tagged, frozen=True, tag="asymmetric"):
    """A price on every unit of error, one for predicting too much and one for too little."""

    cost: NonNegative = 1.0
    """Price of one unit predicted too much."""
    profit: NonNegative = 1.0
    """Price of one unit predicted too little."""
    reduce: Literal["sum", "mean"] = "sum"
    """Whether the prices of all rows (and outputs) are added up or averaged."""


class SoftmaxCrossEntropy(Tagged, frozen=True, tag="softmax-cross-entropy"):
    """-sum y log softmax(prediction), mean over rows: predictions are logits."""

    targets: Literal["dense", "sparse"] = "dense"
    """Whether y is a distribution, or the number of the class (0, 1, ...); the loss is the same."""


class CrossEntropy(Tagged, frozen=True, tag="cross-entropy"):
    """-sum y log(prediction), mean over rows: predictions are probabilities."""

    clip: Annotated[float, Meta(ge=1e-37, lt=1)] = 1e-10  # float32 ends at 1.2e-38
    """Probabilities are clipped to [clip, 1], so that the logarithm stays finite."""


class Expression(Tagged, frozen=True, tag="expression"):
    """The loss is a formula in the parameter `w`; for a vector `w`, the sum over its elements."""

    formula: str
    """Such as `(w + 1)^2`: + - * / ^, sin cos tan tanh exp log sqrt abs, pi, e."""


class BinaryCrossEntropy(Tagged, frozen=True, tag="binary-cross-entropy"):
    """-(y log p + (1 - y) log(1 - p)), p = sigmoid(prediction), mean over rows and outputs."""


class Hinge(Tagged, frozen=True, tag="hinge"):
    """max(0, 1 - (2 y - 1) prediction), mean over rows and outputs; y is 0 or 1.

    With a one-hot y it is one class against the rest, for each class.
    """


AnyLoss = (
    MeanSquared
    | Asymmetric
    | SoftmaxCrossEntropy
    | CrossEntropy
    | BinaryCrossEntropy
    | Hinge
    | Expression
)


class Regularisation(Strict, frozen=True):
    """Penalty on large weights, added to the loss; biases are left out."""

    l1: NonNegative = 0.0
    """l1 x the sum of |w|."""
    l2: NonNegative = 0.0
    """l2 x half the sum of w^2."""
