"""The pictures of a run: which suit its preset, and which of them are on the screen."""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Container
from textual.timer import Timer

from tuitrain.data import raw
from tuitrain.spec.evaluation import gridded
from tuitrain.spec.size import classes, image, test_rows
from tuitrain.ui.facts import RunFacts
from tuitrain.ui.histories import Histories
from tuitrain.ui.pictures import Fit
from tuitrain.ui.scatter import scatter
from tuitrain.ui.survey import Survey
from tuitrain.ui.widgets.boundary import BoundaryView
from tuitrain.ui.widgets.confusion import ConfusionView
from tuitrain.ui.widgets.histogram import HistogramView
from tuitrain.ui.widgets.images import Guesses, ImagesView
from tuitrain.ui.widgets.landscape import LandscapeView
from tuitrain.ui.widgets.picture import PictureView
from tuitrain.ui.widgets.plot import Plot

WAITING = "waiting for the first plot"
AT_ONCE = 8
"""Steps whose weights are read in one go: more would hold up the screen."""


class Panel(ABC):
    """One picture of a run.

    Attributes:
        name: the id of its widget.
        title: what it shows.
        word: the same in one word.
        picture: what is recorded of it, if anything.
        view: the widget.
    """

    name = title = word = picture = ""
    view: Plot

    def __init__(self, facts: RunFacts) -> None:
        self.facts = facts
        self._shown: object = None

    @abstractmethod
    def update(self, step: int | None) -> None:
        """Show what was after a step, None: what is now."""

    def _new(self, step: int | None) -> bool:
        """Whether another picture is to be shown than before."""
        wanted = self.facts.pictured(self.picture, step)
        known, self._shown = self._shown, wanted
        return wanted != known

    def heading(self, step: int | None) -> str:
        """The title, with the step that is looked back to."""
        at = self.facts.pictured(self.picture, step) if self.picture and step is not None else -1
        return self.title if at < 0 else f"{self.title} at {at:,}"


class BoundaryPanel(Panel):
    """What the model predicts over the plane of its two inputs."""

    name, word = "boundary", "boundary"
    picture = "grid"
    view: BoundaryView

    def __init__(self, facts: RunFacts) -> None:
        super().__init__(facts)
        self.view = BoundaryView(placeholder=WAITING, id=self.name, classes="panel")
        assert facts.data is not None  # there is no grid without data
        self.scatter = scatter(facts.data)
        self.word = "boundary" if self.scatter.classes else "prediction"
        self.title = "Decision boundary" if self.scatter.classes else "Prediction"

    def update(self, step: int | None) -> None:
        if self._new(step):
            self.view.show(self.scatter, self.facts.picture("grid", step))


class ImagesPanel(Panel):
    """Images and what they are taken for."""

    name, title, word = "images", "Images", "images"
    picture = "predicted"
    view: ImagesView

    def __init__(self, facts: RunFacts) -> None:
        super().__init__(facts)
        self.view = ImagesView(placeholder=WAITING, id=self.name, classes="panel")
        data, shape = facts.data, image(facts.preset)
        assert data is not None
        assert shape is not None
        tested = len(data.y_test) > 0
        self.title = "Test images" if tested else "Images"
        x, y = (data.x_test, data.y_test) if tested else (data.x, data.y)
        # Channels are drawn as their mean.
        self.images = raw(data, x).reshape(-1, *shape).mean(axis=1)
        self.true, self.names = data.labels(y), data.classes

    def update(self, step: int | None) -> None:
        if not self._new(step):
            return
        taken = self.facts.picture("predicted", step)
        share = self.facts.picture("probability", step)
        if taken is None or share is None:
            self.view.show(None)
        else:
            self.view.show(Guesses(self.images, self.true, taken, share, self.names))


class ConfusionPanel(Panel):
    """Which classes are taken for which."""

    name, word = "confusion", "confusion"
    picture = "confusion"
    view: ConfusionView

    def __init__(self, facts: RunFacts) -> None:
        super().__init__(facts)
        self.view = ConfusionView(placeholder=WAITING, id=self.name, classes="panel")
        self.title = f"Confusion, {'test' if test_rows(facts.preset) else 'training'} rows"

    def update(self, step: int | None) -> None:
        if self._new(step):
            assert self.facts.data is not None
            self.view.show(self.facts.picture("confusion", step), self.facts.data.classes)


class HistogramPanel(Panel):
    """Where the weights of each tensor lie, as the steps go by."""

    name, title, word = "histogram", "Weights over steps", "weights"
    view: HistogramView

    def __init__(self, facts: RunFacts) -> None:
        super().__init__(facts)
        self.view = HistogramView(placeholder=WAITING, id=self.name, classes="panel")
        self.histories = Histories(facts.shapes)
        self._step: int | None = None
        self._tried = -1
        self._rest: Timer | None = None

    def update(self, step: int | None) -> None:
        self._step = step
        self._read()

    def _read(self) -> None:
        """Read some of the steps that are due, and the rest a moment later.

        A picture that cannot be read is left out.
        """
        if self._rest is not None:
            self._rest.stop()
            self._rest = None
        steps = self.facts.recording.picture_steps(self.facts.index, "weights")
        due = steps[bisect_right(steps, self._tried) :]
        for each in due[:AT_ONCE]:
            self._tried = each
            weights = self.facts.picture("weights", each)
            if weights is not None:
                self.histories.add(each, weights)
        shown = self.histories.last_step, self._step
        if shown != self._shown:
            self._shown = shown
            self.view.show(self.histories, self.facts.recording.status.total, self._step)
        if len(due) > AT_ONCE:
            self._rest = self.view.set_timer(0.05, self._read)


