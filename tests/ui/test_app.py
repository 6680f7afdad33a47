"""The wiring of the screens: what comes after the first one."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from pathlib import Path

import pexpect
import pytest
from textual.events import Key
from textual.geometry import Region
from textual.screen import Screen
from textual.widgets import Select

import tuitrain.record.usage
import tuitrain.ui.app
import tuitrain.ui.screens.setup
from tests.nvml import Card, driver
from tests.ui.conftest import LONG, PATIENCE, dashboard, opens, page, start, state, until
from tuitrain.record.folder import ExperimentFolder
from tuitrain.record.inbox import Stop, send
from tuitrain.spec.catalogue import find
from tuitrain.spec.experiment import single
from tuitrain.spec.overrides import override
from tuitrain.spec.preset import Preset
from tuitrain.ui.app import TuitrainApp, devices
from tuitrain.ui.screens.dashboard import DashboardScreen
from tuitrain.ui.screens.dialogs import HelpDialog, LeaveDialog
from tuitrain.ui.screens.setup import Filter, SetupScreen
from tuitrain.ui.widgets.fields import Entry
from tuitrain.ui.widgets.form import SettingsForm
from tuitrain.ui.widgets.marks import MarkSelect
from tuitrain.worker.launch import WarmWorker


async def test_an_attached_run_starts_again_in_its_place_and_goes_back(opened, runs_dir: Path):
    preset = override(find("sales-mse"), {"train.steps": 5, "optimizer.name": "adam"})
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
        setup = await opens(pilot, SetupScreen)
        assert pilot.app.screen_stack == [setup]
        assert setup.chosen == "sales-mse"
        assert setup.plan.checked("sales-mse").shown == preset
        assert setup.drafts["sales-mse"].changes == {"optimizer.name": "adam", "train.steps": "5"}


@pytest.mark.parametrize("seconds", [0.0, 0.01, 0.03, 0.06, 0.1, 0.2, 0.4])
async def test_leaving_while_the_first_screen_is_built_ends_in_peace(
    runs_dir: Path, seconds: float
) -> None:
    class Hurried(TuitrainApp):
        CSS_PATH = Path(tuitrain.ui.app.__file__).parent / TuitrainApp.CSS_PATH

        def get_default_screen(self) -> Screen[None]:
            asyncio.get_running_loop().call_later(seconds, self.action_leave)
            return super().get_default_screen()

    app = Hurried(runs_dir)
    await app.run_async(headless=True, size=(120, 40))
    assert app.return_code == 0


async def test_leaving_waits_for_a_screen_that_is_built_beneath_a_dialog(
    runs_dir: Path, monkeypatch
) -> None:
    mount = SettingsForm.mount_settings

    async def disturbed(form: SettingsForm) -> None:
        await form.app.push_screen(HelpDialog(("setup",)))
        form.app.call_later(app._end)
        await mount(form)
        mounted.append(len(form.query(Select)))

    mounted: list[int] = []
    monkeypatch.setattr(SettingsForm, "mount_settings", disturbed)
    app = TuitrainApp(runs_dir)
    await app.run_async(headless=True, size=(120, 40))
    assert (app.return_code, mounted) == (0, [2])


@pytest.mark.parametrize("turns", [0, 1, 2, 3, 5, 8])
async def test_ending_while_a_screen_is_built_ends_in_peace(runs_dir: Path, turns: int) -> None:
    app = TuitrainApp(runs_dir)
    async with app.run_test() as pilot:
        await pilot.pause()
        app.switch_screen(app._setup_screen())
        for _ in range(turns):
            await asyncio.sleep(0)
    assert app.return_code is None  # it was not asked to leave, but its test has ended


@pytest.mark.parametrize(
    ("size", "classes"), [((80, 24), {"-compact"}), ((120, 40), set()), ((200, 60), {"-wide"})]
)
async def test_the_first_frame_is_laid_out_for_its_terminal(
    runs_dir: Path, monkeypatch, size: tuple[int, int], classes: set[str]
) -> None:
    drawn: list[set[str]] = []
    monkeypatch.setattr(
        TuitrainApp, "post_display_hook", lambda app: drawn.append({*app.screen.classes})
    )
    async with TuitrainApp(runs_dir).run_test(size=size) as pilot:
        await pilot.pause()
    assert drawn[0] == classes
    assert drawn[-1] == classes


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_settings_come_into_the_room_that_the_first_frame_has_for_them(
    runs_dir: Path, monkeypatch, size: tuple[int, int]
) -> None:
    drawn: list[tuple[int, Region]] = []

    def look(app: TuitrainApp) -> None:
        drawn.append((len(app.screen.query(Entry)), app.screen.query_one("#start").region))

    monkeypatch.setattr(TuitrainApp, "post_display_hook", look)
    async with TuitrainApp(runs_dir).run_test(size=size) as pilot:
        await until(pilot, lambda: pilot.app.screen.query(Entry), "the settings")
    assert drawn[0][0] == 0
    assert {start for _, start in drawn} == {drawn[-1][1]}


async def test_keys_typed_at_the_first_frame_wait_for_the_settings(
    runs_dir: Path, monkeypatch
) -> None:
    before = ["filter", "presets", "about"]
    keys = ["tab"] * len(before)

    def type_them(app: TuitrainApp) -> None:
        while keys:
            key = Key(keys.pop(), None)
            key.set_sender(app)  # not the screen that is being drawn
            app.post_message(key)

    monkeypatch.setattr(TuitrainApp, "post_display_hook", type_them)
    app = TuitrainApp(runs_dir)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.focused and app.focused.id not in before, "the keys to act")
        assert isinstance(app.focused, MarkSelect)


async def test_what_is_found_out_while_the_screen_is_left_is_dropped(
    runs_dir: Path, monkeypatch
) -> None:
    left, asked = threading.Event(), threading.Event()

    def found_late(place: Path) -> dict[str, Preset]:
        asked.set()
        left.wait(10)
        return {}

    monkeypatch.setattr(tuitrain.ui.screens.setup, "own", found_late)
    monkeypatch.setattr(Filter, "on_unmount", lambda entry: left.set(), raising=False)
    app = TuitrainApp(runs_dir)
    async with app.run_test() as pilot:
        await until(pilot, asked.is_set, "the search for presets")
    assert left.is_set()  # and leaving raised nothing


async def test_a_search_that_fails_is_told_and_ends_nothing(opened, monkeypatch) -> None:
    def broken(*_: object) -> None:
        raise LookupError("a file or a driver")

    monkeypatch.setattr(tuitrain.ui.screens.setup, "own", broken)
    monkeypatch.setattr(tuitrain.ui.app, "devices", broken)
    async with opened() as pilot:
        await until(pilot, lambda: len(pilot.app._notifications) == 2, "both are told")
        assert all("a file or a driver" in note.message for note in pilot.app._notifications)
        await pilot.press("i", "r", "i", "s")
        await until(pilot, lambda: pilot.app.screen.chosen == "iris", "the filter works")


async def test_devices_are_offered_while_presets_are_still_looked_for(opened, monkeypatch) -> None:
    found = threading.Event()

    def found_late(place: Path) -> dict[str, Preset]:
        found.wait(PATIENCE)
        return {}

    monkeypatch.setattr(tuitrain.ui.screens.setup, "own", found_late)
    monkeypatch.setattr(tuitrain.ui.app, "devices", lambda: ["auto", "a device"])
    async with opened() as pilot:
        menu = pilot.app.screen.query_one("#device-menu", Select)
        offered = lambda: ("a device", "a device") in menu._options  # noqa: E731
        await until(pilot, offered, "the device")
        assert not found.is_set()
        found.set()


HANGING = """
import sys, time
from pathlib import Path
from tuitrain.ui import app
from tuitrain.ui.screens import setup

