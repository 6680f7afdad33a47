"""The setup screen: filter, details, settings, what is said about wrong ones."""

from __future__ import annotations

import gc
import subprocess
import sys

import pytest
from textual.widgets import Button, Input, OptionList, Select

from tests.ui.conftest import at_once, choose, dashboard, opens, page, until
from tuitrain.optim import OPTIMIZERS, name_of, summary
from tuitrain.spec.catalogue import catalogue, find
from tuitrain.ui.screens.dashboard import DashboardScreen
from tuitrain.ui.screens.dialogs import HelpDialog
from tuitrain.ui.screens.save_dialog import SaveDialog
from tuitrain.ui.screens.setup import SetupScreen
from tuitrain.ui.widgets.form import Entry, Row, SettingsForm


def entry(pilot, key: str) -> Entry:
    form = pilot.app.screen.query_one(SettingsForm)
    return next(e for e in form.entries if e.setting.key == key)


async def retype(pilot, key: str, text: str) -> None:
    entry(pilot, key).input.value = text
    await pilot.pause()


def test_the_screen_needs_no_torch() -> None:
    code = "import sys, tuitrain.ui.app, tuitrain.ui.screens.dashboard; print(sorted(sys.modules))"
    modules = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert "'textual.app'" in modules
    assert "'torch'" not in modules
    assert "'tuitrain.train" not in modules


FIRST_FRAME = """
import sys
from pathlib import Path
from textual.widgets import Button
from tuitrain.ui import app

def settle(self):
    assert self.screen.query_one("#start", Button).size.width, "nothing has been laid out"
    self.exit([*sys.modules])

app.TuitrainApp._settle = settle
app.devices = lambda: ["auto"]  # they are looked for after the first frame, in a thread
print(*app.TuitrainApp(Path(sys.argv[1])).run(headless=True, size=(120, 40)))
"""
"""What is imported when the first frame is out."""


def test_the_first_frame_waits_for_nothing_that_it_does_not_need(tmp_path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", FIRST_FRAME, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
    )
    found = set(ran.stdout.split())
    late = {"sqlite3", "psutil", "importlib.metadata", "rich.markdown", "pygments", "contourpy"}
    late |= {"numpy.random", "csv"}
    assert "tuitrain.ui.screens.setup" in found
    assert not late & found
    assert not {name for name in found if name.startswith(("tuitrain.worker", "tuitrain.train"))}
    ours = {name for name in found if name.startswith("tuitrain.record.")}
    assert ours <= {"tuitrain.record.directory"}
    screens = {name for name in found if name.startswith("tuitrain.ui.screens.")}
    assert screens == {"tuitrain.ui.screens.setup", "tuitrain.ui.screens.fitted"}


async def test_the_first_screen_is_the_only_one_and_complete(opened) -> None:
    async with opened() as pilot:
        assert [type(screen) for screen in pilot.app.screen_stack] == [SetupScreen]
        form = pilot.app.screen.query_one(SettingsForm)
        assert form.shown == pilot.app.screen.chosen == next(iter(catalogue()))
        assert not form.plan.drafts[form.shown].changes  # menus that fill choose nothing
        assert "Start training" in page(pilot)


async def test_nothing_is_expected_of_other_settings(opened) -> None:
    async with opened(size=(200, 60)) as pilot:
        expected = " ".join(find("line-fit").expectation.split())[:40]
        told = lambda: " ".join(page(pilot).split())  # noqa: E731
        await until(pilot, lambda: expected in told(), "expectation")
        await retype(pilot, "optimizer.lr", "0.01")
        await until(pilot, lambda: expected not in told(), "none of another rate")
        assert "formula" in page(pilot)
        await pilot.press("ctrl+r")
        await until(pilot, lambda: expected in told(), "expectation again")


async def test_by_mouse_alone(opened) -> None:
    async with opened() as pilot:
        listed = pilot.app.screen.query_one("#presets", OptionList)
        row = (
            page(pilot)
            .splitlines()[listed.region.y :]
            .index(next(line for line in page(pilot).splitlines() if "sales-mse" in line))
        )
        await pilot.click(listed, offset=(8, row))
        assert pilot.app.screen.chosen == "sales-mse"
        await pilot.click("#start")
        await opens(pilot, DashboardScreen)
        assert list(dashboard(pilot).folder.experiment.presets) == ["sales-mse"]


async def test_every_setting_back_is_the_device_too(opened) -> None:
    async with opened() as pilot:
        menu = pilot.app.screen.query_one("#device-menu", Select)
        await until(pilot, lambda: ("cpu", "cpu") in menu._options, "devices")
        menu.value = "cpu"
        await pilot.pause()
        assert "• device" in page(pilot)
        assert "1 changed" in page(pilot)
        await pilot.press("down", "up")
        assert menu.value == "cpu"
        await pilot.press("ctrl+r")
        assert menu.value == "auto"
        await until(pilot, lambda: "unchanged from the preset" in page(pilot), "count")
        assert "• device" not in page(pilot)


