"""The window with all experiments: what it tells of them, and that they are opened from it."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import DataTable

from tests.ui.comparing import started
from tests.ui.conftest import LONG, dashboard, opens, page, start, state, until
from tuitrain.record.folder import ExperimentFolder
from tuitrain.record.inbox import SetLearningRate, Stop, send
from tuitrain.spec.catalogue import find
from tuitrain.spec.experiment import single
from tuitrain.spec.overrides import override
from tuitrain.ui.screens import experiments_dialog
from tuitrain.ui.screens.compare import CompareScreen
from tuitrain.ui.screens.dashboard import DashboardScreen
from tuitrain.ui.screens.experiments_dialog import COLUMNS, ExperimentsDialog
from tuitrain.ui.screens.setup import SetupScreen
from tuitrain.worker.launch import launch


def trained(runs_dir: Path, preset: str, **settings: str) -> ExperimentFolder:
    """An experiment that has ended, or will."""
    changes = {key.replace("__", "."): value for key, value in settings.items()}
    folder = ExperimentFolder.create(runs_dir, single(override(find(preset), changes)))
    launch(folder)
    return folder


async def listed(pilot: Pilot[None], count: int) -> list[dict[str, str]]:
    """The rows of the window, by column, once there are so many; the window is opened first."""
    await pilot.press("ctrl+o")
    dialog = await opens(pilot, ExperimentsDialog)
    table = dialog.query_one(DataTable)
    await until(pilot, lambda: len(dialog.known) == count, f"{count} experiments")
    rows = [table.get_row_at(number) for number in range(count)]
    return [dict(zip(COLUMNS, map(str, row), strict=True)) for row in rows]


async def test_experiments_are_listed_newest_first_and_opened(opened, runs_dir: Path) -> None:
    first = trained(runs_dir, "parabola-decay")
    several = started(runs_dir, learning_rates=[0.01, 0.02])
    endless = trained(runs_dir, "sales-mse", **LONG)
    async with opened() as pilot:
        await until(pilot, lambda: first.status().ended and several.status().ended, "ends")
        await until(pilot, lambda: endless.status().step > 0, "steps")
        newest, compared, oldest = await listed(pilot, 3)
        result = first.results()[0]
        assert oldest["state"].split()[1] == "finished"
        assert oldest["preset"] == "parabola-decay"
        assert oldest["trained with"] == f"{result.optimizer} lr={result.lr:g}"
        assert (oldest["steps"], oldest["loss"]) == ("40", f"{result.loss:.6g}")
        assert compared["trained with"].startswith("4 runs: ")
        assert newest["state"].split()[1] == "running"
        before = newest["steps"]
        table = pilot.app.screen.query_one(DataTable)
        steps = COLUMNS.index("steps")
        await until(pilot, lambda: str(table.get_row_at(0)[steps]) != before, "it goes on")
        assert table.cursor_row == 0
        await pilot.press("down", "down", "enter")
        shown = await opens(pilot, DashboardScreen)
        assert shown.folder.id == first.id
        await pilot.press("b")
        await opens(pilot, SetupScreen)
        await listed(pilot, 3)
        await pilot.press("down", "enter")
        assert (await opens(pilot, CompareScreen)).folder.id == several.id


async def test_what_was_left_running_is_opened_again_and_named_once(opened) -> None:
    async with opened() as pilot:
        left = (await start(pilot, "sales-mse", **LONG)).folder
        for _ in range(2):
            await pilot.press("b", "l")
            await opens(pilot, SetupScreen)
            [row] = await listed(pilot, 1)
            assert row["state"].split()[1] == "running"
            await pilot.press("enter")
            await opens(pilot, DashboardScreen)
            await until(pilot, lambda: state(pilot) == "running", "running")
            assert dashboard(pilot).folder.id == left.id
        assert list(pilot.app.left_running) == [left.id]
        assert len(pilot.app.screen_stack) == 2


@pytest.mark.parametrize(
    ("size", "told"), [((120, 40), "sgd lr=0.002 → 0.00025"), ((80, 24), "sgd → 0.00025")]
)
async def test_a_learning_rate_that_was_set_is_told(opened, runs_dir: Path, size, told) -> None:
    folder = trained(runs_dir, "sales-mse", **LONG)
    async with opened(size) as pilot:
        for rate in (0.001, 0.00025):
            send(folder, SetLearningRate(lr=rate))
        send(folder, Stop())
        await until(pilot, lambda: folder.status().ended, "end")
        assert folder.lr_set() == 0.00025
        [row] = await listed(pilot, 1)
        assert row["trained with"] == told


async def test_where_nothing_was_trained_the_window_says_so(opened, runs_dir: Path) -> None:
    async with opened() as pilot:
        await listed(pilot, 0)
        await until(pilot, lambda: "None in " in page(pilot), "none")
        await pilot.press("enter", "escape")
        assert isinstance(await opens(pilot, SetupScreen), SetupScreen)


async def test_one_that_cannot_be_read_is_named_and_not_opened(opened, runs_dir: Path) -> None:
    folder = trained(runs_dir, "parabola-decay")
    async with opened() as pilot:
        await until(pilot, lambda: folder.status().ended, "end")
        (folder.path / "experiment.toml").write_text("runs = 1")
        [row] = await listed(pilot, 1)
        assert row["preset"] == "parabola-decay"  # as the store has it
        await pilot.press("enter")
        await opens(pilot, SetupScreen)
        await until(pilot, lambda: len(pilot.app._notifications) > 0, "told")
        [note] = pilot.app._notifications
        assert (note.title, "experiment.toml" in note.message) == ("Not opened", True)


async def test_a_small_terminal_has_room_for_what_tells_experiments_apart(
    opened, runs_dir: Path
) -> None:
    settings = {"optimizer__lr": "0.00235", "train__steps": "20"}
    one = trained(runs_dir, "sales-cost99-profit1", optimizer__name="nesterov", **settings)
    several = started(runs_dir, steps=20, learning_rates=[0.01, 0.02])
    async with opened(size=(80, 24)) as pilot:
        await until(pilot, lambda: one.status().ended and several.status().ended, "ends")
        compared, single_run = await listed(pilot, 2)
        assert compared["trained with"] == "4 runs"
        assert single_run["trained with"] == "nesterov 0.00235"
        assert single_run["loss"] == f"{one.results()[0].loss:.4g}"
        [line] = [line for line in page(pilot).splitlines() if "nesterov 0.00235" in line]
        assert all(single_run[name] in line for name in COLUMNS)  # nothing is out of view


async def test_what_keeps_the_list_from_being_read_is_told_and_ends_nothing(
    opened, runs_dir: Path, monkeypatch
) -> None:
    def broken(place: Path) -> list[ExperimentFolder]:
        raise PermissionError("not allowed")

    async with opened() as pilot:
        with monkeypatch.context() as patched:
            patched.setattr(experiments_dialog, "experiments", broken)
            await pilot.press("ctrl+o")
            await until(pilot, lambda: "not allowed" in page(pilot), "problem")
        await until(pilot, lambda: "None in " in page(pilot), "the next look")
