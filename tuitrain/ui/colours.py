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
    "#0072b8",
    "#d3340c",
    "#6b6400",
    "#5b21d6",
    "#128c36",
    "#c0288f",
    "#0a2f8a",
    "#9a6a1e",
    "#0c5b58",
    "#30343b",
)


def series_colour(number: int, *, dark: bool = True) -> Color:
    """The colour of series `number` (from 0) on a dark or a light background."""
    colours = _ON_DARK if dark else _ON_LIGHT
    return Color.parse(colours[number % len(colours)])


def faded(colour: Color, background: Color, share: float, *, sixteen: bool = False) -> Color:
    """The colour of what lies beneath: nearer to the background, but the same hue.

    Args:
        share: of the background, from 0 to 1.
        sixteen: whether the terminal has sixteen colours, where a blend would become grey and
            each bright colour has a darker twin at two thirds of it.
    """
    if sixteen:
        red, green, blue = (255 * 2 // 3 if part > 127 else 0 for part in colour.rgb)
        return Color(red, green, blue)
    return colour.blend(background, share)
