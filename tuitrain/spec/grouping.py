"""How the runs of an experiment belong together: repeated over seeds, comparable, different."""

from __future__ import annotations

import os.path
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from tuitrain.optim import AnyOptimizer, name_of
from tuitrain.optim.schedules import AnySchedule, format_schedule
from tuitrain.spec.experiment import Experiment, Run
from tuitrain.spec.preset import Preset
from tuitrain.spec.size import planned_steps

TABLES = ("data", "model", "loss", "train")
"""What variants of one preset may differ in."""


@dataclass(frozen=True)
class Group:
    """Runs that differ in nothing but their seed.

    Attributes:
        name: the name of its runs without the seed.
        preset: key of the preset in the experiment's `presets`.
        runs: index of each run.
    """

    name: str
    preset: str
    optimizer: AnyOptimizer
    schedule: AnySchedule
    runs: tuple[int, ...]


@dataclass(frozen=True)
class Pane:
    """Runs whose losses mean the same: variants of one preset with the same data and loss.

    Attributes:
        name: the preset's, with the settings that its variants share.
        presets: keys of the experiment's `presets`.
        groups: the runs.
    """

    name: str
    presets: tuple[str, ...]
    groups: tuple[Group, ...]

    @property
    def runs(self) -> list[int]:
        """Index of every run."""
        return [run for group in self.groups for run in group.runs]


def groups(experiment: Experiment) -> list[Group]:
    """The runs of an experiment, those that differ only in their seed together."""
    found: dict[tuple[str, AnyOptimizer, AnySchedule], list[int]] = {}
    for index, run in enumerate(experiment.runs):
        found.setdefault((run.preset, run.optimizer, run.schedule), []).append(index)
    made = []
    for (preset, optimizer, schedule), runs in found.items():
        first = experiment.runs[runs[0]]
        name = first.name.removesuffix(f" seed={first.seed}")
        made.append(Group(name, preset, optimizer, schedule, tuple(runs)))
    return made


def panes(experiment: Experiment) -> list[Pane]:
    """The groups of an experiment by what their losses mean, which alone can be compared."""
    keys: list[list[str]] = []
    for name, preset in experiment.presets.items():
        like = (k for k in keys if _comparable(experiment.presets[k[0]], preset))
        next(like, None) or keys.append([])
        ...
    return []
