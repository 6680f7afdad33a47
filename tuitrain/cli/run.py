"""`tuitrain run`: train one run without the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tuitrain.cli.options import complete_optimizer, complete_preset
from tuitrain.cli.training import (
    KEYS,
    check_machine,
    exclude,
    exclude_twice,
    result_options,
    start,
    train,
    training_options,
)
from tuitrain.errors import InputError

if TYPE_CHECKING:
    from tuitrain.spec.preset import Preset


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
@click.option(
    "--seed",
    metavar="N",
    help="Seed of the initial weights; weights in the preset are for its own seed.",
)
@training_options
@click.option(
    "--set",
    "assignments",
    metavar="KEY=VALUE",
    multiple=True,
    help="Any key of the preset, such as `loss.cost=9` or `optimizer.beta1=0.8`.",
)
@result_options
@click.option("--ui", is_flag=True, help="Open the dashboard, slow enough to watch.")
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
        from tuitrain.ui.pace import watchable

        require_terminal()
        [trained] = experiment.presets.values()
        paced = msgspec.structs.replace(experiment, pace=watchable(trained))
        open_experiment(start(options["runs_dir"], paced))
    elif options["detach"]:
        click.echo(start(options["runs_dir"], experiment).id)
    else:
        from tuitrain.cli.result import print_summary, report

        context.exit(train(experiment, options, report, print_summary))


def check_options(options: dict[str, Any]) -> None:
    """Refuses options that contradict each other, and lists."""
    exclude(options, ("steps", "epochs"), ("ui", "detach"), ("ui", "as_json"))
    exclude(options, ("detach", "as_json"))
    exclude(options, ("fail_on_divergence", "detach"), ("fail_on_divergence", "ui"))
    exclude_twice(options)
    for name in ("optimizer", "lr"):
        if "," in (options[name] or ""):
            raise InputError(
                f"{options[name]!r} is a list, and `run` trains one run",
                where=f"--{name}",
                expected="one value",
            )
    check_machine(options)


def changed(preset: Preset, options: dict[str, Any]) -> Preset:
    """The preset with the options' values in the place of its own."""
    from tuitrain.spec.overrides import assignments, override

    chosen = {key: options[name] for name, key in KEYS.items() if options[name] is not None}
    places = {key: f"--{name} {options[name]}" for name, key in KEYS.items() if key in chosen}
    if "schedule" in chosen:
        places["schedule"] = "--schedule"  # its errors quote the specification themselves
    for text in (*chosen.values(), *options["assignments"]):
        if not text.isprintable():
            raise InputError(f"{text!a} is not text", expected="printable characters")
    return override(preset, chosen | assignments(options["assignments"]), places)
