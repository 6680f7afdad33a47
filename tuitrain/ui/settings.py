"""The settings of a preset as the form edits them: texts, checks, what is changed."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any, NamedTuple, get_args

import msgspec
from msgspec.structs import replace

from tuitrain.errors import InputError
from tuitrain.optim import OPTIMIZERS
from tuitrain.optim.schedules import format_schedule
from tuitrain.spec.data import Csv
from tuitrain.spec.loss import AnyLoss
from tuitrain.spec.model import Activation, AnyInitialisation, Convolution, Network, Output
from tuitrain.spec.overrides import override, parse_value
from tuitrain.spec.preset import Preset

OPTIMIZER, LOSS, INITIALISER = "optimizer.name", "loss.kind", "model.initialisation.kind"
CHOOSING = (OPTIMIZER, LOSS, INITIALISER)
"""The keys that choose what a table is; another choice brings its own defaults."""
HIDDEN, CHANNELS, ACTIVATION = "model.hidden", "model.channels", "model.activation"
FILE, SHUFFLE = "data.csv", "data.shuffle"

DATA_KEYS = {
    "rows": "rows",
    "noise": "noise",
    "seed": "seed",
    "test": "test share",
    "shuffle": "shuffle",
    "standardise": "standardise",
}
"""What can be edited of any data that have it, with its label."""


OPTIMIZER_GROUP, TRAINING_GROUP, MODEL_GROUP, DATA_GROUP = GROUPS = (
    "Optimizer",
    "Training",
    "Model",
    "Data",
)
"""The headings that settings stand under, from top to bottom."""


class Setting(NamedTuple):
    """One line of the form.

    Attributes:
        key: as in `--set KEY=VALUE`.
        label: what the form calls it.
        default: its text in the preset.
        group: the heading that it stands under.
        wide: whether its text may be long.
        empty: what stands where there is no text.
        choice: whether it is one of a few names, which `Draft.choices` tells.
    """

    key: str
    label: str
    default: str
    group: str = ""
    wide: bool = False
    empty: str = ""
    choice: bool = False


class Draft:
    """A preset and the changes that the user has typed, right or wrong."""

    def __init__(self, preset: Preset) -> None:
        self.preset = preset
        self.changes: dict[str, str] = {}

    @classmethod
    def towards(cls, preset: Preset, wanted: Preset) -> Draft:
        """The changes that make `wanted` of a preset; `wanted` as it is where the form has none."""
        draft, other = cls(preset), cls(wanted)
        for key in CHOOSING:
            draft.set(key, chosen(wanted, key))
        for setting in other.settings():
            draft.set(setting.key, setting.default)
        return draft if draft.checked()[0] == wanted else other

    @property
    def base(self) -> Preset:
        """The preset with the chosen optimizer, loss and initialisation, all else unchanged.

        It is not checked: one choice may be right only together with another.
        """
        base = self.preset
        rule: Any = OPTIMIZERS.get(self.changes.get(OPTIMIZER, ""))
        if rule is not None:
            base = replace(base, optimizer=rule())
        if (loss := _kind(AnyLoss, self.changes.get(LOSS))) is not None:
            base = replace(base, loss=loss)
        if (start := _kind(AnyInitialisation, self.changes.get(INITIALISER))) is not None:
            base = replace(base, model=replace(base.model, initialisation=start))
        return base

    def settings(self) -> list[Setting]:
        """Everything that can be edited, in the order of the form."""
        base = self.base
        length = "epochs" if base.train.steps is None else "steps"
        optimizer = [
            Setting("optimizer.lr", "learning rate", as_text(base.optimizer.lr)),
            *_numbers(base.optimizer, "optimizer"),
            Setting("schedule", "schedule", format_schedule(base.schedule), wide=True),
        ]
        training = [
            Setting(f"train.{length}", length, as_text(getattr(base.train, length))),
            Setting("train.batch", "batch", as_text(base.train.batch)),
            Setting("train.seed", "seed", as_text(base.train.seed)),
        ]
        return [
            setting._replace(group=group)
            for group, settings in {
                OPTIMIZER_GROUP: optimizer,
                TRAINING_GROUP: training,
                MODEL_GROUP: [*_model(base), *_loss(base)],
                DATA_GROUP: _data(base),
            }.items()
            for setting in settings
        ]

    def choices(self, key: str) -> list[str]:
        """The names that a setting is one of."""
        match key:
            case "loss.kind":
                return _losses(self.preset)
            case "model.initialisation.kind":
                return list(_kinds(AnyInitialisation))
            case "model.activation":
                return list(get_args(Activation))
            case "model.output":
                return list(get_args(Output))
            case "model.kernel":
                return ["1", "3", "5", "7"]
            case _:
                return ["false", "true"]

    def set(self, key: str, text: str) -> None:
        """Change a setting; its default takes the change away again."""
        text = text.strip()
        if key in CHOOSING:
            self.changes = {k: v for k, v in self.changes.items() if not _below(k, key)}
            default = chosen(self.preset, key)
        else:
            default = next((s.default for s in self.settings() if s.key == key), "")
        self.changes.pop(key, None)
        if text != default and not _same_list(_value(key, text), _value(key, default)):
            self.changes[key] = text

    def checked(self) -> tuple[Preset | None, dict[str, str]]:
        """The preset as changed, or None with what is wrong, in one line for each key."""
        changes, errors = dict(self.changes), dict[str, str]()
        while True:
            values = {key: _value(key, text) for key, text in changes.items()}
            try:
                changed = override(self.preset, values, {key: key for key in changes})
            except InputError as error:
                key, wrong = self._blamed(error, changes)
                errors[key] = in_form(error)
                if not wrong:
                    return None, errors
                # Without it, what else is wrong comes to light.
                changes = {k: v for k, v in changes.items() if k != wrong and not _below(k, wrong)}
            else:
                return None if errors else changed, errors

    def _blamed(self, error: InputError, changes: dict[str, str]) -> tuple[str, str]:
        """The setting that an error is shown at, and the change that led to it; "" if none did."""
        if error.where in changes:
            return error.where, error.where
        whole = f"{self.preset.name}: "
        if not error.where.startswith(whole):  # it is about the file of the data
            return FILE, FILE if FILE in changes else ""
        named = re.sub(r"\[.*", "", error.where.removeprefix(whole))
        if named in changes:
            return named, named
        # Each change is right alone, so the one made last led to it.
        last = next(reversed(changes), "")
        edited = any(setting.key == named for setting in self.settings())
        return named if edited else last, last


def name_of(preset: Preset) -> str:
    """The name of a preset's optimizer."""
    return str(type(preset.optimizer).__struct_config__.tag)


