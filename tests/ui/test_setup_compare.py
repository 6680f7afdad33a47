"""The setup screen with several presets, optimizers, rates or seeds: marks, product, start."""

# ruff: noqa: RUF001

from __future__ import annotations

import pytest
from textual.widgets import Button, Input, OptionList

from tests.ui.conftest import choose, opens, page, until
from tests.ui.test_setup import entry, retype
from tuitrain.record.folder import experiments
from tuitrain.record.reader import StoreReader
from tuitrain.spec.comparison import MAX_RUNS, compare
from tuitrain.spec.overrides import override
from tuitrain.ui.screens.compare import CompareScreen
from tuitrain.ui.screens.dashboard import DashboardScreen
from tuitrain.ui.widgets import marks
from tuitrain.ui.widgets.form import Row
from tuitrain.ui.widgets.marks import MarkSelect

SALES = ["sales-mse", "sales-cost1-profit99", "sales-cost99-profit1"]


def label(pilot) -> str:
    return str(pilot.app.screen.query_one("#start", Button).label)


def said(pilot, key: str) -> str:
    """What stands beneath a setting."""
    row = next(r for r in pilot.app.screen.query(Row) if entry(pilot, key) in r.entries)
    return str(row.error.content) if row.error.display else ""


async def mark_presets(pilot, count: int = 3) -> None:
    """Mark the first presets of the sales by keys."""
    await choose(pilot, "sales")
    await pilot.press("tab", "home")
    for number in range(count):
        await pilot.press(*["down"] * (number > 0), "space")
    await pilot.pause()


async def mark_optimizers(pilot, *names: str) -> None:
    """Mark optimizers in the menu by keys."""
    pilot.app.screen.query_one(MarkSelect).focus()
    await pilot.press("enter")
    for name in names:
        await pilot.press(*name, "space")
    await pilot.press("enter")
    await pilot.pause()


async def test_space_marks_presets_in_the_list_and_is_a_letter_in_the_filter(opened) -> None:
    async with opened() as pilot:
        screen = pilot.app.screen
        await choose(pilot, "yogurt 99")
        assert screen.query_one("#filter", Input).value == "yogurt 99"
        assert not screen.plan.marked
        await pilot.press("escape")
        await mark_presets(pilot)
        assert screen.plan.marked == set(SALES)
        text = page(pilot)
        assert "Presets, 3 marked" in text
        assert all(f"✓ {name}" in text for name in SALES)
        assert "space mark" in text.splitlines()[-1]
        assert label(pilot) == "Start comparison: 3 presets = 3 runs"
        await pilot.press("space")
        await pilot.pause()
        assert "✓ sales-cost99-profit1" not in page(pilot)
        assert label(pilot) == "Start comparison: 2 presets = 2 runs"
        assert "Settings of sales-cost99-profit1 (not marked)" in page(pilot)
        await pilot.press("escape")
        await pilot.press(*"line")
        assert "2 marked" in page(pilot)
        assert label(pilot) == "Start comparison: 2 presets = 2 runs"


async def test_a_click_before_a_name_marks_it_and_on_the_name_takes_it(opened) -> None:
    async with opened() as pilot:
        screen = pilot.app.screen
        await choose(pilot, "sales")
        row = screen.query_one("#presets", OptionList)
        await pilot.click(row, offset=(0, 2))
        await pilot.pause()
        assert screen.plan.marked == {"sales-cost1-profit99"}
        assert screen.chosen == "sales-mse"
        assert label(pilot) == "Start training sales-cost1-profit99"
        await pilot.click(row, offset=(6, 3))
        await pilot.pause()
        assert screen.chosen == "sales-cost99-profit1"
        assert screen.plan.marked == {"sales-cost1-profit99"}
        assert pilot.app.focused is screen.query_one("#start")


async def test_clicks_in_the_menu_mark_optimizers(opened) -> None:
    async with opened() as pilot:
        screen = pilot.app.screen
        select = screen.query_one(MarkSelect)
        await pilot.click(select)
        await pilot.pause()
        await pilot.click(select.menu, offset=(1, 1))
        await pilot.click(select.menu, offset=(6, 4))
        await pilot.pause()
        assert select.expanded
        assert select.menu.marked == {select.menu.names[1], select.menu.names[4]}
        await pilot.press("escape")
        await pilot.pause()
        assert screen.plan.optimizers == {"sgdm", "adagrad"}
        assert label(pilot) == "Start comparison: 2 optimizers = 2 runs"


async def test_the_marks_are_letters_where_only_ascii_is_drawn(opened, monkeypatch) -> None:
    async with opened() as pilot:
        monkeypatch.setattr(marks, "ASCII", True)
        await mark_presets(pilot, 1)
        assert "x sales-mse" in page(pilot)


@pytest.mark.parametrize(
    ("size", "told"),
    [
        ((80, 24), "Start comparison: 3 × 5 × 4 × 8 = 480 runs"),
        ((120, 40), "Start comparison: 3 presets × 5 optimizers × 4 rates × 8 seeds = 480 runs"),
        ((200, 60), "Start comparison: 3 presets × 5 optimizers × 4 rates × 8 seeds = 480 runs"),
    ],
)
async def test_the_product_is_shown_before_the_start(opened, size, told: str) -> None:
    async with opened(size=size) as pilot:
        await mark_presets(pilot)
        await mark_optimizers(pilot, "sgd", "sgdm", "adagrad", "rmsprop", "adam")
        assert "5: s" in page(pilot)
        assert [entry(pilot, key).input.value for key in ("optimizer.lr", "train.seed")] == ["", ""]
        await retype(pilot, "train.seed", "0:8")
        await retype(pilot, "optimizer.lr", "1e-4:1e-1:log:4")
        assert told in page(pilot)
        for word in ("optimizers", "rates for all", "seeds for all", "Settings of sales-cost99"):
            assert word in page(pilot)
        assert "weight decay" not in page(pilot)  # of which optimizer?
        await retype(pilot, "optimizer.lr", "")
        assert "= 120 runs" in page(pilot)


