"""One stack in training: how fast it goes, and what its runs have reached."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tuitrain.optim import name_of
from tuitrain.record.status import RunResult, RunStatus
from tuitrain.spec.experiment import Run
from tuitrain.spec.recording import Chunk, Evaluation

if TYPE_CHECKING:
    from tuitrain.train.state import Divergence
    from tuitrain.train.trainer import Trainer

GROWTH = 4


class Pace:
    """When to train how many steps at once: blocks of about `target` seconds.

    Attributes:
        limit: at most so many steps a second, on average over any time longer than a block.
        due: when the next block may begin, on the clock that `took` is told.
    """

    def __init__(self, target: float, limit: float | None = None) -> None:
        self.target = target
        self.limit = limit
        self.due = -math.inf
        self._fitting = 1

    def keep_to(self, limit: float | None) -> None:
        """Sets another limit; what the old one made wait is due at once."""
        self.limit = limit
        self.due = -math.inf

    @property
    def steps(self) -> int:
        """Steps of the next block: no more than fit into it, in work and within the limit."""
        allowed = math.inf if self.limit is None else max(1, int(self.limit * self.target))
        return int(min(self._fitting, allowed))

    def took(self, steps: int, started: float, seconds: float) -> None:
        """Learns from a block. Growth is bounded: the first steps say little about the rest."""
        fitting = int(self.target * steps / max(seconds, 1e-9))
        self._fitting = max(1, min(fitting, GROWTH * self._fitting))
        # A block that began late is made up for; a long delay, such as a pause, is not.
        spacing = 0.0 if self.limit is None else steps / self.limit
        self.due = max(self.due, started - self.target) + spacing


class Throughput:
    """Steps per second over about the last second of training."""

    def __init__(self, memory: float = 1.0) -> None:
        self._memory = memory
        self._steps = self._seconds = 0.0

    def took(self, steps: int, seconds: float) -> None:
        """Counts a block; older ones fade."""
        fade = math.exp(-seconds / self._memory)
        self._steps = self._steps * fade + steps
        self._seconds = self._seconds * fade + seconds

    @property
    def value(self) -> float:
        return self._steps / self._seconds if self._seconds else 0.0


class Progress:
    """One stack of an experiment.

    Args:
        trainer: trains the stack.
        runs: its runs, R of them.
        indices: where each of them stands in the experiment's runs.
        pace: when it trains how many steps at once.

    Attributes:
        seconds: time spent training it.
    """

    def __init__(
        self, trainer: Trainer, runs: Sequence[Run], indices: Sequence[int], pace: Pace
    ) -> None:
        self.trainer = trainer
        self.runs = runs
        self.indices = indices
        self.pace = pace
        self.seconds = 0.0
        self._evaluation: Evaluation | None = None

    def advance(self, steps: int) -> tuple[Chunk | None, dict[int, Divergence]]:
        """Trains some steps; returns their rows, and the runs that diverged in them by place."""
        before = set(self.trainer.diverged)
        chunk = self.trainer.advance(steps)
        return chunk, {i: d for i, d in self.trainer.diverged.items() if i not in before}

    def take_due(self, *, ended: bool = False) -> list[Chunk | Evaluation]:
        """The evaluations that have become due since the last call.

        Args:
            ended: whether the training ends here: then the last step's row is due, if it is not
                recorded yet, and the last weights are.
        """
        due = self.trainer.take_evaluations()
        self._evaluation = due[-1] if due else self._evaluation
        if ended and self._evaluation is not None and not self._is_last(self._evaluation):
            self._evaluation = self.trainer.evaluate(pictures=True)
            due.append(self._evaluation)
        row = self.trainer.closing_row() if ended else None
        return [*due] if row is None else [row, *due]

    def _is_last(self, evaluation: Evaluation) -> bool:
        """Whether it is of the last weights, with pictures if there are any of this stack."""
        pictures = any(values.ndim > 1 for values in evaluation.values.values())
        return evaluation.step == self.trainer.step and (pictures or not self.trainer.pictured)

    def set_learning_rate(self, lr: float, place: int | None) -> list[float]:
        """Lets the next step use `lr`; returns what it would have used, for each run concerned."""
        old = self.trainer.learning_rates()
        self.trainer.set_learning_rate(lr, place)
        concerned: list[float] = (old if place is None else old[[place]]).tolist()
        return concerned

    def results(
        self, unfinished: RunStatus, places: Iterable[int] | None = None
    ) -> list[RunResult]:
        """What the runs have reached.

        Args:
            unfinished: status of the runs that have steps left to do.
            places: of which runs; None: of all.
        """
        trainer = self.trainer
        status: RunStatus = "finished" if trainer.step >= trainer.total else unfinished
        found = []
        for place in range(len(self.runs)) if places is None else places:
            divergence = trainer.diverged.get(place)
            result = replace(
                unknown(self.indices[place], self.runs[place]),
                status=status,
                steps=trainer.step,
                loss=float(trainer.last_loss[place]),
                best_loss=float(trainer.best_loss[place]),
            )
            if divergence:
                result = replace(
                    result,
                    status="diverged",
                    steps=divergence.step,
                    diverged_at=divergence.step,
                    diverged_in=divergence.tensor,
                )
            found.append(result)
        return found

    def final_results(self, unfinished: RunStatus) -> list[RunResult]:
        """As `results`, with loss and metrics of the final weights.

        A run whose final loss is not finite has diverged by its last step.
        The metrics of a run that has diverged are NaN.
        """
        evaluation = self._evaluation or self.trainer.evaluate()
        scalars = {name: values for name, values in evaluation.values.items() if values.ndim == 1}
        found = []
        for place, result in enumerate(self.results(unfinished)):
            reached = {name: float(values[place]) for name, values in scalars.items()}
            loss = reached.pop("loss")
            if result.status != "diverged" and not math.isfinite(loss):  # the last step led there
                result = replace(
                    result, status="diverged", diverged_at=result.steps, diverged_in="loss"
                )
            lost = result.status == "diverged"
            metrics = dict.fromkeys(reached, math.nan) if lost else reached
            found.append(replace(result, final_loss=loss, metrics=metrics))
        return found


def unknown(index: int, run: Run, status: RunStatus = "waiting") -> RunResult:
    """The result of a run that has not begun."""
    name, lr = name_of(run.optimizer), run.optimizer.lr
    return RunResult(index, run.name, run.preset, name, lr, run.seed, status)