async def test_every_preset_tells_what_it_is(opened) -> None:
    async with opened(size=(200, 60)) as pilot:
        for name, preset in catalogue().items():
            pilot.app.screen._choose(name)
            await pilot.pause()
            text = " ".join(page(pilot).split())
            assert preset.title in text
            for word in ("formula", "expect", "size", "source", "parameters =", "multiply-adds ="):
                assert word in text, name
            assert " ".join(preset.story.split()[:6]) in text


WRONG = {
    "optimizer.lr": ("-1", "cannot be -1"),
    "train.steps": ("0", "at least 1"),
    "train.batch": ("99", "at most 32, the rows of the data"),
    "train.seed": ("x", "whole number"),
    "schedule": ("cosin", "cosine"),
    "loss.cost": ("nan", "finite"),
    "optimizer.weight_decay": ("inf", "finite"),
}


async def test_what_is_wrong_stands_beneath_and_keeps_it_from_starting(opened) -> None:
    async with opened(size=(80, 24)) as pilot:
        await choose(pilot, "cost1")
        for key, (text, reason) in WRONG.items():
            await retype(pilot, key, text)
            row = next(r for r in pilot.app.screen.query(Row) if entry(pilot, key) in r.entries)
            said = str(row.error.content)
            assert said.startswith("✗"), key
            assert reason in said, key
            assert row.error.region.y > entry(pilot, key).region.y
            assert pilot.app.screen.query_one("#start", Button).disabled
            await pilot.press("ctrl+s")
            assert pilot.app.focused is entry(pilot, key).input
            await pilot.press("ctrl+r")
            assert not pilot.app.screen.query_one("#start", Button).disabled
            assert not row.error.display


async def test_changed_settings_are_marked(opened) -> None:
    async with opened() as pilot:
        await retype(pilot, "optimizer.lr", "0.01")
        assert "• learning rate" in page(pilot)
        assert "1 changed" in page(pilot)
        await retype(pilot, "optimizer.lr", "0.027")
        assert "• learning rate" not in page(pilot)
        assert "unchanged from the preset" in page(pilot)


async def test_another_optimizer_brings_its_own_defaults(opened) -> None:
    async with opened() as pilot:
        pilot.app.screen.query_one("#optimizer", Select).value = "adam"
        await pilot.pause()
        assert entry(pilot, "optimizer.lr").input.value == "0.001"
        assert entry(pilot, "optimizer.beta1").input.value == "0.9"
        assert "• optimizer" in page(pilot)
        await retype(pilot, "optimizer.beta1", "0.8")
        preset, errors = pilot.app.screen.drafts["line-fit"].checked()
        assert not errors
        assert (preset.optimizer.beta1, preset.optimizer.lr) == (0.8, 0.001)
        pilot.app.screen.query_one("#optimizer", Select).value = "sgd"
        await pilot.pause()
        assert entry(pilot, "optimizer.lr").input.value == "0.027"


async def test_settings_are_kept_while_another_preset_is_looked_at(opened) -> None:
    async with opened() as pilot:
        await retype(pilot, "train.steps", "77")
        await pilot.press("down", "up")
        await pilot.pause()
        assert entry(pilot, "train.steps").input.value == "77"


async def test_tab_goes_from_the_filter_to_the_start_button(opened) -> None:
    async with opened(size=(80, 24)) as pilot:
        seen = []
        for _ in range(30):
            await pilot.press("tab")
            focused = pilot.app.focused
            seen.append(focused.id or focused.parent.setting.key)
            if focused.id == "start":
                break
        assert seen[:3] == ["presets", "about", "optimizer"]
        assert seen[3:6] == ["optimizer.lr", "optimizer.weight_decay", "schedule"]
        assert seen[6:10] == ["train.steps", "train.batch", "train.seed", "device-menu"]
        assert seen[10:13] == ["loss.kind", "regularisation.l1", "regularisation.l2"]
        assert seen[13:] == ["data.test", "data.shuffle", "data.standardise", "start"]


async def test_help_lists_the_table_of_keys(opened) -> None:
    async with opened() as pilot:
        await pilot.press("f1")
        assert isinstance(pilot.app.screen, HelpDialog)
        await pilot.pause()
        assert "Find a preset by typing" in page(pilot)


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_the_important_is_visible_at_every_size(opened, size: tuple[int, int]) -> None:
    async with opened(size=size) as pilot:
        await choose(pilot, "cost1")
        text = page(pilot)
        focus = pilot.app.screen.query_one("#start", Button).region
    for word in ("Presets", "sales-cost1-profit99", "Settings", "optimizer", "learning rate"):
        assert word in text
    for word in ("steps", "batch", "seed", "device", "schedule", "Start training", "auto"):
        assert word in text
    assert focus.bottom <= size[1]


