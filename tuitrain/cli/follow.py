"""Waiting for an experiment, with its progress on stderr."""

from __future__ import annotations

import contextlib
import math
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import FrameType

import click
import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from tuitrain.record.evaluations import Scalars
from tuitrain.record.folder import ExperimentFolder
from tuitrain.record.inbox import Stop, send
from tuitrain.record.listing import duration
from tuitrain.record.ranking import ACCURACIES
from tuitrain.record.reader import StoreReader, StoreReadError
from tuitrain.record.status import Status

POLL = 0.05
"""Seconds between two looks at the store."""

SHORTEST = 10
"""Columns of a bar from which on it is drawn."""

LINES = 2.0
"""Seconds between two lines where stderr is no terminal."""

UNTOLD = ("starting", "failed", "killed")
"""States without a line: before there is anything to say, and where an error says it all."""

Show = Callable[[Status, str], None]
"""Shows a status, and in words what the training has reached."""


def follow(folder: ExperimentFolder, interrupted: Callable[[], int], *, quiet: bool) -> Status:
    """Waits until an experiment has ended, and returns its last status.

    Args:
        folder: the experiment.
        interrupted: counts Ctrl+C: the first stops the experiment, the second leaves at once.
        quiet: show no progress.
    """
    reached = Reached(folder)
    with display() as show, contextlib.closing(reached):
        asked = False
        while not (status := folder.status()).ended and interrupted() < 2:
            if not quiet:
                show(*reached.read(status))
            if interrupted() and not asked:
                send(folder, Stop())
                asked = True
            time.sleep(POLL)
        if interrupted() and not asked and not status.ended:  # twice between two looks
            send(folder, Stop())
        if not quiet:
            show(*reached.read(status))
        return status


class Reached:
    """What a single run has reached last, or the one of several with the lowest loss now.

    Not the lowest ever: of mini-batches, that is the luckiest one. Reads no rows.
    """

    def __init__(self, folder: ExperimentFolder) -> None:
        self.folder = folder
        self.several = len(folder.experiment.runs) > 1
        self.reader: StoreReader | None = None
        self.seen = self.evaluated = 0
        self.step: int | None = None
        self.losses: dict[int, float] = {}
        """The lowest loss of each stack in its last row."""
        self.accuracy = "", math.nan
        self.accuracy_step = 0

    def read(self, status: Status) -> tuple[Status, str]:
        """The status, and the loss reached by then, such as `loss 0.25  accuracy 0.97`.

        Of a single run the status is given the step that the loss is of: rows are written after
        it was read. An accuracy of an earlier step names that step. Before the first step,
        `loss nan`.
        """
        with contextlib.suppress(StoreReadError):
            if self.reader is None and self.folder.database.exists():
                self.reader = StoreReader(self.folder.database)
            if self.reader is not None:
                for key, summary in self.reader.summaries(self.seen):
                    self.seen = key
                    # fmin leaves out runs that have ended
                    self.losses[summary.extent.stack] = float(np.fmin.reduce(summary.last[0]))
                    self.step = None if self.several else summary.extent.last
                for key, scalars in self.reader.evaluations(self.evaluated):
                    self.evaluated = key
                    self.take(scalars)
        loss = float(np.fmin.reduce([math.nan, *self.losses.values()]))
        told = {"lowest loss" if self.several else "loss": loss}
        if self.accuracy[0]:
            told["best " * self.several + self.accuracy[0]] = self.accuracy[1]
        words = "  ".join(f"{name} {value:.6g}" for name, value in told.items())
        if self.accuracy[0] and self.step not in (None, self.accuracy_step):
            words += f" at {self.accuracy_step:,}"
        return status if self.step is None else replace(status, step=self.step), words

    def take(self, scalars: Scalars) -> None:
        """Takes in an evaluation: the accuracy on the test set, or the other without one."""
        name = next((name for name in reversed(ACCURACIES) if name in scalars.values), None)
        if name is not None:
            most = float(np.fmax.reduce(scalars.values[name]))
            before = self.accuracy[1] if self.several else math.nan
            self.accuracy = name.replace("_", " "), float(np.fmax(most, before))
            self.accuracy_step = scalars.step

    def close(self) -> None:
        """Lets go of the store."""
        if self.reader is not None:
            self.reader.close()


@contextmanager
def interrupts() -> Iterator[Callable[[], int]]:
    """Counts Ctrl+C (and SIGTERM) instead of raising in the middle of something."""
    count = 0

    def handler(_signal: int, _frame: FrameType | None) -> None:
        nonlocal count
        count += 1

    signals = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, handler) for number in signals]
    try:
        yield lambda: count
    finally:
        for number, former in zip(signals, before, strict=True):
            signal.signal(number, former)


@contextmanager
def display() -> Iterator[Show]:
    """A progress bar where stderr is a terminal, else a line now and then."""
    if sys.stderr.isatty():
        with progress_on(Console(stderr=True, highlight=False)) as progress:
            yield bar(progress)
    else:
        yield lines()


def progress_on(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        TextColumn("{task.fields[figures]}"),
        console=console,
        auto_refresh=False,
        transient=True,
        expand=True,
    )


def bar(progress: Progress) -> Show:
    """State, bar and figures in one line; where it is narrow, the first figures alone."""
    task = progress.add_task("starting", total=None, figures="")
    columns = progress.columns

    def show(status: Status, reached: str) -> None:
        room = progress.console.width - len(f"{status.state}  ") - SHORTEST
        told = figures(status, reached, room)
        progress.columns = columns if len(told) <= room else columns[-1:]
        progress.update(
            task,
            description=status.state,
            total=status.total or None,
            completed=status.step,
            figures=told,
            refresh=True,
        )

    return show


def lines() -> Show:
    shown = ""
    due = 0.0

    def show(status: Status, reached: str) -> None:
        nonlocal shown, due
        now = time.monotonic()
        if status.state in UNTOLD:
            return
        if status.state != shown or (now >= due and status.state == "running"):
            shown, due = status.state, now + LINES
            with contextlib.suppress(OSError):  # nobody reads on; the result is for stdout
                told = (status.state, figures(status, reached))
                click.echo("  ".join(filter(None, told)), err=True)

    return show


def figures(status: Status, reached: str, room: float = math.inf) -> str:
    """Where the training stands, in one line; empty before it has started.

    What takes more than `room` letters is left out, but for the step and the loss.
    """
    if not status.step:
        return ""
    parts = [f"{status.step:,}/{status.total:,}", *reached.split("  ")]
    if status.steps_per_second:
        parts.append(f"{status.steps_per_second:,.0f} steps/s")
        if not status.ended:
            left = (status.total - status.step) / status.steps_per_second
            parts.append(f"{duration(left)} left")
    while len("  ".join(parts)) > room and len(parts) > 2:
        del parts[-2 if len(parts) > 3 else -1]  # the time that is left goes last
    return "  ".join(parts)
