"""`tuitrain presets`: what can be trained."""

from __future__ import annotations

import json
import sys
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.text import Text

from tuitrain.cli.console import show_code, show_table, table
from tuitrain.cli.options import complete_preset
from tuitrain.errors import InputError

if TYPE_CHECKING:
    from tuitrain.spec.preset import Preset

HERE = "in this directory"
"""The heading of the user's own presets."""


@click.group(invoke_without_command=True)
@click.pass_context
def presets(context: click.Context) -> None:
    """List the presets, print one, check files of your own."""
    if context.invoked_subcommand is None:
        context.invoke(listed)


@presets.command("list")
def listed() -> None:
    """List the presets, as without a command; after those by name, files of this directory."""
    from tuitrain.spec.catalogue import catalogue, own

    made = table("preset", "title", "optimizer", "lr", "length", right=("lr", "length"))
    by_topic = groupby(catalogue().items(), key=lambda item: item[1].topic)
    groups = [(topic, dict(members)) for topic, members in by_topic]
    if mine := own(Path()):
        groups.append((HERE, mine))
    for number, (heading, members) in enumerate(groups):
        if number:
            made.add_row()
        made.add_row(Text(heading, style="bold cyan"))
        for name, preset in members.items():
            made.add_row(*map(Text, row(name, preset)))
    show_table(made)


def row(name: str, preset: Preset) -> tuple[str, ...]:
    """What the list tells of a preset."""
    from tuitrain.optim import name_of

    train = preset.train
    length = f"{train.steps} steps" if train.epochs is None else f"{train.epochs} epochs"
    optimizer = preset.optimizer
    return f"  {name}", preset.title, name_of(optimizer), f"{optimizer.lr:g}", length


@presets.command()
@click.argument("name", shell_complete=complete_preset)
def show(name: str) -> None:
    """Print the file of a preset: a start for one of your own.

    A summary (rows, layers, expected values) goes to stderr: > FILE holds the preset alone.
    """
    from tuitrain.cli.facts import facts
    from tuitrain.spec.catalogue import catalogue, find, preset_directory

    preset = find(name)
    shipped = preset_directory() / f"{preset.name}.toml"
    path = shipped if name in catalogue() else Path(name)
    show_code(path.read_text(encoding="utf-8"), "toml")
    sys.stdout.flush()
    for what, told in facts(preset):
        click.echo(f"{what + ':':<24}{told}", err=True)


@presets.command()
@click.argument(
    "files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@click.pass_context
def check(context: click.Context, files: tuple[Path, ...]) -> None:
    """Check preset files and print the first mistake in each; exit code 2 if there is one."""
    from tuitrain.cli.main import refuse
    from tuitrain.spec.load import load_file

    code = 0
    for file in files:
        try:
            preset = load_file(file)
        except InputError as error:
            code = refuse(str(error))
        else:
            click.echo(f"{file}: ok, {preset.title}")
    context.exit(code)


@presets.command()
def schema() -> None:
    """Print the JSON Schema of preset files, for editors that complete and check."""
    from tuitrain.spec.schema import json_schema

    click.echo(json.dumps(json_schema(), indent=2))
