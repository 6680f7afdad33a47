"""The command `tuitrain`: opens the dashboard or calls a command, every error as one line."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path

from tuitrain.errors import InputError

COMPLETING = "_TUITRAIN_COMPLETE"
"""The variable with which a shell asks for completions, with no arguments."""

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line.

    Args:
        arguments: what stands after `tuitrain`; those of the process by default.

    Returns:
        The exit code: 0 done (or the reader of stdout had enough), 1 training failed (or the
        result could not be written), 2 bad input, 130 interrupted.
    """
    open_closed()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without Unicode is told what it can
    try:
        code = dispatch(sys.argv[1:] if arguments is None else arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        abandon_output()
        return 0
    except KeyboardInterrupt:
        return INTERRUPTED
    except InputError as error:
        return refuse(str(error))
    except OSError as error:
        if error.filename is not None:
            return refuse(f"{error.filename}: {error.strerror or error}")
        abandon_output()
        return refuse(f"output: {error.strerror or error}", code=1)
    return code


def abandon_output() -> None:
    """Lets stdout lead nowhere: Python flushes it once more when it exits."""
    with contextlib.suppress(OSError):  # one in memory has no file
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def open_closed() -> None:
    """Lets streams that were closed (`>&-`) lead nowhere, instead of being None."""
    for name, mode in {"stdin": "r", "stdout": "w", "stderr": "w"}.items():
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode))  # noqa: SIM115 - as long as the process


def dispatch(arguments: Sequence[str]) -> int:
    """Opens the dashboard at once, without the imports of the commands, or calls a command."""
    if not arguments and COMPLETING not in os.environ:
        from tuitrain.cli.dashboard import open_setup

        open_setup()
        return 0
    from tuitrain.cli.commands import call

    return call(arguments)


def refuse(problem: str, code: int = 2) -> int:
    """Prints an error as one line of printable characters, and returns the exit code."""
    line = " ".join(problem.split())
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)
    with contextlib.suppress(OSError):  # nobody reads on, or there is no space left
        print(f"tuitrain: error: {shown}", file=sys.stderr)
    return code
