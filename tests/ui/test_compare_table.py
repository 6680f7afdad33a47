"""The table of the comparison screen: order, filter, what is shown, groups and targets."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from rich.text import Text
from textual.widgets import Input

from tests.ui.comparing import ended, names, rows, screen, started
from tests.ui.conftest import opens, page, until
from tuitrain.optim import name_of
from tuitrain.record.folder import ExperimentFolder
from tuitrain.spec.catalogue import find
from tuitrain.spec.comparison import compare
from tuitrain.ui.lines import RUNS, SEEDS, Lines, groupings
from tuitrain.ui.screens.compare_curves import CurvesView
from tuitrain.ui.screens.compare_rows import number, shortened
from tuitrain.ui.screens.setup import SetupScreen
from tuitrain.ui.widgets.runtable import RunTable
from tuitrain.worker.launch import launch


async def test_sorting_by_keys_and_by_clicks(opened, runs_dir: Path) -> None:
    folder = started(runs_dir, learning_rates=[1e-3, 1e-2, 0.1], optimizers=["sgd"])
    async with opened(attach=folder) as pilot:
        await ended(pilot)
        table = screen(pilot).table
        assert table.sort == ("rank", False)
        by_rank = rows(pilot)
        await pilot.press("v")
        assert rows(pilot) == by_rank[::-1]
        place = next(
            left for column, left, _ in table._places(table.size.width) if column.key == "lr"
        )
        await pilot.click(RunTable, offset=(place + 2, 0))
        assert table.sort == ("lr", False)
        assert rows(pilot) == [("line", 0), ("line", 1), ("line", 2)]
        await pilot.click(RunTable, offset=(place + 2, 0))
        assert rows(pilot) == [("line", 2), ("line", 1), ("line", 0)]
        await pilot.press("greater_than_sign")
        assert table.sort == ("state", False)


async def test_lines_that_are_level_stand_as_in_the_ranking_the_fastest_first(
    opened, runs_dir: Path
) -> None:
    folder = started(
        runs_dir, optimizers=["sgd"], learning_rates=[0.1, 0.2, 0.3, 0.6, 1e-4], steps=3000
    )
    async with opened(attach=folder) as pilot:
        shown = await ended(pilot)
        await until(pilot, lambda: len(set(names(pilot))) == 5, "table")
        [standing] = shown.board.standings
        facts = shown.board.facts
        lines = {line.runs: line for line in shown.board.lines}
        assert [r.rank for r in standing.ranking] == [1, 1, 1, 1, 5]
        assert names(pilot) == [lines[r.group.runs].name for r in standing.ranking]
        steps = [facts[number].steps for _, number in rows(pilot)]
        assert steps == sorted(steps)
        assert [facts[number].rank for _, number in rows(pilot)] == [1, 1, 1, 1, 5]
        assert [facts[number].gap for _, number in rows(pilot)][:4] == [0.0] * 4
        await pilot.press("2")
        await until(pilot, lambda: len(shown.views.sweep.sweeps) == 1, "sweep")
        [sweep] = shown.views.sweep.sweeps
        assert sweep.best is not None
        assert sweep.line.groups[sweep.best].runs == standing.ranking[0].group.runs


async def test_the_top_line_tells_the_learning_rates(opened, runs_dir: Path) -> None:
    folder = started(runs_dir, steps=5)
    async with opened(attach=folder) as pilot:
        await ended(pilot)
        top = page(pilot).splitlines()[0]
        assert "steps   lr 0.001 to 0.002, each optimizer its own" in top


async def test_filter_by_words_and_conditions(opened, runs_dir: Path) -> None:
    folder = started(runs_dir, learning_rates=[1e-3, 1e-2], seeds=2)
    async with opened(attach=folder) as pilot:
        shown = await ended(pilot)
        await pilot.press("slash")
        find_box = shown.query_one("#find", Input)
        find_box.value = "lr>=0.01 optimizer=adam"
        await pilot.pause()
        assert names(pilot) == ["adam 0.01"]
        assert [layer.name for layer in shown.query_one(CurvesView).panes[0].curves] == [
            "adam 0.01"
        ]
        find_box.value = "lr>=0.01 rate=3"
        await pilot.pause()
        assert "rate=3: no key 'rate'; expected" in page(pilot)
        assert names(pilot) == ["adam 0.01"]  # the last filter that was right
        find_box.value = "sgd"
        await pilot.press("enter")
        assert set(names(pilot)) == {"sgd 0.001", "sgd 0.01"}
        assert shown.focused is None
        await pilot.press("a")
        assert len(names(pilot)) == 4


async def test_escape_goes_back_one_thing_at_a_time(opened, runs_dir: Path) -> None:
    folder = started(runs_dir, learning_rates=[1e-3, 1e-2])
    async with opened(attach=folder) as pilot:
        shown = await ended(pilot)
        await pilot.press("slash", *"adam", "escape")
        assert shown.focused is None
        assert len(names(pilot)) == 2
        await pilot.press("escape")
        assert len(names(pilot)) == 4
        assert not shown.query_one("#finding").display
        await pilot.press("escape")
        await opens(pilot, SetupScreen)


async def test_hide_pin_and_solo(opened, runs_dir: Path) -> None:
    folder = started(runs_dir, optimizers=["sgd", "adam", "rmsprop"])
    async with opened(attach=folder) as pilot:
        shown = await ended(pilot)
        curves = shown.query_one(CurvesView).panes[0]

        def drawn() -> set[str]:
            return {layer.name for layer in curves.curves}

        first, second, third = names(pilot)
        await pilot.press("h")
        assert drawn() == {second, third}
        assert names(pilot) == [first, second, third]
        assert shown.table.rows[0].quiet
        await pilot.press("down", "down", "i")
        assert names(pilot) == [third, first, second]
        await pilot.press("o")
        assert drawn() == {third}
        await pilot.press("o")
        assert drawn() == {second, third}
        await pilot.press("a")
        assert drawn() == {first, second, third}
        assert names(pilot) == [first, second, third]


async def test_rows_unfold_into_runs(opened, runs_dir: Path) -> None:
    folder = started(runs_dir, seeds=3)
    async with opened(attach=folder) as pilot:
        shown = await ended(pilot)
        await pilot.press("enter")
        runs = [run for kind, run in rows(pilot) if kind == "run"]
        line = shown.roll.line(shown.table.selected)
        assert line is not None
        assert set(runs) == set(line.runs)
        losses = [shown.recording.results[run].final_loss for run in runs]
        assert losses == sorted(losses)
        assert "seed=1" in page(pilot)
        await pilot.press("down")
        assert shown.roll.line(shown.table.selected) == line
        await pilot.press("enter")
        assert all(kind == "line" for kind, _ in rows(pilot))


async def test_grouping_goes_round_what_differs(opened, runs_dir: Path) -> None:
    folder = started(runs_dir, learning_rates=[1e-3, 1e-2], seeds=2)
    async with opened(attach=folder) as pilot:
        shown = await ended(pilot)
        seen = {}
        for _ in range(4):
            seen[shown.board.lines.by] = [len(line.runs) for line in shown.board.lines]
            await pilot.press("c")
        assert shown.board.lines.by == SEEDS
        assert seen == {SEEDS: [2] * 4, RUNS: [1] * 8, "optimizer": [4] * 2, "lr": [4] * 2}


async def test_the_target_can_be_set(opened, runs_dir: Path) -> None:
    folder = started(runs_dir, seeds=2)
    async with opened(attach=folder) as pilot:
        shown = await ended(pilot)
        await pilot.press("l")
        entry = pilot.app.screen.query_one("#target", Input)
        entry.value = "low"
        await pilot.press("enter")
        assert "'low' is not a number" in page(pilot)
        entry.value = "0.1"
        await pilot.press("enter")
        assert shown.board.standings[0].target == 0.1
        steps = shown.board.comparison.steps
        for run in range(4):
            values = shown.recording.series(run, "loss").values
            reached = np.flatnonzero(values <= 0.1)
            assert steps[run] == reached[0] + 1 if reached.size else math.isnan(steps[run])


async def test_a_target_is_for_the_pane_of_the_selected_line(opened, runs_dir: Path) -> None:
    folder = started(runs_dir, "sales-mse sales-cost1-profit99", steps=20)
    async with opened(attach=folder) as pilot:
        shown = await ended(pilot)
        before = [standing.target for standing in shown.board.standings]
        line = next(line for line in shown.board.lines if line.pane == 1)
        shown.table.select(("line", line.number))
        await pilot.press("l")
        assert "For sales-cost1-profit99 alone" in page(pilot)
        pilot.app.screen.query_one("#target", Input).value = "5000"
        await pilot.press("enter")
        assert [standing.target for standing in shown.board.standings] == [before[0], 5000]
        await pilot.press("l")
        pilot.app.screen.query_one("#target", Input).value = ""
        await pilot.press("enter")
        assert [standing.target for standing in shown.board.standings] == before


async def test_grouping_clears_the_filter_and_keeps_what_is_selected(
    opened, runs_dir: Path
) -> None:
    folder = started(runs_dir, seeds=2, learning_rates=[0.001, 0.002])
    async with opened(attach=folder) as pilot:
        shown = await ended(pilot)
        await pilot.press("slash", *"adam", "enter")
        await pilot.pause()
        assert len(names(pilot)) == 2
        await pilot.press("down")
        before = shown.roll.line(shown.table.selected)
        assert before is not None
        await pilot.press("c")
        await pilot.pause()
        after = shown.roll.line(shown.table.selected)
        assert after is not None
        assert before.runs[0] in after.runs
        assert not shown.query_one("#finding").display
        assert shown.query_one("#find", Input).value == ""
        assert sum(len(shown.board.lines[n].runs) for kind, n in rows(pilot) if kind == "line") == 8


@pytest.mark.parametrize(
    ("figure", "text"),
    [
        (1.234e100, "1.23e+100"),
        (-123456.0, "-1.23e+05"),
        (-1.234e100, "-1.2e+100"),
        (1.23456e-8, "1.235e-08"),
        (0.000999, "9.990e-04"),
        (12.3456, "12.35"),
        (float("inf"), "∞"),
    ],
)
def test_figures_fit_their_column_with_their_exponent(figure: float, text: str) -> None:
    assert number(figure) == text
    assert len(text) <= 9


@pytest.mark.parametrize("width", [20, 40, 80])
def test_a_verdict_that_is_too_long_says_so(width: int) -> None:
    text = Text("sgd leads by a lot and then some more words follow that nobody can see " * 3)
    told = shortened(text, Console(width=width), width, 2)
    first, second = told.plain.split("\n")
    assert max(len(first), len(second)) <= width
    assert second.endswith(" …")
    assert shortened(Text("short"), Console(), width, 2).plain == "short"


def test_lines_are_named_by_what_tells_them_apart_and_no_more() -> None:
    experiment = compare([find("sales-mse")], optimizers=["sgd", "momentum", "adam"], seeds=2)
    named = {by: [line.name for line in Lines(experiment, by)] for by in groupings(experiment)}
    assert named[SEEDS] == ["sgd", "momentum", "adam"]
    assert named["lr"] == ["lr=0.002", "lr=0.001"]
    assert named[RUNS] == [
        f"{optimizer} seed={seed}" for optimizer in ("sgd", "momentum", "adam") for seed in (0, 1)
    ]


async def test_a_table_that_grows_again_shows_its_first_rows(opened, runs_dir: Path) -> None:
    folder = started(runs_dir, "sales-mse sales-cost1-profit99", seeds=9, steps=20)
    async with opened(attach=folder, size=(80, 24)) as pilot:
        shown = await ended(pilot)
        await pilot.press("c", *["down"] * 4)
        await pilot.resize_terminal(40, 10)
        await until(pilot, lambda: shown.table.page < 4 and shown.table._top > 0, "scrolled")
        await pilot.resize_terminal(200, 60)
        await until(pilot, lambda: shown.table.page > 20, "room")
        await until(pilot, lambda: "sales-mse  target" in page(pilot), "the first heading")


async def test_a_filter_that_nothing_passes_says_so(opened, runs_dir: Path) -> None:
    folder = started(runs_dir, steps=5)
    async with opened(attach=folder) as pilot:
        shown = await ended(pilot)
        await pilot.press("slash", *"zzz", "enter")
        await until(pilot, lambda: "no run is left by the filter" in page(pilot), "words")
        assert not any(row.key[0] != "pane" for row in shown.roll.rows())


async def test_a_line_unfolds_before_there_are_results(opened, runs_dir: Path) -> None:
    folder = ExperimentFolder.create(runs_dir, compare([find("line-fit")], seeds=2))
    async with opened(attach=folder) as pilot:
        await pilot.press("down", "enter")
        await until(pilot, lambda: ("run", 1) in rows(pilot), "runs of the line")


async def test_one_learning_rate_for_each_optimizer_is_no_sweep(opened, runs_dir: Path) -> None:
    folder = started(runs_dir, steps=5)
    async with opened(attach=folder) as pilot:
        shown = await ended(pilot)
        assert len({run.optimizer.lr for run in shown.board.experiment.runs}) == 2
        assert shown.check_action("view", ("sweep",)) is None
        await pilot.press("2")
        await until(pilot, lambda: len(pilot.app._notifications) > 0, "why not")
        [note] = pilot.app._notifications
        assert note.message.startswith("A sweep needs several learning rates")
        assert shown._view == "curves"


async def test_a_click_in_the_sweep_selects_the_line_in_the_table(opened, runs_dir: Path) -> None:
    folder = started(runs_dir, learning_rates=[0.001, 0.01, 0.1])
    async with opened(attach=folder) as pilot:
        shown = await ended(pilot)
        await pilot.press("2")
        sweep = shown.views.sweep
        await until(pilot, lambda: len(sweep.sweeps) == 2, "both optimizers")
        chosen = 1 - sweep.selected
        sweep.select(1)
        await pilot.pause()
        line = shown.roll.line(shown.table.selected)
        assert name_of(line.group.optimizer) == ["sgd", "adam"][chosen]
        shown._show_view()
        assert sweep.selected == chosen


async def test_the_least_possible_loss_of_a_pane_is_known_of_all_its_presets_or_not_at_all(
    opened, runs_dir: Path
) -> None:
    kinds = {"model.kind": ["linear", "network"], "train.epochs": [1]}
    folder = ExperimentFolder.create(runs_dir, compare([find("hills")], settings=kinds))
    launch(folder)
    async with opened(attach=folder) as pilot:
        shown = await ended(pilot)
        assert len(shown.board.optima) == 1
        [chart] = shown.query_one(CurvesView).panes
        assert "optimum" not in [reference.label for reference in chart.references]
