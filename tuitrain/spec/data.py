"""The kinds of data that a preset learns from.

The docstring under a key is its description in the JSON Schema (`schema.py`).
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field

from tuitrain.spec.base import LARGEST, Deviation, Number, Rows, Seed, Tagged

Column = str | Annotated[int, Meta(ge=1)]
"""A column of a file, by name or by number from 1."""


class _Data(Tagged, frozen=True):
    test: Annotated[float, Meta(ge=0, lt=1)] = 0.0
    """Fraction of the rows that is held out for testing: the last ones."""
    shuffle: Seed | None = None
    """Seed of the shuffling of the rows (`RandomState`); without it, they keep their order."""
    standardise: bool = False
    """Whether inputs are scaled to mean 0 and standard deviation 1, by the training rows."""


class Points(_Data, frozen=True, kw_only=True, tag="points"):
    """Rows written out in the file."""

    y: list[float | list[float]]
    """The target of each row: a number, or a list of numbers where there are several outputs."""
    x: list[float | list[float]] = field(default_factory=list)
    """The inputs of each row: a number or a list of numbers; left out where the model has none."""


class Sales(_Data, frozen=True, kw_only=True, tag="sales"):
    """The yogurt sales of the course: y = x1 + x2 + noise, drawn from NumPy's `RandomState`."""

    rows: Rows
    """How many rows are drawn; x1 and x2 are uniform in [0, 1)."""
    seed: Seed
    """Seed of the `RandomState`."""
    noise: Deviation = 0.1
    """Width of the uniform noise: it lies in [-noise/2, noise/2)."""


class Gaussian(_Data, frozen=True, kw_only=True, tag="gaussian"):
    """x ~ N(mean, std^2), y = x . truth + N(0, noise^2), drawn from NumPy's `RandomState`."""

    rows: Rows
    """How many rows are drawn."""
    seed: Seed
    """Seed of the `RandomState`: x is drawn first, then the noise."""
    truth: Annotated[list[Number], Meta(min_length=1)]
    """The true weights behind y: one for each input."""
    mean: Number = 0.0
    """Mean of every input."""
    std: Annotated[float, Meta(gt=0, le=LARGEST)] = 1.0
    """Standard deviation of every input."""
    noise: Deviation = 0.0
    """Standard deviation of the noise on y."""


class _Drawn(_Data, frozen=True, kw_only=True):
    rows: Rows = 300
    """How many rows are drawn."""
    seed: Seed = 0
    """Seed of the `RandomState`."""


class _Noisy(_Drawn, frozen=True, kw_only=True):
    noise: Deviation = 0.0
    """How far points are moved at random, as the kind says."""


class Dots(_Drawn, frozen=True, kw_only=True, tag="dots"):
    """The red and blue dots of the course: x ~ N(0, 1), class 1 where x1^2 + x2^2 < 2."""


class Xor(_Noisy, frozen=True, kw_only=True, tag="xor"):
    """Points in the square [-5, 5]^2, class 1 where x1 and x2 have the same sign.

    A gap of 0.3 is left on each side of the axes; noise moves a point by up to `noise` along x1
    and x2 after its class is known.
    """


class Circle(_Noisy, frozen=True, kw_only=True, tag="circle"):
    """A disc of radius 2.5, class 1, in a ring of radii 3.5 to 5; noise as for `xor`.

    Radius and angle are uniform, so that points are dense at the centre.
    """


class TwoGaussians(_Noisy, frozen=True, kw_only=True, tag="two-gaussians"):
    """Points about (2, 2), class 1, and about (-2, -2), with standard deviation 1 + noise."""


class TwoSpirals(_Noisy, frozen=True, kw_only=True, tag="two-spirals"):
    """Two interleaved spirals of 1.75 turns, up to radius 5; noise as for `xor`."""


class TwoMoons(_Noisy, frozen=True, kw_only=True, tag="two-moons"):
    """Two half circles that reach into each other; noise is a standard deviation.

    For the same seed, the points of scikit-learn's `make_moons`.
    """


class Plane(_Noisy, frozen=True, kw_only=True, tag="plane"):
    """Regression on a tilted plane: y = (x1 + x2) / 10 over [-5, 5]^2.

    Noise moves y by up to `noise` each way.
    """


class Gauss(_Noisy, frozen=True, kw_only=True, tag="gauss"):
    """Regression on three hills and three valleys over [-6, 6]^2; noise as for `plane`.

    They are Gaussian bumps of standard deviation 1 with the heights 1 and -1 in turn, about
    x1 = -4, 0, 4 and x2 = 2.5, -2.5.
    """


class Iris(_Data, frozen=True, kw_only=True, tag="iris"):
    """Fisher's iris flowers: 150 rows of four lengths in cm, three species.

    Fisher (1936), "The use of multiple measurements in taxonomic problems"; scikit-learn's copy.
    """


class Digits(_Data, frozen=True, kw_only=True, tag="digits"):
    """1,797 handwritten digits of 8 x 8 pixels, from 0 to 16, divided by 16.

    Alpaydin and Kaynak (1998), UCI "Optical Recognition of Handwritten Digits" (test part);
    scikit-learn's copy.
    """


class Csv(_Data, frozen=True, kw_only=True, tag="csv"):
    """Rows of a CSV file of your own: UTF-8, with quoted fields where they are needed."""

    csv: Annotated[str, Meta(min_length=1)]
    """Its path; in a preset file, from that file's directory. It makes `kind` superfluous."""
    target: Column | None = None
    """What is to be predicted: a column's name, or its number from 1; the last one if not given."""
    columns: list[Column] = field(default_factory=list)
    """The inputs, as columns by name or number; [] takes all but the target."""
    header: bool = True
    """Whether the first line holds the names of the columns."""
    separator: Annotated[str, Meta(min_length=1, max_length=1)] = ","
    """The separator of fields: one character."""
    classes: bool | Literal["auto"] = "auto"
    """Whether targets are the names of classes; "auto": where the first one is not a number."""
    sha256: str = ""
    """Checksum that the file must have; filled in when an experiment begins."""


AnyData = (
    Points
    | Sales
    | Gaussian
    | Dots
    | Xor
    | Circle
    | TwoGaussians
    | TwoSpirals
    | TwoMoons
    | Plane
    | Gauss
    | Iris
    | Digits
    | Csv
)
