"""At which steps a training is evaluated on all its rows, and drawn."""

from __future__ import annotations

from math import ceil, prod

from tuitrain.spec.model import Linear, Network
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

LEAST = 60
"""Evaluations that a training has whatever they cost, if it has as many epochs."""

OVERHEAD = 16
"""Steps between evaluations of a small model, where calls cost more than arithmetic."""

MOST_PICTURED = 100
"""Evaluations that carry pictures, besides that of the initial weights."""

PICTURE_BYTES = 64 << 20
"""Bytes that the pictures of an experiment may take in the store."""

PAGE = 16 << 10
"""Bytes of a page of the store: chunks of many runs are megabytes, and take a third less work
than in 4 KiB; a picture of less takes a whole one."""

GRID = 48
"""Points of a decision grid along each input."""


def evaluated(preset: Preset) -> bool:
    """Whether there is more to tell than the loss of each step."""
    many = sum(map(prod, shapes(preset).values())) > MAX_RECORDED_WEIGHTS
    told = test_rows(preset) > 0 or (classes(preset) > 0 and rows(preset) > 1) or many
    return told or gridded(preset)


def gridded(preset: Preset) -> bool:
    """Whether the prediction can be drawn over its two inputs."""
    if inputs_outputs(preset)[0] != 2:
        return False
    # of a linear regression the plane that it fits is told by its few weights
    linear = isinstance(preset.model, Linear) and classes(preset) > 0
    return linear or isinstance(preset.model, Network)


def stride(preset: Preset) -> int | None:
    """Steps between evaluations; None where there is none.

    A multiple of an epoch, so that an evaluation costs about a quarter of the steps between.
    In steps of one run on one core, one without pictures costs 3.3 (iris), 1.7 (xor-relu) and 2.6
    (digits-mlp), one with pictures 4.6, 2.8 and 3.2: with the strides 16, 16 and 45, a quarter, a
    sixth and a fourteenth. A short training has `LEAST` evaluations all the same, at most one for
    each epoch: those of gauss, every 10 steps, cost 7.3 steps.
    """
    if not evaluated(preset):
        return None
    total, epoch = planned_steps(preset), batches_per_epoch(preset)
    # A step goes forwards and back over its batch: for each row three times the work of an
    # evaluation and more, since a small batch costs no less than a larger one.
    cost = (rows(preset) + test_rows(preset)) / (2 * (batch_rows(preset) or 1))
    epochs = ceil(max(total / MOST, cost, OVERHEAD) / epoch)
    return min(min(epochs, max(total // (LEAST * epoch), 1)) * epoch, total)


def pictured(preset: Preset, runs: int, stacks: int = 1) -> int | None:
    """Every how many-th evaluation of a stack carries pictures, besides the last one.

    None where no evaluation does: where there is none, and where already the pictures of the
    initial and of the last weights would take more than the stack's share of `PICTURE_BYTES`.

    Args:
        preset: the stack's.
        runs: of the stack.
        stacks: of the experiment.
    """
    every = stride(preset)
    if every is None:
        return None
    pages = ceil(runs * picture_bytes(preset) / PAGE)
    affordable = PICTURE_BYTES // (stacks * pages * PAGE)
    if affordable < 2:
        return None
    return ceil(ceil(planned_steps(preset) / every) / min(affordable - 1, MOST_PICTURED))


def picture_bytes(preset: Preset) -> int:
    """Bytes of the pictures of one run at one step."""
    judged = test_rows(preset) or rows(preset)
    count = classes(preset)
    grid = 4 * GRID**2 * inputs_outputs(preset)[1] if gridded(preset) else 0
    weights = 8 * sum(map(prod, shapes(preset).values()))
    return weights + grid + 4 * count**2 + (6 * judged if image(preset) else 0)
