"""The dashboard on real experiments: every key, every state, every size."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
import pytest
from textual.events import Key, MouseScrollUp
from textual.widgets import Button, Input

from tests.ui.conftest import (
    LONG,
    at_full_speed,
    choose,
    dashboard,
    opens,
    page,
    start,
    state,
    until,
)
from tuitrain.errors import InputError
from tuitrain.record.folder import ExperimentFolder, experiments
from tuitrain.record.inbox import Pause, send
from tuitrain.ui.screens.dashboard import DashboardScreen
from tuitrain.ui.screens.dialogs import LeaveDialog, RestartDialog, SourceDialog
from tuitrain.ui.screens.setup import SetupScreen
from tuitrain.ui.screens.training import FRAME
from tuitrain.ui.widgets.chart import Chart


def rows(pilot) -> int:
    return len(dashboard(pilot).facts.series("loss"))


async def test_trains_to_the_end_by_keys_alone(opened, runs_dir: Path) -> None:
    async with opened() as pilot:
        await choose(pilot, "cost1")
        # Typed ahead: nothing is waited for between the two.
        for _ in range(2):
            pilot.app.post_message(Key("enter", None))
        await opens(pilot, DashboardScreen)
        await pilot.press("f")
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
        await until(pilot, lambda: "‖ paused" in page(pilot), "pause")
        assert state(pilot) == "paused"
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
        await start(pilot, "sales-mse", full_speed=False)
        await pilot.press(*["left_square_bracket"] * 4)
        await until(pilot, lambda: rows(pilot) > 0, "rows")
        assert dashboard(pilot).facts.goal == "expected"
        await pilot.press("l")
        entry = pilot.app.screen.query_one("#rate", Input)
        assert entry.value == "0.002"
        entry.value = "fast"
        await pilot.pause()
        assert "'fast' is not a number" in page(pilot)
        for wrong in ("-5", "nan", "inf"):
            entry.value = wrong
            await pilot.pause()
            assert f"✗ {wrong}: must be a finite number, 0 or more" in page(pilot)
        await pilot.press("enter")
        assert pilot.app.screen.query_one("#rate", Input) is entry
        entry.value = "0.0125"
        await pilot.press("enter")
        await until(
            pilot, lambda: dashboard(pilot).facts.series("lr").last == 0.0125, "a step with it"
        )
        (mark,) = dashboard(pilot).query_one("#loss", Chart).marks
        lr = dashboard(pilot).facts.series("lr")
        assert mark.label == "lr 0.0125"
        assert (lr.at(int(mark.step) - 1), lr.at(int(mark.step))) == (0.002, 0.0125)
        await until(pilot, lambda: "lr 0.002 → 0.0125" in page(pilot), "headline")
        await until(pilot, lambda: "lr 0.0125" in page(pilot).split("Learning rate")[1], "panel")
        # What the preset expects holds for its own rate.
        assert dashboard(pilot).facts.goal == "optimum"
        (line,) = dashboard(pilot).query_one("#loss", Chart).references
        assert line.label == "optimum"


async def test_a_learning_rate_set_in_a_pause_is_the_one_that_the_next_question_starts_from(
    opened,
) -> None:
    async with opened() as pilot:
        await start(pilot, "sales-mse", **LONG)
        await until(pilot, lambda: rows(pilot) > 0, "rows")
        await pilot.press("space")
        await until(pilot, lambda: state(pilot) == "paused", "pause")
        for before, typed in (("0.002", "0.5"), ("0.5", "0.002")):
            await pilot.press("l")
            entry = pilot.app.screen.query_one("#rate", Input)
            assert entry.value == before
            entry.value = typed
            await pilot.press("enter")
            await until(
                pilot, lambda typed=typed: dashboard(pilot).facts.lr() == float(typed), "new rate"
            )
        rates = [e.detail["new"] for e in dashboard(pilot).recording.events if e.kind == "lr"]
        assert rates == [0.5, 0.002]


async def test_space_pressed_twice_at_once_leaves_it_running(opened) -> None:
    async with opened() as pilot:
        await start(pilot, "sales-mse", **LONG)
        await until(pilot, lambda: rows(pilot) > 0, "rows")
        for _ in range(4):
            pilot.app.post_message(Key("space", None))
        await until(pilot, lambda: len(asked(pilot)) == 4, "all four handled")
        assert asked(pilot) == ["pause", "resume", "pause", "resume"]
        await until(pilot, lambda: state(pilot) == "running", "status")


async def test_space_right_after_a_reset_starts_the_new_run(opened) -> None:
    async with opened() as pilot:
        old = await start(pilot, "sales-mse", train__steps="1")
        await until(pilot, lambda: state(pilot) == "finished", "end")
        await pilot.press("r")
        await until(pilot, lambda: dashboard(pilot) is not old, "new dashboard")
        await pilot.press("space")
        await until(pilot, lambda: state(pilot) == "finished", "end of the new run")


def asked(pilot) -> list[str]:
    """The commands that the worker has handled, but for those of the pace."""
    details = [e.detail for e in dashboard(pilot).recording.events if e.kind == "command"]
    return [detail["command"] for detail in details if "pace" not in detail]


async def test_a_learning_rate_left_as_it_is_is_no_command(opened) -> None:
    async with opened() as pilot:
        await start(pilot, "sales-mse", schedule="cosine:end=0.1", **LONG)
        await until(pilot, lambda: dashboard(pilot).facts.lr() < 0.002, "rows")
        await pilot.press("space")
        await until(pilot, lambda: state(pilot) == "paused", "pause")
        now = dashboard(pilot).facts.lr()
        assert float(f"{now:.6g}") != now
        await pilot.press("l")
        assert float(pilot.app.screen.query_one("#rate", Input).value) == now
        await pilot.press("enter", "n")
        await until(pilot, lambda: dashboard(pilot).facts.lr() < now, "one step")
        assert not [e for e in dashboard(pilot).recording.events if e.kind == "lr"]


async def test_reset_starts_from_the_same_weights_and_keeps_the_old_run(
    opened, runs_dir: Path
) -> None:
    async with opened() as pilot:
        old = await start(pilot, "sales-mse", **LONG)
        await until(pilot, lambda: rows(pilot) > 0, "rows")
        await pilot.press("r", "escape")
        assert dashboard(pilot) is old
        assert old.folder.status().state == "running"
        await pilot.press("r")
        assert isinstance(pilot.app.screen, RestartDialog)
        await pilot.press("enter")
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
        await until(pilot, lambda: "paused: at step 1 " in page(pilot), "diagnosis")
        assert "steps/s" not in page(pilot)


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
        await opens(pilot, SetupScreen)
        assert folder.status().state == "running"
    assert folder.status().state == "running"


async def test_leaving_a_paused_run_says_that_it_stays_so(opened) -> None:
    async with opened() as pilot:
        await start(pilot, "sales-mse", **LONG)
        await pilot.press("space")
        await until(pilot, lambda: dashboard(pilot).paused, "pause")
        await pilot.press("b")
        await until(pilot, lambda: "Leave it paused" in page(pilot), "question")
        assert "It stays paused; " in page(pilot)


async def test_a_run_goes_on_where_a_new_one_cannot_be_made(
    opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise InputError("cannot be written: No space left on device", where="runs")

    async with opened() as pilot:
        shown = await start(pilot, "sales-mse", **LONG)
        await until(pilot, lambda: shown.facts.step > 0, "a step")
        folder = shown.folder
        monkeypatch.setattr(ExperimentFolder, "create", full)
        await pilot.press("r", "r")
        await until(pilot, lambda: len(pilot.app._notifications) > 0, "reason")
        assert ["No space left" in note.message for note in pilot.app._notifications] == [True]
        assert dashboard(pilot).folder is folder
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
        await opens(pilot, SetupScreen)


async def test_killed_worker_is_shown_as_killed_within_two_seconds(opened) -> None:
    async with opened() as pilot:
        await start(pilot, "sales-mse", **LONG)
        await until(pilot, lambda: rows(pilot) > 0, "rows")
        os.kill(dashboard(pilot).folder.process().pid, signal.SIGKILL)
        before = dashboard(pilot)._frame
        await until(pilot, lambda: "✗ killed" in page(pilot), "killed")
        # Counted in frames: a busy machine has fewer of them in a second.
        assert (dashboard(pilot)._frame - before) * FRAME <= 2
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
        await opens(pilot, SetupScreen)


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
        before = page(pilot)
        await pilot.press("G")
        assert chart.log_x
        assert rate.log_x
        await until(pilot, lambda: "log x, smoothing 0.6" in page(pilot), "the state in words")
        assert page(pilot).splitlines()[-4] != before.splitlines()[-4]  # the labels of the steps


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
async def test_the_important_is_visible_at_every_size(
    opened, runs_dir: Path, size: tuple[int, int]
) -> None:
    async with opened(size=size, attach=at_full_speed(runs_dir, "sales-mse")) as pilot:
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


async def test_by_mouse_alone(opened) -> None:
    async with opened() as pilot:
        screen = await start(pilot, "sales-mse", **LONG)
        await until(pilot, lambda: rows(pilot) > 0, "rows")
        chart = screen.query_one("#loss", Chart)
        await pilot._post_mouse_events([MouseScrollUp], chart, offset=(40, 8))
        assert chart.view is not None
        await pilot.hover(chart, offset=(40, 8))
        assert chart.cursor is not None
        await until(pilot, lambda: "space pause" in page(pilot), "footer")
        pause = page(pilot).splitlines()[-1].index("pause")
        await pilot.click(offset=(pause, 39))
        await until(pilot, lambda: state(pilot) == "paused", "pause by mouse")
