from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from tuitrain.record.ranking import (
    Spread,
    default_target,
    level,
    losses,
    metrics,
    quartiles,
    rank,
    roundings,
)
from tuitrain.record.status import RunResult, RunStatus
from tuitrain.record.verdict import verdict
from tuitrain.spec.catalogue import find
from tuitrain.spec.comparison import compare
from tuitrain.spec.experiment import Experiment
from tuitrain.spec.grouping import Pane, panes
from tuitrain.spec.overrides import override

SALES = find("sales-mse")
INF = math.inf


def made(optimizers: list[str], rates: list[float], seeds: int) -> tuple[Experiment, Pane]:
    experiment = compare([SALES], optimizers=optimizers, learning_rates=rates, seeds=seeds)
    return experiment, panes(experiment)[0]


def said(
    optimizers: list[str],
    rates: list[float],
    table: list[list[float]],
    steps: object = None,
    **judged: list[list[float]],
) -> str:
    """The verdict on the losses (and metrics) of every group [groups][seeds]."""
    experiment, pane = made(optimizers, rates, len(table[0]))
    found = np.array(table).ravel()
    reached = None if steps is None else np.array(steps, float).ravel()
    shares = {name: np.array(values, float).ravel() for name, values in judged.items()}
    noise = roundings(experiment, found, np.full(found.size, 0.657))
    ranking = rank(pane, found, reached, shares, noise)
    return verdict(experiment, pane, ranking, found, target=0.007)


def result(index: int, status: RunStatus, loss: float, final: float) -> RunResult:
    return RunResult(index, "n", "p", "sgd", 0.1, 0, status, 10, loss, loss, final)


def test_runs_are_judged_by_the_final_loss_and_lost_if_diverged() -> None:
    results = [
        result(0, "finished", 2.0, 1.0),
        result(1, "running", 3.0, math.nan),
        result(2, "diverged", 4.0, 5.0),
        result(3, "waiting", math.nan, math.nan),
    ]
    np.testing.assert_array_equal(losses(results), [1.0, 3.0, INF, math.nan])
    last = np.array([9.0, 2.5, 9.0, math.nan])
    np.testing.assert_array_equal(losses(results, last), [1.0, 2.5, INF, math.nan])


@given(st.lists(st.lists(st.floats(-1e6, 1e6), min_size=4, max_size=4), min_size=2, max_size=2))
def test_quartiles_are_those_of_numpy(table: list[list[float]]) -> None:
    _, pane = made(["sgd", "adam"], [0.1], 4)
    expected = np.quantile(table, [0.25, 0.5, 0.75], axis=1).T
    found = quartiles(pane.groups, np.ravel(table))
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 2, INF, INF], (1.75, INF, INF)),
        ([1, 2, 3, INF], (1.75, 2.5, INF)),
        ([INF] * 4, (INF, INF, INF)),
        ([1, 2, 3, math.nan], (1.5, 2, 2.5)),
        ([math.nan] * 4, (math.nan, math.nan, math.nan)),
    ],
)
def test_lost_runs_count_and_unknown_ones_do_not(
    values: list[float], expected: tuple[float, ...]
) -> None:
    _, pane = made(["sgd"], [0.1], 4)
    np.testing.assert_array_equal(quartiles(pane.groups, np.array(values, float)), [expected])


def test_the_lowest_median_is_first() -> None:
    _, pane = made(["sgd"], [0.1, 0.2, 0.3, 0.4], 3)
    found = np.array([[3, 1, 2], [0, 9, 9], [1, INF, 1], [INF, INF, 1]], float)
    ranking = rank(pane, found.ravel(), np.full(12, 5.0))
    assert [r.group.optimizer.lr for r in ranking] == [0.3, 0.1, 0.2, 0.4]
    assert [r.rank for r in ranking] == [1, 2, 3, 4]
    assert [r.diverged for r in ranking] == [1, 0, 0, 2]
    assert ranking[1].loss == Spread(1.5, 2, 2.5)
    assert ranking[0].steps == Spread(5, 5, 5)


def test_of_equal_losses_the_faster_is_first() -> None:
    _, pane = made(["sgd", "adam"], [0.1], 1)
    ranking = rank(pane, np.array([1.0, 1.0]), np.array([math.nan, 7.0]))
    assert [r.group.name.split()[1] for r in ranking] == ["adam", "sgd"]
    assert ranking[1].steps.median == INF


