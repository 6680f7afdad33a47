"""The curves of a comparison: of many lines who stands out, and what is at 0 on a log axis."""

from __future__ import annotations

from pathlib import Path

from tests.ui.comparing import ended, rows, screen, started
from tests.ui.conftest import page, until
from tuitrain.ui.screens.compare_curves import CROWD, CurvesView
from tuitrain.ui.widgets.panes import LossPane


def bright(pane: LossPane) -> set[str]:
    return {layer.name for layer in pane.curves if not layer.faint}


async def test_of_many_lines_the_best_of_each_optimizer_and_the_selected_one_stand_out(
    opened, runs_dir: Path
) -> None:
    rates = [0.001 * 1.3**k for k in range(10)]
    folder = started(runs_dir, learning_rates=rates, steps=60)
    async with opened(attach=folder) as pilot:
        shown = await ended(pilot)
        await until(pilot, lambda: len(rows(pilot)) == 20 > CROWD, "table")
        [pane] = shown.query_one(CurvesView).panes
        names = {line.number: line.name for line in shown.board.lines}
        places = {line.number: shown.board.facts[line.number].place for line in shown.board.lines}
        best = {
            names[min((n for n in names if names[n].startswith(rule)), key=places.__getitem__)]
            for rule in ("sgd", "adam")
        }
        assert bright(pane) == best
        assert len(pane.curves) == 20
        text = page(pilot)
        assert "bright: best of each optimizer" in text
        chart = "\n".join(text.splitlines()[3 : 3 + pane.size.height])
        assert {name for name in names.values() if f" {name}" in chart} == best
        last = rows(pilot)[-1][1]
        assert names[last] not in best
        shown.table.select(("line", last))
        await until(pilot, lambda: bright(pane) == best | {names[last]}, "the selected one too")


async def test_a_pinned_line_stands_out_among_many(opened, runs_dir: Path) -> None:
    rates = [0.001 * 1.3**k for k in range(CROWD + 1)]
    folder = started(runs_dir, optimizers=["sgd"], learning_rates=rates, steps=40)
    async with opened(attach=folder) as pilot:
        shown = await ended(pilot)
        [pane] = shown.query_one(CurvesView).panes
        await until(pilot, lambda: len(bright(pane)) == 1, "the best")
        shown.roll.pin(rows(pilot)[-1])
        shown.show_rows()
        await until(pilot, lambda: len(bright(pane)) == 2, "the pinned one too")


async def test_few_lines_are_all_bright(opened, runs_dir: Path) -> None:
    folder = started(runs_dir, learning_rates=[0.001, 0.01, 0.1], steps=40)
    async with opened(attach=folder) as pilot:
        await ended(pilot)
        [pane] = screen(pilot).query_one(CurvesView).panes
        await until(pilot, lambda: len(bright(pane)) == 6, "all lines")
        assert "bright" not in page(pilot)


async def test_a_line_that_has_come_to_0_has_its_name_on_a_logarithmic_axis(
    opened, runs_dir: Path
) -> None:
    folder = started(
        runs_dir, "line-fit", optimizers=["sgd", "adam"], learning_rates=[0.05], steps=8000
    )
    async with opened(attach=folder) as pilot:
        shown = await ended(pilot)
        assert 0.0 in [result.final_loss for result in shown.recording.results]
        [pane] = shown.query_one(CurvesView).panes
        assert pane.log_y
        await until(pilot, lambda: "log y" in page(pilot), "chart")
        chart = page(pilot).splitlines()[3 : 3 + pane.size.height]
        ends = [line.split()[-2:] for line in chart if line.split()[-1:] in (["sgd"], ["adam"])]
        assert sorted(ends) == [["A", "sgd"], ["B", "adam"]]


async def test_a_long_table_leaves_the_chart_more_room(opened, runs_dir: Path) -> None:
    rates = [0.001 * 1.05**k for k in range(50)]
    folder = started(runs_dir, optimizers=["sgd"], learning_rates=rates, steps=20)
    async with opened(attach=folder, size=(120, 40)) as pilot:
        shown = await ended(pilot)
        [pane] = shown.query_one(CurvesView).panes
        await until(pilot, lambda: shown.table.page == 13, "table")
        assert pane.size.height > shown.table.size.height
        await pilot.press("slash", *"lr<0.00109", "enter")
        await until(pilot, lambda: len(rows(pilot)) == 2, "filtered")
        await until(pilot, lambda: shown.table.page == 2, "a short table")
