"""`tuitrain experiments`: what has been trained."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.text import Text

from tuitrain.cli.options import experiment_argument, runs_dir_option
from tuitrain.errors import InputError

if TYPE_CHECKING:
    from tuitrain.record.folder import ExperimentFolder

COLOURS = {
    "running": "green",
    "finished": "cyan",
    "diverged": "red",
    "failed": "red",
    "killed": "red",
}

LONGEST = 44
"""Letters of the names of an experiment's presets that are listed."""


@click.command()
@experiment_argument
@runs_dir_option
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print one JSON array; of one experiment, the object that `run` and `compare` print.",
)
def experiments(id_: str | None, runs_dir: Path, as_json: bool) -> None:
    """List the experiments, newest first; with an ID, show the results of that one."""
    from tuitrain.record.folder import experiments as all_experiments
    from tuitrain.record.folder import resolve

    if id_ is not None:
        show(resolve(runs_dir, id_), as_json)
        return
    rows = [describe(folder) for folder in all_experiments(runs_dir)]
    if as_json:
        click.echo(json.dumps(rows, allow_nan=False))
    elif rows:
        print_table(rows)
    else:
        click.echo(f"No experiments in {runs_dir} yet; start one with `tuitrain`.", err=True)


def show(folder: ExperimentFolder, as_json: bool) -> None:
    """Prints what an experiment has reached, as the command that started it does at its end.

    Raises:
        InputError: it has not ended, or nothing of it can be read.
    """
    from tuitrain.cli import ranking, result
    from tuitrain.cli.export import report

    several = len(folder.experiment.runs) > 1
    recording = result.read(folder, rows=several)
    status = recording.status
    if not status.ended:
        expected = "one that has ended; `tuitrain attach` shows the others"
        raise InputError(f"is {status.state}", where=folder.id, expected=expected)
    if not recording.results:
        raise InputError(status.error or "nothing is recorded", where=folder.id)
    report(recording.corrupt)
    if status.error:
        click.echo(f"tuitrain: {folder.id}: {status.error}", err=True)
    if as_json:
        reported = ranking.report(recording) if several else result.report(recording)
        click.echo(json.dumps(reported, allow_nan=False))
    elif several:
        ranking.print_ranking(recording)
    else:
        result.print_summary(recording)


def describe(folder: Any) -> dict[str, Any]:
    """One experiment; a comparison shows its best run's loss."""
    from tuitrain.cli.result import finite

    status = folder.status()
    results = folder.results()
    losses = [value for r in results if (value := finite(r.loss)) is not None]
    try:
        presets = list(folder.experiment.presets)
    except InputError:
        presets = []
    return {
        "id": folder.id,
        "state": status.state,
        "presets": presets,
        "runs": len(results),
        "steps": status.step,
        "total": status.total,
        "loss": min(losses, default=None),
        "age": age(folder),
        "path": str(folder.path),
    }


def age(folder: Any) -> float:
    """Seconds since an experiment was created; its id tells when that was."""
    try:
        created = datetime.strptime(folder.id[:15], "%Y%m%d-%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return 0.0
    return round((datetime.now(UTC) - created).total_seconds(), 1)


def names(presets: list[str]) -> str:
    """The presets of an experiment; how many there are where their names are too long."""
    told = ", ".join(presets)
    return told if len(told) <= LONGEST or len(presets) == 1 else f"{len(presets)} presets"


def print_table(rows: list[dict[str, Any]]) -> None:
    from tuitrain.cli.console import show_table, table
    from tuitrain.cli.follow import duration

    made = table(
        "id", "state", "preset", "steps", "loss", "age", right=("id", "steps", "loss", "age")
    )
    made.columns[0].justify = "left"
    for row in rows:
        made.add_row(
            row["id"],
            Text(row["state"], style=COLOURS.get(row["state"], "")),
            Text(names(row["presets"])),
            f"{row['steps']:,}",
            "" if row["loss"] is None else f"{row['loss']:.6g}",
            duration(row["age"]),
        )
    show_table(made)
