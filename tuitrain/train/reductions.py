"""Norms and means of rows, whose bits do not depend on how many rows there are.

PyTorch's own reductions keep to that on the processor. On CUDA, the number of threads that share
a row, and with it the order of its sum, depends on the number of rows.
"""

from __future__ import annotations

import torch

SAFE = 1e-16, 1e18
"""Norms between these have squares that float32 holds without loss."""


def norms(values: torch.Tensor) -> torch.Tensor:
    """Euclidean norms along the last axis, in the whole range of their dtype.

    On the processor, those whose squares leave the range of float32 are worked out again in
    float64: all of them so would take up to ten times as long. To look on a GPU whether there are
    any would keep it waiting for the host.
    """
    if values.device.type != "cpu":
        return folded_norms(values)
    found: torch.Tensor = torch.linalg.vector_norm(values, dim=-1)
    if found.dtype == torch.float32:
        beyond = ~((found > SAFE[0]) & (found < SAFE[1]))
        if beyond.any():
            exact = torch.linalg.vector_norm(values[beyond].double(), dim=-1)
            found[beyond] = exact.to(found.dtype)
    return found


def means(values: torch.Tensor) -> torch.Tensor:
    """Means along the last axis."""
    if values.device.type == "cpu":
        return values.mean(-1)
    return folded_sums(values) / values.shape[-1]


def folded_norms(values: torch.Tensor) -> torch.Tensor:
    """Euclidean norms along the last axis, in an order that its length alone decides.

    They are worked out in float64, so that no square leaves its range: where every value is read
    from the memory of a GPU, that takes hardly longer, and nothing depends on the values.
    """
    return folded_sums(values.double().square()).sqrt().to(values.dtype)


def folded_sums(values: torch.Tensor) -> torch.Tensor:
    """Sums along the last axis, in an order that its length alone decides.

    The second half is added to the first, element by element, until one element is left; an odd
    one at the end is added to the first.
    """
    while (length := values.shape[-1]) > 1:
        half = length // 2
        sums = values[..., :half] + values[..., half : 2 * half]
        if length % 2:
            sums[..., 0] += values[..., -1]
        values = sums
    return values[..., 0]