def hang(*_):
    print("hangs", flush=True)
    screens[0].app.call_later(screens[0].app.exit)
    time.sleep(3600)

screens = []
setup.SetupScreen.on_mount, mounted = lambda self: (screens.append(self), mounted(self)), \
    setup.SetupScreen.on_mount
setup.own = app.devices = hang
app.TuitrainApp(Path(sys.argv[1])).run(headless=True)
"""
"""Files and a driver that never answer, while the application is left."""


def test_what_never_answers_does_not_keep_the_application_from_ending(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", HANGING, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    assert "hangs" in ran.stdout


CRASHING = """
import sys
from tuitrain.cli import main
from tuitrain.ui.screens.setup import SetupScreen

SetupScreen.on_mount = lambda self: 1 / 0
sys.exit(main([]))
"""


def test_a_dashboard_that_crashed_has_an_exit_code_that_says_so(tmp_path: Path) -> None:
    child = pexpect.spawn(
        sys.executable, ["-c", CRASHING], cwd=str(tmp_path), timeout=PATIENCE, dimensions=(24, 80)
    )
    child.expect("ZeroDivisionError")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 1


@pytest.mark.parametrize("key", ["ctrl+q", "ctrl+c"])
async def test_leaving_out_of_the_question_on_the_way_back_quits(opened, key: str) -> None:
    async with opened() as pilot:
        shown = await start(pilot, "sales-mse", **LONG)
        await pilot.press("b")
        await opens(pilot, LeaveDialog)
        await pilot.press(key)
        await until(pilot, lambda: pilot.app.return_code == 0, "end")
        assert pilot.app.left_running == {shown.folder.id: shown.folder}


@pytest.mark.parametrize(("answer", "stays"), [("l", False), ("enter", False), ("escape", True)])
async def test_a_question_about_a_run_that_has_ended_meanwhile_says_so(
    opened, answer: str, stays: bool
) -> None:
    async with opened() as pilot:
        shown = await start(pilot, "sales-mse", **LONG)
        await pilot.press("b")
        await opens(pilot, LeaveDialog)
        send(shown.folder, Stop())
        await until(pilot, lambda: "Training has ended" in page(pilot), "the end is told")
        assert "running" not in page(pilot).split("Training has ended")[1].split("esc stay")[0]
        await pilot.press(answer)
        await opens(pilot, DashboardScreen if stays else SetupScreen)
        assert not pilot.app.left_running


async def test_leaving_at_the_first_frame_ends_in_peace(runs_dir: Path, monkeypatch) -> None:
    monkeypatch.setattr(TuitrainApp, "post_display_hook", lambda app: app.exit())
    app = TuitrainApp(runs_dir)
    await app.run_async(headless=True, size=(120, 40))
    assert app.return_code == 0


@pytest.mark.parametrize(
    ("torch", "offered"), [("2.13.0+cpu", ["auto", "cpu"]), ("2.13.0", ["auto", "cpu", "cuda:0"])]
)
def test_a_gpu_is_offered_where_pytorch_can_use_it(
    torch: str, offered: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tuitrain.record.usage, "version", lambda name: torch)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    with driver(Card("GPU-1")):
        assert devices() == offered
