"""Types of arguments that check and complete themselves, and options shared by commands."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from tuitrain.errors import InputError

F = TypeVar("F", bound=Callable[..., Any])


class Single(click.ParamType[str]):
    """A value that the preset checks; several, which only a comparison could train, are refused."""

    def __init__(self, name: str) -> None:
        self.name = name

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if "," in value:
            raise InputError(
                f"{value!r} is a list, and this trains one run",
                where=f"--{param.name}" if param else "",
                expected="one value",
            )
        return value


class OptimizerName(Single):
    """The name of an optimizer."""

    def __init__(self) -> None:
        super().__init__("NAME")

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        from tuitrain.optim import OPTIMIZERS

        return [CompletionItem(name) for name in OPTIMIZERS if name.startswith(incomplete)]


class PresetName(click.ParamType[str]):
    """The name of a preset, or the path of a preset file."""

    name = "PRESET"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        from tuitrain.spec.catalogue import catalogue

        names = [
            CompletionItem(name, help=preset.title)
            for name, preset in catalogue().items()
            if name.startswith(incomplete)
        ]
        return names or [CompletionItem(incomplete, type="file")]


class Device(click.ParamType[str]):
    """Where to train."""

    name = "DEVICE"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not re.fullmatch(r"auto|cpu|cuda(:[0-9]{1,3})?", value):
            raise InputError(f"{value!r}", where="--device", expected="auto, cpu, cuda or cuda:N")
        return value


def runs_dir_option(command: F) -> F:
    """The option `--runs-dir` that every command on experiments has."""
    return click.option(
        "--runs-dir",
        metavar="DIR",
        help="Where experiments are kept; also TUITRAIN_RUNS_DIR.",
        callback=lambda _context, _param, value: runs_directory(value),
    )(command)


def runs_directory(option: str | None = None) -> Path:
    from tuitrain.record.folder import runs_directory as resolve

    return resolve(option)


def experiment_argument(command: F) -> F:
    """The argument ID: an experiment's id or the beginning of it."""
    return click.argument("id_", metavar="[ID]", required=False)(command)
