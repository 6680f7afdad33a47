"""What the user starts once: one run, or the many runs of a comparison."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct, field

from tuitrain.optim import AnyOptimizer, name_of
from tuitrain.optim.base import Count, Positive
from tuitrain.optim.schedules import AnySchedule
from tuitrain.spec.base import Seed
from tuitrain.spec.preset import Preset


class Run(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One training: a preset x an optimizer x a learning rate (and schedule) x a seed."""

    name: str
    preset: str
    """Key of the preset in the experiment's `presets`."""
    optimizer: AnyOptimizer
    schedule: AnySchedule
    seed: Seed
    """The preset's `init` holds where this is the preset's own seed."""


class Experiment(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything needed to repeat an experiment; written to `experiment.toml`.

    Runs of the same preset form one stack; stack i is the i-th preset of `presets`.
    """

    presets: dict[str, Preset]
    runs: list[Run]
    device: str = "auto"
    threads: Count = 1
    engine: Literal["auto", "eager", "compiled"] = "auto"
    paused: bool = False
    """Wait for a `resume` or `step` command before the first step."""
    seconds: Positive | None = None
    """End after so many seconds of training, if the steps are not done by then."""
    pace: Positive | None = None
    """At most so many steps a second of each run, to be watched; None: as fast as can be."""
    target: float | None = None
    """The loss to reach; without one, viewers take `record.ranking.default_target`."""
    created: str = ""
    """UTC time, ISO 8601; filled in when the experiment's folder is made."""
    versions: dict[str, str] = field(default_factory=dict)
    """Of Python and of the packages that results depend on; filled in with `created`."""

    def stacks(self) -> list[list[int]]:
        """Indices of the runs of each stack, in order."""
        found: dict[str, list[int]] = {name: [] for name in self.presets}
        for index, run in enumerate(self.runs):
            found[run.preset].append(index)
        return list(found.values())


def run_name(preset: str, optimizer: AnyOptimizer, seed: int) -> str:
    """The name of a run, such as `sales-mse adam lr=0.001 seed=0`."""
    return f"{preset} {name_of(optimizer)} lr={optimizer.lr:g} seed={seed}"


def single(
    preset: Preset, *, device: str = "auto", paused: bool = False, pace: float | None = None
) -> Experiment:
    """The experiment of one run of a preset with the preset's own settings."""
    run = Run(
        name=run_name(preset.name, preset.optimizer, preset.train.seed),
        preset=preset.name,
        optimizer=preset.optimizer,
        schedule=preset.schedule,
        seed=preset.train.seed,
    )
    presets = {preset.name: preset}
    return Experiment(presets=presets, runs=[run], device=device, paused=paused, pace=pace)
