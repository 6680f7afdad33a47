"""Learning-rate sweeps: the loss reached against the learning rate, one line per optimizer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from msgspec.structs import replace

from tuitrain.optim import name_of
from tuitrain.record.ranking import Numbers, level, quartiles
from tuitrain.spec.experiment import Experiment, Run
from tuitrain.spec.grouping import Group, Pane, differing, value
from tuitrain.spec.strict import show

ALIKE = 1e-3
"""Losses that differ by no more than this part are alike: too little to choose a rate by."""


@dataclass(frozen=True)
class Line:
    """Groups of a pane that differ in nothing but the learning rate.

    Attributes:
        name: the optimizer, and whatever else tells the line from the others, a preset first.
        groups: by rising learning rate; a rate of 0 has no place on a logarithmic axis.
    """

    name: str
    groups: tuple[Group, ...]

    @property
    def rates(self) -> Numbers:
        """The learning rates, [n]."""
        return np.array([group.optimizer.lr for group in self.groups], np.float64)


@dataclass(frozen=True)
class Sweep:
    """A line with the losses that its groups have reached.

    Attributes:
        line: the line, of n learning rates.
        loss: quartiles over seeds, [n, 3]: infinite where too many runs have diverged, NaN
            where nothing is known yet.
        diverged: runs that have diverged at each rate, [n].
        best: index of the rate with the least median loss, of those where no run has diverged:
            of these the one that a ranking of the line alone puts first, so of level ones the
            fastest. Beside the rest of the pane, which may part level ones, it may be another.
        steps: medians of the steps to the target, [n]; infinite where it has not been reached.
        alike: the indices of the rates around the best one that are as good, to `ALIKE`.
        steepest: index of the rate from which on the median loss falls fastest against the
            logarithm of the rate, as the learning-rate finder suggests it (Smith, 2017,
            "Cyclical learning rates for training neural networks"; forward differences, as in
            fastai): below the best one, at a safe distance from divergence. None if the loss
            does not fall, or falls fastest at the least rate: below it may be a steeper fall.
    """

    line: Line
    loss: Numbers
    diverged: Sequence[int]
    best: int | None
    steps: Numbers
    alike: Sequence[int]
    steepest: int | None

    def in_words(self, *, final: bool = True) -> list[str]:
        """The best rate, its equals, the steepest one and where runs diverge.

        Args:
            final: whether the losses are final.
        """
        groups, told = self.line.groups, []
        if self.best is not None:
            low, median, high = self.loss[self.best].tolist()
            low_text, high_text = f"{low:.3g}", f"{high:.3g}"
            spread = f", quartiles {low_text} to {high_text}" if low_text != high_text else ""
            reached = "final loss" if final else "loss so far"
            lr = groups[self.best].optimizer.lr
            lost = self.loss[np.array(self.diverged) > 0, 1]
            alone = " where no run diverges" if (lost < median).any() else ""
            steps = self.steps[self.best]
            quick = f", {steps:,.0f} steps to the target" if np.isfinite(steps) else ""
            told.append(f"best lr {lr:.4g}{alone} ({reached} {median:.4g}{spread}{quick})")
        if len(self.alike) > 1:
            first, last = (groups[self.alike[i]].optimizer.lr for i in (0, -1))
            told.append(f"within {100 * ALIKE:g} % of it from lr {first:.4g} to {last:.4g}")
        if self.steepest is not None:
            told.append(f"steepest lr {groups[self.steepest].optimizer.lr:.4g}")
        return told + self._lost()

    def _lost(self) -> list[str]:
        bad = [i for i, count in enumerate(self.diverged) if count]
        if not bad:
            return []
        groups = [self.line.groups[i] for i in bad]
        upwards = len(bad) > 1 and bad[-1] - bad[0] + 1 == len(bad) and bad[-1] + 1 == self._size
        where = "from lr {:.4g} up" if upwards else "at lr " + ", ".join(["{:.4g}"] * len(bad[:3]))
        more = f" and {len(bad) - 3} more" if len(bad) > 3 and not upwards else ""
        out, runs = sum(self.diverged), sum(len(group.runs) for group in groups)
        count = "" if out == runs else f" ({out} of {runs} runs)"
        return [f"diverges {where.format(*(g.optimizer.lr for g in groups))}{more}{count}"]

    @property
    def _size(self) -> int:
        return len(self.line.groups)


def lines(experiment: Experiment, pane: Pane) -> list[Line]:
    """The lines of a pane, in the order of their first runs."""
    together: dict[object, list[Group]] = {}
    for group in pane.groups:
        if group.optimizer.lr > 0:
            key = group.preset, replace(group.optimizer, lr=0.0), group.schedule
            together.setdefault(key, []).append(group)
    found = [sorted(groups, key=lambda group: group.optimizer.lr) for groups in together.values()]
    firsts = [experiment.runs[groups[0].runs[0]] for groups in found]
    names = _names(experiment, firsts)
    return [Line(name, tuple(groups)) for name, groups in zip(names, found, strict=True)]


def sweep(
    line: Line,
    losses: Numbers,
    steps: Numbers | None = None,
    roundings: Numbers | None = None,
) -> Sweep:
    """What a line has reached.

    Args:
        line: of the experiment.
        losses: of every run of the experiment, as `ranking.losses` gives them.
        steps: to the target, as `Losses.steps_to` gives them: of equal losses the faster is best.
        roundings: as `ranking.roundings` gives them: what makes losses equal.
    """
    loss = quartiles(line.groups, losses)
    diverged = [int(np.isinf(losses[list(group.runs)]).sum()) for group in line.groups]
    median = np.where(np.isfinite(loss[:, 1]), loss[:, 1], np.nan)
    sound = np.where(np.array(diverged) == 0, median, np.nan)
    late = np.full(len(losses), np.inf) if steps is None else np.nan_to_num(steps, nan=np.inf)
    within = np.zeros(len(losses)) if roundings is None else roundings
    slow, noise = (quartiles(line.groups, values)[:, 1] for values in (late, within))
    best = None
    if not np.isnan(sound).all():
        best = int(np.lexsort((slow, level(sound, noise)))[0])
    alike = [] if best is None else _alike(sound, best)
    # beyond the best rate a fall is chance: what rose on the way to divergence may drop again
    descent = median if best is None else median[: best + 1]
    return Sweep(line, loss, diverged, best, slow, alike, _steepest(line.rates, descent))


def _alike(loss: Numbers, best: int) -> list[int]:
    """The indices around the best one where the loss is no worse, to `ALIKE`."""
    worse = np.flatnonzero(~(loss <= loss[best] + ALIKE * abs(loss[best])))
    first = max(worse[worse < best], default=-1) + 1
    last = min(worse[worse > best], default=len(loss))
    return list(range(first, last))


def _steepest(rates: Numbers, loss: Numbers) -> int | None:
    """From where on the loss falls fastest against log(rate): forward differences."""
    least, greatest = np.nanmin(loss, initial=np.inf), np.nanmax(loss, initial=-np.inf)
    if not greatest > least + ALIKE * abs(least):
        return None
    slopes = np.diff(loss) / np.diff(np.log(rates[: len(loss)]))
    if not (slopes < 0).any():
        return None
    steepest = int(np.nanargmin(slopes))
    return steepest if np.isfinite(loss[:steepest]).any() else None


def _names(experiment: Experiment, runs: Sequence[Run]) -> list[str]:
    """What tells runs of one pane apart: preset, optimizer and settings, as far as they differ."""
    keys = [k for k in differing(experiment) if k not in ("preset", "optimizer", "lr", "seed")]
    table = [{key: value(experiment, run, key) for key in keys} for run in runs]
    told = [key for key in keys if any(row[key] != table[0][key] for row in table)]
    presets = [experiment.presets[run.preset].name for run in runs]
    mixed = len(set(presets)) > 1
    return [
        " ".join(
            [
                *[preset] * mixed,
                name_of(run.optimizer),
                *(_word(k, row[k]) for k in told if row[k] is not None),
            ]
        )
        for run, preset, row in zip(runs, presets, table, strict=True)
    ]


def _word(key: str, item: object) -> str:
    return str(item) if key == "schedule" else f"{key.removeprefix('optimizer.')}={show(item)}"
