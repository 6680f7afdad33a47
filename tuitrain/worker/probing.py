"""Answers questions about the loss: beside a training, or for an experiment that has ended."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tuitrain.errors import InputError
from tuitrain.record.folder import ANSWERS, CLOSING, ExperimentFolder
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
    """Computes the landscapes of an experiment's stacks."""

    def __init__(self, experiment: Experiment, device: str = "cpu") -> None:
        self._presets = list(experiment.presets.values())
        self._device = device
        self._surfaces: dict[int, Surface] = {}

    def parts(self, probe: Probe) -> Iterator[Landscape | None]:
        """The loss over the window that is asked for; coarser where the data are many.

        Yields:
            None after every forward pass, and at last the landscape.

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
        x, y = np.tile(x, rows), np.repeat(y, columns)
        loss = np.empty(rows * columns)
        for start in range(0, len(loss), surface.at_once):
            part = slice(start, start + surface.at_once)
            loss[part] = surface(probe.plane.points(x[part], y[part]))
            yield None
        yield Landscape(probe.stack, probe.plane, probe.window, loss.reshape(rows, columns))

    def _surface(self, stack: int) -> Surface:
        from tuitrain.train.probes import Surface

        if stack >= len(self._presets):
            raise InputError(f"there is no stack {stack}", where="probe")
        if stack not in self._surfaces:
            self._surfaces[stack] = Surface(self._presets[stack], self._device)
        return self._surfaces[stack]


class Answer(NamedTuple):
    """What came of a question.

    Attributes:
        name: the id of the question.
        landscape: None if it could not be worked out.
        error: why, in one line.
    """

    name: str
    landscape: Landscape | None
    error: str = ""

    @property
    def detail(self) -> dict[str, Any]:
        """What the event that acknowledges the question says."""
        told = {"error": self.error} if self.error else {}
        return {"id": self.name, "command": "probe", **told}


class Questions:
    """Questions that are answered bit by bit, so that what goes on beside need not wait."""

    def __init__(self, prober: Prober) -> None:
        self._prober = prober
        self._waiting: dict[str, Iterator[Landscape | None]] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def ask(self, name: str, probe: Probe) -> None:
        """Takes a question, which waits for those before it."""
        self._waiting[name] = self._prober.parts(probe)

    def work(self, seconds: float) -> Answer | None:
        """Goes on with the first question; None if it has no answer after so many seconds."""
        name, parts = next(iter(self._waiting.items()))
        end = time.perf_counter() + seconds
        try:
            while (landscape := next(parts)) is None:
                if time.perf_counter() > end:
                    return None
            answer = Answer(name, landscape)
        except Exception as error:  # such as memory that is full; the next question may be smaller
            answer = Answer(name, None, problem(error))
        del self._waiting[name]
        return answer


def problem(error: Exception) -> str:
    """What went wrong, in one line: the first of several, as CUDA's errors go on with advice."""
    if isinstance(error, InputError | StoreWriteError):
        return str(error)
    first, *_ = str(error).strip().splitlines() or [""]
    return " ".join(f"{type(error).__name__}: {first}".split())


def serve(folder: ExperimentFolder, idle: float = IDLE) -> None:
    """Answers what is asked about an experiment whose worker is gone.

    Ends after `idle` seconds without a question, and with the folder. What it locks meanwhile is
    not what tells a worker to be alive.

    Raises:
        InputError: a worker trains the experiment after all.
        StoreWriteError: an answer could not be written.
    """
    prober = Prober(folder.experiment)
    asked = time.monotonic()
    while time.monotonic() - asked < idle and folder.path.is_dir():
        if any(isinstance(command, Probe) for _, command in receive(folder)):
            with folder.lock(patience=CLOSING, file=ANSWERS):
                if not folder.released(patience=CLOSING):
                    raise InputError("is being trained by another process", where=folder.id)
                _answer_all(folder, prober)
            asked = time.monotonic()
        else:
            time.sleep(PAUSE)


def _answer_all(folder: ExperimentFolder, prober: Prober) -> None:
    writer, questions = StoreWriter(folder.database), Questions(prober)
    try:
        # read again: another process may have answered before the lock was ours
        for name, command in receive(folder):
            if isinstance(command, Probe):
                questions.ask(name, command)
                answer = None
                while answer is None:
                    answer = questions.work(PAUSE)
                _write(writer, answer, folder.status().step)
                discard(folder, name)
    finally:
        writer.close()


def _write(writer: StoreWriter, answer: Answer, step: int) -> None:
    with writer.transaction():
        if answer.landscape is not None:
            writer.landscape(answer.landscape)
        writer.event(Event(time.time(), step, None, "command", answer.detail))
