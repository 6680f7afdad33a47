"""Problems for the tests of training."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from tuitrain.optim import Optimizer
from tuitrain.optim.schedules import Constant, Schedule
from tuitrain.optim.sgd import SGD
from tuitrain.spec.data import AnyData, Gaussian
from tuitrain.spec.experiment import Run, run_name
from tuitrain.spec.loss import AnyLoss, MeanSquared, Regularisation
from tuitrain.spec.model import AnyModel, Linear
from tuitrain.spec.preset import Preset, Train
from tuitrain.spec.recording import Layout
from tuitrain.train import trainer as trainer_module

NOISY_PLANE = Gaussian(rows=20, seed=3, truth=[1.0, -2.0, 0.5], noise=0.3)


@pytest.fixture
def problem() -> Callable[..., Preset]:
    """Makes a preset: a small linear regression in float64 unless told otherwise."""

    def make(
        *,
        model: AnyModel | None = None,
        loss: AnyLoss | None = None,
        data: AnyData | None = NOISY_PLANE,
        optimizer: Optimizer | None = None,
        schedule: Schedule | None = None,
        regularisation: Regularisation = Regularisation(),  # noqa: B008
        **train: object,
    ) -> Preset:
        return Preset(
            name="problem",
            title="A problem",
            model=model or Linear(),
            loss=loss or MeanSquared(),
            data=data,
            optimizer=optimizer or SGD(lr=0.05),
            schedule=schedule or Constant(),
            regularisation=regularisation,
            train=Train(**{"steps": 200, "dtype": "float64"} | train),  # type: ignore[arg-type]
        )

    return make


@pytest.fixture
def runs() -> Callable[..., list[Run]]:
    """Makes the runs of a preset: one for each optimizer, with seeds in turn."""

    def make(
        preset: Preset, optimizers: Sequence[Optimizer] = (), seeds: Sequence[int] = ()
    ) -> list[Run]:
        rules = list(optimizers) or [preset.optimizer]
        numbers = list(seeds) or [preset.train.seed] * len(rules)
        return [
            Run(
                name=run_name(preset.name, rule, seed),
                preset=preset.name,
                optimizer=rule,
                schedule=preset.schedule,
                seed=seed,
            )
            for rule, seed in zip(rules, numbers, strict=True)
        ]

    return make


@pytest.fixture
def every_fourth(monkeypatch: pytest.MonkeyPatch) -> None:
    """A recording budget that leaves steps 1, 5, ..., 49 of 50 steps of 3 runs."""

    def thinned(*arguments: object) -> Layout:
        full = original(*arguments)  # type: ignore[arg-type]
        names = list(full.dtypes)
        names[1:1] = ["loss_min", "loss_max"]
        return Layout(full.runs, {n: full.dtypes.get(n, full.dtypes["loss"]) for n in names}, 4)

    original = trainer_module.layout
    monkeypatch.setattr(trainer_module, "layout", thinned)
