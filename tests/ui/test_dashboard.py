"""The dashboard on real experiments: every key, every state, every size."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
import pytest
from textual.events import Key
from textual.widgets import Button, Input

from tests.ui.conftest import choose, dashboard, page, start, state, until
from tuitrain.record.folder import ExperimentFolder, experiments
from tuitrain.record.inbox import Pause, send
from tuitrain.ui.screens.dialogs import LeaveDialog, SourceDialog
from tuitrain.ui.screens.setup import SetupScreen
from tuitrain.ui.widgets.chart import Chart

LONG = {"train__steps": "20000000"}
"""Longer than any test, and yet short enough for every step to be recorded."""


def rows(pilot) -> int:
    return len(dashboard(pilot).facts.series("loss"))


async def test_trains_to_the_end_by_keys_alone(opened, runs_dir: Path) -> None:
    async with opened() as pilot:
        await choose(pilot, "cost1")
        # Typed ahead: nothing is waited for between the two.
        for _ in range(2):
            pilot.app.post_message(Key("enter", None))
        await until(pilot, lambda: not isinstance(pilot.app.screen, SetupScreen), "dashboard")
        await until(pilot, lambda: state(pilot) == "finished", "end")
        await until(pilot, lambda: "expected values reached" in page(pilot), "diagnosis")
        text = page(pilot)
    assert "✓ finished" in text
    assert "15,000 / 15,000" in text
    (folder,) = experiments(runs_dir)
    weights = [float(x) for x in dashboard_weights(folder)]
    assert weights == pytest.approx([1.15, 1.10], abs=0.05)


def dashboard_weights(folder: ExperimentFolder) -> np.ndarray:
    from tuitrain.record.live import Recording

    recording = Recording(folder)
    recording.refresh()
    return recording.last_weights[0]["w"].ravel()


async def test_pause_step_resume_stop(opened) -> None:
    async with opened() as pilot:
        await start(pilot, "sales-mse", **LONG)
        await until(pilot, lambda: rows(pilot) > 0, "rows")
        await pilot.press("space")
        await until(pilot, lambda: state(pilot) == "paused", "pause")
        assert "‖ paused" in page(pilot)
        step = dashboard(pilot).recording.status.step
        await pilot.press("n")
        await until(pilot, lambda: dashboard(pilot).recording.status.step == step + 1, "one step")
        assert state(pilot) == "paused"
        await pilot.press("space")
        await until(pilot, lambda: dashboard(pilot).recording.status.step > step + 1, "resume")
        assert state(pilot) == "running"
        await pilot.press("s")
        await until(pilot, lambda: state(pilot) == "stopped", "stop")
        await until(pilot, lambda: "stopped: at step" in page(pilot), "diagnosis")
        # Nothing is sent to a worker that has ended.
        await pilot.press("space", "n", "s", "l")
        assert not list(dashboard(pilot).folder.inbox.glob("*.json"))


async def test_learning_rate_changes_while_it_runs(opened) -> None:
    async with opened() as pilot:
        await start(pilot, "sales-mse", **LONG)
        await until(pilot, lambda: rows(pilot) > 0, "rows")
        await pilot.press("l")
        entry = pilot.app.screen.query_one("#rate", Input)
        assert entry.value == "0.002"
        entry.value = "fast"
        await pilot.pause()
        assert "'fast' is no number" in page(pilot)
        await pilot.press("enter")
        assert pilot.app.screen.query_one("#rate", Input) is entry
        entry.value = "0.0125"
        await pilot.press("enter")
        await until(pilot, lambda: dashboard(pilot).facts.lr() == 0.0125, "new rate")
        (mark,) = dashboard(pilot).query_one("#loss", Chart).marks
        lr = dashboard(pilot).facts.series("lr")
        assert mark.label == "lr 0.0125"
        assert (lr.at(int(mark.step) - 1), lr.at(int(mark.step))) == (0.002, 0.0125)


async def test_reset_starts_from_the_same_weights_and_keeps_the_old_run(
    opened, runs_dir: Path
) -> None:
    async with opened() as pilot:
        old = await start(pilot, "sales-mse", **LONG)
        await until(pilot, lambda: rows(pilot) > 0, "rows")
        await pilot.press("r")
        await until(pilot, lambda: dashboard(pilot) is not old, "new dashboard")
        await until(pilot, lambda: state(pilot) == "paused", "paused at step 0")
        await until(pilot, lambda: "-0.81132" in page(pilot), "initial weights")
        await until(pilot, lambda: "space starts" in page(pilot), "diagnosis")
        assert rows(pilot) == 0
        assert len(experiments(runs_dir)) == 2
        await until(pilot, lambda: old.folder.status().state == "stopped", "old run stopped")
        await pilot.press("n")
        await until(pilot, lambda: rows(pilot) == 1, "first step")
        first = dashboard(pilot).facts.tensors()["w"].ravel()
        assert first == pytest.approx([-0.8096241, 1.4855157], abs=1e-4)


async def test_leaving_asks(opened) -> None:
    async with opened() as pilot:
        await start(pilot, "sales-mse", **LONG)
        folder = dashboard(pilot).folder
        for key in ("q", "b", "escape", "ctrl+c"):
            await pilot.press(key)
            assert isinstance(pilot.app.screen, LeaveDialog), key
            await pilot.press("escape")
            assert pilot.app.screen is dashboard(pilot), key
        await pilot.press("b", "l")
        await until(pilot, lambda: isinstance(pilot.app.screen, SetupScreen), "setup")
        assert folder.status().state == "running"
    assert folder.status().state == "running"


async def test_leaving_can_stop_the_run(opened) -> None:
    async with opened() as pilot:
        await start(pilot, "sales-mse", **LONG)
        folder = dashboard(pilot).folder
        await pilot.press("q")
        await pilot.click(pilot.app.screen.query_one("#stop", Button))
        await until(pilot, lambda: folder.status().state == "stopped", "stop")


async def test_finished_run_is_left_without_a_question(opened) -> None:
    async with opened() as pilot:
        await start(pilot, "parabola-decay")
        await until(pilot, lambda: state(pilot) == "finished", "end")
        await pilot.press("b")
        await until(pilot, lambda: isinstance(pilot.app.screen, SetupScreen), "setup")


async def test_killed_worker_is_shown_as_killed_within_two_seconds(opened) -> None:
    async with opened() as pilot:
        await start(pilot, "sales-mse", **LONG)
        await until(pilot, lambda: rows(pilot) > 0, "rows")
        os.kill(dashboard(pilot).folder.process().pid, signal.SIGKILL)
        await pilot.pause(2.0)
        assert "✗ killed" in page(pilot)
        await until(pilot, lambda: "the worker ended at step" in page(pilot), "diagnosis")


async def test_divergence_names_step_and_tensor(opened) -> None:
    async with opened() as pilot:
        await start(pilot, "sales-mse", optimizer__lr="1000")
        await until(pilot, lambda: state(pilot) == "diverged", "divergence")
        result = dashboard(pilot).recording.results[0]
        sentence = f"diverged: at step {result.diverged_at} in {result.diverged_in}"
        await until(pilot, lambda: sentence in page(pilot), "diagnosis")


async def test_attach_shows_what_was_recorded(opened, runs_dir: Path) -> None:
    async with opened() as pilot:
        await start(pilot, "parabola-decay")
        await until(pilot, lambda: state(pilot) == "finished", "end")
    (folder,) = experiments(runs_dir)
    async with opened(attach=ExperimentFolder(folder.path)) as pilot:
        await until(pilot, lambda: "40 / 40" in page(pilot), "status")
        assert rows(pilot) == 40
        await pilot.press("b")
        await until(pilot, lambda: isinstance(pilot.app.screen, SetupScreen), "setup")


async def test_a_second_viewer_follows_and_commands(opened) -> None:
    async with opened() as pilot:
        await start(pilot, "sales-mse", **LONG)
        send(dashboard(pilot).folder, Pause())
        await until(pilot, lambda: state(pilot) == "paused", "pause from elsewhere")


async def test_chart_keys(opened) -> None:
    async with opened() as pilot:
        await start(pilot, "sales-mse")
        await until(pilot, lambda: state(pilot) == "finished", "end")
        chart = dashboard(pilot).query_one("#loss", Chart)
        rate = dashboard(pilot).query_one("#lr", Chart)
        assert chart.log_y  # the loss has fallen a thousandfold
        await pilot.press("g", "m", "plus", "plus", "left")
        assert (chart.log_y, chart.smoothing) == (False, 0.6)
        assert chart.view is not None
        assert rate.view == chart.view
        await pilot.press("comma", "comma", "comma")
        assert chart.cursor is not None
        await until(pilot, lambda: f"at {chart.cursor:,}" in page(pilot), "weights at the cursor")
        await pilot.press("0")
        assert (chart.view, chart.cursor) == (None, None)


async def test_source_help_log_theme_and_picture(opened, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with opened() as pilot:
        await start(pilot, "parabola-decay")
        await until(pilot, lambda: state(pilot) == "finished", "end")
        await pilot.press("u")
        assert isinstance(pilot.app.screen, SourceDialog)
        await pilot.pause()
        assert "return (p - lr * g,)" in page(pilot)
        await pilot.press("escape", "question_mark")
        await pilot.pause()
        assert "Train one step, then wait" in page(pilot)
        await pilot.press("escape", "w")
        await until(pilot, lambda: "finished" in page(pilot).split("Log", 1)[1], "events")
        theme = pilot.app.theme
        await pilot.press("t")
        assert pilot.app.theme != theme
        await pilot.press("p")
        (picture,) = tmp_path.glob("tuitrain-*.svg")
        assert picture.read_text().startswith("<svg")
        assert [note.message for note in pilot.app._notifications] == [str(picture)]


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_the_important_is_visible_at_every_size(opened, size: tuple[int, int]) -> None:
    async with opened(size=size) as pilot:
        await start(pilot, "sales-mse")
        await until(pilot, lambda: state(pilot) == "finished", "end")
        await until(pilot, lambda: "expected values reached" in page(pilot), "diagnosis")
        await until(pilot, lambda: "q quit" in page(pilot), "footer")
        text = page(pilot)
    for word in ("finished", "15,000 / 15,000", "100 %", "steps/s", "cpu", "Loss", "Learning rate"):
        assert word in text
    for word in ("Weights", "w[0,0]", "w[1,0]", "1.00098", "space pause", "? help", "q quit"):
        assert word in text.replace("  ", " ")


async def test_resizing_down_to_nothing_and_back(opened) -> None:
    async with opened() as pilot:
        await start(pilot, "line-fit")
        for size in ((20, 5), (1, 1), (300, 80), (80, 24)):
            await pilot.resize_terminal(*size)
            await pilot.pause(0.15)
        await until(pilot, lambda: "line" in page(pilot), "dashboard at 80x24")
