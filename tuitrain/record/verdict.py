"""What a comparison has shown, in words: who leads, by how much, who diverged."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tuitrain.optim import name_of
from tuitrain.record.ranking import ACCURACIES, Numbers, Ranked
from tuitrain.spec.experiment import Experiment
from tuitrain.spec.grouping import LISTED, Pane, listed

ENOUGH = 5
"""Seeds from which on quartiles and signs say something about chance."""


def verdict(
    experiment: Experiment,
    pane: Pane,
    ranking: Sequence[Ranked],
    losses: Numbers,
    *,
    target: float = math.nan,
    final: bool = True,
) -> str:
    """The outcome within one pane, in a few sentences.

    A lead is called clear only with `ENOUGH` seeds, and where the leader is better on each of
    them or the medians are farther apart than both groups' interquartile ranges over seeds.
    Groups of one rank are level.

    Args:
        experiment: of the pane.
        pane: what is compared.
        ranking: of its groups, as `ranking.rank` gives them.
        losses: of every run, as `ranking.losses` gives them.
        target: the loss to reach.
        final: whether the losses are final.
    """
    told = _Names(pane)
    standing = [ranked for ranked in ranking if math.isfinite(ranked.loss.median)]
    if not standing:
        out = all(ranked.diverged for ranked in ranking)
        return f"In every group most runs diverged. {_diverged(pane, losses)}" if out else ""
    sentences = [_leader(ranking, standing, told, _Leads(experiment, losses), final)]
    fast = [ranked for ranked in standing if math.isfinite(ranked.steps.median)]
    if len(standing) > 1 and fast:
        first = min(fast, key=lambda ranked: ranked.steps.median)
        sentences.append(
            f"First to the target {target:.4g}: {told(first)}, "
            f"after {first.steps.median:,.0f} steps."
        )
    sentences += _most_accurate(ranking, standing, told)
    return " ".join([*sentences, _diverged(pane, losses)])


class _Names:
    """Names of groups without what the pane's name says of all of them."""

    def __init__(self, pane: Pane) -> None:
        names = [set(group.name.split(" ")) for group in pane.groups]
        self._common = set(pane.name.split(" ")).intersection(*names)

    def __call__(self, ranked: Ranked) -> str:
        return " ".join(w for w in ranked.group.name.split(" ") if w not in self._common)


@dataclass(frozen=True)
class _Lead:
    """The leader against another group, seed by seed.

    Runs of one seed belong together: they start from the same weights and see the same batches,
    which moves both of them alike.

    Attributes:
        other: the other group.
        distance: between the medians.
        spread: over seeds: the wider of the two interquartile ranges.
        runs: in the smaller of both groups.
        seeds: how many both groups have.
        won: on how many of these the leader is better.
    """

    other: Ranked
    distance: float
    spread: float
    runs: int
    seeds: int
    won: int

    @property
    def clear(self) -> bool:
        """Whether the lead is more than chance.

        Of two equal groups, one is better on all of 5 seeds in 1 of 16 cases (sign test).
        """
        apart = self.runs >= ENOUGH and self.distance > self.spread
        return apart or self.seeds == self.won >= ENOUGH

    @property
    def conclusion(self) -> str:
        """What that makes of the leader, whose name goes into the braces."""
        if self.clear:
            return "{} leads"
        if self.runs >= ENOUGH:
            return "No clear lead: {} is lowest"
        count = "1 seed is" if self.runs == 1 else f"{self.runs} seeds are"
        return f"{count} too few to call a lead: {{}} is lowest"

    def measured(self, told: _Names) -> str:
        """By how much the other group is behind."""
        text = f"{told(self.other)}, {self.distance:.3g} behind"
        if self.seeds > 1:
            text += f", worse on {self.won} of {self.seeds} seeds"
        if self.runs > 1:
            text += f", spread over seeds {self.spread:.3g}" * math.isfinite(self.spread)
        return text

    def told(self, told: _Names) -> str:
        """The same with what to make of it."""
        if self.runs < ENOUGH:
            return self.measured(told)
        return f"{self.measured(told)}: {'a clear lead' if self.clear else 'no clear lead'}"


class _Leads:
    """Pairs the runs of two groups by their seeds."""

    def __init__(self, experiment: Experiment, losses: Numbers) -> None:
        self._runs, self._losses = experiment.runs, losses

    def __call__(self, best: Ranked, other: Ranked) -> _Lead:
        mine, theirs = self._by_seed(best), self._by_seed(other)
        shared = mine.keys() & theirs.keys()
        won = sum(mine[seed] < theirs[seed] for seed in shared)
        distance = other.loss.median - best.loss.median
        spread = max(best.loss.width, other.loss.width)
        return _Lead(other, distance, spread, min(len(mine), len(theirs)), len(shared), won)

    def _by_seed(self, ranked: Ranked) -> dict[int, float]:
        """The loss of each seed whose loss is known."""
        losses = {self._runs[run].seed: float(self._losses[run]) for run in ranked.group.runs}
        return {seed: loss for seed, loss in losses.items() if not math.isnan(loss)}


