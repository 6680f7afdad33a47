"""What the setup screen is about to start: one run, or the product of what is marked and listed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from msgspec.structs import replace

from tuitrain.errors import InputError
from tuitrain.optim import OPTIMIZERS
from tuitrain.spec import ranges
from tuitrain.spec.comparison import compare
from tuitrain.spec.experiment import Experiment, single
from tuitrain.spec.preset import Preset
from tuitrain.ui.pace import watchable
from tuitrain.ui.settings import Draft, Setting, in_form

LR, SEED, DEVICE = "optimizer.lr", "train.seed", "device"

AUTO = "auto"
"""The device that is taken unless another is chosen."""

OWN = "default"
"""Shown where nothing is set for all, so that every preset or optimizer keeps its own."""


class Checked(NamedTuple):
    """What comes of the settings.

    Attributes:
        shown: the preset that the form shows; None while something is wrong with it.
        experiment: what would be started; None while something is wrong.
        errors: what is wrong in the form as it is shown, in one line by key.
        elsewhere: a marked preset with something wrong that the form does not show.
    """

    shown: Preset | None
    experiment: Experiment | None
    errors: dict[str, str]
    elsewhere: str | None = None


class Plan:
    """The presets and optimizers marked, and the learning rates and seeds for all of them.

    Every preset keeps its own draft. Marked optimizers and lists hold for all presets, and with
    several presets marked a single learning rate or seed does as well.
    """

    def __init__(self, drafts: Mapping[str, Draft]) -> None:
        self.drafts = drafts
        self.marked: set[str] = set()
        self.optimizers: set[str] = set()
        self.lists: dict[str, str] = {}
        self.device = AUTO

    def presets(self, shown: str) -> list[str]:
        """The presets to train: those marked, or else the one that is shown."""
        return [name for name in self.drafts if name in self.marked] or [shown]

    @property
    def several(self) -> bool:
        """Whether there are presets or optimizers that the lists could be for."""
        return len(self.marked) > 1 or bool(self.optimizers)

    @property
    def single(self) -> bool:
        """Whether there is nothing but the settings of one preset."""
        return not self.several and not self.lists

    def shared(self, key: str) -> bool:
        """Whether even a single value of this setting holds for all."""
        return (key == LR and self.several) or (key == SEED and len(self.marked) > 1)

    # Editing --------------------------------------------------------------------------------

    def settings(self, shown: str) -> list[Setting]:
        """What can be edited: not the rest of an optimizer where there are several."""
        settings = self._effective(shown).settings()
        if not self.optimizers:
            return settings
        return [s for s in settings if s.key == LR or not s.key.startswith("optimizer.")]

    def choices(self, shown: str, key: str) -> list[str]:
        """The names that a setting is one of."""
        return self.drafts[shown].choices(key)

    def label(self, setting: Setting) -> str:
        """The label of a setting, which tells what it is for."""
        key = setting.key
        if key not in self.lists and not self.shared(key):
            return setting.label
        plural = "rates" if key == LR else "seeds"
        return f"{plural} for all" if self.several and key in self.lists else plural

    def text(self, shown: str, setting: Setting) -> str:
        """The text of a setting; empty if each keeps its own."""
        if setting.key in self.lists or self.shared(setting.key):
            return self.lists.get(setting.key, "")
        return self.drafts[shown].changes.get(setting.key, setting.default)

    def changed(self, shown: str) -> set[str]:
        """The keys of what is not the preset's own."""
        device = set() if self.device == AUTO else {DEVICE}
        return {*self.lists, *self._effective(shown).changes, *device}

    def set(self, shown: str, key: str, text: str) -> None:
        """Take what was typed: a list is for all presets, another value for the one shown."""
        self.lists.pop(key, None)
        if key not in (LR, SEED) or not (self.shared(key) or "," in text or ":" in text):
            self.drafts[shown].set(key, text)
        elif text.strip():
            self.lists[key] = text.strip()

    def reset(self) -> None:
        """Nothing but the presets' own optimizers, learning rates and seeds, on any device."""
        self.optimizers.clear()
        self.lists.clear()
        self.device = AUTO

    def _effective(self, name: str) -> Draft:
        """A preset's draft without what the settings for all replace."""
        draft = Draft(self.drafts[name].preset)
        draft.changes = {
            key: text
            for key, text in self.drafts[name].changes.items()
            if key not in self.lists and not (self.optimizers and key.startswith("optimizer."))
        }
        return draft

    # Checking -------------------------------------------------------------------------------

    def checked(self, shown: str) -> Checked:
        """The experiment, or what is wrong with it."""
        here, errors = self._effective(shown).checked()
        rates, seeds = self._listed(errors)
        presets: list[Preset] = []
        for name in self.presets(shown):
            preset = here if name == shown else self._effective(name).checked()[0]
            if preset is None:
                return Checked(here, None, errors, None if name == shown else name)
            presets.append(preset)
        if errors.keys() & self.lists.keys():
            return Checked(here, None, errors)
        if self.single:
            return Checked(here, single(presets[0], pace=watchable(presets[0])), errors)
        try:
            return Checked(here, self._product(presets, rates, seeds), errors)
        except InputError as error:
            # What is wrong with all of them is told beneath the longer list.
            longest = LR if len(rates) >= len(seeds) else SEED
            key = {f"--set {LR}": LR, "--seeds": SEED}.get(error.where, longest)
            return Checked(here, None, errors | {key: in_form(error)})

    def _listed(self, errors: dict[str, str]) -> tuple[list[float], Sequence[int]]:
        """The learning rates and seeds that are typed; what is wrong goes into `errors`."""
        rates: list[float] = []
        seeds: Sequence[int] = ()
        try:
            rates = ranges.numbers(self.lists[LR], "") if LR in self.lists else rates
        except InputError as error:
            errors[LR] = in_form(error)
        try:
            seeds = seeds_in(self.lists[SEED]) if SEED in self.lists else seeds
        except InputError as error:
            errors[SEED] = in_form(error)
        return rates, seeds

    def _product(
        self, presets: list[Preset], rates: list[float], seeds: Sequence[int]
    ) -> Experiment:
        optimizers = [name for name in OPTIMIZERS if name in self.optimizers]
        experiment = compare(presets, optimizers=optimizers, learning_rates=rates, seeds=seeds or 1)
        one = len(experiment.runs) == 1
        return replace(experiment, pace=watchable(presets[0]) if one else None)


