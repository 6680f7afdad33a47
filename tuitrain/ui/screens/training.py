"""What every screen of an experiment has: its recording, and the keys that go to its worker."""

from __future__ import annotations

from tuitrain.record.folder import ExperimentFolder
from tuitrain.record.inbox import Command, Pause, Resume, SetPace, Step, Stop, send
from tuitrain.record.live import Recording
from tuitrain.ui.compositor import FineCompositor
from tuitrain.ui.messages import Back
from tuitrain.ui.pace import faster, machine_speed, slower
from tuitrain.ui.screens.fitted import FittedScreen
from tuitrain.ui.widgets.logpane import LogPane

FRAME = 0.1
"""Seconds between two looks into the store."""

FEW_STEPS = (20, 50, 100, 200)
"""What charts span while a run is taken forward step by step."""


class TrainingScreen(FittedScreen):
    """Shows an experiment, live or over, and passes keys on to its worker.

    Args:
        folder: of the experiment.
    """

    AUTO_FOCUS = ""  # keys go to the screen; the log takes them only when it is clicked
    FOR_WORKER = frozenset({"pause_or_resume", "step", "stop", "pace"})
    """Actions that take a living worker."""

    def __init__(self, folder: ExperimentFolder) -> None:
        super().__init__()
        self._compositor = FineCompositor()
        self.folder = folder
        self.recording = Recording(folder)
        self._asked_pace: tuple[str, float | None] = ("", None)
        self._asked_pause = ("", False)

    def on_unmount(self) -> None:
        self.recording.close()

    @property
    def alive(self) -> bool:
        """Whether there is still something to train."""
        return not self.recording.status.ended

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return None if action in self.FOR_WORKER and not self.alive else True

    def _send(self, command: Command) -> str:
        """Ask the worker; the id of its answer, empty if the folder takes no question."""
        try:
            return send(self.folder, command)
        except OSError as error:
            problem = f"{self.folder.path}: {error.strerror or error}"
            self.notify(problem, severity="error", title="Not sent", markup=False)
            return ""

    def stop_if_alive(self) -> None:
        """Ask the worker to end, unless it has."""
        if self.alive:
            self._send(Stop())

    def _answered(self, asked: str) -> bool:
        """Whether the worker has done what was asked; so where nothing was."""
        events = reversed(self.recording.events)
        return not asked or any(event.detail.get("id") == asked for event in events)

    @property
    def paused(self) -> bool:
        """Whether it is paused, or will be as soon as the worker has done what was asked last.

        Answers are events: the status may have been read just before one of them.
        """
        name, paused = self._asked_pause
        if not self._answered(name):
            return paused
        last = self._last_answer
        return last != "resumed" if last else self.folder.experiment.paused

    @property
    def _last_answer(self) -> str:
        """Whether it was paused, stepped or resumed last; empty before any of them."""
        kinds = (event.kind for event in reversed(self.recording.events))
        return next((kind for kind in kinds if kind in ("paused", "stepped", "resumed")), "")

    @property
    def span(self) -> int:
        """The steps that the charts span: the planned ones, unless there is little to be seen.

        One step after another, the few that have been taken fill a chart of a few; where there
        is none to come, those that have been taken fill it.
        """
        status = self.recording.status
        if status.ended and status.step:
            return status.step
        few = next((count for count in FEW_STEPS if count > status.step), status.total)
        return min(few, status.total) if self._last_answer == "stepped" else status.total

    def action_pause_or_resume(self) -> None:
        paused = not self.paused
        self._asked_pause = self._send(Pause() if paused else Resume()), paused

    def action_step(self) -> None:
        self._asked_pause = self._send(Step()), True

    def action_stop(self) -> None:
        self._send(Stop())

    @property
    def pace(self) -> float | None:
        """The pace now; the one that was asked for, until the worker has answered: as `paused`."""
        name, asked = self._asked_pace
        if not self._answered(name):
            return asked
        answers = [event.detail for event in self.recording.events if "pace" in event.detail]
        status = self.recording.status
        told = self.folder.experiment.pace if status.state == "starting" else status.pace
        return answers[-1]["pace"] if answers else told

    def action_pace(self, change: str) -> None:
        pace, machine = self.pace, machine_speed(self.recording.status)
        match change:
            case "slower":
                pace = slower(pace, machine)
            case "faster":
                pace = faster(pace, machine)
            case "full":
                pace = None
        self._asked_pace = self._send(SetPace(pace)), pace

    def action_log(self) -> None:
        log = self.query_one(LogPane)
        log.display = not log.display
        log.follow(self.recording.events, ended=self.recording.ended)

    def action_back(self) -> None:
        self.app.post_message(Back(self))
