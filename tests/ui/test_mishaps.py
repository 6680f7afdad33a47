"""What may go wrong on a screen: folders that vanish, odd names, keys pressed twice at once."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from tests.ui.comparing import ended, screen, started
from tests.ui.conftest import LONG, at_once, dashboard, opens, page, start, state, until
from tuitrain.record.folder import ExperimentFolder, experiments
from tuitrain.record.inbox import Step
from tuitrain.record.live import Recording
from tuitrain.spec.catalogue import find
from tuitrain.spec.experiment import single
from tuitrain.spec.overrides import override
from tuitrain.ui.board import Board
from tuitrain.ui.screens.compare import CompareScreen
from tuitrain.ui.screens.dashboard import DashboardScreen
from tuitrain.ui.screens.setup import SetupScreen
from tuitrain.worker.launch import launch

BURSTS = (
    "l u",
    "l 0 enter x enter enter",
    "u u u",
    "question_mark q space w w",
    "d space down space enter enter",
    "d d escape escape",
    "z z z",
    "r escape l escape",
    "q left enter enter",
    "b b escape",
)
"""What is typed at once on the dashboard of a living run: keys that open dialogs, and answers."""


async def test_keys_typed_at_once_reach_the_dialogs_that_they_open(opened) -> None:
    async with opened() as pilot:
        shown = await start(pilot, "sales-mse", full_speed=False, **LONG)
        await until(pilot, lambda: shown.facts.step > 0, "a step")
        at_once(pilot, "l", "u")
        await until(pilot, lambda: len(pilot.app.screen.query("#rate")) > 0, "dialog")
        await until(pilot, lambda: "u" in pilot.app.screen.query_one("#rate", Input).value, "u")
        for burst in BURSTS:
            at_once(pilot, *burst.split())
            await asyncio.sleep(0.3)  # an escape too early would meet the dashboard itself
            while pilot.app.screen is not shown:
                assert shown in pilot.app.screen_stack, burst
                await pilot.press("escape")
                await asyncio.sleep(0.3)


async def test_keys_typed_at_once_on_the_setup_screen_reach_its_dialogs(
    opened, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with opened() as pilot:
        at_once(pilot, "ctrl+p", "ctrl+p")
        await until(pilot, lambda: len(pilot.app.screen_stack) > 1, "dialog")
        await pilot.press("ctrl+u", "a")
        at_once(pilot, "enter", "enter", "enter", "x")
        await until(pilot, lambda: Path("a.toml").exists(), "file")
        await opens(pilot, SetupScreen)
        at_once(pilot, "f1", "escape", "f1", "f1", "f1")
        await asyncio.sleep(0.3)
        assert isinstance(pilot.app.screen_stack[0], SetupScreen)


async def test_what_is_typed_after_leaving_opens_nothing_and_the_run_is_named(opened) -> None:
    async with opened() as pilot:
        shown = await start(pilot, "sales-mse", full_speed=False, **LONG)
        at_once(pilot, "q", "l", "u")
        await until(pilot, lambda: bool(pilot.app.left_running), "left")
        await pilot.pause(0.1)
        assert pilot.app.left_running == {shown.folder.id: shown.folder}


async def finished(pilot: Pilot[None], name: str, **settings: str) -> DashboardScreen:
    shown = await start(pilot, name, **settings)
    await until(pilot, lambda: state(pilot) == "finished", "end")
    return shown


async def test_a_folder_that_vanishes_takes_no_commands_and_ends_nothing(opened) -> None:
    async with opened() as pilot:
        shown = await start(pilot, "sales-mse", **LONG)
        await until(pilot, lambda: len(shown.facts.series("loss")) > 0, "rows")
        await pilot.press("s")
        await until(pilot, lambda: state(pilot) == "stopped", "stopped")
        shutil.rmtree(shown.folder.path)
        await pilot.press("v", "v", "v")
        shown._send(Step())  # as a key would, were it pressed before the loss is seen
        await pilot.pause()
        assert [note.title for note in pilot.app._notifications] == ["Not sent"]


async def test_what_looks_like_markup_is_text(opened, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("rows.csv").write_text("width [/cm],y [m]\n" + "".join(f"{i},{2 * i}\n" for i in range(9)))
    preset = 'title = "Speed [/] [b]m"\ndata.csv = "rows.csv"\nmodel.kind = "linear"\n'
    preset += 'loss.kind = "mse"\n[optimizer]\nname = "sgd"\n[train]\nsteps = 20000000\n'
    Path("a[b].toml").write_text(preset)
    async with opened(size=(160, 60)) as pilot:
        shown = pilot.app.screen
        await until(pilot, lambda: "a[b].toml" in shown.presets, "own presets")
        shown.query_one("#filter", Input).value = "speed"
        await until(pilot, lambda: "a[b].toml" in page(pilot), "name in the list")
        await start(pilot, "a[b].toml")
        await until(pilot, lambda: "Speed [/] [b]m" in page(pilot), "title")
        await pilot.press("l")
        pilot.app.screen.query_one("#rate", Input).value = "[/]"
        await until(pilot, lambda: "'[/]' is not a number" in page(pilot), "problem")
        await pilot.press("escape", "s")
        await until(pilot, lambda: state(pilot) == "stopped", "stopped")
        await pilot.press("b")
        await opens(pilot, SetupScreen)
        assert "width [/cm]" in page(pilot)


async def test_a_home_that_there_is_not_is_said_in_the_list(opened) -> None:
    async with opened() as pilot:
        pilot.app.screen.query_one("#filter", Input).value = "~nobody-of-this-name/x.toml"
        await until(pilot, lambda: "home" in page(pilot).split("Settings")[0], "problem")


async def test_a_picture_of_the_screen_that_cannot_be_saved_is_said(
    opened, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with opened() as pilot:
        await pilot.press("f12")
        [picture] = tmp_path.glob("*.svg")
        assert "<svg" in picture.read_text("utf-8")
        monkeypatch.setattr("tuitrain.ui.app.time.strftime", lambda _: "no/such/place")
        await pilot.press("f12")
        await pilot.pause()
        notes = [note.title for note in pilot.app._notifications]
        assert notes == ["Screenshot saved", "Screenshot not saved"]


async def test_starting_twice_at_once_starts_once(opened, runs_dir: Path) -> None:
    async with opened() as pilot:
        setup = pilot.app.screen
        at_once(pilot, "ctrl+s", "ctrl+s")
        await opens(pilot, DashboardScreen)
        await pilot.press("f")
        await until(pilot, lambda: state(pilot) == "finished", "end")
        assert pilot.app.screen_stack == [setup, dashboard(pilot)]
        assert len(experiments(runs_dir)) == 1


@pytest.mark.parametrize("key", ["b", "escape"])
async def test_going_back_twice_at_once_goes_back_once(opened, runs_dir: Path, key: str) -> None:
    folder = started(runs_dir, steps=20)
    async with opened(attach=folder) as pilot:
        compared = await ended(pilot)
        await pilot.press("r")
        await opens(pilot, DashboardScreen)
        await pilot.press("f")
        await until(pilot, lambda: state(pilot) == "finished", "end")
        at_once(pilot, key, key)
        await until(pilot, lambda: pilot.app.screen is compared, "back")
        await pilot.pause(0.1)
        assert pilot.app.screen is compared


@pytest.mark.parametrize("attached", [False, True])
async def test_what_is_typed_ahead_behind_going_back_is_for_the_setup_screen(
    opened, runs_dir: Path, attached: bool
) -> None:
    experiment = single(override(find("sales-mse"), {"train.steps": "20000000"}))
    folder = ExperimentFolder.create(runs_dir, experiment) if attached else None
    if folder is not None:
        launch(folder)
    async with opened(attach=folder) as pilot:
        if folder is None:
            await start(pilot, "sales-mse", **LONG)
            pilot.app.screen_stack[0].query_one("#filter", Input).value = ""
        await until(pilot, lambda: state(pilot) == "running", "running")
        at_once(pilot, *"blbiris")
        setup = await opens(pilot, SetupScreen)
        entry = setup.query_one("#filter", Input)
        taken = lambda: (entry.value, setup.chosen) == ("iris", "iris")  # noqa: E731
        await until(pilot, taken, "letters and preset")
        assert pilot.app.left_running


async def test_leaving_twice_at_once_asks_once(opened) -> None:
    async with opened() as pilot:
        shown = await start(pilot, "sales-mse", **LONG)
        at_once(pilot, "b", "b")
        await until(pilot, lambda: pilot.app.screen is not shown, "question")
        await pilot.press("escape")
        await until(pilot, lambda: pilot.app.screen is shown, "answered")


@pytest.mark.parametrize("steps", [3, 12])
async def test_single_steps_of_a_paused_comparison_are_in_its_table(
    opened, runs_dir: Path, steps: int
) -> None:
    folder = started(runs_dir, steps=50_000_000)
    async with opened(attach=folder) as pilot:
        shown = screen(pilot)
        assert isinstance(shown, CompareScreen)
        await pilot.press("space")
        await until(pilot, lambda: shown.recording.status.state == "paused", "paused")
        for _ in range(steps):
            before = shown.recording.status.step
            await pilot.press("n")
            await until(pilot, lambda b=before: shown.recording.status.step > b, "step")
        recording = Recording(folder)
        recording.refresh()
        board = Board(recording)
        board.stand()
        wanted = [fact.loss for fact in board.facts]
        await until(pilot, lambda: not shown._behind, "table and verdict")
        assert [fact.loss for fact in shown.board.facts] == pytest.approx(wanted, nan_ok=True)
        verdict = board.standings[0].verdict
        assert verdict.split(".")[0] in page(pilot).replace("\n", " ")
        recording.close()
