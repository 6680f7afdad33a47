"""What a comparison has shown, in words: who leads, by how much, who diverged."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tuitrain.optim import name_of
from tuitrain.record.ranking import ACCURACIES, Numbers, Ranked, rounding
from tuitrain.spec.experiment import Experiment
from tuitrain.spec.grouping import Pane, listed

ENOUGH = 5
"""Seeds from which on quartiles say something about the spread."""


def verdict(
    experiment: Experiment,
    pane: Pane,
    ranking: Sequence[Ranked],
    losses: Numbers,
    initial: Numbers,
    *,
    target: float = math.nan,
    ended: bool = True,
) -> str:
    """The outcome within one pane, in a few sentences.

    A lead is called clear only where the medians are farther apart than both groups'
    interquartile ranges over seeds; groups that differ by no more than rounding are level.

    Args:
        experiment: of the pane.
        pane: what is compared.
        ranking: of its groups, as `ranking.rank` gives them.
        losses: of every run, as `ranking.losses` gives them.
        initial: of every run, as `Losses.initial` gives them.
        target: the loss to reach.
        ended: whether the losses are final.
    """
    told = _Names(pane)
    standing = [ranked for ranked in ranking if math.isfinite(ranked.loss.median)]
    if not standing:
        out = all(ranked.diverged for ranked in ranking)
        return f"Every group lost most of its runs. {_diverged(pane, losses)}" if out else ""
    within = _rounding(experiment, pane, standing[0].loss.median, initial)
    sentences = [_leader(standing, within, told, losses, ended)]
    fast = [ranked for ranked in standing if math.isfinite(ranked.steps.median)]
    if len(standing) > 1 and fast:
        first = min(fast, key=lambda ranked: ranked.steps.median)
        sentences.append(
            f"First to the target {target:.4g}: {told(first)}, "
            f"after {first.steps.median:,.0f} steps."
        )
    sentences += _most_accurate(standing, told)
    return " ".join([*sentences, _diverged(pane, losses)])


class _Names:
    """Names of groups without what the pane's name says of all of them."""

    def __init__(self, pane: Pane) -> None:
        names = [set(group.name.split(" ")) for group in pane.groups]
        self._common = set(pane.name.split(" ")).intersection(*names)

    def __call__(self, ranked: Ranked) -> str:
        return " ".join(w for w in ranked.group.name.split(" ") if w not in self._common)


def _leader(
    standing: Sequence[Ranked], within: float, told: _Names, losses: Numbers, ended: bool
) -> str:
    """Who leads and by how much."""
    best = standing[0]
    seeds = len(best.group.runs)
    final = "final loss" if ended else "loss so far"
    reached = f"{final} {best.loss.median:.4g}" + (f", median of {seeds} seeds" * (seeds > 1))
    level = [r for r in standing if r.loss.median - best.loss.median <= within]
    others = standing[len(level) :]
    if len(standing) == 1:
        return f"{told(best)}: {reached}."
    if len(level) > 1:
        who = listed([told(ranked) for ranked in level])
        text = f"{who} are level but for rounding ({reached})."
        return text + (f" Next: {_behind(best, others[0], told, losses)}." if others else "")
    how = "leads" if _clear(best, others[0]) else "is lowest"
    text = f"{told(best)} {how} ({reached}). Next: {_behind(best, others[0], told, losses)}."
    rule = name_of(best.group.optimizer)
    rivals = [ranked for ranked in others if name_of(ranked.group.optimizer) != rule]
    if rivals and rivals[0] is not others[0]:
        text += f" Best of the other optimizers: {_behind(best, rivals[0], told, losses)}."
    return text


def _most_accurate(standing: Sequence[Ranked], told: _Names) -> list[str]:
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
    best = [told(ranked) for ranked, share in zip(standing, shares, strict=True) if share == most]
    if best == [told(leader)]:
        return [f"{best[0]} also has the highest {what}, {most:.4g}."]
    text = f"The highest {what}, {most:.4g}, is that of {listed(best)}"
    return [text + (f"; {told(leader)} has {shares[0]:.4g}." if shares[0] < most else ".")]


def _clear(best: Ranked, other: Ranked) -> bool:
    """Whether the medians are farther apart than either group's runs are over seeds."""
    seeds = min(len(best.group.runs), len(other.group.runs))
    return seeds >= ENOUGH and other.loss.median - best.loss.median > _spread(best, other)


def _spread(best: Ranked, other: Ranked) -> float:
    """The wider of the two interquartile ranges."""
    return max(best.loss.width, other.loss.width)


def _behind(best: Ranked, other: Ranked, told: _Names, losses: Numbers) -> str:
    """By how much a group is behind, against the spread over seeds."""
    distance = other.loss.median - best.loss.median
    text = f"{told(other)}, {distance:.3g} behind"
    pairs = list(zip(best.group.runs, other.group.runs, strict=False))
    if len(pairs) == 1:
        return f"{text}; one seed gives no spread to judge that by"
    won = sum(bool(losses[mine] < losses[theirs]) for mine, theirs in pairs)
    spread = _spread(best, other)
    text += f" and worse on {won} of {len(pairs)} seeds; "
    if distance <= spread:
        return f"{text}that is within the spread over seeds ({spread:.3g}): no clear lead"
    if len(pairs) < ENOUGH:
        text += f"{len(pairs)} seeds are too few to call it a lead: their spread is {spread:.3g}"
    elif spread:
        text += f"that is {distance / spread:.3g} times the spread over seeds ({spread:.3g})"
    else:
        text += "there is no spread over seeds"
    return text


def _rounding(experiment: Experiment, pane: Pane, best: float, initial: Numbers) -> float:
    """A difference between the losses of a pane that rounding alone may make."""
    eps = max(float(np.finfo(experiment.presets[p].train.dtype).eps) for p in pane.presets)
    start = initial[pane.runs]
    known = np.abs(start[np.isfinite(start)])
    scale = max(float(np.median(known)) if known.size else 0.0, abs(best))
    return float(rounding(best, scale, eps))


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
