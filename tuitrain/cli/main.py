"""The command `tuitrain`: finds the subcommand, and turns every error into one line.

Only click is imported here: `tuitrain --version` and shell completion must be instant.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper

import click

from tuitrain import __version__
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


@click.group(
    cls=LateGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 training failed, 2 bad input, 130 interrupted.",
)
@click.version_option(__version__, "-V", "--version", message="%(prog)s %(version)s")
@click.pass_context
def cli(context: click.Context) -> None:
    """Watch neural networks learn, from a terminal.

    Without a command, the dashboard opens.
    """
    if context.invoked_subcommand is None:
        from tuitrain.cli.dashboard import open_setup

        open_setup()


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line.

    Args:
        arguments: what stands after `tuitrain`; those of the process by default.

    Returns:
        The exit code: 0 done, 1 training failed (or the reader of stdout went away), 2 bad
        input, 130 interrupted.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without Unicode is told what it can
    try:
        code = cli.main(arguments, prog_name="tuitrain", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes stdout once more when it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except click.Abort:
        return 130
    except click.UsageError as error:
        return refuse(usage(error))
    except click.ClickException as error:
        return refuse(error.format_message())
    except InputError as error:
        return refuse(str(error))
    except OSError as error:
        return refuse(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    return int(code or 0)


def usage(error: click.UsageError) -> str:
    """What click says about the arguments, and where to read more."""
    path = error.ctx.command_path if error.ctx else "tuitrain"
    return f"{error.format_message().rstrip('.')}; see `{path} --help`"


def refuse(problem: str) -> int:
    """Prints an error as one line of printable characters."""
    line = " ".join(problem.split())
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)
    click.echo(f"tuitrain: error: {shown}", err=True)
    return 2
