"""The datasets that lie beside the presets; `presets/data/README.md` tells where they are from."""

from __future__ import annotations

from functools import cache

import numpy as np

from tuitrain.data.rows import Raw
from tuitrain.spec.catalogue import preset_directory

IRIS = ("sepal length", "sepal width", "petal length", "petal width")
PIXELS = 8
"""Rows and columns of a digit."""
INK = 16
"""The greatest value of a pixel."""


@cache
def iris() -> Raw:
    """150 flowers by species; lengths in cm [150, 4]."""
    path = preset_directory() / "data" / "iris.csv"
    with path.open(encoding="ascii") as file:
        _, _, *species = file.readline().strip().split(",")
        table = np.loadtxt(file, delimiter=",")
    return _shared(Raw(table[:, :-1], table[:, -1], IRIS, tuple(species)))


@cache
def digits() -> Raw:
    """1,797 images [1797, 64], row of pixels by row, from 0 (white) to 1 (ink)."""
    path = preset_directory() / "data" / "digits.csv.gz"
    table = np.loadtxt(path, np.uint8, delimiter=",")
    names = tuple(f"pixel {row + 1},{column + 1}" for row, column in np.ndindex(PIXELS, PIXELS))
    numbers = table[:, -1].astype(np.float64)
    return _shared(Raw(table[:, :-1] / INK, numbers, names, tuple(map(str, range(10)))))


def _shared(rows: Raw) -> Raw:
    """The same rows, that nobody can change: all callers get them."""
    rows.x.flags.writeable = rows.y.flags.writeable = False
    return rows
