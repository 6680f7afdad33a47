"""Commands on one experiment: look at it, pause it, go on, stop it, delete it."""

from __future__ import annotations

import contextlib
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tuitrain.cli.options import experiment_argument, runs_dir_option
from tuitrain.errors import InputError

if TYPE_CHECKING:
    from tuitrain.record.folder import ExperimentFolder
    from tuitrain.record.inbox import Command
    from tuitrain.record.status import Event

PATIENCE = 15.0
"""Seconds that a worker, which may still be importing torch, has to acknowledge a command."""


@click.command()
@experiment_argument
@runs_dir_option
def attach(id_: str | None, runs_dir: Path) -> None:
    """Open the dashboard on an experiment, running or ended."""
    from tuitrain.cli.dashboard import open_experiment, require_terminal
    from tuitrain.record.folder import resolve

    folder = resolve(runs_dir, id_)
    require_terminal()
    open_experiment(folder)


@click.command()
@experiment_argument
@runs_dir_option
@click.pass_context
def pause(context: click.Context, id_: str | None, runs_dir: Path) -> None:
    """Pause an experiment until `resume`."""
    from tuitrain.record.inbox import Pause

    context.exit(ask(runs_dir, id_, Pause(), "paused", already="paused"))


@click.command()
@experiment_argument
@runs_dir_option
@click.pass_context
def resume(context: click.Context, id_: str | None, runs_dir: Path) -> None:
    """Resume a paused experiment."""
    from tuitrain.record.inbox import Resume

    context.exit(ask(runs_dir, id_, Resume(), "resumed", already="running"))


@click.command()
@experiment_argument
@runs_dir_option
@click.pass_context
def stop(context: click.Context, id_: str | None, runs_dir: Path) -> None:
    """Stop an experiment; its recording is kept."""
    from tuitrain.record.inbox import Stop

    context.exit(ask(runs_dir, id_, Stop(), "stopped"))


@click.command()
@experiment_argument
@runs_dir_option
@click.option("-y", "--yes", is_flag=True, help="Do not ask when no ID is given.")
def rm(id_: str | None, runs_dir: Path, yes: bool) -> None:
    """Delete an ended experiment and its recording."""
    from tuitrain.record.folder import remove, resolve

    folder = resolve(runs_dir, id_)
    if id_ is None and not yes and sys.stdin.isatty():
        click.confirm(f"Delete {folder.id}, the newest?", abort=True, err=True)
    remove(folder)
    click.echo(f"{folder.id} deleted")


def ask(
    runs_dir: Path, id_: str | None, command: Command, done: str, already: str | None = None
) -> int:
    """Sends a command to a living worker and waits until it has taken effect.

    Args:
        runs_dir: where experiments are kept.
        id_: how the experiment's id begins; the newest without one.
        command: what to do.
        done: what the experiment then is, in a word.
        already: the state in which there is nothing to do.

    Returns:
        The exit code: 1 if the worker has not answered in time.
    """
    from tuitrain.record.folder import resolve
    from tuitrain.record.inbox import Stop, send

    folder = resolve(runs_dir, id_)
    status = folder.status()
    if status.ended:
        problem = f"has ended ({status.state})"
        raise InputError(problem, where=folder.id, expected="a running experiment")
    if status.state == already:
        click.echo(f"{folder.id} is already {already}, at step {status.step:,}")
        return 0
    sent = send(folder, command)
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        ended = folder.status().ended  # before the answer, which may be the last thing it did
        event = acknowledgement(folder, sent)
        if event is not None:
            told = f"{folder.id} {done} at step {event.step:,}"
            # What comes next may need it to have ended.
            if isinstance(command, Stop) and not has_ended(folder, deadline):
                click.echo(f"tuitrain: {told}, but has not ended in {PATIENCE:g} s", err=True)
                return 1
            click.echo(told)
            return 0
        if ended:
            raise InputError(f"ended first ({folder.state()})", where=folder.id)
        time.sleep(0.05)
    told = f"the worker has not answered in {PATIENCE:g} s; it will when it can"
    click.echo(f"tuitrain: {folder.id}: {told}", err=True)
    return 1


def has_ended(folder: ExperimentFolder, deadline: float) -> bool:
    """Whether an experiment ends and its store is closed before a moment of the monotonic clock."""
    while not folder.status().ended:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return folder.released(patience=deadline - time.monotonic())


def acknowledgement(folder: ExperimentFolder, sent: str) -> Event | None:
    """The event in which the worker acknowledges a command, once there is one."""
    from tuitrain.record.reader import StoreReader, StoreReadError

    try:
        with contextlib.closing(StoreReader(folder.database)) as reader:
            events = [event for _, event in reader.events()]
    except StoreReadError:
        return None
    mine = (e for e in events if e.kind == "command" and e.detail.get("id") == sent)
    return next(mine, None)
