"""The wiring of the screens: what comes after the first one."""

from __future__ import annotations

from pathlib import Path

from tests.ui.conftest import dashboard, state, until
from tuitrain.record.folder import ExperimentFolder
from tuitrain.spec.catalogue import find
from tuitrain.spec.experiment import single
from tuitrain.spec.overrides import override
from tuitrain.ui.screens.dashboard import DashboardScreen
from tuitrain.ui.screens.setup import SetupScreen
from tuitrain.worker.launch import WarmWorker


async def test_an_attached_run_starts_again_in_its_place_and_goes_back(opened, runs_dir: Path):
    preset = override(find("line-fit"), {"train.steps": 5})
    folder = ExperimentFolder.create(runs_dir, single(preset, pace=None))
    WarmWorker().start(folder)
    async with opened(attach=folder) as pilot:
        assert [type(screen) for screen in pilot.app.screen_stack] == [DashboardScreen]
        await until(pilot, lambda: state(pilot) == "finished", "end")
        await pilot.press("r")
        await until(pilot, lambda: dashboard(pilot).folder.path != folder.path, "new run")
        assert [type(screen) for screen in pilot.app.screen_stack] == [DashboardScreen]
        await until(pilot, lambda: state(pilot) == "paused", "start of the new run")
        await pilot.press("f", "space")
        await until(pilot, lambda: state(pilot) == "finished", "end of the new run")
        await pilot.press("b")
        await until(pilot, lambda: isinstance(pilot.app.screen, SetupScreen), "setup")
        assert [type(screen) for screen in pilot.app.screen_stack] == [SetupScreen]
