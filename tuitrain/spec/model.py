"""The kinds of model that a preset trains, and how their weights start.

The docstring under a key is its description in the JSON Schema (`schema.py`).
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field

from tuitrain.spec.base import Deviation, Number, Numbers, Tagged

Activation = Literal["linear", "sigmoid", "tanh", "relu", "leaky-relu", "elu", "gelu", "softplus"]
"""The activation of a unit, as a function of its weighted sum z.

linear: z. sigmoid: 1 / (1 + e^-z). tanh. relu: max(z, 0). leaky-relu: z, below 0 0.01 z.
elu: z, below 0 e^z - 1 (alpha = 1). gelu: z Phi(z), exactly, by the error function.
softplus: log(1 + e^z) (beta = 1).
"""
Output = Literal[
    "linear", "sigmoid", "tanh", "relu", "leaky-relu", "elu", "gelu", "softplus", "softmax"
]
"""As `Activation`; and softmax, e^z of a unit as a share of those of all units of the layer."""
Units = Annotated[int, Meta(ge=1, le=4096)]

# How weights start ----------------------------------------------------------------------------


class Normal(Tagged, frozen=True, tag="normal"):
    """w ~ N(0, std^2)."""

    std: Deviation = 1.0
    """Standard deviation."""


class He(Tagged, frozen=True, tag="he"):
    """w ~ N(0, 2 / inputs), for relu: He et al. (2015), "Delving deep into rectifiers"."""


class Xavier(Tagged, frozen=True, tag="xavier"):
    """w uniform within ± sqrt(6 / (inputs + outputs)), for tanh and sigmoid.

    Glorot and Bengio (2010), "Understanding the difficulty of training deep feedforward neural
    networks", equation 16.
    """


class Uniform(Tagged, frozen=True, tag="uniform"):
    """w uniform in [low, high)."""

    low: Number = -1.0
    """Least value."""
    high: Number = 1.0
    """Greatest value."""


class Same(Tagged, frozen=True, tag="constant"):
    """Every weight the same: the units of a layer then stay identical for ever."""

    value: Number = 0.0
    """Initial value of every weight."""


AnyInitialisation = Normal | He | Xavier | Uniform | Same

# Models -----------------------------------------------------------------------------------------


class _Model(Tagged, frozen=True):
    init: dict[str, Numbers] = field(default_factory=dict)
    """Initial values by parameter, each in the parameter's shape, for the file's own `train.seed`.

    Parameters left out here, and all of them under another seed, start as the model says.
    """


class _Single(_Model, frozen=True):
    std: Deviation = 1.0
    """Standard deviation of randomly drawn initial values."""


class Parameter(_Single, frozen=True, tag="parameter"):
    """No network: one free parameter `w`, which is itself the prediction for every row."""

    size: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    """Elements of `w`; 0 makes it a single number."""


class Linear(_Single, frozen=True, tag="linear"):
    """prediction = x w + b, with `w` [inputs, outputs] and `b` [outputs]."""

    bias: bool = True
    """Whether there is a `b`."""


class _Layered(_Model, frozen=True):
    hidden: list[Units] = field(default_factory=list)
    """Units of each fully connected hidden layer, from the inputs on; [] has none."""
    activation: Activation | list[Activation] = "relu"
    """Activation of all hidden layers, or a list with one for each (convolutions first)."""
    output: Output = "linear"
    """Activation of the output layer."""
    bias: bool = True
    """Whether layers have a `b`."""
    initialisation: AnyInitialisation = He()
    """How weights are initialised, from the run's seed."""
    biases: Number = 0.0
    """Initial value of every bias."""


class Network(_Layered, frozen=True, tag="network"):
    """A fully connected network: a = f(a w1 + b1), ..., prediction = f(a wn + bn).

    Its parameters are `w1` [inputs, units], `b1` [units], and so on to the output layer.
    """


class Convolution(_Layered, frozen=True, kw_only=True, tag="convolution"):
    """Convolutions with max pooling, then a fully connected network; for data of images.

    Every convolution is "same" (as many pixels out as in), followed by its activation and the
    pooling. Its parameters are `w1` [channels out, channels in, kernel, kernel], `b1` [channels].
    """

    channels: Annotated[list[Units], Meta(min_length=1)]
    """Channels of each convolution, from the image on."""
    kernel: Literal[1, 3, 5, 7] = 3
    """Width and height of the convolution kernel, in pixels."""
    pool: Annotated[int, Meta(ge=1, le=8)] = 2
    """Window and stride of the max pooling, in pixels; 1 for no pooling."""


AnyModel = Parameter | Linear | Network | Convolution
