"""`tuitrain experiments`: what has been trained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.text import Text

from tuitrain.cli.options import experiment_argument, runs_dir_option
from tuitrain.errors import InputError

if TYPE_CHECKING:
    from tuitrain.record.folder import ExperimentFolder
    from tuitrain.record.listing import Listed

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
    from tuitrain.record.listing import listed

    if id_ is not None:
        show(resolve(runs_dir, id_), as_json)
        return
    rows = [listed(folder) for folder in all_experiments(runs_dir)]
    if as_json:
        click.echo(json.dumps([describe(one) for one in rows], allow_nan=False))
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


def describe(one: Listed) -> dict[str, Any]:
    """What `--json` says of one experiment; a comparison has its best run's loss."""
    return {
        "id": one.folder.id,
        "state": one.status.state,
        "presets": one.presets,
        "runs": len(one.results),
        "steps": one.status.step,
        "total": one.status.total,
        "loss": one.loss,
        "age": one.age,
        "path": str(one.folder.path),
    }


def print_table(rows: list[Listed]) -> None:
    from tuitrain.cli.console import show_table, table
    from tuitrain.record.listing import duration, joined

    made = table(
        "id", "state", "preset", "steps", "loss", "age", right=("id", "steps", "loss", "age")
    )
    made.columns[0].justify = "left"
    for one in rows:
        state = one.status.state
        made.add_row(
            one.folder.id,
            Text(state, style=COLOURS.get(state, "")),
            Text(joined(one.presets, "presets", LONGEST)),
            f"{one.status.step:,}",
            "" if one.loss is None else f"{one.loss:.6g}",
            duration(one.age),
        )
    show_table(made)
