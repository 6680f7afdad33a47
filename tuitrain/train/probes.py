"""The loss over a plane in parameter space, computed outside the training."""

from __future__ import annotations

from math import isqrt, prod

import numpy as np
import torch
from numpy.typing import NDArray

from tuitrain.spec.preset import Preset
from tuitrain.spec.size import layers, rows, shapes
from tuitrain.train.evaluator import Evaluator, rows_of

WORK = 2_000_000_000
"""Values that may be worked out for one landscape; where it would take more it becomes coarser."""

PRODUCTS = 16
"""Multiply-adds that take about as long as what else is done to a value."""

COARSEST = 16


class Surface:
    """The loss of a preset on its whole training set, as a function of the parameters.

    Points are the runs of a stack, so that thousands cost one forward pass. They are worked out
    in float64, whatever the training's dtype: near a minimum the losses differ by little.

    Args:
        preset: the model, the loss and the data.
        device: where it is worked out.

    Attributes:
        parameters: P.
        at_once: points that fit into one forward pass.
    """

    def __init__(self, preset: Preset, device: str | torch.device = "cpu") -> None:
        self._device = torch.device(device)
        self._evaluator = Evaluator(preset, rows_of(preset), torch.float64, self._device)
        self.parameters = sum(map(prod, shapes(preset).values()))
        self.at_once = self._evaluator.at_once
        products = sum(layer.multiply_adds for layer in layers(preset)) * rows(preset)
        self._work = self._evaluator.values + products // PRODUCTS

    def __call__(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Loss `[n]` at each of the flat parameters `[n, P]`."""
        return self._evaluator.loss(torch.from_numpy(points).to(self._device)).cpu().numpy()

    def affordable(self, columns: int, rows: int) -> tuple[int, int]:
        """So many points across and up, or as many as `WORK` allows in the same proportion."""
        wanted, most = columns * rows, WORK // self._work
        if wanted <= most:
            return columns, rows
        side = isqrt(10_000 * most // wanted)
        return max(columns * side // 100, COARSEST), max(rows * side // 100, COARSEST)