def in_form(error: InputError) -> str:
    """The error's line without the option, which the form shows by its place."""
    return f"{error.problem}; expected {error.expected}" if error.expected else error.problem


def as_text(value: object) -> str:
    """A value as the user would write it: the shortest text that reads back the same."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case float():
            short = f"{value:g}"
            return short if float(short) == value else repr(value)
        case list():
            return ", ".join(map(as_text, value))
    return str(value)


# The settings of each table -------------------------------------------------------------------


def _numbers(table: Any, prefix: str) -> list[Setting]:
    """The settings of a table that are one number or one switch."""
    fields = msgspec.structs.asdict(table).items()
    return [
        Setting(f"{prefix}.{name}", name.replace("_", " "), as_text(value))
        for name, value in fields
        if isinstance(value, int | float) and f"{prefix}.{name}" != "optimizer.lr"
    ]


def _model(preset: Preset) -> list[Setting]:
    """Layers, activations and how weights start; nothing of a model without hidden layers."""
    model = preset.model
    if not isinstance(model, Network | Convolution):
        return []
    images = []
    if isinstance(model, Convolution):
        images = [
            Setting(CHANNELS, "channels", as_text(model.channels), wide=True),
            Setting("model.kernel", "kernel", as_text(model.kernel), choice=True),
            Setting("model.pool", "pool", as_text(model.pool)),
        ]
    start = model.initialisation
    return [
        *images,
        Setting(HIDDEN, "hidden layers", as_text(model.hidden), wide=True, empty="none"),
        Setting(ACTIVATION, "activation", as_text(model.activation), choice=True),
        Setting("model.output", "output", model.output, choice=True),
        Setting(INITIALISER, "initialiser", _tag(start), choice=True),
        *_numbers(start, "model.initialisation"),
    ]


def _loss(preset: Preset) -> list[Setting]:
    kind = Setting(LOSS, "loss", _tag(preset.loss), wide=True, choice=True)
    costs = _numbers(preset.regularisation, "regularisation")
    return [*([kind] if preset.data is not None else []), *_numbers(preset.loss, "loss"), *costs]


def _data(preset: Preset) -> list[Setting]:
    data = preset.data
    file = [Setting(FILE, "file", data.csv, wide=True)] if isinstance(data, Csv) else []
    return file + [
        Setting(
            key := f"data.{name}",
            label,
            as_text(getattr(data, name)),
            empty="as they are" if key == SHUFFLE else "",
            choice=name == "standardise",
        )
        for name, label in DATA_KEYS.items()
        if hasattr(data, name)
    ]


# Names and values -----------------------------------------------------------------------------


def chosen(preset: Preset, key: str) -> str:
    """What a preset has for one of the keys that choose a table."""
    match key:
        case "optimizer.name":
            return name_of(preset)
        case "loss.kind":
            return _tag(preset.loss)
    return _tag(getattr(preset.model, "initialisation", None))


def _tag(table: Any) -> str:
    return "" if table is None else str(table.__struct_config__.tag)


def _kinds(union: Any) -> dict[str, Any]:
    """The tables of a union by the name that chooses them."""
    return {_tag(table): table for table in get_args(union)}


def _kind(union: Any, name: str | None) -> Any:
    """A table with its defaults; None without a name, of another kind, or with a key to give."""
    with suppress(TypeError):
        return _kinds(union)[name]() if name in _kinds(union) else None
    return None


def _losses(preset: Preset) -> list[str]:
    """The losses that the data of a preset can be judged by, with one output layer or another."""
    outputs: list[dict[str, object]] = [{}]
    if isinstance(preset.model, Network | Convolution):
        outputs += [{"model.output": name} for name in ("linear", "softmax")]
    return [kind for kind in _kinds(AnyLoss) if any(_right(preset, kind, o) for o in outputs)]


def _right(preset: Preset, loss: str, output: dict[str, object]) -> bool:
    with suppress(InputError):
        override(preset, {LOSS: loss, **output})
        return True
    return False


def _below(key: str, choice: str) -> bool:
    """Whether a key is in the table that another one chooses, and not that one itself."""
    table = choice.rpartition(".")[0]
    return choice in CHOOSING and key != choice and key.startswith(f"{table}.")


def _value(key: str, text: str) -> object:
    """What a text means: lists are written with commas, in brackets or without."""
    if key == SHUFFLE and not text:
        return None
    bracketed = text.startswith("[")
    if key in (HIDDEN, CHANNELS) or (key == ACTIVATION and (bracketed or "," in text)):
        items = text.removeprefix("[").removesuffix("]").strip()
        return [parse_value(item.strip()) for item in items.split(",")] if items else []
    return text


def _same_list(one: object, other: object) -> bool:
    return isinstance(one, list) and one == other
