"""At which steps a training is judged on all its rows, and drawn."""

from __future__ import annotations

from math import ceil, prod

from tuitrain.spec.model import Network
from tuitrain.spec.preset import Preset
from tuitrain.spec.recording import MAX_RECORDED_WEIGHTS
from tuitrain.spec.size import (
    batch_rows,
    batches_per_epoch,
    classes,
    image,
    inputs_outputs,
    planned_steps,
    rows,
    shapes,
    test_rows,
)

MOST = 500
"""Evaluations of a training, besides that of the initial weights and that at the end."""

MOST_PICTURED = 100
"""Evaluations that carry pictures."""

PICTURE_BYTES = 64 << 20
"""Bytes that the pictures of a stack may take in the store."""

GRID = 48
"""Points of a decision grid along each input."""


def evaluated(preset: Preset) -> bool:
    """Whether there is more to tell than the loss of each step."""
    many = sum(map(prod, shapes(preset).values())) > MAX_RECORDED_WEIGHTS
    told = test_rows(preset) > 0 or (classes(preset) > 0 and rows(preset) > 1) or many
    return told or gridded(preset)


def gridded(preset: Preset) -> bool:
    """Whether the prediction can be drawn over its two inputs."""
    return inputs_outputs(preset)[0] == 2 and isinstance(preset.model, Network)


def stride(preset: Preset) -> int | None:
    """Steps between evaluations; None where there is none.

    A multiple of an epoch, so that an evaluation costs less than the steps between.
    """
    if not evaluated(preset):
        return None
    total, epoch = planned_steps(preset), batches_per_epoch(preset)
    # A step goes forwards and back over its batch: for each row three times the work of an
    # evaluation and more, since a small batch costs no less than a larger one.
    cost = (rows(preset) + test_rows(preset)) / (2 * (batch_rows(preset) or 1))
    steps = max(ceil(total / MOST), ceil(cost), 1)
    return min(ceil(steps / epoch) * epoch, total)


def pictured(preset: Preset, runs: int) -> int:
    """Every how many-th evaluation of a stack carries pictures."""
    every = stride(preset)
    if every is None:
        return 1
    evaluations = planned_steps(preset) // every + 1
    affordable = max(PICTURE_BYTES // (runs * picture_bytes(preset)), 1)
    return ceil(evaluations / min(affordable, MOST_PICTURED))


def picture_bytes(preset: Preset) -> int:
    """Bytes of the pictures of one run at one step."""
    judged = test_rows(preset) or rows(preset)
    count = classes(preset)
    grid = 4 * GRID**2 * inputs_outputs(preset)[1] if gridded(preset) else 0
    weights = 8 * sum(map(prod, shapes(preset).values()))
    return weights + grid + 4 * count**2 + (6 * judged if image(preset) else 0)
