"""Learning-rate sweeps, of real trainings and of losses made up to be awkward."""

from __future__ import annotations

import math
from pathlib import Path

import msgspec
import numpy as np
import pytest

from tuitrain.record.folder import ExperimentFolder
from tuitrain.record.live import Recording
from tuitrain.record.ranking import losses, rank
from tuitrain.record.sweep import Line, Sweep, lines, sweep
from tuitrain.spec.catalogue import find
from tuitrain.spec.comparison import compare
from tuitrain.spec.experiment import Experiment
from tuitrain.spec.grouping import panes
from tuitrain.worker.session import Session


def reached(path: Path, experiment: Experiment) -> np.ndarray:
    """Trains an experiment; the losses of its runs."""
    folder = ExperimentFolder.create(path, experiment)
    Session(folder).run()
    recording = Recording(folder)
    recording.refresh()
    recording.close()
    return losses(recording.results)


def only_line(experiment: Experiment) -> Line:
    (pane,) = panes(experiment)
    (line,) = lines(experiment, pane)
    return line


def parabola(rates: list[float], seeds: int = 1) -> Experiment:
    return compare([find("parabola-constant")], learning_rates=rates, seeds=seeds)


def swept(values: list[float], seeds: int = 1) -> Sweep:
    """The sweep of a line whose runs have reached so much: seed by seed for each rate."""
    rates = [10.0 ** (k - 4) for k in range(len(values) // seeds)]
    return sweep(only_line(parabola(rates, seeds)), np.array(values))


def test_a_sweep_down_the_parabola(tmp_path: Path) -> None:
    # 40 steps leave 36 (1 - 2 lr)^80 of the loss, which falls fastest against log lr where
    # lr (1 - 2 lr)^79 is greatest: at 1 / 160
    rates = [float(f"{x:.6g}") for x in np.geomspace(1e-4, 0.2, 50)]
    experiment = parabola([*rates, 10.0])
    found = sweep(only_line(experiment), reached(tmp_path, experiment))
    left = 36 * (1 - 2 * np.array(rates)) ** 80
    np.testing.assert_allclose(found.loss[:-1, 1], left, rtol=1e-3, atol=1e-9)
    assert np.isinf(found.loss[-1]).all()
    assert found.diverged == [0] * 50 + [1]
    assert found.best == 49
    assert found.steepest is not None
    assert abs(math.log(found.line.rates[found.steepest] * 160)) <= math.log(rates[1] / rates[0])


def test_quartiles_are_over_the_seeds(tmp_path: Path) -> None:
    experiment = compare(
        [find("sales-mse")], learning_rates=[0.1, 0.001], seeds=5, settings={"train.steps": [30]}
    )
    values = reached(tmp_path, experiment)
    found = sweep(only_line(experiment), values)
    assert found.line.rates.tolist() == [0.001, 0.1]
    expected = np.quantile(values.reshape(2, 5)[::-1], [0.25, 0.5, 0.75], axis=1).T
    np.testing.assert_allclose(found.loss, expected, rtol=1e-12)


def test_lines_differ_in_all_but_the_rate() -> None:
    experiment = compare(
        [find("sales-mse")],
        optimizers=["sgd", "adam"],
        learning_rates=[0.1, 0.0, 0.01],
        seeds=2,
        settings={"optimizer.beta1": [0.8, 0.9], "schedule": ["constant", "cosine"]},
    )
    (pane,) = panes(experiment)
    found = lines(experiment, pane)
    assert [line.name for line in found] == [
        *("sgd constant", "sgd cosine"),
        *("adam beta1=0.8 constant", "adam beta1=0.8 cosine"),
        *("adam beta1=0.9 constant", "adam beta1=0.9 cosine"),
    ]
    for line in found:
        assert line.rates.tolist() == [0.01, 0.1]
        assert [len(group.runs) for group in line.groups] == [2, 2]
        assert len({group.schedule for group in line.groups}) == 1


def test_settings_that_all_lines_share_are_not_in_their_names() -> None:
    experiment = compare(
        [find("sales-mse")],
        optimizers=["adam"],
        learning_rates=[0.1, 0.01],
        settings={"optimizer.beta1": [0.8], "train.batch": [4, 16]},
    )
    (pane,) = panes(experiment)
    assert [line.name for line in lines(experiment, pane)] == [
        "adam train.batch=4",
        "adam train.batch=16",
    ]


def test_presets_have_lines_of_their_own() -> None:
    presets = [find("sales-mse"), find("sales-cost1-profit99")]
    experiment = compare(presets, optimizers=["sgd"], learning_rates=[0.1, 0.2])
    for pane in panes(experiment):
        (line,) = lines(experiment, pane)
        assert (line.name, line.groups[0].preset) == ("sgd", pane.name)


def test_rates_around_the_best_one_are_alike_and_those_apart_are_not() -> None:
    found = swept([3.0, 1.0005, 1.0, 1.0002, 2.0, math.inf])
    assert (found.best, found.alike) == (2, [1, 2, 3])
    assert swept([3.0, 1.01, 1.0, 2.0]).alike == [2]
    assert swept([-1.0, -2.0, -2.001, 0.0]).alike == [1, 2]
    assert swept([0.0, 0.0, 1.0, 0.0]).alike == [0, 1]
    assert swept([1.0, 2.0, 3.0, 2.0, 1.0]).alike == [0]
    assert swept([1.0, math.nan, 1.0]).alike == [0]


def test_the_best_rate_is_the_one_that_the_ranking_puts_first() -> None:
    rates = [0.001, 0.01, 0.1, 1.0]
    experiment = parabola(rates)
    [pane] = panes(experiment)
    for values, steps in (
        ([3.0, 1.0003, 1.0002, 1.0], [9.0, 9.0, 9.0, 9.0]),  # alike, but not the same
        ([3.0, 1.0, 1.0, 1.0], [math.nan, 30.0, 20.0, 25.0]),  # the same, but not as fast
    ):
        found = sweep(only_line(experiment), np.array(values), np.array(steps))
        assert found.best is not None
        first = rank(pane, np.array(values), np.array(steps))[0]
        assert found.line.groups[found.best] == first.group


def test_of_rates_that_are_level_the_fastest_is_best() -> None:
    experiment = parabola([0.001, 0.01, 0.1, 1.0])
    values, steps = np.array([3.0, 1.0000001, 1.0, 1.0000002]), np.array([9.0, 30.0, 40.0, 20.0])
    line, noise = only_line(experiment), np.full(4, 1e-6)
    assert sweep(line, values, steps).best == 2
    fast = sweep(line, values, steps, noise)
    assert fast.best == 3
    assert fast.in_words()[0] == "best lr 1 (final loss 1, 20 steps to the target)"


def test_a_rate_at_which_one_seed_diverges_is_not_the_best() -> None:
    found = swept([5.0, 5.0, 5.0, 4.0, 4.0, 4.0, 1.0, 1.0, math.inf], seeds=3)
    assert found.best == 1
    assert found.diverged == [0, 0, 1]
    assert found.loss[2, 1] == 1.0
    everywhere = swept([5.0, math.inf, math.inf, math.inf], seeds=2)
    assert (everywhere.best, everywhere.alike) == (None, [])


def test_no_steepest_where_nothing_falls() -> None:
    assert swept([1.0, 2.0, 3.0]).steepest is None
    # below the least rate there may be a steeper fall
    assert swept([9.0, 2.0, 1.0]).steepest is None
    assert swept([math.nan, 9.0, 2.0, 1.0]).steepest is None
    assert swept([1.0, 1.0 - 1e-6, 1.0 - 2e-6]).steepest is None
    assert swept([1.0]).steepest is None
    assert swept([math.inf, math.inf]).steepest is None
    assert swept([math.nan, math.nan]).steepest is None


def test_a_fall_beyond_the_best_rate_is_not_the_steepest() -> None:
    assert swept([9.0, 6.0, 1.0, 500.0, 100.0]).steepest == 1


def test_what_is_not_known_yet_joins_nothing() -> None:
    found = swept([9.0, math.nan, 6.0, 1.0])
    assert (found.best, found.steepest) == (3, 2)
    assert math.isnan(found.loss[1, 1])


def test_in_words() -> None:
    assert swept([9.0, 6.0, 1.0, 1.0, math.inf]).in_words() == [
        "best lr 0.01 (final loss 1)",
        "within 0.1 % of it from lr 0.01 to 0.1",
        "steepest lr 0.001",
        "diverges at lr 1",
    ]
    several = swept([8.0, 9.0, 1.0, 2.0, 1.0, math.inf, math.inf, math.inf], seeds=2)
    assert several.in_words(final=False) == [
        "best lr 0.001 (loss so far 1.5, quartiles 1.25 to 1.75)",
        "diverges from lr 0.01 up (3 of 4 runs)",
    ]
    scattered = swept([math.inf, 1.0, math.inf, 2.0, math.inf, 2.0, math.inf, 3.0])
    assert scattered.in_words()[-1] == "diverges at lr 0.0001, 0.01, 1 and 1 more"
    assert swept([math.nan]).in_words() == []
    lost = swept([9.0, 9.0, 9.0, 4.0, 4.0, 4.0, 1.0, 1.0, math.inf], seeds=3)
    assert lost.in_words()[0] == "best lr 0.001 where no run diverges (final loss 4)"


def test_lines_of_several_presets_are_named_after_them() -> None:
    one = find("parabola-constant")
    other = msgspec.structs.replace(one, name="other")
    experiment = compare([one, other], optimizers=["sgd", "adam"], learning_rates=[0.1, 0.2])
    (pane,) = panes(experiment)
    assert [line.name for line in lines(experiment, pane)] == [
        *("parabola-constant sgd", "parabola-constant adam", "other sgd", "other adam"),
    ]


@pytest.mark.parametrize("seeds", [1, 3])
def test_every_line_of_a_great_sweep_is_quick(seeds: int) -> None:
    rates = np.geomspace(1e-5, 10, 10_000 // seeds).tolist()
    line = only_line(parabola(rates, seeds))
    values = np.random.default_rng(0).random(len(rates) * seeds)
    assert sweep(line, values).best is not None
