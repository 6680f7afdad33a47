"""The loss landscape of a stack: what it shows, and what the worker is asked to compute."""

from __future__ import annotations

import contextlib
import string
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tuitrain.optim import name_of
from tuitrain.record.inbox import Probe, send
from tuitrain.record.landscape import (
    LARGEST_MODEL,
    Landscape,
    Plane,
    Window,
    flat,
    principal,
    through,
)
from tuitrain.record.live import Recording
from tuitrain.spec.experiment import Run
from tuitrain.spec.preset import Preset
from tuitrain.spec.recording import MAX_RECORDED_WEIGHTS, Chunk, element_names
from tuitrain.spec.size import shapes
from tuitrain.ui.widgets.trails import Trail
from tuitrain.worker.launch import WarmWorker

Points = NDArray[np.float64]
Block = Chunk | NDArray[np.floating]
"""Consecutive rows of a stack, or its weights `[R, P]` after one step."""

LETTERS = string.ascii_uppercase + string.ascii_lowercase
VALUES = 400_000
"""Points x parameters of the recorded ways that the principal directions are worked out from: it
takes about a tenth of a second."""

NO_CHOICE = "With two parameters there is only one plane"

REACH = 1.5
"""Distances from start to optimum that a run may go astray and still be followed."""

FARTHEST = 1e150
"""Weights that are not smaller are nowhere on a map: their squares are infinite."""

ROOM = 0.15
"""Space around everything that is to be seen, at each side."""


