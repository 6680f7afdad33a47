"""What an experiment says about itself: its status, its runs' results, and what happened when."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Literal

ExperimentState = Literal[
    "starting", "running", "paused", "finished", "stopped", "diverged", "failed", "killed"
]
"""Of a whole experiment. `killed` is never recorded: a viewer finds a worker that is gone."""

RunStatus = Literal["waiting", "running", "finished", "stopped", "diverged", "failed", "killed"]

EventKind = Literal[
    "started",
    "paused",
    "resumed",
    "stepped",
    "lr",
    "stopped",
    "diverged",
    "finished",
    "failed",
    "command",
]

ALIVE: frozenset[str] = frozenset({"starting", "running", "paused", "waiting"})
"""The states that only a living worker can be in."""


@dataclass(frozen=True)
class Status:
    """Where an experiment stands.

    Attributes:
        state: the state of the worker.
        step: finished steps, summed over the stacks.
        total: planned steps, summed over the stacks.
        seconds: time spent training; pauses and waiting for the pace are none.
        steps_per_second: of the last seconds while training, of the whole training once ended.
        device: such as `cpu` or `cuda:0`.
        device_name: the device in words.
        device_uuid: of a GPU, what its driver calls it; empty for a processor.
        threads: threads that one operation may use.
        error: the one line that tells why the state is `failed`.
        exit_code: what a command that waited for this experiment exits with.
        stack_presets: the key of each stack's preset; empty in old recordings.
        stack_steps: finished steps of each stack.
        stack_totals: planned steps of each stack.
        stack_seconds: of `seconds`, those of each stack; empty in old recordings.
        pace: the steps a second that each run is held to; None: as many as the machine can.
    """

    state: ExperimentState
    step: int = 0
    total: int = 0
    seconds: float = 0.0
    steps_per_second: float = 0.0
    device: str = ""
    device_name: str = ""
    device_uuid: str = ""
    threads: int = 0
    error: str = ""
    exit_code: int = 0
    stack_steps: list[int] = field(default_factory=list)
    stack_totals: list[int] = field(default_factory=list)
    stack_seconds: list[float] = field(default_factory=list)
    pace: float | None = None
    stack_presets: list[str] = field(default_factory=list)

    @property
    def ended(self) -> bool:
        """Whether nothing more will be recorded."""
        return self.state not in ALIVE

    @property
    def final(self) -> bool:
        """Whether the final weights were evaluated: not where the worker was killed or failed."""
        return self.state in ("finished", "stopped", "diverged")


@dataclass(frozen=True)
class RunResult:
    """What a run has reached; NaN where a number is not finite or not known yet.

    Attributes:
        index: index in the experiment's runs.
        steps: finished steps.
        loss: the loss that step `steps` was computed from.
        best_loss: the least finite loss of any step.
        final_loss: the loss of the final weights on the whole training set.
        metrics: such as `accuracy`, of the final weights.
        diverged_at: the step in which a value became infinite or NaN.
        diverged_in: the tensor it was seen in.
    """

    index: int
    name: str
    preset: str
    optimizer: str
    lr: float
    seed: int
    status: RunStatus = "waiting"
    steps: int = 0
    loss: float = math.nan
    best_loss: float = math.nan
    final_loss: float = math.nan
    metrics: dict[str, float] = field(default_factory=dict)
    diverged_at: int | None = None
    diverged_in: str | None = None

    @property
    def alive(self) -> bool:
        """Whether it has not ended yet."""
        return self.status in ALIVE


@dataclass(frozen=True)
class Event:
    """Something that happened.

    Attributes:
        time: seconds since 1970.
        step: finished steps when it happened; of an `lr` event, the first step that uses the
            new learning rate; of a `command` event, the step at which it took effect.
        run: index of the run that it is about, None if about all of them.
        kind: what happened.
        detail: what else there is to say, as JSON.
    """

    time: float
    step: int
    run: int | None
    kind: EventKind
    detail: dict[str, Any] = field(default_factory=dict)
