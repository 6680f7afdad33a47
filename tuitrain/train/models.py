"""Models of a whole stack, and their parameters as one flat tensor `[R, P]`.

Units come before rows here, `[R, units, B]`: what is done to every unit runs along the rows then,
which are more, and a softmax over few classes is twenty times as fast.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod, sqrt

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import conv2d, max_pool2d

from tuitrain.spec.model import (
    AnyInitialisation,
    Convolution,
    He,
    Linear,
    Network,
    Normal,
    Parameter,
    Same,
    Uniform,
    Xavier,
)
from tuitrain.spec.preset import Preset
from tuitrain.spec.size import Layer, layers, shapes
from tuitrain.train.activations import ACTIVATIONS

Shapes = Mapping[str, tuple[int, ...]]


def named(p: torch.Tensor, shapes: Shapes) -> dict[str, torch.Tensor]:
    """Views of the flat parameters `[R, P]` by name, each `[R, *shape]`.

    One split for all: its backward is one concatenation, where slices would each cost one.
    """
    runs = p.shape[0]
    if len(shapes) == 1:
        return {name: p.view(runs, *shape) for name, shape in shapes.items()}
    parts = torch.split_with_sizes(p, [prod(shape) for shape in shapes.values()], 1)
    return {
        name: part.reshape(runs, *shape)
        for (name, shape), part in zip(shapes.items(), parts, strict=True)
    }


# Start ------------------------------------------------------------------------------------------


def initial(preset: Preset, seed: int) -> NDArray[np.float64]:
    """Initial weights `[P]` of a run: equal for equal seeds, whatever the optimizer.

    The preset's `init` holds for the preset's own seed; everything else starts as the model says.
    Whatever is drawn is drawn in the order of the parameters, and all of it, so that none depends
    on what `init` gives.
    """
    random = np.random.RandomState(seed)
    stack, values = layers(preset), []
    for name, shape in shapes(preset).items():
        started = _started(preset, stack, name, shape, random)
        given = preset.model.init.get(name) if seed == preset.train.seed else None
        value = started if given is None else np.asarray(given, np.float64)
        values.append(np.reshape(value, prod(shape)))
    return np.concatenate(values)


def _started(
    preset: Preset,
    stack: Sequence[Layer],
    name: str,
    shape: tuple[int, ...],
    random: np.random.RandomState,
) -> NDArray[np.float64]:
    """The initial values of a parameter."""
    model = preset.model
    if isinstance(model, Parameter | Linear):
        return np.asarray(random.normal(0.0, abs(model.std), shape))
    if name.startswith("b"):
        return np.full(shape, model.biases)
    return _drawn(model.initialisation, stack[int(name.removeprefix("w")) - 1], random)


def _drawn(
    kind: AnyInitialisation, layer: Layer, random: np.random.RandomState
) -> NDArray[np.float64]:
    """The randomly drawn initial weights of a layer."""
    shape = layer.weights
    match kind:
        case Normal(std=std):
            return random.normal(0.0, abs(std), shape)
        case He():
            return random.normal(0.0, sqrt(2 / layer.inputs), shape)
        case Xavier():
            # a weight of a convolution feeds each of kernel x kernel pixels of a channel
            bound = sqrt(6 / (layer.inputs + layer.outputs * prod(shape[2:])))
            return random.uniform(-bound, bound, shape)
        case Uniform(low=low, high=high):
            return random.uniform(low, high, shape)
        case Same(value=value):
            return np.full(shape, value)


# Predictions ------------------------------------------------------------------------------------


class Model:
    """The model of a preset, as a function of flat parameters and rows.

    Attributes:
        shapes: of each parameter, without the run axis.
        widest: values for one row in the widest layer.
    """

    def __init__(self, preset: Preset) -> None:
        self.shapes = shapes(preset)
        self._layers = layers(preset)
        self._bias = isinstance(preset.model, Linear | Network | Convolution) and preset.model.bias
        self._pool = preset.model.pool if isinstance(preset.model, Convolution) else 1
        sizes = [layer.outputs * prod((layer.image or (1,))[1:]) for layer in self._layers]
        self.widest = max(sizes, default=max(map(prod, self.shapes.values())))

    def __call__(self, p: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        """Predictions `[R, outputs, B]` of `p` `[R, P]` for the rows `x` `[inputs, B]`.

        A free parameter predicts the same for every row: `[R, outputs, 1]`, to be broadcast.
        """
        parameters = iter(named(p, self.shapes).values())
        runs, rows = len(p), x.shape[1]
        if not self._layers:
            return next(parameters).reshape(runs, -1, 1)
        image = self._layers[0].image
        a = x.expand(runs, -1, -1) if image is None else x.T.reshape(rows, *image)
        for layer in self._layers:
            w, b = next(parameters), next(parameters) if self._bias else None
            if layer.image:
                a = self._convolved(a, w, b, layer)
            else:
                if a.dim() == 4:
                    # convolutions take all runs at once: [rows, runs x channels, height, width]
                    a = a.reshape(rows, runs, -1).permute(1, 2, 0)
                z = w.mT @ a if b is None else torch.baddbmm(b.unsqueeze(2), w.mT, a)
                a = ACTIVATIONS[layer.activation](z)
        return a

    def _convolved(
        self, a: torch.Tensor, w: torch.Tensor, b: torch.Tensor | None, layer: Layer
    ) -> torch.Tensor:
        """A convolution of all runs, its activation, its pooling: `[B, R x channels, ...]`.

        The image itself is the same for every run; later on, every run is a group of channels.
        """
        groups = a.shape[1] // w.shape[2]
        bias = None if b is None else b.reshape(-1)
        z = conv2d(a, w.flatten(0, 1), bias, padding=w.shape[3] // 2, groups=groups)
        a = ACTIVATIONS[layer.activation](z)
        return max_pool2d(a, self._pool) if self._pool > 1 else a
