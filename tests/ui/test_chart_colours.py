"""What a chart looks like where there are few colours, or none."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from rich.color import ColorSystem
from textual.color import Color
from textual.filter import monochrome_style

from tests.ui.single import Single, contrast, luminance
from tests.ui.test_chart import series_of
from tuitrain.ui.colours import faded, series_colour
from tuitrain.ui.widgets.chart import FAINT, Chart
from tuitrain.ui.widgets.curves import Layer


def noisy_and_calm() -> Chart:
    """A line through the middle of the noise beneath it."""
    chart = Chart(steps=10_000, legend=False)
    chart.curves = [
        Layer("batch", series_of(np.tile([0.5, 1.5], 5000)), smooth=False, faint=True),
        Layer("train", series_of(np.ones(10_000)), smooth=False),
    ]
    return chart


def filling(row: str) -> float:
    """The share of the dots that are drawn in the braille cells of a row."""
    cells = [ord(sign) - 0x2800 for sign in row if 0x2800 < ord(sign) < 0x2900]
    return sum(cell.bit_count() for cell in cells) / max(8 * len(cells), 1)


@pytest.mark.parametrize(
    ("colours", "shines"), [(ColorSystem.TRUECOLOR, True), (ColorSystem.EIGHT_BIT, False)]
)
async def test_what_a_line_covers_shines_through_where_there_are_colours_for_it(
    colours: ColorSystem, shines: bool
) -> None:
    app = Single(chart := noisy_and_calm(), colours=colours)
    async with app.run_test(size=(80, 12)):
        grounds = {
            app.background(x, y) for y in range(chart.size.height) for x in range(chart.size.width)
        }
    assert (len(grounds) > 1) == shines


@pytest.mark.parametrize(
    ("colours", "monochrome", "most"),
    [
        (ColorSystem.TRUECOLOR, False, 1.0),
        (ColorSystem.STANDARD, False, 0.25),
        (ColorSystem.TRUECOLOR, True, 0.25),
    ],
)
async def test_noise_is_a_veil_where_it_is_hardly_fainter_than_the_line_above_it(
    colours: ColorSystem, monochrome: bool, most: float
) -> None:
    app = Single(chart := noisy_and_calm(), colours=colours)
    app.no_color = monochrome
    async with app.run_test(size=(80, 20)):
        area = chart._area
        rows = [row[area.x + 1 :] for row in app.rows()[area.y : area.y + area.height]]
        line = next(row for row in rows if len(set(row)) == 1 and filling(row) < 0.5)
        noise = [row for row in rows if row.strip() and row != line]
        assert max(map(filling, noise)) == most
        assert " " not in line


async def test_without_colours_noise_is_fainter_than_its_line_in_sixteen_too() -> None:
    app = Single(chart := noisy_and_calm(), colours=ColorSystem.STANDARD)
    app.no_color = True
    async with app.run_test(size=(80, 20)):
        seen = [chart.ink(chart.colour(0, fade=fade)) for fade in (0.0, FAINT)]
        line, noise = (monochrome_style(chart._styles[ink]).color for ink in seen)
        assert line is not None
        assert noise is not None
        system = ColorSystem.STANDARD
        assert line.downgrade(system).number != noise.downgrade(system).number


async def test_without_colours_the_second_curve_is_dashed_as_the_legend_says() -> None:
    chart = Chart(steps=1000)
    chart.curves = [
        Layer("beneath", series_of(np.full(1000, 3.0)), 0, faint=True),
        Layer("a", series_of(np.full(1000, 1.0)), 0),
        Layer("b", series_of(np.full(1000, 2.0)), 1),
    ]
    app = Single(chart)
    app.no_color = True
    async with app.run_test(size=(60, 16)):
        legend, *rows = app.rows()
        assert [word for word in legend.split() if not word[0].isalnum()] == ["━━", "╍╍", "──"]
        area = chart._area
        ink = chart.ink(chart.colour(1))
        drawn = [int((chart._cells.inks[y, area.x :] == ink).sum()) for y in range(1, len(rows))]
        assert 0.4 * area.width < max(drawn) < 0.6 * area.width
        whole = [row for row in rows if sum(sign > "⠀" for sign in row[area.x :]) == area.width]
        assert len(whole) == 2


def sixteen(colour: Color) -> int | None:
    return colour.rich_color.downgrade(ColorSystem.STANDARD).number


@pytest.mark.parametrize(("dark", "background"), [(True, "#12161c"), (False, "#fbfaf7")])
def test_colours_stay_apart_without_hue_and_in_sixteen(dark: bool, background: str) -> None:
    behind = Color.parse(background)
    colours = [series_colour(n, dark=dark) for n in range(6)]
    assert series_colour(10, dark=dark) == colours[0]
    for one, other in pairwise(colours):
        assert abs(luminance(one) - luminance(other)) > 0.09
    for colour in colours:
        assert contrast(colour, behind) >= 3  # WCAG 2.1, 1.4.11
    assert len({sixteen(colour) for colour in colours}) == 6
    for colour in colours:
        beneath = faded(colour, behind, 0.5, sixteen=True)
        assert len({sixteen(c) for c in (beneath, colour, behind)}) == 3
