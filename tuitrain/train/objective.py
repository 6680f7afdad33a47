"""The seam between a problem and its training: `(parameters, batch) -> (loss [R], gradient)`."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch

Batch = tuple[torch.Tensor, ...]


class Objective(ABC):
    """The objective that a stack minimises. Called under `torch.no_grad`."""

    @abstractmethod
    def batch(self, x: torch.Tensor, y: torch.Tensor) -> Batch:
        """The rows `x` `[B, inputs]`, `y` `[B, outputs]` in the form that the call takes."""

    @abstractmethod
    def __call__(self, p: torch.Tensor, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """Loss `[R]` and gradient `[R, P]` of the flat parameters `p` `[R, P]`."""
