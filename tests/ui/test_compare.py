"""The comparison screen on real experiments: every key, every size, live and over."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from textual.pilot import Pilot
from textual.widgets import ContentSwitcher, Input

from tests.ui.conftest import page, until
from tuitrain.record.folder import ExperimentFolder, experiments
from tuitrain.spec.catalogue import find
from tuitrain.spec.comparison import compare
from tuitrain.ui.keys import bindings
from tuitrain.ui.lines import RUNS, SEEDS
from tuitrain.ui.screens.compare import KEYS, CompareScreen
from tuitrain.ui.screens.compare_curves import CurvesView
from tuitrain.ui.screens.dashboard import DashboardScreen
from tuitrain.ui.screens.dialogs import LeaveDialog, SourceDialog
from tuitrain.ui.screens.setup import SetupScreen
from tuitrain.ui.widgets.runtable import RunTable
from tuitrain.worker.launch import launch

TIMES = "\N{MULTIPLICATION SIGN}"
FAR = 50_000_000
"""More steps than any test waits for."""


def started(runs_dir: Path, presets: str = "sales-mse", **options) -> ExperimentFolder:
    """A comparison in the hands of a worker."""
    steps = options.pop("steps", 300)
    options.setdefault("optimizers", ["sgd", "adam"])
    found = [find(name) for name in presets.split()]
    experiment = compare(found, settings={"train.steps": [steps]}, **options)
    folder = ExperimentFolder.create(runs_dir, experiment)
    launch(folder)
    return folder


def screen(pilot: Pilot[None]) -> CompareScreen:
    [found] = [s for s in pilot.app.screen_stack if isinstance(s, CompareScreen)]
    return found


async def ended(pilot: Pilot[None]) -> CompareScreen:
    """The screen after the last run has ended and is shown."""
    shown = screen(pilot)
    await until(pilot, lambda: shown.recording.ended and bool(shown.board.facts), "the end")
    await until(pilot, lambda: shown._was == shown.recording.status.state, "shown")
    await pilot.pause()
    return shown


def rows(pilot: Pilot[None]) -> list[tuple[str, int]]:
    return [row.key for row in screen(pilot).table.rows]


def names(pilot: Pilot[None]) -> list[str]:
    """The lines of the table from top to bottom."""
    shown = screen(pilot)
    keys = [row.key for row in shown.table.rows if row.key[0] == "line"]
    return [shown.board.lines[number].name for _, number in keys]


async def test_an_experiment_of_several_runs_opens_the_comparison(opened, runs_dir: Path) -> None:
    folder = started(runs_dir, seeds=4)
    async with opened(attach=folder) as pilot:
        shown = await ended(pilot)
        text = page(pilot)
    assert f"8 runs = 2 {TIMES} 4 seeds" in text
    assert "fair: same start, batches, steps" in text
    assert "✓ finished  300 / 300" in text
    assert [line.name for line in shown.board.lines] == ["sgd", "adam"]
    assert shown.board.standings[0].verdict.split(".")[0] in text.replace("\n", " ")


async def test_ranks_and_figures_are_those_of_the_recorded_runs(opened, runs_dir: Path) -> None:
    folder = started(runs_dir, optimizers=["sgd", "adam", "rmsprop"], seeds=3)
    async with opened(attach=folder) as pilot:
        shown = await ended(pilot)
        await until(pilot, lambda: "✓ finished" in page(pilot), "table")
        text = page(pilot)
    final = [result.final_loss for result in shown.recording.results]
    medians = [float(np.median(final[i : i + 3])) for i in (0, 3, 6)]
    assert [facts.loss for facts in shown.board.facts] == pytest.approx(medians, rel=1e-12)
    order = np.argsort(medians)
    assert [shown.board.facts[i].rank for i in order] == [1, 2, 3]
    listed = [line.split()[2] for line in text.splitlines() if "✓ finished   " in line][-3:]
    assert listed == [["sgd", "adam", "rmsprop"][i] for i in order]


async def test_letters_and_colours_stay_with_a_line(opened, runs_dir: Path) -> None:
    folder = started(runs_dir, optimizers=["sgd", "sgdm", "adam"], seeds=2)
    async with opened(attach=folder) as pilot:
        shown = await ended(pilot)

        def looks() -> dict[str, tuple[str, int]]:
            return {
                shown.board.lines[r.key[1]].name: (r.letter, r.colour) for r in shown.table.rows
            }

        before = looks()
        assert len(set(before.values())) == 3
        await pilot.press("greater_than_sign", "v")
        assert looks() == before
        await pilot.press("slash", *"adam", "enter")
        assert looks() == {"adam": before["adam"]}


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


async def test_presets_have_panes_of_their_own_or_share_the_gap(opened, runs_dir: Path) -> None:
    folder = started(runs_dir, "sales-mse sales-cost1-profit99", seeds=2)
    async with opened(attach=folder) as pilot:
        shown = await ended(pilot)
        curves = shown.query_one(CurvesView)
        assert [pane.border_title for pane in curves.panes] == ["sales-mse", "sales-cost1-profit99"]
        assert [len(pane.curves) for pane in curves.panes] == [2, 2]
        assert all(pane.display for pane in curves.panes)
        text = page(pilot)
        assert "sales-cost1-profit99  target" in text
        await pilot.press("y")
        await pilot.pause()
        assert [chart.display for chart in (*curves.panes, curves.whole)] == [False, False, True]
        assert {len(layer.series) for layer in curves.whole.curves} == {300}
        starts = [float(layer.series.values[0]) for layer in curves.whole.curves]
        assert starts == pytest.approx([1.0] * 4)
        loss, least = shown.recording.results[0].final_loss, shown.board.optima["sales-mse"]
        series = shown.recording.series(0, "loss")
        initial = float(series.values[0])
        assert shown.board.run_facts(0).gap == pytest.approx((loss - least) / (initial - least))
        await pilot.press("y")
        await pilot.pause()
        assert curves.panes[0].display


async def test_diverged_runs_are_named_and_do_not_stretch_the_axis(opened, runs_dir: Path) -> None:
    folder = started(runs_dir, optimizers=["sgd"], learning_rates=[0.01, 1000.0], seeds=2)
    async with opened(attach=folder) as pilot:
        shown = await ended(pilot)
        await until(pilot, lambda: "2 of 2" in page(pilot), "table")
        text = page(pilot)
        pane = shown.query_one(CurvesView).panes[0]
        scale = pane._auto._range
        assert scale is not None
        assert scale[1] < 1e3
    assert "✗ 2 of 2" in text
    assert "Diverged: sgd at lr=1000" in text
    assert TIMES in text
    assert [facts.rank for facts in shown.board.facts] == [1, 2]
    assert math.isinf(shown.board.facts[1].loss)


async def test_the_cursor_ranks_all_lines(opened, runs_dir: Path) -> None:
    folder = started(runs_dir, optimizers=["sgd", "adam", "rmsprop", "adagrad"])
    async with opened(attach=folder) as pilot:
        shown = await ended(pilot)
        await pilot.press(*["comma"] * 20)
        pane = shown.query_one(CurvesView).panes[0]
        step = pane.cursor
        assert step is not None
        assert 1 <= step < 300
        values = {
            line.name: shown.board.bands.bands[line.number].median.at(step)
            for line in shown.board.lines
        }
        lines = page(pilot).splitlines()
        assert f"step {step:,}" in "\n".join(lines)
        for rank, name in enumerate(sorted(values, key=values.__getitem__), 1):
            assert any(f"{rank} " in line and f" {name}" in line for line in lines), name
        await pilot.press("0")
        assert pane.cursor is None


async def test_units_of_the_x_axis(opened, runs_dir: Path) -> None:
    experiment = compare(
        [find("sales-mse")],
        optimizers=["sgd", "adam"],
        settings={"train.batch": [8], "train.steps": [400]},
    )
    folder = ExperimentFolder.create(runs_dir, experiment)
    launch(folder)
    async with opened(attach=folder) as pilot:
        shown = await ended(pilot)
        pane = shown.query_one(CurvesView).panes[0]
        assert shown.board.units == ["step", "epoch", "seconds"]
        await pilot.press("x")
        assert pane.position(400) == "epoch 100"
        await pilot.press("x")
        seconds = shown.recording.status.seconds
        assert float(pane.position(400).split()[0]) == pytest.approx(seconds, rel=1e-3)
        await pilot.press("x")
        assert pane.position(400) == "step 400"


async def test_the_target_can_be_set(opened, runs_dir: Path) -> None:
    folder = started(runs_dir, seeds=2)
    async with opened(attach=folder) as pilot:
        shown = await ended(pilot)
        await pilot.press("l")
        entry = pilot.app.screen.query_one("#target", Input)
        entry.value = "low"
        await pilot.press("enter")
        assert "'low' is no number" in page(pilot)
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


async def test_the_pace_keys_change_how_fast_all_runs_go(opened, runs_dir: Path) -> None:
    folder = started(runs_dir, steps=FAR)
    async with opened(attach=folder) as pilot:
        shown = screen(pilot)
        await until(pilot, lambda: shown.recording.status.steps_per_second > 0, "speed")
        await pilot.press("left_square_bracket")
        await until(pilot, lambda: shown.recording.status.pace is not None, "pace")
        first = shown.recording.status.pace
        await pilot.press("left_square_bracket")
        await until(pilot, lambda: shown.recording.status.pace != first, "slower")
        assert shown.recording.status.pace < first
        assert "pace" in page(pilot).splitlines()[1]
        await pilot.press("f")
        await until(pilot, lambda: shown.recording.status.pace is None, "full speed")


async def test_the_landscape_lies_along_two_chosen_weights(opened, runs_dir: Path) -> None:
    folder = started(runs_dir, "xor-linear", steps=40)
    async with opened(attach=folder) as pilot:
        shown = await ended(pilot)
        await pilot.press("d")
        assert "Mark two weights" in page(pilot)
        await pilot.press("space", "enter")  # one alone is no plane
        assert "Mark two weights" in page(pilot)
        await pilot.press("down", "down", "space", "enter")
        landscapes = shown.views.survey("xor-linear")
        first, _, third = landscapes.names
        await until(pilot, lambda: f"{third} over {first}" in page(pilot), "two weights")
        await until(pilot, lambda: bool(landscapes.landscapes), "the answer")
        await pilot.press("d", "space", "end", "space", "enter")
        await until(pilot, lambda: "PC2 (" in page(pilot), "principal directions")
        assert landscapes.pair is None


async def test_pause_step_resume_leave_and_stop(opened, runs_dir: Path) -> None:
    folder = started(runs_dir, steps=FAR)
    async with opened(attach=folder) as pilot:
        shown = screen(pilot)
        await until(pilot, lambda: shown.recording.status.step > 0, "steps")
        await until(pilot, lambda: len(shown.board.bands.bands[0].median) > 0, "curves")
        await pilot.press("space")
        await until(pilot, lambda: shown.recording.status.state == "paused", "pause")
        step = shown.recording.status.step
        await pilot.press("n")
        await until(pilot, lambda: shown.recording.status.step == step + 1, "one step")
        await pilot.press("space")
        await until(pilot, lambda: shown.recording.status.step > step + 1, "resume")
        await pilot.press("q")
        assert isinstance(pilot.app.screen, LeaveDialog)
        await pilot.press("escape", "b")
        assert isinstance(pilot.app.screen, LeaveDialog)
        await pilot.press("escape", "s")
        await until(pilot, lambda: shown.recording.status.state == "stopped", "stop")
        await pilot.press("b")
        await until(pilot, lambda: isinstance(pilot.app.screen, SetupScreen), "setup")


async def test_views_by_number(opened, runs_dir: Path) -> None:
    folder = started(runs_dir, learning_rates=[1e-3, 1e-2, 0.1])
    async with opened(attach=folder) as pilot:
        shown = await ended(pilot)
        await pilot.press("2")
        await until(pilot, lambda: "best lr" in page(pilot), "sweep")
        await pilot.press("3")
        await until(pilot, lambda: "w[1,0] over w[0,0]" in page(pilot), "landscape")
        await until(pilot, lambda: bool(shown.recording.landscapes(0)), "the worker's answer")
        await pilot.press("4")
        await pilot.pause()
        [note] = pilot.app._notifications
        assert note.message == "The fit is drawn for models with one input and one output"
        assert shown.query_one("#views", ContentSwitcher).current == "map"
        await pilot.press("1")
        assert shown.query_one(CurvesView).display


async def test_the_fit_shows_every_line(opened, runs_dir: Path) -> None:
    folder = started(runs_dir, "line-fit", seeds=2)
    async with opened(attach=folder) as pilot:
        shown = await ended(pilot)
        await pilot.press("4")
        await pilot.pause()
        picture = shown.views.fit.picture
        assert picture is not None
        assert {layer.letter for layer in picture.layers if layer.joined} == {"A", "B"}


async def test_one_run_is_started_from_a_line_and_left_again(opened, runs_dir: Path) -> None:
    folder = started(runs_dir, learning_rates=[0.01], seeds=2)
    async with opened(attach=folder) as pilot:
        shown = await ended(pilot)
        line = shown.roll.line(shown.table.selected)
        assert line is not None
        await pilot.press("r")
        await until(pilot, lambda: isinstance(pilot.app.screen, DashboardScreen), "dashboard")
        dashboard = pilot.app.screen
        assert isinstance(dashboard, DashboardScreen)
        await until(pilot, lambda: dashboard.recording.status.state == "finished", "end")
        one = dashboard.recording.series(0, "loss").values
        same = shown.recording.series(line.runs[0], "loss").values
        assert one.tolist() == pytest.approx(same.tolist(), rel=1e-4)
        await pilot.press("b")
        await until(pilot, lambda: pilot.app.screen is shown, "back at the comparison")
    assert len(experiments(runs_dir)) == 2


async def test_source_help_and_log(opened, runs_dir: Path) -> None:
    folder = started(runs_dir)
    async with opened(attach=folder) as pilot:
        await ended(pilot)
        await pilot.press("u")
        assert isinstance(pilot.app.screen, SourceDialog)
        await pilot.press("escape", "question_mark")
        assert "Comparison" in page(pilot)
        await pilot.press("escape", "w")
        await pilot.pause()
        assert screen(pilot).query_one("#log").display


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_the_important_is_visible_at_every_size(
    opened, runs_dir: Path, size: tuple[int, int]
) -> None:
    folder = started(runs_dir, "sales-mse sales-cost1-profit99 sales-cost99-profit1", seeds=2)
    async with opened(size=size, attach=folder) as pilot:
        await ended(pilot)
        await until(pilot, lambda: "No run diverged" in page(pilot) or size[0] == 80, "verdict")
        text = page(pilot)
    wanted = [
        f"12 runs = 6 {TIMES} 2 seeds",
        "fair: same start",
        "900 / 900",
        "sales-mse",
        "target",
    ]
    for word in [*wanted, "optimizer", "loss", "▌", "sgd", "adam", "lowest", "filter", "help"]:
        assert word in text, word


async def test_resizing_down_to_nothing_and_back(opened, runs_dir: Path) -> None:
    folder = started(runs_dir, "sales-mse line-fit", seeds=2)
    async with opened(attach=folder) as pilot:
        await ended(pilot)
        for key in ("1", "2", "3", "y"):
            await pilot.press(key)
            for size in ((20, 5), (1, 1), (300, 80), (80, 24)):
                await pilot.resize_terminal(*size)
                await pilot.pause(0.1)
        assert "sgd" in page(pilot)


def test_keys_are_complete_and_do_not_clash() -> None:
    made = bindings(*KEYS)
    keys = [binding.key for binding in made]
    assert len(keys) == len(set(keys))
    for binding in made:
        name = binding.action.partition("(")[0]
        if not name.startswith("app."):
            assert callable(getattr(CompareScreen, f"action_{name}")), binding
    shown = [b for b in made if b.show]
    assert sum(len(b.key_display or "") + len(b.description) + 2 for b in shown) <= 79
