"""The window with the source of an update step."""

from __future__ import annotations

import inspect

from textual.widgets import Static

from tests.ui.conftest import opens, page
from tuitrain.optim import OPTIMIZERS, hyperparameters, summary
from tuitrain.ui.screens.dialogs import SourceDialog
from tuitrain.ui.screens.setup import SetupScreen


async def test_the_step_that_runs_comes_first_then_its_settings_and_what_it_is(opened) -> None:
    async with opened() as pilot:
        for name, rule in OPTIMIZERS.items():
            pilot.app.push_screen(SourceDialog(rule(), 0.125))
            dialog = await opens(pilot, SourceDialog)
            await pilot.pause()
            shown = page(pilot)
            lines = [line.strip() for line in inspect.getsource(rule.step).splitlines()]
            places = [shown.index(line) for line in lines]
            assert places == sorted(places), name
            assert places[-1] < shown.index("0.125") < shown.index(summary(rule)[:60]), name
            table = dialog.query(Static)[1].content
            names, values, meanings = ([*column.cells] for column in table.columns)  # type: ignore[union-attr]
            assert names == [*hyperparameters(rule)], name
            assert values[0] == "0.125", name
            assert all(str(meaning).endswith(".") for meaning in meanings), name
            await pilot.press("escape")
            await opens(pilot, SetupScreen)
