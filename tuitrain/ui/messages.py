"""What the parts of the screen tell one another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

from tuitrain.spec.experiment import Experiment

if TYPE_CHECKING:
    from textual.screen import Screen

    from tuitrain.ui.screens.dashboard import DashboardScreen
    from tuitrain.ui.screens.training import TrainingScreen


class Start(Message):
    """The user starts an experiment; the screen that sends it must still be the one seen."""

    def __init__(self, sender: Screen[None], experiment: Experiment) -> None:
        super().__init__()
        self.sender, self.experiment = sender, experiment


class Restart(Start):
    """An experiment takes the place of the one on the screen, which is stopped."""

    sender: DashboardScreen


class Back(Message):
    """The user goes from an experiment back to the screen before."""

    def __init__(self, sender: TrainingScreen) -> None:
        super().__init__()
        self.sender = sender


class Refreshed(Message):
    """The recording has grown, or something else about the experiment has changed."""
