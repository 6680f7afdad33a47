"""Writing results: tables and source code, styled only where a terminal shows them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from tuitrain.cli.main import abandon_output

UNLIMITED = 10_000
"""Columns of a console that is no terminal: what a pipe reads is never cut or wrapped."""


class Output(Console):
    """A console that leaves the exit code to us when the reader of stdout has left."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


@contextmanager
def unless_unread() -> Iterator[None]:
    """Printing inside goes on to nowhere, and is no error, where the reader of stdout has left."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        abandon_output()


def console() -> Console:
    """A console on stdout that adds nothing to the text when stdout is no terminal."""
    return Output(highlight=False, width=None if sys.stdout.isatty() else UNLIMITED)


def table(*columns: str, right: tuple[str, ...] = ()) -> Table:
    """A borderless table whose `right` columns are numbers."""
    made = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", pad_edge=False)
    for name in columns:
        made.add_column(name, justify="right" if name in right else "left", no_wrap=name in right)
    return made


def show_table(made: Table) -> None:
    """Prints a table, for a pipe without the blanks that fill its last column.

    However narrow the terminal, its first column is never cut: that holds what one has to type.
    """
    out = console()
    if out.is_terminal:
        first = made.columns[0]
        widths = (Measurement.get(out, out.options, cell).maximum for cell in first.cells)
        first.min_width, first.no_wrap = max(widths, default=0), True
        out.print(made)
        return
    with out.capture() as captured:
        out.print(made)
    for line in captured.get().splitlines():
        sys.stdout.write(line.rstrip() + "\n")


def show_code(code: str, language: str) -> None:
    """Prints source code, highlighted when stdout is a terminal."""
    if not sys.stdout.isatty():
        sys.stdout.write(code if code.endswith("\n") else code + "\n")
        return
    from rich.syntax import Syntax

    console().print(Syntax(code.rstrip("\n"), language, theme="ansi_dark", word_wrap=True))
