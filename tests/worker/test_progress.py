from __future__ import annotations

import pytest

from tuitrain.worker.progress import GROWTH, Pace, Rate


def test_the_first_block_is_one_step() -> None:
    assert Pace(0.05).steps == 1


@pytest.mark.parametrize("step", [1e-6, 1e-3, 0.02])
def test_blocks_come_to_take_the_target(step: float) -> None:
    pace = Pace(0.05)
    for _ in range(20):
        before = pace.steps
        pace.took(pace.steps, pace.steps * step)
        assert pace.steps <= GROWTH * before
    assert pace.steps == pytest.approx(0.05 / step, rel=0.5)


def test_a_step_that_takes_longer_than_a_block_is_taken_alone() -> None:
    pace = Pace(0.05)
    for seconds in (1e-5, 1e-5, 3.0):
        pace.took(pace.steps, seconds)
    assert pace.steps == 1


def test_no_time_at_all_is_no_crash() -> None:
    pace = Pace(0.05)
    pace.took(1, 0.0)
    assert pace.steps == GROWTH


def test_the_rate_follows_a_change() -> None:
    rate = Rate()
    assert rate.value == 0
    for _ in range(200):
        rate.took(100, 0.05)
    assert rate.value == pytest.approx(2000)
    for _ in range(200):
        rate.took(10, 0.05)
    assert rate.value == pytest.approx(200, rel=0.05)
