"""The explicit values of a training: its whole state, and how a run ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tuitrain.spec.recording import Evaluation


@dataclass(frozen=True)
class Divergence:
    """Where a run stopped being finite.

    Attributes:
        step: the first step whose loss, gradient or new weights are not finite.
        tensor: what was not finite first: `loss`, `gradient of w` or `w`.
    """

    step: int
    tensor: str


@dataclass(frozen=True)
class TrainState:
    """The complete training state of a stack: it resumes from this bit for bit.

    Attributes:
        step: finished steps; the next batch follows from it.
        parameters: [R, P] in the dtype of the training; of a diverged run, those it ended with.
        optimizer: the state of the update rules, by name, each [R, P]; zero for runs that
            have ended or whose rule has no such state.
        lr: float64 [R], the learning rate at a schedule factor of `reference`.
        reference: float64 [R]; 0 where the learning rate no longer follows the schedule.
        warmed: [R], the finished updates at which the schedule proper starts for a run whose
            learning rate was set; 0 where it was not, and the warm-up counts.
        window: [2, R], smallest and largest loss since the last recorded row.
        last_loss: [R], the loss that the last step was computed from.
        best_loss: [R], the least finite loss of any step.
        last_row: where steps are thinned out, what the last step would record, by name, each [R].
        diverged: the runs that have ended early.
        evaluations: those that are due and have not been taken yet.
    """

    step: int
    parameters: NDArray[np.floating]
    optimizer: Mapping[str, NDArray[np.floating]]
    lr: NDArray[np.float64]
    reference: NDArray[np.float64]
    warmed: NDArray[np.int64]
    window: NDArray[np.floating]
    last_loss: NDArray[np.floating]
    best_loss: NDArray[np.floating]
    last_row: Mapping[str, NDArray[np.floating]]
    diverged: Mapping[int, Divergence]
    evaluations: tuple[Evaluation, ...] = ()
