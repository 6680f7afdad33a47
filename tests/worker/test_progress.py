from __future__ import annotations

import pytest

from tuitrain.worker.progress import GROWTH, Pace, Throughput


def test_the_first_block_is_one_step() -> None:
    assert Pace(0.05).steps == 1


@pytest.mark.parametrize("step", [1e-6, 1e-3, 0.02])
def test_blocks_come_to_take_the_target(step: float) -> None:
    pace = Pace(0.05)
    for _ in range(20):
        before = pace.steps
        pace.took(pace.steps, 0.0, pace.steps * step)
        assert pace.steps <= GROWTH * before
    assert pace.steps == pytest.approx(0.05 / step, rel=0.5)


def test_a_step_that_takes_longer_than_a_block_is_taken_alone() -> None:
    pace = Pace(0.05)
    for seconds in (1e-5, 1e-5, 3.0):
        pace.took(pace.steps, 0.0, seconds)
    assert pace.steps == 1


def test_no_time_at_all_is_no_crash() -> None:
    pace = Pace(0.05)
    pace.took(1, 0.0, 0.0)
    assert pace.steps == GROWTH


def trained(pace: Pace, seconds: float, step: float) -> int:
    """Steps that are trained in so many seconds if each takes `step`, by a clock of its own."""
    now, steps = 0.0, 0
    while (now := max(now, pace.due) + 1e-3) < seconds:  # a sleep lasts a little too long
        steps += (block := pace.steps)
        pace.took(block, now, block * step)
        now += block * step
    return steps


@pytest.mark.parametrize("limit", [1.0, 7.0, 30.0, 1000.0, 20_000.0])
def test_a_limit_is_kept_to_on_average(limit: float) -> None:
    pace = Pace(0.05, limit)
    assert trained(pace, 20.0, 1e-5) == pytest.approx(20 * limit, rel=0.06)
    assert pace.steps == max(1, int(limit * 0.05))


def test_a_limit_that_the_machine_does_not_reach_changes_nothing() -> None:
    assert trained(Pace(0.05, 1000.0), 20.0, 0.01) == trained(Pace(0.05), 20.0, 0.01)


def test_what_a_delay_has_cost_is_not_made_up_for() -> None:
    pace = Pace(0.05, 10.0)
    pace.took(1, 0.0, 0.001)
    pace.took(1, 100.0, 0.001)
    assert pace.due == pytest.approx(100.05)


def test_another_limit_counts_at_once() -> None:
    pace = Pace(0.05, 0.1)
    pace.took(1, 50.0, 0.001)
    assert pace.due > 59
    pace.keep_to(10.0)
    assert pace.due < 50


def test_the_rate_follows_a_change() -> None:
    rate = Throughput()
    assert rate.value == 0
    for _ in range(200):
        rate.took(100, 0.05)
    assert rate.value == pytest.approx(2000)
    for _ in range(200):
        rate.took(10, 0.05)
    assert rate.value == pytest.approx(200, rel=0.05)
