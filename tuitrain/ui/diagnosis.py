"""What a run is doing, in plain words: a pure function of its recorded series.

Losses of single mini-batches differ because their rows differ, which says nothing about the
training. So everything here looks at whole epochs: the mean loss of an epoch, the weights at its
end. Of these, the last tenth is assessed, by medians.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Trend = Literal["starting", "changed", "improving", "slow", "plateau", "oscillating", "worse"]
UNJUDGED = ("starting", "changed")
"""Trends of runs that have taken too few steps to be judged."""

Tone = Literal["good", "neutral", "warning", "bad"]

FEWEST_PASSES = 8
SAMPLE = 10_000
CLEAR, HARDLY = 0.05, 0.01
"""A loss that falls by 5 % in the window improves; by less than 1 %, it is on a plateau. Within
1 % of the optimum's, it has reached it."""

REACHED, OPTIMUM = "expected values reached", "optimum reached"

Array = NDArray[np.floating]


class Diagnosis(NamedTuple):
    """One line: a word that names it, the sentence after it, and how good the news is."""

    word: str
    sentence: str
    tone: Tone


@dataclass(frozen=True)
class Movement:
    """How a run moved over the window.

    Attributes:
        trend: what it does.
        fall: share of the loss that went away within the window; negative when it rose.
        steps: length of the window.
        swing: how far the weight that swings most goes in one pass, as a share of its size.
    """

    trend: Trend
    fall: float = 0.0
    steps: int = 0
    swing: float = 0.0


