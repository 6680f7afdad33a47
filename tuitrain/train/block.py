"""Blocks of steps: what stays on the device until a block ends, and where blocks end."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
import torch
from numpy.typing import NDArray

from tuitrain.train.models import Shapes
from tuitrain.train.reductions import norms
from tuitrain.train.state import Divergence

LARGEST_BLOCK = 1024
"""Steps that are handed from the device to the recorder at once, if memory allows."""

BLOCK_BYTES = {"cpu": 2**24, "cuda": 2**28}
"""Bytes of weights (runs x parameters x steps) that a block may hold, by the type of the device.

The processor is done sooner with what fits its caches. A GPU waits for the host at the end of every
block, so it takes more steps between: with their gradients, and what their norms are worked out
with, 256 MiB of weights need about 2 GiB.

How much memory happens to be free does not count. Runs that have diverged leave the stack where a
block ends, and a stack of another shape may be rounded differently: equal trainings need equal
blocks.
"""


def block_size(device: str, weights: int) -> int:
    """Steps of a block on a type of device: a power of two, however the training is divided.

    Args:
        device: `cpu` or `cuda`.
        weights: bytes of one step's: runs x parameters x those of a number.
    """
    most = BLOCK_BYTES[device] // weights
    return min(1 << max(most.bit_length() - 1, 0), LARGEST_BLOCK)


@dataclass
class Block:
    """K consecutive steps of A runs.

    Attributes:
        first: number of the first step.
        rows: index of each run, [A].
        lr: learning rate of each step, float64 [K, A].
        loss: [K, A], before each step.
        gradient: [K, A, P], before each step.
        weights: [K + 1, A, P], before the first step and after each.
    """

    first: int
    rows: NDArray[np.intp]
    lr: NDArray[np.float64]
    loss: torch.Tensor
    gradient: torch.Tensor
    weights: torch.Tensor

    def __post_init__(self) -> None:
        self.grad_norm = norms(self.gradient)

    def finite(self) -> bool:
        """Whether every value is finite (or so large that it is worth a closer look)."""
        total = self.loss.sum() + self.grad_norm.sum() + self.weights.sum()
        return bool(total.isfinite())

    def divergences(self, shapes: Shapes) -> dict[int, Divergence]:
        """The first step of each run that is not finite, by place among the rows."""
        gradient = self._finite_tensors(self.gradient, shapes)
        weights = self._finite_tensors(self.weights[1:], shapes)
        # [2 n + 1, K, A]: loss, then gradients, then weights, in the order of their causes.
        finite = np.concatenate([self.loss.isfinite().cpu().numpy()[np.newaxis], gradient, weights])
        names = ["loss", *(f"gradient of {name}" for name in shapes), *shapes]
        broken = np.logical_not(finite.all(axis=0))
        found = {}
        for place in np.flatnonzero(broken.any(axis=0)).tolist():
            k = int(broken[:, place].argmax())
            cause = int((~finite[:, k, place]).argmax())
            found[place] = Divergence(self.first + k, names[cause])
        return found

    @staticmethod
    def _finite_tensors(values: torch.Tensor, shapes: Shapes) -> NDArray[np.bool_]:
        """Whether each named tensor is finite: [n, K, A]."""
        sizes = [prod(shape) for shape in shapes.values()]
        parts = torch.split_with_sizes(values.isfinite(), sizes, 2)
        return torch.stack([part.all(dim=2) for part in parts]).cpu().numpy()