def _leader(
    ranking: Sequence[Ranked],
    standing: Sequence[Ranked],
    told: _Names,
    leads: _Leads,
    final: bool,
) -> str:
    """Who leads and by how much, the conclusion first."""
    best = standing[0]
    seeds = len(best.group.runs)
    reached = f"{'final loss' if final else 'loss so far'} {best.loss.median:.4g}"
    level = [ranked for ranked in standing if ranked.rank == best.rank]
    others = standing[len(level) :]
    if len(standing) == 1:
        return f"{told(best)}: {reached}{f', median of {seeds} seeds' * (seeds > 1)}."
    reached = "median " * (seeds > 1) + reached
    if len(level) > 1:
        who = _which(level, ranking, told)
        text = f"{who} are equal up to rounding ({reached})."
        return text + (f" Next: {leads(best, others[0]).told(told)}." if others else "")
    lead = leads(best, others[0])
    text = f"{lead.conclusion.format(told(best))} ({reached}). Next: {lead.measured(told)}."
    rule = name_of(best.group.optimizer)
    rivals = [ranked for ranked in others if name_of(ranked.group.optimizer) != rule]
    if rivals and rivals[0] is not others[0]:
        text += f" Best of the other optimizers: {leads(best, rivals[0]).told(told)}."
    return text


def _which(some: Sequence[Ranked], ranking: Sequence[Ranked], told: _Names) -> str:
    """Some groups by their names, or where these are too many to be listed, by their number."""
    if len(some) <= LISTED + 1:
        return listed([told(ranked) for ranked in some])
    every = len(some) == len(ranking)
    return f"All {len(some):,} groups" if every else f"{len(some):,} of {len(ranking):,} groups"


def _most_accurate(
    ranking: Sequence[Ranked], standing: Sequence[Ranked], told: _Names
) -> list[str]:
    """Who gets the most rows right: of the test set, or of the training set without one."""
    leader = standing[0]
    name = next((name for name in reversed(ACCURACIES) if name in leader.metrics), None)
    if name is None:
        return []
    shares = [ranked.metrics[name].median for ranked in standing]
    most, several = max(shares), len(leader.group.runs) > 1
    what = "median " * several + name.replace("_", " ")
    if not math.isfinite(most):
        return []
    if len(standing) == 1:
        return [f"{what.capitalize()}: {most:.4g}."]
    best = [ranked for ranked, share in zip(standing, shares, strict=True) if share == most]
    if best == [leader]:
        return [f"{told(leader)} also has the highest {what}, {most:.4g}."]
    if len(best) == len(standing):
        whole = "All" if len(standing) == len(ranking) else "All that have not diverged"
        return [f"{whole} have the same {what}, {most:.4g}."]
    text = f"The highest {what}, {most:.4g}, is that of {_which(best, ranking, told)}"
    return [text + (f"; {told(leader)} has {shares[0]:.4g}." if shares[0] < most else ".")]


def _diverged(pane: Pane, losses: Numbers) -> str:
    """Who diverged, and at which learning rates."""
    rates: dict[str, dict[float, list[bool]]] = {}
    for group in pane.groups:
        of_rule = rates.setdefault(name_of(group.optimizer), {})
        lost = np.isinf(losses[list(group.runs)]).tolist()
        of_rule.setdefault(group.optimizer.lr, []).extend(lost)
    told = [text for rule, lost in rates.items() if (text := _diverged_of(rule, lost))]
    return f"Diverged: {'; '.join(told)}." if told else "No run diverged."


def _diverged_of(rule: str, lost: dict[float, list[bool]]) -> str:
    """The learning rates of one optimizer at which runs diverged; empty if none did."""
    bad = sorted(lr for lr, out in lost.items() if any(out))
    if not bad:
        return ""
    runs = [out for lr in bad for out in lost[lr]]
    count = "all" if all(runs) else f"{sum(runs)} of {len(runs)} runs"
    upwards = [lr for lr in lost if lr >= bad[0]]
    if len(bad) > 1 and len(upwards) == len(bad):
        return f"{rule} from lr={bad[0]:g} up ({count})"
    return f"{rule} at lr={listed([f'{lr:g}' for lr in bad])} ({count})"
