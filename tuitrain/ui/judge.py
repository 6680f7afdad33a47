"""What is said of a run: what it does by its recorded series, and what it has reached."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tuitrain.record.ranking import ACCURACIES
from tuitrain.record.series import Series
from tuitrain.spec.model import Convolution, Network
from tuitrain.spec.size import hidden_layers
from tuitrain.ui.diagnosis import (
    HARDLY,
    UNJUDGED,
    Diagnosis,
    Miss,
    Movement,
    at_chance,
    describe,
    diverged,
    ended,
    movement,
    overfits,
    overfitting,
    percent,
)
from tuitrain.ui.facts import NEXT_TO_NOTHING, RunFacts

FEW = 5
"""Evaluations whose median accuracy is looked at."""

BY_CHANCE = 0.03
"""So much more than the commonest class's share is still no accuracy."""


class Judge:
    """Says what a run is doing.

    Args:
        facts: of the run.
    """

    def __init__(self, facts: RunFacts) -> None:
        self.facts = facts

    def __call__(self) -> Diagnosis:
        """What the run is doing now."""
        status = self.facts.recording.status
        result = next(
            (r for r in self.facts.recording.results if r.index == self.facts.index), None
        )
        if status.state == "failed":
            return Diagnosis("failed", status.error or "see the worker's log (w)", "bad")
        if result is not None and result.diverged_at is not None:
            return diverged(result.diverged_at, result.diverged_in or "the loss")
        if status.state == "starting":
            return Diagnosis("starting", "the worker is starting", "neutral")
        losses, changes = self.facts.series("loss"), self.facts.lr_changes
        loss, since = losses.values, losses.row_from(changes[-1].step) if changes else 0
        move = movement(loss, self._paths(), self.facts.batches, since=since)
        trouble = self._trouble(move)
        final = np.nan if result is None else result.final_loss
        of_epoch = final
        if not status.ended and len(loss):  # until then there is no final loss
            final, of_epoch = float(loss[-1]), float(loss[-self.facts.batches :].mean())
        misses, optimal = self._misses(final), self._optimal(of_epoch)
        if status.state == "running":
            swings = move.trend == "oscillating"
            arrived = self._arrived(move.steps) if swings else misses == [] and not self._range()
            return self._completed(trouble or describe(move, arrived=arrived, optimal=optimal))
        if status.state == "paused" and not len(loss):
            return Diagnosis(
                "paused", "at its initial weights: space starts, n takes a step", "neutral"
            )
        perfect = self.facts.evaluated("accuracy").last >= 1
        told = ended(
            status.state,
            status.step,
            move,
            misses,
            trouble,
            optimal=optimal,
            perfect=perfect,
            range_met=self._range(),
        )
        return self._completed(told)

    def _paths(self) -> list[NDArray[np.floating]]:
        """The weights whose swinging tells something: not those of a network, some of which are
        always near zero, and swing."""
        if isinstance(self.facts.preset.model, Network | Convolution):
            return []
        return [weight.series.values for weight in self.facts.weights()]

    def _completed(self, told: Diagnosis) -> Diagnosis:
        """With the accuracy, unless that was told; of which step, as it is told now and then."""
        for name in ("test_accuracy", "accuracy"):
            if len(series := self.facts.evaluated(name)) and "accuracy" not in told.sentence:
                reached = f"{told.sentence}; {name.replace('_', ' ')} {percent(series.last)}"
                if not self.facts.recording.status.ended:
                    reached += f" at {series.last_step:,}"
                return told._replace(sentence=reached)
        return told

    def _trouble(self, move: Movement) -> Diagnosis | None:
        """What is wrong with how a network learns."""
        train, test = self.facts.train_loss(), self.facts.evaluated("test_loss")
        if len(train) and len(test) == len(train):
            since = overfitting(train.steps, train.values, test.values)
            if since is not None:
                return overfits(since)
        accuracy = self.facts.evaluated("accuracy")
        if move.trend in UNJUDGED or not len(accuracy) or not self._chance:
            return None
        if float(np.median(accuracy.values[-FEW:])) > self._chance + BY_CHANCE:
            return None
        first = next(iter(self.facts.shapes))
        ratio = self.facts.series(f"{first}.update_ratio") if self.facts.many else Series()
        hidden, norm = hidden_layers(self.facts.preset.model), self.facts.series("grad_norm")
        return at_chance(accuracy.last, hidden, norm.values, first, ratio.values)

    @cached_property
    def _chance(self) -> float:
        """The accuracy of always naming the commonest class; 0 where there are no classes."""
        if self.facts.data is None or not self.facts.data.classes or not len(self.facts.data.y):
            return 0.0
        counts = np.bincount(self.facts.data.labels(self.facts.data.y))
        return float(counts.max() / counts.sum())

    def _arrived(self, steps: int) -> bool:
        """Whether the weights of the last steps lie, in the middle, where they are expected."""
        goals = [
            abs(float(np.median(weight.series.values[-steps:])) - weight.goal) <= weight.tolerance
            for weight in self.facts.weights()
            if weight.goal is not None and weight.tolerance is not None and steps
        ]
        return bool(goals) and all(goals)

    def _range(self) -> str:
        """What is measured against a range with bounds on both sides, and that range; or nothing.

        No accuracy is more than 1, and no loss less than 0: those are no bounds.
        """
        for name in (*reversed(ACCURACIES), "test_loss", "data_loss"):
            low, high = self.facts.expected.metrics.get(name, (0.0, np.inf))
            share = name.endswith("accuracy")
            if low > 0 and not (share and high >= 1):
                told = percent if share else "{:.4g}".format
                value = told(self.facts.evaluated(name).last)
                return f"{name.replace('_', ' ')} {value} ({told(low)} to {told(high)})"
        return ""

    def _optimal(self, loss: float) -> bool:
        """Whether a loss is next to the optimum's, where that is what there is to reach."""
        losses = self.facts.series("loss")
        if self.facts.goal == "expected" or self.facts.optimum is None or not len(losses):
            return False
        rounding = NEXT_TO_NOTHING * abs(float(losses.values[0]))
        return loss <= self.facts.optimum.loss + HARDLY * abs(self.facts.optimum.loss) + rounding

    def _misses(self, final_loss: float) -> list[Miss] | None:
        """What was missed; None if nothing is expected of these settings."""
        expected = self.facts.expected
        misses, checked = [], 0
        for weight in self.facts.weights():
            if weight.goal is not None and weight.tolerance is not None:
                checked += 1
                value = weight.series.last
                if not abs(value - weight.goal) <= weight.tolerance:
                    misses.append(Miss(weight.name, value, f"{weight.goal:.4g}"))
        if expected.loss is not None:
            checked += 1
            if not abs(final_loss - expected.loss) <= expected.tolerance:
                misses.append(Miss("the loss", final_loss, f"{expected.loss:.4g}"))
        if expected.loss_below is not None:
            checked += 1
            if not final_loss < expected.loss_below:
                misses.append(Miss("the loss", final_loss, f"below {expected.loss_below:.4g}"))
        for name, (low, high) in expected.metrics.items():
            checked += 1
            value = self.facts.evaluated(name).last
            if not low <= value <= high:
                wanted = f"{low:.4g} to {high:.4g}"
                misses.append(Miss(name.replace("_", " "), value, wanted))
        return misses if checked else None
