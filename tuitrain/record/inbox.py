"""Commands for a worker: files that appear whole, are read in order, and act once."""

from __future__ import annotations

import contextlib
import logging
import math
import os
import time
from collections.abc import Container
from itertools import count
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from tuitrain.optim.base import Positive
from tuitrain.record import files
from tuitrain.record.folder import ExperimentFolder
from tuitrain.record.landscape import Finest, Plane, Window

log = logging.getLogger(__name__)
_numbers = count()


class _Command(Struct, frozen=True, forbid_unknown_fields=True, tag_field="command", tag=str.lower):
    """Something to ask of a worker."""


class Pause(_Command, frozen=True):
    """Train no further until `Resume` or `Step`."""


class Resume(_Command, frozen=True):
    """Go on training."""


class Step(_Command, frozen=True):
    """Train exactly one step of every stack, and be paused after it."""


class Stop(_Command, frozen=True):
    """End the experiment here, with its final weights and their loss recorded."""


class SetLearningRate(_Command, frozen=True, tag="lr"):
    """The next step uses `lr`, and the schedule continues from it; for one run, or for all."""

    lr: Annotated[float, Meta(ge=0)]
    run: Annotated[int, Meta(ge=0)] | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.lr) and self.lr >= 0):
            raise ValueError(f"learning rate {self.lr} is not a finite number of at least 0")


class SetPace(_Command, frozen=True, tag="pace"):
    """Train at most `pace` steps a second of every run, or as many as the machine can."""

    pace: Positive | None

    def __post_init__(self) -> None:
        if self.pace is not None and not (math.isfinite(self.pace) and self.pace > 0):
            raise ValueError(f"pace {self.pace} is not a finite number above 0")


class Probe(_Command, frozen=True):
    """The loss of a stack's model over a window of a plane, at `columns` x `rows` points."""

    stack: Annotated[int, Meta(ge=0)]
    plane: Plane
    window: Window
    columns: Finest
    rows: Finest

    def __post_init__(self) -> None:
        plane, window = self.plane, self.window
        if not len(plane.origin) == len(plane.across) == len(plane.up):
            raise ValueError("origin, across and up differ in length")
        numbers = (*plane.origin, *plane.across, *plane.up, *window.x, *window.y)
        if not all(map(math.isfinite, numbers)):
            raise ValueError("a number of the plane or the window is not finite")
        if min(window.size) <= 0:
            raise ValueError("the window is empty")


Command = Pause | Resume | Step | Stop | SetLearningRate | SetPace | Probe


def send(folder: ExperimentFolder, command: Command) -> str:
    """Asks something of an experiment's worker.

    Returns:
        The id with which the worker acknowledges it in an event of kind `command`.
    """
    name = f"{time.time_ns():020d}-{os.getpid()}-{next(_numbers):06d}"
    folder.inbox.mkdir(mode=0o700, exist_ok=True)
    files.replace(folder.inbox / f"{name}.json", msgspec.json.encode(command))
    return name


def receive(folder: ExperimentFolder, but: Container[str] = ()) -> list[tuple[str, Command]]:
    """The commands that wait, in the order of sending; they wait until they are discarded.

    What is no command is moved to `inbox/rejected` and logged.

    Args:
        folder: of the experiment.
        but: the ids of commands that are known already.
    """
    try:
        with os.scandir(folder.inbox) as entries:
            names = sorted(entry.name for entry in entries if entry.name.endswith(".json"))
    except FileNotFoundError:
        return []
    commands = []
    for path in (folder.inbox / name for name in names if not name.startswith(".")):
        if path.stem in but:
            continue
        try:
            commands.append((path.stem, msgspec.json.decode(path.read_bytes(), type=Command)))
        except (OSError, ValueError) as error:  # msgspec's errors are ValueErrors
            _reject(path, error)
    return commands


def discard(folder: ExperimentFolder, name: str) -> None:
    """Removes a command that has been acknowledged, if it can be removed."""
    with contextlib.suppress(OSError):
        (folder.inbox / f"{name}.json").unlink(missing_ok=True)


class Inbox:
    """A worker's side of the inbox: every command comes once, and stays until it is done."""

    def __init__(self, folder: ExperimentFolder) -> None:
        self._folder = folder
        self._taken: set[str] = set()
        self._done: set[str] = set()

    def receive(self) -> list[tuple[str, Command]]:
        """The commands that have come in since the last time, in the order of sending."""
        found = []
        for name, command in receive(self._folder, but=self._taken):
            if name in self._done:  # it has come again, or could not be deleted
                discard(self._folder, name)
            else:
                self._taken.add(name)
                found.append((name, command))
        return found

    def done(self, name: str) -> None:
        """Lets go of a command that has been acknowledged."""
        self._taken.remove(name)
        self._done.add(name)
        discard(self._folder, name)


def _reject(path: Path, error: Exception) -> None:
    log.warning("%s is no command: %s", path.name, error)
    rejected = path.parent / "rejected"
    with contextlib.suppress(OSError):
        rejected.mkdir(mode=0o700, exist_ok=True)
        path.replace(rejected / path.name)
