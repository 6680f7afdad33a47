"""What an experiment has reached: as JSON for scripts, as a few lines for people."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from rich.text import Text

from tuitrain.cli.console import console, show_table, table
from tuitrain.optim import name_of
from tuitrain.record.chunks import Summary
from tuitrain.record.folder import ExperimentFolder
from tuitrain.record.live import Recording, Weights
from tuitrain.record.reader import StoreReader, StoreReadError
from tuitrain.record.status import ALIVE, RunResult
from tuitrain.spec.preset import Expected, Preset
from tuitrain.spec.recording import element_names
from tuitrain.spec.size import batches_per_epoch, shapes, test_rows

MAX_JSON_WEIGHTS = 10_000
"""Parameters of a run up to which `--json` holds them all."""

MAX_SHOWN_WEIGHTS = 8
"""Parameters of a run up to which the summary shows them."""


def read(folder: ExperimentFolder, *, rows: bool = False) -> Recording:
    """What an experiment has reached, as it is now; its `rows` only where they are asked for."""
    recording = Recording(folder, rows=rows)
    with contextlib.closing(recording):
        recording.refresh()
    return recording


def report(recording: Recording) -> dict[str, Any]:
    """The object that `--json` prints; what is not finite is None."""
    status, folder = recording.status, recording.folder
    reached = weights(recording)
    return {
        "experiment": folder.id,
        "path": str(folder.path),
        "device": status.device,
        "seconds": round(status.seconds, 3),
        "steps_per_second": round(status.steps_per_second, 1),
        "runs": [
            report_run(result, reached.get(result.index, {}), status.ended)
            for result in results(recording)
        ],
    }


def results(recording: Recording) -> list[RunResult]:
    """What each run has reached; all of them even if the worker died before it recorded any."""
    runs = recording.folder.experiment.runs
    return recording.results or [
        RunResult(i, run.name, run.preset, name_of(run.optimizer), run.optimizer.lr, run.seed)
        for i, run in enumerate(runs)
    ]


def weights(recording: Recording) -> dict[int, Weights]:
    """The parameters of each run at the end; where that was not reached, those of the last row.

    Of a run that had diverged before that row, there are none.
    """
    if recording.status.final:
        return recording.last_weights
    folder = recording.folder
    newest: dict[int, Summary] = {}
    with (
        contextlib.suppress(StoreReadError),
        contextlib.closing(StoreReader(folder.database)) as reader,
    ):
        newest = {summary.extent.stack: summary for _, summary in reader.summaries()}
    stacks = zip(folder.experiment.presets.values(), folder.experiment.stacks(), strict=True)
    return {
        run: shaped(preset, dict(zip(recording.names(run), row, strict=True)))
        for stack, (preset, runs) in enumerate(stacks)
        if stack in newest and recording.names(runs[0])  # else they do not belong together
        for run, row in zip(runs, newest[stack].last.T.tolist(), strict=True)
    }


def shaped(preset: Preset, row: Mapping[str, float]) -> Weights:
    """The parameters of a recorded row, each in its shape.

    None where they were too many, nor where the run had ended: then it had no learning rate.
    """
    parts = {name: element_names(name, shape) for name, shape in shapes(preset).items()}
    known = row.keys() >= {element for names in parts.values() for element in names}
    if not known or math.isnan(row["lr"]):
        return {}
    return {
        name: np.array([row[element] for element in parts[name]]).reshape(shape)
        for name, shape in shapes(preset).items()
    }


def outcome(result: RunResult, ended: bool) -> str:
    """How a run ended; one that goes on, and that nobody waits for any more, is stopped."""
    if result.status not in {*ALIVE, "killed"}:
        return result.status
    # a worker that is gone can no longer say that its runs have failed
    return "failed" if ended else "stopped"


def report_run(result: RunResult, reached: Weights, ended: bool) -> dict[str, Any]:
    """A run of the object that `--json` prints."""
    status = outcome(result, ended)
    few = sum(values.size for values in reached.values()) <= MAX_JSON_WEIGHTS
    return {
        "name": result.name,
        "preset": result.preset,
        "optimizer": result.optimizer,
        "lr": result.lr,
        "seed": result.seed,
        "status": status,
        **({"diverged_at": result.diverged_at} if status == "diverged" else {}),
        "steps": result.steps,
        "loss": finite(result.loss),
        "best_loss": finite(result.best_loss),
        "final_loss": finite(result.final_loss),
        "metrics": {name: finite(value) for name, value in result.metrics.items()},
        "weights": {name: finite(w.tolist()) for name, w in reached.items()} if few else {},
    }


def finite(value: Any) -> Any:
    """The value, or the (nested) list of them, with None for what JSON has no number for."""
    if isinstance(value, list):
        return [finite(item) for item in value]
    return value if value is None or math.isfinite(value) else None


def print_summary(recording: Recording) -> None:
    """Prints how the one run of an ended experiment ended."""
    status, out = recording.status, console()
    for result in results(recording):
        state = "killed" if status.state == "killed" else outcome(result, status.ended)
        speed = f"{status.seconds:.2f} s, {status.steps_per_second:,.0f} steps/s, {status.device}"
        out.print(
            Text(result.name, style="bold"),
            Text(f"{state} {place(result)} ({speed})"),
        )
        rows = figures(result, recording)
        columns = ["", "reached", "expected"] if any(row[2] for row in rows) else ["", "reached"]
        made = table(*columns)
        for row in rows:
            made.add_row(*row[: len(columns)])
        show_table(made)
    out.print(Text(f"saved in {recording.folder.path}", style="dim"))


def place(result: RunResult) -> str:
    """Where a run ended."""
    if result.diverged_at is None:
        return f"after {result.steps:,} steps"
    return f"at step {result.diverged_at:,}, in {result.diverged_in}"


def figures(result: RunResult, recording: Recording) -> list[tuple[str, str, str]]:
    """Name, value and expected value of each figure worth telling."""
    preset = recording.folder.experiment.presets[result.preset]
    changed = any(event.kind == "lr" for event in recording.events)
    expected = Expected() if changed else preset.expected  # which is of the preset's own rate
    below = f"below {expected.loss_below:g}" if expected.loss_below is not None else ""
    final = f"{expected.loss:.7g} ± {expected.tolerance:g}" if expected.loss is not None else below
    several = batches_per_epoch(preset) > 1
    of = " (training rows)" if test_rows(preset) else " (all rows)" if several else ""
    losses = [
        ("loss (last batch)" if several else "loss (last step)", result.loss, ""),
        (f"final loss{of}", result.final_loss, final),
    ]
    rows = [
        (name, f"{loss:.7g}", hope)
        for name, loss, hope in losses
        if math.isfinite(loss) or result.status == "diverged"  # else it is not known
    ]
    for name, value in result.metrics.items():
        hope = " to ".join(f"{bound:g}" for bound in expected.metrics.get(name, ()))
        rows.append((name.replace("_", " "), f"{value:.7g}", hope))
    reached = weights(recording).get(result.index, {})
    if sum(values.size for values in reached.values()) > MAX_SHOWN_WEIGHTS:
        return rows
    for name, values in reached.items():
        hoped = np.ravel(expected.weights.get(name, [])).tolist()
        texts = [f"{x:.7g} ± {expected.tolerance:g}" for x in hoped] or [""] * values.size
        names = element_names(name, values.shape)
        told = [f"{x:.7g}" for x in values.ravel().tolist()]
        rows += list(zip(names, told, texts, strict=True))
    return rows
