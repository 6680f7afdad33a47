"""Comparisons: the product of presets, optimizers, learning rates, settings and seeds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from itertools import product
from math import ceil, isfinite, prod
from typing import Any, Literal

from msgspec.structs import replace

from tuitrain.errors import InputError
from tuitrain.optim import OPTIMIZERS, AnyOptimizer, hyperparameters, name_of
from tuitrain.optim.schedules import AnySchedule, format_schedule
from tuitrain.spec.experiment import Experiment, Run
from tuitrain.spec.overrides import override
from tuitrain.spec.preset import Preset
from tuitrain.spec.strict import show

MAX_RUNS = 10_000
"""Runs of one experiment."""

MOST_SEED = 2**32 - 1
"""What NumPy's generators take."""

Settings = Mapping[str, Sequence[object]]
Choice = dict[str, object]


def compare(
    presets: Iterable[Preset],
    *,
    optimizers: Sequence[str] = (),
    learning_rates: Sequence[float] = (),
    seeds: int | Sequence[int] = 1,
    settings: Settings | None = None,
    seconds: float | None = None,
    target: float | None = None,
    device: str = "auto",
    engine: Literal["auto", "eager", "compiled"] = "auto",
    options: Mapping[str, str] | None = None,
) -> Experiment:
    """The experiment that trains every combination.

    A preset's own optimizer keeps the preset's settings; another one takes its own defaults.
    Settings of the optimizer and the schedule vary from run to run. Any other key with several
    values makes a preset of its own of each, such as `sales-cost1-profit99 loss.cost=9`.

    Args:
        presets: what to train; what is given twice counts once.
        optimizers: names; every preset's own if empty.
        learning_rates: of every optimizer; its own if empty.
        seeds: which, or how many from every preset's own seed on.
        settings: the values of keys such as `loss.cost`, `optimizer.beta1`, `schedule` or
            `train.steps`; a hyper-parameter is for those optimizers that have it.
        seconds: training ends after so long, if the steps are not done by then.
        target: the loss to reach; see `record.ranking.default_target` for what it is without.
        device: as in `Experiment`.
        engine: as in `Experiment`.
        options: how an error names the option behind a key; `--set KEY=VALUE` unless given.

    Raises:
        InputError: an unknown name or key, an impossible value, or more than `MAX_RUNS` runs.
    """
    plan = _Plan(
        _by_name(presets),
        optimizers,
        learning_rates,
        seeds,
        settings or {},
        seconds,
        options or {},
    )
    plan.check()
    variants = plan.variants()
    runs = [run for name, preset in variants.items() for run in plan.runs(name, preset)]
    return Experiment(
        presets=variants, runs=runs, device=device, engine=engine, seconds=seconds, target=target
    )


