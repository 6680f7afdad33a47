"""`tuitrain completion SHELL`: the script that teaches a shell to complete."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from tuitrain.cli.main import COMPLETING


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script of a shell.

    \b
    bash: eval "$(tuitrain completion bash)"              in ~/.bashrc
    zsh:  eval "$(tuitrain completion zsh)"               in ~/.zshrc
    fish: tuitrain completion fish | source               in config.fish
    """
    kind = get_completion_class(shell)
    assert kind is not None, "click completes for these three"
    command = context.find_root().command
    click.echo(kind(command, {}, "tuitrain", COMPLETING).source())
