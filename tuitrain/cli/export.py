"""`tuitrain export`: the recorded series as text, row by row as they are read, or as a figure."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import math
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TextIO

import click
from click.shell_completion import CompletionItem

from tuitrain.cli.options import completing, experiment_argument, runs_dir_option
from tuitrain.errors import InputError

if TYPE_CHECKING:
    from tuitrain.record.folder import ExperimentFolder
    from tuitrain.record.reader import StoreReader
    from tuitrain.spec.experiment import Experiment
    from tuitrain.spec.recording import Chunk, Layout

FIRST = ("loss", "lr", "grad_norm")
"""The series that every export has, in this order; the weights follow."""

LAST = ("loss_min", "loss_max")
"""The series that only recordings with thinned out steps have."""

FIGURES = ("svg", "png")

EVALUATED = ("loss", "data_loss", "accuracy", "test_loss", "test_accuracy")
"""What evaluations tell, as far as it applies."""

Row = list[Any]


class Rows(Protocol):
    """A table to write."""

    header: list[str]

    def rows(self) -> Iterator[Row]:
        """Its rows as Python numbers, None where a run has no such column."""


@click.command()
@experiment_argument
@click.option(
    "--format",
    "format_",
    metavar="csv|jsonl|svg|png",
    required=True,
    shell_complete=completing(lambda: (*WRITERS, *FIGURES)),
    help="What to write.",
)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    shell_complete=lambda _context, _parameter, word: [CompletionItem(word, type="file")],
    help="Output file; stdout by default.",
)
@click.option("--evaluations", is_flag=True, help="Write the evaluations instead of the steps.")
@runs_dir_option
def export(
    id_: str | None, format_: str, output: str | None, evaluations: bool, runs_dir: Path
) -> None:
    """Write the recorded series: one line for each step and run; or draw them (svg, png).

    The column `run` counts the experiment's runs from 0, `epoch` (where the preset trains in
    epochs) from 1. A row holds the loss and the gradient norm that its update was computed
    from, the learning rate that it used, and the weights after it.

    With --evaluations, a row holds the loss of the weights after its step on all training rows,
    and the other metrics: accuracy, and loss and accuracy on the test set.

    The figure of one run shows its loss, learning rate and weights; that of a comparison the
    losses of every preset, with bands between the quartiles over seeds, and the sweep over the
    learning rates if there are several. It needs matplotlib: pip install 'tuitrain[figures]'.
    """
    from tuitrain.record.folder import resolve

    if format_ not in (*WRITERS, *FIGURES):
        known = ", ".join([*WRITERS, *FIGURES[:-1]]) + f" or {FIGURES[-1]}"
        raise InputError(f"cannot write {format_!r}", where="--format", expected=known)
    if evaluations and format_ in FIGURES:
        raise InputError(
            f"cannot be drawn as {format_}", where="--evaluations", expected="--format csv or jsonl"
        )
    folder = resolve(runs_dir, id_)
    if format_ in FIGURES:
        draw(folder, format_, output)
    else:
        write(folder, format_, output, Evaluations if evaluations else Steps)


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
        raise InputError("cannot print to a terminal", where="--format png", expected="-o FILE")
    else:
        sys.stdout.buffer.write(figure.getvalue())


def write(
    folder: ExperimentFolder,
    format_: str,
    output: str | None,
    kind: Callable[[StoreReader, Experiment], Rows],
) -> None:
    """Writes rows of an experiment."""
    from tuitrain.record.reader import StoreReader, StoreReadError

    if not folder.database.exists():
        raise InputError(
            "nothing is recorded yet", where=folder.id, expected="an experiment that has begun"
        )
    try:
        with contextlib.closing(StoreReader(folder.database)) as reader:
            table = kind(reader, folder.experiment)
            if output in (None, "-"):
                WRITERS[format_](table, sys.stdout)
            else:
                with Path(str(output)).open("w", encoding="utf-8", newline="") as file:
                    WRITERS[format_](table, file)
            report(reader.corrupt)
    except StoreReadError as error:
        raise InputError(str(error), where=folder.id) from error


def report(corrupt: Mapping[str, str]) -> None:
    """Says what could not be read."""
    for what, problem in corrupt.items():
        click.echo(f"tuitrain: {what} is left out: {problem}", err=True)


class Steps:
    """The recorded rows of an experiment under one header.

    Args:
        reader: the store.
        experiment: what it records.
    """

    def __init__(self, reader: StoreReader, experiment: Experiment) -> None:
        from tuitrain.spec.size import batches_per_epoch

        self.reader = reader
        self.layouts: list[Layout] = reader.layouts_of(experiment)
        self.runs = experiment.stacks()
        self.epochs = [
            batches_per_epoch(preset) if preset.train.epochs else None
            for preset in experiment.presets.values()
        ]
        recorded = dict.fromkeys(name for layout in self.layouts for name in layout.series)
        weights = [name for name in recorded if name not in (*FIRST, *LAST)]
        self.series = [*FIRST, *weights, *(name for name in LAST if name in recorded)]
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
        # A run that has ended before has no learning rate, and after its last window no losses.
        telling = [name for name in ("lr", "loss_min") if name in chunk.series]
        told = zip(*(chunk.series[name][position].tolist() for name in telling), strict=True)
        for known, step, *values in zip(told, steps, *columns, strict=True):
            if any(value == value for value in known):
                yield [run, step, *values]


class Evaluations:
    """The evaluations of an experiment under one header.

    Args:
        reader: the store.
        experiment: what it records.

    Raises:
        InputError: nothing was evaluated.
    """

    def __init__(self, reader: StoreReader, experiment: Experiment) -> None:
        reader.layouts_of(experiment)
        self.runs = experiment.stacks()
        self.diverged = {r.index: r.diverged_at for r in reader.runs() if r.diverged_at is not None}
        self.evaluations = [scalars for _, scalars in reader.evaluations()]
        told = {name for scalars in self.evaluations for name in scalars.values}
        self.columns = [name for name in EVALUATED if name in told]
        self.header = ["run", "step", *self.columns]
        if not told:
            raise InputError(
                "nothing was evaluated",
                where="--evaluations",
                expected="a preset with classes, test rows, two inputs or more than 64 weights",
            )

    def rows(self) -> Iterator[Row]:
        """Every evaluation of every run, but for those from the step on in which it diverged."""
        for scalars in self.evaluations:
            columns = [
                scalars.values[name].tolist() if name in scalars.values else None
                for name in self.columns
            ]
            for position, run in enumerate(self.runs[scalars.stack]):
                if scalars.step < self.diverged.get(run, math.inf):
                    values = [column[position] if column else None for column in columns]
                    yield [run, scalars.step, *values]


def write_csv(table: Rows, file: TextIO) -> None:
    """A header, in which `w[0,0]` is quoted for its comma, and a line for each row."""
    writer = csv.writer(file, lineterminator="\n")  # writes a float as its repr
    writer.writerow(table.header)
    writer.writerows(table.rows())


def write_jsonl(table: Rows, file: TextIO) -> None:
    """One object for each row; what JSON has no number for is null."""
    from tuitrain.cli.result import finite

    file.writelines(
        json.dumps(dict(zip(table.header, finite(row), strict=True)), allow_nan=False) + "\n"
        for row in table.rows()
    )


WRITERS: dict[str, Callable[[Rows, TextIO], None]] = {"csv": write_csv, "jsonl": write_jsonl}
