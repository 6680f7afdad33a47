"""Evaluations: as bytes in the store, and as a viewer holds those of one stack."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuitrain.record.arrays import checksum, pack, unpack
from tuitrain.spec.recording import Evaluation

Picture = NDArray[Any]


@dataclass(frozen=True)
class Scalars:
    """An evaluation without its pictures.

    Attributes:
        stack: index of the stack in the experiment.
        step: finished steps.
        values: each [R], by name.
        pictures: the names of its pictures.
    """

    stack: int
    step: int
    values: dict[str, NDArray[np.float64]]
    pictures: tuple[str, ...]


# As bytes -------------------------------------------------------------------------------------

Row = tuple[int, int, str, str, int, bytes]
"""stack, step, names, pictures, checksum, values: a row of the table `evaluations`."""

PictureRow = tuple[int, int, str, str, str, int, bytes]
"""stack, step, name, dtype, shape, checksum, values: a row of the table `pictures`."""


def encode(evaluation: Evaluation) -> Row:
    """The values that are one number for each run, [names, R] in float64."""
    scalars = {name: x for name, x in evaluation.values.items() if x.ndim == 1}
    pictures = [name for name in evaluation.values if name not in scalars]
    texts = json.dumps([*scalars]), json.dumps(pictures)
    data = np.array([*scalars.values()], "<f8").tobytes()
    head = evaluation.stack, evaluation.step, *texts
    return *head, checksum(head, data), data


def decode(row: Row, runs: int) -> Scalars:
    """The inverse of `encode`.

    Raises:
        ValueError: it is damaged, or not of so many runs.
    """
    stack, step, names, pictures, crc, data = row
    if checksum(row[:-2], data) != crc:
        raise ValueError("the checksum is wrong")
    listed = json.loads(names)
    values = np.frombuffer(data, "<f8").reshape(len(listed), runs).astype(np.float64, copy=False)
    found = dict(zip(listed, values, strict=True))
    return Scalars(stack, step, found, tuple(json.loads(pictures)))


def encode_pictures(evaluation: Evaluation) -> Iterator[PictureRow]:
    """The other values, each in its own dtype."""
    for name, values in evaluation.values.items():
        if values.ndim > 1:
            kind, shape, data = pack(values)
            head = evaluation.stack, evaluation.step, name, kind, shape
            yield *head, checksum(head, data), data


def decode_picture(row: PictureRow) -> Picture:
    """One array that `encode_pictures` was given, read-only.

    Raises:
        ValueError: it is damaged.
    """
    *_, kind, shape, crc, data = row
    if checksum(row[:-2], data) != crc:
        raise ValueError("the checksum is wrong")
    return unpack(kind, shape, data)


# As they are read -----------------------------------------------------------------------------


class Evaluations:
    """The evaluations of one stack of R runs, in the order of their steps."""

    def __init__(self) -> None:
        self._all: list[Scalars] = []
        self._tables: dict[str, tuple[int, NDArray[np.int64], NDArray[np.float64]]] = {}

    def append(self, scalars: Scalars) -> None:
        """Takes in the next one, or the last one again, now with pictures."""
        if self._all and self._all[-1].step == scalars.step:
            self._all.pop()
        self._all.append(scalars)

    @property
    def newest(self) -> Scalars | None:
        """The last one; None before the first."""
        return self._all[-1] if self._all else None

    def table(self, name: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Steps [E] and values [E, R] of a name; empty if there is none."""
        if self._tables.get(name, (-1,))[0] != len(self._all):
            those = [one for one in self._all if name in one.values]
            steps = np.array([one.step for one in those], np.int64)
            values = np.array([one.values[name] for one in those] or np.empty((0, 0)))
            self._tables[name] = len(self._all), steps, values
        return self._tables[name][1:]

    def picture_steps(self, name: str | None = None) -> list[int]:
        """The steps of which there are pictures (of a name)."""
        return [one.step for one in self._all if (name in one.pictures if name else one.pictures)]

    def pictured(self, name: str, step: int | None) -> int | None:
        """The last step, none after `step`, of which there is a picture; None without one."""
        steps = self.picture_steps(name)
        count = len(steps) if step is None else bisect_right(steps, step)
        return steps[count - 1] if count else None


class PictureCache:
    """The pictures that were looked at last.

    Args:
        limit: bytes that they may take together; one is always kept.
    """

    def __init__(self, limit: int = 32 << 20) -> None:
        self._limit = limit
        self._kept: dict[tuple[int, int, str], Picture] = {}

    def get(self, key: tuple[int, int, str]) -> Picture | None:
        """The picture of a stack, a step and a name."""
        found = self._kept.pop(key, None)
        if found is not None:
            self._kept[key] = found  # the last one to go
        return found

    def put(self, key: tuple[int, int, str], picture: Picture) -> None:
        """Keeps a picture, and lets go of those that were not looked at for longest."""
        self._kept[key] = picture
        while len(self._kept) > 1 and sum(x.nbytes for x in self._kept.values()) > self._limit:
            del self._kept[next(iter(self._kept))]
