"""Colours of series: the same for the same number, apart in brightness as well as in hue."""

from __future__ import annotations

from textual.color import Color

# Neighbours differ in luminance, so that they stay apart in monochrome, and the first six fall
# on six different colours of a terminal that has sixteen.
_ON_DARK = (
    "#5ccfff",
    "#ff6a52",
    "#f7e463",
    "#a06cff",
    "#3dbb61",
    "#ff9be8",
    "#4a78ff",
    "#d0b48c",
    "#1f9a90",
    "#e8ecf1",
)
_ON_LIGHT = (
    "#0080c8",
    "#a82606",
    "#8f8000",
    "#3f10b8",
    "#128c36",
    "#8f1a80",
    "#1f5fd6",
    "#6b4510",
    "#0f8a84",
    "#30343b",
)

COLOURS = len(_ON_DARK)
"""Series of so many numbers apart have the same colour."""


def series_colour(number: int, *, dark: bool = True) -> Color:
    """The colour of series `number` (from 0) on a dark or a light background."""
    colours = _ON_DARK if dark else _ON_LIGHT
    return Color.parse(colours[number % len(colours)])


def faded(colour: Color, background: Color, share: float, *, sixteen: bool = False) -> Color:
    """The colour of what lies beneath: nearer to the background, but the same hue.

    Args:
        share: of the background, from 0 to 1.
        sixteen: whether the terminal has sixteen colours, where a blend would become grey, and
            each colour has a darker or a brighter twin instead.
    """
    if sixteen:
        off, on = (0, 170) if background.brightness < 0.5 else (85, 255)
        red, green, blue = (on if part > 127 else off for part in colour.rgb)
        return Color(red, green, blue)
    return colour.blend(background, share)
