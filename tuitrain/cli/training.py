"""What the commands that train, `run` and `compare`, share: their options, and the training."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tuitrain.cli.options import (
    complete_device,
    complete_schedule,
    completing,
    runs_dir_option,
)
from tuitrain.errors import InputError

if TYPE_CHECKING:
    from tuitrain.record.folder import ExperimentFolder
    from tuitrain.record.live import Recording
    from tuitrain.spec.experiment import Experiment

    Report = Callable[[Recording], dict[str, Any]]
    Summary = Callable[[Recording], None]

F = TypeVar("F", bound=Callable[..., Any])

TRAIN_KEYS = {
    "steps": "train.steps",
    "epochs": "train.epochs",
    "batch": "train.batch",
    "dtype": "train.dtype",
}
"""The key of a preset that each of `training_options` sets."""

KEYS = {
    "optimizer": "optimizer.name",
    "lr": "optimizer.lr",
    "seed": "train.seed",
    "schedule": "schedule",
    **TRAIN_KEYS,
}
"""The key of a preset that each option sets."""


DTYPES = ("float32", "float64")


def training_options(command: F) -> F:
    """How long to train, and on what."""
    options = [
        click.option(
            "--schedule",
            metavar="SPEC",
            shell_complete=complete_schedule,
            help="Such as `cosine:end=0.01,warmup=100`.",
        ),
        click.option("--steps", metavar="N", help="Number of updates."),
        click.option("--epochs", metavar="N", help="Passes over the data, instead of --steps."),
        click.option("--batch", metavar="N|full", help="Rows for each update."),
        click.option(
            "--device",
            metavar="DEVICE",
            default="auto",
            shell_complete=complete_device,
            help="auto, cpu, cuda or cuda:N.",
        ),
        click.option(
            "--dtype",
            metavar="float32|float64",
            shell_complete=completing(lambda: DTYPES),
            help="Precision of the weights.",
        ),
        click.option(
            "--engine",
            type=click.Choice(["auto", "eager", "compiled"]),
            default="auto",
            help="How a step runs; auto is eager.",
        ),
    ]
    return declared(command, options)


def result_options(command: F) -> F:
    """Where the recording is kept, and what is printed."""
    options = [
        runs_dir_option,
        click.option("--detach", is_flag=True, help="Print the experiment's id and do not wait."),
        click.option(
            "--json", "as_json", is_flag=True, help="Print the result as one JSON object."
        ),
        click.option("--quiet", is_flag=True, help="No progress and no messages on stderr."),
    ]
    return declared(command, options)


def declared(command: F, options: Sequence[Callable[[F], F]]) -> F:
    """The command with the options, in their order: click shows the innermost decorator last."""
    for option in reversed(options):
        command = option(command)
    return command


def exclude(options: dict[str, Any], *pairs: tuple[str, str]) -> None:
    """Refuses both options of a pair."""
    for pair in pairs:
        if all(options[name] for name in pair):
            first, second = (f"--{name.removeprefix('as_').replace('_', '-')}" for name in pair)
            raise InputError(f"conflicts with {second}", where=first, expected="one of them")


def exclude_twice(options: dict[str, Any]) -> None:
    """Refuses a key that both an option and `--set` give a value."""
    from tuitrain.spec.overrides import TAGS

    def whole(key: str) -> str:
        return f"{key}.{TAGS[key]}" if key in TAGS else key

    given = {whole(key): name for name, key in KEYS.items() if options.get(name) is not None}
    for text in options["assignments"]:
        if name := given.get(whole(text.partition("=")[0].strip())):
            problem = f"conflicts with --{name}"
            raise InputError(problem, where=f"--set {text}", expected="one of them")


def check_machine(options: dict[str, Any]) -> None:
    """Refuses what cannot be trained on, and what is not there yet."""
    device = options["device"]
    if not re.fullmatch(r"auto|cpu|cuda(:[0-9]{1,3})?", device):
        raise InputError(f"{device!r}", where="--device", expected="auto, cpu, cuda or cuda:N")
    if device.startswith("cuda"):
        check_gpu(device)
    if options["engine"] == "compiled":
        raise InputError("'compiled' is not ready yet", where="--engine", expected="auto or eager")


def check_gpu(device: str) -> None:
    """Refuses a GPU that there is not, if that is known before a worker has imported torch."""
    from tuitrain.record.usage import offered

    count = offered()
    if count is not None and int(device.partition(":")[2] or 0) >= count:
        expected = f"cuda:0 to cuda:{count - 1}" if count else "cpu or auto"
        raise InputError(f"no GPU for {device!r}", where="--device", expected=expected)


def start(runs_dir: Path, experiment: Experiment) -> ExperimentFolder:
    """Creates the experiment's folder and starts its worker."""
    from tuitrain.worker.launch import begin

    return begin(runs_dir, experiment)


def train(
    experiment: Experiment,
    options: dict[str, Any],
    report: Report,
    summary: Summary,
    *,
    rows: bool = False,
) -> int:
    """Trains to the end, prints the result, and returns the exit code.

    Args:
        experiment: what to train.
        options: of the command line.
        report: makes what `--json` prints.
        summary: prints the result for people.
        rows: whether `report` and `summary` look at the recorded rows.
    """
    from tuitrain.cli.console import unless_unread
    from tuitrain.cli.follow import follow, interrupts
    from tuitrain.cli.result import read
    from tuitrain.record.folder import CLOSING

    with interrupts() as interrupted:  # nor does Ctrl+C cut the result in half
        folder = start(options["runs_dir"], experiment)
        status = follow(folder, interrupted, quiet=options["quiet"])
        if status.exit_code == 2:
            if not status.step:
                discard(folder)
            raise InputError(status.error)
        if status.ended:  # whoever copies run.db next has all of it
            folder.released(patience=CLOSING)
        recording = read(folder, rows=rows)
        with unless_unread():  # the exit code is that of the training all the same
            if options["as_json"]:
                click.echo(json.dumps(report(recording), allow_nan=False))
            else:
                summary(recording)
        if interrupted():
            return 130
    if status.state in ("failed", "killed"):
        what = status.error or "the worker died"
        told = f"tuitrain: {folder.id} {status.state}: {what}; see {folder.log}"
        with contextlib.suppress(OSError):  # the exit code says it as well
            click.echo(told, err=True)
        return 1
    diverged = any(result.status == "diverged" for result in recording.results)
    return int(diverged and options["fail_on_divergence"])


def discard(folder: ExperimentFolder) -> None:
    """Deletes an experiment that its worker has refused."""
    from tuitrain.record.folder import remove

    with contextlib.suppress(InputError):
        remove(folder)
