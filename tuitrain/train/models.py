"""Models of a whole stack, and their parameters as one flat tensor `[R, P]`."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

import numpy as np
import torch
from numpy.typing import NDArray

from tuitrain.spec.preset import AnyModel, Linear, Parameter, Preset
from tuitrain.spec.size import shapes

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


def initial(preset: Preset, seed: int) -> NDArray[np.float64]:
    """Start weights `[P]` of a run: equal for equal seeds, whatever the optimizer.

    The preset's `init` holds for the preset's own seed; everything else is drawn from
    N(0, `std`^2). Every parameter is drawn, so that none depends on what `init` gives.
    """
    random = np.random.RandomState(seed)
    values = []
    for name, shape in shapes(preset).items():
        drawn = random.normal(0.0, preset.model.std, shape)
        given = preset.model.init.get(name) if seed == preset.train.seed else None
        value = drawn if given is None else np.asarray(given, np.float64)
        values.append(np.reshape(value, prod(shape)))
    return np.concatenate(values)


def prediction(
    model: AnyModel, parameters: Mapping[str, torch.Tensor], x: torch.Tensor
) -> torch.Tensor:
    """Predictions `[R, B, outputs]` for the rows `x` `[B, inputs]`.

    A free parameter predicts the same for every row: `[R, 1, outputs]`, to be broadcast.
    """
    w = parameters["w"]
    match model:
        case Parameter():
            return w.reshape(w.shape[0], 1, -1)
        case Linear(bias=True):
            return torch.matmul(x, w) + parameters["b"].unsqueeze(1)
        case Linear():
            return torch.matmul(x, w)
