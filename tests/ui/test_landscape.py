"""The map in a real application: what is on it, and what keys and mouse do to it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from rich.color import ColorSystem
from textual.color import Color
from textual.events import MouseScrollUp
from textual.filter import monochrome_style
from textual.theme import Theme

from tests.ui.conftest import until
from tests.ui.maps import PLANE, WINDOW, Maps, bowl, spiral, truecolour
from tests.ui.single import contrast
from tuitrain.record.landscape import Landscape, Plane, Window
from tuitrain.ui.markers import Marker
from tuitrain.ui.themes import DARK, LIGHT
from tuitrain.ui.widgets.landscape import LandscapeView
from tuitrain.ui.widgets.plot import Plot
from tuitrain.ui.widgets.relief import BANDS, Relief, ramp
from tuitrain.ui.widgets.trails import Tracing, Trail


@pytest.fixture
def marker(request: pytest.FixtureRequest) -> Iterator[Marker]:
    before, Plot.marker = Plot.marker, request.param
    yield request.param
    Plot.marker = before


# Heights ------------------------------------------------------------------------------------------


def test_the_relief_is_the_landscape_between_its_points() -> None:
    relief = Relief.of(bowl(least=1.0), Window((-1.0, 1.0), (0.0, 0.5)), 10, 6)
    x, y = -1 + (np.arange(10) + 0.5) / 5, 0.5 - (np.arange(6) + 0.5) / 12
    np.testing.assert_allclose(relief.loss, x**2 + y[:, None] ** 2 + 1.0, rtol=2e-3)


def test_bands_are_spaced_by_ratio_where_the_loss_spans_decades() -> None:
    wide, narrow = (Relief.of(bowl(least=b), WINDOW, 60, 40) for b in (0.001, 10.0))
    assert wide.scale.log
    assert not narrow.scale.log
    for relief in (wide, narrow):
        assert set(np.unique(relief.bands)) == set(range(BANDS))


def test_a_loss_of_zero_or_below_is_spaced_evenly() -> None:
    relief = Relief.of(bowl(least=-1.0), WINDOW, 60, 40)
    assert not relief.scale.log
    assert relief.bands.min() == 0


def test_what_is_not_known_has_no_band() -> None:
    landscape = bowl(size=(41, 41))
    landscape.loss[:, 20] = np.nan
    landscape.loss[0, 0] = np.inf
    bands = Relief.of(landscape, WINDOW.widened(0.5), 80, 80).bands
    assert (bands[:, :20] == -1).all()  # outside the window
    assert (bands[20:60, 39:41] == -1).all()  # beside the gap
    assert bands[59, 20] == BANDS - 1  # above all numbers
    assert (bands[21:59, 22:38] >= 0).all()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 0.0, 1e308, -1e308])
def test_a_landscape_of_one_value_is_drawn(value: float) -> None:
    bands = Relief.of(Landscape(0, PLANE, WINDOW, np.full((9, 9), value)), WINDOW, 7, 8).bands
    assert len(np.unique(bands)) == 1
    assert (bands[0, 0] == -1) == (not np.isfinite(value))


@pytest.mark.parametrize("dark", [True, False])
@pytest.mark.parametrize("cube", [True, False])
def test_the_ramp_climbs_in_brightness(dark: bool, cube: bool) -> None:
    brightness = [colour.brightness for colour in ramp(dark, cube)]
    steps = np.diff(brightness) if dark else -np.diff(brightness)
    assert len(brightness) == BANDS
    assert (steps > -0.03).all()
    assert np.abs(brightness[0] - brightness[-1]) > 0.2


# Trails -------------------------------------------------------------------------------------------


def test_trails_that_grow_look_as_if_drawn_at_once() -> None:
    whole, grown = spiral(), spiral()
    ((x, y),) = whole.blocks
    grown.blocks = []
    tracing = Tracing(WINDOW, 40, 20, "braille", 1)
    for start in range(0, len(x), 17):
        grown.blocks.append((x[start : start + 17], y[start : start + 17]))
        canvas = tracing.update([grown])
    assert str(canvas) == str(Tracing(WINDOW, 40, 20, "braille", 1).update([whole]))


def test_a_trail_with_gaps_and_infinities_is_drawn_as_far_as_it_is_known() -> None:
    trail = spiral()
    x, y = trail.blocks[0]
    x[100:110], y[150:] = np.nan, np.inf
    canvas = Tracing(WINDOW, 40, 20, "braille", 1).update([trail])
    assert (canvas.inks >= 0).any()
    assert trail.last == (x[149], y[149])


def test_restless_trails_lie_beneath_the_others() -> None:
    random = np.random.default_rng(0)
    hopping = Trail("hops", "A", 0, (0.0, 0.0), [tuple(random.uniform(-1, 1, (2, 5000)))])
    tracing = Tracing(WINDOW, 40, 20, "braille", 2)
    canvas = tracing.update([hopping, spiral("B", 1)])
    assert tracing.restless == [True, False]
    alone = Tracing(WINDOW, 40, 20, "braille", 1).update([spiral("B")])
    assert (canvas.inks[alone.inks >= 0] == 1).all()


# The widget ---------------------------------------------------------------------------------------


async def test_it_says_so_when_there_is_nothing_yet() -> None:
    app = Maps()
    async with app.run_test(size=(60, 20)) as pilot:
        assert any("not yet" in row for row in app.rows())
        app.show(spiral(), landscapes=())
        await pilot.pause()
        assert any("not yet" in row for row in app.rows())
        assert any("run A" in row for row in app.rows())


async def test_signs_stand_in_the_very_cell_of_their_values() -> None:
    app = Maps()
    async with app.run_test(size=(100, 30)) as pilot:
        app.show(spiral())
        await pilot.pause()
        area = app.view._area
        assert app.find("★") == (area.x + area.width // 2, area.y + area.height // 2)
        column, row = app.find("○")
        assert column == area.x + int((1.8 + 2) / 4 * area.width)
        assert row == area.y + int(0.5 * area.height)
        # the run has arrived: its letter stands beside the optimum
        column, row = app.find("★")
        assert app.rows()[row][column] == "★"
        assert app.rows()[row][column + 1] == "A"


async def test_the_valley_is_darker_than_the_heights() -> None:
    app = Maps()
    async with app.run_test(size=(100, 30)) as pilot:
        truecolour(app)
        app.show()
        app.view.refresh()
        await pilot.pause()
        area = app.view._area
        middle = app.background(area.x + area.width // 2 + 1, area.y + area.height // 2)
        corner = app.background(area.x, area.y)
        assert (middle, corner) == (ramp(True)[0], ramp(True)[-1])


async def test_sixteen_colours_and_none_show_lines_instead_of_bands() -> None:
    app = Maps()
    async with app.run_test(size=(100, 30)) as pilot:
        app.console._color_system = ColorSystem.STANDARD
        app.show(spiral())
        app.view.refresh()
        await pilot.pause()
        text = "".join(app.rows())
        assert "▀" not in text
        assert sum(0x2800 <= ord(c) < 0x2900 for c in text) > 300
        assert "★" in text


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
async def test_without_colours_the_contours_are_seen_and_the_way_stands_out(
    theme: Theme,
) -> None:
    app = Maps()
    app.no_color = True
    async with app.run_test(size=(100, 30)) as pilot:
        app.register_theme(theme)
        app.theme = theme.name
        truecolour(app)
        app.show(spiral())
        app.view.refresh()
        await pilot.pause()
        inks = app.view._cells.inks[app.view._area.y :, app.view._area.x :]
        contour = app.view.part("contour")
        assert (inks == contour).sum() > 100
        styles = [app.view._styles[ink] for ink in (contour, app.view.ink(app.view.colour(0)))]
        line, way = (Color.from_rich_color(monochrome_style(style).color) for style in styles)
        ground = app.view._background
        assert contrast(way, ground) > contrast(line, ground) >= 3  # WCAG 2.1, 1.4.11


@pytest.mark.parametrize("marker", ["block", "ascii"], indirect=True)
async def test_other_markers(marker: Marker) -> None:
    app = Maps()
    async with app.run_test(size=(100, 30)) as pilot:
        app.show(spiral())
        await pilot.pause()
        text = "".join(app.rows())
        assert not any(0x2800 <= ord(c) < 0x2900 for c in text)
        assert text.isascii() == (marker == "ascii")
        assert "A" in text


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (5, 4), (16, 5), (21, 6), (45, 11), (200, 60)])
@pytest.mark.parametrize("colours", [ColorSystem.STANDARD, ColorSystem.TRUECOLOR])
async def test_any_size(size: tuple[int, int], colours: ColorSystem) -> None:
    app = Maps()
    async with app.run_test(size=size) as pilot:
        app.console._color_system = colours
        app.show(spiral(), spiral("B", 1, 2.0))
        app.view.refresh()
        await pilot.pause()
        assert [len(row) for row in app.rows()] == [size[0]] * size[1]


async def test_zooming_keeps_its_point_and_panning_moves_by_shares() -> None:
    app = Maps()
    async with app.run_test(size=(80, 24)):
        app.show(spiral())
        app.view.zoom(2.0, at=(1.0, 0.5))
        assert app.view.window == Window((-0.5, 1.5), (-0.25, 0.75))
        app.view.pan(right=0.5, up=-0.25)
        assert app.view.window == Window((0.5, 2.5), (-0.5, 0.5))
        app.view.reset()
        assert app.view.window == WINDOW
        app.view.zoom(4.0)  # towards the optimum
        assert app.view.window == Window((-0.5, 0.5), (-0.25, 0.25))
        for _ in range(200):
            app.view.zoom(0.5)
        assert app.view.window is not None
        assert app.view.window.size[0] <= 4.0 * 1e3


async def test_the_wheel_zooms_under_the_mouse_and_a_double_click_resets() -> None:
    app = Maps()
    async with app.run_test(size=(80, 24)) as pilot:
        app.show(spiral())
        await pilot.pause()
        area = app.view._area
        x, y = area.x + 10, area.y + 5
        app.view.post_message(
            MouseScrollUp(app.view, x, y, 0, 0, 0, False, False, False, screen_x=x, screen_y=y)
        )
        await pilot.pause()
        window = app.view.window
        assert window is not None
        assert window.size == pytest.approx((3.2, 1.6))
        at = -2 + 4 * 10.5 / area.width
        assert window.x[0] + window.size[0] * 10.5 / area.width == pytest.approx(at)
        await pilot.click(LandscapeView, offset=(x, y), times=2)
        assert app.view.window == WINDOW


async def test_dragging_moves_what_is_under_the_mouse() -> None:
    app = Maps()
    async with app.run_test(size=(80, 24)) as pilot:
        app.show(spiral())
        await pilot.pause()
        area = app.view._area
        await pilot.mouse_down(LandscapeView, offset=(area.x + 20, area.y + 5))
        await pilot.hover(LandscapeView, offset=(area.x + 30, area.y + 8))
        await pilot.mouse_up(LandscapeView, offset=(area.x + 30, area.y + 8))
        window = app.view.window
        assert window is not None
        assert window.x[0] == pytest.approx(-2 - 4 * 10 / area.width)
        assert window.y[0] == pytest.approx(-1 + 2 * 3 / area.height)


async def test_it_reads_the_loss_under_the_mouse() -> None:
    app = Maps()
    async with app.run_test(size=(80, 24)) as pilot:
        app.show(spiral())
        await pilot.pause()
        area = app.view._area
        column, row = area.x + area.width // 4, area.y
        await pilot.hover(LandscapeView, offset=(column, row))
        await pilot.pause()
        header = app.rows()[0]
        x = -2 + 4 * (area.width // 4 + 0.5) / area.width
        y = 1 - 2 * 0.5 / area.height
        loss = float(header.rpartition("loss ")[2])
        assert loss == pytest.approx(x**2 + y**2 + 0.01, rel=0.02)


async def test_it_asks_once_for_what_it_lacks() -> None:
    app = Maps()
    async with app.run_test(size=(80, 24)) as pilot:
        app.show(spiral(), landscapes=())
        await until(pilot, lambda: len(app.wanted) > 0, "question")
        app.show(spiral(), landscapes=())
        await pilot.pause(0.1)
        (wanted,) = app.wanted
        assert wanted.window.contains(WINDOW)
        answer = bowl(wanted.window, (wanted.rows, wanted.columns))
        app.show(spiral(), landscapes=(answer,))
        app.view.pan(right=0.1)
        await pilot.pause(0.1)
        assert len(app.wanted) == 1  # the answer reaches beyond the view
        app.view.zoom(4.0)
        await until(pilot, lambda: len(app.wanted) == 2, "question: now it is too coarse")
        assert app.wanted[1].window.area < answer.window.area


async def test_the_finest_landscape_that_covers_the_view_is_drawn() -> None:
    app = Maps()
    async with app.run_test(size=(80, 24)) as pilot:
        whole, part = bowl(WINDOW.widened(0.4)), bowl(Window((-0.5, 0.5), (-0.5, 0.5)))
        app.show(landscapes=(part, whole))
        await pilot.pause()
        assert app.view._best(WINDOW) is whole
        assert app.view._best(Window((-0.4, 0.4), (-0.4, 0.4))) is part


async def test_another_plane_resets_the_view() -> None:
    app = Maps()
    async with app.run_test(size=(80, 24)):
        app.show(spiral())
        app.view.zoom(2.0)
        other = Plane([1.0, 1.0], [1.0, 0.0], [0.0, 1.0], ("a", "b"))
        app.view.show(other, WINDOW, (), [])
        assert app.view.window == WINDOW
