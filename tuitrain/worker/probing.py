"""Answers questions about the loss: beside a training, or for an experiment that has ended."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from tuitrain.errors import InputError
from tuitrain.record.folder import ExperimentFolder
from tuitrain.record.inbox import Probe, discard, receive
from tuitrain.record.landscape import Landscape
from tuitrain.record.status import Event
from tuitrain.record.store import StoreWriteError, StoreWriter
from tuitrain.spec.experiment import Experiment

if TYPE_CHECKING:
    from tuitrain.train.probes import Surface

IDLE = 30.0
"""Seconds without a question after which nobody seems to look any more."""

PAUSE = 0.02
"""Seconds between two looks into the inbox."""


class Prober:
    """Works out the landscapes of an experiment's stacks."""

    def __init__(self, experiment: Experiment, device: str = "cpu") -> None:
        self._presets = list(experiment.presets.values())
        self._device = device
        self._surfaces: dict[int, Surface] = {}

    def __call__(self, probe: Probe) -> Landscape:
        """The loss over the window that is asked for; coarser where the data are many.

        Raises:
            InputError: there is no such stack, or its model has other parameters.
        """
        surface = self._surface(probe.stack)
        if len(probe.plane.origin) != surface.parameters:
            raise InputError(
                f"{len(probe.plane.origin)} parameters", expected=str(surface.parameters)
            )
        columns, rows = surface.affordable(probe.columns, probe.rows)
        x, y = np.linspace(*probe.window.x, columns), np.linspace(*probe.window.y, rows)
        loss = surface(probe.plane.points(np.tile(x, rows), np.repeat(y, columns)))
        return Landscape(probe.stack, probe.plane, probe.window, loss.reshape(rows, columns))

    def _surface(self, stack: int) -> Surface:
        from tuitrain.train.probes import Surface

        if stack >= len(self._presets):
            raise InputError(f"there is no stack {stack}", where="probe")
        if stack not in self._surfaces:
            self._surfaces[stack] = Surface(self._presets[stack], self._device)
        return self._surfaces[stack]


def problem(error: Exception) -> str:
    """What went wrong, in one line: the first of several, as CUDA's errors go on with advice."""
    if isinstance(error, InputError | StoreWriteError):
        return str(error)
    first, *_ = str(error).strip().splitlines() or [""]
    return " ".join(f"{type(error).__name__}: {first}".split())


def serve(folder: ExperimentFolder, idle: float = IDLE) -> None:
    """Answers what is asked about an experiment whose worker is gone.

    Ends after `idle` seconds without a question, and with the folder. The store is locked only
    while an answer is written.

    Raises:
        InputError: a worker trains the experiment after all.
        StoreWriteError: an answer could not be written.
    """
    prober = Prober(folder.experiment)
    asked = time.monotonic()
    while time.monotonic() - asked < idle and folder.path.is_dir():
        if any(isinstance(command, Probe) for _, command in receive(folder)):
            with folder.lock(patience=5.0):
                _answer_all(folder, prober)
            asked = time.monotonic()
        else:
            time.sleep(PAUSE)


def _answer_all(folder: ExperimentFolder, prober: Prober) -> None:
    writer = StoreWriter(folder.database)
    try:
        # read again: another process may have answered before the lock was ours
        for name, command in receive(folder):
            if isinstance(command, Probe):
                _answer(writer, prober, name, command, folder.status().step)
                discard(folder, name)
    finally:
        writer.close()


def _answer(writer: StoreWriter, prober: Prober, name: str, probe: Probe, step: int) -> None:
    detail = {"id": name, "command": "probe"}
    landscape = None
    try:
        landscape = prober(probe)
    except Exception as error:  # such as memory that is full; the next question may be smaller
        detail["error"] = problem(error)
    with writer.transaction():
        if landscape is not None:
            writer.landscape(landscape)
        writer.event(Event(time.time(), step, None, "command", detail))
