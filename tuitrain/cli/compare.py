"""`tuitrain compare`: train a product of settings as one experiment, and rank it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tuitrain.cli.options import complete_optimizer, complete_preset, runs_dir_option

if TYPE_CHECKING:
    from tuitrain.spec.experiment import Experiment

T = TypeVar("T")

SETTINGS = {
    "steps": "train.steps",
    "epochs": "train.epochs",
    "batch": "train.batch",
    "dtype": "train.dtype",
}
"""The key of the presets that each option sets."""

OTHERS = {"optimizer.lr": "--lr", "schedule": "--schedule", "seconds": "--seconds"}
"""The option of what else errors may name."""


@click.command()
@click.argument(
    "presets", metavar="PRESET...", nargs=-1, required=True, shell_complete=complete_preset
)
@click.option(
    "-o",
    "--optimizer",
    metavar="NAME[,NAME...]",
    shell_complete=complete_optimizer,
    help="See `tuitrain optimizers`; each preset's own by default.",
)
@click.option("--lr", metavar="X[,X...]", help="Learning rates, or a range: 1e-4:1:log:32.")
@click.option("--seeds", metavar="N|A:B", help="From each preset's own seed on, or A to B-1.")
@click.option("--schedule", metavar="SPEC", help="Such as `cosine:end=0.01,warmup=100`.")
@click.option("--steps", metavar="N", help="How many updates to train.")
@click.option("--epochs", metavar="N", help="How often to go through the data instead.")
@click.option("--seconds", metavar="S", help="End after so long, if the steps are not done.")
@click.option("--target", metavar="LOSS", help="The loss to reach; else 1 % above the least.")
@click.option("--batch", metavar="N|full", help="Rows for each update.")
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
    metavar="KEY=VALUE[,VALUE...]",
    multiple=True,
    help="Any key of the presets, such as `loss.cost=1,9` or `optimizer.beta1=0.8,0.9`.",
)
@runs_dir_option
@click.option("--no-ui", is_flag=True, help="Print a table instead of opening the screen.")
@click.option("--detach", is_flag=True, help="Print the experiment's id and do not wait.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
@click.option("--quiet", is_flag=True, help="No progress and no messages on stderr.")
@click.option("--fail-on-divergence", is_flag=True, help="Exit with 1 if a run diverges.")
@click.pass_context
def compare(context: click.Context, /, presets: tuple[str, ...], **options: Any) -> None:
    """Train every combination of presets, optimizers, learning rates and seeds together.

    Each PRESET is a name of `tuitrain presets` or the path of a .toml file. Lists and ranges
    multiply, up to 10,000 runs. Runs of one preset and seed start from the same weights and see
    the same batches.

    In a terminal the comparison screen opens; with --no-ui, or elsewhere, a ranking is printed.
    """
    from tuitrain.cli.run import check_machine, exclude, start, train

    exclude(options, ("steps", "epochs"), ("detach", "as_json"), ("detach", "no_ui"))
    check_machine(options)
    experiment = planned(presets, options)
    if options["detach"]:
        click.echo(start(options["runs_dir"], experiment).id)
    elif options["no_ui"] or options["as_json"] or not (sys.stdin.isatty() and sys.stdout.isatty()):
        from tuitrain.cli.ranking import print_ranking, report

        context.exit(train(experiment, options, report, print_ranking, rows=True))
    else:
        from tuitrain.cli.dashboard import open_experiment

        open_experiment(start(options["runs_dir"], experiment))


def planned(presets: tuple[str, ...], options: dict[str, Any]) -> Experiment:
    """The experiment that the arguments ask for."""
    from tuitrain.spec import comparison, ranges
    from tuitrain.spec.catalogue import find

    settings = {
        key: ranges.values(options[name], f"--{name} {options[name]}")
        for name, key in SETTINGS.items()
        if options[name] is not None
    }
    if options["schedule"] is not None:
        settings["schedule"] = [*ranges.schedules(options["schedule"], "--schedule")]
    return comparison.compare(
        [find(name) for name in presets],
        optimizers=given(options, "optimizer", ranges.optimizers) or (),
        learning_rates=given(options, "lr", ranges.numbers) or (),
        seeds=given(options, "seeds", ranges.seeds) or 1,
        settings=settings | assigned(options["assignments"]),
        seconds=given(options, "seconds", ranges.number),
        target=given(options, "target", ranges.number),
        device=options["device"],
        engine=options["engine"],
        options={key: f"--{name}" for name, key in SETTINGS.items()} | OTHERS,
    )


def given(options: dict[str, Any], name: str, parse: Callable[[str, str], T]) -> T | None:
    """The value of an option, None without it."""
    text = options[name]
    return None if text is None else parse(text, f"--{name} {text}")


def assigned(texts: Sequence[str]) -> dict[str, list[object]]:
    """The values of every key that `--set` names."""
    from tuitrain.spec import ranges
    from tuitrain.spec.overrides import assignments

    parsers: dict[str, Callable[[str, str], Sequence[object]]] = {
        "schedule": ranges.schedules,
        "optimizer": ranges.optimizers,
        "optimizer.name": ranges.optimizers,
        "optimizer.lr": ranges.numbers,
    }
    return {
        key: [*parsers.get(key, ranges.values)(str(text), f"--set {key}={text}")]
        for key, text in assignments(texts).items()
    }
