"""`tuitrain run`: train one run without the screen."""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tuitrain.cli.options import complete_optimizer, complete_preset, runs_dir_option
from tuitrain.errors import InputError

if TYPE_CHECKING:
    from tuitrain.record.folder import ExperimentFolder
    from tuitrain.record.live import Recording
    from tuitrain.spec.experiment import Experiment
    from tuitrain.spec.preset import Preset

    Report = Callable[[Recording], dict[str, Any]]
    Summary = Callable[[Recording], None]

KEYS = {
    "optimizer": "optimizer.name",
    "lr": "optimizer.lr",
    "schedule": "schedule",
    "steps": "train.steps",
    "epochs": "train.epochs",
    "batch": "train.batch",
    "seed": "train.seed",
    "dtype": "train.dtype",
}
"""The key of the preset that each option sets."""


@click.command()
@click.argument("preset", shell_complete=complete_preset)
@click.option(
    "-o",
    "--optimizer",
    metavar="NAME",
    shell_complete=complete_optimizer,
    help="See `tuitrain optimizers`.",
)
@click.option("--lr", metavar="X", help="Learning rate.")
@click.option("--schedule", metavar="SPEC", help="Such as `cosine:end=0.01,warmup=100`.")
@click.option("--steps", metavar="N", help="How many updates to train.")
@click.option("--epochs", metavar="N", help="How often to go through the data instead.")
@click.option("--batch", metavar="N|full", help="Rows for each update.")
@click.option("--seed", metavar="N", help="Of the initial weights.")
@click.option("--device", metavar="DEVICE", default="auto", help="auto, cpu, cuda or cuda:N.")
@click.option("--dtype", metavar="float32|float64", help="Of the weights.")
@click.option(
    "--engine",
    type=click.Choice(["auto", "eager", "compiled"]),
    default="auto",
    help="How a step runs; auto is eager.",
)
@click.option(
    "--set",
    "assignments",
    metavar="KEY=VALUE",
    multiple=True,
    help="Any key of the preset, such as `loss.cost=9` or `optimizer.beta1=0.8`.",
)
@runs_dir_option
@click.option("--ui", is_flag=True, help="Open the dashboard on it.")
@click.option("--detach", is_flag=True, help="Print the experiment's id and do not wait.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
@click.option("--quiet", is_flag=True, help="No progress and no messages on stderr.")
@click.option("--fail-on-divergence", is_flag=True, help="Exit with 1 if the run diverges.")
@click.pass_context
def run(context: click.Context, /, preset: str, **options: Any) -> None:
    """Train one run of a preset, without the screen.

    PRESET is a name of `tuitrain presets` or the path of a .toml file.

    Progress goes to stderr, the result to stdout. Ctrl+C stops the run and keeps what is
    recorded.
    """
    import msgspec

    from tuitrain.spec.catalogue import find
    from tuitrain.spec.experiment import single

    check_options(options)
    experiment = msgspec.structs.replace(
        single(changed(find(preset), options), device=options["device"]), engine=options["engine"]
    )
    if options["ui"]:
        from tuitrain.cli.dashboard import open_experiment, require_terminal

        require_terminal()
        open_experiment(start(options["runs_dir"], experiment))
    elif options["detach"]:
        click.echo(start(options["runs_dir"], experiment).id)
    else:
        from tuitrain.cli.result import print_summary, report

        context.exit(train(experiment, options, report, print_summary))


def check_options(options: dict[str, Any]) -> None:
    """Refuses options that contradict each other, and lists."""
    exclude(options, ("steps", "epochs"), ("ui", "detach"), ("ui", "as_json"))
    exclude(options, ("detach", "as_json"))
    for name in ("optimizer", "lr"):
        if "," in (options[name] or ""):
            raise InputError(
                f"{options[name]!r} is a list, and `run` trains one run",
                where=f"--{name}",
                expected="one value",
            )
    check_machine(options)


def exclude(options: dict[str, Any], *pairs: tuple[str, str]) -> None:
    """Refuses both options of a pair."""
    for pair in pairs:
        if all(options[name] for name in pair):
            first, second = (f"--{name.removeprefix('as_').replace('_', '-')}" for name in pair)
            raise InputError(f"cannot stand beside {second}", where=first, expected="one of them")


def check_machine(options: dict[str, Any]) -> None:
    """Refuses what cannot be trained on, and what is not there yet."""
    device = options["device"]
    if not re.fullmatch(r"auto|cpu|cuda(:[0-9]{1,3})?", device):
        raise InputError(f"{device!r}", where="--device", expected="auto, cpu, cuda or cuda:N")
    if options["engine"] == "compiled":
        raise InputError("'compiled' is not there yet", where="--engine", expected="auto or eager")


def changed(preset: Preset, options: dict[str, Any]) -> Preset:
    """The preset with the options' values in the place of its own."""
    from tuitrain.spec.overrides import assignments, override

    chosen = {key: options[name] for name, key in KEYS.items() if options[name] is not None}
    places = {key: f"--{name} {options[name]}" for name, key in KEYS.items()}
    places["schedule"] = "--schedule"  # its errors quote the specification themselves
    for text in (*chosen.values(), *options["assignments"]):
        if not text.isprintable():
            raise InputError(f"{text!a} is no text", expected="printable characters")
    set_by_key = assignments(options["assignments"])
    places = {key: place for key, place in places.items() if key not in set_by_key}
    return override(preset, chosen | set_by_key, places)


def start(runs_dir: Path, experiment: Experiment) -> ExperimentFolder:
    """Creates the experiment's folder and starts its worker."""
    from tuitrain.record.folder import ExperimentFolder
    from tuitrain.worker.launch import launch

    folder = ExperimentFolder.create(runs_dir, experiment)
    launch(folder)
    return folder


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
    from tuitrain.cli.follow import follow, interrupts
    from tuitrain.cli.result import read

    with interrupts() as interrupted:
        folder = start(options["runs_dir"], experiment)
        status = follow(folder, interrupted, quiet=options["quiet"])
    if status.exit_code == 2:
        if not status.step:
            discard(folder)
        raise InputError(status.error)
    recording = read(folder, rows=rows)
    if options["as_json"]:
        click.echo(json.dumps(report(recording), allow_nan=False))
    else:
        summary(recording)
    if interrupted():
        return 130
    if status.state in ("failed", "killed"):
        what = status.error or "the worker died"
        click.echo(f"tuitrain: {folder.id} {status.state}: {what}; see {folder.log}", err=True)
        return 1
    diverged = any(result.status == "diverged" for result in recording.results)
    return int(diverged and options["fail_on_divergence"])


def discard(folder: ExperimentFolder) -> None:
    """Deletes an experiment that its worker has refused, once the worker has let go of it."""
    from tuitrain.record.folder import remove

    deadline = time.monotonic() + 5
    while folder.alive() and time.monotonic() < deadline:
        time.sleep(0.02)
    with contextlib.suppress(InputError):
        remove(folder)
