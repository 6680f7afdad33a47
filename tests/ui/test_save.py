"""Saving the settings as a preset: the file, what it trains, what may go wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from msgspec.structs import replace
from textual.widgets import Input, OptionList

from tests.cli.conftest import Command
from tests.ui.conftest import choose, dashboard, opens, page, state, until
from tests.ui.test_setup import entry, retype
from tests.ui.test_setup_networks import pick
from tuitrain.record.reader import StoreReader
from tuitrain.spec.catalogue import find
from tuitrain.spec.load import load_file
from tuitrain.spec.overrides import override
from tuitrain.spec.write import to_file
from tuitrain.ui.screens.dashboard import DashboardScreen
from tuitrain.ui.screens.save_dialog import SaveDialog
from tuitrain.ui.screens.setup import SetupScreen


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory in which the application runs."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def problem(pilot) -> str:
    return str(pilot.app.screen.query_one("#file-problem").content)


async def test_what_is_saved_is_offered_and_trains_the_same(opened, here: Path, runs_dir) -> None:
    changes = {
        "model.hidden": "8",
        "data.noise": "0.5",
        "optimizer.lr": "0.02",
        "train.epochs": "3",
    }
    async with opened() as pilot:
        setup = pilot.app.screen
        await pick(pilot, "spiral")
        for key, text in changes.items():
            await retype(pilot, key, text)
        await pilot.press("ctrl+p")
        assert isinstance(pilot.app.screen, SaveDialog)
        assert pilot.app.screen.query_one(Input).value == "spiral-mine.toml"
        await pilot.press("enter")
        await until(pilot, lambda: pilot.app.screen is setup, "setup screen")
        await pilot.pause()
        assert setup.chosen == "spiral-mine.toml"
        assert setup.query_one("#filter", Input).cursor_position == len("spiral-mine.toml")
        listed = setup.query_one("#presets", OptionList)
        assert [option.id for option in listed.options] == [None, "spiral-mine.toml"]
        assert "Your own" in page(pilot)
        assert entry(pilot, "model.hidden").input.value == "8"
        assert "unchanged from the preset" in page(pilot)
        await pick(pilot, "spiral")  # whose settings are as they were left
        assert entry(pilot, "model.hidden").input.value == "8"
        await pilot.press("ctrl+s")
        await opens(pilot, DashboardScreen)
        await until(pilot, lambda: state(pilot) == "running", "worker")
        await pilot.press("f")
        await until(pilot, lambda: state(pilot) == "finished", "end")
        [shown] = StoreReader(dashboard(pilot).folder.database).runs()

    file = here / "spiral-mine.toml"
    wanted = override(find("spiral"), changes | {"model.hidden": [8]})
    # Formula and expectation were written for the preset's own layers.
    wanted = replace(wanted, formula="", expectation="")
    assert load_file(file) == replace(wanted, name="spiral-mine", topic="Your own", order=1_000)
    text = file.read_text()
    assert text.startswith("# Made from spiral by tuitrain.\n")
    assert "[expected" not in text
    tuitrain = Command(runs_dir.with_name("others"))
    checked = tuitrain("presets", "check", file)
    assert (checked.returncode, checked.stderr) == (0, "")
    ran = tuitrain("run", file, "--json", "--quiet")
    assert ran.returncode == 0
    [run] = json.loads(ran.stdout)["runs"]
    assert run["steps"] == shown.steps == 30
    assert run["final_loss"] == shown.final_loss
    assert run["metrics"] == shown.metrics


async def test_nothing_is_overwritten_unasked(opened, here: Path) -> None:
    file = here / "mine.toml"
    file.write_text("precious")
    async with opened() as pilot:
        setup = pilot.app.screen
        await retype(pilot, "optimizer.lr", "0.01")
        await pilot.press("f2")
        name = pilot.app.screen.query_one(Input)
        name.value = "mine"  # the suffix is added
        await pilot.press("enter")
        assert "mine.toml exists already" in problem(pilot)
        assert file.read_text() == "precious"
        name.value = "mine.tom"
        await pilot.pause()
        assert not problem(pilot)
        name.value = "mine"
        await pilot.pause()
        await pilot.press("enter")  # asked anew: another name was typed between
        assert "exists already" in problem(pilot)
        assert file.read_text() == "precious"
        await pilot.press("enter")
        await until(pilot, lambda: pilot.app.screen is setup, "setup screen")
        assert load_file(file).optimizer.lr == 0.01
        # One's own preset is saved to its own file, and then taken from it.
        await pilot.pause()
        await retype(pilot, "optimizer.lr", "0.02")
        await pilot.press("ctrl+p")
        assert pilot.app.screen.query_one(Input).value == "mine.toml"
        await pilot.press("enter", "enter")
        await until(pilot, lambda: pilot.app.screen is setup, "setup screen")
        await pilot.pause()
        assert load_file(file).optimizer.lr == 0.02
        assert setup.presets["mine.toml"].optimizer.lr == 0.02
        assert "unchanged from the preset" in page(pilot)


async def test_what_cannot_be_written_is_told(opened, here: Path) -> None:
    (here / "directory.toml").mkdir()
    async with opened(size=(80, 24)) as pilot:
        setup = pilot.app.screen
        await pilot.press("ctrl+p")
        for name, told in {
            "nowhere/mine.toml": "nowhere/mine.toml: No such file or directory",
            "": "missing",
            "~nobody-of-this-name/x": "x.toml",
            "a\0b": "a",
        }.items():
            pilot.app.screen.query_one(Input).value = name
            await pilot.press("enter")
            assert problem(pilot).startswith("✗"), name
            assert told in problem(pilot)
        pilot.app.screen.query_one(Input).value = "directory"
        await pilot.press("enter", "enter")
        assert "directory.toml: Is a directory" in problem(pilot)
        await pilot.press("escape")
        await until(pilot, lambda: pilot.app.screen is setup, "setup screen")
        assert setup.chosen == "line-fit"
    assert [path.name for path in here.iterdir() if path.suffix == ".toml"] == ["directory.toml"]


async def test_what_is_typed_after_saving_replaces_the_name_of_the_file(opened) -> None:
    async with opened() as pilot:
        setup = pilot.app.screen
        await retype(pilot, "train.steps", "77")
        await pilot.press("ctrl+p", "enter")
        await until(pilot, lambda: setup.chosen == "line-fit-mine.toml", "saved")
        await pilot.press("i", "r", "i", "s")
        await until(pilot, lambda: setup.chosen == "iris", "another preset")
        assert setup.query_one("#filter", Input).value == "iris"


async def test_wrong_settings_are_not_saved(opened) -> None:
    async with opened() as pilot:
        await retype(pilot, "train.steps", "0")
        await pilot.press("ctrl+p")
        assert isinstance(pilot.app.screen, SetupScreen)
        assert pilot.app.focused is entry(pilot, "train.steps").input
        await pilot.press("escape")
        await choose(pilot, "zzz")
        await pilot.press("ctrl+p")
        assert isinstance(pilot.app.screen, SetupScreen)


async def test_other_settings_are_saved_without_what_was_expected(opened, here: Path) -> None:
    async with opened() as pilot:
        setup = pilot.app.screen
        await retype(pilot, "optimizer.lr", "0.01")
        await pilot.press("ctrl+p", "enter")
        await until(pilot, lambda: pilot.app.screen is setup, "setup screen")
    saved = load_file(here / "line-fit-mine.toml")
    assert saved.expectation == ""
    assert saved.formula == find("line-fit").formula  # which holds at any learning rate


async def test_an_unchanged_preset_keeps_what_is_expected(opened, here: Path) -> None:
    async with opened() as pilot:
        setup = pilot.app.screen
        await pilot.press("ctrl+p", "enter")
        await until(pilot, lambda: pilot.app.screen is setup, "setup screen")
    assert load_file(here / "line-fit-mine.toml").expected == find("line-fit").expected


async def test_presets_of_the_working_directory_are_listed(opened, here: Path) -> None:
    saved = find("line-fit")
    (here / "mine.toml").write_text(to_file(replace(saved, title="My own line"), "line-fit"))
    (here / "other.toml").write_text('[project]\nname = "no preset"\n')
    (here / "broken.toml").write_text("[")
    async with opened(size=(120, 60)) as pilot:
        setup = pilot.app.screen
        listed = setup.query_one("#presets", OptionList)
        await until(pilot, lambda: listed.options[-1].id == "mine.toml", "own presets")
        assert {"other.toml", "broken.toml"}.isdisjoint(setup.presets)
        assert setup.chosen == "line-fit"
        await choose(pilot, "mine")
        await until(pilot, lambda: setup.chosen == "mine.toml", "found by its name")
        assert "My own line" in page(pilot)
        await pilot.press("ctrl+s")
        await opens(pilot, DashboardScreen)
        assert dashboard(pilot).folder.experiment.presets["mine"].title == "My own line"
