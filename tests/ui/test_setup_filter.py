"""The filter of the setup screen: what it finds, and what is said where it finds nothing."""

from __future__ import annotations

import pytest
from textual.widgets import Button, Input, OptionList

from tests.ui.conftest import choose, dashboard, opens, page, until
from tests.ui.test_setup import entry
from tuitrain.spec.catalogue import catalogue, find
from tuitrain.spec.load import to_toml
from tuitrain.ui.screens.dashboard import DashboardScreen
from tuitrain.ui.screens.setup import SetupScreen
from tuitrain.ui.widgets.form import SettingsForm


async def test_filter_narrows_and_escape_clears(opened) -> None:
    async with opened() as pilot:
        listed = pilot.app.screen.query_one("#presets", OptionList)
        names = {option.id for option in listed.options if option.id}
        assert names == set(catalogue())
        await choose(pilot, "yogurt 99")
        names = {option.id for option in listed.options if option.id}
        assert names == {"sales-cost1-profit99", "sales-cost99-profit1"}
        await pilot.press("down")
        assert pilot.app.screen.chosen == "sales-cost99-profit1"
        await pilot.press("escape")
        assert pilot.app.screen.query_one("#filter", Input).value == ""
        assert pilot.app.screen.chosen == "sales-cost99-profit1"
        await choose(pilot, "zzz")
        assert "nothing matches" in page(pilot)
        start = pilot.app.screen.query_one("#start", Button)
        assert start.disabled
        assert str(start.label) == "Nothing to start"
        assert "no preset matches" in page(pilot)
        await pilot.press("escape")
        await until(pilot, lambda: not start.disabled, "something to start")
        assert "Start training" in page(pilot)
        await choose(pilot, "missing.toml")
        assert start.disabled
        assert "this file is no preset" in page(pilot)


@pytest.mark.parametrize(
    ("typed", "best"),
    [
        ("sp", "spiral"),
        ("parabola-d", "parabola-decay"),
        ("iris", "iris"),
        ("mlp digits", "digits-mlp"),
    ],
)
async def test_the_best_match_of_what_is_typed_is_first_and_chosen(
    opened, typed: str, best: str
) -> None:
    async with opened() as pilot:
        screen = pilot.app.screen
        await choose(pilot, "iris")  # which matches "sp" as well, by the species in its title
        screen.query_one("#filter", Input).value = typed
        await until(pilot, lambda: screen.chosen == best, f"the choice, not {screen.chosen}")
        listed = screen.query_one("#presets", OptionList)
        assert next(option.id for option in listed.options if option.id) == best
        assert listed.highlighted == listed.get_option_index(best)
        assert entry(pilot, "optimizer.lr").input.value == str(find(best).optimizer.lr)


async def test_where_nothing_matches_no_preset_is_described(opened) -> None:
    async with opened() as pilot:
        chosen = find(pilot.app.screen.chosen)
        assert chosen.title in page(pilot)
        await choose(pilot, "zzz")
        for text in (chosen.title, chosen.story[:20], "learning rate", "y vs x"):
            assert text not in page(pilot)
        await pilot.press("ctrl+r", "tab", "tab", "tab")  # there is nothing to reset or to set
        assert pilot.app.focused.id in {"presets", "about", "filter"}
        assert chosen.title not in page(pilot)
        await pilot.press("escape", "escape")
        await until(pilot, lambda: chosen.title in page(pilot), "description")
        assert "learning rate" in page(pilot)


async def test_the_footer_offers_the_filter_by_the_keys_that_lead_to_it(opened) -> None:
    async with opened() as pilot:
        pilot.app.screen.query_one(SettingsForm).focus_start()
        await until(pilot, lambda: "/ esc filter" in page(pilot), "both")
        entry(pilot, "optimizer.lr").input.focus()
        await until(pilot, lambda: "/ esc filter" not in page(pilot), "where / is a letter")
        assert "esc filter" in page(pilot)


async def test_a_path_in_the_filter_offers_the_users_own_preset(opened, tmp_path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(to_toml(find("line-fit")).replace("0.027", "0.021"))
    async with opened() as pilot:
        entry_of_filter = pilot.app.screen.query_one("#filter", Input)
        entry_of_filter.value = str(file)[:-3]
        # there is no such file or directory
        await until(pilot, lambda: "directory;" in page(pilot), "reason")
        await pilot.press("enter", "enter", "ctrl+s")
        assert isinstance(pilot.app.screen, SetupScreen)
        assert pilot.app.focused is entry_of_filter
        entry_of_filter.value = str(file)
        await until(pilot, lambda: pilot.app.screen.chosen == str(file), "the file's preset")
        assert entry(pilot, "optimizer.lr").input.value == "0.021"
        await pilot.press("enter", "enter")
        await opens(pilot, DashboardScreen)
        [run] = dashboard(pilot).folder.experiment.runs
        assert run.optimizer.lr == 0.021


async def test_a_wrong_file_is_explained_and_nothing_starts(opened, tmp_path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(to_toml(find("line-fit")).replace("0.027", "-1"))
    async with opened(size=(200, 60)) as pilot:
        pilot.app.screen.query_one("#filter", Input).value = str(file)
        told = "cannot be -1"
        await until(pilot, lambda: told in " ".join(page(pilot).split()), "reason")
        await pilot.press("enter", "enter")
        pilot.app.screen.query_one("#filter", Input).value = "zzz"
        await pilot.press("enter", "enter", "f5")
        assert isinstance(pilot.app.screen, SetupScreen)


async def test_a_slash_before_a_word_does_not_make_it_a_path(opened) -> None:
    async with opened() as pilot:
        for key in ("slash", "i", "r", "i", "s"):
            await pilot.press(key)
        await until(pilot, lambda: pilot.app.screen.chosen == "iris", "iris")
        assert "Nothing to start" not in page(pilot)
