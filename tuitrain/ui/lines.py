"""The lines of a comparison: which runs make one curve and one row, and how that one looks."""

from __future__ import annotations

import dataclasses
import string
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from tuitrain.spec.experiment import Experiment
from tuitrain.spec.grouping import Group, Pane, differing, groups, panes, value

LETTERS = string.ascii_uppercase + string.ascii_lowercase

MOST_COLOURS = 10
"""Series colours that differ."""

MANY = "+"
"""Stands for every line that is left when the letters are used up."""

RUNS, SEEDS = "run", "all but seed"
"""Ways of grouping that are not by the value of one key."""


@dataclass(frozen=True)
class Line:
    """Runs of one preset that are shown as one.

    Attributes:
        number: place among all lines.
        letter: stands for it where there is no room for its name.
        colour: number of its series colour: that of the same line of every other preset.
        name: what tells it from the others of its pane.
        pane: index of its pane.
        group: its runs.
        keys: by key that differs in the experiment, the value that its runs have in common.
    """

    number: int
    letter: str
    colour: int
    name: str
    pane: int
    group: Group
    keys: dict[str, Any]

    @property
    def runs(self) -> tuple[int, ...]:
        return self.group.runs


def groupings(experiment: Experiment) -> list[str]:
    """What lines can be made by, each giving other lines: the first is what is shown at first."""
    found: dict[tuple[tuple[int, ...], ...], str] = {}
    for by in (SEEDS, RUNS, *(key for key in differing(experiment) if key != "seed")):
        parts = tuple(sorted(group.runs for group in grouped(experiment, by)))
        if len(parts) > 1 or by == SEEDS:
            found.setdefault(parts, by)
    return list(found.values())


def grouped(experiment: Experiment, by: str) -> list[Group]:
    """The runs by `RUNS`, `SEEDS` or a key of `differing`, never across presets."""
    every = groups(experiment)
    if by == SEEDS:
        return every
    if by == RUNS:
        return [
            Group(experiment.runs[run].name, g.preset, g.optimizer, g.schedule, (run,))
            for g in every
            for run in g.runs
        ]
    found: dict[tuple[str, str], list[Group]] = {}
    for group in every:
        item = value(experiment, experiment.runs[group.runs[0]], by)
        found.setdefault((group.preset, as_text(item)), []).append(group)
    return [
        Group(
            f"{preset} {by}={item}",
            preset,
            parts[0].optimizer,
            parts[0].schedule,
            tuple(sorted(run for part in parts for run in part.runs)),
        )
        for (preset, item), parts in found.items()
    ]


class Lines(list[Line]):
    """All lines of an experiment.

    Args:
        experiment: whose runs.
        by: see `grouped`.

    Attributes:
        panes: those that their losses are compared in.
        keys: that differ between runs.
        shown: those that differ between lines, each a column; the optimizer if there is none.
    """

    def __init__(self, experiment: Experiment, by: str) -> None:
        super().__init__()
        self.by = by
        self.panes = panes(experiment)
        self.keys = differing(experiment)
        pane_of = {preset: i for i, pane in enumerate(self.panes) for preset in pane.presets}
        places = [0] * len(self.panes)
        made = grouped(experiment, by)
        known = [self._common(experiment, group) for group in made]
        naming = [
            _naming(
                [k for g, k in zip(made, known, strict=True) if pane_of[g.preset] == pane],
                [by, *self.keys] if by in self.keys else self.keys,
            )
            for pane in range(len(self.panes))
        ]
        for number, (group, keys) in enumerate(zip(made, known, strict=True)):
            pane = pane_of[group.preset]
            letter = LETTERS[number] if number < len(LETTERS) else MANY
            name = label(keys, naming[pane]) or as_text(keys.get("optimizer", group.name))
            self.append(Line(number, letter, places[pane], name, pane, group, keys))
            places[pane] += 1
        if max(places) > MOST_COLOURS:
            self._colour_rules()
        # Panes have headings with the name of their preset, if it is only one.
        names = [{experiment.presets[key].name for key in pane.presets} for pane in self.panes]
        mixed = any(len(several) > 1 for several in names)
        useful = [key for key in self.keys if key != "preset" or mixed]
        self.shown = [
            key for key in useful if len({as_text(line.keys.get(key)) for line in self}) > 1
        ] or ["optimizer"]

    def _colour_rules(self) -> None:
        """Where colours would come round again, let each stand for an update rule."""
        rules = [(replace(line.group.optimizer, lr=0.0), line.group.schedule) for line in self]
        numbers = {rule: number for number, rule in enumerate(dict.fromkeys(rules))}
        if len(numbers) > 1:
            self[:] = [
                dataclasses.replace(line, colour=numbers[rule])
                for line, rule in zip(self, rules, strict=True)
            ]

    def _common(self, experiment: Experiment, group: Group) -> dict[str, Any]:
        runs = [experiment.runs[run] for run in group.runs]
        common = {}
        for key in dict.fromkeys(["preset", "optimizer", "lr", *self.keys]):
            values = [value(experiment, run, key) for run in runs]
            if all(item == values[0] for item in values):
                common[key] = values[0]
        return common

    def pane(self, index: int) -> Pane:
        """A pane with these lines as its groups, for ranking."""
        pane = self.panes[index]
        return Pane(pane.name, pane.presets, tuple(x.group for x in self if x.pane == index))


def _naming(lines: Sequence[dict[str, Any]], keys: Iterable[str]) -> list[str]:
    """The first keys whose values tell all lines apart, without those that add nothing to it."""
    chosen: list[str] = []
    for key in keys:
        told, further = (
            len({label(line, some) for line in lines}) for some in (chosen, [*chosen, key])
        )
        if further > told:
            chosen.append(key)
    return chosen


def label(keys: dict[str, Any], shown: Iterable[str]) -> str:
    """The values of some keys in few words: `adam 0.01 beta1=0.8`."""
    words: list[str] = []
    for key in shown:
        item = keys.get(key)
        if item is None:
            continue
        plain = key in ("preset", "optimizer", "schedule") or (key == "lr" and words)
        words.append(as_text(item) if plain else f"{key.rpartition('.')[2]}={as_text(item)}")
    return " ".join(words)


def as_text(item: object) -> str:
    """A value of a key in a table."""
    return f"{item:g}" if isinstance(item, float) else "" if item is None else str(item)
