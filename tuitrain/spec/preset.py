"""What to train, as typed data: one preset is one TOML file.

The docstring under a key is its description in the JSON Schema (`schema.py`).
"""

from __future__ import annotations

from typing import Literal

from msgspec import field

from tuitrain.optim import AnyOptimizer
from tuitrain.optim.base import Count, Positive
from tuitrain.optim.schedules import AnySchedule, Constant
from tuitrain.spec.base import Numbers, Rows, Seed, Strict
from tuitrain.spec.data import AnyData
from tuitrain.spec.loss import AnyLoss, Regularisation
from tuitrain.spec.model import AnyModel

Range = tuple[float, float]
"""Least and greatest value."""


class Train(Strict, frozen=True):
    """How long and on what."""

    steps: Count | None = None
    """Updates in all. Give either `steps` or `epochs`."""
    epochs: Count | None = None
    """Passes over the data. Give either `steps` or `epochs`."""
    batch: Rows | Literal["full"] = "full"
    """Batch size in rows: consecutive rows, starting over after the last; "full" takes all."""
    dtype: Literal["float32", "float64"] = "float32"
    """Precision of the training."""
    seed: Seed = 0
    """Random seed of the training."""


class Expected(Strict, frozen=True):
    """What the preset reaches with its own settings."""

    weights: dict[str, Numbers] = field(default_factory=dict)
    """Final values by parameter, each in the parameter's shape."""
    loss: float | None = None
    """Loss of the final weights on all rows."""
    loss_below: float | None = None
    """A bound that the loss of the final weights stays below."""
    tolerance: Positive = 1e-4
    """Absolute tolerance of `weights` and `loss`."""
    metrics: dict[str, Range] = field(default_factory=dict)
    """Least and greatest value by metric: data_loss, accuracy, test_loss or test_accuracy."""


class Preset(Strict, frozen=True):
    """A preset of tuitrain: what to train and how, and why it is worth watching."""

    title: str
    """One line: what is trained."""
    loss: AnyLoss
    """The loss to minimise."""
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

    Empty lines separate paragraphs; the lines of a paragraph are joined.
    """
    formula: str = ""
    """The mathematics, as lines of text."""
    source: str = ""
    """Where the example comes from."""
    expectation: str = ""
    """What the training should show."""
    data: AnyData | None = None
    """The rows to learn from; a formula (`loss.kind = "expression"`) has none."""
    regularisation: Regularisation = Regularisation()
    """Penalty on large weights, added to the loss."""
    schedule: AnySchedule = Constant()
    """How the learning rate changes from step to step."""
    expected: Expected = Expected()
    """What these settings are expected to reach."""
    name: str = ""
    """Defaults to the name of the file."""
    order: int = 1_000
    """Place in the catalogue: small numbers come first."""
