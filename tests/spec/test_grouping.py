from __future__ import annotations

from typing import Any

import msgspec

from tuitrain.spec.catalogue import find
from tuitrain.spec.comparison import compare
from tuitrain.spec.experiment import Experiment
from tuitrain.spec.grouping import differing, fairness, groups, panes, value
from tuitrain.spec.model import Linear

SALES, COSTLY = find("sales-mse"), find("sales-cost1-profit99")


def made(*presets: Any, **arguments: Any) -> Experiment:
    return compare(presets or [SALES], **arguments)


def test_runs_that_differ_only_in_their_seed_are_a_group() -> None:
    experiment = made(optimizers=["sgd", "adam"], learning_rates=[0.1, 0.2], seeds=3)
    found = groups(experiment)
    assert [group.name for group in found] == [
        "sales-mse sgd lr=0.1",
        "sales-mse sgd lr=0.2",
        "sales-mse adam lr=0.1",
        "sales-mse adam lr=0.2",
    ]
    for group in found:
        runs = [experiment.runs[i] for i in group.runs]
        assert [run.seed for run in runs] == [0, 1, 2]
        assert {run.optimizer for run in runs} == {group.optimizer}
    assert sorted(i for group in found for i in group.runs) == list(range(12))


def test_losses_that_mean_different_things_are_in_different_panes() -> None:
    experiment = made(SALES, COSTLY, settings={"train.batch": [8, "full"]}, seeds=2)
    assert [(pane.name, pane.presets) for pane in panes(experiment)] == [
        ("sales-mse", ("sales-mse train.batch=8", "sales-mse train.batch=full")),
        (
            "sales-cost1-profit99",
            ("sales-cost1-profit99 train.batch=8", "sales-cost1-profit99 train.batch=full"),
        ),
    ]
    assert [pane.runs for pane in panes(experiment)] == [[0, 1, 2, 3], [4, 5, 6, 7]]


def test_another_price_is_another_pane() -> None:
    settings = {"train.batch": [8, 16], "loss.cost": [1, 9]}
    assert [pane.name for pane in panes(made(COSTLY, settings=settings))] == [
        "sales-cost1-profit99 loss.cost=1",
        "sales-cost1-profit99 loss.cost=9",
    ]


def test_presets_of_the_same_data_and_loss_share_a_pane() -> None:
    other = msgspec.structs.replace(SALES, name="biased", model=Linear(bias=True))
    far = msgspec.structs.replace(
        other, name="far", data=msgspec.structs.replace(SALES.data, seed=9)
    )
    experiment = made(SALES, COSTLY, other, far, settings={"train.batch": [8, "full"]})
    assert [pane.name for pane in panes(experiment)] == [
        "sales-mse and biased",
        "sales-cost1-profit99",
        "far",
    ]
    assert [len(pane.groups) for pane in panes(experiment)] == [4, 2, 2]
    one = made(SALES, other, settings={"train.batch": [8]})
    assert [pane.name for pane in panes(one)] == ["sales-mse and biased"]


def test_how_the_inputs_are_scaled_does_not_part_presets() -> None:
    scaled = msgspec.structs.replace(
        SALES, name="scaled", data=msgspec.structs.replace(SALES.data, standardise=True)
    )
    assert [pane.presets for pane in panes(made(SALES, scaled))] == [("sales-mse", "scaled")]


def test_a_pane_of_many_presets_names_some() -> None:
    many = [msgspec.structs.replace(SALES, name=f"p{i}") for i in range(6)]
    assert [pane.name for pane in panes(made(*many[:4]))] == ["p0, p1, p2 and p3"]
    assert [pane.name for pane in panes(made(*many))] == ["p0, p1, p2 and 3 more"]


def test_another_penalty_is_another_pane() -> None:
    experiment = made(SALES, settings={"regularisation.l2": [0.0, 0.5]})
    assert [pane.name for pane in panes(experiment)] == [
        "sales-mse regularisation.l2=0",
        "sales-mse regularisation.l2=0.5",
    ]
    assert differing(experiment) == ("regularisation.l2",)
    assert [value(experiment, run, "regularisation.l2") for run in experiment.runs] == [0.0, 0.5]


def test_only_what_differs_is_a_key() -> None:
    assert differing(made()) == ()
    assert differing(made(seeds=2)) == ("seed",)
    assert differing(made(optimizers=["sgd", "adam"])) == ("optimizer", "lr")
    assert differing(made(optimizers=["sgd", "adam"], learning_rates=[0.1])) == ("optimizer",)
    assert differing(made(settings={"schedule": ["constant", "cosine"]})) == ("schedule",)


def test_keys_of_the_settings() -> None:
    experiment = made(
        SALES,
        COSTLY,
        optimizers=["sgd", "adam"],
        settings={"optimizer.beta1": [0.8, 0.9], "train.batch": [8, "full"]},
    )
    keys = differing(experiment)
    assert keys == ("preset", "train.batch", "optimizer", "lr", "optimizer.beta1")
    first, last = experiment.runs[0], experiment.runs[-1]
    assert [value(experiment, first, key) for key in keys] == ["sales-mse", 8, "sgd", 0.002, None]
    assert [value(experiment, last, key) for key in keys] == [
        "sales-cost1-profit99",
        "full",
        "adam",
        0.001,
        0.9,
    ]


def test_fairness_names_the_steps() -> None:
    assert "15,000 steps are planned for every run" in fairness(made(SALES, COSTLY))
    different = fairness(made(SALES, find("line-fit"), seconds=3.0))
    assert "sales-mse 15,000" in different
    assert "line-fit 10,000" in different
    assert "as many as 3 s allow" in different


def test_fairness_tells_whether_optimizers_had_the_same_learning_rates() -> None:
    same = made(SALES, optimizers=["sgd", "adam"], learning_rates=[0.05])
    assert fairness(same).endswith("Learning rate: 0.05.")
    several = made(SALES, optimizers=["sgd", "adam"], learning_rates=[0.001, 0.05, 0.01])
    assert fairness(several).endswith("Learning rate: 0.001 to 0.05.")
    own = made(SALES, optimizers=["sgd", "adam"], seeds=2)
    assert fairness(own).endswith("Learning rate: 0.001 to 0.002, each optimizer its own.")


def test_what_only_one_kind_of_model_has_is_no_difference() -> None:
    kinds = {"model.kind": ["linear", "network"]}
    assert differing(made(find("iris"), settings=kinds)) == ("model.kind",)
    widths = {"model.hidden": [[4], [8]]}
    assert differing(made(find("iris"), settings=widths)) == ("model.hidden",)