class Survey:
    """The landscape of one stack of an experiment, and the ways of its runs over it.

    For a model with two parameters, x and y are these; for a larger one two of them that were
    chosen, or the two principal directions of the recorded ways. A model with one parameter has
    no landscape: `plane` stays None.

    Args:
        recording: of the experiment; refreshed by whoever shows it.
        stack: index of the stack.
        pair: names of two weights, such as `("w[0,0]", "b[0]")`; None for the principal ones.
        best: the weights of the least loss, where they are known.

    Attributes:
        plane: None until the initial weights are recorded.
        pair: the two weights that it looks along; None for the principal directions.
        home: the window in which everything lies.
        trails: one for each run of the stack, in order.
        shown_step: the step after which the runs are shown; None is the last one.
        optimum: (x, y) of the least loss where it is known.
    """

    def __init__(
        self,
        recording: Recording,
        stack: int = 0,
        *,
        pair: tuple[str, str] | None = None,
        best: Mapping[str, NDArray[np.floating]] | None = None,
    ) -> None:
        experiment = recording.folder.experiment
        self.recording, self.stack = recording, stack
        self.preset: Preset = list(experiment.presets.values())[stack]
        self.runs = experiment.stacks()[stack]
        self.names = [
            element
            for tensor, shape in shapes(self.preset).items()
            for element in element_names(tensor, shape)
        ]
        names = _names([experiment.runs[i] for i in self.runs])
        self._looks: dict[int, tuple[str, str, int | str]] = {
            run: (name, LETTERS[place] if place < len(LETTERS) else "+", place)
            for place, (run, name) in enumerate(zip(self.runs, names, strict=True))
        }
        self.pair = pair
        self._best = None if best is None else flat(best)
        self._pictured: list[NDArray[np.floating]] = []
        self._pictured_steps: list[int] = []
        self._pictures_read = 0
        self._extents: list[tuple[int, int, int]] = []
        self.plane: Plane | None = None
        self.home: Window | None = None
        self.trails: list[Trail] = []
        self.shown_step: int | None = None
        self.optimum: tuple[float, float] | None = None
        self._read = self._measured = self._lost = 0
        self._plane_due = 0
        self._events = 0
        self._pending = self._helped = ""
        self._next: Probe | None = None
        self._helper: WarmWorker | None = None

    @property
    def possible(self) -> bool:
        """Whether there can be a landscape at all."""
        return 2 <= len(self.names) <= LARGEST_MODEL

    @property
    def landscapes(self) -> list[Landscape]:
        """Those that have been worked out for this plane."""
        return [it for it in self.recording.landscapes(self.stack) if it.plane == self.plane]

    def choose(self, pair: tuple[str, str] | None) -> None:
        """Look along two other weights, or (None) along the principal directions."""
        if pair != self.pair:
            self.pair = pair
            self._start_again()

    def dress(self, run: int, name: str, letter: str, colour: int | str) -> None:
        """Show a run (by its index in the experiment) as other panels do."""
        self._looks[run] = name, letter, colour
        if self.trails:
            trail = self.trails[self.runs.index(run)]
            trail.name, trail.letter, trail.colour = name, letter, colour

    def update(self, step: int | None = None) -> None:
        """Bring everything up to what the recording holds.

        Args:
            step: whose weights the runs stand at; None is the last one.
        """
        first = self.recording.first_weights
        if not self.possible or not all(run in first for run in self.runs):
            return
        if self.plane is None and not _near(self._initial()).all():
            return
        blocks = self._blocks()
        if self.plane is None or (self._moves and len(blocks) >= self._plane_due):
            self._start_again()
            self.plane = self._chosen_plane(blocks)
            self._plane_due = max(2 * len(blocks), 1)
            self._begin_trails()
        self._follow(blocks)
        self._stand_at(step)
        self._widen()
        self._exchange()

    # Plane and ways -----------------------------------------------------------------------------

    @property
    def _moves(self) -> bool:
        """Whether the plane depends on how far the runs have come."""
        return len(self.names) > 2

    def _start_again(self) -> None:
        self.plane = self.home = self._next = None
        self._read = self._measured = 0
        self._extents = []

    def _initial(self) -> Points:
        return np.stack([flat(self.recording.first_weights[run]) for run in self.runs])

    def _blocks(self) -> Sequence[Block]:
        """Where the runs have been: rows of every weight, else the weights after some steps."""
        if len(self.names) <= MAX_RECORDED_WEIGHTS:
            return self.recording.blocks(self.stack)
        steps = self.recording.picture_steps(self.runs[0], "weights")
        for step in steps[self._pictures_read :]:
            found = [self.recording.picture(run, "weights", step) for run in self.runs]
            known = [weights for weights in found if weights is not None]
            if len(known) == len(self.runs):  # else it is damaged, and the way goes on after it
                self._pictured.append(np.stack(known))
                self._pictured_steps.append(step)
        self._pictures_read = len(steps)
        return self._pictured

    def _columns(self, chunk: Chunk) -> list[NDArray[np.floating]]:
        """The recorded value of each parameter, `[R, K]` each."""
        return [chunk.series[name] for name in self.names]

    def _chosen_plane(self, blocks: Sequence[Block]) -> Plane:
        if len(self.names) == 2:
            return through(0, 1, [0.0, 0.0], self.names)
        seen = self._seen(blocks)
        if self.pair is None:
            return principal(seen)
        origin = seen[-1] if self._best is None else self._best
        first, second = (self.names.index(name) for name in self.pair)
        return through(first, second, origin, self.names)

    def _seen(self, blocks: Sequence[Block]) -> Points:
        """Parameters `[n, P]` that the runs have passed, about equally spaced in time."""
        points = [self._initial()]
        rows = sum(block.rows if isinstance(block, Chunk) else 1 for block in blocks)
        every = max(1, -(-rows * len(self.runs) * len(self.names) // VALUES))
        for number, block in enumerate(blocks):
            if isinstance(block, Chunk):
                columns = self._columns(block)
                some = np.stack([c[:, ::every] for c in columns], -1).reshape(-1, len(self.names))
            elif number % every:
                continue
            else:
                some = block
            points.append(some[_near(some)])
        last = [
            flat(self.recording.last_weights[i])
            for i in self.runs
            if i in self.recording.last_weights
        ]
        points += [row[None] for row in last if _near(row)]
        return np.concatenate(points).astype(np.float64)

    def _begin_trails(self) -> None:
        assert self.plane is not None
        x, y = self.plane.project(self._initial())
        starts = zip(x.tolist(), y.tolist(), strict=True)
        self.trails = [
            Trail(*self._looks[run], start) for run, start in zip(self.runs, starts, strict=True)
        ]
        if self._best is not None:
            across, up = self.plane.project(self._best)
            self.optimum = float(across), float(up)

    def _follow(self, blocks: Sequence[Block]) -> None:
        assert self.plane is not None
        for number, block in enumerate(blocks[self._read :], self._read):
            if isinstance(block, Chunk):
                x, y = self.plane.project_columns(self._columns(block))
                self._extents.append((block.first, block.stride, block.rows))
            else:
                x, y = self.plane.project(block[:, np.newaxis])
                self._extents.append((self._pictured_steps[number], 1, 1))
            for place, trail in enumerate(self.trails):
                trail.blocks.append((x[place], y[place]))
        self._read = len(blocks)
        trails = dict(zip(self.runs, self.trails, strict=True))
        for result in self.recording.results:
            if result.index in trails:
                trails[result.index].lost = result.status == "diverged"

    def _stand_at(self, step: int | None) -> None:
        """Let the runs stand where they were after a step, None: where they are."""
        rows, self.shown_step = None, step
        if step is not None:
            rows, self.shown_step = 0, 0
            for first, stride, count in self._extents:
                here = min(count, (step - first) // stride + 1)
                if here > 0:
                    rows, self.shown_step = rows + here, first + (here - 1) * stride
        for trail in self.trails:
            trail.rows = rows

    # Window -------------------------------------------------------------------------------------

    def _widen(self) -> None:
        """Let the home window hold what is to be seen; it grows in leaps.

        A run that diverges leaves the window behind: it must not make all others a dot.
        """
        lost = sum(trail.lost for trail in self.trails)
        if lost != self._lost:  # it may have been thought the way to go until now
            self._lost, self._measured, self.home = lost, 0, None
        calm = [trail for trail in self.trails if not trail.lost] or self.trails
        corners = np.array([trail.start for trail in self.trails])
        if self.optimum:
            corners = np.concatenate([corners, [self.optimum]])
        reach = REACH * float(np.ptp(corners, axis=0).max()) if self.optimum else np.inf
        reach, points = min(reach, FARTHEST), [corners]
        for trail in calm:
            ways = [np.stack(block, -1) for block in trail.blocks[self._measured :]]
            away = [np.abs(way - trail.start).max(axis=1) for way in ways]
            if trail.lost and away:  # all are: show how it began
                reach = min(reach, 2 * float(np.nanmedian(np.concatenate(away))))
            points += [way[far <= reach] for way, far in zip(ways, away, strict=True)]
        self._measured = len(self.trails[0].blocks)
        needed = _around(np.concatenate(points))
        if self.home is None or not self.home.contains(needed):
            self.home = (needed if self.home is None else _hull(needed, self.home)).widened(ROOM)

    # Asking -------------------------------------------------------------------------------------

    def ask(self, window: Window, columns: int, rows: int) -> None:
        """Let the loss over a window be worked out; the answer comes with the recording.

        One question is under way at a time: of those asked meanwhile the last one counts.
        """
        if self.plane is None:
            return
        self._next = Probe(self.stack, self.plane, window, columns, rows)
        self._exchange()

    def _exchange(self) -> None:
        """Send the next question when the last one is answered; see that somebody answers."""
        for event in self.recording.events[self._events :]:
            if event.kind == "command" and event.detail.get("id") == self._pending:
                self._pending = ""
        self._events = len(self.recording.events)
        if self._next is not None and not self._pending:
            with contextlib.suppress(OSError):  # no landscape, where nothing can be asked
                self._pending = send(self.recording.folder, self._next)
            self._next = None
        if self._pending not in ("", self._helped) and self.recording.ended:
            if self._helper is None or not self._helper.alive:
                self._helper = WarmWorker()
                self._helper.probe(self.recording.folder)
            self._helped = self._pending  # a worker that cannot answer is not replaced by another


def _names(runs: list[Run]) -> list[str]:
    """Run names without the words that all of them share; of one alone, its optimizer.

    The rate of one alone may be changed while it trains.
    """
    if len(runs) == 1:
        return [name_of(runs[0].optimizer)]
    names = [run.name for run in runs]
    words = [name.split() for name in names]
    shared = set(words[0]).intersection(*words)
    return [" ".join(w for w in name if w not in shared) or " ".join(name) for name in words]


def _near(points: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Which of the points `[..., P]` lie where a map may reach; none that is not finite does."""
    return np.asarray((np.abs(points) < np.float64(FARTHEST)).all(axis=-1))


def _around(points: Points) -> Window:
    """The least window around points `[n, 2]`; of some size even where they have none."""
    low, high = points.min(axis=0), points.max(axis=0)
    least = np.maximum(0.05 * float((high - low).max()), 1e-3 * (1 + np.abs(low)))
    room = np.maximum(least - (high - low), 0.0) / 2
    low, high = (low - room).tolist(), (high + room).tolist()
    return Window((low[0], high[0]), (low[1], high[1]))


def _hull(a: Window, b: Window) -> Window:
    """The least window that contains both."""
    return Window(
        (min(a.x[0], b.x[0]), max(a.x[1], b.x[1])), (min(a.y[0], b.y[0]), max(a.y[1], b.y[1]))
    )
