"""How the runs of an experiment belong together: repeated over seeds, comparable, different."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from msgspec import Struct, structs

from tuitrain.optim import AnyOptimizer, name_of
from tuitrain.optim.schedules import AnySchedule, format_schedule
from tuitrain.spec.experiment import Experiment, Run
from tuitrain.spec.preset import Preset
from tuitrain.spec.size import planned_steps

T = TypeVar("T")
Keys = dict[str, Any]

TABLES = ("data", "model", "loss", "regularisation", "train")
"""What variants of one preset may differ in."""

MEANING = ("data", "loss", "regularisation")
"""What losses mean the same by, if it is the same."""

LISTED = 3
"""Words that are listed before `and N more`."""


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
    """Runs whose losses mean the same: of presets with the same data, loss and regularisation.

    Attributes:
        name: that of the presets, with the settings that its variants share.
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
    """The groups of an experiment by what their losses mean: only within a pane they compare."""
    together: list[list[str]] = []
    for name, preset in experiment.presets.items():
        for keys in together:
            if _comparable(experiment.presets[keys[0]], preset):
                keys.append(name)
                break
        else:
            together.append([name])
    every = groups(experiment)
    return [
        Pane(
            _title({key: experiment.presets[key] for key in keys}),
            tuple(keys),
            tuple(group for group in every if group.preset in keys),
        )
        for keys in together
    ]


def differing(experiment: Experiment) -> tuple[str, ...]:
    """The keys that differ between runs, for columns and for grouping.

    Of `preset`, `optimizer`, `lr`, `schedule`, `seed`; hyper-parameters such as
    `optimizer.beta1` that differ between runs of one optimizer; keys such as `loss.cost` that
    differ between variants of one preset.
    """
    runs, presets = experiment.runs, experiment.presets
    keys = []
    if len({preset.name for preset in presets.values()}) > 1:
        keys.append("preset")
    keys += _different(_by(presets.values(), lambda preset: preset.name, _flat))
    plain: dict[str, set[Any]] = {
        "optimizer": {name_of(run.optimizer) for run in runs},
        "lr": {run.optimizer.lr for run in runs},
        "schedule": {run.schedule for run in runs},
        "seed": {run.seed for run in runs},
    }
    keys += [key for key in ("optimizer", "lr") if len(plain[key]) > 1]
    rules = {(presets[run.preset].name, run.optimizer) for run in runs}
    settings = _different(_by(rules, lambda rule: (rule[0], name_of(rule[1])), _settings))
    keys += [key for key in settings if key != "optimizer.lr"]
    return (*keys, *(key for key in ("schedule", "seed") if len(plain[key]) > 1))


def value(experiment: Experiment, run: Run, key: str) -> Any:
    """The value of a key of `differing` for a run; None where the run has no such key."""
    preset = experiment.presets[run.preset]
    match key.split("."):
        case ["preset"]:
            return preset.name
        case ["optimizer"]:
            return name_of(run.optimizer)
        case ["lr"]:
            return run.optimizer.lr
        case ["schedule"]:
            return format_schedule(run.schedule)
        case ["seed"]:
            return run.seed
        case ["optimizer", name]:
            return getattr(run.optimizer, name, None)
        case _:
            return _flat(preset).get(key)


def fairness(experiment: Experiment) -> str:
    """What is the same for all runs, and what learning rates they have, in words."""
    steps = {name: planned_steps(preset) for name, preset in experiment.presets.items()}
    told = "Runs of one preset and seed start from the same weights and see the same batches"
    if len(set(steps.values())) == 1:
        length = f"{next(iter(steps.values())):,} steps are planned for every run"
    else:
        each = ", ".join(f"{name} {count:,}" for name, count in steps.items())
        length = f"equally many steps are planned for all runs of a preset ({each})"
    if experiment.seconds is not None:
        length += f", or as many as {experiment.seconds:g} s allow"
    return f"{told}; {length}. Learning rate: {rates(experiment)}."


def rates(experiment: Experiment) -> str:
    """The learning rates of all runs in few words, and whether they belong to the optimizers."""
    found = {run.optimizer.lr for run in experiment.runs}
    if len(found) == 1:
        return f"{min(found):g}"
    rules: dict[tuple[str, str], set[float]] = {}
    for run in experiment.runs:
        rules.setdefault((run.preset, name_of(run.optimizer)), set()).add(run.optimizer.lr)
    own = all(len(several) == 1 for several in rules.values())
    return f"{min(found):g} to {max(found):g}" + ", each optimizer its own" * own


def _comparable(one: Preset, other: Preset) -> bool:
    return all(_unscaled(getattr(one, key)) == _unscaled(getattr(other, key)) for key in MEANING)


def _unscaled(table: Any) -> Any:
    """Data as they come: bringing the inputs to one scale leaves the targets what they are."""
    return structs.replace(table, standardise=False) if hasattr(table, "standardise") else table


def _title(presets: Mapping[str, Preset]) -> str:
    """The names of presets, and the words that all their variants have in common."""
    names = list(dict.fromkeys(preset.name for preset in presets.values()))
    first, *others = (key.removeprefix(p.name).split() for key, p in presets.items())
    common = (word for word in first if all(word in other for other in others))
    return " ".join([listed(names), *common])


def listed(words: Iterable[str]) -> str:
    """Words as a sentence lists them."""
    words = list(words)
    if len(words) > LISTED + 1:
        words = [*words[:LISTED], f"{len(words) - LISTED} more"]
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _by(items: Iterable[T], key: Callable[[T], Any], flat: Callable[[T], Keys]) -> list[list[Keys]]:
    """The flattened items, those of an equal key together."""
    found: dict[Any, list[Keys]] = {}
    for item in items:
        found.setdefault(key(item), []).append(flat(item))
    return list(found.values())


def _different(together: list[list[Keys]]) -> list[str]:
    """The keys whose values differ within any of the lists."""
    found: dict[str, None] = {}
    for documents in together:
        keys = dict.fromkeys(key for document in documents for key in document)
        found |= dict.fromkeys(key for key in keys if _differs(key, documents))
    return list(found)


def _differs(key: str, documents: list[Keys]) -> bool:
    """Whether values of a key differ; where tables differ in kind, of those that have the key."""
    kind = f"{key.partition('.')[0]}.kind"
    if len({document.get(kind) for document in documents}) > 1:
        documents = [document for document in documents if key in document]
    return any(document.get(key) != documents[0].get(key) for document in documents[1:])


def _settings(rule: tuple[str, AnyOptimizer]) -> Keys:
    """The hyper-parameters of an optimizer by key."""
    return {f"optimizer.{name}": item for name, item in structs.asdict(rule[1]).items()}


def _flat(preset: Preset) -> Keys:
    """What variants of a preset may differ in, by dotted key."""
    return {key: item for table in TABLES for key, item in _walk(table, getattr(preset, table))}


def _walk(key: str, item: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(item, Struct):
        if item.__struct_config__.tag_field:
            yield f"{key}.{item.__struct_config__.tag_field}", item.__struct_config__.tag
        for name, inner in structs.asdict(item).items():
            yield from _walk(f"{key}.{name}", inner)
    elif isinstance(item, dict):
        for name, inner in item.items():
            yield from _walk(f"{key}.{name}", inner)
    else:
        yield key, item
