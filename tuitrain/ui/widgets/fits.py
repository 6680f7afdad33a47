"""How the models of many runs fit the data: one line for each, in its colour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tuitrain.spec.preset import Preset
from tuitrain.ui.pictures import Fit
from tuitrain.ui.widgets.picture import Picture


@dataclass(frozen=True)
class FittedLine:
    """The model of one run at its weights by now, each in its parameter's shape.

    Attributes:
        colour: number of the run's series colour.
        letter: one character that names the run.
    """

    weights: Mapping[str, NDArray[np.floating]]
    colour: int
    letter: str


class Fits:
    """Data points and every run's line, for `PictureView`; the axes stay.

    Only models with one input and one output are lines: `possible` says whether this is one.
    """

    def __init__(self, preset: Preset) -> None:
        self._fit = Fit(preset)
        data = self._fit.data
        self.possible = (
            self._fit.base is not None
            and data is not None
            and data.x.shape[1] == data.y.shape[1] == 1
        )

    def __call__(self, lines: Sequence[FittedLine]) -> Picture | None:
        """The picture of all lines, the first on top; None if the preset has no such picture."""
        base = self._fit.base
        if not self.possible or base is None:
            return None
        picture = Picture(base.x, base.y, base.title)
        for line in reversed(lines):
            single = self._fit(line.weights)
            if single is not None:
                drawn = replace(single.layers[0], role=line.colour, letter=line.letter)
                picture.layers.append(drawn)
        picture.layers += base.layers  # above the lines, which would hide them
        return picture
