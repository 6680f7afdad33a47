"""How the values of each tensor are spread, step after step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod

import numpy as np
from numpy.typing import NDArray

BINS = 64
"""Of the histogram that is kept of a tensor at a step, between its least and greatest value."""

RARE = 0.002
"""Share of the values at either end that the range leaves out: a single one far off."""


@dataclass
class History:
    """The spread of one tensor's values over steps.

    Attributes:
        name, shape: of the tensor.
        steps: rising.
        edges: of the bins at each step, [BINS + 1] each.
        shares: how many of the values lie below each edge, from 0 to 1, [BINS + 1] each.
    """

    name: str
    shape: tuple[int, ...]
    steps: list[int] = field(default_factory=list)
    edges: list[NDArray[np.float64]] = field(default_factory=list)
    shares: list[NDArray[np.float64]] = field(default_factory=list)

    def add(self, step: int, values: NDArray[np.floating]) -> None:
        """Add what the tensor is after a step; values that are not finite are left out."""
        finite = np.asarray(values, np.float64).ravel()
        finite = finite[np.isfinite(finite)]
        if not finite.size:
            return
        low, high = float(finite.min()), float(finite.max())
        room = 1e-6 * max(abs(low), abs(high), 1e-6)  # a tensor of one value has some width too
        edges = np.linspace(low - room, high + room, BINS + 1)
        counts = np.histogram(finite, edges)[0]
        self.steps.append(step)
        self.edges.append(edges)
        self.shares.append(np.concatenate([[0.0], np.cumsum(counts) / finite.size]))

    def span(self) -> tuple[float, float]:
        """Least and greatest value of all steps but for rare ones; (0, 1) without steps."""
        if not self.steps:
            return 0.0, 1.0
        ends = [
            np.interp([RARE, 1 - RARE], shares, edges)
            for shares, edges in zip(self.shares, self.edges, strict=True)
        ]
        low, high = float(min(e[0] for e in ends)), float(max(e[1] for e in ends))
        room = 0.05 * (high - low) or max(abs(low), 1.0) / 2
        return low - room, high + room

    def within(self, index: int, bounds: NDArray[np.float64]) -> NDArray[np.float64]:
        """The share of the values between neighbouring bounds [n + 1] at a step, [n]."""
        return np.diff(np.interp(bounds, self.edges[index], self.shares[index], left=0, right=1))


class Histories(list[History]):
    """The spread of all tensors of a model, in order.

    Args:
        shapes: of its parameters.
    """

    def __init__(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        super().__init__(History(name, shape) for name, shape in shapes.items())

    @property
    def last_step(self) -> int:
        """The last step that was added; -1 before any."""
        return max((history.steps[-1] for history in self if history.steps), default=-1)

    def add(self, step: int, weights: NDArray[np.floating]) -> None:
        """Add all parameters after a step, flat, [P]."""
        start = 0
        for history in self:
            size = prod(history.shape)
            history.add(step, weights[start : start + size])
            start += size
