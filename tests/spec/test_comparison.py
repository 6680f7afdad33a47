from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from tuitrain.errors import InputError
from tuitrain.optim import OPTIMIZERS, name_of
from tuitrain.spec.catalogue import find
from tuitrain.spec.comparison import MAX_RUNS, compare
from tuitrain.spec.experiment import single
from tuitrain.spec.load import experiment_from_toml, to_toml

SALES, COSTLY = find("sales-mse"), find("sales-cost1-profit99")


def test_one_preset_alone_is_its_single_run() -> None:
    assert compare([SALES]) == single(SALES)


def test_every_combination_is_a_run() -> None:
    names = ["sgd", "adam"]
    made = compare([SALES, COSTLY], optimizers=names, learning_rates=[0.1, 0.2], seeds=range(3))
    found = {(run.preset, name_of(run.optimizer), run.optimizer.lr, run.seed) for run in made.runs}
    assert found == {
        (preset, name, lr, seed)
        for preset in ("sales-mse", "sales-cost1-profit99")
        for name in names
        for lr in (0.1, 0.2)
        for seed in range(3)
    }
    assert len({run.name for run in made.runs}) == len(made.runs) == 24
    assert list(made.presets.values()) == [SALES, COSTLY]


def test_the_presets_own_optimizer_keeps_its_settings() -> None:
    assert SALES.optimizer.lr != OPTIMIZERS["sgd"]().lr
    by_name = {name_of(r.optimizer): r for r in compare([SALES], optimizers=["sgd", "adam"]).runs}
    assert by_name["sgd"].optimizer == SALES.optimizer
    assert by_name["adam"].optimizer == OPTIMIZERS["adam"]()


def test_seeds_may_be_listed() -> None:
    runs = compare([SALES], optimizers=["sgd", "adam"], seeds=[5, 0, 3]).runs
    assert [run.seed for run in runs] == [5, 0, 3] * 2
    with pytest.raises(InputError, match=r"--seeds: seed 4294967296; expected at most 4294967295"):
        compare([SALES], seeds=[2**32, 0])


def test_a_number_of_seeds_begins_with_the_presets_own() -> None:
    preset = replace(SALES, train=replace(SALES.train, seed=40))
    assert [run.seed for run in compare([preset], seeds=3).runs] == [40, 41, 42]


def test_settings_of_the_update_vary_from_run_to_run() -> None:
    settings = {"optimizer.beta1": [0.8, 0.9], "schedule": ["constant", "cosine:end=0.01"]}
    made = compare([SALES], optimizers=["sgd", "adam"], settings=settings)
    assert list(made.presets) == ["sales-mse"]
    assert [run.name for run in made.runs] == [
        "sales-mse sgd lr=0.002 constant seed=0",
        "sales-mse sgd lr=0.002 cosine:end=0.01 seed=0",
        "sales-mse adam lr=0.001 beta1=0.8 constant seed=0",
        "sales-mse adam lr=0.001 beta1=0.8 cosine:end=0.01 seed=0",
        "sales-mse adam lr=0.001 beta1=0.9 constant seed=0",
        "sales-mse adam lr=0.001 beta1=0.9 cosine:end=0.01 seed=0",
    ]
    assert [getattr(run.optimizer, "beta1", None) for run in made.runs[1::2]] == [None, 0.8, 0.9]


def test_other_settings_make_presets_of_their_own() -> None:
    made = compare([COSTLY], settings={"loss.cost": [1, 9], "train.steps": [100]})
    assert [(name, preset.loss.cost) for name, preset in made.presets.items()] == [  # type: ignore[union-attr]
        ("sales-cost1-profit99 loss.cost=1", 1),
        ("sales-cost1-profit99 loss.cost=9", 9),
    ]
    assert {preset.train.steps for preset in made.presets.values()} == {100}
    assert [run.preset for run in made.runs] == list(made.presets)
    assert made.runs[1].name.startswith("sales-cost1-profit99 loss.cost=9 sgd ")