class FitPanel(Panel):
    """How a linear model fits."""

    name, word = "fit", "fit"
    view: PictureView

    def __init__(self, facts: RunFacts, fit: Fit) -> None:
        super().__init__(facts)
        self.fit = fit
        self.view = PictureView(placeholder="", id=self.name, classes="panel")
        assert fit.base is not None
        self.title = fit.base.title

    def update(self, step: int | None) -> None:
        path = self.facts.path(step) if self.fit.of_one_weight else None
        self.view.show(self.fit(self.facts.tensors(step), path))

    def heading(self, step: int | None) -> str:
        return self.title if step is None else f"{self.title} at {step:,}"


class MapPanel(Panel):
    """The loss landscape with the way over it."""

    name, title, word = "map", "Loss landscape", "landscape"
    view: LandscapeView

    def __init__(self, facts: RunFacts, survey: Survey) -> None:
        super().__init__(facts)
        self.survey = survey
        self.view = LandscapeView(placeholder="", id=self.name, classes="panel")

    def update(self, step: int | None) -> None:
        self.survey.update(step)
        at = self.survey
        self.view.show(at.plane, at.home, at.landscapes, at.trails, at.optimum)

    def heading(self, step: int | None) -> str:
        at = self.survey.shown_step
        return self.title if at is None else f"{self.title} at {at:,}"


def suiting(facts: RunFacts, fit: Fit, survey: Survey) -> list[Panel]:
    """The pictures that suit a run's preset, the most telling first."""
    preset = facts.preset
    of_classes = facts.evaluations_known and classes(preset) > 0
    wanted: list[tuple[bool, Callable[[], Panel]]] = [
        (gridded(preset), lambda: BoundaryPanel(facts)),
        (of_classes and image(preset) is not None, lambda: ImagesPanel(facts)),
        (of_classes, lambda: ConfusionPanel(facts)),
        (fit.base is not None, lambda: FitPanel(facts, fit)),
        (facts.many, lambda: HistogramPanel(facts)),
        (survey.possible, lambda: MapPanel(facts, survey)),
    ]
    return [make() for suits, make in wanted if suits]


class Pictures(Container):
    """The pictures, one after the other in the same place.

    Where there is room for two, the first one stays, and the others take turns beside it.

    Args:
        panels: that suit.
    """

    def __init__(self, panels: list[Panel]) -> None:
        super().__init__(id="pictures")
        self.panels = panels
        self.step: int | None = None
        self._turn = 0
        self._two = False
        self._back_to = ""

    def compose(self) -> ComposeResult:
        for panel in self.panels:
            yield panel.view

    def on_mount(self) -> None:
        self.set_class(not self.panels, "-without")
        self._arrange()

    @property
    def _stays(self) -> int:
        """How many of the first ones are always shown."""
        return int(self._two and len(self.panels) > 1)

    @property
    def shown(self) -> list[Panel]:
        """The panels on the screen."""
        turning = max(self._turn, self._stays)
        return [*self.panels[: self._stays], *self.panels[turning : turning + 1]]

    @property
    def at_last(self) -> bool:
        """Whether the last picture is shown."""
        return max(self._turn, self._stays) == len(self.panels) - 1

    @property
    def following(self) -> str:
        """What comes next, in one word; empty where there is nothing else."""
        if self.at_last and self._back_to:
            return self._back_to
        if len(self.panels) == 1 + self._stays:
            return ""
        return self.panels[self._next].word

    @property
    def _next(self) -> int:
        return self._stays if self.at_last else max(self._turn, self._stays) + 1

    def turn(self) -> None:
        """Go on to the next picture."""
        self._turn = self._next
        self._arrange()

    def turn_to(self, name: str) -> None:
        """Show the picture of this name, if there is one."""
        for number, panel in enumerate(self.panels):
            if panel.name == name:
                self._turn = number
                self._arrange()

    def spread(self, *, two: bool, back_to: str = "") -> None:
        """Show two pictures at once, or one.

        Args:
            back_to: what comes after the last picture, before the first one comes again.
        """
        if (two, back_to) != (self._two, self._back_to):
            self._two, self._back_to = two, back_to
            if self.is_mounted:
                self._arrange()

    def _arrange(self) -> None:
        for panel in self.panels:
            panel.view.display = panel in self.shown
        self.call_after_refresh(self.show, self.step)

    def show(self, step: int | None) -> None:
        """Bring the pictures on the screen up to a step, or (None) to what is now."""
        self.step = step
        for panel in self.shown:
            panel.update(step)
            hint = f" (v: {self.following})" if panel is self.shown[-1] and self.following else ""
            panel.view.entitle(panel.heading(step) + hint)
