"""Trainings side by side, bit by bit."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from tuitrain.spec.recording import Chunk, Evaluation
from tuitrain.train import Trainer, TrainState


def everything(trainer: Trainer, *steps: int) -> dict[str, np.ndarray]:
    """All rows of a training, advanced by these numbers of steps in turn (the last repeats)."""
    sizes, chunks = list(steps), []
    while not trainer.finished:
        chunk = trainer.advance(sizes.pop(0) if len(sizes) > 1 else sizes[0])
        if chunk is not None:
            chunks.append(chunk)
    for before, after in pairwise(chunks):
        assert after.first == before.last + before.stride
    return {name: np.concatenate([c.series[name] for c in chunks], 1) for name in chunks[0].series}


def same_bits(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> None:
    assert one.keys() == other.keys()
    for name in one:
        assert one[name].dtype == other[name].dtype
        assert one[name].tobytes() == other[name].tobytes(), name


def same_chunks(one: Chunk | None, other: Chunk | None) -> None:
    assert one is not None
    assert other is not None
    assert (one.first, one.stride) == (other.first, other.stride)
    same_bits(dict(one.series), dict(other.series))


def same_state(one: TrainState, other: TrainState) -> None:
    assert (one.step, one.diverged) == (other.step, other.diverged)
    same_bits(dict(one.optimizer), dict(other.optimizer))
    same_bits(dict(one.last_row), dict(other.last_row))
    for field in (
        *("parameters", "lr", "reference", "warmed"),
        *("window", "last_loss", "best_loss"),
    ):
        same_bits({field: getattr(one, field)}, {field: getattr(other, field)})


def same_evaluations(one: Sequence[Evaluation], other: Sequence[Evaluation]) -> None:
    assert [evaluation.step for evaluation in one] == [evaluation.step for evaluation in other]
    for first, second in zip(one, other, strict=True):
        same_bits(dict(first.values), dict(second.values))