@pytest.mark.parametrize("size", [(60, 18), (45, 12)])
async def test_a_terminal_that_is_too_small_shows_values_beside_their_labels(
    opened, size: tuple[int, int]
) -> None:
    async with opened(size=size) as pilot:
        await choose(pilot, "cost1")
        await pilot.pause()
        lines = page(pilot).splitlines()
        for label, value in {"optimizer": "sgd", "learning rate": "0.002"}.items():
            assert any(label in line and value in line for line in lines), label
        assert "Start training" in lines[-2]
        assert "^s start" in lines[-1]
        assert not pilot.app.screen.query_one("#preview").region


async def test_a_terminal_without_room_says_what_it_needs(opened) -> None:
    async with opened(size=(30, 10)) as pilot:
        assert " ".join(page(pilot).split()) == "tuitrain needs a terminal of 80x24 or more"
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: "Start training" in page(pilot), "the screen")
        assert "needs a terminal" not in page(pilot)


async def test_the_menu_tells_what_each_optimizer_is(opened) -> None:
    async with opened() as pilot:
        menu = pilot.app.screen.query_one("#optimizer", Select)
        menu.focus()
        await pilot.press("enter")
        await until(pilot, lambda: menu.expanded, "menu")
        await until(pilot, lambda: "Every parameter moves by lr" in page(pilot), "descriptions")
        for name, rule in OPTIMIZERS.items():
            [line] = [line for line in page(pilot).splitlines() if f" {name:8}  " in line]
            assert summary(rule).split()[-1].rstrip(".") in line, name
        await pilot.press(
            "l", "i", "enter"
        )  # a name, though others are described with these letters
        await until(pilot, lambda: menu.value == "lion", f"lion, not {menu.value}")
        assert "Every parameter moves by lr" not in page(pilot)


async def test_garbage_is_collected_again_after_the_first_frame(opened) -> None:
    gc.disable()
    try:
        async with opened() as pilot:
            await until(pilot, gc.isenabled, "garbage collection")
    finally:
        gc.unfreeze()
        gc.enable()


def test_the_first_frame_waits_for_no_driver() -> None:
    code = "import sys, tuitrain.ui.app; print('pynvml' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "False"


@pytest.mark.parametrize("typed", ["0.0125", "1e-3"])
async def test_keys_typed_in_one_go_act_in_their_order(opened, typed: str) -> None:
    async with opened() as pilot:
        await choose(pilot, "cost1")
        field = entry(pilot, "optimizer.lr").input
        field.focus()
        await pilot.pause()
        keys = [*["backspace"] * 8, *typed, "left", "backspace", typed[-2], "end", "tab"]
        at_once(pilot, *keys)
        await until(pilot, lambda: not field.has_focus, "the last key")
        assert field.value == typed
        await pilot.pause()
        checked = pilot.app.screen.plan.checked(pilot.app.screen.chosen)
        assert checked.shown.optimizer.lr == float(typed)


async def test_letters_behind_a_key_that_moves_the_focus_are_not_for_the_filter(opened) -> None:
    async with opened() as pilot:
        entry = pilot.app.screen.query_one("#filter", Input)
        at_once(pilot, "i", "r", "i", "s", "enter", "x", "y")
        await until(pilot, lambda: not entry.has_focus, "start button")
        await pilot.pause()
        assert entry.value == "iris"


async def test_letters_in_front_of_a_key_that_moves_the_focus_are_for_the_filter(opened) -> None:
    async with opened() as pilot:
        entry = pilot.app.screen.query_one("#filter", Input)
        at_once(pilot, "i", "r", "i", "s", "tab")
        await until(pilot, lambda: not entry.has_focus, "list")
        assert entry.value == "iris"


async def test_what_is_typed_ahead_as_far_as_into_a_menu_is_what_trains(opened) -> None:
    async with opened() as pilot:
        shown = pilot.app.screen
        at_once(pilot, "i", "r", "i", "s", "tab", "tab", "tab", "enter", "a", "d", "enter")
        menu = shown.query_one("#optimizer", Select)
        await until(pilot, lambda: menu.value == "adagrad", f"choice, not {menu.value}")
        await until(pilot, lambda: shown.plan.changed("iris"), "in the plan")
        assert name_of(shown.plan.checked("iris").shown.optimizer) == "adagrad"


async def test_letters_behind_a_key_that_opens_a_dialog_are_for_the_dialog(opened) -> None:
    async with opened() as pilot:
        entry = pilot.app.screen.query_one("#filter", Input)
        at_once(pilot, "ctrl+p", "end", "x", "y")
        dialog = await opens(pilot, SaveDialog)
        name = dialog.query_one("#file", Input)
        await until(pilot, lambda: name.value.endswith(".tomlxy"), f"letters, not {name.value}")
        assert entry.value == ""


async def test_what_is_typed_ahead_behind_tab_goes_where_it_leads(opened) -> None:
    async with opened() as pilot:
        at_once(pilot, "tab", "tab", "tab", "enter")
        menu = pilot.app.screen.query_one("#optimizer", Select)
        await until(pilot, lambda: menu.expanded, "menu")
