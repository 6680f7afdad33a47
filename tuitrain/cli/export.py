"""`tuitrain export`: the recorded series as text, row by row as they are read, or as a figure."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from tuitrain.cli.options import experiment_argument, runs_dir_option
from tuitrain.errors import InputError

if TYPE_CHECKING:
    from tuitrain.record.folder import ExperimentFolder
    from tuitrain.record.reader import StoreReader
    from tuitrain.spec.experiment import Experiment
    from tuitrain.spec.recording import Chunk, Layout

FIRST = ("loss", "lr", "grad_norm")
"""The series that every export has, in this order; the weights follow."""

FIGURES = ("svg", "png")

Row = list[Any]


@click.command()
@experiment_argument
@click.option(
    "--format", "format_", metavar="csv|jsonl|svg|png", required=True, help="What to write."
)
@click.option("-o", "--output", metavar="FILE", help="Where to; stdout by default.")
@runs_dir_option
def export(id_: str | None, format_: str, output: str | None, runs_dir: Path) -> None:
    """Write the recorded series: one line for each step and run; or draw them (svg, png).

    The column `run` counts the experiment's runs from 0, `epoch` (where the preset trains in
    epochs) from 1. A row holds the loss and the gradient norm that its update was computed
    from, the learning rate that it used, and the weights after it.

    The figure of one run shows its loss, learning rate and weights; that of a comparison the
    losses of every preset, with bands between the quartiles over seeds, and the sweep over the
    learning rates if there are several. It needs matplotlib: pip install 'tuitrain[figures]'.
    """
    from tuitrain.record.folder import resolve

    if format_ not in (*WRITERS, *FIGURES):
        known = ", ".join([*WRITERS, *FIGURES[:-1]]) + f" or {FIGURES[-1]}"
        raise InputError(f"cannot write {format_!r}", where="--format", expected=known)
    folder = resolve(runs_dir, id_)
    if format_ in FIGURES:
        draw(folder, format_, output)
    else:
        write(folder, format_, output)


def draw(folder: ExperimentFolder, format_: str, output: str | None) -> None:
    """Writes the figure of an experiment."""
    from tuitrain.record.live import Recording

    try:
        from tuitrain.cli.figures import write_figure
    except ModuleNotFoundError as error:
        if error.name != "matplotlib":
            raise
        raise InputError(
            "needs matplotlib",
            where=f"--format {format_}",
            expected="pip install 'tuitrain[figures]'",
        ) from error
    with contextlib.closing(Recording(folder)) as recording:
        recording.refresh()
        figure = io.BytesIO()  # so that no file is begun that cannot be drawn
        write_figure(recording, format_, figure)
        report(recording.corrupt)
    if output not in (None, "-"):
        Path(str(output)).write_bytes(figure.getvalue())
    elif format_ == "png" and sys.stdout.isatty():
        raise InputError("a terminal shows no pixels", where="--format png", expected="-o FILE")
    else:
        sys.stdout.buffer.write(figure.getvalue())


def write(folder: ExperimentFolder, format_: str, output: str | None) -> None:
    """Writes the rows of an experiment."""
    from tuitrain.record.reader import StoreReader, StoreReadError

    try:
        with contextlib.closing(StoreReader(folder.database)) as reader:
            table = Table(reader, folder.experiment)
            if output in (None, "-"):
                WRITERS[format_](table, sys.stdout)
            else:
                with Path(str(output)).open("w", encoding="utf-8", newline="") as file:
                    WRITERS[format_](table, file)
            report(reader.corrupt)
    except StoreReadError as error:
        raise InputError(str(error), where=folder.id) from error


def report(corrupt: Mapping[int, str]) -> None:
    """Says what could not be read."""
    for number, problem in corrupt.items():
        click.echo(f"tuitrain: chunk {number} is left out: {problem}", err=True)


class Table:
    """The recorded rows of an experiment under one header.

    Args:
        reader: the store.
        experiment: what it records.
    """

    def __init__(self, reader: StoreReader, experiment: Experiment) -> None:
        from tuitrain.spec.size import batches_per_epoch

        self.reader = reader
        self.layouts: list[Layout] = reader.layouts()
        self.runs = [
            [i for i, run in enumerate(experiment.runs) if run.preset == preset]
            for preset in experiment.presets
        ]
        self.epochs = [
            batches_per_epoch(preset) if preset.train.epochs else None
            for preset in experiment.presets.values()
        ]
        recorded = dict.fromkeys(name for layout in self.layouts for name in layout.series)
        self.series = [*FIRST, *(name for name in recorded if name not in FIRST)]
        epoch = ["epoch"] if any(self.epochs) else []
        self.header = ["run", "step", *epoch, *self.series]

    def rows(self) -> Iterator[Row]:
        """Every row as Python numbers, None where a run has no such series."""
        for _, chunk in self.reader.chunks():
            for position, run in enumerate(self.runs[chunk.stack]):
                yield from self.of_run(chunk, position, run)

    def of_run(self, chunk: Chunk, position: int, run: int) -> Iterator[Row]:
        nothing = [None] * chunk.rows
        steps = range(chunk.first, chunk.last + 1, chunk.stride)
        columns: list[Any] = [
            chunk.series[name][position].tolist() if name in chunk.series else nothing
            for name in self.series
        ]
        if any(self.epochs):
            every = self.epochs[chunk.stack]
            columns.insert(0, [(step - 1) // every + 1 for step in steps] if every else nothing)
        lr = chunk.series["lr"][position].tolist()
        for rate, step, *values in zip(lr, steps, *columns, strict=True):
            if rate == rate:  # a run that has ended before has no learning rate
                yield [run, step, *values]


def write_csv(table: Table, file: TextIO) -> None:
    """A header, in which `w[0,0]` is quoted for its comma, and a line for each row."""
    writer = csv.writer(file, lineterminator="\n")  # writes a float as its repr
    writer.writerow(table.header)
    writer.writerows(table.rows())


def write_jsonl(table: Table, file: TextIO) -> None:
    """One object for each row; what JSON has no number for is null."""
    from tuitrain.cli.result import finite

    file.writelines(
        json.dumps(dict(zip(table.header, finite(row), strict=True)), allow_nan=False) + "\n"
        for row in table.rows()
    )


WRITERS: dict[str, Callable[[Table, TextIO], None]] = {"csv": write_csv, "jsonl": write_jsonl}
