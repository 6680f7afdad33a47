"""Comparisons in the hands of a worker, and the screen that shows them."""

from __future__ import annotations

from pathlib import Path

from textual.pilot import Pilot

from tests.ui.conftest import until
from tuitrain.record.folder import ExperimentFolder
from tuitrain.spec.catalogue import find
from tuitrain.spec.comparison import compare
from tuitrain.ui.screens.compare import CompareScreen
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
