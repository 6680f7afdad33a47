"""The curves of a run: the loss of every step, and what the weights were judged by."""

from __future__ import annotations

from collections.abc import Sequence

from tuitrain.record.live import Recording
from tuitrain.record.series import Series
from tuitrain.record.status import Event
from tuitrain.spec.size import classes, test_rows
from tuitrain.ui.facts import RunFacts
from tuitrain.ui.widgets.curves import Layer, Mark, Reference

TRAIN, TEST, BEFORE = 0, 1, 3
"""Series colours."""


def loss_layers(facts: RunFacts, before: Recording | None = None) -> list[Layer]:
    """The losses, and beneath them that of the run before from the same initial weights."""
    return [*_losses(facts), *([] if before is None else _loss_before(before))]


def _loss_before(before: Recording) -> list[Layer]:
    """Not of a run that has diverged: beside it, nothing else could be seen."""
    lost = any(event.kind == "diverged" for event in before.events)
    loss = before.series(0, "loss") if before.names(0) and not lost else Series()
    return [Layer("before", loss, BEFORE, faint=True, spans=False)] if len(loss) else []


def _losses(facts: RunFacts) -> list[Layer]:
    """The losses: that of every step, and of a model that is judged those of all rows above it.

    The loss of a step is that of the weights before it, even where it is of all rows; a model is
    judged by the weights after a step. So only evaluations are compared with each other.
    """
    steps = facts.series("loss")
    if not facts.evaluations_known:
        return [Layer("loss", steps)]
    tested = test_rows(facts.preset) > 0
    beneath = "step" if facts.preset.train.batch == "full" else "batch"
    layers = [
        Layer(beneath + " + penalty" * facts.regularised, steps, TRAIN, faint=True),
        Layer("train" if tested else "loss", facts.train_loss(), TRAIN, smooth=False),
    ]
    if tested:
        layers.append(Layer("test", facts.evaluated("test_loss"), TEST, smooth=False))
    return layers


def accuracy_layers(facts: RunFacts) -> list[Layer]:
    """The accuracies; none where there are no classes."""
    if not facts.evaluations_known or not classes(facts.preset):
        return []
    layers = [Layer("train", facts.evaluated("accuracy"), TRAIN, smooth=False)]
    if test_rows(facts.preset):
        layers.append(Layer("test", facts.evaluated("test_accuracy"), TEST, smooth=False))
    return layers


def accuracy_goal(facts: RunFacts) -> list[Reference]:
    """The least accuracy that is expected, and the greatest where that says anything."""
    for name in ("test_accuracy", "accuracy"):
        if name in facts.expected.metrics:
            low, high = facts.expected.metrics[name]
            most = [Reference(high, f"expected at most {high:g}")] if high < 1 else []
            return [Reference(low, f"expected at least {low:g}"), *most]
    return []


def marks(events: Sequence[Event]) -> list[Mark]:
    """What happened on the way; of learning rates set before the same step, the last counts."""
    rates = {e.step: Mark(e.step, f"lr {e.detail['new']:g}") for e in events if e.kind == "lr"}
    lost = [Mark(e.step, "diverged", "warning") for e in events if e.kind == "diverged"]
    return [*rates.values(), *lost]