def test_groups_that_are_level_share_a_rank_and_the_faster_is_first() -> None:
    experiment, pane = made(["sgd"], [0.1, 0.2, 0.3, 0.4, 0.5], 1)
    found = np.array([0.0006512690, 0.0006512697, 0.002, 0.0006512691, 0.001])
    steps = np.array([90.0, 7.0, 1.0, math.nan, 50.0])
    noise = roundings(experiment, found, np.full(5, 0.657))
    ranking = rank(pane, found, steps, roundings=noise)
    assert [r.group.optimizer.lr for r in ranking] == [0.2, 0.1, 0.4, 0.5, 0.3]
    assert [r.rank for r in ranking] == [1, 1, 1, 4, 5]
    exact = rank(pane, found, steps)
    assert [r.group.optimizer.lr for r in exact] == [0.1, 0.4, 0.2, 0.5, 0.3]


def test_who_lost_runs_comes_behind_those_that_are_level() -> None:
    experiment, pane = made(["sgd"], [0.1, 0.2], 3)
    found = np.array([1.0, 1.0, INF, 1.0, 1.0, 1.0])
    noise = roundings(experiment, found, np.full(6, 2.0))
    ranking = rank(pane, found, np.array([1.0, 1.0, math.nan, 9.0, 9.0, 9.0]), roundings=noise)
    assert [(r.rank, r.diverged) for r in ranking] == [(1, 0), (1, 1)]


def test_level_with_the_lowest_only() -> None:
    """A chain of losses, each close to the next, is no one rank."""
    chain = np.array([1.0, 1.4, 1.8, 2.2, math.nan, INF])
    assert level(chain, np.full(6, 0.5)).tolist() == [1, 1, 3, 3, 5, 5]
    assert level(chain[::-1], np.full(6, 0.5)).tolist() == [5, 5, 3, 3, 1, 1]
    assert level(np.array([]), np.array([])).tolist() == []


def test_between_losses_that_are_level_others_have_ranks_of_their_own() -> None:
    found = np.array([5.0, 1.0, INF, 1.1, 2.0, 5.0, 3.0, 1.3])
    wide = np.array([0.0, 0.2, 0.0, 0.2, 0.2, 0.0, 0.2, 0.2])
    assert level(found, wide).tolist() == [6, 1, 8, 1, 4, 6, 5, 3]


def test_a_gap_within_rounding_is_none() -> None:
    experiment, pane = made(["sgd"], [0.1, 0.2], 1)
    found = np.array([0.00065126895, 0.0006518])
    noise = roundings(experiment, found, np.full(2, 0.657))
    first, second = rank(pane, found, roundings=noise)
    assert first.gap(0.00065126961) == 0.0
    assert second.gap(0.00065126961) == pytest.approx(5.3e-7, rel=1e-2)


def test_what_is_not_known_has_no_rounding() -> None:
    experiment, _ = made(["sgd"], [0.1, 0.2], 2)
    found = np.array([math.nan, INF, 4.0, 4.0])
    noise = roundings(experiment, found, np.array([1.0, 1.0, math.nan, 9.0]))
    assert noise[:2].tolist() == [0.0, 0.0]
    assert 0.0 < noise[2] < noise[3]


def test_the_default_target_leaves_one_hundredth_of_the_way() -> None:
    _, pane = made(["sgd", "adam"], [0.1], 3)
    initial = np.array([10.0, 20.0, 30.0] * 2)
    found = np.array([4.0, 5.0, 6.0, INF, INF, 1.0])
    assert default_target(pane, found, initial, optimum=0.0) == pytest.approx(0.2)
    assert default_target(pane, found, initial) == pytest.approx(5 + 0.01 * 15)
    assert default_target(pane, found - 25, initial) == pytest.approx(-20 + 0.01 * 40)
    unknown = np.full(6, math.nan)
    assert math.isnan(default_target(pane, found, unknown, optimum=0.0))
    assert math.isnan(default_target(pane, np.full(6, INF), initial))


def test_metrics_are_those_that_are_known_and_diverged_runs_have_the_worst() -> None:
    def judged(index: int, status: RunStatus, preset: str, **values: float) -> RunResult:
        return RunResult(index, "n", preset, "sgd", 0.1, 0, status, metrics=values)

    results = [
        judged(0, "finished", "a", accuracy=0.9, data_loss=0.1),
        judged(1, "diverged", "a", accuracy=math.nan),
        judged(2, "diverged", "a"),  # while the others go on
        judged(3, "waiting", "a"),
        judged(4, "diverged", "b"),
    ]
    found = metrics(results)
    assert list(found) == ["accuracy"]
    np.testing.assert_array_equal(found["accuracy"], [0.9, -INF, -INF, math.nan, math.nan])
    assert metrics(results[1:]) == {}


