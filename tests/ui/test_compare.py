"""The comparison screen on real experiments: every key, every size, live and over."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from textual.widgets import ContentSwitcher

import tuitrain.ui.screens.compare
from tests.ui.comparing import FAR, TIMES, ended, screen, started
from tests.ui.conftest import opens, page, until
from tuitrain.record.folder import ExperimentFolder, experiments
from tuitrain.spec.catalogue import find
from tuitrain.spec.comparison import compare
from tuitrain.ui.keys import bindings
from tuitrain.ui.screens.compare import KEYS, CompareScreen
from tuitrain.ui.screens.compare_curves import CurvesView
from tuitrain.ui.screens.dashboard import DashboardScreen
from tuitrain.ui.screens.dialogs import LeaveDialog, SourceDialog
from tuitrain.ui.screens.setup import SetupScreen
from tuitrain.worker.launch import launch


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


async def test_presets_have_panes_of_their_own_or_share_the_gap(opened, runs_dir: Path) -> None:
    folder = started(runs_dir, "sales-mse sales-cost1-profit99", seeds=2)
    async with opened(attach=folder) as pilot:
        shown = await ended(pilot)
        curves = shown.query_one(CurvesView)
        titles = [str(pane.border_title).partition("[")[0] for pane in curves.panes]
        assert titles == ["sales-mse", "sales-cost1-profit99"]
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


async def test_panes_that_have_no_room_are_counted(opened, runs_dir: Path) -> None:
    folder = started(runs_dir, "sales-mse sales-cost1-profit99 book-mse", steps=20)
    async with opened(attach=folder, size=(80, 24)) as pilot:
        shown = await ended(pilot)
        await until(pilot, lambda: "2 of 3: sales-cost1-profit99" in page(pilot), "the second")
        assert "1 of 3: sales-mse" in page(pilot)
        last = next(line for line in shown.board.lines if line.pane == 2)
        shown.table.select(("line", last.number))
        await until(pilot, lambda: "3 of 3: book-mse" in page(pilot), "the selected one")
        await pilot.resize_terminal(200, 60)
        await until(pilot, lambda: " of 3" not in page(pilot), "all of them")


async def test_small_batches_are_shown_as_the_mean_of_an_epoch_everywhere(
    opened, runs_dir: Path
) -> None:
    folder = started(runs_dir, "moons", optimizers=["rmsprop"], seeds=2)
    async with opened(attach=folder) as pilot:
        shown = await ended(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: len(shown.table.rows) == 3, "unfolded")
        assert "mean of the last epoch" in page(pilot)
        results, [known] = shown.recording.results, shown.board.facts
        runs = [row.series for row in shown.table.rows[1:]]
        epochs = [
            np.convolve(shown.recording.series(i, "loss").values, np.ones(10) / 10, "valid")
            for i in (0, 1)
        ]
    assert sorted(series.last for series in runs) == pytest.approx(
        sorted(float(epoch[-1]) for epoch in epochs), rel=1e-5
    )
    # the least loss is of the whole training set, as the loss beside it is, not of a lucky batch
    least = [
        min(epoch.min(), result.final_loss) for epoch, result in zip(epochs, results, strict=True)
    ]
    assert known.best == pytest.approx(np.median(least), rel=1e-5)
    assert known.best > max(result.best_loss for result in results)


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


async def test_what_is_drawn_is_told_whole_or_not_at_all(opened, runs_dir: Path) -> None:
    folder = started(runs_dir, "sales-mse sales-cost1-profit99", seeds=2)
    async with opened(attach=folder, size=(200, 60)) as pilot:
        await ended(pilot)
        assert page(pilot).count("median and quartiles over steps") == 2
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: "median" not in page(pilot).splitlines()[2], "narrow panes")
        assert "…" not in page(pilot).splitlines()[2]


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


async def test_seconds_are_those_of_the_presets_in_the_chart(opened, runs_dir: Path) -> None:
    folder = started(runs_dir, "line-fit digits-mlp", optimizers=["sgd"], steps=10)
    async with opened(attach=folder) as pilot:
        shown = await ended(pilot)
        await pilot.press("x")
        while shown.board.unit != "seconds":
            await pilot.press("x")
        taken = shown.recording.status.stack_seconds
        for pane, seconds in zip(shown.query_one(CurvesView).panes, taken, strict=True):
            assert float(pane.position(10).split()[0]) == pytest.approx(seconds, rel=1e-3)
        assert taken[0] != taken[1]


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
        await until(pilot, lambda: "pace" in page(pilot).splitlines()[1], "the pace is told")
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
        await until(pilot, lambda: f"{third} vs {first}" in page(pilot), "two weights")
        await until(pilot, lambda: bool(landscapes.landscapes), "the answer")
        await pilot.press("d", "space", "end", "space", "enter")
        await until(pilot, lambda: "PC2 (" in page(pilot), "principal directions")
        assert landscapes.pair is None


async def test_the_first_verdict_does_not_wait_for_its_turn(
    opened, runs_dir: Path, monkeypatch
) -> None:
    monkeypatch.setattr(tuitrain.ui.screens.compare, "TELL_EVERY", 1_000_000)
    async with opened(attach=started(runs_dir, steps=FAR)) as pilot:
        await until(pilot, lambda: "waiting for the first step" not in page(pilot), "verdict")
        assert screen(pilot).alive


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
        await opens(pilot, SetupScreen)


async def test_views_by_number(opened, runs_dir: Path) -> None:
    folder = started(runs_dir, learning_rates=[1e-3, 1e-2, 0.1])
    async with opened(attach=folder) as pilot:
        shown = await ended(pilot)
        await pilot.press("2")
        await until(pilot, lambda: "best lr" in page(pilot), "sweep")
        await pilot.press("3")
        await until(pilot, lambda: "w[1,0] vs w[0,0]" in page(pilot), "landscape")
        await until(pilot, lambda: bool(shown.recording.landscapes(0)), "the worker's answer")
        await pilot.press("4")
        await pilot.pause()
        [note] = pilot.app._notifications
        assert note.message == "The fit is drawn for models with one input and one output"
        assert shown.query_one("#views", ContentSwitcher).current == "map"
        await pilot.press("1")
        assert shown.query_one(CurvesView).display


async def test_views_that_show_nothing_of_the_selected_line_are_dimmed(
    opened, runs_dir: Path
) -> None:
    folder = started(runs_dir, "sales-mse line-fit", steps=20, learning_rates=[1e-3, 1e-2])
    async with opened(attach=folder) as pilot:
        shown = await ended(pilot)

        def dimmed() -> list[bool]:
            active = shown.active_bindings
            return [not active[key].enabled for key in "1234"]

        assert dimmed() == [False, False, False, True]
        fitted = next(line for line in shown.board.lines if line.group.preset == "line-fit")
        shown.table.select(("line", fitted.number))
        await until(pilot, lambda: dimmed() == [False] * 4, "the fit")


async def test_the_fit_shows_every_line(opened, runs_dir: Path) -> None:
    folder = started(runs_dir, "line-fit", seeds=2)
    async with opened(attach=folder) as pilot:
        shown = await ended(pilot)
        await pilot.press("4")
        await pilot.pause()
        picture = shown.views.fit.picture
        assert picture is not None
        assert {layer.letter for layer in picture.layers if layer.joined} == {"A", "B"}


async def test_a_filter_that_leaves_no_run_leaves_none_in_the_plots(opened, runs_dir: Path) -> None:
    async with opened(attach=started(runs_dir, "line-fit")) as pilot:
        views = (await ended(pilot)).views
        await pilot.press("3")
        await until(pilot, lambda: len(views.map.trails) == 2, "two paths")
        await pilot.press("slash", *"zzz", "enter")
        await until(pilot, lambda: not views.map.trails, "no path")
        await pilot.press("a", "4")
        await until(pilot, lambda: len(views.fit.picture.layers) == 3, "two lines over the data")
        await pilot.press("slash", *"zzz", "enter")
        await until(pilot, lambda: len(views.fit.picture.layers) == 1, "the data alone")
        await pilot.press("a", "o")
        await until(pilot, lambda: len(views.fit.picture.layers) == 2, "the selected line alone")


async def test_one_run_is_started_from_a_line_and_left_again(opened, runs_dir: Path) -> None:
    folder = started(runs_dir, learning_rates=[0.01], seeds=2)
    async with opened(attach=folder) as pilot:
        shown = await ended(pilot)
        line = shown.roll.line(shown.table.selected)
        assert line is not None
        await pilot.press("r")
        dashboard = await opens(pilot, DashboardScreen)
        await pilot.press("f")
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
        wrapped = "2 seeds are too few to call a lead" if size[0] == 80 else "No run diverged"
        await until(pilot, lambda: wrapped in " ".join(page(pilot).split()), "verdict")
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
