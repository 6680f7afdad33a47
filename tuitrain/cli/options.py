"""Arguments that complete themselves, and options shared by commands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

F = TypeVar("F", bound=Callable[..., Any])


def complete_optimizer(
    _context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[str]:
    """The optimizers whose names begin so."""
    from tuitrain.optim import OPTIMIZERS

    return [name for name in OPTIMIZERS if name.startswith(incomplete)]


def complete_preset(
    _context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """The shipped presets whose names begin so; if there are none, files."""
    from tuitrain.spec.catalogue import catalogue

    names = [
        CompletionItem(name, help=preset.title)
        for name, preset in catalogue().items()
        if name.startswith(incomplete)
    ]
    return names or [CompletionItem(incomplete, type="file")]


def runs_dir_option(command: F) -> F:
    """The option `--runs-dir` that every command on experiments has."""
    return click.option(
        "--runs-dir",
        metavar="DIR",
        help="Where experiments are kept; also TUITRAIN_RUNS_DIR.",
        callback=lambda _context, _param, value: runs_directory(value),
    )(command)


def runs_directory(option: str | None = None) -> Path:
    from tuitrain.record.directory import runs_directory as resolve

    return resolve(option)


def experiment_argument(command: F) -> F:
    """The argument ID: an experiment's id or the beginning of it."""
    return click.argument("id_", metavar="[ID]", required=False)(command)
