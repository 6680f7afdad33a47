"""Which of many classes leads where, found without a look at each class for each pixel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tuitrain.record.landscape import Window

Values = NDArray[np.float64]
Sides = NDArray[np.intp]

LINED = 50
"""Regions that lines are drawn around: of more of them the lines would bury the ground."""


@dataclass(frozen=True)
class Leaders:
    """The two most probable classes at each point of a grid [G, G, K].

    Attributes:
        best, second: their numbers, [G, G].
        most, next: their probabilities, [G, G].
    """

    best: Sides
    second: Sides
    most: Values
    next: Values

    @classmethod
    def of(cls, grid: Values) -> Leaders:
        """Those of a grid; of points where a probability is not known, NaN."""
        best = grid.argmax(axis=2)
        most = np.take_along_axis(grid, best[..., None], 2)
        rest = grid.copy()
        np.put_along_axis(rest, best[..., None], -np.inf, 2)
        second = rest.argmax(axis=2)
        following = np.take_along_axis(rest, second[..., None], 2)
        return cls(best, second, most[..., 0], following[..., 0])

    def leads(self, grid: Values) -> Iterator[tuple[Values, tuple[slice, slice]]]:
        """How far each class that leads somewhere is before all others, and where that is.

        The lead is positive where the class is the most probable one. It is given about these
        points only: rows and columns of the grid with one more on each side.
        """
        numbers = np.unique(self.best)
        for number in numbers.tolist() if len(numbers) <= LINED else []:
            rows, columns = np.nonzero(self.best == number)
            down = slice(max(int(rows.min()) - 1, 0), int(rows.max()) + 2)
            right = slice(max(int(columns.min()) - 1, 0), int(columns.max()) + 2)
            here = down, right
            others = np.where(self.best[here] == number, self.next[here], self.most[here])
            yield grid[down, right, number] - others, here

    def sides(self, grid: Values, window: Window, x: Values, y: Values) -> tuple[Sides, Values]:
        """The most probable class at columns x and rows y, and its lead, [len(y), len(x)] each.

        Between the points of the grid probabilities are bilinear. Only the classes that lead or
        come second at one of the four points around are compared. NaN outside the window, and
        beside what is not known.
        """
        rows, columns = grid.shape[:2]
        across = (x - window.x[0]) / window.size[0] * (columns - 1)
        up = (y - window.y[0]) / window.size[1] * (rows - 1)
        i = np.clip(across, 0, columns - 2).astype(np.intp)
        j = np.clip(up, 0, rows - 2).astype(np.intp)
        a, b = (across - i)[None, :], (up - j)[:, None]
        corners = [
            (np.ix_(j + down, i + right), (b if down else 1 - b) * (a if right else 1 - a))
            for down in (0, 1)
            for right in (0, 1)
        ]
        leading = (self.best, self.second)
        candidates = np.stack([names[at] for at, _ in corners for names in leading])
        seen = np.zeros(candidates.shape)
        for (down, right), share in corners:
            seen += grid[down, right, candidates] * share
        first = seen.argmax(axis=0)[None]
        side = np.take_along_axis(candidates, first, 0)
        most = np.take_along_axis(seen, first, 0)
        following = np.where(candidates == side, -np.inf, seen).max(axis=0)
        lead = np.clip(most[0] - following, 0, 1)
        tolerance = 1e-9
        lead[:, (across < -tolerance) | (across > columns - 1 + tolerance)] = np.nan
        lead[(up < -tolerance) | (up > rows - 1 + tolerance)] = np.nan
        return side[0], lead
