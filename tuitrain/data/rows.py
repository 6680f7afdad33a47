"""What the sources of rows have in common."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Raw:
    """All rows of a source, in its order and units.

    Attributes:
        x: inputs [rows, inputs].
        y: targets [rows]: numbers, or the number of the class (0, 1, ...); or whole rows of
            targets [rows, outputs].
        inputs: names of the inputs; () calls them x, or x1, x2, ...
        classes: names of the classes; () where targets are numbers.
    """

    x: Matrix
    y: Matrix
    inputs: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
