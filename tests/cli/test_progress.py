"""What is told of a training while it goes on."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pexpect
import pytest
from rich.console import Console
from rich.progress import Progress

from tuitrain.cli.follow import Reached, bar, figures, progress_on
from tuitrain.record.folder import ExperimentFolder
from tuitrain.record.status import Status
from tuitrain.record.store import StoreWriter
from tuitrain.spec.catalogue import find
from tuitrain.spec.comparison import compare
from tuitrain.spec.experiment import single
from tuitrain.spec.recording import Chunk, Evaluation, Layout

if TYPE_CHECKING:
    from tests.cli.conftest import Command

RUNNING = Status("running", 7, 9)


def test_progress_tells_the_loss_of_one_run_and_the_lowest_now_of_several(runs_dir: Path) -> None:
    values = np.array([[0.5, 0.25, 4.0], [8.0, 0.125, 2.0]])

    def told(runs: int) -> list[str]:
        experiment = compare([find("line-fit")], learning_rates=[0.1, 0.2][:runs])
        folder = ExperimentFolder.create(runs_dir, experiment)
        reached = Reached(folder)
        looks = [reached.read(RUNNING)]
        layout = Layout(runs, {"loss": "float64"})
        with contextlib.closing(StoreWriter(folder.database, [layout])) as writer:
            for first in (1, 2, 3):
                rows = values[:runs, first - 1 : first]
                with writer.transaction():
                    writer.append(Chunk(0, first, 1, {"loss": rows}))
                looks.append(reached.read(RUNNING))
        reached.close()
        return [figures(*look) for look in looks]

    assert told(1) == ["7/9  loss nan", "1/9  loss 0.5", "2/9  loss 0.25", "3/9  loss 4"]
    lowest = ["nan", "0.5", "0.125", "2"]
    assert told(2) == [f"7/9  lowest loss {loss}" for loss in lowest]


def test_progress_tells_the_accuracy_where_there_is_one(runs_dir: Path) -> None:
    shares = [[0.5, 0.25], [0.75, 0.5], [0.25, 0.125]]

    def told(runs: int, name: str) -> list[str]:
        experiment = compare([find("line-fit")], learning_rates=[0.1, 0.2][:runs])
        folder = ExperimentFolder.create(runs_dir, experiment)
        reached = Reached(folder)
        texts = []
        layout = Layout(runs, {"loss": "float64"})
        with contextlib.closing(StoreWriter(folder.database, [layout])) as writer:
            for step, row in enumerate(shares):
                values = {"loss": np.ones(runs), "accuracy": np.zeros(runs)}
                values |= {name: np.array(row[:runs])}
                with writer.transaction():
                    writer.evaluation(Evaluation(0, step, values))
                texts.append(reached.read(RUNNING)[1])
        reached.close()
        return texts

    assert told(1, "accuracy") == [f"loss nan  accuracy {x}" for x in (0.5, 0.75, 0.25)]
    assert told(2, "test_accuracy") == [
        f"lowest loss nan  best test accuracy {x}" for x in (0.5, 0.75, 0.75)
    ]


def test_an_accuracy_of_an_earlier_step_names_it(runs_dir: Path) -> None:
    folder = ExperimentFolder.create(runs_dir, single(find("line-fit")))
    reached = Reached(folder)
    layout = Layout(1, {"loss": "float64"})
    with contextlib.closing(StoreWriter(folder.database, [layout])) as writer:
        for step in (1, 2):
            with writer.transaction():
                writer.append(Chunk(0, step, 1, {"loss": np.ones((1, 1))}))
                if step == 1:
                    judged = {"loss": np.ones(1), "accuracy": np.ones(1)}
                    writer.evaluation(Evaluation(0, step, judged))
            told = figures(*reached.read(RUNNING))
            assert told == f"{step}/9  loss 1  accuracy 1" + " at 1" * (step == 2)
    reached.close()


def test_a_terminal_shows_a_bar_and_the_result(tuitrain: Command) -> None:
    child = pexpect.spawn(
        tuitrain.path,
        ["run", "line-fit"],
        env=tuitrain.environment | {"TERM": "xterm-256color"},
        dimensions=(24, 100),
        encoding="utf-8",
        timeout=30,
    )
    child.expect("starting")
    child.expect("━")
    child.expect(r"line-fit sgd lr=0\.027 seed=0")
    child.expect(r"finished after 10,000 steps")
    child.expect(r"w\[0,0\]\s+2\s+2 ± 1e-12")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


FAST = Status("running", 4_000, 10_000, steps_per_second=1_000.0)


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        (100, "4,000/10,000  loss 0.25  accuracy 0.5 at 3,900  1,000 steps/s  6.0 s left"),
        (80, "4,000/10,000  loss 0.25  accuracy 0.5 at 3,900  6.0 s left"),
        (56, "4,000/10,000  loss 0.25  6.0 s left"),
        (44, "4,000/10,000  loss 0.25"),
    ],
)
def test_a_narrow_bar_leaves_out_figures_but_not_step_and_loss(columns: int, told: str) -> None:
    shown = drawn(columns, "loss 0.25  accuracy 0.5 at 3,900")
    assert len(shown) <= columns
    state, line, *figures = shown.split(maxsplit=2)
    assert (state, figures) == ("running", [told])
    assert len(line) >= 10
    assert set(line) <= set("━╸╺")


@pytest.mark.parametrize("columns", [24, 40])
def test_where_no_bar_has_room_step_and_loss_stand_alone(columns: int) -> None:
    assert drawn(columns, "loss 0.25  accuracy 0.5") == "4,000/10,000  loss 0.25"


def test_a_bar_comes_back_where_there_is_room_again() -> None:
    console = Console(file=io.StringIO(), width=30, force_terminal=True)
    progress = progress_on(console)
    show = bar(progress)
    shown = []
    for console.width in (30, 60):
        show(FAST, "loss 0.25")
        shown.append("━" in rendered(console, progress))
    assert shown == [False, True]


def drawn(columns: int, reached: str) -> str:
    """The line that a terminal of so many columns shows."""
    console = Console(file=io.StringIO(), width=columns, force_terminal=True)
    progress = progress_on(console)
    bar(progress)(FAST, reached)
    return rendered(console, progress)


def rendered(console: Console, progress: Progress) -> str:
    [line] = console.render_lines(progress.get_renderable())
    return "".join(segment.text for segment in line).strip()
