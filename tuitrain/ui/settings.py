"""The settings of a preset as the form edits them: texts, checks, what is changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from tuitrain.errors import InputError
from tuitrain.optim.schedules import format_schedule
from tuitrain.spec.overrides import override
from tuitrain.spec.preset import Preset

OPTIMIZER = "optimizer.name"


class Setting(NamedTuple):
    """One line of the form: the key as in `--set KEY=VALUE`, its label, its default."""

    key: str
    label: str
    default: str


class Draft:
    """A preset and the changes that the user has typed, right or wrong."""

    def __init__(self, preset: Preset) -> None:
        self.preset = preset
        self.changes: dict[str, str] = {}

    @property
    def base(self) -> Preset:
        """The preset with the chosen optimizer, before every other change."""
        name = self.changes.get(OPTIMIZER)
        return override(self.preset, {OPTIMIZER: name}) if name else self.preset

    def settings(self) -> list[Setting]:
        """Everything that can be edited, in the order of the form."""
        base = self.base
        length = "epochs" if base.train.steps is None else "steps"
        fixed = [
            Setting("optimizer.lr", "learning rate", as_text(base.optimizer.lr)),
            Setting(f"train.{length}", length, as_text(getattr(base.train, length))),
            Setting("train.batch", "batch", as_text(base.train.batch)),
            Setting("train.seed", "seed", as_text(base.train.seed)),
            Setting("schedule", "schedule", format_schedule(base.schedule)),
        ]
        return fixed + _numbers(base.optimizer, "optimizer") + _numbers(base.loss, "loss")

    def set(self, key: str, text: str) -> None:
        """Change a setting; its default takes the change away again."""
        text = text.strip()
        if key == OPTIMIZER:
            default = name_of(self.preset)
            self.changes = {k: v for k, v in self.changes.items() if k.split(".")[0] != "optimizer"}
        else:
            default = next((s.default for s in self.settings() if s.key == key), "")
        self.changes.pop(key, None)
        if text != default:
            self.changes[key] = text

    def checked(self) -> tuple[Preset | None, dict[str, str]]:
        """The preset as changed, or None with what is wrong, in one line for each key."""
        errors = {}
        for key in self.changes:
            try:
                self._override(key)
            except InputError as error:
                errors[key] = in_form(error)
        if errors:
            return None, errors
        try:
            return override(self.preset, self._ordered()), {}
        except InputError as error:
            # Each change is right alone, so the one made last is to be looked at.
            return None, {next(reversed(self.changes)): in_form(error)}

    def _override(self, key: str) -> Preset:
        return override(self.base, {} if key == OPTIMIZER else {key: self.changes[key]})

    def _ordered(self) -> Mapping[str, object]:
        """The changes with the optimizer first, whose choice sets all hyper-parameters."""
        return {
            key: self.changes[key] for key in sorted(self.changes, key=lambda k: k != OPTIMIZER)
        }


def name_of(preset: Preset) -> str:
    """The name of a preset's optimizer."""
    return str(type(preset.optimizer).__struct_config__.tag)


def in_form(error: InputError) -> str:
    """The error's line without the option, which the form shows by its place."""
    return f"{error.problem}; expected {error.expected}" if error.expected else error.problem


def _numbers(table: Any, prefix: str) -> list[Setting]:
    """The settings of a table that are one number or one switch."""
    fields = msgspec.structs.asdict(table).items()
    return [
        Setting(f"{prefix}.{name}", name.replace("_", " "), as_text(value))
        for name, value in fields
        if isinstance(value, int | float) and f"{prefix}.{name}" != "optimizer.lr"
    ]


def as_text(value: object) -> str:
    """A value as the user would write it: the shortest text that reads back the same."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        short = f"{value:g}"
        return short if float(short) == value else repr(value)
    return str(value)
