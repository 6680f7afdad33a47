"""The loss over a plane in the space of the parameters: what is asked, answered and stored."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta, Struct
from numpy.typing import ArrayLike, NDArray

Points = NDArray[np.float64]
Finest = Annotated[int, Meta(ge=2, le=512)]
"""Points along one side of a landscape."""

LARGEST_MODEL = 10_000
"""Up to this many parameters there is a landscape: a plane is written out number by number."""


class Plane(Struct, frozen=True, forbid_unknown_fields=True):
    """The points origin + x across + y up, in the space of a model's parameters.

    Attributes:
        origin, across, up: one number for each parameter, in order; `across` and `up` are of
            length 1 and at right angles.
        names: what x and y are called.
    """

    origin: list[float]
    across: list[float]
    up: list[float]
    names: tuple[str, str]

    def project(self, weights: ArrayLike) -> tuple[Points, Points]:
        """The x and y `[...]` of the points of the plane nearest to weights `[..., P]`."""
        with np.errstate(over="ignore", invalid="ignore"):  # of runs that diverge
            offset = np.asarray(weights, np.float64) - self.origin
            return offset @ np.array(self.across), offset @ np.array(self.up)

    def project_columns(self, columns: Sequence[NDArray[np.floating]]) -> tuple[Points, Points]:
        """As `project`, for a list of P arrays; parameters that do not matter cost nothing."""
        sides = []
        with np.errstate(over="ignore", invalid="ignore"):
            for direction in (self.across, self.up):
                side = np.zeros(columns[0].shape)
                for share, start, column in zip(direction, self.origin, columns, strict=True):
                    if share:
                        side += share * (column - np.float64(start))
                sides.append(side)
        return sides[0], sides[1]

    def points(self, x: ArrayLike, y: ArrayLike) -> Points:
        """The parameters `[n, P]` at x `[n]`, y `[n]`."""
        columns = (np.asarray(side, np.float64)[:, None] for side in (x, y))
        return sum(
            (c * np.array(d) for c, d in zip(columns, (self.across, self.up), strict=True)),
            np.array(self.origin),
        )


class Window(Struct, frozen=True, forbid_unknown_fields=True):
    """A rectangle of a plane: (low, high) of x and of y."""

    x: tuple[float, float]
    y: tuple[float, float]

    @property
    def size(self) -> tuple[float, float]:
        return self.x[1] - self.x[0], self.y[1] - self.y[0]

    @property
    def area(self) -> float:
        return self.size[0] * self.size[1]

    def contains(self, other: Window) -> bool:
        return all(a[0] <= b[0] and b[1] <= a[1] for a, b in ((self.x, other.x), (self.y, other.y)))

    def overlap(self, other: Window) -> float:
        """The area of what both cover."""
        sides = [
            min(a[1], b[1]) - max(a[0], b[0]) for a, b in ((self.x, other.x), (self.y, other.y))
        ]
        return max(sides[0], 0.0) * max(sides[1], 0.0)

    def widened(self, share: float) -> Window:
        """With `share` of its size added at each side."""
        width, height = self.size
        return Window(
            (self.x[0] - share * width, self.x[1] + share * width),
            (self.y[0] - share * height, self.y[1] + share * height),
        )


@dataclass(frozen=True)
class Landscape:
    """The loss of a stack's model on the whole training set, over a window of a plane.

    Attributes:
        stack: index of the stack in the experiment.
        loss: float64 [rows, columns]; row 0 is at the window's lowest y, column 0 at its
            lowest x, the last ones at its highest. Not finite where the loss is not.
    """

    stack: int
    plane: Plane
    window: Window
    loss: Points

    @property
    def x(self) -> Points:
        """x of each column."""
        return np.linspace(*self.window.x, self.loss.shape[1])

    @property
    def y(self) -> Points:
        """y of each row."""
        return np.linspace(*self.window.y, self.loss.shape[0])


def through(first: int, second: int, origin: ArrayLike, names: Sequence[str]) -> Plane:
    """The plane of two parameters, by position; the others stay as they are at `origin`.

    Its x and y are the values of the two.
    """
    base = np.array(origin, np.float64)
    base[[first, second]] = 0.0
    unit = np.eye(len(base))
    return Plane(
        base.tolist(), unit[first].tolist(), unit[second].tolist(), (names[first], names[second])
    )


def principal(points: Points) -> Plane:
    """The plane through the mean of points `[n, P]` along which they spread the most.

    P >= 2. x and y are the first two principal components, PC1 and PC2; how much of the whole
    spread each holds stands in its name.

    Source: Li et al., Visualizing the Loss Landscape of Neural Nets, 2018, section 7.2.
    """
    _, power = np.frexp(np.abs(points).max())
    points = np.ldexp(points, -power)  # the sum of the largest numbers would be infinite
    mean = points.mean(axis=0)
    _, spread, directions = np.linalg.svd(points - mean, full_matrices=False)
    if len(directions) < 2:  # a single point: every direction is as good
        spread, directions = np.zeros(2), np.eye(2, points.shape[1])
    # Of the two ways to point along a line, the one with the largest weight positive: stable.
    largest = np.abs(directions).argmax(axis=1)
    directions = directions * np.sign(directions[np.arange(len(directions)), largest])[:, None]
    shares = spread**2 / (spread**2).sum() if spread.any() else spread
    first, second = (f"PC{i + 1} ({shares[i]:.0%})" for i in range(2))
    across, up = directions[0].tolist(), directions[1].tolist()
    return Plane(np.ldexp(mean, power).tolist(), across, up, (first, second))


def flat(weights: Mapping[str, NDArray[np.floating]]) -> Points:
    """The parameters of a run, each in its shape, as one row `[P]`."""
    return np.concatenate([np.ravel(value).astype(np.float64) for value in weights.values()])


class _Frame(Struct, frozen=True):
    """What is stored of a landscape besides its numbers."""

    stack: int
    plane: Plane
    window: Window
    shape: tuple[int, int]


def encode(landscape: Landscape) -> tuple[str, bytes, int]:
    """Document, numbers and their crc32, as the store keeps a landscape."""
    rows, columns = landscape.loss.shape
    frame = _Frame(landscape.stack, landscape.plane, landscape.window, (rows, columns))
    document = msgspec.json.encode(frame).decode()
    data = np.ascontiguousarray(landscape.loss, "<f8").tobytes()
    return document, data, zlib.crc32(data, zlib.crc32(document.encode()))


def decode(document: str, data: bytes, crc: int) -> Landscape:
    """The landscape that `encode` was given.

    Raises:
        ValueError: it is damaged.
    """
    if zlib.crc32(data, zlib.crc32(document.encode())) != crc:
        raise ValueError("the checksum is wrong")
    frame = msgspec.json.decode(document, type=_Frame)
    loss = np.frombuffer(data, "<f8").reshape(frame.shape).astype(np.float64, copy=False)
    return Landscape(frame.stack, frame.plane, frame.window, loss)
