"""The diagnosis of real trainings: the words must be right."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from tuitrain.spec.catalogue import catalogue
from tuitrain.spec.experiment import single
from tuitrain.spec.overrides import override
from tuitrain.spec.size import batches_per_epoch
from tuitrain.train.trainer import Trainer
from tuitrain.ui.diagnosis import (
    Miss,
    Movement,
    at_chance,
    describe,
    diverged,
    ended,
    movement,
    overfits,
    overfitting,
    percent,
)
from tuitrain.ui.facts import NOT_WEIGHTS


@cache
def trained(name: str, changes: tuple[tuple[str, str], ...] = ()) -> tuple[dict, int]:
    """The recorded series of a training, and its steps in one pass."""
    preset = override(catalogue()[name], dict(changes))
    trainer = Trainer(preset, single(preset).runs)
    chunks = []
    while not trainer.finished and (chunk := trainer.advance(5000)) is not None:
        chunks.append(chunk.series)
    series = {key: np.concatenate([c[key][0] for c in chunks]) for key in chunks[0]}
    return series, batches_per_epoch(preset)


def judged(name: str, end: int | None = None, **changes: str):
    """How a training looks after `end` steps."""
    settings = tuple((key.replace("__", "."), value) for key, value in changes.items())
    series, batches = trained(name, settings)
    weights = [rows[:end] for key, rows in series.items() if key not in NOT_WEIGHTS]
    return movement(series["loss"][:end], weights, batches)


def test_a_changed_learning_rate_is_judged_by_the_steps_since_then() -> None:
    preset = catalogue()["line-fit"]
    trainer = Trainer(preset, single(preset).runs)
    rows = [trainer.advance(200)]
    trainer.set_learning_rate(1e-9)
    rows.append(trainer.advance(10))
    loss = np.concatenate([chunk.series["loss"][0] for chunk in rows if chunk is not None])
    assert movement(loss, []).trend == "improving"  # over the last steps, most of them before
    assert movement(loss, [], since=200).trend == "plateau"
    few = movement(loss[:205], [], since=200)
    word, sentence, _ = describe(few)
    assert (word, sentence) == ("learning rate changed", "too few steps since then to judge yet")
    assert ended("stopped", 205, few, None).sentence == "at step 205"


@pytest.mark.parametrize(
    ("name", "end", "changes", "trend"),
    [
        ("line-fit", 5, {}, "starting"),
        ("line-fit", 300, {}, "improving"),
        # Its loss is at 1e-28, where rounding moves it.
        ("line-fit", None, {}, "plateau"),
        ("sales-mse", 2000, {}, "improving"),
        ("sales-mse", None, {}, "plateau"),
        ("sales-cost1-profit99", 1000, {}, "oscillating"),
        ("sales-cost1-profit99", None, {}, "oscillating"),
        ("sales-cost99-profit1", 750, {}, "oscillating"),
        ("sales-cost99-profit1", None, {}, "oscillating"),
        ("sales-cost1-profit99", None, {"optimizer__lr": "0.0001"}, "plateau"),
        ("sales-cost1-profit99", 1000, {"optimizer": "adam"}, "improving"),
        ("sales-cost1-profit99", None, {"optimizer": "adam"}, "plateau"),
        ("parabola-constant", 20, {}, "improving"),
        ("parabola-constant", None, {"optimizer__lr": "0.001"}, "slow"),
        ("parabola-constant", None, {"optimizer__lr": "0.999"}, "oscillating"),
        # The loss does not move at all: only the weight tells that it swings.
        ("parabola-constant", None, {"optimizer__lr": "1.0"}, "oscillating"),
        ("parabola-constant", None, {"optimizer__lr": "1.01"}, "oscillating"),
        # It swings, and gets there nevertheless.
        ("parabola-constant", None, {"optimizer__lr": "0.9"}, "improving"),
        # Mini-batches differ from one another; that is no oscillation.
        ("book-mse", 1000, {}, "improving"),
        ("book-more10", None, {}, "plateau"),
        ("book-mse", None, {"optimizer__lr": "0"}, "plateau"),
        ("sales-mse", 30, {"optimizer__lr": "3"}, "worse"),
    ],
)
def test_trend(name: str, end: int | None, changes: dict[str, str], trend: str) -> None:
    assert judged(name, end, **changes).trend == trend


def test_without_weights_the_loss_alone_is_judged() -> None:
    series, _ = trained("sales-cost99-profit1")
    assert movement(series["loss"], []).trend == "oscillating"
    series, _ = trained("sales-mse")
    assert movement(series["loss"], []).trend == "plateau"


def test_a_loss_that_ends_in_nan_is_judged_by_what_was_finite() -> None:
    loss = np.concatenate([np.geomspace(1.0, 0.01, 100), [np.nan, np.nan]])
    weights = np.concatenate([np.linspace(0, 1, 100), [np.nan, np.nan]])
    assert movement(loss, [weights]).trend == "improving"


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
@pytest.mark.parametrize("sign", [1, -1])
def test_the_scale_of_the_loss_does_not_matter(scale: float, sign: int) -> None:
    falling = sign * scale * np.linspace(2.0, 1.0, 200)[::sign]
    assert movement(falling, [np.linspace(0, 1, 200)]).trend in ("improving", "slow")
    assert movement(np.full(200, scale), [np.linspace(0, 1, 200)]).trend == "plateau"


def test_sentences() -> None:
    swinging = describe(judged("parabola-constant", optimizer__lr="1.01"))
    assert swinging.word == "oscillating"
    assert swinging.sentence == (
        "the learning rate is too large: weights step back and forth, and the loss grows"
    )
    assert (
        "swinging from side to side"
        in describe(judged("parabola-constant", 20, optimizer__lr="0.9")).sentence
    )
    hops = judged("sales-cost1-profit99")
    assert describe(hops).tone == "warning"
    assert describe(hops, arrived=True) == (
        "hovers near the optimum", "a smaller learning rate would help", "neutral"
    )  # fmt: skip
    assert ended("paused", 2, judged("line-fit", 2), None).sentence == "at step 2"
    assert ended("paused", 300, judged("line-fit", 300), None).sentence == (
        "at step 300; improving until then"
    )
    assert diverged(1234, "w").sentence == "at step 1,234 in w: try a smaller learning rate"
    plateau = judged("sales-mse")
    assert ended("finished", 15000, plateau, []).tone == "good"
    missed = ended("finished", 15000, plateau, [Miss("w[0,0]", 0.91, "1.001")])
    assert missed.sentence == (
        "expected not reached: w[0,0] is 0.91, not 1.001; plateau at the end"
    )
    assert ended("finished", 300, judged("line-fit", 300), None).sentence == (
        "improving at the end; more steps would help"
    )
    told = ended("finished", 300, judged("line-fit", 300), None, perfect=True)
    assert told.sentence == "improving at the end"
    rest = judged("line-fit")
    assert describe(rest, arrived=True).word == "expected values reached"
    assert ended("paused", 9000, rest, []).sentence == "at step 9,000; expected values reached"
    range_met = "test accuracy 27 % (15 % to 85 %)"
    told = ended("finished", 15000, plateau, [], range_met=range_met)
    assert told == ("finished as expected", range_met, "neutral")
    assert ended("killed", 70, plateau, None).word == "killed"
    assert (percent(0.004), percent(0.0996), percent(0.5)) == ("0.4 %", "10 %", "50 %")


# Networks -------------------------------------------------------------------------------------


def losses(rise: float, count: int = 60, noise: float = 0.0) -> tuple[np.ndarray, ...]:
    """Steps, a falling train loss, and a test loss that turns at evaluation 20."""
    random, k = np.random.default_rng(0), np.arange(count)
    train = np.exp(-k / 20)
    test = train.copy()
    test[20:] = test[20] + rise * (k[20:] - 20) / 40
    return 50 * k, train, test + noise * random.normal(size=count)


def test_overfitting_is_told_with_its_step() -> None:
    since = overfitting(*losses(0.3, noise=0.003))
    assert since is not None
    assert 900 <= since <= 1150
    told = overfits(since)
    assert told.sentence == f"since step {since:,} the test loss rises while the train loss falls"
    assert told.tone == "warning"


def test_overfitting_in_spite_of_a_restless_stretch_is_told() -> None:
    steps, train, test = losses(0.0)
    # As behind a learning rate that was raised: jumps, then calm, but never as low again.
    test[25:45] += 0.2 + 0.2 * (np.arange(20) % 2)
    test[45:] += 0.08
    assert overfitting(steps, train, test) is not None


def test_a_test_loss_that_rests_or_trembles_is_no_overfitting() -> None:
    assert overfitting(*losses(0.0)) is None
    assert overfitting(*losses(0.005)) is None
    assert overfitting(*losses(0.02, noise=0.05)) is None
    steps, train, _ = losses(0.3)
    assert overfitting(steps, train, train) is None
    assert overfitting(*(side[:10] for side in losses(0.3))) is None
    steps, train, test = losses(0.3)
    assert overfitting(steps, 2 - train, test) is None  # both rise: something else is wrong
    test[30] = np.nan
    assert overfitting(steps, train, test) is None


def test_a_network_that_stands_still_is_told_why() -> None:
    still, none = np.full(200, 1e-7), np.empty(0)
    told = at_chance(0.5, 8, still, "w1", none)
    assert told.word == "not learning"
    assert told.sentence == (
        "vanishing gradients: the gradient norm is 1e-07; accuracy 50 % is no better than chance"
    )
    told = at_chance(0.5, 8, np.ones(200), "w1", still)
    assert "a step moves w1 by 1e-07 of its size" in told.sentence
    told = at_chance(0.5, 1, np.ones(200), "w1", np.ones(200))
    assert (told.word, told.sentence) == ("at chance", "accuracy 50 % is no better than chance")
    assert "straight line" in at_chance(0.5, 0, still, "w1", none).sentence


def test_the_end_tells_what_was_wrong() -> None:
    rest = Movement("plateau", steps=100)
    trouble = overfits(1200)
    told = ended("finished", 5000, rest, None, trouble)
    assert told.tone == "warning"
    assert told.sentence.startswith("overfitting: since step 1,200")
    told = ended("finished", 5000, rest, [], trouble)
    assert told.sentence.startswith("expected values reached; overfitting: since step 1,200")
    missed = [Miss("test accuracy", 0.81, "0.94 to 1")]
    told = ended("finished", 5000, rest, missed, trouble)
    assert told.sentence == (
        "expected not reached: test accuracy is 0.81, not 0.94 to 1; overfitting at the end"
    )