def test_groups_have_quartiles_of_their_metrics() -> None:
    _, pane = made(["sgd", "adam"], [0.1], 3)
    shares = np.array([0.5, 0.7, 0.9, 1.0, -INF, -INF])
    ranking = rank(
        pane, np.arange(6.0), None, {"accuracy": shares, "test_accuracy": shares * np.nan}
    )
    assert [dict(r.metrics) for r in ranking] == [
        {"accuracy": Spread(0.6, 0.7, 0.8)},
        {"accuracy": Spread(-INF, -INF, -INF)},
    ]
    assert rank(pane, np.arange(6.0))[0].metrics == {}


SEEDS = [0.010, 0.011, 0.012, 0.013, 0.014, 0.015, 0.016, 0.017]


def test_a_lead_beyond_the_spread_is_one() -> None:
    text = said(["sgd", "adam"], [0.1], [[x + 0.1 for x in SEEDS], SEEDS])
    assert text == (
        "adam lr=0.1 leads (median final loss 0.0135). Next: sgd lr=0.1, 0.1 behind, "
        "worse on 8 of 8 seeds, spread over seeds 0.0035. No run diverged."
    )


def test_a_lead_on_every_seed_is_one_however_far_the_seeds_lie_apart() -> None:
    for seeds in (5, 8):
        some = SEEDS[:seeds]
        text = said(["sgd", "adam"], [0.1], [[x + 0.001 for x in some], some])
        assert text.startswith("adam lr=0.1 leads")
        assert f"worse on {seeds} of {seeds} seeds" in text
        assert "no clear" not in text.lower()


def test_a_lead_on_some_seeds_and_within_the_spread_is_none() -> None:
    others = [SEEDS[0] - 0.001, *(x + 0.001 for x in SEEDS[1:])]
    text = said(["sgd", "adam"], [0.1], [others, SEEDS])
    assert text.startswith("No clear lead: adam lr=0.1 is lowest (median final loss 0.0135")
    assert "worse on 7 of 8 seeds, spread over seeds 0.0035" in text
    assert "leads" not in text


def test_the_wider_spread_counts() -> None:
    wild = [0.02, 0.3, 0.5, 0.001, 0.4, 0.03, 0.5, 0.04]
    assert said(["sgd", "adam"], [0.1], [wild, SEEDS]).startswith("No clear lead")


def test_runs_are_paired_by_their_seeds() -> None:
    """In whatever order a group has its seeds."""
    experiment, pane = made(["sgd", "adam"], [0.1], 6)
    sgd, adam = pane.groups
    turned = replace(pane, groups=(sgd, replace(adam, runs=adam.runs[::-1])))
    # sgd is a little worse on every seed; seeds differ by more than that
    found = np.array([0.01 * 2**seed + shift for shift in (0.001, 0.0) for seed in range(6)])
    ranking = rank(turned, found)
    text = verdict(experiment, turned, ranking, found)
    assert "worse on 6 of 6 seeds" in text


@pytest.mark.parametrize("seeds", [2, 3, 4])
def test_few_seeds_make_no_lead(seeds: int) -> None:
    text = said(["sgd", "adam"], [0.1], [[x + 1 for x in SEEDS[:seeds]], SEEDS[:seeds]])
    assert text.startswith(f"{seeds} seeds are too few to call a lead: adam lr=0.1 is lowest")
    assert "leads" not in text


def test_groups_without_a_common_seed_are_compared_by_their_spread_alone() -> None:
    presets = [find("sales-mse"), override(find("sales-mse"), {"train.batch": 8, "train.seed": 90})]
    presets[1] = structs.replace(presets[1], name="other")
    experiment = compare(presets, seeds=8)
    [pane] = panes(experiment)
    found = np.array([*SEEDS, *(x + 1 for x in SEEDS)])
    text = verdict(experiment, pane, rank(pane, found), found)
    assert "sales-mse" in text.split(" leads ")[0]
    assert "worse on" not in text
    assert "spread over seeds" in text


def test_one_seed_makes_no_lead_and_no_spread() -> None:
    text = said(["sgd", "adam"], [0.1], [[1.0], [0.1]])
    assert text == (
        "1 seed is too few to call a lead: adam lr=0.1 is lowest (final loss 0.1). "
        "Next: sgd lr=0.1, 0.9 behind. No run diverged."
    )