class _Plan:
    """What varies, and how errors name it."""

    def __init__(
        self,
        presets: dict[str, Preset],
        optimizers: Sequence[str],
        learning_rates: Sequence[float],
        seeds: int | Sequence[int],
        settings: Settings,
        seconds: float | None,
        options: Mapping[str, str],
    ) -> None:
        named = [*settings.get("optimizer", ()), *settings.get("optimizer.name", ())]
        rates = [*learning_rates, *settings.get("optimizer.lr", ())]
        self.presets = presets
        self.optimizers = list(dict.fromkeys([*optimizers, *map(str, named)]))
        self.learning_rates: list[Any] = list(dict.fromkeys(rates))
        self.seeds = seeds
        self.seconds = seconds
        self.options = options
        done = ("optimizer", "optimizer.name", "optimizer.lr")
        rest = {key: list(values) for key, values in settings.items() if key not in done}
        self.of_rule = {k: v for k, v in rest.items() if k.startswith("optimizer.")}
        self.of_schedule = {k: v for k, v in rest.items() if k.partition(".")[0] == "schedule"}
        self.shared = {k: v for k, v in rest.items() if k not in self.of_rule | self.of_schedule}

    # Checks ---------------------------------------------------------------------------------

    def check(self) -> None:
        """Raises InputError for what `override` would not see, or would be slow to see."""
        for name in self.optimizers:
            if name not in OPTIMIZERS:
                near = get_close_matches(name, OPTIMIZERS, n=3) or list(OPTIMIZERS)
                place = self.options.get("optimizer.name", "optimizer")
                raise InputError(f"no optimizer {name!r}", where=place, expected=" or ".join(near))
        for lr in self.learning_rates:
            if not isinstance(lr, int | float) or not isfinite(lr) or lr < 0:
                place = self.options.get("optimizer.lr", "--set optimizer.lr")
                raise InputError(f"cannot be {show(lr)}", where=place, expected="0 or more")
        if self.seconds is not None and not (isfinite(self.seconds) and self.seconds > 0):
            where = self.options.get("seconds", "seconds")
            raise InputError(f"cannot be {self.seconds:g}", where=where, expected="more than 0")
        last = max(
            (_greatest(self._seeds_of(preset)) for preset in self.presets.values()), default=0
        )
        if last > MOST_SEED:
            raise InputError(f"seed {last}", where="--seeds", expected=f"at most {MOST_SEED}")
        if "train.seed" in self.shared:
            raise InputError("cannot be set", where="--set train.seed", expected="--seeds")
        for key in self.of_rule:
            if not any(self._has(rule, key) for rule in self._rules()):
                known = dict.fromkeys(k for rule in self._rules() for k in _keys(rule))
                near = get_close_matches(key, known, n=1) or list(known)
                raise InputError(
                    f"unknown key for {' and '.join(self._rules())}",
                    where=self.options.get(key, f"--set {key}"),
                    expected=" or ".join(near),
                )
        if (count := self._size()) > MAX_RUNS:
            raise self._too_large(count)

    def _rules(self) -> list[str]:
        """The names of all optimizers that take part."""
        own = dict.fromkeys(name_of(preset.optimizer) for preset in self.presets.values())
        return self.optimizers or list(own)

    @staticmethod
    def _has(rule: str, key: str) -> bool:
        return key in _keys(rule)

    def _size(self) -> int:
        """The number of runs."""
        rules = [
            sum(self._settings_of(name) for name in self.optimizers or [name_of(preset.optimizer)])
            for preset in self.presets.values()
        ]
        others = [*self.shared.values(), *self.of_schedule.values()]
        return sum(rules) * prod(map(len, others)) * self._rates * self._seeds

    def _settings_of(self, rule: str) -> int:
        return prod(len(values) for key, values in self.of_rule.items() if self._has(rule, key))

    @property
    def _rates(self) -> int:
        return len(self.learning_rates) or 1

    @property
    def _seeds(self) -> int:
        return self.seeds if isinstance(self.seeds, int) else len(self.seeds)

    def _too_large(self, count: int) -> InputError:
        """Says how to split the product: along its longest axis."""
        axes = {
            "presets": len(self.presets),
            "optimizers": len(self._rules()),
            "learning rates": self._rates,
            "seeds": self._seeds,
        } | {f"values of {k}": len(v) for k, v in (self.shared | self.of_rule).items()}
        axes |= {f"values of {key}": len(values) for key, values in self.of_schedule.items()}
        axis, length = max(axes.items(), key=lambda item: item[1])
        sizes = " x ".join(f"{size:,} {name}" for name, size in axes.items() if size > 1)
        each = MAX_RUNS // ceil(count / length)
        how = (
            f"split it into {ceil(length / each):,} comparisons of {each:,} {axis} each"
            if each
            else f"one comparison for each of the {axis}, and fewer of the others"
        )
        return InputError(
            f"{count:,} runs ({sizes}) are too many", expected=f"at most {MAX_RUNS:,}: {how}"
        )

    # The product ----------------------------------------------------------------------------

    def variants(self) -> dict[str, Preset]:
        """Every preset with every combination of the shared settings, by name."""
        found = {}
        words = {key: _words(values) for key, values in self.shared.items() if len(values) > 1}
        for name, preset in self.presets.items():
            for choice in _combinations(self.shared):
                told = [f"{key}={words[key][repr(choice[key])]}" for key in words]
                changed = override(preset, choice, self._names(choice)) if choice else preset
                found[" ".join([name, *told])] = changed
        return found

    def runs(self, name: str, preset: Preset) -> Iterator[Run]:
        """The runs of a variant: optimizers, then schedules, learning rates and seeds."""
        for words, optimizer, schedule in self._updates(preset):
            rates = [float(lr) for lr in self.learning_rates] or [optimizer.lr]
            for lr, word in zip(rates, _words(rates).values(), strict=True):
                rule = replace(optimizer, lr=lr)
                told = " ".join([name, name_of(rule), f"lr={word}", *words])
                for seed in self._seeds_of(preset):
                    yield Run(
                        name=f"{told} seed={seed}",
                        preset=name,
                        optimizer=rule,
                        schedule=schedule,
                        seed=seed,
                    )

    def _seeds_of(self, preset: Preset) -> Sequence[int]:
        own = preset.train.seed
        return range(own, own + self.seeds) if isinstance(self.seeds, int) else self.seeds

    def _updates(self, preset: Preset) -> Iterator[tuple[list[str], AnyOptimizer, AnySchedule]]:
        """Every optimizer and schedule, with the words that tell it from others of its name."""
        for name in self.optimizers or [name_of(preset.optimizer)]:
            of_rule = {key: v for key, v in self.of_rule.items() if self._has(name, key)}
            for choice in _combinations(of_rule | self.of_schedule):
                changed = override(preset, {"optimizer.name": name} | choice, self._names(choice))
                words = [
                    f"{key.partition('.')[2]}={_words(values)[repr(choice[key])]}"
                    for key, values in of_rule.items()
                    if len(values) > 1
                ]
                if any(len(values) > 1 for values in self.of_schedule.values()):
                    words.append(format_schedule(changed.schedule))
                yield words, changed.optimizer, changed.schedule

    def _names(self, choice: Choice) -> dict[str, str]:
        """How errors name the keys of a choice: by option and the value that is meant."""
        names = {
            key: f"{self.options[key]} {value if isinstance(value, str) else show(value)}"
            for key, value in choice.items()
            if key in self.options
        }
        if "schedule" in names:
            names["schedule"] = self.options["schedule"]  # its errors quote the value themselves
        return names


def _greatest(seeds: Sequence[int]) -> int:
    return seeds[-1] if isinstance(seeds, range) else max(seeds)  # a range may be very long


def _by_name(presets: Iterable[Preset]) -> dict[str, Preset]:
    found: dict[str, Preset] = {}
    for preset in presets:
        if found.setdefault(preset.name, preset) != preset:
            raise InputError(
                "two presets have this name", where=preset.name, expected="another `name` in one"
            )
    return found


def _combinations(settings: Settings) -> Iterator[Choice]:
    for values in product(*settings.values()):
        yield dict(zip(settings, values, strict=True))


def _keys(rule: str) -> list[str]:
    return [f"optimizer.{name}" for name in hyperparameters(OPTIMIZERS[rule])]


def _words(values: Sequence[object]) -> dict[str, str]:
    """How names of runs show the values of one key, by their repr: short, but all different."""
    short = [f"{v:g}" if isinstance(v, float) else str(v) for v in map(_plain, values)]
    exact = [repr(value) for value in values]
    return dict(zip(exact, short if len(set(short)) == len(set(exact)) else exact, strict=True))


def _plain(value: object) -> object:
    return value if isinstance(value, float | str) else show(value)
