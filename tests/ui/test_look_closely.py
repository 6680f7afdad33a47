"""What helps to look closely: single steps, the run before, the path of a weight, the cursor."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.ui.conftest import (
    LONG,
    at_full_speed,
    at_once,
    dashboard,
    opens,
    page,
    start,
    state,
    until,
)
from tuitrain.record.folder import ExperimentFolder
from tuitrain.record.inbox import Stop, send
from tuitrain.spec.catalogue import find
from tuitrain.spec.experiment import single
from tuitrain.spec.overrides import override
from tuitrain.ui.pictures import Fit
from tuitrain.ui.screens.dashboard import DashboardScreen
from tuitrain.ui.widgets.chart import Chart
from tuitrain.worker.launch import launch


def paused(runs_dir: Path, **changes: str) -> ExperimentFolder:
    """An experiment that waits at its initial weights."""
    preset = override(find("sales-mse"), {k.replace("__", "."): v for k, v in changes.items()})
    experiment = single(preset, paused=True)
    folder = ExperimentFolder.create(runs_dir, experiment)
    launch(folder)
    return folder


def loss_chart(shown: DashboardScreen) -> Chart:
    return shown.query_one("#loss", Chart)


async def test_single_steps_fill_the_chart_until_it_runs_on(opened, runs_dir: Path) -> None:
    async with opened(attach=paused(runs_dir, **LONG)) as pilot:
        shown = await opens(pilot, DashboardScreen)
        await until(pilot, lambda: state(pilot) == "paused", "paused")
        assert shown.span == 20_000_000
        await pilot.press("n", "n", "n")
        await until(pilot, lambda: shown.facts.step == 3, "three steps")
        await until(pilot, lambda: loss_chart(shown).steps == 20, "an axis of few steps")
        for _ in range(17):
            await pilot.press("n")
        await until(pilot, lambda: loss_chart(shown).steps == 50, "the next axis")
        await pilot.press("space")
        await until(pilot, lambda: loss_chart(shown).steps == 20_000_000, "the whole")


async def test_a_run_that_ended_early_fills_its_charts(opened, runs_dir: Path) -> None:
    folder = at_full_speed(runs_dir, "line-fit", optimizer__lr="0.2")
    async with opened(attach=folder) as pilot:
        shown = await opens(pilot, DashboardScreen)
        await until(pilot, lambda: state(pilot) == "diverged", "diverged")
        end = shown.recording.status.step
        assert 0 < end < 10_000
        await until(pilot, lambda: loss_chart(shown).steps == end, "the axis")


async def test_the_learning_rate_is_doubled_and_halved_by_keys(opened) -> None:
    async with opened() as pilot:
        shown = await start(pilot, "sales-mse", **LONG)
        before = shown.facts.lr()
        at_once(pilot, *3 * ["greater_than_sign"], "less_than_sign")
        await until(pilot, lambda: len(shown.facts.lr_changes) == 4, "all of them")
        rates = [event.detail["new"] for event in shown.facts.lr_changes]
        assert rates == [factor * before for factor in (2, 4, 8, 4)]
        assert shown.facts.lr() == 4 * before


async def test_the_loss_of_the_run_before_lies_beneath_that_of_its_successor(opened) -> None:
    async with opened() as pilot:
        first = await start(pilot, "sales-mse", train__steps="3000")
        await until(pilot, lambda: state(pilot) == "finished", "end")
        known = first.facts.series("loss").values.copy()
        await pilot.press("r")
        await until(pilot, lambda: dashboard(pilot) is not first, "a new run")
        shown = dashboard(pilot)
        await until(pilot, lambda: state(pilot) == "paused", "paused")
        await pilot.press("n")
        await until(pilot, lambda: shown.facts.step == 1, "a step")
        await until(pilot, lambda: "before" in page(pilot), "legend")
        loss, before = loss_chart(shown).curves
        assert len(loss.series) == 1
        np.testing.assert_array_equal(before.series.values, known)
        await pilot.press(".")  # the cursor stays where this run has come
        await until(pilot, lambda: loss_chart(shown).cursor == 1, "cursor")
        await until(pilot, lambda: loss_chart(shown).steps == 20, "an axis of few steps")
        assert loss_chart(shown)._whole().high == 20


async def test_after_a_reset_the_chart_is_as_it_was(opened, runs_dir: Path) -> None:
    folder = at_full_speed(runs_dir, "sales-mse", train__steps="50")
    async with opened(attach=folder) as pilot:
        first = await opens(pilot, DashboardScreen)
        await until(pilot, lambda: state(pilot) == "finished", "end")
        await until(pilot, lambda: bool(loss_chart(first).curves), "curve")
        await pilot.press("g", "G", "m")
        chart = loss_chart(first)
        known = chart.log_y, chart.log_x, chart.smoothing
        await pilot.press("r")
        await until(pilot, lambda: dashboard(pilot) is not first, "a new run")
        await until(pilot, lambda: state(pilot) == "paused", "paused")
        await pilot.press("f", "space")
        await until(pilot, lambda: state(pilot) == "finished", "end of the new run")
        chart = loss_chart(dashboard(pilot))
        assert (chart.log_y, chart.log_x, chart.smoothing) == known


async def test_a_run_before_that_diverged_is_left_out(opened) -> None:
    async with opened() as pilot:
        first = await start(pilot, "line-fit", optimizer__lr="0.2")
        await until(pilot, lambda: state(pilot) == "diverged", "diverged")
        await pilot.press("r")
        await until(pilot, lambda: dashboard(pilot) is not first, "a new run")
        await until(pilot, lambda: state(pilot) == "paused", "paused")
        await pilot.press("n")
        await until(pilot, lambda: len(loss_chart(dashboard(pilot)).curves) > 0, "curves")
        assert [layer.name for layer in loss_chart(dashboard(pilot)).curves] == ["loss"]


async def test_the_cursor_reads_no_step_that_has_not_been_taken(opened, runs_dir: Path) -> None:
    async with opened(attach=paused(runs_dir, train__steps="40")) as pilot:
        shown = await opens(pilot, DashboardScreen)
        await pilot.press("n", "n", "n")
        await until(pilot, lambda: shown.facts.step == 3, "three steps")
        await until(pilot, lambda: bool(loss_chart(shown).curves), "curve")
        chart = loss_chart(shown)
        await pilot.press(".", ".", ".", ".")
        await until(pilot, lambda: chart.cursor == 3, "the last step")
        chart.set_cursor(1)
        await pilot.hover("#loss", offset=(70, 10))
        await until(pilot, lambda: chart.cursor == 3, "the last step, by the mouse")
        assert "nan" not in page(pilot)


async def test_charts_above_each_other_have_one_x_axis(opened, runs_dir: Path) -> None:
    folder = at_full_speed(runs_dir, "sales-mse", optimizer__lr="1.23456e-9")
    async with opened(attach=folder) as pilot:
        shown = await opens(pilot, DashboardScreen)
        charts = [shown.query_one(f"#{name}", Chart) for name in ("loss", "lr")]
        await until(pilot, lambda: state(pilot) == "finished", "end")
        await until(pilot, lambda: len({chart._area.x for chart in charts}) == 1, "one axis")
        assert charts[0]._area.width == charts[1]._area.width


async def test_of_rates_set_before_the_same_step_the_last_is_marked(opened, runs_dir: Path) -> None:
    async with opened(attach=paused(runs_dir)) as pilot:
        shown = await opens(pilot, DashboardScreen)
        await until(pilot, lambda: state(pilot) == "paused", "paused")
        rate = shown.facts.lr()
        at_once(pilot, *2 * ["greater_than_sign"])
        await until(pilot, lambda: shown.facts.lr() == 4 * rate, "rate")
        await pilot.press("n")
        await until(pilot, lambda: shown.facts.step == 1, "a step")
        await until(
            pilot,
            lambda: [mark.label for mark in loss_chart(shown).marks] == [f"lr {4 * rate:g}"],
            "one mark",
        )
        send(shown.folder, Stop())


async def test_the_path_of_a_single_weight_hops_across_the_parabola(opened, runs_dir: Path) -> None:
    folder = at_full_speed(runs_dir, "parabola-constant", optimizer__lr="0.95")
    async with opened(attach=folder) as pilot:
        shown = await opens(pilot, DashboardScreen)
        await until(pilot, lambda: state(pilot) == "finished", "end")
        path = shown.facts.path()
        weights = shown.facts.series("w")
        assert path[0] == 5.0
        assert path[1:] == pytest.approx(weights.values)
        assert (np.diff(np.sign(path[:10] + 1)) != 0).all()  # the least loss is at w = -1
        assert len(shown.facts.path(7)) == 8
        assert shown.facts.path(0).tolist() == [5.0]
        fit = Fit(shown.facts.preset)
        picture = fit(shown.facts.tensors(), path)
        assert picture is not None
        [drawn] = [layer for layer in picture.layers if layer.role == "path"]
        assert drawn.y == pytest.approx((path + 1) ** 2)
