"""What the comparison screen knows of an experiment: its lines, their bands, where they stand."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from statistics import fmean
from typing import Any, NamedTuple

import numpy as np
from msgspec.structs import replace

from tuitrain.data.optimum import optima
from tuitrain.record.bands import Bands, Gap, Numbers
from tuitrain.record.comparison import Comparison, Standing, step_seconds
from tuitrain.record.live import Recording
from tuitrain.record.ranking import ACCURACIES, quartiles, rank, roundings
from tuitrain.record.series import Series
from tuitrain.record.status import RunResult
from tuitrain.spec.evaluation import evaluated
from tuitrain.spec.experiment import Experiment, single
from tuitrain.spec.grouping import Group, value
from tuitrain.spec.size import batches_per_epoch, classes, planned_steps, test_rows
from tuitrain.ui.lines import RUNS, Line, Lines, groupings
from tuitrain.ui.pace import watchable


class Facts(NamedTuple):
    """Where a line or a run stands.

    Attributes:
        rank: within its pane by the median loss, shared by those that are level; 0 for a single
            run.
        place: in the order of the ranking, in which no two share one.
        state: the word that most of its runs share, `diverged` if any has.
        diverged: number of diverged runs, of `runs`.
        loss, best: medians over its runs.
        gap: of the median loss to the least possible, relative to the start; NaN if not known.
        steps, seconds: medians to the target; infinite if most runs have not reached it.
        accuracy, test_accuracy: medians; NaN where there are no classes or no test set, minus
            infinity if most runs have diverged.
    """

    rank: int
    place: int
    state: str
    diverged: int
    runs: int
    loss: float
    best: float
    gap: float
    steps: float
    seconds: float
    accuracy: float
    test_accuracy: float


class Board:
    """Everything that the screen shows of a comparison, but no widget.

    Args:
        recording: refreshed by whoever shows it.
    """

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.experiment: Experiment = recording.folder.experiment
        known = optima(self.experiment.presets)
        self.optima = {name: found.loss for name, found in known.items()}
        self.best_weights = {name: found.weights for name, found in known.items()}
        self.comparison = Comparison(self.experiment, self.optima)
        self.batches = [batches_per_epoch(preset) for preset in self.experiment.presets.values()]
        self.groupings = groupings(self.experiment)
        self.standings: list[Standing] = []
        self.facts: list[Facts] = []
        self.results: Sequence[RunResult] = ()
        self.gap_shown = False
        self.unit = "step"
        self._run_values = np.empty((0, 0))
        self._unfolded: dict[int, Bands] = {}
        self.group(self.groupings[0])

    # What is shown ----------------------------------------------------------------------------

    def group(self, by: str) -> None:
        """Make other lines."""
        self.lines = Lines(self.experiment, by)
        self.facts = []
        self._begin_bands()
        if self.results:
            self.stand()

    def show_gap(self, shown: bool) -> None:
        """Let the bands be gaps instead of losses, or losses again."""
        self.gap_shown = shown
        self._begin_bands()

    def measure_in(self, unit: str) -> None:
        """Count the x axis in step, epoch or seconds."""
        before, self.unit = self.ticks, unit
        if before != self.ticks:
            self._begin_bands()

    @property
    def units(self) -> list[str]:
        """What the x axis can be counted in."""
        return ["step", "epoch", "seconds"] if max(self.batches) > 1 else ["step", "seconds"]

    @property
    def ticks(self) -> list[int]:
        """What one step of each stack counts on the x axis."""
        if self.unit != "epoch" or len(set(self.batches)) == 1:
            return [1] * len(self.batches)
        whole = math.lcm(*self.batches)
        return [whole // batches for batches in self.batches]

    def step_unit(self, presets: Sequence[str]) -> float:
        """What one tick of the x axis is in its unit, in a chart of some presets.

        In seconds it is the mean time of a step of theirs so far: the runs of a preset train side
        by side, and what other presets take does not count.
        """
        if self.unit == "epoch":
            return 1 / math.lcm(*self.batches)
        if self.unit == "seconds":
            each = step_seconds(self.recording.status, self.experiment)
            known = [each[name] for name in presets if name in each]
            return fmean(known) if known else 1.0
        return 1.0

    def total(self, presets: Sequence[str]) -> int:
        """Planned ticks of some presets; 0 where the end is not known beforehand."""
        if self.experiment.seconds is not None:
            return 0
        ticks = dict(zip(self.experiment.presets, self.ticks, strict=True))
        return max(planned_steps(self.experiment.presets[name]) * ticks[name] for name in presets)

    @property
    def span(self) -> tuple[float, float]:
        """The first and the last planned tick; the last one so far where the end is not known."""
        total = self.total(list(self.experiment.presets))
        if not total:
            done = zip(self.recording.status.stack_steps, self.ticks, strict=False)
            total = max((steps * ticks for steps, ticks in done), default=0)
        return 1.0, float(max(total, 2))

    @property
    def accuracies(self) -> list[str]:
        """The accuracies that some runs have."""
        presets = self.experiment.presets.values()
        with_classes = [preset for preset in presets if classes(preset) and evaluated(preset)]
        tested = any(test_rows(preset) for preset in with_classes)
        return ["accuracy"] * bool(with_classes) + ["test_accuracy"] * tested

    def _begin_bands(self) -> None:
        groups = [line.runs for line in self.lines]
        self._waiting = self.gap_shown and not np.isfinite(self.comparison.initial).any()
        gap = self._gap() if self.gap_shown else None
        self.bands = Bands(self.recording, groups, ticks=self.ticks, gap=gap)
        self.bands.refresh()
        self._unfolded = {}

    def _gap(self) -> Gap:
        initial, least = self.comparison.initial, self._least()
        return Gap(least, initial, roundings(self.experiment, least, initial))

    def _least(self) -> Numbers:
        """The least possible loss of every run; NaN where it is not known."""
        runs = self.experiment.runs
        return np.array([self.optima.get(run.preset, np.nan) for run in runs], np.float64)

    # Where it stands --------------------------------------------------------------------------

    def follow(self) -> None:
        """Take in the rows that the recording has read."""
        if self._waiting:
            self._begin_bands()
        for bands in (self.bands, *self._unfolded.values()):
            bands.refresh()

    def run_series(self, line: Line) -> dict[int, Series]:
        """What is drawn of each run of a line by itself; from then on kept up to date."""
        if line.number not in self._unfolded:
            gap = self._gap() if self.gap_shown else None
            alone = [[run] for run in line.runs]
            bands = Bands(self.recording, alone, ticks=self.ticks, gap=gap)
            bands.refresh()
            self._unfolded[line.number] = bands
        found = self._unfolded[line.number].bands
        return {run: band.median for run, band in zip(line.runs, found, strict=True)}

    def stand(self) -> None:
        """Compute the standing of every line; more expensive than `follow`."""
        self.standings = self.comparison.refresh(self.recording)
        if not self.standings:
            return
        self.results = self.recording.results
        compared = self.comparison
        gap = self._gaps()
        late = np.where(np.isnan(compared.steps), np.inf, compared.steps)
        slow = np.where(np.isnan(compared.seconds), np.inf, compared.seconds)
        unknown = np.full(len(self.results), np.nan)
        accuracies = [compared.metrics.get(name, unknown) for name in ACCURACIES]
        values = [compared.losses, compared.least, gap, late, slow, *accuracies]
        self._run_values = np.stack(values, axis=1)
        groups = [line.group for line in self.lines]
        medians = [quartiles(groups, column)[:, 1] for column in self._run_values.T]
        ranks = self._ranks()
        self.facts = [
            self._facts(*ranks[i], line.runs, row)
            for i, (line, row) in enumerate(
                zip(self.lines, np.stack(medians, axis=1).tolist(), strict=True)
            )
        ]

    def _gaps(self) -> Numbers:
        """Of every run, relative to its start; nothing where `Ranked.gap` is nothing."""
        compared, least = self.comparison, self._least()
        gap = Gap(least, compared.initial, compared.roundings)
        found = gap(compared.losses[:, np.newaxis], np.arange(len(least)))[:, 0]
        return np.where(np.abs(compared.losses - least) <= gap.rounding, 0.0, found)

    def _ranks(self) -> list[tuple[int, int]]:
        """The rank and the place of every line."""
        compared = self.comparison
        found: dict[tuple[int, ...], tuple[int, int]] = {}
        for index in range(len(self.lines.panes)):
            ranking = rank(
                self.lines.pane(index),
                compared.losses,
                compared.steps,
                roundings=compared.roundings,
            )
            for place, ranked in enumerate(ranking, 1):
                found[ranked.group.runs] = ranked.rank, place
        return [found[line.runs] for line in self.lines]

    def _facts(self, rank: int, place: int, runs: Sequence[int], row: Sequence[float]) -> Facts:
        states = Counter(self.results[run].status for run in runs)
        lost = states["diverged"]
        state = "diverged" if lost else states.most_common(1)[0][0]
        return Facts(rank, place, state, lost, len(runs), *row)

    def run_facts(self, run: int) -> Facts:
        """Where a single run stands."""
        return self._facts(0, 0, [run], self._run_values[run].tolist())

    def alone(self, group: Group) -> Experiment:
        """The experiment of one run as the first of a group is."""
        first, preset = self.experiment.runs[group.runs[0]], self.experiment.presets[group.preset]
        train = replace(preset.train, seed=first.seed)
        if first.seed != preset.train.seed:
            # Start values that the file gives belong to its own seed.
            preset = replace(preset, model=replace(preset.model, init={}))
        chosen = replace(preset, optimizer=group.optimizer, schedule=group.schedule, train=train)
        return single(chosen, device=self.experiment.device, pace=watchable(chosen))

    # Filtering --------------------------------------------------------------------------------

    @property
    def filter_keys(self) -> list[str]:
        """What conditions of a filter may be about."""
        fixed = ["name", "preset", "optimizer", "lr", "schedule", "seed"]
        return [*dict.fromkeys([*fixed, *self.lines.keys]), "rank", "state", *Facts._fields[5:]]

    def filter_facts(self, line: Line) -> dict[str, Any]:
        """A line as a filter sees it."""
        run = self.experiment.runs[line.runs[0]]
        facts: dict[str, Any] = {"name": f"{line.group.name} {line.name}", "preset": run.preset}
        keys = ["optimizer", "lr", "schedule", *self.lines.keys]
        if self.lines.by == RUNS:
            keys.append("seed")
        for key in dict.fromkeys(keys):
            facts[key] = line.keys.get(key)
        facts["schedule"] = value(self.experiment, run, "schedule")
        if self.facts:
            known = self.facts[line.number]
            facts |= {"rank": known.rank, "state": known.state}
            facts |= dict(zip(Facts._fields[5:], known[5:], strict=True))
        return facts
