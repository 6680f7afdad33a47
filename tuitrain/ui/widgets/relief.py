"""The loss over a plane as bands of height, and the colours of the bands."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from textual.color import Color

from tuitrain.record.landscape import Landscape, Window
from tuitrain.ui.widgets.ticks import Scale, widened

BANDS = 16
"""Heights that are told apart."""

DECADES = 20.0
"""From this ratio of the greatest to the least loss on, the bands are spaced by ratio."""

DEEPEST = 1e-6
"""Of the greatest loss: bands spaced by ratio go no deeper, so that a loss of 0 ends somewhere."""

# From the valley to the heights, like a sea chart: dark enough (light enough) throughout for the
# series' colours to be read on it, and rising in luminance, so that it works without hue.
_ON_DARK = ("#060b1c", "#0c2142", "#123c5a", "#1f545f", "#3f6459", "#66674f", "#857050")
_ON_LIGHT = ("#ffffff", "#e4f1f4", "#cbe3e6", "#bcd6cf", "#bccaae", "#c6bd98", "#cbae8c")


# The same where there are 256 colours: of its cube of 216, so that none becomes a grey.
_CUBE_ON_DARK = "000000 00005f 000087 005f5f 005f87 5f875f 87875f af875f"
_CUBE_ON_LIGHT = "ffffff d7ffff afd7ff afd7d7 afd7af d7d787 d7af87 d7af5f"


@lru_cache
def ramp(dark: bool, cube: bool = False) -> list[Color]:
    """The colour of each band, the lowest first, on a dark or a light background.

    Args:
        cube: whether the terminal has 256 colours only.
    """
    if cube:
        codes = (_CUBE_ON_DARK if dark else _CUBE_ON_LIGHT).split()
        stops = [Color.parse(f"#{code}") for code in codes]
        return [stops[band * len(stops) // BANDS] for band in range(BANDS)]
    stops = [Color.parse(text) for text in (_ON_DARK if dark else _ON_LIGHT)]
    colours = []
    for place in np.linspace(0, len(stops) - 1, BANDS):
        below = min(int(place), len(stops) - 2)
        colours.append(stops[below].blend(stops[below + 1], float(place) - below))
    return colours


@dataclass(frozen=True)
class Relief:
    """A window of a landscape in pixels.

    Attributes:
        loss: [height, width], the top row first; NaN where it is not known.
        scale: from the least to the greatest loss in view, in equal ratios where it spans decades.
    """

    loss: NDArray[np.float64]
    scale: Scale

    @classmethod
    def of(cls, landscape: Landscape, window: Window, width: int, height: int) -> Relief:
        """The landscape at the middle of each of `width` x `height` pixels of a window."""
        loss = np.where(np.isneginf(landscape.loss), np.nan, landscape.loss)
        finite = loss[np.isfinite(loss)]
        if not finite.size:
            return cls(np.full((height, width), np.nan), Scale(0.0, 1.0))
        # What lies above all numbers is as high as the highest: a gap would look like no answer.
        loss = np.where(np.isposinf(loss), finite.max(), loss)
        positive = float(finite.min()) > 0
        # Interpolated as it is shown: straight lines between logarithms keep rings round.
        heights = np.log(loss) if positive else loss
        x, y = middles(window.x, width), middles(window.y, height)[::-1]
        seen = interpolated(heights, landscape.window, x, y)
        return cls(np.exp(seen) if positive else seen, _scale(seen, positive))

    @property
    def bands(self) -> NDArray[np.intp]:
        """The band of each pixel, -1 where the loss is not known."""
        known = ~np.isnan(self.loss)
        unit = np.clip(self.scale.unit(np.where(known, self.loss, self.scale.low)), 0.0, 1.0)
        bands = np.minimum(unit * BANDS, BANDS - 1).astype(np.intp)
        return np.where(known, bands, -1)


def middles(span: tuple[float, float], count: int) -> NDArray[np.float64]:
    """The middle of each of `count` pixels."""
    return span[0] + (np.arange(count) + 0.5) / count * (span[1] - span[0])


def _scale(heights: NDArray[np.float64], logarithms: bool) -> Scale:
    known = heights[~np.isnan(heights)]
    if not known.size:
        return Scale(0.0, 1.0)
    # A single point at the bottom must not take the bands away from all others.
    low, high = float(np.quantile(known, 0.002)), float(known.max())
    if not logarithms:
        return Scale(*widened(low, high, False))
    low = max(low, high + np.log(DEEPEST))
    spread = high - low > np.log(DECADES)
    return Scale(*widened(float(np.exp(low)), float(np.exp(min(high, 690.0))), spread), spread)


def interpolated(
    heights: NDArray[np.float64], window: Window, x: NDArray[np.float64], y: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Bilinear, at columns x and rows y; NaN outside the window and beside what is not known."""
    rows, columns = heights.shape
    across = (x - window.x[0]) / window.size[0] * (columns - 1)
    up = (y - window.y[0]) / window.size[1] * (rows - 1)
    i = np.clip(across, 0, columns - 2).astype(np.intp)
    j = np.clip(up, 0, rows - 2).astype(np.intp)
    a, b = across - i, (up - j)[:, None]
    lower = heights[j][:, i] * (1 - a) + heights[j][:, i + 1] * a
    upper = heights[j + 1][:, i] * (1 - a) + heights[j + 1][:, i + 1] * a
    seen = lower * (1 - b) + upper * b
    tolerance = 1e-9
    seen[:, (across < -tolerance) | (across > columns - 1 + tolerance)] = np.nan
    seen[(up < -tolerance) | (up > rows - 1 + tolerance)] = np.nan
    return np.asarray(seen)
