"""Groups of runs ranked by their median loss over seeds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tuitrain.record.status import RunResult
from tuitrain.spec.experiment import Experiment
from tuitrain.spec.grouping import Group, Pane

TARGET = 0.01
"""The part of the way to the least loss that the default target leaves."""

ACCURACIES = ("accuracy", "test_accuracy")
"""The metrics that are told beside the loss: shares of rows, of which more is better."""

ULPS = 16
"""By how many units in the last place weights that have settled may still differ."""

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Spread:
    """Quartiles over seeds; of a loss, infinite where too many runs have diverged."""

    low: float
    median: float
    high: float

    @property
    def width(self) -> float:
        """The interquartile range; NaN where nothing but infinity is left."""
        return self.high - self.low if math.isfinite(self.low) else math.nan


@dataclass(frozen=True)
class Ranked:
    """A group and its place within its pane.

    Attributes:
        rank: 1 is the lowest median loss; groups that are level share a rank.
        loss: final losses over seeds, of runs that go on the loss so far; a diverged run counts
            as infinite.
        rounding: a difference from that loss which rounding alone may make.
        diverged: number of runs that have diverged.
        steps: steps to the target over seeds; infinite for runs that have not reached it.
        metrics: those of `ACCURACIES` that are known; a diverged run counts as minus infinity.
    """

    rank: int
    group: Group
    loss: Spread
    diverged: int
    steps: Spread
    rounding: float = 0.0
    metrics: Mapping[str, Spread] = field(default_factory=dict)

    def gap(self, least: float) -> float:
        """How far the median loss is above the least possible; nothing where that is rounding."""
        gap = self.loss.median - least
        return 0.0 if abs(gap) <= self.rounding else gap


def losses(results: Sequence[RunResult], last: Numbers | None = None) -> Numbers:
    """The loss that each run is judged by: [runs], infinite for diverged runs.

    Args:
        results: of all runs of the experiment.
        last: the losses of runs that have not ended, such as `Losses.last`.
    """
    final = np.array([result.final_loss for result in results], np.float64)
    so_far = np.array([result.loss for result in results], np.float64) if last is None else last
    found = np.where(np.isfinite(final), final, so_far)
    out = np.array([result.status == "diverged" for result in results], bool)
    found[out | np.isinf(found)] = np.inf
    return found


def rounding(loss: Numbers | float, initial: Numbers | float, eps: Numbers | float) -> Numbers:
    """A difference between losses of about this size that rounding alone may make.

    Errors of the size e change a loss that is quadratic in them by about e de + de^2, where de is
    rounding relative to what the errors were at the start.

    Args:
        loss: one of those losses, or the least possible.
        initial: the loss at the start.
        eps: of the type that the weights have.
    """
    ulps = ULPS * np.asarray(eps)
    geometric = np.sqrt(np.abs(loss)) * np.sqrt(np.abs(initial))
    return np.asarray(ulps * (geometric + ulps * np.abs(initial)))


def roundings(experiment: Experiment, losses: Numbers, initial: Numbers) -> Numbers:
    """By how much rounding alone may change the loss of each run; 0 where nothing is known.

    Args:
        losses: of every run, as `losses` gives them, or the least possible ones.
        initial: of every run, as in `Losses.initial`.
    """
    of_type = {name: np.finfo(each.train.dtype).eps for name, each in experiment.presets.items()}
    eps = np.array([of_type[run.preset] for run in experiment.runs], np.float64)
    # a loss that has grown is more than the start, which also may not be known
    found = rounding(losses, np.fmax(np.abs(initial), np.abs(losses)), eps)
    return np.where(np.isfinite(found), found, 0.0)


def metrics(results: Sequence[RunResult]) -> dict[str, Numbers]:
    """The metrics of `ACCURACIES` that are known: [runs], minus infinity for diverged runs."""
    found = {}
    for name in ACCURACIES:
        values = np.array([result.metrics.get(name, np.nan) for result in results], np.float64)
        if np.isfinite(values).any():
            judged = {result.preset for result in results if name in result.metrics}
            lost = [r.status == "diverged" and r.preset in judged for r in results]
            values[lost] = -np.inf
            found[name] = values
    return found


def rank(
    pane: Pane,
    losses: Numbers,
    steps: Numbers | None = None,
    metrics: Mapping[str, Numbers] | None = None,
    roundings: Numbers | None = None,
) -> list[Ranked]:
    """The groups of a pane by their median loss, the best first.

    Of groups that are level, those that lost fewer runs come first, then those that were faster.

    Args:
        pane: whose groups.
        losses: of every run of the experiment, as `losses` gives them; NaN: not known yet.
        steps: to the target, of every run, as `Losses.steps_to` gives them.
        metrics: of every run, as `metrics` gives them.
        roundings: of every run, as `roundings` gives them; none unless given.
    """
    judged = {name: quartiles(pane.groups, values) for name, values in (metrics or {}).items()}
    if steps is None:
        steps = np.full(len(losses), np.nan)
    if roundings is None:
        roundings = np.zeros(len(losses))
    spreads = quartiles(pane.groups, losses)
    reached = quartiles(pane.groups, np.where(np.isnan(steps), np.inf, steps))
    out = np.array([np.isinf(losses[list(group.runs)]).sum() for group in pane.groups])
    within = quartiles(pane.groups, roundings)[:, 1]
    ranks = level(spreads[:, 1], within)
    order = np.lexsort((reached[:, 1], out, ranks))
    return [
        Ranked(
            int(ranks[i]),
            pane.groups[i],
            Spread(*spreads[i].tolist()),
            int(out[i]),
            Spread(*reached[i].tolist()),
            float(within[i]),
            {
                name: Spread(*table[i].tolist())
                for name, table in judged.items()
                if not np.isnan(table[:, 1]).all()
            },
        )
        for i in order.tolist()
    ]


def level(losses: Numbers, roundings: Numbers) -> NDArray[np.intp]:
    """The rank of each loss, from 1 on; NaN counts as infinite.

    The lowest loss shares its rank with those that rounding alone may have put above it; the
    lowest of the others shares the next rank in the same way, and so on. So who is level depends
    on no order, and nobody is level with a loss that is truly lower.
    """
    known = np.nan_to_num(losses, nan=np.inf, posinf=np.inf)
    order = np.argsort(known, kind="stable")
    rising = known[order]
    places = np.arange(1, len(order) + 1)
    stops = np.searchsorted(rising, rising + roundings[order], side="right")
    ranks, stop = places.copy(), 0
    for start in np.flatnonzero(stops > places).tolist():  # others are alone
        if start >= stop:
            stop = int(stops[start])
            ranks[start:stop] = start + 1
    found = np.empty_like(ranks)
    found[order] = ranks
    return found


def quartiles(groups: Sequence[Group], values: Numbers) -> Numbers:
    """Quartiles of every group's runs, [groups, 3]; NaN values are left out.

    Args:
        groups: of the experiment.
        values: of every run of the experiment.
    """
    found = np.full((len(groups), 3), np.nan)
    sizes = np.array([len(group.runs) for group in groups])
    for size in np.unique(sizes).tolist():
        here = np.flatnonzero(sizes == size)
        table = np.sort(values[np.array([groups[i].runs for i in here.tolist()])])  # NaN is last
        counts = size - np.isnan(table).sum(axis=1)
        for count in np.unique(counts[counts > 0]).tolist():
            rows = counts == count
            found[here[rows]] = quartiles_of_sorted(table[rows][:, :count])
    return found


def quartiles_of_sorted(table: Numbers) -> Numbers:
    """Quartiles, [N, 3, ...], along the second axis of [N, n, ...], which may hold infinities."""
    position = np.array([0.25, 0.5, 0.75]) * (table.shape[1] - 1)
    below, above = np.floor(position).astype(int), np.ceil(position).astype(int)
    low, high = table[:, below], table[:, above]
    part = (position - below).reshape(3, *[1] * (table.ndim - 2))
    with np.errstate(invalid="ignore"):  # between two infinities
        between = low + part * (high - low)
    return np.where((low == high) | np.isneginf(low), low, between)


def default_target(
    pane: Pane, losses: Numbers, initial: Numbers, optimum: float | None = None
) -> float:
    """The loss to reach where nobody has chosen one; NaN before the first step.

    99 % of the way from the median initial loss down to the least possible loss, or where that
    is not known, to the best median loss reached.

    Args:
        pane: whose runs.
        losses: of every run, as `losses` gives them.
        initial: of every run, as in `Losses.initial`.
        optimum: the least possible loss.
    """
    start = initial[pane.runs]
    if not np.isfinite(start).any():
        return math.nan
    if optimum is None:
        medians = quartiles(pane.groups, losses)[:, 1]
        if not np.isfinite(medians).any():
            return math.nan
        optimum = float(medians[np.isfinite(medians)].min())
    return optimum + TARGET * (float(np.median(start[np.isfinite(start)])) - optimum)
