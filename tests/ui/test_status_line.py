"""The status line in little room."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tuitrain.record.status import Status
from tuitrain.ui.widgets.status import SHORTEST, facts, line

COLOURS = {"primary": "blue", "rule": "grey50"}
RUNNING = Status(
    "running",
    step=1_025,
    total=2_000,
    seconds=0.1,
    steps_per_second=10_250.0,
    device="cuda:1",
    stack_steps=[1_025],
    stack_totals=[2_000],
    pace=200.0,
)


@pytest.mark.parametrize(
    ("width", "words"),
    [
        (118, "51 %   eta 4.9 s   pace 200 steps/s   cuda:1"),
        (78, "51 %  eta 4.9 s  pace 200 steps/s  cuda:1"),  # a terminal of 80 columns
        (72, "51 %  eta 4.9 s  pace 200 steps/s"),
    ],
)
def test_the_words_move_together_before_the_device_goes(width: int, words: str) -> None:
    shown = line(RUNNING, width, "grey50", COLOURS).plain
    assert len(shown) == width
    assert shown.startswith("▶ running  1,025 / 2,000  ━")
    assert shown.endswith(f"─ {words}")
    assert sum(letter in "━╸─" for letter in shown) >= SHORTEST


@pytest.mark.parametrize(
    ("step", "share"), [(28, "28 %"), (29, "29 %"), (57, "57 %"), (99, "99 %")]
)
def test_whole_percents_are_whole(step: int, share: str) -> None:
    assert facts(replace(RUNNING, step=step, total=100))[2] == share


def test_a_training_that_has_so_many_seconds_is_measured_by_them() -> None:
    status = replace(RUNNING, seconds=3.0, step=1_000, total=200_000, pace=None)
    _, steps, share, time, *_ = facts(status, 1, 10.0)
    assert (steps, share, time) == ("1,000 steps", "30 %", "eta 7.0 s")
    ended = facts(replace(status, state="finished", seconds=10.1), 1, 10.0)
    assert ended[1:3] == ("1,000 steps", "100 %")