def test_a_single_value_is_no_part_of_the_name() -> None:
    made = compare([COSTLY], settings={"loss.cost": [9], "optimizer.lr": [0.1]})
    assert [run.name for run in made.runs] == ["sales-cost1-profit99 sgd lr=0.1 seed=0"]


def test_close_learning_rates_have_names_of_their_own() -> None:
    made = compare([SALES], learning_rates=[0.1, 0.10000001])
    assert [run.name.split()[2] for run in made.runs] == ["lr=0.1", "lr=0.10000001"]


def test_an_experiment_survives_its_file() -> None:
    made = compare(
        [SALES, COSTLY],
        optimizers=["sgd", "adam"],
        seeds=2,
        settings={"optimizer.beta1": [0.8, 0.9], "train.batch": [8, "full"]},
        seconds=2.5,
        target=0.01,
    )
    assert experiment_from_toml(to_toml(made), "experiment.toml") == made


BAD: list[tuple[dict[str, Any], str]] = [
    ({"optimizers": ["adamm"]}, "no optimizer 'adamm'; expected adam"),
    ({"learning_rates": [-1.0]}, "cannot be -1.0; expected 0 or more"),
    ({"learning_rates": [float("inf")]}, "cannot be inf"),
    ({"settings": {"optimizer.beta1": [0.9]}}, "unknown key for sgd"),
    ({"settings": {"optimizer.beta": [0.9]}, "optimizers": ["adam"]}, "expected optimizer.beta"),
    ({"settings": {"loss.cost": [1, 2]}}, '--set loss.cost=1: kind "mse" has no settings'),
    ({"settings": {"train.seed": [1]}}, "--set train.seed: cannot be set; expected --seeds"),
    ({"settings": {"schedule": ["cosin"]}}, "no schedule 'cosin'"),
    ({"settings": {"optimizer.lr": ["x"]}}, "--set optimizer.lr: cannot be"),
    ({"seeds": range(2**32 - 1, 2**32 + 1)}, "--seeds: seed 4294967296"),
    ({"seconds": 0.0}, "cannot be 0; expected more than 0"),
]


@pytest.mark.parametrize(("arguments", "problem"), BAD)
def test_bad_input_is_refused_in_one_line(arguments: dict[str, Any], problem: str) -> None:
    with pytest.raises(InputError) as error:
        compare([SALES], **arguments)
    assert problem in str(error.value)
    assert "\n" not in str(error.value)


def test_two_presets_of_one_name_are_refused() -> None:
    with pytest.raises(InputError, match="two presets have this name"):
        compare([SALES, replace(COSTLY, name=SALES.name)])
    assert len(compare([SALES, SALES]).runs) == 1


@pytest.mark.parametrize(
    ("rates", "seeds", "settings", "way"),
    [
        (1000, 11, {}, "split it into 2 comparisons of 909 learning rates each"),
        (2, 80_000, {}, "split it into 16 comparisons of 5,000 seeds each"),
        (200, 200, {"loss.profit": [1, 2, 3]}, "of 16 learning rates each"),
        (150, 150, {"loss.cost": range(150)}, "one comparison for each of the learning rates"),
    ],
)
def test_a_product_that_is_too_large_tells_how_to_split_it(
    rates: int, seeds: int, settings: Mapping[str, Sequence[object]], way: str
) -> None:
    lrs = [1 / (1 + i) for i in range(rates)]
    with pytest.raises(InputError) as error:
        compare([COSTLY], learning_rates=lrs, seeds=seeds, settings=settings)
    assert f"expected at most {MAX_RUNS:,}" in str(error.value)
    assert way in str(error.value)


def test_the_largest_product_is_trained() -> None:
    made = compare([SALES], learning_rates=[1 / (1 + i) for i in range(2500)], seeds=4)
    assert len(made.runs) == MAX_RUNS
