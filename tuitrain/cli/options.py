"""Arguments that complete themselves, and options shared by commands."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from tuitrain.errors import InputError

F = TypeVar("F", bound=Callable[..., Any])


Complete = Callable[[click.Context, click.Parameter, str], list[str]]


def completing(known: Callable[[], Iterable[str]]) -> Complete:
    """Completes one of the names that are `known` when it is asked, or a list of them."""

    def complete(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
        comma = incomplete.rfind(",") + 1 if context.info_name == "compare" else 0
        before, word = incomplete[:comma], incomplete[comma:]
        given = before.split(",")
        return [before + n for n in known() if n.startswith(word) and n not in given]

    return complete


@completing
def complete_optimizer() -> Iterable[str]:
    from tuitrain.optim import OPTIMIZERS

    return OPTIMIZERS


@completing
def complete_schedule() -> Iterable[str]:
    from tuitrain.optim.schedules import SCHEDULES

    return SCHEDULES


@completing
def complete_device() -> Iterable[str]:
    """The devices that there are; `cuda` also where that is not known."""
    from tuitrain.record.usage import offered

    count = offered()
    several = [f"cuda:{number}" for number in range(count or 0)]
    return ["auto", "cpu", *["cuda"] * (count != 0), *several]


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
    """The option `--runs-dir` that every command on experiments has, and `tuitrain` itself."""
    return click.option(
        "--runs-dir",
        metavar="DIR",
        help="Where experiments are kept; also TUITRAIN_RUNS_DIR.",
        shell_complete=lambda _context, _parameter, word: [CompletionItem(word, type="dir")],
        callback=runs_directory,
    )(command)


def runs_directory(context: click.Context, _parameter: click.Parameter, value: str | None) -> Path:
    """Where experiments are kept: as the command says, else as what stands before it does."""
    from tuitrain.record.directory import runs_directory as resolve

    if value == "":  # what an unset variable of a shell becomes must not mean another directory
        raise InputError("an empty path", where="--runs-dir", expected="a directory")
    before: Path | None = context.find_root().params.get("runs_dir")
    return resolve(value) if value is not None or before is None else before


def experiment_argument(command: F) -> F:
    """The argument ID: an experiment's id or the beginning of it."""
    return click.argument("id_", metavar="[ID]", required=False, shell_complete=complete_id)(
        command
    )


def complete_id(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """The ids that begin so, newest first."""
    from tuitrain.record.folder import experiments

    runs_dir: Path | None = context.params["runs_dir"]  # None where it is refused
    ids = [folder.id for folder in experiments(runs_dir)] if runs_dir else []
    return [id_ for id_ in ids if id_.startswith(incomplete)]
