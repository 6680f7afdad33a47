"""What the parts of the screen tell one another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

from tuitrain.spec.experiment import Experiment

if TYPE_CHECKING:
    from tuitrain.ui.screens.training import TrainingScreen


class Start(Message):
    """The user starts an experiment."""

    def __init__(self, experiment: Experiment) -> None:
        super().__init__()
        self.experiment = experiment


class Restart(Start):
    """An experiment takes the place of the one on the screen."""


class Back(Message):
    """The user goes from a dashboard back to the setup screen."""

    def __init__(self, dashboard: TrainingScreen) -> None:
        super().__init__()
        self.dashboard = dashboard


class Refreshed(Message):
    """The recording has grown, or something else about the experiment has changed."""
