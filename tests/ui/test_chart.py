"""The chart in a real application: what is on its rows, and what keys and mouse do to it."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest
from textual.app import App, ComposeResult
from textual.events import MouseScrollUp
from textual.geometry import Region

from tuitrain.record.series import Series
from tuitrain.ui.markers import Marker
from tuitrain.ui.widgets.chart import Chart
from tuitrain.ui.widgets.curves import Layer, Mark, Reference
from tuitrain.ui.widgets.plot import Plot
from tuitrain.ui.widgets.ticks import compact


def series_of(values: np.ndarray, first: int = 1) -> Series:
    series = Series()
    series.append(first, 1, values)
    return series


def falling(size: int = 1000) -> Series:
    return series_of(np.exp(-np.arange(size) / (size / 8)) + 0.1)


class Charts(App[None]):
    """One chart that fills the screen, and a record of its messages."""

    CSS = "Chart { width: 1fr; height: 1fr; }"

    def __init__(self, chart: Chart) -> None:
        super().__init__()
        self.chart = chart
        self.cursors: list[int | None] = []
        self.views: list[tuple[float, float] | None] = []

    def compose(self) -> ComposeResult:
        yield self.chart

    def on_chart_cursor_moved(self, message: Chart.CursorMoved) -> None:
        self.cursors.append(message.step)

    def on_chart_view_changed(self, message: Chart.ViewChanged) -> None:
        self.views.append(message.view)

    def rows(self) -> list[str]:
        return [self.chart.render_line(y).text for y in range(self.chart.size.height)]


@pytest.fixture
def marker(request: pytest.FixtureRequest) -> Iterator[Marker]:
    before, Plot.marker = Plot.marker, request.param
    yield request.param
    Plot.marker = before


def loss_chart(**options: object) -> Chart:
    chart = Chart("loss", steps=1000)
    chart.curves = [Layer("loss", falling())]
    for name, value in options.items():
        chart.set_reactive(getattr(Chart, name), value)
    return chart


async def test_axes_curve_and_legend() -> None:
    app = Charts(loss_chart())
    async with app.run_test(size=(60, 16)):
        rows = app.rows()
        assert rows[0].startswith("    ━━ loss 0.1003")
        assert [row[:3] for row in rows if "┤" in row] == ["1.5", "1.0", "0.5", "  0"]
        assert rows[-2].lstrip().startswith("└┬──")
        assert rows[-1].split() == ["0", "500", "1k"]
        assert all(len(row) == 60 for row in rows)
        drawn = [c for row in rows[1:-2] for c in row[4:] if 0x2800 < ord(c) < 0x2900]
        assert len(drawn) >= 56


@pytest.mark.parametrize("marker", ["ascii"], indirect=True)
async def test_ascii_keeps_to_ascii(marker: Marker) -> None:
    chart = loss_chart(smoothing=0.9, log_y=True)
    chart.curves[0].series.append(1001, 1, np.array([math.nan, -1.0]))
    chart.references = [Reference(0.2, "expected")]
    chart.marks = [Mark(500, "paused")]
    app = Charts(chart)
    async with app.run_test(size=(80, 20)):
        chart.set_cursor(400)
        assert all(row.isascii() for row in app.rows())
        assert any("paused" in row for row in app.rows())


@pytest.mark.parametrize("marker", ["braille", "block", "ascii"], indirect=True)
@pytest.mark.parametrize("size", [(1, 1), (2, 3), (9, 4), (17, 6), (30, 9), (400, 100)])
async def test_every_size(marker: Marker, size: tuple[int, int]) -> None:
    chart = loss_chart(smoothing=0.9, log_x=True, log_y=True)
    chart.curves.append(Layer("b", series_of(np.full(700, np.nan))))
    chart.references = [Reference(0.01, "expected 0.01"), Reference(-1)]
    chart.marks = [Mark(1, "start"), Mark(999, "lr→0.01"), Mark(5000, "unseen")]
    app = Charts(chart)
    async with app.run_test(size=size) as pilot:
        chart.move_cursor(-3)
        chart.zoom(2)
        chart.pan(0.1)
        chart.redraw()
        await pilot.pause()
        rows = app.rows()
        assert [len(row) for row in rows] == [size[0]] * size[1]
        await pilot.resize_terminal(max(1, size[0] // 2), size[1] + 1)
        await pilot.pause()
        assert [len(row) for row in app.rows()] == [max(1, size[0] // 2)] * (size[1] + 1)


async def test_without_data_it_says_so_and_then_draws() -> None:
    chart = Chart("loss", steps=100, placeholder="waiting for the first step")
    app = Charts(chart)
    async with app.run_test(size=(60, 12)) as pilot:
        assert any("waiting for the first step" in row for row in app.rows())
        series = Series()
        chart.curves = [Layer("loss", series)]
        series.append(1, 1, np.array([3.0]))
        chart.redraw()
        await pilot.pause()
        assert "loss 3" in app.rows()[0]
        assert not any("waiting" in row for row in app.rows())


async def test_what_is_not_finite_is_marked_where_it_happened() -> None:
    values = np.ones(1000)
    values[500:520] = math.nan
    chart = Chart(steps=1000, legend=False)
    chart.curves = [Layer("loss", series_of(values))]
    app = Charts(chart)
    async with app.run_test(size=(104, 12)):
        top = app.rows()[0]
        area = chart._area
        where = top.index("\N{MULTIPLICATION SIGN}") - area.x
        assert abs(where - area.width / 2) <= 1
        assert top.count("\N{MULTIPLICATION SIGN}") == 1


async def test_on_a_log_axis_what_is_not_positive_is_marked_at_the_bottom() -> None:
    values = np.full(1000, 2.0)
    values[700:] = 0.0
    chart = Chart(steps=1000, legend=False)
    chart.curves = [Layer("loss", series_of(values))]
    chart.set_reactive(Chart.log_y, True)
    app = Charts(chart)
    async with app.run_test(size=(100, 12)):
        bottom = app.rows()[-3]
        assert bottom.count("▾") == 1
        assert "\N{MULTIPLICATION SIGN}" not in "".join(app.rows())  # which means divergence


async def test_zoom_pan_and_reset() -> None:
    chart = loss_chart()
    app = Charts(chart)
    async with app.run_test(size=(80, 20)) as pilot:
        chart.pan(0.5)
        assert chart.view is None
        chart.zoom(2, at=0.5)
        assert chart.view == (250, 750)
        chart.pan(0.5)
        assert chart.view == (500, 1000)
        chart.pan(0.5)
        assert chart.view == (500, 1000)
        chart.zoom(0.5, at=1)
        assert chart.view is None
        for _ in range(40):
            chart.zoom(2, at=0.3)
        assert chart.view is not None
        assert 4 <= chart.view[1] - chart.view[0] <= 8
        await pilot.pause()
        assert "zoomed" in app.rows()[0]
        chart.reset()
        await pilot.pause()
        assert app.views[-1] is None
        assert "zoomed" not in app.rows()[0]


async def test_zoom_shows_the_y_range_of_what_is_in_view() -> None:
    chart = loss_chart()
    app = Charts(chart)
    async with app.run_test(size=(80, 20)) as pilot:
        chart.set_view((800, 1000))
        await pilot.pause()
        labels = [row[: chart._area.x - 1].strip() for row in app.rows() if "┤" in row]
        assert max(map(float, labels)) < 0.11


async def test_the_cursor_stays_at_the_last_step_where_the_view_lies_behind_it() -> None:
    chart = Chart(steps=100)
    chart.curves.append(Layer("loss", series_of(np.array([3.0, 2.0, 1.0]))))
    app = Charts(chart)
    async with app.run_test(size=(80, 20)):
        chart.set_view((50, 80))
        chart.move_cursor(-1)
        assert chart.cursor == 3


async def test_the_cursor_reads_the_recorded_values() -> None:
    chart = loss_chart(smoothing=0.9)
    series = chart.curves[0].series
    app = Charts(chart)
    async with app.run_test(size=(80, 20)) as pilot:
        chart.move_cursor(-1)
        await pilot.pause()
        assert app.cursors == [1000]
        assert f"loss {compact(series.at(1000))}" in app.rows()[0]
        chart.move_cursor(-20)
        await pilot.pause()
        step = chart.cursor
        assert step is not None
        assert 700 < step < 760
        assert app.cursors[-1] == step
        assert f"loss {compact(series.at(step))}" in app.rows()[0]
        text = "\n".join(app.rows())
        assert f"step {step:,}" in text
        assert text.count("●") == 1  # both curves are in the same cell there
        chart.set_cursor(None, notify=True)
        await pilot.pause()
        assert app.cursors[-1] is None


async def test_the_mouse_hovers_zooms_drags_and_resets() -> None:
    chart = loss_chart()
    app = Charts(chart)
    async with app.run_test(size=(84, 20)) as pilot:
        await pilot.hover(Chart, offset=(44, 8))
        await pilot.pause()
        step = app.cursors[-1]
        assert step is not None
        assert abs(step - 500) < 15
        assert f"loss {compact(chart.curves[0].series.at(step))}" in app.rows()[0]
        await pilot._post_mouse_events([MouseScrollUp], Chart, offset=(44, 8))
        await pilot.pause()
        view = app.views[-1]
        assert view is not None
        assert view[1] - view[0] == pytest.approx(800, abs=1)
        await pilot.mouse_down(Chart, offset=(44, 8))
        await pilot.hover(Chart, offset=(52, 8))
        await pilot.mouse_up(Chart, offset=(52, 8))
        await pilot.pause()
        moved = chart.view
        assert moved is not None
        assert moved[0] == pytest.approx(view[0] - 80, abs=2)
        await pilot.click(Chart, offset=(44, 8), times=2)
        assert chart.view is None
        await pilot.hover(Chart, offset=(0, 0))
        assert chart.cursor is None


async def test_marks_and_references_are_labelled() -> None:
    chart = loss_chart()
    chart.marks = [Mark(500, "lr→0.01"), Mark(510, "paused"), Mark(900, "diverged", "warning")]
    chart.references = [Reference(0.1, "expected 0.1")]
    app = Charts(chart)
    async with app.run_test(size=(100, 24)):
        text = "\n".join(app.rows())
        for label in ("lr→0.01", "paused", "diverged", "expected 0.1"):
            assert label in text


@pytest.mark.parametrize("value", [1.7e308, -1.7e308, 1e-320, 5e300])
@pytest.mark.parametrize("log_y", [False, True])
async def test_values_at_the_ends_of_the_numbers_are_drawn(value: float, log_y: bool) -> None:
    chart = Chart(steps=100)
    chart.curves = [Layer("loss", series_of(np.full(100, value)))]
    chart.log_y = log_y
    app = Charts(chart)
    async with app.run_test(size=(80, 20)) as pilot:
        text = "\n".join(app.rows())
        if value > 0 or not log_y:
            assert any(5 * dots in text for dots in "⠒⠉⣀⠤")
        else:  # which has no place on a log scale
            assert "▾" in text
        chart.zoom(4.0)
        await pilot.pause()
        assert app.rows()[-1].split()


@pytest.mark.parametrize("log_x", [False, True])
async def test_a_curve_that_does_not_span_the_axis_may_come_first(log_x: bool) -> None:
    chart = Chart()
    mine = Series()
    chart.curves = [Layer("loss", mine), Layer("before", falling(), faint=True, spans=False)]
    chart.log_x = log_x
    app = Charts(chart)
    async with app.run_test(size=(80, 20)) as pilot:
        assert "before" in app.rows()[0]
        mine.append(1, 1, np.array([1.0, 0.9, 0.8]))
        chart.redraw()
        await pilot.pause()
        assert chart._whole().high == 3


async def test_a_value_from_before_the_cursor_names_its_step() -> None:
    every_tenth = Series()
    every_tenth.append(10, 10, np.linspace(1, 0.1, 10))
    chart = Chart(steps=100)
    chart.curves = [Layer("train", every_tenth), Layer("loss", falling(100))]
    app = Charts(chart)
    async with app.run_test(size=(100, 20)) as pilot:
        chart.set_cursor(45)
        await pilot.pause()
        assert "train at 40 0.7" in app.rows()[0] or "train at 40 0.7" in app.rows()[1]
        chart.set_cursor(40)
        await pilot.pause()
        assert "train at" not in "".join(app.rows()[:2])


async def test_only_cells_that_changed_are_repainted(monkeypatch: pytest.MonkeyPatch) -> None:
    series = falling(500)
    chart = Chart("loss", steps=1000)
    chart.curves = [Layer("loss", series)]
    app = Charts(chart)
    async with app.run_test(size=(100, 30)) as pilot:
        before = app.rows()
        repainted: list[int] = []
        refresh = chart.refresh
        monkeypatch.setattr(
            chart,
            "refresh",
            lambda *regions, **rest: (
                repainted.extend(r.area for r in regions),
                refresh(*regions, **rest),
            ),
        )
        series.append(501, 1, np.full(10, 0.1))
        chart.redraw()
        await pilot.pause()
        after = app.rows()
        differing = [y for y, (a, b) in enumerate(zip(before, after, strict=True)) if a != b]
        assert differing
        assert sum(repainted) < 60
        assert len(repainted) == len(differing)


async def test_an_axis_in_epochs_and_a_growing_axis() -> None:
    chart = loss_chart(step_unit=1 / 100)
    app = Charts(chart)
    async with app.run_test(size=(80, 20)) as pilot:
        assert app.rows()[-1].split()[-1] == "10"
        chart.step_unit = 1.0
        chart.steps = 0
        await pilot.pause()
        assert app.rows()[-1].split()[-1] == "1k"


async def test_an_axis_in_seconds_that_goes_on_repaints_only_what_moves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = Charts(chart := loss_chart())
    async with app.run_test(size=(80, 20)) as pilot:
        repainted: list[tuple[Region, ...]] = []
        refresh = chart.refresh
        monkeypatch.setattr(
            chart,
            "refresh",
            lambda *regions, **rest: (repainted.append(regions), refresh(*regions, **rest)),
        )
        for tenths in range(10, 20):
            chart.step_unit = tenths / 100
            await pilot.pause()
        assert app.rows()[-1].split()[-1] == "150"
        assert len(repainted) == 10
        assert all(repainted)  # without regions, it is the whole chart


async def test_themes_and_shown_curves_start_afresh() -> None:
    chart = loss_chart()
    app = Charts(chart)
    async with app.run_test(size=(60, 14)) as pilot:
        app.theme = "textual-light"
        await pilot.pause()
        styles = {segment.style for segment in chart.render_line(5)}
        assert all(style and style.bgcolor for style in styles)
        chart.zoom(2, at=0.5)
        chart.show([Layer("other", series_of(np.full(30, 5e-7)))])
        await pilot.pause()
        assert chart.view is None
        assert "other 5e-7" in app.rows()[0]
