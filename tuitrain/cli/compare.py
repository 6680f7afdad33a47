"""`tuitrain compare`: train a product of settings as one experiment, and rank it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tuitrain.cli.options import complete_optimizer, complete_preset
from tuitrain.cli.training import (
    TRAIN_KEYS,
    check_machine,
    exclude,
    exclude_twice,
    result_options,
    start,
    train,
    training_options,
)

if TYPE_CHECKING:
    from tuitrain.spec.experiment import Experiment

T = TypeVar("T")

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
@click.option(
    "--seeds", metavar="N|A:B|LIST", help="N from each preset's seed up, A to B-1, or 0,3,5."
)
@training_options
@click.option("--seconds", metavar="S", help="Stop after S seconds, even with steps left.")
@click.option("--target", metavar="LOSS", help="Target loss; default: 99 % of the way to best.")
@click.option(
    "--set",
    "assignments",
    metavar="KEY=VALUE[,VALUE...]",
    multiple=True,
    help="Any key of the presets, such as `loss.cost=1,9` or `optimizer.beta1=0.8,0.9`.",
)
@result_options
@click.option("--no-ui", is_flag=True, help="Print a table instead of opening the screen.")
@click.option("--fail-on-divergence", is_flag=True, help="Exit with 1 if a run diverges.")
@click.pass_context
def compare(context: click.Context, /, presets: tuple[str, ...], **options: Any) -> None:
    """Train every combination of presets, optimizers, learning rates and seeds together.

    Each PRESET is a name of `tuitrain presets` or the path of a .toml file. Lists and ranges
    multiply, up to 10,000 runs. Runs of one preset and seed start from the same weights and see
    the same batches.

    In a terminal the comparison screen opens; with --no-ui, or elsewhere, a ranking is printed.
    """
    exclude(options, ("steps", "epochs"), ("detach", "as_json"), ("detach", "no_ui"))
    exclude_twice(options)
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
        for name, key in TRAIN_KEYS.items()
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
        options={key: f"--{name}" for name, key in TRAIN_KEYS.items()} | OTHERS,
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
