"""The commands of `tuitrain`, each imported when it is called."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import click

from tuitrain import __version__
from tuitrain.cli.options import runs_dir_option
from tuitrain.errors import InputError

COMMANDS = {
    "run": "run",
    "compare": "compare",
    "presets": "presets",
    "optimizers": "optimizers",
    "experiments": "experiments",
    "attach": "control",
    "pause": "control",
    "resume": "control",
    "stop": "control",
    "rm": "control",
    "export": "export",
    "doctor": "doctor",
    "completion": "completion",
}
"""The module of each command, in the order of the help."""


class LateGroup(click.Group):
    """A group whose commands are imported by name when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"tuitrain.cli.{COMMANDS[cmd_name]}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # the reader of stdout had enough; click would exit with 1
            ctx.exit(0)


@click.group(
    cls=LateGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 training failed, 2 bad input, 130 interrupted.",
)
@click.version_option(__version__, "-V", "--version", message="%(prog)s %(version)s")
@runs_dir_option
@click.pass_context
def cli(context: click.Context, runs_dir: Path) -> None:
    """Watch neural networks learn, from a terminal.

    Without a command, the dashboard opens.
    """
    if context.invoked_subcommand is None:
        from tuitrain.cli.dashboard import open_setup

        open_setup(runs_dir)


def call(arguments: Sequence[str]) -> int:
    """Calls a command.

    Args:
        arguments: what stands after `tuitrain`.

    Returns:
        The exit code that the command has chosen.

    Raises:
        InputError: the arguments are not those of a command.
        KeyboardInterrupt: the user stopped it.
    """
    try:
        code = cli.main(list(arguments), prog_name="tuitrain", standalone_mode=False)
    except click.Abort:
        raise KeyboardInterrupt from None
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx else "tuitrain"
        told = " ".join(error.format_message().split())  # choices come in lines of their own
        problem = f"{told.rstrip('.')}; see `{path} --help`"
        raise InputError(problem) from None
    except click.ClickException as error:
        raise InputError(error.format_message()) from None
    return int(code or 0)