WRONG = [
    ("optimizer.lr", "1e-3,x", "'x' is not a number"),
    ("optimizer.lr", "1e-3,", "an item is empty"),
    ("optimizer.lr", "1:1e-4:log:3", "is empty; expected the smaller number first"),
    ("optimizer.lr", "1e-4:1:exp:3", "is no range; expected numbers such as"),
    ("optimizer.lr", "0.1,-1", "cannot be -1.0; expected 0 or more"),
    ("optimizer.lr", "0:1:lin:5001", "10,002 runs"),
    ("train.seed", "3:3", "'3:3' names no seed; expected a seed, 0:8 or 0,3,5"),
    ("train.seed", "0:x", "'0:x' names no seed"),
    ("train.seed", "0,x", "'0,x' names no seed"),
    ("train.seed", "0:8000", "16,000 runs (2 optimizers x 8,000 seeds) are too many"),
    ("train.seed", "0:99999999999", "seed 99999999998; expected at most 4294967295"),
]


async def test_what_is_wrong_with_a_list_stands_beneath_it(opened, runs_dir) -> None:
    async with opened(size=(80, 24)) as pilot:
        screen = pilot.app.screen
        await mark_optimizers(pilot, "sgd", "adam")
        assert label(pilot).startswith("Start comparison")
        for key, text, problem in WRONG:
            screen.query_one(MarkSelect).focus()
            await retype(pilot, key, text)
            assert said(pilot, key).startswith("✗"), text
            assert problem in said(pilot, key)
            assert screen.query_one("#start", Button).disabled, text
            await pilot.press("ctrl+s")
            await pilot.pause()
            assert pilot.app.focused is entry(pilot, key).input, text
            assert not experiments(runs_dir)
            await retype(pilot, key, "")
            await retype(pilot, key, "0.1,0.2" if key == "optimizer.lr" else "5")
            assert not said(pilot, key), text
            assert not screen.query_one("#start", Button).disabled, text
            await retype(pilot, key, "")
    assert MAX_RUNS == 10_000


async def test_one_preset_with_a_list_of_rates_keeps_the_rest(opened) -> None:
    async with opened() as pilot:
        await retype(pilot, "optimizer.weight_decay", "0.1")
        await retype(pilot, "optimizer.lr", "1e-3,1e-2")
        assert label(pilot) == "Start comparison: 2 rates = 2 runs"
        checked = pilot.app.screen.plan.checked("line-fit")
        rules = [run.optimizer for run in checked.experiment.runs]
        assert [(rule.lr, rule.weight_decay) for rule in rules] == [(0.001, 0.1), (0.01, 0.1)]
        await retype(pilot, "optimizer.lr", "0.5")
        assert label(pilot) == "Start training"
        await pilot.press("ctrl+r")
        assert entry(pilot, "optimizer.lr").input.value == "0.027"


async def test_a_wrong_setting_of_another_marked_preset_is_shown_at_the_start(opened) -> None:
    async with opened() as pilot:
        screen = pilot.app.screen
        await mark_presets(pilot, 1)
        await retype(pilot, "train.steps", "0")
        await pilot.press("down", "space")
        await pilot.pause()
        assert "✗ a setting of sales-mse is wrong" in page(pilot)
        assert screen.query_one("#start", Button).disabled
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert screen.chosen == "sales-mse"
        assert pilot.app.focused is entry(pilot, "train.steps").input


async def test_a_comparison_starts_with_each_presets_own_settings(opened, runs_dir) -> None:
    async with opened() as pilot:
        screen = pilot.app.screen
        await choose(pilot, "sales")
        await pilot.press("tab")
        for name, steps in zip(SALES, ("40", "50", "60"), strict=True):
            assert screen.chosen == name
            await pilot.press("space")
            await retype(pilot, "train.steps", steps)
            await pilot.press("down")
            await pilot.pause()
        await mark_optimizers(pilot, "adam", "sgd")
        await retype(pilot, "train.seed", "3,7")
        await pilot.press("ctrl+s")
        shown = await opens(pilot, CompareScreen)
        await until(pilot, lambda: shown.recording.status.state == "finished", "end")
        [folder] = experiments(runs_dir)
        changed = [
            override(screen.presets[name], {"train.steps": steps})
            for name, steps in zip(SALES, (40, 50, 60), strict=True)
        ]
        expected = compare(changed, optimizers=["sgd", "adam"], seeds=[3, 7])
        assert folder.experiment.runs == expected.runs
        assert folder.experiment.presets == expected.presets
        assert folder.experiment.pace is None
        results = StoreReader(folder.database).runs()
        assert [result.steps for result in results] == [40] * 4 + [50] * 4 + [60] * 4
        await pilot.press("b")
        await until(pilot, lambda: pilot.app.screen is screen, "setup")
        assert label(pilot) == ("Start comparison: 3 presets × 2 optimizers × 2 seeds = 12 runs")


async def test_a_product_of_one_is_a_training_like_any_other(opened) -> None:
    async with opened() as pilot:
        await mark_optimizers(pilot, "adam")
        assert label(pilot) == "Start training"
        await pilot.press("ctrl+s")
        experiment = (await opens(pilot, DashboardScreen)).folder.experiment
        assert [run.optimizer.lr for run in experiment.runs] == [0.001]
        assert experiment.pace is not None