def seeds_in(text: str) -> Sequence[int]:
    """The seeds of `3`, of `0:8`, which means 0 to 7, or of `0,3,5`; InputError for others."""
    if text.isdecimal() and len(text) <= 12:
        return range(int(text), int(text) + 1)
    found: int | Sequence[int] = 0
    with suppress(InputError):
        found = ranges.seeds(text, "")
    if isinstance(found, int):  # a number of seeds is for the command line: 8 is a seed here
        raise InputError(f"{text!r} names no seed", expected="a seed, 0:8 or 0,3,5")
    return found


def product(plan: Plan, experiment: Experiment) -> tuple[str, str]:
    """The number of runs and what it is the product of, at length and in short."""
    runs = len(experiment.runs)
    counts = {
        "presets": len(experiment.presets),
        "optimizers": max(len(plan.optimizers), 1),
        "rates": len({run.optimizer.lr for run in experiment.runs}) if LR in plan.lists else 1,
        "seeds": len({run.seed for run in experiment.runs}) if SEED in plan.lists else 1,
    }
    several = {name: count for name, count in counts.items() if count > 1}
    factors = " × ".join(f"{count:,} {name}" for name, count in several.items())  # noqa: RUF001
    short = " × ".join(f"{count:,}" for count in several.values())  # noqa: RUF001
    equals = f" = {runs:,} runs"
    return factors + equals, (short if len(several) > 1 else factors) + equals
