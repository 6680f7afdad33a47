"""The curves of a run: the loss of every step, and what the weights were judged by."""

from __future__ import annotations

from collections.abc import Sequence

from tuitrain.record.status import Event
from tuitrain.spec.size import classes, test_rows
from tuitrain.ui.facts import RunFacts
from tuitrain.ui.widgets.curves import Layer, Mark, Reference

TRAIN, TEST = 0, 1
"""Series colours."""


def loss_layers(facts: RunFacts) -> list[Layer]:
    """The losses: that of every step, and of a model that is judged those of all rows above it."""
    steps = facts.series("loss")
    if not facts.judged:
        return [Layer("loss", steps)]
    tested = test_rows(facts.preset) > 0
    name = "train" if tested else "loss"
    batch = facts.preset.train.batch
    if batch == "full" and not facts.regularised:
        layers = [Layer(name, steps, TRAIN)]
    else:
        beneath = "batch" if batch != "full" else "train"
        beneath += " + penalty" * facts.regularised
        layers = [
            Layer(beneath, steps, TRAIN, faint=True),
            Layer(name, facts.train_loss(), TRAIN, smooth=False),
        ]
    if tested:
        layers.append(Layer("test", facts.evaluated("test_loss"), TEST, smooth=False))
    return layers


def accuracy_layers(facts: RunFacts) -> list[Layer]:
    """The accuracies; none where there are no classes."""
    if not facts.judged or not classes(facts.preset):
        return []
    layers = [Layer("train", facts.evaluated("accuracy"), TRAIN, smooth=False)]
    if test_rows(facts.preset):
        layers.append(Layer("test", facts.evaluated("test_accuracy"), TEST, smooth=False))
    return layers


def accuracy_goal(facts: RunFacts) -> list[Reference]:
    """The least accuracy that is expected."""
    for name in ("test_accuracy", "accuracy"):
        if name in facts.expected.metrics:
            return [Reference(facts.expected.metrics[name][0], "expected at least")]
    return []


def marks(events: Sequence[Event]) -> list[Mark]:
    """What happened on the way."""
    found = []
    for event in events:
        if event.kind == "lr":
            found.append(Mark(event.step, f"lr {event.detail.get('new', 0):g}"))
        elif event.kind == "diverged":
            found.append(Mark(event.step, "diverged", "warning"))
    return found