def test_losses_that_are_not_final_are_not_called_so() -> None:
    experiment, pane = made(["sgd"], [0.1], 1)
    found = np.array([0.1])
    text = verdict(experiment, pane, rank(pane, found), found, final=False)
    assert text.startswith("sgd lr=0.1: loss so far 0.1.")


def test_rounding_makes_no_difference() -> None:
    text = said(
        ["sgd", "adam", "nadam"],
        [0.1],
        [[0.000651269] * 8, [0.000651270] * 8, [0.1 + x for x in SEEDS]],
    )
    assert text.startswith("sgd lr=0.1 and adam lr=0.1 are equal up to rounding")
    assert "Next: nadam lr=0.1" in text


def test_many_that_are_level_are_counted() -> None:
    five = ["sgd", "sgdm", "adam", "nadam", "rmsprop"]
    text = said(five, [0.1, 0.2], [[0.000651269]] * 9 + [[0.1]])
    assert text.startswith("9 of 10 groups are equal up to rounding (final loss 0.0006513).")
    text = said(five, [0.1], [[0.000651269]] * 5)
    assert text.startswith("All 5 groups are equal up to rounding")


def test_the_best_of_the_other_optimizers_is_named() -> None:
    groups = [[x + shift for x in SEEDS] for shift in (0.0, 0.1, 0.2, 0.3)]
    text = said(["sgd", "adam"], [0.1, 0.2], groups)
    assert "Next: sgd lr=0.2, 0.1 behind" in text
    assert "Best of the other optimizers: adam lr=0.1, 0.2 behind" in text
    assert "worse on 8 of 8 seeds, spread over seeds 0.0035: a clear lead." in text


def test_the_first_to_the_target_is_named() -> None:
    table = [SEEDS, [x + 0.1 for x in SEEDS]]
    text = said(["sgd", "adam"], [0.1], table, [[900] * 8, [70, 80, 90, 100] * 2])
    assert "First to the target 0.007: adam lr=0.1, after 85 steps." in text


def test_who_diverged_and_where() -> None:
    lost = [INF] * 8
    some = [INF, INF, *SEEDS[2:]]
    text = said(["sgd", "adam"], [0.1, 0.2, 0.3], [SEEDS, lost, lost, some, SEEDS, SEEDS])
    assert text.endswith("Diverged: sgd from lr=0.2 up (all); adam at lr=0.1 (2 of 8 runs).")
    text = said(["sgd"], [0.1, 0.2, 0.3], [lost, SEEDS, lost])
    assert text.endswith("Diverged: sgd at lr=0.1 and 0.3 (all).")
    assert "In every group most runs diverged" in said(["sgd"], [0.1, 0.2], [lost, lost])


def test_the_highest_accuracy_is_named() -> None:
    three = ["sgd", "adam", "nadam"]
    table = [[0.1], [0.2], [0.3]]
    text = said(three, [0.1], table, accuracy=[[0.5], [1.0], [0.25]])
    assert "The highest accuracy, 1, is that of adam lr=0.1; sgd lr=0.1 has 0.5." in text
    text = said(three, [0.1], table, test_accuracy=[[0.75], [0.5], [0.5]], accuracy=[[0.5]] * 3)
    assert "sgd lr=0.1 also has the highest test accuracy, 0.75." in text
    text = said(three, [0.1], table, test_accuracy=[[0.75], [0.5], [0.75]])
    assert "The highest test accuracy, 0.75, is that of sgd lr=0.1 and nadam lr=0.1." in text
    text = said(three, [0.1], table, test_accuracy=[[1.0]] * 3)
    assert "All have the same test accuracy, 1." in text
    text = said(three, [0.1], [*table[:2], [INF]], test_accuracy=[[1.0], [1.0], [-INF]])
    assert "All that have not diverged have the same test accuracy, 1." in text
    text = said(
        [*three, "sgdm", "rmsprop", "adagrad"], [0.1], [[0.1]] * 6, accuracy=[[1]] * 5 + [[0]]
    )
    assert "The highest accuracy, 1, is that of 5 of 6 groups." in text
    text = said(["sgd"], [0.1], [SEEDS], test_accuracy=[[0.25] * 4 + [0.75] * 4])
    assert "Median test accuracy: 0.5." in text
    text = said(["sgd"], [0.1], [SEEDS], accuracy=[[-INF] * 8])
    assert "accuracy" not in text


def test_nothing_is_said_before_there_are_losses() -> None:
    assert said(["sgd"], [0.1], [[math.nan] * 8]) == ""