def movement(
    loss: Array, weights: Sequence[Array], batches: int = 1, *, since: int = 0
) -> Movement:
    """Judge the last tenth of a run.

    Args:
        loss: [steps] recorded losses, the latest last.
        weights: recorded weights, each [steps]; none when there are too many to record.
        batches: steps in one pass over the data.
        since: the first row with the learning rate of now; what was before says nothing of it.
    """
    bad = np.flatnonzero(~np.isfinite(loss))
    end = int(bad[0]) if len(bad) else len(loss)
    passes = (end - since) // batches
    if passes < FEWEST_PASSES:
        return Movement("changed" if since else "starting")
    count = max(passes // 10, FEWEST_PASSES)
    stretch = count * batches
    window = slice(end - stretch, end)
    recent = loss[window].astype(np.float64).reshape(count, batches).mean(axis=1)
    paths = [w[window][batches - 1 :: batches].astype(np.float64) for w in weights]
    scale = float(np.median(np.abs(loss[: end : max(1, end // SAMPLE)])))
    fall, noise = _fall(recent, scale)
    swing = max((_swing(path) for path in paths), default=0.0)
    restless = swing > 0.1 or (swing > 1e-3 and _spread(recent, scale) > 0.1)
    if not weights:
        restless = _spread(recent, scale) > 0.5 and _zigzag(recent)
    # Numbers this far below where the run began are rounding, whatever they do.
    settled = abs(float(np.median(recent))) < 1e-12 * max(abs(float(loss[0])), 1e-300)
    # A loss that jumps about may end lower by chance.
    if restless and (fall < 2 * CLEAR or _zigzag(recent)):
        trend: Trend = "plateau" if settled else "oscillating"
    elif fall < -max(CLEAR, 2 * noise):
        trend = "plateau" if settled else "worse"
    elif fall > max(CLEAR, 2 * noise):
        trend = "improving"
    elif fall > max(HARDLY, 2 * noise):
        trend = "slow"
    else:
        trend = "plateau"
    return Movement(trend, fall, stretch, swing)


def _fall(loss: Array, scale: float) -> tuple[float, float]:
    """Share of the loss that went from the first third to the last, and its standard error."""
    third = max(len(loss) // 3, 1)
    before, after = float(np.median(loss[:third])), float(np.median(loss[-third:]))
    size = max(abs(before), abs(after), 1e-12 * scale, 1e-300)
    steps = np.diff(loss)
    # The spread of differences around their median leaves a steady slope out.
    sigma = 1.4826 * np.median(np.abs(steps - np.median(steps))) / np.sqrt(2)
    return float((before - after) / size), float(1.25 * sigma * np.sqrt(2 / third) / size)


def _spread(loss: Array, scale: float) -> float:
    """Distance between high and low losses of the window, as a share of the middle one."""
    low, middle, high = np.quantile(loss, (0.1, 0.5, 0.9))
    return float((high - low) / max(abs(middle), 1e-12 * scale, 1e-300))


def _zigzag(path: Array) -> bool:
    """Whether a path goes back and forth much more than it gets on."""
    way = float(np.abs(np.diff(path)).sum())
    return way > 0 and abs(float(path[-1] - path[0])) < 0.2 * way


def _swing(weight: Array) -> float:
    """The mean change of a zigzagging weight in one epoch, as a fraction of its size; else 0."""
    size = float(np.abs(weight).max())
    # An odd number of passes would end a strict alternation on its other side.
    if size == 0 or not (_zigzag(weight) or _zigzag(weight[:-1])):
        return 0.0
    return float(np.abs(np.diff(weight)).mean()) / size


# Of networks ----------------------------------------------------------------------------------

FEWEST_JUDGED = 12
"""Evaluations that overfitting is told from."""

TINY = 1e-5
"""A gradient norm, or an update-to-weight ratio, below which nothing is learned."""


def overfitting(steps: NDArray[np.integer], train: Array, test: Array) -> int | None:
    """The step since which the test loss has risen while the train loss fell; None if it has not.

    Both are averaged over a few evaluations, and the rise must stand out from their noise, or last.

    Args:
        steps, train, test: of the evaluations, [E] each, the latest last.
    """
    count = len(steps)
    if count < FEWEST_JUDGED or not (np.isfinite(train).all() and np.isfinite(test).all()):
        return None
    width = max(count // 20, 3)
    calm_train, calm_test = (_averaged(loss, width) for loss in (train, test))
    # The averages reach back: the evaluation in the middle stands for each.
    best = int(np.argmin(calm_test))
    rise, fall = calm_test[-1] - calm_test[best], calm_train[best] - calm_train[-1]
    noise = float(np.median(np.abs(np.diff(test[best:])))) if best < len(calm_test) - 1 else np.inf
    clear = rise > max(CLEAR * abs(calm_test[best]), 3 * noise / np.sqrt(width))
    # Behind a changed learning rate the noise may be large, and yet no loss be as low any more.
    lately = test[-max(count // 3, FEWEST_JUDGED) :]
    lasting = best < count - len(lately) and lately.min() > (1 + CLEAR) * abs(calm_test[best])
    if (clear or lasting) and fall > HARDLY * abs(calm_train[best]):
        return int(steps[best + width // 2])
    return None


def _averaged(loss: Array, width: int) -> NDArray[np.float64]:
    return np.convolve(loss, np.full(width, 1 / width), mode="valid")


def overfits(step: int) -> Diagnosis:
    """The diagnosis of a model that overfits its training rows."""
    return Diagnosis(
        "overfitting",
        f"since step {step:,} the test loss rises while the train loss falls",
        "warning",
    )


def at_chance(accuracy: float, hidden: int, gradient: Array, first: str, moved: Array) -> Diagnosis:
    """The diagnosis of a classifier that does no better than naming one class for every row.

    Args:
        accuracy: on the training rows.
        hidden: how many hidden layers it has.
        gradient: its norm at every step.
        first: name of its first tensor.
        moved: by which share of its size that tensor moves at every step; empty if unknown.
    """
    share = f"accuracy {percent(accuracy)} is no better than chance"
    norm, step = (float(np.median(last[-100:])) if len(last) else 1.0 for last in (gradient, moved))
    if min(norm, step) >= TINY:
        return Diagnosis("at chance", share, "warning")
    if not hidden:
        cause = "without a hidden layer its decision boundary is a straight line"
        return Diagnosis("at chance", f"{share}; {cause}", "warning")
    how = f"a step moves {first} by {step:.0e} of its size"
    if norm < TINY:
        how = f"the gradient norm is {norm:.0e}"
    return Diagnosis("not learning", f"vanishing gradients: {how}; {share}", "warning")


# In words -------------------------------------------------------------------------------------


def describe(move: Movement, *, arrived: bool = False, optimal: bool = False) -> Diagnosis:
    """The diagnosis of a run that is under way.

    Args:
        arrived: whether what is expected is reached; where weights swing, in the middle.
        optimal: whether the loss is next to the least that there is.
    """
    window = f"the last {move.steps:,} steps"
    match move.trend:
        case "starting":
            return Diagnosis("starting", "too few steps to judge yet", "neutral")
        case "changed":
            return Diagnosis(
                "learning rate changed", "too few steps since then to judge yet", "neutral"
            )
        case "improving":
            how = ", swinging from side to side" if move.swing > 0.1 else ""
            return Diagnosis(
                "improving", f"loss down {percent(move.fall)} in {window}{how}", "good"
            )
        case "slow":
            return Diagnosis(
                "improving slowly", f"loss down {percent(move.fall)} in {window}", "good"
            )
        case "plateau" if arrived:
            return Diagnosis(REACHED, f"the loss has hardly moved in {window}", "good")
        case "plateau" if optimal:
            return Diagnosis(OPTIMUM, f"the loss has hardly moved in {window}", "good")
        case "plateau":
            return Diagnosis("plateau", f"the loss has hardly moved in {window}", "neutral")
        case "oscillating" if arrived:
            return Diagnosis(
                "hovers near the optimum", "a smaller learning rate would help", "neutral"
            )
        case "oscillating":
            how = "weights step back and forth" if move.swing else "the loss goes up and down"
            grows = ", and the loss grows" if move.fall < -CLEAR else ""
            return Diagnosis(
                "oscillating", f"the learning rate is too large: {how}{grows}", "warning"
            )
        case "worse":
            return Diagnosis(
                "getting worse",
                f"loss up {percent(-move.fall)} in {window}: is the learning rate too large?",
                "warning",
            )


def percent(share: float) -> str:
    """A share as a percentage with two figures."""
    value = 100 * share
    return f"{value:.0f} %" if value >= 9.95 else f"{value:.1f} %"


def diverged(step: int, tensor: str) -> Diagnosis:
    """The diagnosis of a run that met a number which is not finite."""
    return Diagnosis(
        "diverged", f"at step {step:,} in {tensor}: try a smaller learning rate", "bad"
    )


def ended(
    state: str,
    step: int,
    move: Movement,
    misses: Sequence[Miss] | None,
    trouble: Diagnosis | None = None,
    *,
    optimal: bool = False,
    perfect: bool = False,
    range_met: str = "",
) -> Diagnosis:
    """The diagnosis of a run that takes no further step.

    Args:
        state: finished, stopped, killed or paused.
        step: finished steps.
        move: what it did at its end.
        misses: values that are not what the preset expects; None without expectations.
        trouble: what was wrong with how it learned.
        optimal: whether the final loss is next to the least that there is.
        perfect: whether more steps have nothing to improve in what it is trained for.
        range_met: what it has reached of a range with bounds on both sides, and that range.
    """
    last = trouble or describe(move, arrived=misses is not None and not misses, optimal=optimal)
    if state == "killed":
        return Diagnosis(
            "killed", f"the worker ended at step {step:,}; what it recorded stays", "bad"
        )
    if state in ("stopped", "paused"):
        known = last.word if last.word in (REACHED, OPTIMUM) else f"{last.word} until then"
        until = "" if move.trend in UNJUDGED else f"; {known}"
        return Diagnosis(state, f"at step {step:,}{until}", "neutral")
    if misses is None and trouble is not None:
        return Diagnosis("finished", f"{trouble.word}: {trouble.sentence}", trouble.tone)
    if misses is None and last.word == OPTIMUM:
        return Diagnosis("finished", OPTIMUM, "good")
    if misses is None:
        helps = move.trend in ("improving", "slow") and not perfect
        hint = "; more steps would help" if helps else ""
        return Diagnosis("finished", f"{last.word} at the end{hint}", "neutral")
    if not misses:
        restless = ", oscillating to the end" if move.trend == "oscillating" else ""
        known = f"; {trouble.word}: {trouble.sentence}" if trouble else ""
        if range_met:  # which the preset is there to show, be it good or bad
            return Diagnosis("finished as expected", f"{range_met}{restless}{known}", "neutral")
        return Diagnosis("finished", f"{REACHED}{restless}{known}", "good")
    first = misses[0]
    rest = f" (and {len(misses) - 1} more)" if len(misses) > 1 else ""
    cause = f"; {last.word} at the end"
    return Diagnosis(
        "finished",
        f"expected not reached: {first.name} is {first.value:.4g}, not {first.wanted}{rest}{cause}",
        "warning",
    )


class Miss(NamedTuple):
    """A value that is not what the preset expects."""

    name: str
    value: float
    wanted: str
