"""`tuitrain optimizers`: the update rules, with formula, paper and source."""

from __future__ import annotations

import inspect

import click
from rich.text import Text

from tuitrain.cli.console import console, show_code, show_table, table
from tuitrain.cli.options import complete_optimizer
from tuitrain.errors import InputError
from tuitrain.optim.base import Optimizer


@click.group(invoke_without_command=True)
@click.pass_context
def optimizers(context: click.Context) -> None:
    """List the optimizers; show one with formula, paper and source."""
    if context.invoked_subcommand is None:
        context.invoke(listed)


@optimizers.command("list")
def listed() -> None:
    """List the optimizers, as without a command."""
    from tuitrain.optim import OPTIMIZERS, summary

    made = table("optimizer", "what it does", "defaults")
    for name, rule in OPTIMIZERS.items():
        made.add_row(name, Text(summary(rule)), Text(", ".join(defaults(rule))))
    show_table(made)


@optimizers.command()
@click.argument("name", shell_complete=complete_optimizer)
def show(name: str) -> None:
    """Print an optimizer's formula, paper, hyper-parameters and the source of its step."""
    from tuitrain.optim import OPTIMIZERS, source

    if name not in OPTIMIZERS:
        raise InputError(f"no optimizer {name!r}", expected=f"one of {', '.join(OPTIMIZERS)}")
    rule = OPTIMIZERS[name]
    console().print(Text(name, style="bold"), Text(f"({rule.paper})" if rule.paper else ""))
    click.echo(f"\n{inspect.getdoc(rule)}\n")
    click.echo(f"Defaults: {', '.join(defaults(rule))}\n")
    show_code(source(rule), "python")


def defaults(rule: type[Optimizer]) -> list[str]:
    """Each hyper-parameter with its default, as one writes it: `lr=0.001`."""
    from tuitrain.optim import hyperparameters

    return [f"{key}={str(value).lower()}" for key, value in hyperparameters(rule).items()]
